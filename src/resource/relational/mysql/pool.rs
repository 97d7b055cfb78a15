//! The connections of one user of the database.

use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::connect::Connector;
use super::kill::{Kill, PART};
use super::link::{Link, LinkId, Mode};
use crate::resource::ResourceError;
use crate::resource::relational::access::PoolSettings;

/// Connections that are opened when they are needed, lent to one statement or transaction at a time, and closed when nobody
/// needed them for a while. Who finds none free waits in the order of arrival.
#[derive(Debug)]
pub(super) struct Pool {
    connector: Connector,
    settings: PoolSettings,
    places: Arc<Semaphore>,
    idle: Mutex<IdleLinks>,
}

#[derive(Debug, Default)]
struct IdleLinks {
    /// The one that was used last stands last.
    links: Vec<(Link, Instant)>,
    /// Whether a task closes those that wait for too long.
    is_watched: bool,
}

impl Pool {
    pub(super) fn new(connector: Connector, settings: PoolSettings) -> Self {
        let places = Arc::new(Semaphore::new(settings.size.clamp(1, Semaphore::MAX_PERMITS)));
        Self { connector, settings, places, idle: Mutex::default() }
    }

    pub(super) fn connector(&self) -> &Connector {
        &self.connector
    }

    /// Lends a connection, if there is one one that has been in use in that mode.
    ///
    /// # Errors
    ///
    /// [`ResourceError::Busy`] when none became free in time, otherwise as [`Connector::connect`].
    pub(super) async fn lend(self: &Arc<Self>, mode: Mode, cancel: &CancellationToken) -> Result<Lease, ResourceError> {
        let place = self.place(cancel).await?;
        let (link, is_pooled) = match self.take_idle(mode) {
            Some(link) => (link, true),
            None => (cancellable(cancel, self.connector.connect()).await?, false),
        };
        Ok(Lease { link: Some(link), state: State::InOrder, is_pooled, pool: Arc::clone(self), place: Some(place) })
    }

    async fn place(&self, cancel: &CancellationToken) -> Result<OwnedSemaphorePermit, ResourceError> {
        // There is nothing free while anybody waits, so this overtakes nobody.
        if let Ok(place) = Arc::clone(&self.places).try_acquire_owned() {
            return Ok(place);
        }
        let busy = || ResourceError::Busy {
            message: format!(
                "all {} connections of this user of the database are in use, by statements, transactions and cursors; try again",
                self.settings.size
            ),
        };
        let turn = timeout(self.settings.wait, Arc::clone(&self.places).acquire_owned());
        cancellable(cancel, async {
            match turn.await {
                Ok(Ok(place)) => Ok(place),
                Ok(Err(_)) | Err(_) => Err(busy()),
            }
        })
        .await
    }

    fn take_idle(&self, mode: Mode) -> Option<Link> {
        let links = &mut self.idle.lock().links;
        // The last one was used last, and is the likeliest to be in order still.
        let fitting = links.iter().rposition(|(link, _)| link.mode() == Some(mode));
        let place = fitting.or_else(|| links.len().checked_sub(1))?;
        Some(links.remove(place).0)
    }

    /// Closes all connections that nobody uses: the server has closed one of them, so it has probably closed them all.
    pub(super) fn drop_idle(&self) {
        let links = std::mem::take(&mut self.idle.lock().links);
        drop(links);
    }

    fn give_back(self: &Arc<Self>, link: Link, place: OwnedSemaphorePermit) {
        let mut idle = self.idle.lock();
        idle.links.push((link, Instant::now()));
        if !idle.is_watched
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            idle.is_watched = true;
            runtime.spawn(close_when_idle(Arc::downgrade(self), self.settings.idle));
        }
        drop(idle);
        drop(place);
    }

    /// Takes out the connections that have waited for too long, and says when the next one will have.
    fn overdue(&self) -> (Vec<Link>, Option<Instant>) {
        let mut idle = self.idle.lock();
        let now = Instant::now();
        let is_due = |since: &Instant| *since + self.settings.idle <= now;
        let (due, kept): (Vec<_>, Vec<_>) = idle.links.drain(..).partition(|(_, since)| is_due(since));
        idle.links = kept;
        let next = idle.links.iter().map(|(_, since)| *since + self.settings.idle).min();
        idle.is_watched = next.is_some();
        (due.into_iter().map(|(link, _)| link).collect(), next)
    }
}

/// Closes connections that nobody uses, as long as there are any.
async fn close_when_idle(pool: Weak<Pool>, idle: Duration) {
    let mut next = Some(Instant::now() + idle);
    while let Some(moment) = next {
        tokio::time::sleep_until(moment).await;
        let Some(pool) = pool.upgrade() else { return };
        let (due, later) = pool.overdue();
        drop(pool);
        for link in due {
            link.close().await;
        }
        next = later;
    }
}

