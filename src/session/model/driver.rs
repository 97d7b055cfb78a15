//! Makes a manager live through a history, and compares it with the reference after every event.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use proptest::sample::Index;
use proptest::test_runner::TestCaseError;
use proptest::{prop_assert, prop_assert_eq};

use super::cast::{Actual, Living, Names};
use super::comparison::reason;
use super::reference::Reference;
use super::task::{Task, block_on};
use super::terms::{
    After, EXECUTION, Farewell, GRACE, IDLE, LIFETIME, MAX_SESSIONS, MAX_WAITERS, RETENTION, Reason, Standing, Value,
    Wish,
};
use super::{Event, NAMES, TICK_MILLIS};
use crate::block::Scalar;
use crate::document::SessionConfiguration;
use crate::session::conformance::{Make, Stage};
use crate::session::{
    Access, AttributeError, AttributeValue, EndReason, Joined, Joining, Outcome, SessionError, SessionRequirement,
};

fn ticks(count: u64) -> Duration {
    Duration::from_millis(TICK_MILLIS * count)
}

fn configure(settings: &mut SessionConfiguration) {
    settings.timeout.default = Some(ticks(IDLE));
    settings.lifetime = Some(ticks(LIFETIME));
    settings.join.execution = Some(ticks(EXECUTION));
    settings.join.max_waiters = u32::try_from(MAX_WAITERS).unwrap();
    settings.retention = ticks(RETENTION);
    settings.limits.sessions = Some(MAX_SESSIONS as u64);
    settings.polling_time = ticks(1);
    assert_eq!(ticks(GRACE), Duration::from_secs(1));
}

/// A manager, and what should have become of it.
pub(super) struct Driver {
    stage: Option<Stage>,
    pub(super) reference: Reference,
    pub(super) requests: Vec<Actual>,
    /// Of each session of the reference.
    pub(super) names: Vec<Names>,
    /// Of each session the last request that was seen to hold it, and its fence.
    pub(super) last_holders: Vec<(usize, u64)>,
    living: usize,
    pub(super) closed: Arc<Mutex<Vec<usize>>>,
    /// How many living things were lost with a process.
    lost: usize,
    maintenance: Task<BoxFuture<'static, ()>>,
    /// Whether it did something when it was last asked to: it does so once a tick.
    pub(super) maintained: bool,
}

/// Lives through a history, and to its end: everybody leaves, everything is over, everything is closed.
pub(super) fn live_through(make: Make, history: &[Event], drained: bool) -> Result<(), TestCaseError> {
    // A store is asked on threads of the runtime.
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("there is a runtime");
    let _runtime = runtime.enter();
    let stage = Stage::with(make, |setup| configure(&mut setup.settings));
    let mut driver = Driver {
        maintenance: Task::new(stage.manager.maintenance()),
        stage: Some(stage),
        reference: Reference::default(),
        requests: Vec::new(),
        names: Vec::new(),
        last_holders: Vec::new(),
        living: 0,
        closed: Arc::default(),
        lost: 0,
        maintained: false,
    };
    for event in history {
        driver.happen(event)?;
        driver.compare(event)?;
    }
    if drained {
        return driver.drain();
    }
    for request in 0..driver.requests.len() {
        driver.leave(request);
    }
    driver.pass(LIFETIME)?;
    driver.maintain();
    driver.compare(&Event::Maintain)?;
    let closed = driver.reference.closed.len();
    prop_assert_eq!(closed + driver.lost, driver.living, "everything alive is closed in the end");
    Ok(())
}

