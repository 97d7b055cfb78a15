//! What is remembered of a request, as bytes for a store.
//!
//! | bytes | what |
//! |---|---|
//! | 1 | the format: 1 |
//! | 1 | 0: the request began, 1: it was answered, 2: it began, and works in a transaction or commits it |
//! | 32 | its fingerprint |
//! | 8 | its number in its session, 0 without one |
//! | *rest* | how it was answered, if it was; or the id of the transaction (16) |
//!
//! An answer is: the status (2), whether it was only begun (1), the media type (length 2, text), the session (`session`), the
//! holes (how many 4; for each where it is 4, which id stood there 1) and the body without them. A session is: how its id is kept
//! (1: 0 there is none, 1 it is the one by which its client comes, 2 it is sealed: nonce 32, sealed 32), its handle (16), what
//! became of it (1: bits for created, implicit, ended), its expiries (8 each, milliseconds since 1970, the smallest number for
//! none). Numbers have their lowest byte first.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::seal::{NONCE_BYTES, Nonce, Secret, pad};
use super::{Fingerprint, KeptAnswer, KeptSession};
use crate::session::{ID_LENGTH, SessionHandle, SessionId};

const FORMAT: u8 = 1;

const BEGUN: u8 = 0;
const ANSWERED: u8 = 1;
const COMMITS: u8 = 2;

const NO_ID: u8 = 0;
const PRESENTED_ID: u8 = 1;
const SEALED_ID: u8 = 2;

const CREATED: u8 = 1;
const IMPLICIT: u8 = 2;
const ENDED: u8 = 4;

/// In a hole stood the id that the answer tells, or the one by which the client came.
const TOLD: u8 = 0;
const PRESENTED: u8 = 1;

/// What is remembered of a request.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Content {
    pub(super) fingerprint: Fingerprint,
    /// Its number, 0 if its client does not count.
    pub(super) sequence: u64,
    pub(super) known: Known,
}

/// What is known of how a request ended.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Known {
    /// How it was answered.
    Answered(KeptAnswer),
    /// That it began, and the transaction whose end tells what became of it, if there is one.
    Begun(Option<Uuid>),
}

/// The bytes are no content of this format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unreadable;

impl Content {
    /// The bytes, in which no id is.
    pub(super) fn write(&self, secret: &Secret, nonce: &Nonce) -> Bytes {
        let (state, body) = match &self.known {
            Known::Answered(answer) => (ANSWERED, answer.body.len()),
            Known::Begun(None) => (BEGUN, 0),
            Known::Begun(Some(_)) => (COMMITS, 0),
        };
        let mut out = BytesMut::with_capacity(256 + body);
        out.put_u8(FORMAT);
        out.put_u8(state);
        out.put_slice(self.fingerprint.as_bytes());
        out.put_u64_le(self.sequence);
        match &self.known {
            Known::Answered(answer) => write_answer(answer, secret, nonce, &mut out),
            Known::Begun(Some(transaction)) => out.put_slice(transaction.as_bytes()),
            Known::Begun(None) => {}
        }
        out.freeze()
    }

    /// What was written, with the ids where they stood, for the client whose secret that is.
    pub(super) fn read(mut bytes: Bytes, secret: &Secret) -> Result<Self, Unreadable> {
        if bytes.try_get_u8().ok() != Some(FORMAT) {
            return Err(Unreadable);
        }
        let state = bytes.try_get_u8().map_err(unreadable)?;
        let fingerprint = Fingerprint::from_bytes(array(&mut bytes)?);
        let sequence = bytes.try_get_u64_le().map_err(unreadable)?;
        let known = match state {
            BEGUN => Known::Begun(None),
            COMMITS => Known::Begun(Some(Uuid::from_bytes(array(&mut bytes)?))),
            ANSWERED => Known::Answered(read_answer(bytes, secret)?),
            _ => return Err(Unreadable),
        };
        Ok(Self { fingerprint, sequence, known })
    }
}

