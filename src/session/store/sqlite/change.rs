//! The changes of attributes that come with a save: what they would make of the stored ones, and writing them.

use std::collections::HashMap;

use bytes::Bytes;
use rusqlite::{Connection, params};

use super::attribute::{Head, head_of};
use super::checksum::chained;
use super::fault::Fault;
use crate::session::{AttributeWrite, SessionHandle};

/// What the changes of a save make of the attributes of its session.
#[derive(Debug)]
pub(super) struct Changes<'save> {
    session: SessionHandle,
    steps: Vec<Step<'save>>,
    /// What has to be added to the sum of the checksums of the attributes.
    pub(super) delta: u32,
}

/// One change: the head before and after it.
#[derive(Debug)]
struct Step<'save> {
    write: &'save AttributeWrite,
    before: Option<Head>,
    after: Option<Head>,
}

impl<'save> Changes<'save> {
    /// Looks at what is stored. Answers nothing if pieces are appended to a value that is not as the write supposes.
    pub(super) fn plan(
        connection: &Connection,
        session: SessionHandle,
        writes: &'save [AttributeWrite],
    ) -> Result<Option<Self>, Fault> {
        let mut latest: HashMap<&str, Option<Head>> = HashMap::new();
        let mut changes = Self { session, steps: Vec::with_capacity(writes.len()), delta: 0 };
        for write in writes {
            let name = name_of(write);
            let before = match latest.get(name) {
                Some(head) => *head,
                None => Head::find(connection, session, name)?,
            };
            let Some(after) = outcome(session, write, before) else { return Ok(None) };
            let sum = |head: Option<Head>| head.map_or(0, |head| head.sum);
            changes.delta = changes.delta.wrapping_add(sum(after)).wrapping_sub(sum(before));
            if writes.len() > 1 {
                latest.insert(name, after);
            }
            changes.steps.push(Step { write, before, after });
        }
        Ok(Some(changes))
    }

    /// Makes them.
    pub(super) fn write(&self, connection: &Connection) -> Result<(), Fault> {
        for Step { write, before, after } in &self.steps {
            let place = Place { connection, session: self.session, name: name_of(write) };
            match (write, before, after) {
                (AttributeWrite::Set(attribute), before, Some(after)) => {
                    place.set(before.as_ref(), after, &attribute.value.pieces)?;
                }
                (AttributeWrite::Append { pieces, .. }, Some(before), Some(after)) => {
                    place.append(before, after, pieces)?;
                }
                (AttributeWrite::Remove { .. }, Some(before), None) => place.remove(before)?,
                _ => {}
            }
        }
        Ok(())
    }
}

fn name_of(write: &AttributeWrite) -> &str {
    match write {
        AttributeWrite::Set(attribute) => &attribute.name,
        AttributeWrite::Append { name, .. } | AttributeWrite::Remove { name } => name,
    }
}

/// The head after a write; `None` when the write does not fit to the one before.
#[expect(clippy::option_option, reason = "the inner one says whether the attribute is there")]
fn outcome(session: SessionHandle, write: &AttributeWrite, before: Option<Head>) -> Option<Option<Head>> {
    match write {
        AttributeWrite::Set(attribute) => Some(Some(head_of(session, attribute))),
        AttributeWrite::Remove { .. } => Some(None),
        AttributeWrite::Append { name, order, present, pieces } => {
            let head = before.filter(|head| head.pieces == *present)?;
            let head = Head {
                position: *order,
                pieces: head.pieces.checked_add(u32::try_from(pieces.len()).ok()?)?,
                chain: pieces.iter().fold(head.chain, |chain, piece| chained(chain, piece)),
                ..head
            };
            Some(Some(head.summed(session, name)))
        }
    }
}

/// Where the rows of an attribute are.
struct Place<'a> {
    connection: &'a Connection,
    session: SessionHandle,
    name: &'a str,
}

impl Place<'_> {
    fn set(&self, before: Option<&Head>, after: &Head, pieces: &[Bytes]) -> Result<(), Fault> {
        let sql = if let Some(before) = before {
            self.remove_pieces(before)?;
            "UPDATE attribute SET position = ?3, kind = ?4, pieces = ?5, chain = ?6, sum = ?7, value = ?8 \
             WHERE session = ?1 AND name = ?2"
        } else {
            "INSERT INTO attribute(session, name, position, kind, pieces, chain, sum, value) \
             VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"
        };
        let (inline, elsewhere) = pieces.split_at(usize::from(after.inline));
        self.connection.prepare_cached(sql)?.execute(params![
            self.session.uuid().as_bytes(),
            self.name,
            after.position.cast_signed(),
            after.kind,
            after.pieces,
            after.chain,
            after.sum,
            inline.first().map(Bytes::as_ref)
        ])?;
        self.add_pieces(inline.len(), elsewhere)
    }

    fn append(&self, before: &Head, after: &Head, pieces: &[Bytes]) -> Result<(), Fault> {
        let sql =
            "UPDATE attribute SET position = ?3, pieces = ?4, chain = ?5, sum = ?6 WHERE session = ?1 AND name = ?2";
        self.connection.prepare_cached(sql)?.execute(params![
            self.session.uuid().as_bytes(),
            self.name,
            after.position.cast_signed(),
            after.pieces,
            after.chain,
            after.sum
        ])?;
        self.add_pieces(before.pieces as usize, pieces)
    }

    fn remove(&self, before: &Head) -> Result<(), Fault> {
        self.remove_pieces(before)?;
        let sql = "DELETE FROM attribute WHERE session = ?1 AND name = ?2";
        self.connection.prepare_cached(sql)?.execute(params![self.session.uuid().as_bytes(), self.name])?;
        Ok(())
    }

    fn add_pieces(&self, present: usize, pieces: &[Bytes]) -> Result<(), Fault> {
        if pieces.is_empty() {
            return Ok(());
        }
        let sql = "INSERT INTO piece(session, name, number, content) VALUES(?1, ?2, ?3, ?4)";
        let mut statement = self.connection.prepare_cached(sql)?;
        for (number, piece) in (present..).zip(pieces) {
            let number = i64::try_from(number).unwrap_or(i64::MAX);
            statement.execute(params![self.session.uuid().as_bytes(), self.name, number, piece.as_ref()])?;
        }
        Ok(())
    }

    fn remove_pieces(&self, before: &Head) -> Result<(), Fault> {
        if before.elsewhere() > 0 {
            let sql = "DELETE FROM piece WHERE session = ?1 AND name = ?2";
            self.connection.prepare_cached(sql)?.execute(params![self.session.uuid().as_bytes(), self.name])?;
        }
        Ok(())
    }
}
