//! A manager, the clock it runs on, and short words for what tests do with it.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use parking_lot::Mutex;
use uuid::Uuid;

use crate::block::Scalar;
use crate::document::SessionConfiguration;
use crate::session::{
    Access, AttributeValue, CloseError, EndReason, Joined, Joining, LABEL, LiveAttribute, ManualClock, Outcome,
    Participant, Principal, Released, SeededIds, SessionError, SessionEvent, SessionHandle, SessionId, SessionListener,
    SessionManager, SessionRequirement, StaticAttributes,
};

/// What a manager under test is made from.
#[derive(Clone)]
pub(crate) struct Setup {
    pub(crate) settings: SessionConfiguration,
    pub(crate) statics: StaticAttributes,
    pub(crate) clock: ManualClock,
    pub(crate) ids: Arc<dyn crate::session::IdSource>,
    pub(crate) listeners: Vec<Arc<dyn SessionListener>>,
    pub(crate) backstage: Backstage,
}

/// What is behind the managers of one stage, and outlives them.
#[derive(Clone, Default)]
pub(crate) struct Backstage(Arc<Mutex<Hidden>>);

#[derive(Default)]
struct Hidden {
    place: Option<Box<dyn Any + Send>>,
    is_busy: Option<Box<dyn Fn() -> bool + Send>>,
    has_crashed: bool,
}

impl Backstage {
    /// Where sessions are kept that outlive the manager.
    pub(crate) fn place<T: Any + Send + Clone>(&self, make: impl FnOnce() -> T) -> T {
        let mut hidden = self.0.lock();
        let place = hidden.place.get_or_insert_with(|| Box::new(make()));
        place.downcast_ref::<T>().expect("one stage has one kind of managers").clone()
    }

    /// How to tell whether the manager does something by itself.
    pub(crate) fn watch(&self, is_busy: impl Fn() -> bool + Send + 'static) {
        self.0.lock().is_busy = Some(Box::new(is_busy));
    }

    /// Whether the manager before is still there, and nobody will hear of it.
    pub(crate) fn take_crash(&self) -> bool {
        std::mem::take(&mut self.0.lock().has_crashed)
    }

    pub(crate) fn is_busy(&self) -> bool {
        self.0.lock().is_busy.as_ref().is_some_and(|is_busy| is_busy())
    }
}

/// Makes a manager.
pub(crate) type Make = fn(Setup) -> Arc<dyn SessionManager>;

/// A manager and the clock it runs on.
#[derive(Clone)]
pub(crate) struct Stage {
    pub(crate) manager: Arc<dyn SessionManager>,
    pub(crate) clock: ManualClock,
    make: Make,
    setup: Setup,
}

pub(crate) const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

pub(crate) const ZERO: Option<Duration> = Some(Duration::ZERO);

impl Stage {
    pub(crate) fn new(make: Make) -> Self {
        Self::with(make, |_| {})
    }

    pub(crate) fn with(make: Make, change: impl FnOnce(&mut Setup)) -> Self {
        let clock = ManualClock::new();
        let mut setup = Setup {
            settings: SessionConfiguration::default(),
            statics: StaticAttributes::default(),
            clock: clock.clone(),
            ids: Arc::new(SeededIds::new(1)),
            listeners: Vec::new(),
            backstage: Backstage::default(),
        };
        setup.settings.timeout.default = Some(seconds(10));
        setup.settings.lifetime = Some(seconds(1000));
        change(&mut setup);
        Self { manager: make(setup.clone()), clock, make, setup }
    }

    /// The process ends, without a word, and another takes its place. What was under way is written.
    pub(crate) fn reopened(self) -> Self {
        let Self { manager, clock, make, setup } = self;
        while setup.backstage.is_busy() {
            std::thread::yield_now();
        }
        drop(manager);
        Self { manager: make(setup.clone()), clock, make, setup }
    }

    /// The same when requests still run in it: their part of the process is never heard of again.
    pub(crate) fn crashed(self) -> Self {
        while self.is_busy() {
            std::thread::yield_now();
        }
        self.setup.backstage.0.lock().has_crashed = true;
        Self { manager: (self.make)(self.setup.clone()), ..self }
    }

    /// Whether the manager does something by itself.
    pub(crate) fn is_busy(&self) -> bool {
        self.setup.backstage.is_busy()
    }

    pub(crate) fn join_as(&self, who: &str, requirement: SessionRequirement) -> Joining {
        let principal = Principal::new(who);
        self.manager.join(requirement, &Participant { principal, request_id: Uuid::nil() })
    }

    pub(crate) fn join(&self, requirement: SessionRequirement) -> Joining {
        self.join_as("owner", requirement)
    }

    /// Creates a session and keeps it held.
    pub(crate) async fn create(&self) -> Joined {
        self.join(SessionRequirement::Create { timeout: None }).await.unwrap()
    }

