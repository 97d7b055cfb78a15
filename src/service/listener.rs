//! Connections: accepted, served over HTTP/1.1 or HTTP/2 as they begin, drained at the end, and cut off in the worst case.

use std::convert::Infallible;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::{Extension, Router};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use prometheus_client::metrics::gauge::Gauge;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How long to wait before another connection is accepted when the system has no room for one.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How an HTTP/2 connection begins (RFC 9113, section 3.4).
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// From where the connection of a request comes, for its handler. Behind a proxy, that is the proxy.
#[derive(Debug, Clone, Copy)]
pub(super) struct ClientAddress(pub(super) IpAddr);

/// What connections may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// How long a client may take to send the head of a request; also how long a connection is kept that nobody uses.
    pub(super) head: Duration,
    /// How many connections are open at a time; more wait in the system's queue. A connection that does nothing takes about
    /// 10 KiB here and an open file of the process.
    pub(super) connections: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { head: Duration::from_mins(1), connections: 10_000 }
    }
}

/// The connections of a service. Dropping it closes them all.
pub(super) struct Connections {
    builder: Builder<TokioExecutor>,
    router: Router,
    bounds: Bounds,
    room: Arc<Semaphore>,
    /// How many are open, for those who watch.
    count: Gauge,
    draining: CancellationToken,
    open: JoinSet<()>,
}

impl Connections {
    pub(super) fn new(router: Router, bounds: Bounds, count: Gauge) -> Self {
        let mut builder = Builder::new(TokioExecutor::new());
        builder.http1().timer(TokioTimer::new()).header_read_timeout(bounds.head);
        builder.http2().timer(TokioTimer::new()).keep_alive_interval(Some(Duration::from_secs(30)));
        let room = Arc::new(Semaphore::new(bounds.connections));
        Self { builder, router, bounds, room, count, draining: CancellationToken::new(), open: JoinSet::new() }
    }

    /// Accepts connections and serves them, for as long as it is polled.
    pub(super) async fn accept(&mut self, listener: &TcpListener) -> Infallible {
        loop {
            // A semaphore that nobody closes always gives a permit in the end.
            let Ok(place) = Arc::clone(&self.room).acquire_owned().await else { continue };
            match listener.accept().await {
                Ok((stream, address)) => self.serve(stream, address.ip(), place),
                Err(error) => pause_after(&error).await,
            }
            // What has ended is forgotten.
            while self.open.try_join_next().is_some() {}
        }
    }

    fn serve(&mut self, stream: TcpStream, from: IpAddr, place: OwnedSemaphorePermit) {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection was closed before it was served");
            return;
        }
        let router = self.router.clone().layer(Extension(ClientAddress(from)));
        let (builder, draining) = (self.builder.clone(), self.draining.clone());
        let (head, counted) = (self.bounds.head, Counted::new(&self.count));
        self.open.spawn(async move {
            let begun = tokio::select! {
                begun = tokio::time::timeout(head, begin(stream)) => begun,
                () = draining.cancelled() => return,
            };
            match begun {
                Ok(Ok(stream)) => serve_connection(&builder, router, stream, &draining).await,
                Ok(Err(error)) => tracing::debug!(%error, "a connection broke off before it began"),
                Err(_) => tracing::debug!("a connection on which nothing came was closed"),
            }
            drop((place, counted));
        });
    }

    /// Lets every request that has begun come to its end, and closes what is idle.
    pub(super) async fn drain(&mut self) {
        self.draining.cancel();
        while self.open.join_next().await.is_some() {}
    }

    /// Closes what is left. The requests on it are cancelled, because their bodies are dropped.
    pub(super) async fn cut_off(mut self) {
        self.open.shutdown().await;
    }
}

/// Counts a connection for as long as it is there.
struct Counted(Gauge);

impl Counted {
    fn new(count: &Gauge) -> Self {
        count.inc();
        Self(count.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// Reads as far as the version of HTTP can be told, and gives back a stream that begins with what was read.
///
/// The server of HTTP waits for these bytes too, but without a bound in time.
async fn begin(mut stream: TcpStream) -> io::Result<impl AsyncRead + AsyncWrite + Unpin + Send + 'static> {
    let mut begun = Vec::with_capacity(PREFACE.len());
    while begun.len() < PREFACE.len() && PREFACE.starts_with(&begun) {
        let missing = (PREFACE.len() - begun.len()) as u64;
        if (&mut stream).take(missing).read_buf(&mut begun).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    let (read, write) = stream.into_split();
    Ok(tokio::io::join(io::Cursor::new(begun).chain(read), write))
}

async fn serve_connection(
    builder: &Builder<TokioExecutor>,
    router: Router,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    draining: &CancellationToken,
) {
    let connection = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = draining.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke off");
    }
}

/// A connection that was reset before it was accepted is no reason to wait; a full table of open files is.
async fn pause_after(error: &io::Error) {
    if matches!(error.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted) {
        return;
    }
    tracing::error!(%error, "a connection could not be accepted");
    tokio::time::sleep(ACCEPT_PAUSE).await;
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use axum::routing::get;
    use tokio::io::AsyncWriteExt;
    use tokio::task::JoinHandle;

    use super::*;

    /// A service that says `hello`.
    async fn served(bounds: Bounds) -> (SocketAddr, JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = tokio::spawn(async move {
            let router = Router::new().route("/", get(|| async { "hello" }));
            let mut connections = Connections::new(router, bounds, Gauge::default());
            connections.accept(&listener).await;
        });
        (address, serving)
    }

    async fn sent(address: SocketAddr, bytes: &[u8]) -> TcpStream {
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(bytes).await.unwrap();
        client
    }

    async fn answer(mut client: TcpStream) -> String {
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).await.unwrap();
        String::from_utf8(answer).unwrap()
    }

    const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

    #[tokio::test]
    async fn a_connection_that_never_says_which_http_it_speaks_is_closed() {
        let (address, serving) = served(Bounds { head: Duration::from_millis(20), connections: 8 }).await;
        for bytes in [&b""[..], b"PRI * HT", b"GET / HTTP/1.1\r\nHo"] {
            let answer = answer(sent(address, bytes).await).await;
            assert!(!answer.contains("hello"), "{answer}");
        }
        serving.abort();
    }

    #[tokio::test]
    async fn a_request_that_comes_in_pieces_is_whole() {
        let (address, serving) = served(Bounds::default()).await;
        let mut client = sent(address, b"").await;
        client.set_nodelay(true).unwrap();
        for byte in REQUEST.chunks(1) {
            client.write_all(byte).await.unwrap();
            tokio::task::yield_now().await;
        }
        assert!(answer(client).await.ends_with("hello"));
        serving.abort();
    }

    #[tokio::test]
    async fn a_connection_beyond_the_bound_waits_for_another_to_close() {
        let (address, serving) = served(Bounds { connections: 1, ..Bounds::default() }).await;
        let first = sent(address, b"GET / HTTP/1.1\r\nHo").await;
        let second = tokio::spawn(answer(sent(address, REQUEST).await));
        drop(first);
        assert!(second.await.unwrap().ends_with("hello"));
        serving.abort();
    }
}
