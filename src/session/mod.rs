//! Sessions: what makes the service remember.
//!
//! A request joins exactly one session and holds it alone until it releases it ([`SessionManager::join`], [`Joined`]). What it
//! changed in the attributes ([`SessionAttributes`]) becomes visible to the next request at the release, all of it or, if the
//! request failed, nothing. A session ends when nobody has joined it for a while, when it has lived for too long, when its owner
//! says so, or when an operator does; what it held is closed then, and its owner is told why for some time afterwards.
//!
//! ```text
//!  SessionRequirement ──▶ SessionManager::join ──▶ Joined ──▶ release(Commit | Discard) ──▶ Released
//!        (id: a secret)     look up, wait, lock     │  attributes(): read, stage changes
//!                                                   └─ ended(): somebody ended the session: stop
//! ```
//!
//! The contract that every manager keeps stands at [`SessionManager`]. [`TransientSessionManager`] keeps sessions in memory,
//! [`DurableSessionManager`] in a [`SessionStore`] as well.
//!
//! What can be added from outside: a [`SessionManager`], a [`StaticSessionAttribute`], a [`LiveAttribute`], a
//! [`SessionListener`]. Time and randomness come in through a [`Clock`] and an [`IdSource`], so that tests drive them.
//!
//! The model is that of OGSA-DAI 2.2 (one request at a time, implicit and explicit sessions, idle time-out from the last
//! release, static attributes); where it was silent, or could lose data, this room says what happens and a test shows it.

mod attributes;
mod clock;
#[cfg(test)]
mod conformance;
mod durable;
mod error;
mod event_log;
mod factory;
mod id;
mod info;
mod joined;
mod key;
mod lifetime;
mod listener;
mod manager;
mod manual_clock;
#[cfg(test)]
mod model;
mod principal;
mod progress;
mod random;
mod replay;
mod requirement;
mod resident;
mod store;
mod streams;
mod transaction;

pub use crate::document::SessionState;
pub(crate) use attributes::WeakStaticAttributes;
pub use attributes::{
    AttributeError, AttributeRules, AttributeSnapshot, AttributeSummary, AttributeValue, Checkpoint, Checkpoints,
    CloseError, Counter, Dropped, LiveAttribute, SessionAttributes, StagedAttributes, StaticAttributeFactory,
    StaticAttributeRegistry, StaticAttributeSettings, StaticAttributes, StaticSessionAttribute, StoredStream,
    WrongBlock,
};
pub use clock::{BootTime, Clock, Moment, SystemClock};
pub use durable::{DurableSessionManager, DurableSessionManagerBuilder, DurableSessionManagerFactory, Timeline};
pub use error::{EndReason, Interruption, SessionError};
pub use event_log::SessionLog;
pub use factory::{SessionManagerFactory, SessionManagerRegistry, SessionManagerSettings};
pub use id::{ExposedId, ID_LENGTH, MalformedSessionId, SessionHandle, SessionId};
pub use info::{
    EndProgress, LABEL, LONGEST_LABEL, Released, SessionDescription, SessionFilter, SessionInfo, SessionStatistics,
    SessionStatus,
};
pub use joined::{Answer, Departure, Joined, Leaving, Outcome, Participation, Releasing};
pub use listener::{SessionEvent, SessionListener};
pub use manager::{Joining, SessionManager};
pub use manual_clock::ManualClock;
pub use principal::{Participant, Principal};
pub use progress::{ActivityProgress, RequestProgress, RequestSummary};
pub use random::{IdSource, RandomUnavailable, SeededIds, SystemIds};
pub use replay::{
    AnswerAccount, AnswerBook, AnswerShelf, Asked, ClientNetwork, Fingerprint, IdempotencyKey, KeptAnswer, KeptSession,
    MalformedKey, NamedSession, Recalled, Remember, RepeatName, Repetition, Replays, Unfinished,
};
pub use requirement::{Access, SessionRequirement};
pub use resident::{TransientSessionManager, TransientSessionManagerBuilder, TransientSessionManagerFactory};
pub use store::{
    AnswerRecord, AnswerScope, AttributeWrite, CountedAnswer, Durability, EndedSession, Recovery, SaveSession,
    SessionKey, SessionRecord, SessionStore, SessionWrite, SqliteStore, StoreError, StoreEvent, StoreOperation,
    StoreStatistics, StoredAttribute, StoredKey, StoredSession, StoredValue, TimeMark, ValueError, ValueKind, Verdict,
};
pub(crate) use store::{SqliteSnapshot, archive};
pub use streams::{
    InputEnd, InputForm, NewStream, OpenedStreams, OutputEnd, SessionStreams, StreamDirection, StreamError,
    StreamState, StreamStatus,
};
pub use transaction::{
    BranchError, Decision, Isolation, LogError, LogId, Recoverable, Transaction, TransactionBranch, TransactionError,
    TransactionManager, TransactionOptions, TransactionReport, TransactionState, Xid,
};
