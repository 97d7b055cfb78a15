//! The rows of the tables `attribute` and `piece`: reading them.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use rusqlite::{Connection, Row, params};

use super::checksum::{Checksum, chained};
use super::columns::{blob, checked_u32, from_kind, text, to_kind};
use super::fault::Fault;
use crate::session::{SessionHandle, StoredAttribute, StoredValue};

/// Up to how many bytes the first piece of a value stands in the row of its attribute. All others stand in `piece`.
pub(super) const INLINE: usize = 768;

/// An attribute without the bytes of its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    /// Its place among the attributes.
    pub(super) position: u64,
    /// What it holds, as a number.
    pub(super) kind: i64,
    /// How many pieces its value has.
    pub(super) pieces: u32,
    /// The checksum of all pieces, see [`chained`].
    pub(super) chain: u32,
    /// The checksum of the row.
    pub(super) sum: u32,
    /// Whether the first piece stands in the row.
    pub(super) inline: bool,
}

impl Head {
    /// The head with its checksum.
    pub(super) fn summed(mut self, session: SessionHandle, name: &str) -> Self {
        self.sum = Checksum::default()
            .bytes(session.uuid().as_bytes())
            .bytes(name.as_bytes())
            .integer(self.position.cast_signed())
            .integer(self.kind)
            .integer(self.pieces.into())
            .integer(self.chain.into())
            .finish();
        self
    }

    /// How many pieces stand in `piece`.
    pub(super) fn elsewhere(&self) -> u32 {
        self.pieces - u32::from(self.inline)
    }

    /// The head of a stored attribute, if there is one of that name.
    pub(super) fn find(connection: &Connection, session: SessionHandle, name: &str) -> Result<Option<Self>, Fault> {
        let sql = "SELECT position, kind, pieces, chain, sum, value IS NOT NULL FROM attribute \
                   WHERE session = ?1 AND name = ?2";
        let mut statement = connection.prepare_cached(sql)?;
        let mut rows = statement.query(params![session.uuid().as_bytes(), name])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        let head = Self::read(row)?;
        if head.summed(session, name) != head {
            return Err(wrong_checksum(session, name));
        }
        Ok(Some(head))
    }

    fn read(row: &Row<'_>) -> Result<Self, Fault> {
        let inline = row.get(5)?;
        let pieces = checked_u32(row.get(2)?)?;
        if inline && pieces == 0 {
            return Err(Fault::damaged("an attribute with a value and no pieces"));
        }
        Ok(Self {
            position: row.get(0).map(i64::cast_unsigned)?,
            kind: row.get(1)?,
            pieces,
            chain: checked_u32(row.get(3)?)?,
            sum: checked_u32(row.get(4)?)?,
            inline,
        })
    }
}

/// All attributes of a session. `attribute_sum` is what their checksums have to add up to.
pub(super) fn load(
    connection: &Connection,
    session: SessionHandle,
    attribute_sum: u32,
) -> Result<Vec<StoredAttribute>, Fault> {
    let sql = "SELECT position, kind, pieces, chain, sum, value IS NOT NULL, name, value FROM attribute \
               WHERE session = ?1 ORDER BY name";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([session.uuid().as_bytes()])?;
    let mut found: Vec<(Arc<str>, Head, Vec<Bytes>)> = Vec::new();
    while let Some(row) = rows.next()? {
        let name = text(row, 6)?.ok_or_else(|| Fault::damaged("an attribute without a name"))?;
        let head = Head::read(row)?;
        let pieces = if head.inline { vec![Bytes::copy_from_slice(blob(row, 7)?)] } else { Vec::new() };
        found.push((name.into(), head, pieces));
    }
    drop(rows);
    if found.iter().any(|(_, head, _)| head.elsewhere() > 0) {
        load_pieces(connection, session, &mut found)?;
    }
    if found.iter().fold(0_u32, |sum, (_, head, _)| sum.wrapping_add(head.sum)) != attribute_sum {
        return Err(Fault::damaged(format!("attributes of session {session} are missing, or not its latest")));
    }
    found.into_iter().map(|(name, head, pieces)| checked(session, name, head, pieces)).collect()
}

fn load_pieces(
    connection: &Connection,
    session: SessionHandle,
    found: &mut [(Arc<str>, Head, Vec<Bytes>)],
) -> Result<(), Fault> {
    let by_name: HashMap<Arc<str>, usize> =
        found.iter().enumerate().map(|(index, (name, ..))| (Arc::clone(name), index)).collect();
    let sql = "SELECT name, number, content FROM piece WHERE session = ?1 ORDER BY name, number";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([session.uuid().as_bytes()])?;
    while let Some(row) = rows.next()? {
        let name = text(row, 0)?.unwrap_or_default();
        let place = by_name.get(name).and_then(|index| found.get_mut(*index));
        let (_, _, pieces) =
            place.ok_or_else(|| Fault::damaged(format!("a piece of no attribute of session {session}")))?;
        if usize::try_from(row.get::<_, i64>(1)?) != Ok(pieces.len()) {
            return Err(wrong_checksum(session, name));
        }
        pieces.push(Bytes::copy_from_slice(blob(row, 2)?));
    }
    Ok(())
}

fn checked(session: SessionHandle, name: Arc<str>, head: Head, pieces: Vec<Bytes>) -> Result<StoredAttribute, Fault> {
    let chain = pieces.iter().fold(0, |chain, piece| chained(chain, piece));
    let complete = usize::try_from(head.pieces) == Ok(pieces.len()) && chain == head.chain;
    if !complete || head.summed(session, &name) != head {
        return Err(wrong_checksum(session, &name));
    }
    let value = StoredValue { kind: to_kind(head.kind)?, pieces };
    Ok(StoredAttribute { name, order: head.position, value })
}

fn wrong_checksum(session: SessionHandle, name: &str) -> Fault {
    Fault::damaged(format!("attribute `{name}` of session {session} has a wrong checksum"))
}

/// The head of a value that is written as a whole.
pub(super) fn head_of(session: SessionHandle, attribute: &StoredAttribute) -> Head {
    let value = &attribute.value;
    let head = Head {
        position: attribute.order,
        kind: from_kind(value.kind),
        pieces: u32::try_from(value.pieces.len()).unwrap_or(u32::MAX),
        chain: value.pieces.iter().fold(0, |chain, piece| chained(chain, piece)),
        sum: 0,
        inline: value.pieces.first().is_some_and(|piece| piece.len() <= INLINE),
    };
    head.summed(session, &attribute.name)
}
