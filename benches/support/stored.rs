//! A durable session manager under the eyes of a bench.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use parking_lot::Mutex;
use rejoin::document::{DURABLE_FACTORY, SessionConfiguration, StoreSettings, TimeoutWish};
use rejoin::session::{
    Access, EndReason, IdSource as _, ManualClock, Outcome, Participant, Principal, SessionEvent, SessionId,
    SessionListener, SessionManager, SessionManagerRegistry, SessionManagerSettings, SessionRequirement, StoreEvent,
    SystemIds,
};
use tokio::task::{JoinHandle, JoinSet};

/// Where the store is, in the folder of the bench.
pub(crate) const FOLDER: &str = "sessions";

/// So many tasks make sessions at a time, as fast as they can.
const MAKERS: usize = 256;

/// How long a session lasts that is to outlive the others.
const LASTING: Duration = Duration::from_hours(10);

/// How long some things took.
#[derive(Debug, Clone, Default)]
pub(crate) struct Times(Vec<Duration>);

impl Times {
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn median(&self) -> Duration {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        sorted.get(sorted.len() / 2).copied().unwrap_or_default()
    }

    pub(crate) fn worst(&self) -> Duration {
        self.0.iter().max().copied().unwrap_or_default()
    }

    pub(crate) fn extend(&mut self, others: Self) {
        self.0.extend(others.0);
    }
}

/// What the manager tells.
#[derive(Debug, Default)]
struct Watch {
    ended: AtomicUsize,
    written: AtomicUsize,
    commits: Mutex<Times>,
}

impl SessionListener for Watch {
    fn ended(&self, _session: SessionEvent<'_>, _reason: EndReason) {
        self.ended.fetch_add(1, Ordering::Relaxed);
    }

    fn store(&self, event: StoreEvent<'_>) {
        if let StoreEvent::Committed { writes, took } = event {
            self.written.fetch_add(writes, Ordering::Relaxed);
            self.commits.lock().0.push(took);
        }
    }
}

/// A durable session manager on a clock that is driven.
pub(crate) struct Driven {
    manager: Arc<dyn SessionManager>,
    clock: ManualClock,
    watch: Arc<Watch>,
    who: Participant,
}

impl Driven {
    /// Opens the store of a folder, or makes it.
    pub(crate) fn open(folder: &Path, full: bool) -> Result<Self> {
        let mut configuration = SessionConfiguration {
            factory: DURABLE_FACTORY.into(),
            store: Some(StoreSettings { path: FOLDER.into(), full }),
            ..SessionConfiguration::default()
        };
        configuration.limits.sessions = None;
        let (clock, watch) = (ManualClock::new(), Arc::<Watch>::default());
        let registry = SessionManagerRegistry::default();
        let factory = Arc::clone(registry.factory_of(&configuration)?);
        let mut settings = SessionManagerSettings::new(configuration);
        settings.clock = Arc::new(clock.clone());
        settings.listeners.push(Arc::clone(&watch) as _);
        folder.clone_into(&mut settings.folder);
        let request_id = SystemIds::new().uuid(chrono::Utc::now())?;
        let who = Participant { principal: Principal::new("bench"), request_id };
        Ok(Self { manager: factory.make(settings)?, clock, watch, who })
    }

    /// Creates so many sessions of one small attribute, many at a time, and answers the id of every `nth`.
    pub(crate) async fn create(&self, count: usize, nth: usize) -> Result<Vec<String>> {
        let (next, mut tasks) = (Arc::new(AtomicUsize::new(0)), JoinSet::new());
        for _ in 0..MAKERS {
            let (manager, clock, who) = (Arc::clone(&self.manager), self.clock.clone(), self.who.clone());
            let next = Arc::clone(&next);
            tasks.spawn(async move {
                let mut ids = Vec::new();
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count {
                        return anyhow::Ok(ids);
                    }
                    if number.is_multiple_of(100) {
                        // About as fast as time passes meanwhile.
                        clock.advance(Duration::from_millis(1));
                    }
                    let id = created(&*manager, None, &who).await?;
                    if number.is_multiple_of(nth.max(1)) {
                        ids.push(id.expose().as_str().to_owned());
                    }
                }
            });
        }
        let mut ids = Vec::new();
        while let Some(task) = tasks.join_next().await {
            ids.extend(task??);
        }
        Ok(ids)
    }

    /// Creates sessions that last longer than the others.
    pub(crate) async fn create_lasting(&self, count: usize) -> Result<Vec<String>> {
        let mut ids = Vec::new();
        for _ in 0..count {
            let id = created(&*self.manager, Some(TimeoutWish::After(LASTING)), &self.who).await?;
            ids.push(id.expose().as_str().to_owned());
        }
        Ok(ids)
    }

    /// Joins each of them once and reads its attribute, one after the other: how long each took.
    pub(crate) async fn read_each(&self, ids: &[String]) -> Result<Times> {
        let mut times = Times::default();
        for id in ids {
            let (joining, begun) = (joining(id)?, Instant::now());
            let joined = self.manager.join(joining, &self.who).await?;
            joined.attributes().get("visits").context("the session has lost its attribute")?;
            times.0.push(begun.elapsed());
            joined.release(Outcome::Discard).await?;
        }
        Ok(times)
    }

    /// Increments for a while, by a task for each session, each as often as it can: how long each request took.
    pub(crate) async fn increment(&self, ids: &[String], duration: Duration) -> Result<Times> {
        let mut tasks = JoinSet::new();
        for id in ids {
            let id = id.clone();
            let (manager, who, until) = (Arc::clone(&self.manager), self.who.clone(), Instant::now() + duration);
            tasks.spawn(async move {
                let mut times = Times::default();
                while Instant::now() < until {
                    let begun = Instant::now();
                    let joined = manager.join(joining(&id)?, &who).await?;
                    joined.attributes().increment("visits", 1)?;
                    joined.release(Outcome::Commit).await?;
                    times.0.push(begun.elapsed());
                }
                anyhow::Ok(times)
            });
        }
        let mut times = Times::default();
        while let Some(task) = tasks.join_next().await {
            times.extend(task??);
        }
        Ok(times)
    }

    /// Looks for what is over, from now on.
    pub(crate) fn maintain(&self) -> JoinHandle<()> {
        tokio::spawn(self.manager.maintenance())
    }

    /// An hour passes.
    pub(crate) fn expire(&self) {
        self.clock.advance(Duration::from_hours(1));
    }

    /// How many sessions have ended.
    pub(crate) fn ended(&self) -> usize {
        self.watch.ended.load(Ordering::Relaxed)
    }

    /// How long each commit of the store took.
    pub(crate) fn commits(&self) -> Times {
        self.watch.commits.lock().clone()
    }

    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    pub(crate) fn writes_in_a_commit(&self) -> f64 {
        self.watch.written.load(Ordering::Relaxed) as f64 / self.commits().count().max(1) as f64
    }
}

async fn created(manager: &dyn SessionManager, timeout: Option<TimeoutWish>, who: &Participant) -> Result<SessionId> {
    let joined = manager.join(SessionRequirement::Create { timeout }, who).await?;
    joined.attributes().increment("visits", 1)?;
    Ok(joined.release(Outcome::Commit).await?.info.id)
}

fn joining(id: &str) -> Result<SessionRequirement> {
    Ok(SessionRequirement::Join { id: SessionId::parse(id)?, wait: None, access: Access::Exclusive, rotate: false })
}
