//! Random histories: a manager and a small reference model live through the same events, and have to agree.
//!
//! The events are creates, joins, reads, terminations, waits that are broken off, changes, checkpoints, releases, drops, kills, time that
//! passes, steps of the wall clock, new ids, and old ids that are used again. Some end with the service shut down.
//! `reference` says what should happen, in the simplest way that could be right: one value, no locks, no wakers. `driver`
//! makes it happen, `comparison` looks whether both agree. A request is looked at only when its waker was woken, so a wake-up that got lost shows as a request that
//! should have come in and did not.

mod cast;
mod comparison;
mod driver;
mod reference;
mod task;
mod terms;

use std::hash::{BuildHasher as _, RandomState};

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::conformance::Make;

/// All durations are multiples of this: time passes tick by tick, so that the model need not say what happens first when
/// two things happen at once.
const TICK_MILLIS: u64 = 250;

/// Something that happens. An index picks one of whatever there is at that time.
#[derive(Debug, Clone)]
enum Event {
    Create,
    Implicit,
    Join {
        session: Index,
        wait_ticks: u64,
        stranger: bool,
        /// How many ids of the session are newer than the one that is used.
        back: usize,
    },
    JoinOrCreate {
        session: Index,
        wait_ticks: u64,
    },
    Read {
        session: Index,
    },
    /// A request that only reads asks for a new id.
    Rotate {
        session: Index,
        back: usize,
    },
    Terminate {
        session: Index,
        wait_ticks: u64,
        activities: bool,
    },
    /// The client of a waiting request goes away.
    Cancel {
        request: Index,
    },
    Increment {
        request: Index,
        name: usize,
    },
    /// One attribute is changed at once.
    Checkpoint {
        request: Index,
        name: usize,
    },
    Remove {
        request: Index,
        name: usize,
    },
    SetLive {
        request: Index,
        name: usize,
    },
    Commit {
        request: Index,
    },
    Discard {
        request: Index,
    },
    /// A panic, or a client that goes away.
    Drop {
        request: Index,
    },
    Kill {
        session: Index,
    },
    Pass {
        ticks: u64,
    },
    StepWall {
        hours: i64,
    },
    Maintain,
    /// The process ends and another one takes its place: everybody has to leave, and what is alive is lost.
    Restart,
}

/// The names of the attributes that requests change.
const NAMES: [&str; 3] = ["a", "b", "c"];

fn event(restarts: bool) -> impl Strategy<Value = Event> {
    let session = || any::<Index>();
    let request = || any::<Index>();
    let wait = || prop_oneof![Just(0_u64), 1..12_u64];
    let name = || 0..NAMES.len();
    let back = || prop_oneof![5 => Just(0_usize), 1 => 1..7_usize];
    prop_oneof![
        3 => Just(Event::Create),
        1 => Just(Event::Implicit),
        8 => (session(), wait(), prop::bool::weighted(0.05), back())
            .prop_map(|(session, wait_ticks, stranger, back)| Event::Join { session, wait_ticks, stranger, back }),
        1 => (session(), wait()).prop_map(|(session, wait_ticks)| Event::JoinOrCreate { session, wait_ticks }),
        2 => session().prop_map(|session| Event::Read { session }),
        2 => (session(), back()).prop_map(|(session, back)| Event::Rotate { session, back }),
        2 => (session(), wait(), any::<bool>())
            .prop_map(|(session, wait_ticks, activities)| Event::Terminate { session, wait_ticks, activities }),
        2 => request().prop_map(|request| Event::Cancel { request }),
        4 => (request(), name()).prop_map(|(request, name)| Event::Increment { request, name }),
        2 => (request(), name()).prop_map(|(request, name)| Event::Checkpoint { request, name }),
        1 => (request(), name()).prop_map(|(request, name)| Event::Remove { request, name }),
        2 => (request(), name()).prop_map(|(request, name)| Event::SetLive { request, name }),
        6 => request().prop_map(|request| Event::Commit { request }),
        2 => request().prop_map(|request| Event::Discard { request }),
        2 => request().prop_map(|request| Event::Drop { request }),
        1 => session().prop_map(|session| Event::Kill { session }),
        6 => (1..8_u64).prop_map(|ticks| Event::Pass { ticks }),
        1 => (4..40_u64).prop_map(|ticks| Event::Pass { ticks }),
        1 => (-2..3_i64).prop_map(|hours| Event::StepWall { hours }),
        2 => Just(Event::Maintain),
        2 => Just(if restarts { Event::Restart } else { Event::Maintain }),
    ]
}

/// The environment variable that repeats a failed run.
const SEED: &str = "SESSION_HISTORIES_SEED";

/// Lets a manager live through random histories; one that keeps sessions beyond the process through so many with restarts. Of a
/// failure the shortest history that fails is shown, and the seed that repeats the run.
pub(crate) fn random_histories_agree(make: Make, restarts: Option<u32>) {
    // More with PROPTEST_CASES.
    let default = Config::default();
    let cases = restarts.unwrap_or(2000).max(if default.cases > 256 { default.cases } else { 0 });
    let config = Config { cases, failure_persistence: None, ..default };
    let seed = match std::env::var(SEED) {
        Ok(seed) => seed.parse().expect("the seed is a number"),
        Err(_) => RandomState::new().hash_one(0),
    };
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&u64::to_le_bytes(seed));
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let histories = (prop::collection::vec(event(restarts.is_some()), 1..80), prop::bool::weighted(0.2));
    let run = |(history, drained): (Vec<Event>, bool)| driver::live_through(make, &history, drained);
    if let Err(error) = TestRunner::new_with_rng(config, rng).run(&histories, run) {
        panic!("{SEED}={seed} repeats this: {error}");
    }
}
