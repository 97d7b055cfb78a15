//! A server from its configuration to its end.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::ServerBuilder;
use super::listener::serve;
use super::routes::router;
use super::state::ServiceState;

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
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
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
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(bound.serve(async {
            // A handle that was dropped stops the server as well.
            let _ = stopped.await;
        }));
        Ok(RunningServer { address, stop, task })
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

    /// Serves until `shutdown` resolves. Then it takes nothing new, answers what has begun, and ends every session.
    pub async fn serve(self, shutdown: impl Future<Output = ()>) {
        let state = self.state;
        let maintenance: Vec<JoinHandle<()>> =
            state.resources.values().map(|resource| tokio::spawn(resource.engine.sessions().maintenance())).collect();
        let draining = state.clone();
        let shutdown = async move {
            shutdown.await;
            draining.drain();
        };
        serve(self.listener, router(state.clone()), shutdown, self.drain).await;
        for resource in state.resources.values() {
            if tokio::time::timeout(self.drain, resource.engine.sessions().drain()).await.is_err() {
                tracing::warn!(resource = %resource.name, "sessions that did not end in time were left");
            }
        }
        maintenance.iter().for_each(JoinHandle::abort);
    }
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

    /// Drains the service and waits until it has ended.
    pub async fn shutdown(self) {
        // A server that has ended already needs no word.
        let _ = self.stop.send(());
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the server broke off");
        }
    }
}
