//! A loopback HTTP server that answers as a test has written down, and notes what it was asked.
//!
//! It speaks HTTP/1.1 over plain TCP, by itself: it says reasons that no library lets through, breaks off where a script says
//! so, never answers, or never ends. What it was asked is compared as lines that read like the scenario:
//!
//! ```text
//! let server = ScriptedServer::start(Script::of([json("{\"status\":\"pending\"}"), json("{\"status\":\"complete\"}")])).await;
//! …
//! server.saw(["GET /jobs/7?verbose=1", "GET /jobs/7?verbose=1"]);
//! ```
//!
//! A request that no answer is left for gets `500 Not In The Script`.

mod answer;
mod record;
mod script;
mod tests;
mod wire;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use rejoin::session::{Clock, ManualClock, SystemClock};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

pub(crate) use answer::{Answer, csv, json, status};
pub(crate) use record::Recorded;
pub(crate) use script::Script;

/// The server. It stops, and breaks off what is under way, when it is dropped.
pub(crate) struct ScriptedServer {
    address: SocketAddr,
    desk: Arc<Desk>,
    listening: JoinHandle<()>,
}

/// What the connections share.
struct Desk {
    clock: Arc<dyn Clock>,
    script: Mutex<Script>,
    requests: Mutex<Vec<Recorded>>,
    /// How many clients left before their answer was whole.
    abandoned: AtomicUsize,
    /// Rings with every request and every client that leaves.
    news: Notify,
}

impl ScriptedServer {
    /// A server on a free port that follows a script.
    pub(crate) async fn start(script: Script) -> Self {
        Self::on(Arc::new(SystemClock), script).await
    }

    /// The same; the moments of its requests are those of `clock`.
    pub(crate) async fn driven(clock: &ManualClock, script: Script) -> Self {
        Self::on(Arc::new(clock.clone()), script).await
    }

    async fn on(clock: Arc<dyn Clock>, script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let desk = Arc::new(Desk {
            clock,
            script: Mutex::new(script),
            requests: Mutex::default(),
            abandoned: AtomicUsize::new(0),
            news: Notify::new(),
        });
        let listening = tokio::spawn(wire::listen(listener, Arc::clone(&desk)));
        Self { address, desk, listening }
    }

    /// `http://127.0.0.1:PORT`, without a slash at its end.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What it was asked, in the order in which the requests came.
    pub(crate) fn requests(&self) -> Vec<Recorded> {
        self.desk.requests.lock().clone()
    }

    /// How many requests there were.
    pub(crate) fn count(&self) -> usize {
        self.desk.requests.lock().len()
    }

    /// Checks that it was asked exactly that, in that order: `METHOD TARGET`, and the body behind it if there is one, as in
    /// `POST /jobs {"operation":"query"}`.
    #[track_caller]
    pub(crate) fn saw<T: AsRef<str>>(&self, expected: impl IntoIterator<Item = T>) -> Vec<Recorded> {
        let requests = self.requests();
        let lines: Vec<String> = requests.iter().map(Recorded::line).collect();
        let expected: Vec<String> = expected.into_iter().map(|line| line.as_ref().to_owned()).collect();
        assert_eq!(lines, expected, "what the server was asked is on the left");
        requests
    }

    /// Checks how much time lay between the beginnings of its requests.
    #[track_caller]
    pub(crate) fn was_paced(&self, expected: impl IntoIterator<Item = Duration>) {
        let moments: Vec<_> = self.requests().iter().map(|request| request.moment).collect();
        let gaps: Vec<Duration> = moments.windows(2).map(|pair| pair[1].since(pair[0])).collect();
        assert_eq!(gaps, expected.into_iter().collect::<Vec<_>>());
    }

    /// Returns once so many requests have come.
    pub(crate) async fn asked(&self, requests: usize) {
        self.until(|| self.count() >= requests).await;
    }

    /// How many clients have left before their answer was whole.
    pub(crate) fn gone(&self) -> usize {
        self.desk.abandoned.load(Ordering::SeqCst)
    }

    /// Returns once so many clients have left before their answer was whole.
    pub(crate) async fn abandoned(&self, clients: usize) {
        self.until(|| self.gone() >= clients).await;
    }

    /// From now on connections to it are refused.
    pub(crate) async fn close(&mut self) {
        self.listening.abort();
        // It was told to end.
        let _ = (&mut self.listening).await;
    }

    async fn until(&self, is_so: impl Fn() -> bool) {
        loop {
            let news = self.desk.news.notified();
            if is_so() {
                return;
            }
            news.await;
        }
    }
}

impl Drop for ScriptedServer {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

/// Returns as soon as somebody sleeps on the clock for exactly that long from now on, after letting that time pass: what it did
/// before is done, and it goes on.
pub(crate) async fn pass(clock: &ManualClock, duration: Duration) {
    let until = clock.now().after(duration);
    while !clock.alarms().contains(&until) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    clock.advance(duration);
}