impl Driver {
    fn happen(&mut self, event: &Event) -> Result<(), TestCaseError> {
        match event {
            Event::Create => {
                let joining = self.stage().join(SessionRequirement::Create { timeout: None });
                self.reference.create(false);
                self.asked(joining);
            }
            Event::Implicit => {
                let joining = self.stage().join(SessionRequirement::Implicit { reachable: false });
                self.reference.create(true);
                self.asked(joining);
            }
            Event::Join { session, wait_ticks, stranger, back } => {
                self.join(*session, *wait_ticks, After::Stay, (false, false, *stranger), *back);
            }
            Event::JoinOrCreate { session, wait_ticks } => {
                self.join(*session, *wait_ticks, After::Stay, (false, true, false), 0);
            }
            Event::Terminate { session, wait_ticks, activities } => {
                self.join(*session, *wait_ticks, After::End(Reason::Terminated), (!activities, false, false), 0);
            }
            Event::Read { session } => {
                if let Some(session) = pick(*session, self.names.len()) {
                    let joining = self.stage().read(&self.names[session].id(0));
                    self.reference.read(session, 0);
                    self.asked(joining);
                }
            }
            Event::Rotate { session, back } => self.rotate(*session, *back),
            Event::Kill { session } => {
                if let Some(session) = pick(*session, self.names.len()) {
                    let ending = self.stage().manager.end(self.names[session].handle, EndReason::Killed);
                    drop(block_on(ending));
                    self.reference.kill(session);
                }
            }
            Event::Pass { ticks } => self.pass(*ticks)?,
            Event::StepWall { hours } => self.stage().clock.step_wall(TimeDelta::hours(*hours)),
            Event::Maintain => self.maintain(),
            Event::Restart => self.restart(),
            Event::Cancel { request } => {
                if let Some(request) = self.choose(*request, Standing::Waiting) {
                    self.leave(request);
                }
            }
            Event::Increment { request, name } => self.increment(*request, *name)?,
            Event::Checkpoint { request, name } => self.checkpoint(*request, *name)?,
            Event::Remove { request, name } => self.remove(*request, *name)?,
            Event::SetLive { request, name } => self.set_live(*request, *name),
            Event::Commit { request } => self.release(*request, Some(Outcome::Commit))?,
            Event::Discard { request } => self.release(*request, Some(Outcome::Discard))?,
            Event::Drop { request } => self.release(*request, None)?,
        }
        self.look_around();
        Ok(())
    }

    fn join(&mut self, session: Index, wait: u64, after: After, flags: (bool, bool, bool), back: usize) {
        let Some(session) = pick(session, self.names.len()) else { return };
        let (end_again, or_create, stranger) = flags;
        let (id, wish_for) = (self.names[session].id(back), Some(ticks(wait)));
        let requirement = match after {
            After::End(_) => SessionRequirement::Terminate { id, wait: wish_for, activities: !end_again },
            After::Stay if or_create => SessionRequirement::JoinOrCreate { id, wait: wish_for, timeout: None },
            After::Stay => SessionRequirement::Join { id, wait: wish_for, access: Access::Exclusive, rotate: false },
        };
        let joining = self.stage().join_as(if stranger { "stranger" } else { "owner" }, requirement);
        let deadline = self.reference.now + wait;
        self.reference.join(session, back, Wish { deadline, after, end_again, or_create, stranger });
        self.asked(joining);
    }

    fn rotate(&mut self, session: Index, back: usize) {
        let Some(session) = pick(session, self.names.len()) else { return };
        let id = self.names[session].id(back);
        self.asked(self.stage().join(SessionRequirement::Join { id, wait: None, access: Access::Read, rotate: true }));
        let request = self.reference.read(session, back);
        self.look_around();
        if let Actual::Joined(joined) = &self.requests[request] {
            self.names[session].ids.push(joined.info().id.clone());
            self.reference.rotate(session, back);
        }
    }

    /// The service is shut down: that takes until everybody has left, and no longer.
    fn drain(&mut self) -> Result<(), TestCaseError> {
        let manager = Arc::clone(&self.stage().manager);
        let mut draining = Task::new(async move { manager.drain().await });
        let mut drained = draining.look().is_some();
        for request in 0..self.requests.len() {
            self.leave(request);
        }
        while !drained && (self.stage().is_busy() || draining.is_rung()) {
            drained = draining.look().is_some();
            std::thread::yield_now();
        }
        drained = drained || draining.look().is_some();
        prop_assert!(drained, "draining ends when everybody has left");
        prop_assert_eq!(self.closed.lock().len() + self.lost, self.living, "everything alive is closed once");
        Ok(())
    }