fn write_answer(answer: &KeptAnswer, secret: &Secret, nonce: &Nonce, out: &mut BytesMut) {
    out.put_u16_le(answer.status);
    out.put_u8(answer.accepted.into());
    let content_type = &answer.content_type.as_bytes()[..answer.content_type.len().min(usize::from(u16::MAX))];
    out.put_u16_le(u16::try_from(content_type.len()).unwrap_or(u16::MAX));
    out.put_slice(content_type);
    write_session(answer.session.as_ref(), secret, nonce, out);
    let told = answer.session.as_ref().map(|session| session.id.expose());
    let presented = secret.presented().map(SessionId::expose);
    let ids = [(TOLD, &told), (PRESENTED, &presented)];
    let ids: Vec<(u8, &str)> = ids.into_iter().filter_map(|(which, id)| Some((which, id.as_ref()?.as_str()))).collect();
    let holes = holes(&answer.body, &ids);
    out.put_u32_le(u32::try_from(holes.len()).unwrap_or(u32::MAX));
    for (at, which) in &holes {
        out.put_u32_le(u32::try_from(*at).unwrap_or(u32::MAX));
        out.put_u8(*which);
    }
    let mut written = 0;
    for (at, _) in holes {
        out.put_slice(&answer.body[written..at]);
        written = at + ID_LENGTH;
    }
    out.put_slice(&answer.body[written..]);
}

/// Where the ids stand in a body, from its beginning, and which.
fn holes(body: &[u8], ids: &[(u8, &str)]) -> Vec<(usize, u8)> {
    let mut holes: Vec<(usize, u8)> = Vec::new();
    for (which, id) in ids {
        for at in memchr::memmem::find_iter(body, id.as_bytes()) {
            // The two may be the same id; and no two can overlap unless they are cut from one text of a client's.
            if holes.iter().all(|(other, _)| at.abs_diff(*other) >= ID_LENGTH) {
                holes.push((at, *which));
            }
        }
    }
    holes.sort_unstable();
    holes
}

fn write_session(session: Option<&KeptSession>, secret: &Secret, nonce: &Nonce, out: &mut BytesMut) {
    let Some(session) = session else { return out.put_u8(NO_ID) };
    if secret.presented() == Some(&session.id) {
        out.put_u8(PRESENTED_ID);
    } else {
        out.put_u8(SEALED_ID);
        out.put_slice(nonce);
        out.put_slice(&pad(*session.id.as_bytes(), secret.as_bytes(), nonce));
    }
    out.put_slice(session.handle.uuid().as_bytes());
    let flags = [(session.created, CREATED), (session.implicit, IMPLICIT), (session.ended_by_this, ENDED)];
    out.put_u8(flags.into_iter().filter(|(is_set, _)| *is_set).fold(0, |flags, (_, flag)| flags | flag));
    for expires in [session.idle_expires, session.lifetime_expires] {
        out.put_i64_le(expires.map_or(i64::MIN, |expires| expires.timestamp_millis()));
    }
}

fn read_answer(mut bytes: Bytes, secret: &Secret) -> Result<KeptAnswer, Unreadable> {
    let status = bytes.try_get_u16_le().map_err(unreadable)?;
    let accepted = bytes.try_get_u8().map_err(unreadable)? != 0;
    let length = usize::from(bytes.try_get_u16_le().map_err(unreadable)?);
    let content_type = String::from_utf8(take(&mut bytes, length)?.to_vec()).map_err(unreadable)?;
    let session = read_session(&mut bytes, secret)?;
    let told = session.as_ref().map(|session| session.id.expose());
    let presented = secret.presented().map(SessionId::expose);
    let mut body = BytesMut::new();
    let count = bytes.try_get_u32_le().map_err(unreadable)?;
    let mut holes = Vec::new();
    for _ in 0..count {
        let at = bytes.try_get_u32_le().map_err(unreadable)? as usize;
        holes.push((at, bytes.try_get_u8().map_err(unreadable)?));
    }
    for (at, which) in holes {
        let before = at.checked_sub(body.len()).ok_or(Unreadable)?;
        body.put(take(&mut bytes, before)?);
        let id = if which == TOLD { &told } else { &presented };
        body.put_slice(id.as_ref().ok_or(Unreadable)?.as_str().as_bytes());
    }
    let body = if body.is_empty() {
        bytes
    } else {
        body.put(bytes);
        body.freeze()
    };
    Ok(KeptAnswer { status, content_type: content_type.into(), body, accepted, session })
}

fn read_session(bytes: &mut Bytes, secret: &Secret) -> Result<Option<KeptSession>, Unreadable> {
    let id = match bytes.try_get_u8().map_err(unreadable)? {
        NO_ID => return Ok(None),
        PRESENTED_ID => secret.presented().ok_or(Unreadable)?.clone(),
        SEALED_ID => {
            let nonce: Nonce = array::<NONCE_BYTES>(bytes)?;
            SessionId::from_bytes(pad(array(bytes)?, secret.as_bytes(), &nonce))
        }
        _ => return Err(Unreadable),
    };
    let handle = SessionHandle::new(Uuid::from_bytes(array(bytes)?));
    let flags = bytes.try_get_u8().map_err(unreadable)?;
    let mut expires = || bytes.try_get_i64_le().map(time).map_err(unreadable);
    Ok(Some(KeptSession {
        id,
        handle,
        created: flags & CREATED != 0,
        implicit: flags & IMPLICIT != 0,
        ended_by_this: flags & ENDED != 0,
        idle_expires: expires()?,
        lifetime_expires: expires()?,
    }))
}

