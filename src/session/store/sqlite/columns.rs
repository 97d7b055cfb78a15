//! How values stand in columns.

use std::time::Duration;

use chrono::{DateTime, Utc};
use rusqlite::Row;
use uuid::Uuid;

use super::fault::Fault;
use crate::session::{EndReason, Moment, Principal, SessionHandle, SessionKey, StoredKey, ValueKind};

/// Nanoseconds since 1970; `NULL` is never, as is what lies beyond the year 2262.
pub(super) fn from_moment(moment: Moment) -> Option<i64> {
    i64::try_from(moment.as_nanos()).ok()
}

pub(super) fn to_moment(nanos: Option<i64>) -> Result<Moment, Fault> {
    let Some(nanos) = nanos else { return Ok(Moment::NEVER) };
    u64::try_from(nanos).map(Moment::from_nanos).map_err(|_| Fault::damaged("a moment before 1970"))
}

/// Nanoseconds; 292 years are as long as any.
pub(super) fn from_duration(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

pub(super) fn to_duration(nanos: i64) -> Result<Duration, Fault> {
    u64::try_from(nanos).map(Duration::from_nanos).map_err(|_| Fault::damaged("a negative duration"))
}

/// Nanoseconds since 1970 on the wall clock.
pub(super) fn from_wall(wall: DateTime<Utc>) -> i64 {
    let latest = if wall < DateTime::UNIX_EPOCH { i64::MIN } else { i64::MAX };
    wall.timestamp_nanos_opt().unwrap_or(latest)
}

pub(super) fn to_wall(nanos: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_nanos(nanos)
}

/// `NULL` is anonymous.
pub(super) fn to_owner(id: Option<&str>) -> Principal {
    id.map_or_else(Principal::anonymous, Principal::new)
}

/// The bytes of the UUID.
pub(super) fn to_handle(bytes: [u8; 16]) -> SessionHandle {
    SessionHandle::new(Uuid::from_bytes(bytes))
}

pub(super) fn checked_u32(value: i64) -> Result<u32, Fault> {
    u32::try_from(value).map_err(|_| Fault::damaged("a number that is too large"))
}

/// The bytes of a blob column that has so many.
pub(super) fn fixed<const N: usize>(row: &Row<'_>, column: usize) -> Result<[u8; N], Fault> {
    let bytes = row.get_ref(column)?.as_blob().map_err(|_| Fault::damaged("no blob where one has to be"))?;
    bytes.try_into().map_err(|_| Fault::damaged("a blob of the wrong length"))
}

/// An optional text column, borrowed from the row.
pub(super) fn text<'row>(row: &'row Row<'_>, column: usize) -> Result<Option<&'row str>, Fault> {
    let value = row.get_ref(column)?;
    value.as_str_or_null().map_err(|_| Fault::damaged("no text where text has to be"))
}

/// A blob column, borrowed from the row.
pub(super) fn blob<'row>(row: &'row Row<'_>, column: usize) -> Result<&'row [u8], Fault> {
    row.get_ref(column)?.as_blob().map_err(|_| Fault::damaged("no blob where one has to be"))
}

/// Bytes of a key in the column `keys` of a session.
const STORED_KEY: usize = 41;

/// The keys of a session: of each its 32 bytes, the moment until which it holds (8 bytes, the lowest first; never is the
/// highest number), and 1 if a newer id was used.
pub(super) fn from_keys(keys: &[StoredKey]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(keys.len() * STORED_KEY);
    for stored in keys {
        bytes.extend_from_slice(stored.key.as_bytes());
        bytes.extend_from_slice(&stored.until.as_nanos().to_le_bytes());
        bytes.push(stored.superseded.into());
    }
    bytes
}

pub(super) fn to_keys(bytes: &[u8]) -> Result<Vec<StoredKey>, Fault> {
    let (keys, rest) = bytes.as_chunks::<STORED_KEY>();
    if !rest.is_empty() {
        return Err(Fault::damaged("keys of a wrong length"));
    }
    Ok(keys
        .iter()
        .map(|bytes| StoredKey {
            key: SessionKey::from_bytes(std::array::from_fn(|index| bytes[index])),
            until: Moment::from_nanos(u64::from_le_bytes(std::array::from_fn(|index| bytes[32 + index]))),
            superseded: bytes[40] != 0,
        })
        .collect())
}

/// The keys of an ended session, 32 bytes each.
pub(super) fn from_bare_keys(keys: &[SessionKey]) -> Vec<u8> {
    keys.iter().flat_map(|key| *key.as_bytes()).collect()
}

pub(super) fn to_bare_keys(bytes: &[u8]) -> Result<Vec<SessionKey>, Fault> {
    let (keys, rest) = bytes.as_chunks::<32>();
    if !rest.is_empty() {
        return Err(Fault::damaged("keys of a wrong length"));
    }
    Ok(keys.iter().map(|key| SessionKey::from_bytes(*key)).collect())
}

/// The numbers of reasons. They are part of the format: none is ever given another meaning.
pub(super) fn from_reason(reason: EndReason) -> i64 {
    match reason {
        EndReason::Completed => 1,
        EndReason::Idle => 2,
        EndReason::Lifetime => 3,
        EndReason::Terminated => 4,
        EndReason::Killed => 5,
        EndReason::OwnerLost => 6,
        EndReason::Drained => 7,
    }
}

pub(super) fn to_reason(number: i64) -> Result<EndReason, Fault> {
    let of_number = |reason: &EndReason| from_reason(*reason) == number;
    EndReason::ALL.into_iter().find(of_number).ok_or_else(|| Fault::damaged("an unknown reason of an end"))
}

/// All kinds of values.
const KINDS: [ValueKind; 9] = [
    ValueKind::Text,
    ValueKind::Integer,
    ValueKind::Real,
    ValueKind::Boolean,
    ValueKind::Xml,
    ValueKind::RowStream,
    ValueKind::TextStream,
    ValueKind::ByteStream,
    ValueKind::EmptyStream,
];

/// The numbers of kinds. They are part of the format: none is ever given another meaning.
pub(super) fn from_kind(kind: ValueKind) -> i64 {
    match kind {
        ValueKind::Text => 1,
        ValueKind::Integer => 2,
        ValueKind::Real => 3,
        ValueKind::Boolean => 4,
        ValueKind::Xml => 5,
        ValueKind::RowStream => 6,
        ValueKind::TextStream => 7,
        ValueKind::ByteStream => 8,
        ValueKind::EmptyStream => 9,
    }
}

pub(super) fn to_kind(number: i64) -> Result<ValueKind, Fault> {
    let of_number = |kind: &ValueKind| from_kind(*kind) == number;
    KINDS.into_iter().find(of_number).ok_or_else(|| Fault::damaged("an unknown kind of value"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_and_what_is_too_far_away_are_null() {
        assert_eq!(from_moment(Moment::NEVER), None);
        assert_eq!(from_moment(Moment::from_nanos(1 << 63)), None);
        assert_eq!(to_moment(None).unwrap(), Moment::NEVER);
        assert_eq!(to_moment(Some(17)).unwrap(), Moment::from_nanos(17));
        assert!(to_moment(Some(-1)).is_err());
    }

    #[test]
    fn keys_are_read_as_they_were_written() {
        let key = |byte| SessionKey::from_bytes([byte; 32]);
        let keys = [
            StoredKey { key: key(1), until: Moment::NEVER, superseded: false },
            StoredKey { key: key(2), until: Moment::from_nanos(5), superseded: true },
        ];
        assert_eq!(to_keys(&from_keys(&keys)).unwrap(), keys);
        assert!(to_keys(&from_keys(&keys)[1..]).is_err());
        assert_eq!(to_bare_keys(&from_bare_keys(&[key(3), key(4)])).unwrap(), [key(3), key(4)]);
    }

    #[test]
    fn reasons_and_kinds_have_numbers_of_their_own() {
        for reason in EndReason::ALL {
            assert_eq!(to_reason(from_reason(reason)).unwrap(), reason);
        }
        for kind in KINDS {
            assert_eq!(to_kind(from_kind(kind)).unwrap(), kind);
        }
        assert!(to_reason(0).is_err() && to_kind(0).is_err());
    }
}