    fn asked(&mut self, joining: Joining) {
        self.requests.push(Actual::Waiting(Task::new(joining)));
    }

    fn stage(&self) -> &Stage {
        self.stage.as_ref().expect("there is a manager but during a restart")
    }

    /// Everybody leaves, the process ends, another one goes on.
    fn restart(&mut self) {
        // Those who wait first: nobody gets anything any more.
        for standing in [Standing::Waiting, Standing::Joined] {
            for request in 0..self.requests.len() {
                if self.reference.parts[request].standing == standing {
                    self.leave(request);
                }
            }
        }
        self.maintenance = Task::new(Box::pin(std::future::pending()));
        self.stage = self.stage.take().map(Stage::reopened);
        self.maintenance = Task::new(self.stage().manager.maintenance());
        let closed: BTreeSet<usize> = self.closed.lock().iter().copied().collect();
        self.lost = self.living - closed.len();
        self.reference.restart(closed);
        // What nobody has released was never written, its fence neither.
        self.last_holders.fill((usize::MAX, 0));
    }

    /// Looks at every waiting request for which somebody rang, until nothing happens any more.
    fn look_around(&mut self) {
        loop {
            self.look_at_requests();
            // In this order: what the store did last rang before that. Whoever is rung for may ask the store again.
            if !self.stage().is_busy() && !self.is_anybody_rung_for() {
                return;
            }
            std::thread::yield_now();
        }
    }

    fn is_anybody_rung_for(&self) -> bool {
        self.requests.iter().any(|request| matches!(request, Actual::Waiting(task) if task.is_rung()))
    }

    fn look_at_requests(&mut self) {
        for request in 0..self.requests.len() {
            if let Actual::Waiting(task) = &mut self.requests[request]
                && let Some(result) = task.look()
            {
                self.requests[request] = match result {
                    Ok(joined) => Actual::Joined(joined),
                    Err(error) => Actual::Refused(error),
                };
            }
        }
    }

    fn pass(&mut self, count: u64) -> Result<(), TestCaseError> {
        for _ in 0..count {
            self.stage().clock.advance(ticks(1));
            self.reference.tick();
            self.look_around();
            self.compare(&Event::Pass { ticks: 1 })?;
        }
        Ok(())
    }

    fn maintain(&mut self) {
        self.maintained = self.maintenance.is_rung();
        if self.maintained {
            loop {
                assert!(self.maintenance.look().is_none(), "the manager lives");
                // It may wait for its store.
                if !self.stage().is_busy() && !self.maintenance.is_rung() {
                    break;
                }
                std::thread::yield_now();
            }
            self.reference.maintain();
        }
    }

    /// One of the requests that stand like that.
    fn choose(&self, index: Index, standing: Standing) -> Option<usize> {
        let all: Vec<_> =
            (0..self.requests.len()).filter(|at| self.reference.parts[*at].standing == standing).collect();
        Some(all[pick(index, all.len())?])
    }

    /// A request that may change something.
    fn worker(&self, index: Index) -> Option<(usize, &Joined)> {
        let request = self.choose(index, Standing::Joined).filter(|request| !self.reference.parts[*request].reads)?;
        match &self.requests[request] {
            Actual::Joined(joined) => Some((request, joined)),
            _ => None,
        }
    }

