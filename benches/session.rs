//! What a session costs a request: join and release, with the machine's clock and SHA-256 of the id. And what a million cost.

#[path = "support/crowd.rs"]
mod crowd;
#[path = "support/memory.rs"]
mod memory;

use std::hint::black_box;

use criterion::{Criterion, criterion_group};
use crowd::{created, join, joining, participant, release};
use rejoin::document::SessionConfiguration;
use rejoin::session::{Access, SessionManager, SessionRequirement, TransientSessionManager};

/// As in the command.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn manager() -> Box<dyn SessionManager> {
    let mut settings = SessionConfiguration::default();
    settings.limits.sessions = None;
    Box::new(TransientSessionManager::new(settings))
}

fn sessions(criterion: &mut Criterion) {
    let (manager, who) = (manager(), participant());
    let id = created(&*manager, None, &who);
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
            let id = created(&*manager, None, &who);
            release(join(&*manager, SessionRequirement::Terminate { id, wait: None, activities: false }, &who))
        });
    });
    group.finish();
}

criterion_group!(benches, sessions);

fn main() {
    // First, while the memory of the process holds nothing else.
    crowd::measure();
    benches();
    Criterion::default().configure_from_args().final_summary();
}
