//! The rows of the table `session`.

use bytestring::ByteString;
use rusqlite::{Connection, Row, params};

use super::checksum::Checksum;
use super::columns::{
    checked_u32, fixed, from_duration, from_keys, from_moment, text, to_duration, to_handle, to_keys, to_moment,
    to_owner,
};
use super::fault::Fault;
use crate::session::{SessionHandle, SessionRecord};

/// The columns that [`SessionRow::read`] takes, in its order.
pub(super) const COLUMNS: &str = "handle, owner, timeout, lifetime, keys, released, fence, version, sequence, due, \
                                  perishable, label, attributes, bytes, next_order, attribute_sum, sum";

/// A session as it stands in its row.
#[derive(Debug)]
pub(super) struct SessionRow {
    /// The session.
    pub(super) record: SessionRecord,
    /// The sum of the checksums of its attributes.
    pub(super) attribute_sum: u32,
}

impl SessionRow {
    /// Reads a row of [`COLUMNS`], and compares its checksum.
    pub(super) fn read(row: &Row<'_>) -> Result<Self, Fault> {
        let unsigned = |column| row.get(column).map(i64::cast_unsigned);
        let timeout: Option<i64> = row.get(2)?;
        let record = SessionRecord {
            handle: to_handle(fixed(row, 0)?),
            owner: to_owner(text(row, 1)?),
            timeout: timeout.map(to_duration).transpose()?,
            lifetime: to_moment(row.get(3)?)?,
            keys: to_keys(row.get_ref(4)?.as_blob().map_err(|_| Fault::damaged("keys that are no blob"))?)?,
            released: to_moment(row.get(5)?)?,
            fence: unsigned(6)?,
            version: unsigned(7)?,
            sequence: unsigned(8)?,
            due: to_moment(row.get(9)?)?,
            perishable: row.get(10)?,
            label: text(row, 11)?.map(ByteString::from),
            attributes: checked_u32(row.get(12)?)?,
            bytes: unsigned(13)?,
            next_order: unsigned(14)?,
        };
        if RowValues::of(&record).sum != checked_u32(row.get(16)?)? {
            return Err(Fault::damaged(format!("the row of session {} has a wrong checksum", record.handle)));
        }
        Ok(Self { record, attribute_sum: checked_u32(row.get(15)?)? })
    }

    /// The row of a session, if it is there.
    pub(super) fn find(connection: &Connection, session: SessionHandle) -> Result<Option<Self>, Fault> {
        let sql = format!("SELECT {COLUMNS} FROM session WHERE handle = ?1");
        let mut statement = connection.prepare_cached(&sql)?;
        let mut rows = statement.query([session.uuid().as_bytes()])?;
        rows.next()?.map(Self::read).transpose()
    }
}

/// The values of a row in the form of their columns.
pub(super) struct RowValues<'record> {
    pub(super) record: &'record SessionRecord,
    pub(super) keys: Vec<u8>,
    pub(super) timeout: Option<i64>,
    pub(super) lifetime: Option<i64>,
    pub(super) released: Option<i64>,
    pub(super) due: Option<i64>,
    pub(super) sum: u32,
}

impl<'record> RowValues<'record> {
    pub(super) fn of(record: &'record SessionRecord) -> Self {
        let mut values = Self {
            record,
            keys: from_keys(&record.keys),
            timeout: record.timeout.map(from_duration),
            lifetime: from_moment(record.lifetime),
            released: from_moment(record.released),
            due: from_moment(record.due),
            sum: 0,
        };
        values.sum = values.checksum();
        values
    }

    fn checksum(&self) -> u32 {
        let record = self.record;
        Checksum::default()
            .bytes(record.handle.uuid().as_bytes())
            .optional_bytes(record.owner.id().map(str::as_bytes))
            .optional_integer(self.timeout)
            .optional_integer(self.lifetime)
            .bytes(&self.keys)
            .optional_integer(self.released)
            .integer(record.fence.cast_signed())
            .integer(record.version.cast_signed())
            .integer(record.sequence.cast_signed())
            .optional_integer(self.due)
            .integer(record.perishable.into())
            .optional_bytes(record.label.as_ref().map(|label| label.as_bytes().as_ref()))
            .integer(record.attributes.into())
            .integer(record.bytes.cast_signed())
            .integer(record.next_order.cast_signed())
            .finish()
    }

