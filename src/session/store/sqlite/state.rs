//! The one row of the table `state`: what belongs to no session.

use std::time::Duration;

use rusqlite::{Connection, params};
use uuid::Uuid;

use super::checksum::Checksum;
use super::columns::{fixed, from_duration, from_moment, from_wall, to_duration, to_moment, to_wall};
use super::fault::Fault;
use crate::session::{BootTime, Moment, TimeMark};

/// What belongs to no session.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct State {
    /// How often the store was opened.
    pub(super) openings: i64,
    /// How often a commit that had failed was made sure to be gone.
    pub(super) settled: i64,
    /// Whether each commit since the last opening was synced before the next.
    pub(super) synced: bool,
    /// The latest moment at which something was forgotten.
    pub(super) swept: Option<Moment>,
    /// The last time mark.
    pub(super) mark: Option<TimeMark>,
}

/// The columns of a time mark.
struct MarkColumns {
    moment: Option<i64>,
    wall: Option<i64>,
    boot: Option<[u8; 16]>,
    uptime: Option<i64>,
}

impl State {
    /// Reads it.
    pub(super) fn read(connection: &Connection) -> Result<Self, Fault> {
        let sql = "SELECT openings, settled, swept, mark_moment, mark_wall, mark_boot, mark_uptime, sum, synced FROM state \
                   WHERE id = 1";
        let mut statement = connection.prepare_cached(sql)?;
        let mut rows = statement.query([])?;
        let row = rows.next()?.ok_or_else(|| Fault::damaged("the row of `state` is missing"))?;
        let boot: Option<Vec<u8>> = row.get(5)?;
        let boot = if boot.is_some() { Some(fixed(row, 5)?) } else { None };
        let columns = MarkColumns { moment: row.get(3)?, wall: row.get(4)?, boot, uptime: row.get(6)? };
        let swept: Option<i64> = row.get(2)?;
        let state = Self {
            openings: row.get(0)?,
            settled: row.get(1)?,
            synced: row.get(8)?,
            swept: swept.map(|nanos| to_moment(Some(nanos))).transpose()?,
            mark: columns.mark()?,
        };
        if state.sum() != row.get::<_, u32>(7)? {
            return Err(Fault::damaged("the row of `state` has a wrong checksum"));
        }
        Ok(state)
    }

    /// Writes it.
    pub(super) fn write(&self, connection: &Connection) -> Result<(), Fault> {
        let sql = "INSERT OR REPLACE INTO state(id, openings, settled, swept, mark_moment, mark_wall, mark_boot, \
                   mark_uptime, sum, synced) VALUES(1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
        let mark = MarkColumns::of(self.mark.as_ref());
        connection.prepare_cached(sql)?.execute(params![
            self.openings,
            self.settled,
            self.swept.and_then(from_moment),
            mark.moment,
            mark.wall,
            mark.boot,
            mark.uptime,
            self.sum(),
            self.synced
        ])?;
        Ok(())
    }

    fn sum(&self) -> u32 {
        let mark = MarkColumns::of(self.mark.as_ref());
        Checksum::default()
            .integer(self.openings)
            .integer(self.settled)
            .integer(self.synced.into())
            .optional_integer(self.swept.and_then(from_moment))
            .optional_integer(mark.moment)
            .optional_integer(mark.wall)
            .optional_bytes(mark.boot.as_ref().map(<[u8; 16]>::as_slice))
            .optional_integer(mark.uptime)
            .finish()
    }
}

impl MarkColumns {
    fn of(mark: Option<&TimeMark>) -> Self {
        let boot = mark.and_then(|mark| mark.boot);
        Self {
            moment: mark.and_then(|mark| from_moment(mark.moment)),
            wall: mark.map(|mark| from_wall(mark.wall)),
            boot: boot.map(|boot| boot.id.into_bytes()),
            uptime: boot.map(|boot| from_duration(boot.uptime)),
        }
    }

    fn mark(self) -> Result<Option<TimeMark>, Fault> {
        let Some(wall) = self.wall else { return Ok(None) };
        let boot = match (self.boot, self.uptime) {
            (Some(id), Some(uptime)) => Some(boot_time(id, to_duration(uptime)?)),
            _ => None,
        };
        Ok(Some(TimeMark { moment: to_moment(self.moment)?, wall: to_wall(wall), boot }))
    }
}

fn boot_time(id: [u8; 16], uptime: Duration) -> BootTime {
    BootTime { id: Uuid::from_bytes(id), uptime }
}