    /// Creates a session and releases it.
    pub(crate) async fn session(&self) -> SessionId {
        let joined = self.create().await;
        let id = joined.info().id.clone();
        joined.release(Outcome::Commit).await.unwrap();
        id
    }

    /// Three hundred sessions that are created one after the other and released; the label of every hundredth is `nightly`.
    pub(crate) async fn crowd(&self) -> Vec<SessionHandle> {
        let mut handles = Vec::new();
        for number in 0..300 {
            self.clock.advance(Duration::from_millis(1));
            let joined = self.create().await;
            if number % 100 == 0 {
                joined.attributes().set(LABEL, Scalar::Text("nightly".into())).unwrap();
            }
            handles.push(joined.info().handle);
            commit(joined).await;
        }
        handles
    }

    /// Joins, waiting as long as is configured.
    pub(crate) fn enter(&self, id: &SessionId) -> Joining {
        self.join(work(id, None))
    }

    /// Joins at once or not at all.
    pub(crate) async fn try_enter(&self, id: &SessionId) -> Result<Joined, SessionError> {
        self.join(work(id, ZERO)).await
    }

    pub(crate) fn read(&self, id: &SessionId) -> Joining {
        self.join(SessionRequirement::Join { id: id.clone(), wait: None, access: Access::Read, rotate: false })
    }

    pub(crate) fn terminate(&self, id: &SessionId, activities: bool) -> Joining {
        self.join(SessionRequirement::Terminate { id: id.clone(), wait: None, activities })
    }

    /// What the owner is told of a session that should have ended.
    pub(crate) async fn end_of(&self, id: &SessionId) -> Option<EndReason> {
        match self.try_enter(id).await {
            Err(SessionError::Ended { reason, .. }) => Some(reason),
            Err(SessionError::NotFound) => None,
            other => panic!("expected an ended or unknown session, not {other:?}"),
        }
    }

    /// Whether the session can be joined; it is released unchanged.
    pub(crate) async fn is_alive(&self, id: &SessionId) -> bool {
        match self.try_enter(id).await {
            Ok(joined) => joined.release(Outcome::Commit).await.is_ok(),
            Err(_) => false,
        }
    }
}

/// The requirement of exclusive access to a session.
pub(crate) fn work(id: &SessionId, wait: Option<Duration>) -> SessionRequirement {
    SessionRequirement::Join { id: id.clone(), wait, access: Access::Exclusive, rotate: false }
}

pub(crate) async fn commit(joined: Joined) -> Released {
    joined.release(Outcome::Commit).await.unwrap()
}

/// The answer to a join that nobody stands in the way of.
pub(crate) fn at_once(joining: Joining) -> Result<Joined, SessionError> {
    joining.now_or_never().expect("nobody stands in the way")
}

pub(crate) fn integer(joined: &Joined, name: &str) -> Option<i64> {
    match joined.attributes().get(name)? {
        AttributeValue::Scalar(Scalar::Integer(value)) => Some(value),
        other => panic!("unexpected {other:?}"),
    }
}

/// A list that several write to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    pub(crate) fn write(&self, line: impl Into<String>) {
        self.0.lock().push(line.into());
    }

    /// What was written since the last time.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock())
    }
}

/// Something alive that writes down when it is closed.
#[derive(Debug)]
pub(crate) struct Probe {
    pub(crate) name: &'static str,
    pub(crate) log: Log,
}

impl Probe {
    pub(crate) fn value(name: &'static str, log: &Log) -> AttributeValue {
        AttributeValue::Live(Arc::new(Self { name, log: log.clone() }))
    }
}

impl LiveAttribute for Probe {
    fn type_name(&self) -> &'static str {
        "probe"
    }

    fn close(&self) -> Result<(), CloseError> {
        self.log.write(self.name);
        match self.name {
            "fails" => Err("it does not want to".into()),
            "panics" => panic!("it does not want to"),
            _ => Ok(()),
        }
    }
}

impl SessionListener for Log {
    fn created(&self, session: SessionEvent<'_>) {
        self.write(format!("created by {}", session.owner));
    }

    fn joined(&self, _: SessionEvent<'_>, _: Uuid, access: Access, waited: Duration) {
        self.write(format!("joined {access:?} after {}", waited.as_secs()));
    }

    fn released(&self, _: SessionEvent<'_>, _: Uuid, outcome: Outcome, held: Duration) {
        self.write(format!("released {outcome:?} after {}", held.as_secs()));
    }

    fn ended(&self, _: SessionEvent<'_>, reason: EndReason) {
        self.write(format!("ended {reason:?}"));
    }

    fn id_reused(&self, _: SessionEvent<'_>) {
        self.write("id reused");
    }
}