/// Waits for something, unless it is cancelled.
pub(super) async fn cancellable<T>(
    cancel: &CancellationToken,
    work: impl Future<Output = Result<T, ResourceError>>,
) -> Result<T, ResourceError> {
    tokio::select! {
        biased;
        () = cancel.cancelled() => Err(ResourceError::Cancelled),
        done = work => done,
    }
}

/// How a lent connection stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing is left behind in it.
    InOrder,
    /// A statement is under way, or stopped anywhere: the server may still be at it.
    Running,
    /// Something may be left behind in its session.
    ToRenew,
    /// It is of no use any more.
    Broken,
}

/// A connection that was lent. Dropped, it goes back to its pool if it is in order, after it was renewed where that is
/// necessary; if a statement was under way, the server is told to stop it and the connection is closed.
#[derive(Debug)]
pub(super) struct Lease {
    link: Option<Link>,
    state: State,
    /// Whether it has waited in the pool, where its server may have gone without a word.
    is_pooled: bool,
    pool: Arc<Pool>,
    place: Option<OwnedSemaphorePermit>,
}

impl Lease {
    /// The connection, for a statement that begins now. Until [`Lease::settle`] says otherwise, it is under way.
    pub(super) fn begin(&mut self) -> Result<&mut Link, ResourceError> {
        self.state = State::Running;
        self.link.as_mut().ok_or_else(closed)
    }

    /// Says that no statement is under way any more, and how the connection stands.
    pub(super) fn settle(&mut self, leaves: Leaves) {
        self.state = match leaves {
            Leaves::Nothing => State::InOrder,
            Leaves::Traces => State::ToRenew,
            Leaves::Ruin => State::Broken,
        };
    }

    /// Has the server stop what is under way, and waits until it has: what is answered then is not done afterwards.
    ///
    /// # Errors
    ///
    /// [`ResourceError::Lost`] when nobody knows whether it was stopped.
    pub(super) async fn stop(mut self) -> Result<(), ResourceError> {
        let (Some(link), Some(place)) = (self.link.take(), self.place.take()) else { return Ok(()) };
        // Whoever waits for it may go away; the statement is stopped all the same.
        let stopped = tokio::spawn(stop(Arc::clone(&self.pool), link, place)).await;
        let lost = |message| ResourceError::Lost { message };
        stopped.map_err(|error| lost(error.to_string()))?.map_err(|error| lost(error.to_string()))
    }

    pub(super) fn is_pooled(&self) -> bool {
        self.is_pooled
    }

    pub(super) fn pool(&self) -> &Arc<Pool> {
        &self.pool
    }

    /// How the server calls the connection.
    pub(super) fn id(&self) -> Result<LinkId, ResourceError> {
        self.link.as_ref().map(Link::id).ok_or_else(closed)
    }
}

fn closed() -> ResourceError {
    ResourceError::Unavailable { message: "MariaDB: the connection is closed".into() }
}

/// What a statement leaves behind in its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leaves {
    /// Nothing.
    Nothing,
    /// It may have left variables, locks or temporary tables.
    Traces,
    /// The connection is of no use any more.
    Ruin,
}

impl Drop for Lease {
    fn drop(&mut self) {
        let (Some(link), Some(place)) = (self.link.take(), self.place.take()) else { return };
        let runtime = tokio::runtime::Handle::try_current();
        match (self.state, runtime) {
            (State::InOrder, _) => self.pool.give_back(link, place),
            (State::ToRenew, Ok(runtime)) => {
                runtime.spawn(renew(Arc::clone(&self.pool), link, place));
            }
            (State::Running, Ok(runtime)) => {
                let stopped = stop(Arc::clone(&self.pool), link, place);
                // That it could not be stopped stands in the log.
                runtime.spawn(async move { drop(stopped.await) });
            }
            // Dropping it closes it.
            (State::Broken, _) | (_, Err(_)) => drop(link),
        }
    }
}

/// Renews a connection before it goes back. The place stays taken until then: no more are open than may be.
async fn renew(pool: Arc<Pool>, mut link: Link, place: OwnedSemaphorePermit) {
    let mode = link.mode();
    let renewing = async {
        let is_renewed = link.renew().await?;
        // Who needs it next is likely to do the same with it.
        if let Some(mode) = mode.filter(|_| is_renewed) {
            link.enter(mode).await?;
        }
        Ok::<_, mysql_async::Error>(is_renewed)
    };
    match timeout(PART, renewing).await {
        Ok(Ok(true)) => pool.give_back(link, place),
        _ => link.close().await,
    }
}

/// Has the server stop what the connection does, and closes it.
async fn stop(pool: Arc<Pool>, link: Link, place: OwnedSemaphorePermit) -> Result<(), ResourceError> {
    let killed = pool.connector().kill(link.id(), Kill::Connection).await;
    if let Err(error) = &killed {
        tracing::warn!(%error, "a statement that was cancelled may go on in the database");
    }
    link.close().await;
    drop(place);
    killed
}
