//! Servers of HTTP/2 that say goodbye, or refuse, while a request is on its way. They speak in frames (RFC 9113), so that they can say
//! exactly what a test is about.

use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;

use super::tls::{acceptor, at, certificate};
use super::*;

const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;

const NO_ERROR: u32 = 0;
const INTERNAL_ERROR: u32 = 2;
const REFUSED_STREAM: u32 = 7;
const ENHANCE_YOUR_CALM: u32 = 11;

/// What a server says to a request.
#[derive(Debug, Clone, Copy)]
enum Says {
    /// That its stream is reset, for that reason.
    Reset(u32),
    /// Goodbye, for that reason, having begun nothing; then it closes the connection.
    GoodbyeBefore(u32),
    /// The same, having begun this request.
    GoodbyeAfter(u32),
    /// Nothing: it closes the connection.
    Nothing,
}

/// A server that says so to its first requests, over all connections, and answers those after them.
struct Scripted {
    resource: HttpResource,
    seen: Arc<AtomicUsize>,
    _folder: TempDir,
}

impl Scripted {
    async fn new(script: &'static [Says]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let authority = certificate(folder.path());
        let acceptor = acceptor(folder.path(), &["h2"]);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&seen);
        tokio::spawn(async move {
            loop {
                let (connection, _) = listener.accept().await.unwrap();
                let Ok(connection) = acceptor.accept(connection).await else { continue };
                tokio::spawn(serve(connection, script, Arc::clone(&counted)));
            }
        });
        Self { resource: at("localhost", port, Some(authority)), seen, _folder: folder }
    }

    async fn post(&self) -> Result<WebResponse, WebError> {
        let request = WebRequest { body: Some(Bytes::from_static(b"{}")), ..request(Method::POST, "/jobs") };
        send(&self.resource, request).await
    }

    fn seen(&self) -> usize {
        self.seen.load(Ordering::SeqCst)
    }
}

/// `None` when the connection is over.
async fn serve(
    mut connection: impl AsyncRead + AsyncWrite + Unpin,
    script: &[Says],
    seen: Arc<AtomicUsize>,
) -> Option<()> {
    let mut preface = [0; 24];
    connection.read_exact(&mut preface).await.ok()?;
    write(&mut connection, SETTINGS, 0, 0, &[]).await?;
    loop {
        let (kind, flags, stream) = read(&mut connection).await?;
        if kind == SETTINGS && flags == 0 {
            write(&mut connection, SETTINGS, 1, 0, &[]).await?;
        }
        if kind != HEADERS {
            continue;
        }
        let said = script.get(seen.fetch_add(1, Ordering::SeqCst));
        let goodbye = |last: u32, reason: u32| [last.to_be_bytes(), reason.to_be_bytes()].concat();
        match said {
            // `:status: 200`, and nothing behind it.
            None => write(&mut connection, HEADERS, 5, stream, &[0x88]).await?,
            Some(Says::Reset(reason)) => write(&mut connection, RST_STREAM, 0, stream, &reason.to_be_bytes()).await?,
            Some(Says::GoodbyeBefore(reason)) => {
                write(&mut connection, GOAWAY, 0, 0, &goodbye(0, *reason)).await?;
                return connection.shutdown().await.ok();
            }
            Some(Says::GoodbyeAfter(reason)) => {
                write(&mut connection, GOAWAY, 0, 0, &goodbye(stream, *reason)).await?;
                return connection.shutdown().await.ok();
            }
            Some(Says::Nothing) => return connection.shutdown().await.ok(),
        }
    }
}

/// A frame, without what is in it.
async fn read(connection: &mut (impl AsyncRead + Unpin)) -> Option<(u8, u8, u32)> {
    let mut head = [0; 9];
    connection.read_exact(&mut head).await.ok()?;
    let [a, b, c, kind, flags, stream @ ..] = head;
    let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
    connection.read_exact(&mut payload).await.ok()?;
    Some((kind, flags, u32::from_be_bytes(stream)))
}

async fn write(
    connection: &mut (impl AsyncWrite + Unpin),
    kind: u8,
    flags: u8,
    stream: u32,
    payload: &[u8],
) -> Option<()> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let head = [&length[1..], &[kind, flags], &stream.to_be_bytes()].concat();
    connection.write_all(&[&head, payload].concat()).await.ok()?;
    connection.flush().await.ok()
}

#[tokio::test]
async fn a_request_that_surely_was_not_begun_is_sent_again_though_it_creates_something() {
    for script in [&[Says::Reset(REFUSED_STREAM)], &[Says::GoodbyeBefore(NO_ERROR)]] {
        let server = Scripted::new(script).await;
        assert_eq!(server.post().await.unwrap().status, 200, "{script:?}");
        assert_eq!(server.seen(), 2, "{script:?}");
    }
}

#[tokio::test]
async fn a_service_that_refuses_again_and_again_is_told_of_as_one_that_has_done_nothing() {
    for script in [&[Says::Reset(REFUSED_STREAM); 8], &[Says::GoodbyeBefore(ENHANCE_YOUR_CALM); 8]] {
        let server = Scripted::new(script).await;
        let error = server.post().await.unwrap_err();
        assert!(matches!(error, WebError::Transport { never_sent: true, .. }), "{script:?}: {error:?}");
        assert!(error.to_string().contains("did nothing about this one"), "{error}");
    }
}

#[tokio::test]
async fn a_request_that_may_have_been_begun_is_not_sent_again() {
    for script in [
        &[Says::GoodbyeAfter(NO_ERROR)],
        &[Says::GoodbyeAfter(INTERNAL_ERROR)],
        &[Says::Reset(INTERNAL_ERROR)],
        &[Says::Nothing],
    ] {
        let server = Scripted::new(script).await;
        let error = server.post().await.unwrap_err();
        assert!(matches!(error, WebError::Transport { never_sent: false, .. }), "{script:?}: {error:?}");
        assert_eq!(server.seen(), 1, "{script:?}");
    }
}