    /// Makes the row of a new session; not if the session is there or has ended. Answers whether it did.
    pub(super) fn insert(&self, connection: &Connection, attribute_sum: u32) -> Result<bool, Fault> {
        let sql = "INSERT INTO session(handle, owner, timeout, lifetime, keys, released, fence, version, sequence, due, \
                   perishable, label, attributes, bytes, next_order, attribute_sum, sum) \
                   SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17 \
                   WHERE NOT EXISTS(SELECT 1 FROM ended WHERE handle = ?1) ON CONFLICT(handle) DO NOTHING";
        let record = self.record;
        let changed = connection.prepare_cached(sql)?.execute(params![
            record.handle.uuid().as_bytes(),
            record.owner.id(),
            self.timeout,
            self.lifetime,
            self.keys,
            self.released,
            record.fence.cast_signed(),
            record.version.cast_signed(),
            record.sequence.cast_signed(),
            self.due,
            record.perishable,
            record.label.as_deref(),
            record.attributes,
            record.bytes.cast_signed(),
            record.next_order.cast_signed(),
            attribute_sum,
            self.sum
        ])?;
        Ok(changed == 1)
    }

    /// Writes what changes with every release, if the stored version and fence allow it and nothing else has changed: this
    /// touches no index. Answers whether it did.
    pub(super) fn update_often(&self, connection: &Connection, attribute_delta: u32) -> Result<bool, Fault> {
        let sql = "UPDATE session SET released = ?4, fence = ?3, version = ?2 + 1, sequence = ?5, label = ?6, \
                   attributes = ?7, bytes = ?8, next_order = ?9, \
                   attribute_sum = (attribute_sum + ?10) & 4294967295, sum = ?11 \
                   WHERE handle = ?1 AND version = ?2 AND fence <= ?3 AND due IS ?12 AND perishable = ?13 \
                   AND keys = ?14 AND owner IS ?15 AND timeout IS ?16 AND lifetime IS ?17";
        let record = self.record;
        let changed = connection.prepare_cached(sql)?.execute(params![
            record.handle.uuid().as_bytes(),
            record.version.cast_signed().wrapping_sub(1),
            record.fence.cast_signed(),
            self.released,
            record.sequence.cast_signed(),
            record.label.as_deref(),
            record.attributes,
            record.bytes.cast_signed(),
            record.next_order.cast_signed(),
            attribute_delta,
            self.sum,
            self.due,
            record.perishable,
            self.keys,
            record.owner.id(),
            self.timeout,
            self.lifetime
        ])?;
        Ok(changed == 1)
    }

    /// Writes the whole row, if the stored version and fence allow it. Answers whether it did.
    pub(super) fn update(&self, connection: &Connection, attribute_delta: u32) -> Result<bool, Fault> {
        let sql = "UPDATE session SET owner = ?4, timeout = ?5, lifetime = ?6, keys = ?7, released = ?8, fence = ?3, \
                   version = ?2 + 1, sequence = ?9, due = ?10, perishable = ?11, label = ?12, attributes = ?13, \
                   bytes = ?14, next_order = ?15, attribute_sum = (attribute_sum + ?16) & 4294967295, sum = ?17 \
                   WHERE handle = ?1 AND version = ?2 AND fence <= ?3";
        let record = self.record;
        let changed = connection.prepare_cached(sql)?.execute(params![
            record.handle.uuid().as_bytes(),
            record.version.cast_signed().wrapping_sub(1),
            record.fence.cast_signed(),
            record.owner.id(),
            self.timeout,
            self.lifetime,
            self.keys,
            self.released,
            record.sequence.cast_signed(),
            self.due,
            record.perishable,
            record.label.as_deref(),
            record.attributes,
            record.bytes.cast_signed(),
            record.next_order.cast_signed(),
            attribute_delta,
            self.sum
        ])?;
        Ok(changed == 1)
    }
}