    fn increment(&mut self, index: Index, name: usize) -> Result<(), TestCaseError> {
        let Some((request, joined)) = self.worker(index) else { return Ok(()) };
        let result = joined.attributes().increment(NAMES[name], 1).ok();
        let view = &mut self.reference.parts[request].view;
        let expected = match view.get(&name) {
            None => Some(1),
            Some(Value::Integer(value)) => Some(value + 1),
            Some(Value::Live(_)) => None,
        };
        if let Some(value) = expected {
            view.insert(name, Value::Integer(value));
        }
        prop_assert_eq!(result, expected);
        Ok(())
    }

    fn checkpoint(&mut self, index: Index, name: usize) -> Result<(), TestCaseError> {
        let Some((request, joined)) = self.worker(index) else { return Ok(()) };
        let value = match joined.attributes().get(NAMES[name]).and_then(|value| value.scalar()) {
            Some(Scalar::Integer(value)) => value + 10,
            _ => 10,
        };
        let result = block_on(joined.attributes().checkpoint(NAMES[name], Scalar::Integer(value)));
        let actual = match result {
            Ok(()) => Farewell::Done(None),
            Err(SessionError::Ended { reason: why, .. }) => Farewell::Ended(reason(why)),
            Err(SessionError::Conflict) => Farewell::Conflict,
            Err(SessionError::Attribute(AttributeError::WrongType { .. })) => {
                prop_assert!(self.reference.found_alive(request, name));
                return Ok(());
            }
            Err(other) => panic!("unexpected {other:?}"),
        };
        prop_assert!(!self.reference.found_alive(request, name));
        if self.reference.may_have_lost(request) && actual == Farewell::Conflict {
            return Ok(());
        }
        prop_assert_eq!(actual, self.reference.checkpoint(request, name, value), "a checkpoint of request {}", request);
        Ok(())
    }

    fn remove(&mut self, index: Index, name: usize) -> Result<(), TestCaseError> {
        let Some((request, joined)) = self.worker(index) else { return Ok(()) };
        let removed = joined.attributes().remove(NAMES[name]).ok();
        let expected = self.reference.parts[request].view.remove(&name).is_some();
        prop_assert_eq!(removed, Some(expected));
        Ok(())
    }

    fn set_live(&mut self, index: Index, name: usize) {
        let number = self.living;
        let living = Arc::new(Living { number, closed: Arc::clone(&self.closed) });
        let Some((request, joined)) = self.worker(index) else { return };
        joined.attributes().set(NAMES[name], AttributeValue::Live(living)).unwrap();
        self.living += 1;
        self.reference.set_live(request, name, number);
    }

    fn release(&mut self, index: Index, outcome: Option<Outcome>) -> Result<(), TestCaseError> {
        let Some(request) = self.choose(index, Standing::Joined) else { return Ok(()) };
        let Actual::Joined(joined) = std::mem::replace(&mut self.requests[request], Actual::Gone) else {
            return Ok(());
        };
        let may_have_lost = self.reference.may_have_lost(request);
        let expected = self.reference.release(request, outcome == Some(Outcome::Commit));
        let Some(outcome) = outcome else {
            drop(joined);
            return Ok(());
        };
        let actual = match block_on(joined.release(outcome)) {
            Ok(released) => Farewell::Done(released.ended.map(reason)),
            Err(SessionError::Ended { reason: why, .. }) => Farewell::Ended(reason(why)),
            Err(SessionError::Conflict) => Farewell::Conflict,
            Err(other) => panic!("unexpected {other:?}"),
        };
        if may_have_lost && matches!(actual, Farewell::Conflict | Farewell::Done(None)) {
            return Ok(());
        }
        prop_assert_eq!(actual, expected, "the release of request {}", request);
        Ok(())
    }

    /// The client of a request goes away.
    fn leave(&mut self, request: usize) {
        match self.reference.parts[request].standing {
            Standing::Waiting => self.reference.cancel(request),
            Standing::Joined => drop(self.reference.release(request, false)),
            _ => {}
        }
        self.requests[request] = Actual::Gone;
        self.look_around();
    }
}

fn pick(index: Index, count: usize) -> Option<usize> {
    (count > 0).then(|| index.index(count))
}
