//! Taking changes of files while the service runs.
//!
//! What is read from files implements [`Watch`], and stands among the [`Watches`] of the service. One task of the running
//! server lets all of them look about once a second, on a thread that may block; nobody waits for it. Whoever has just written
//! a file, or has been told so, lets them look at once: [`Reloader::reload`].
//!
//! `session` is the watch of a session configuration (`document` are its files), `principals` that of who is known. `in_force` is what the first
//! keeps up to date for the handlers, `problem` what they tell while an edit can't be taken.

mod document;
mod in_force;
mod principals;
mod problem;
mod session;

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

pub(super) use in_force::SessionInForce;
pub(super) use principals::PrincipalsWatch;
pub(super) use problem::ConfigurationProblem;
pub(super) use session::{SessionWatch, WatchParts};

/// How often files are looked at.
const PERIOD: Duration = Duration::from_secs(1);

/// Something that was read from files and takes their changes.
pub(super) trait Watch: Send + Sync + fmt::Debug {
    /// Looks whether the files have changed, and takes the change or says why not. On a thread that may block; one look at a
    /// time.
    fn look(&self, occasion: Occasion);
}

/// Why files are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Occasion {
    /// It is time. A file may be half written: a change counts when it is still the same at the next look.
    Time,
    /// Somebody says that they are written.
    Word,
}

/// Everything that takes changes of files.
#[derive(Debug, Default)]
pub(super) struct Watches {
    watches: Vec<Box<dyn Watch>>,
    /// Held during a look.
    looking: Mutex<()>,
}

impl Watches {
    pub(super) fn new(watches: Vec<Box<dyn Watch>>) -> Self {
        Self { watches, looking: Mutex::default() }
    }

    /// Lets all look, one after the other. It blocks.
    fn look(&self, occasion: Occasion) {
        let _one_look_at_a_time = self.looking.lock();
        for watch in &self.watches {
            if catch_unwind(AssertUnwindSafe(|| watch.look(occasion))).is_err() {
                tracing::error!(?watch, "looking for changes of a file panicked");
            }
        }
    }

    async fn look_elsewhere(self: Arc<Self>, occasion: Occasion) {
        // It does not panic, and a runtime that is being shut down needs no look.
        let _ = spawn_blocking(move || self.look(occasion)).await;
    }

    /// Lets all look, at once and again and again, until `stop`.
    pub(super) async fn keep_looking(self: Arc<Self>, stop: CancellationToken) {
        while !stop.is_cancelled() {
            Arc::clone(&self).look_elsewhere(Occasion::Time).await;
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(PERIOD) => {}
            }
        }
    }
}

/// Lets a server look at its files at once, for those who know that they have changed. A clone is the same; it keeps no server
/// alive.
///
/// ```no_run
/// # async fn example(server: rejoin::service::BoundServer) {
/// let reloader = server.reloader();
/// let serving = tokio::spawn(server.serve(std::future::pending()));
/// // session.xml has been written
/// reloader.reload().await;
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Reloader(Weak<Watches>);

impl Reloader {
    pub(super) fn of(watches: &Arc<Watches>) -> Self {
        Self(Arc::downgrade(watches))
    }

    /// Looks at the session configuration documents and what they name, and at the files of users and tokens, takes what has changed, and says in the log and in
    /// `GET /services/{resource}` what can't be taken. Requests go on meanwhile. Once the server has ended it does nothing.
    pub async fn reload(&self) {
        if let Some(watches) = self.0.upgrade() {
            watches.look_elsewhere(Occasion::Word).await;
        }
    }
}
