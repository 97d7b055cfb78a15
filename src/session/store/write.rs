//! What a manager asks a store to write.

use std::sync::Arc;

use bytes::Bytes;

use super::{AnswerRecord, EndedSession, SessionRecord, StoreError, StoredAttribute};

/// A write of one session, all of it or nothing.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "they go from hand to hand in a vector")]
pub enum SessionWrite {
    /// A request has released a session.
    Save(SaveSession),
    /// A session has ended, whether it was ever saved or not: what is stored of it goes, its end is remembered.
    End(EndedSession),
    /// A session is lost with what it held: it ends, but the answers that are kept with it are remembered as long as its end is, for
    /// clients that don't know what became of their requests.
    Lose(EndedSession),
    /// An answer is remembered apart from any release. If it does not end by itself ([`Moment::NEVER`](crate::session::Moment)),
    /// and the session that it goes with is not there any more, that is stale, and it is not remembered. A session that was never
    /// saved is not there, so its answers come with its saves.
    Remember(AnswerRecord),
    /// The same for an answer that goes with a session whose other answers are kept as well.
    RememberLatest {
        /// What is remembered.
        answer: AnswerRecord,
        /// How many are kept with its session at the most, as in [`SaveSession::answers_kept`].
        answers_kept: u32,
    },
}

/// What a release changes.
#[derive(Debug, Clone, PartialEq)]
pub struct SaveSession {
    /// How the session stands from now on; `version` is one more than before. What never changes is written once.
    pub record: SessionRecord,
    /// Whether the session is new. Otherwise version and fence of what is stored are compared.
    pub is_new: bool,
    /// The attributes that change.
    pub attributes: Vec<AttributeWrite>,
    /// The answer to remember with it, in place of what was remembered under its name. It need not be kept with this session.
    pub answer: Option<AnswerRecord>,
    /// How many answers are kept with the session at the most: the oldest are forgotten. One that is numbered is not counted.
    pub answers_kept: u32,
    /// The session ends with this write: its end is remembered, and the answer beyond it.
    pub end: Option<EndedSession>,
}

/// The change of one attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttributeWrite {
    /// It is set, whatever it was before.
    Set(StoredAttribute),
    /// Pieces are appended to the stream that it holds.
    Append {
        /// Its name.
        name: Arc<str>,
        /// Its new order.
        order: u64,
        /// How many pieces it has; if it has another number, or there is no such attribute, the save is stale.
        present: u32,
        /// Those that come after them.
        pieces: Vec<Bytes>,
    },
    /// It is removed.
    Remove {
        /// Its name.
        name: Arc<str>,
    },
}

/// What became of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is done.
    Done,
    /// The session was written or ended by somebody else since, or is not as the write supposes: nothing was changed.
    Stale,
    /// It can't be made, for a reason that the other writes of its batch have no part in (what it changes is damaged): nothing
    /// was changed.
    Refused(StoreError),
}
