//! What a session costs a request: join and release, with the machine's clock and SHA-256 of the id.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use futures_util::FutureExt as _;
use rejoin::document::SessionConfiguration;
use rejoin::session::{
    Access, IdSource as _, Joined, Outcome, Participant, Principal, Released, SessionError, SessionId, SessionManager,
    SessionRequirement, SystemIds, TransientSessionManager,
};

fn manager() -> Box<dyn SessionManager> {
    let mut settings = SessionConfiguration::default();
    settings.limits.sessions = None;
    Box::new(TransientSessionManager::new(settings))
}

fn participant() -> Participant {
    let request_id = SystemIds::new().uuid(chrono::Utc::now()).unwrap();
    Participant { principal: Principal::new("bench"), request_id }
}

/// Nobody waits in these: every answer is there at once.
fn join(manager: &dyn SessionManager, requirement: SessionRequirement, who: &Participant) -> Joined {
    manager.join(requirement, who).now_or_never().unwrap().unwrap()
}

fn release(joined: Joined) -> Result<Released, SessionError> {
    joined.release(Outcome::Commit).now_or_never().unwrap()
}

fn created(manager: &dyn SessionManager, who: &Participant) -> SessionId {
    let joined = join(manager, SessionRequirement::Create { timeout: None }, who);
    joined.attributes().increment("visits", 1).unwrap();
    let id = joined.info().id.clone();
    release(joined).unwrap();
    id
}

fn joining(id: &SessionId, access: Access) -> SessionRequirement {
    SessionRequirement::Join { id: id.clone(), wait: None, access, rotate: false }
}

fn sessions(criterion: &mut Criterion) {
    let (manager, who) = (manager(), participant());
    let id = created(&*manager, &who);
    let mut group = criterion.benchmark_group("session");
    group.bench_function("join and release, uncontended", |bencher| {
        bencher.iter(|| release(join(&*manager, joining(black_box(&id), Access::Exclusive), &who)));
    });
    group.bench_function("join, increment and release", |bencher| {
        bencher.iter(|| {
            let joined = join(&*manager, joining(black_box(&id), Access::Exclusive), &who);
            joined.attributes().increment("visits", 1).unwrap();
            release(joined)
        });
    });
    group.bench_function("read", |bencher| {
        bencher.iter(|| release(join(&*manager, joining(black_box(&id), Access::Read), &who)));
    });
    group.bench_function("implicit", |bencher| {
        bencher.iter(|| release(join(&*manager, SessionRequirement::Implicit { reachable: false }, &who)));
    });
    group.bench_function("create, increment, release and terminate", |bencher| {
        bencher.iter(|| {
            let id = created(&*manager, &who);
            release(join(&*manager, SessionRequirement::Terminate { id, wait: None, activities: false }, &who))
        });
    });
    group.finish();
}

criterion_group!(benches, sessions);
criterion_main!(benches);
