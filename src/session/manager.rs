//! The contract of every session manager.

use std::future;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::{BoxFuture, Either};

use super::{
    Answer, Asked, EndProgress, EndReason, Joined, Participant, Principal, Recalled, SessionDescription, SessionError,
    SessionFilter, SessionHandle, SessionId, SessionRequirement, SessionStatistics, SessionStatus, SessionStreams,
    StaticAttributes, TransactionManager,
};
use crate::document::SessionConfiguration;

/// The answer to a join: there at once unless another request holds the session.
pub type Joining = Answer<Result<Joined, SessionError>>;

/// Keeps the sessions of one data service resource.
///
/// # What every manager keeps
///
/// 1. *Ids.* The manager issues them, from its id source; it never takes one from a client. Only their SHA-256 is kept. The id
///    of a session that has ended never names a session again.
/// 2. *Owners.* A session belongs to the principal that created it. To any other it does not exist: a join answers
///    [`SessionError::NotFound`], whether it never existed, lives, or has ended.
/// 3. *One holder.* Between a join with exclusive access and the release no other request has exclusive access. Those that
///    come meanwhile wait in the order in which `join` was called, as long as they want and may, and as many as may. The lock is
///    handed on directly: a newcomer never overtakes. Dropping a [`Joining`] leaves the queue, or gives back what was just
///    granted.
/// 4. *All or none.* A request sees the attributes as last released and its own changes. A commit makes all of them, and is
///    refused as a whole when the session has ended or the request has lost it; a discard makes none. Read access sees them as
///    last released at the join and does not wait. The one exception is 13.
/// 5. *Fences.* Each exclusive join gets a higher fence than every one before. A holder past the execution limit may lose the
///    session to another request; its commit is then refused.
/// 6. *Lifetimes.* The idle time runs only while nobody is joined, from the last release; the absolute lifetime always runs.
///    Both run on the monotonic clock and are checked at each join and after each wait: what has expired is never joined,
///    whether anybody has tidied up or not. A session that is held when its lifetime is over ends at the release.
/// 7. *Ends.* A session ends once, with one reason. What its attributes hold is closed then, the latest first, before its end is
///    forgotten. Its owner is told the reason and the time ([`SessionError::Ended`]) for as long as the configuration says.
///    Those who wait for it are told at once. Ending an ended session again succeeds, when the request has nothing to do in it.
/// 8. *Exactly once.* Whatever ends a request, its part in the session is given back once: by the release, or by dropping the
///    [`Joined`].
/// 9. *Streams.* The streams of a session are reached by its owner, whoever holds it. They end with the session, at the moment
///    that it ends. They take no part in commits.
/// 10. *Stopping.* A request that was told to stop by [`SessionManager::interrupt`] can't commit; the session stays.
/// 11. *Answers.* What a release is given to remember is remembered in the same step as its changes, or as its discard; a release
///     that is refused, or withdrawn, remembers nothing.
/// 12. *Keeping.* A manager that keeps sessions in a store has written what it has answered: a commit, the end of a session
///     that somebody asked for. What it could not write has not happened ([`SessionError::Store`]).
/// 13. *Checkpoints.* The holder of an explicit session may make one attribute the session's before it releases it
///     ([`Participation::checkpoints`](super::Participation::checkpoints)): it counts as last released from that moment, whatever
///     becomes of the request. It is refused as a commit would be (4, 5, 7, 10), keeps to the bounds of attributes, and is
///     written when it is answered (12). It does not let the lock go, and does not begin the idle time anew, but in what a store
///     finds after the process was lost. A release comes after the checkpoint that is under way, and nobody is let in before.
///     It remembers no answer (11).
///
/// `conformance` in this room runs these against any manager.
#[async_trait]
pub trait SessionManager: Send + Sync + 'static {
    /// Lets a request take part in a session, as it requires.
    ///
    /// The request is in the queue, or has joined, when the call returns; the answer is waited for only while another request
    /// holds the session.
    fn join(&self, requirement: SessionRequirement, who: &Participant) -> Joining;

    /// What is known of a repeatable request, before it joins: whether it was answered, or runs. Does not wait for the session.
    ///
    /// A manager that remembers answers has a [`Replays`](super::Replays) for this. One that does not, answers
    /// [`SessionError::Unrepeatable`].
    ///
    /// # Errors
    ///
    /// [`SessionError::NotFound`] when it names a session that never was, or is not the principal's.
    fn recall(&self, asked: Asked, who: &Principal) -> Answer<Result<Recalled, SessionError>> {
        let _ = (asked, who);
        Either::Left(futures_util::future::ready(Err(SessionError::Unrepeatable)))
    }

    /// How a session stands, for its owner. Does not touch it.
    ///
    /// # Errors
    ///
    /// [`SessionError::NotFound`] and [`SessionError::Ended`], as for a join: also while the session is closing.
    async fn describe(&self, id: &SessionId, who: &Principal) -> Result<SessionDescription, SessionError>;

    /// How a session stands, for operators, also while it is closing. Does not touch it.
    ///
    /// # Errors
    ///
    /// [`SessionError::NotFound`] when there is no such session, or none any more.
    async fn inspect(&self, session: SessionHandle) -> Result<SessionDescription, SessionError>;

    /// The streams of a session, for its owner. Does not touch it, whoever holds it.
    ///
    /// # Errors
    ///
    /// [`SessionError::NotFound`] and [`SessionError::Ended`], as for a join.
    async fn streams(&self, id: &SessionId, who: &Principal) -> Result<Arc<SessionStreams>, SessionError>;

    /// Stops the request that holds a session, for its owner: it is told to stop and can't commit. The session stays. Answers
    /// whether a request was told.
    ///
    /// # Errors
    ///
    /// [`SessionError::NotFound`] and [`SessionError::Ended`], as for a join.
    async fn interrupt(&self, id: &SessionId, who: &Principal) -> Result<bool, SessionError>;

    /// The sessions that are there, those that are implicit or closing included, by handle: in the order in which they were
    /// created, to the millisecond. A long list lets other tasks run in between, and is no picture of one moment.
    ///
    /// # Errors
    ///
    /// [`SessionError::Store`] when the sessions that are in a store can't be read: a list without them would pass for whole.
    async fn list(&self, filter: &SessionFilter) -> Result<Vec<SessionStatus>, SessionError>;

    /// Ends a session, whoever holds it, for that reason. A request that holds it is told to stop and can't commit.
    ///
    /// # Errors
    ///
    /// [`SessionError::NotFound`] when there is no such session, [`SessionError::Store`] when its end could not be written.
    async fn end(&self, session: SessionHandle, reason: EndReason) -> Result<EndProgress, SessionError>;

    /// Lets nobody new in, ends the sessions that nobody holds, and the others when they are released. Returns when none is
    /// left. Dropping the answer does not let anybody in again.
    ///
    /// Sessions that a store keeps are not ended but let go of, when all of them is written; those that hold something alive
    /// end ([`EndReason::OwnerLost`]).
    async fn drain(&self);

    /// What begins and ends the transactions of its sessions, as it is configured now; `None` where nothing is.
    fn transactions(&self) -> Option<Arc<TransactionManager>> {
        None
    }

    /// Takes a changed configuration: it holds for sessions that are created from now on, those that are there keep theirs.
    ///
    /// A session that is in a store and not in memory gets it when it is loaded; what was granted to it (its idle time-out, its
    /// lifetime) stays.
    ///
    /// It comes from the same factory, keeps its sessions in the same store, and the factory has found nothing wrong in it.
    fn reconfigure(&self, settings: SessionConfiguration, statics: StaticAttributes);

    /// How many of everything there are now, for gauges. It is asked often and costs nothing that grows with the sessions.
    /// Zeros, if the manager does not count.
    fn statistics(&self) -> SessionStatistics {
        SessionStatistics::default()
    }

    /// Those who have explicit sessions, each once, in any order: however many sessions there are, none is read for it.
    /// Nobody, if the manager does not count by owner.
    fn owners(&self) -> Vec<Principal> {
        Vec::new()
    }

    /// What the host runs as long as the manager lives: looks for expired sessions and frees what they held. It ends once the
    /// manager is gone.
    fn maintenance(&self) -> BoxFuture<'static, ()> {
        Box::pin(future::ready(()))
    }
}
