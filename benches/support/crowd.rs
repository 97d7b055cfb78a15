//! What a million idle sessions cost: memory, time to make and to find them, and what others notice when all expire.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use rejoin::document::{SessionConfiguration, TimeoutWish};
use rejoin::session::{
    Access, EndReason, IdSource as _, Joined, ManualClock, Outcome, Participant, Principal, Released, SessionError,
    SessionEvent, SessionId, SessionListener, SessionManager, SessionRequirement, SystemIds, TransientSessionManager,
};

use crate::memory::resident_bytes;

/// As many as the bars say.
const MILLION: usize = 1_000_000;

/// So many sessions, spread over all, are looked up again and again.
const SAMPLE: usize = 1000;

const MICROSECOND: Duration = Duration::from_micros(1);

/// Prints what a million sessions cost, each figure with its bar.
#[expect(clippy::cast_precision_loss, reason = "figures for people")]
pub(crate) fn measure() {
    println!("{MILLION} idle sessions of one attribute each");
    let crowd = Crowd::of(MILLION);
    let per_session = |bytes: u64| bytes as f64 / MILLION as f64;
    println!("created                    {:>9.0}/s        (bar 500,000)", MILLION as f64 / crowd.took.as_secs_f64());
    println!("memory of each             {:>9.0} bytes    (bar 512)", per_session(crowd.grown));
    println!("looked up, among 1,000,000 {:>9.0} ns", nanos(crowd.look_up()));
    crowd.expire();
    let kept = resident_bytes().saturating_sub(crowd.before);
    println!("memory kept after expiry   {:>9.0} bytes    (of each; a hundred thousand tombstones)", per_session(kept));
    drop(crowd);
    for count in [1000, 10_000, 100_000] {
        println!("looked up, among {count:<9} {:>9.0} ns", nanos(Crowd::of(count).look_up()));
    }
    println!();
}

fn nanos(time: Duration) -> f64 {
    time.as_secs_f64() * 1e9
}

/// Who takes part in all of them.
pub(crate) fn participant() -> Participant {
    let request_id = SystemIds::new().uuid(chrono::Utc::now()).unwrap();
    Participant { principal: Principal::new("bench"), request_id }
}

/// Joins where nobody waits: every answer is there at once.
pub(crate) fn join(manager: &dyn SessionManager, requirement: SessionRequirement, who: &Participant) -> Joined {
    manager.join(requirement, who).now_or_never().unwrap().unwrap()
}

pub(crate) fn release(joined: Joined) -> Result<Released, SessionError> {
    joined.release(Outcome::Commit).now_or_never().unwrap()
}

/// A new session of one small attribute.
pub(crate) fn created(manager: &dyn SessionManager, timeout: Option<TimeoutWish>, who: &Participant) -> SessionId {
    let joined = join(manager, SessionRequirement::Create { timeout }, who);
    joined.attributes().increment("visits", 1).unwrap();
    let id = joined.info().id.clone();
    release(joined).unwrap();
    id
}

pub(crate) fn joining(id: &SessionId, access: Access) -> SessionRequirement {
    SessionRequirement::Join { id: id.clone(), wait: None, access, rotate: false }
}

/// Counts the sessions that have ended.
#[derive(Debug, Default)]
struct Ends(AtomicUsize);

impl SessionListener for Ends {
    fn ended(&self, _session: SessionEvent<'_>, _reason: EndReason) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Idle sessions on a clock that is driven, so that they expire when they are told to.
struct Crowd {
    manager: Arc<dyn SessionManager>,
    clock: ManualClock,
    ends: Arc<Ends>,
    who: Participant,
    /// Some of them.
    sample: Vec<SessionId>,
    /// How long it took to make them.
    took: Duration,
    /// The memory of the process before.
    before: u64,
    /// By how much it grew.
    grown: u64,
}

impl Crowd {
    fn of(count: usize) -> Self {
        let clock = ManualClock::new();
        let mut settings = SessionConfiguration::default();
        settings.limits.sessions = None;
        let ends = Arc::new(Ends::default());
        let builder =
            TransientSessionManager::builder(settings).listener(Arc::clone(&ends) as Arc<dyn SessionListener>);
        let manager = builder.clock(Arc::new(clock.clone())).build();
        let (who, mut sample) = (participant(), Vec::with_capacity(SAMPLE));
        let before = resident_bytes();
        let begun = Instant::now();
        for number in 0..count {
            if number % 1000 == 0 {
                // About as fast as time passes meanwhile.
                clock.advance(Duration::from_millis(1));
            }
            let id = created(&manager, None, &who);
            if number % (count / SAMPLE) == 0 {
                sample.push(id);
            }
        }
        let took = begun.elapsed();
        let grown = resident_bytes().saturating_sub(before);
        Self { manager: Arc::new(manager), clock, ends, who, sample, took, before, grown }
    }

    /// How long a join and a release take: the same number of sessions, among few or many.
    fn look_up(&self) -> Duration {
        const ROUNDS: u32 = 200;
        let mut begun = Instant::now();
        // The first round warms up.
        for round in 0..=ROUNDS {
            if round == 1 {
                begun = Instant::now();
            }
            for id in &self.sample {
                release(join(&*self.manager, joining(id, Access::Exclusive), &self.who)).unwrap();
            }
        }
        begun.elapsed() / ROUNDS / u32::try_from(self.sample.len()).unwrap()
    }

    /// All expire at one moment, while somebody goes on to work in a session of his own.
    fn expire(&self) {
        let timeout = Some(TimeoutWish::After(Duration::from_hours(2)));
        let own = created(&*self.manager, timeout, &self.who);
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.spawn(self.manager.maintenance());
        let quiet = self.delays(&runtime, &own, |begun| begun.elapsed() < Duration::from_secs(1));
        self.clock.advance(Duration::from_hours(1));
        let begun = Instant::now();
        let busy = self.delays(&runtime, &own, |_| self.ends.0.load(Ordering::Relaxed) < MILLION);
        println!("all expired in             {:>9.2?}", begun.elapsed());
        self.delays(&runtime, &own, |begun| begun.elapsed() < Duration::from_secs(1));
        println!("worst request meanwhile    {busy:>9.2?}          (bar 5 ms; {quiet:.2?} in a quiet second before)");
    }

    /// The longest that a request took, from the moment at which it was handed to the runtime.
    fn delays(&self, runtime: &tokio::runtime::Runtime, own: &SessionId, go_on: impl Fn(Instant) -> bool) -> Duration {
        let (begun, mut worst) = (Instant::now(), Duration::ZERO);
        while go_on(begun) {
            let (manager, who, own) = (Arc::clone(&self.manager), self.who.clone(), own.clone());
            let handed = Instant::now();
            let request = async move { release(join(&*manager, joining(&own, Access::Exclusive), &who)).unwrap() };
            runtime.block_on(runtime.spawn(request)).unwrap();
            worst = worst.max(handed.elapsed());
            std::thread::sleep(20 * MICROSECOND);
        }
        worst
    }
}