fn time(millis: i64) -> Option<DateTime<Utc>> {
    if millis == i64::MIN { None } else { DateTime::from_timestamp_millis(millis) }
}

fn take(bytes: &mut Bytes, length: usize) -> Result<Bytes, Unreadable> {
    if bytes.len() < length { Err(Unreadable) } else { Ok(bytes.split_to(length)) }
}

fn array<const LENGTH: usize>(bytes: &mut Bytes) -> Result<[u8; LENGTH], Unreadable> {
    let mut array = [0; LENGTH];
    bytes.try_copy_to_slice(&mut array).map_err(unreadable)?;
    Ok(array)
}

fn unreadable<E>(_: E) -> Unreadable {
    Unreadable
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::IdempotencyKey;

    const NONCE: Nonce = [5; NONCE_BYTES];

    fn id(number: u8) -> SessionId {
        SessionId::from_bytes([number; 32])
    }

    fn answered(told: &SessionId, body: String) -> Content {
        let session = KeptSession {
            id: told.clone(),
            handle: SessionHandle::new(Uuid::from_u128(9)),
            created: true,
            implicit: false,
            ended_by_this: true,
            idle_expires: DateTime::from_timestamp_millis(1_700_000_000_123),
            lifetime_expires: None,
        };
        let answer = KeptAnswer {
            status: 200,
            content_type: "application/xml".into(),
            body: body.into(),
            accepted: true,
            session: Some(session),
        };
        Content { fingerprint: Fingerprint::of(&[b"x"]), sequence: 3, known: Known::Answered(answer) }
    }

    fn contains(bytes: &[u8], part: &[u8]) -> bool {
        memchr::memmem::find(bytes, part).is_some()
    }

    #[test]
    fn what_was_written_reads_the_same_and_holds_no_id() {
        // Behaviour 51: no id is stored.
        let (told, came) = (id(1), id(2));
        let key = Secret::Key(IdempotencyKey::new("8e03978e-40d5-43e8").unwrap());
        for secret in [key, Secret::Id(came.clone()), Secret::Id(told.clone())] {
            let body = format!("<session id=\"{0}\"/>{1}{0}", told.expose(), came.expose());
            let content = answered(&told, body);
            let written = content.write(&secret, &NONCE);
            for secret_id in [Some(&told), secret.presented()].into_iter().flatten() {
                assert!(!contains(&written, secret_id.expose().as_str().as_bytes()));
                assert!(!contains(&written, secret_id.as_bytes()));
            }
            assert_eq!(Content::read(written, &secret), Ok(content));
        }
    }

    #[test]
    fn a_beginning_and_a_fault_read_the_same() {
        let secret = Secret::Id(id(1));
        let fingerprint = Fingerprint::of(&[]);
        for transaction in [None, Some(Uuid::from_u128(7))] {
            let begun = Content { fingerprint, sequence: 0, known: Known::Begun(transaction) };
            assert_eq!(Content::read(begun.write(&secret, &NONCE), &secret), Ok(begun));
        }
        let fault = KeptAnswer {
            status: 422,
            content_type: "application/problem+json".into(),
            body: Bytes::new(),
            accepted: false,
            session: None,
        };
        let failed = Content { fingerprint, sequence: u64::MAX, known: Known::Answered(fault) };
        assert_eq!(Content::read(failed.write(&secret, &NONCE), &secret), Ok(failed));
    }

    #[test]
    fn bytes_that_were_cut_or_made_by_another_version_are_not_read() {
        let secret = Secret::Id(id(1));
        let written = answered(&id(2), format!("a{}b", id(2).expose())).write(&secret, &NONCE);
        let whole = Content::read(written.clone(), &secret);
        for length in 0..written.len() {
            let cut = Content::read(written.slice(..length), &secret);
            assert!(cut.is_err() || cut != whole, "{length}");
        }
        let mut newer = written.to_vec();
        newer[0] = 2;
        assert_eq!(Content::read(newer.into(), &secret), Err(Unreadable));
    }
}
