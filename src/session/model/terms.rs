//! The terms in which the reference speaks: what requests ask for and get, what sessions hold, and the limits that hold for all.

use std::collections::BTreeMap;

/// Ticks since the beginning.
pub(super) type Tick = u64;

pub(super) const IDLE: Tick = 20;
pub(super) const LIFETIME: Tick = 120;
pub(super) const EXECUTION: Tick = 16;
/// How long a holder is left alone beyond its limit.
pub(super) const GRACE: Tick = 4;
pub(super) const RETENTION: Tick = 60;
pub(super) const MAX_WAITERS: usize = 3;
pub(super) const MAX_SESSIONS: usize = 5;
/// So many old ids of a session are remembered. Their time of grace is as long as a session lives.
pub(super) const OLD_IDS: usize = 4;

/// A request, by its number.
pub(super) type Request = usize;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    Completed,
    Idle,
    Lifetime,
    Terminated,
    Killed,
    OwnerLost,
}

/// What a request got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Waiting,
    Joined,
    /// It ends a session that has ended.
    EndedAgain,
    NotFound,
    Ended(Reason),
    InUse,
    QueueFull,
    ServerFull,
    /// It had the session and has released it, or went away.
    Gone,
}

/// What a release answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Farewell {
    Done(Option<Reason>),
    Ended(Reason),
    Conflict,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Value {
    Integer(i64),
    /// Something alive, by its number.
    Live(usize),
}

pub(super) type Attributes = BTreeMap<usize, Value>;

#[derive(Debug, Clone, Copy)]
pub(super) enum After {
    /// The session stays.
    Stay,
    End(Reason),
}

/// What a request asks for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wish {
    pub(super) deadline: Tick,
    pub(super) after: After,
    /// Whether a session that has ended is as good as one that the request ends.
    pub(super) end_again: bool,
    /// Whether a new session is as good.
    pub(super) or_create: bool,
    pub(super) stranger: bool,
}
