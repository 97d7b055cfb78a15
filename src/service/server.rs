//! A server from its configuration to its end.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{join, join_all};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use super::listener::{Bounds, Connections};
use super::routes::router;
use super::state::ServiceState;
use super::{Reloader, ServerBuilder};

/// How long the sessions of requests that were cut off have to close what they hold.
const CLOSING: Duration = Duration::from_secs(1);

/// How long what requests leave to be done may take when the service ends: the cancelling of remote jobs.
const AFTERCARE: Duration = Duration::from_secs(10);

/// A service that is configured and not yet reached by anybody.
///
/// ```
/// # tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(async {
/// use rejoin::service::{ConfiguredResource, Server};
///
/// let server = Server::builder()
///     .listen("127.0.0.1:0")
///     .resource(ConfiguredResource::new("orders", ".").data_resource("sqlite::memory:"))
///     .build()?
///     .start()
///     .await?;
/// println!("served at {}/services/orders", server.url());
/// server.shutdown().await;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Debug)]
pub struct Server {
    pub(super) state: ServiceState,
    pub(super) listen: String,
    pub(super) drain: Duration,
}

/// A service that has its address; connections wait until it is served.
#[derive(Debug)]
pub struct BoundServer {
    state: ServiceState,
    listener: TcpListener,
    address: SocketAddr,
    drain: Duration,
}

/// A service at work in the background.
#[derive(Debug)]
pub struct RunningServer {
    address: SocketAddr,
    reloader: Reloader,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Ending>,
}

/// How a server ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Every request was answered and every session was closed.
    Drained,
    /// The time for that was over: what was left was cut off. Nothing that these requests changed in their sessions was kept.
    CutOff,
}

impl Server {
    /// A server to configure.
    pub fn builder() -> ServerBuilder {
        ServerBuilder::new()
    }

    /// Takes the address.
    ///
    /// # Errors
    ///
    /// When it is no address of this machine, or is in use.
    pub async fn bind(self) -> io::Result<BoundServer> {
        let listener = TcpListener::bind(&self.listen).await?;
        let address = listener.local_addr()?;
        self.state.resources.values().for_each(|resource| resource.carrier().warn(&resource.name));
        Ok(BoundServer { state: self.state, listener, address, drain: self.drain })
    }

    /// Takes the address and serves in the background, for programs that embed the service and for tests.
    ///
    /// # Errors
    ///
    /// As [`Server::bind`].
    pub async fn start(self) -> io::Result<RunningServer> {
        let bound = self.bind().await?;
        let address = bound.address;
        let reloader = bound.reloader();
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(bound.serve(async {
            // A handle that was dropped stops the server as well.
            let _ = stopped.await;
        }));
        Ok(RunningServer { address, reloader, stop, task })
    }
}

impl BoundServer {
    /// The address that was taken.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL of the service, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What lets the server look at its files at once, while it serves.
    #[must_use]
    pub fn reloader(&self) -> Reloader {
        Reloader::of(&self.state.watches)
    }

    /// Serves until `shutdown` resolves. Then it takes nothing new, answers what has begun, and ends every session; what is
    /// not done within the drain timeout ([`ServerBuilder::drain_timeout`]) is cut off.
    ///
    /// Dropping the future cuts everything off at once.
    pub async fn serve(self, shutdown: impl Future<Output = ()>) -> Ending {
        let Self { state, listener, address, drain } = self;
        state.aftercare.attend();
        let mut maintenance: JoinSet<()> =
            state.resources.values().map(|resource| resource.engine.sessions().maintenance()).collect();
        let stop_looking = CancellationToken::new();
        let mut looking = JoinSet::new();
        looking.spawn(Arc::clone(&state.watches).keep_looking(stop_looking.clone()));
        let router = router(state.clone(), address.ip().is_loopback());
        let mut connections = Connections::new(router, Bounds::default(), state.metrics.connections());
        tokio::select! {
            never = connections.accept(&listener) => match never {},
            () = shutdown => {}
        }
        state.drain();
        stop_looking.cancel();
        drop(listener);
        let drained = tokio::time::timeout(drain, join(connections.drain(), drain_sessions(&state))).await;
        let ending = if drained.is_ok() {
            Ending::Drained
        } else {
            tracing::warn!("requests that did not end in time are cut off");
            // Those that have left something elsewhere put it in order, and note that in their sessions, which they still hold.
            state.aftercare.stop();
            if tokio::time::timeout(AFTERCARE, state.aftercare.done()).await.is_err() {
                tracing::warn!("what requests have begun elsewhere was not ended in time");
            }
            for resource in state.resources.values() {
                resource.engine.cut_off();
            }
            connections.cut_off().await;
            if tokio::time::timeout(CLOSING, drain_sessions(&state)).await.is_err() {
                tracing::warn!("sessions that did not end in time were left");
            }
            Ending::CutOff
        };
        if tokio::time::timeout(AFTERCARE, state.aftercare.done()).await.is_err() {
            tracing::warn!("what requests left to be done was not done in time");
        }
        maintenance.abort_all();
        // A look that has begun is waited for, so that what it has in its hands is closed with the rest.
        if tokio::time::timeout(CLOSING, looking.join_next()).await.is_err() {
            tracing::warn!("looking for changed files did not end in time");
        }
        ending
    }
}

/// Ends the sessions of all resources, side by side; tells those who wait for one.
async fn drain_sessions(state: &ServiceState) {
    join_all(state.resources.values().map(|resource| resource.engine.sessions().drain())).await;
}

impl RunningServer {
    /// The address that was taken.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL of the service, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Looks at once whether the configuration of its sessions has changed, and takes what has: see [`Reloader::reload`].
    pub async fn reload(&self) {
        self.reloader.reload().await;
    }

    /// Drains the service and waits until it has ended.
    pub async fn shutdown(self) -> Ending {
        // A server that has ended already needs no word.
        let _ = self.stop.send(());
        self.task.await.unwrap_or_else(|error| {
            tracing::error!(%error, "the server broke off");
            Ending::CutOff
        })
    }
}
