//! A server on this machine that answers by a script, as raw bytes, and remembers what it was asked.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// One answer of the script.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    bytes: Vec<u8>,
    then: Then,
}

/// What a server does after its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    /// Waits for the next request on the same connection.
    GoOn,
    /// Closes the connection, with a reset.
    Reset,
    /// Keeps the connection open and says nothing more.
    BeSilent,
}

impl Answer {
    pub(super) fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        Self { bytes: bytes.into(), then: Then::GoOn }
    }

    pub(super) fn then_silent(bytes: impl Into<Vec<u8>>) -> Self {
        Self { bytes: bytes.into(), then: Then::BeSilent }
    }

    pub(super) fn then_reset(bytes: impl Into<Vec<u8>>) -> Self {
        Self { bytes: bytes.into(), then: Then::Reset }
    }

    pub(super) fn silent() -> Self {
        Self::then_silent("")
    }

    /// A whole answer with a body.
    pub(super) fn of(status: &str, headers: &[(&str, &str)], body: &str) -> Self {
        let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        Self::raw(format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len()))
    }

    pub(super) fn ok(body: &str) -> Self {
        Self::of("200 OK", &[("Content-Type", "application/json")], body)
    }

    pub(super) fn redirect(status: u16, location: &str) -> Self {
        Self::of(&format!("{status} Elsewhere"), &[("Location", location)], "")
    }
}

type Script = Box<dyn Fn(usize, &str) -> Answer + Send + Sync>;

/// Stops when it is dropped.
pub(super) struct Server {
    port: u16,
    seen: Arc<Mutex<Vec<String>>>,
    serving: JoinHandle<()>,
}

impl Server {
    /// Answers the first request by the first answer, and so on; the last one again and again.
    pub(super) async fn answering(answers: Vec<Answer>) -> Self {
        Self::scripted(move |index, _| answers[index.min(answers.len() - 1)].clone()).await
    }

    /// Answers by the number of the request, from 0, and by its text: head and body.
    pub(super) async fn scripted(script: impl Fn(usize, &str) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (script, all): (Arc<Script>, _) = (Arc::new(Box::new(script)), Arc::clone(&seen));
        let serving = tokio::spawn(async move {
            loop {
                let (connection, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(connection, Arc::clone(&script), Arc::clone(&all)));
            }
        });
        Self { port, seen, serving }
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn origin(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The texts of the requests so far.
    pub(super) fn requests(&self) -> Vec<String> {
        self.seen.lock().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(mut connection: TcpStream, script: Arc<Script>, seen: Arc<Mutex<Vec<String>>>) {
    while let Some(request) = read_request(&mut connection).await {
        let index = {
            let mut seen = seen.lock();
            seen.push(request.clone());
            seen.len() - 1
        };
        let answer = script(index, &request);
        if connection.write_all(&answer.bytes).await.is_err() {
            return;
        }
        match answer.then {
            Then::GoOn => {}
            Then::Reset => {
                // What was sent before is read before the reset is seen.
                tokio::task::yield_now().await;
                drop(connection.set_zero_linger());
                return;
            }
            Then::BeSilent => std::future::pending().await,
        }
    }
}

/// Head and body as one text; `None` at the end of the connection.
async fn read_request(connection: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    let head = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end + 4;
        }
        read_some(connection, &mut bytes).await?;
    };
    let text = String::from_utf8_lossy(&bytes[..head]).to_lowercase();
    let length = text.lines().find_map(|line| line.strip_prefix("content-length: ")?.trim().parse().ok()).unwrap_or(0);
    while bytes.len() < head + length {
        read_some(connection, &mut bytes).await?;
    }
    String::from_utf8(bytes).ok()
}

async fn read_some(connection: &mut TcpStream, bytes: &mut Vec<u8>) -> Option<()> {
    let mut buffer = [0; 4096];
    let count = connection.read(&mut buffer).await.ok().filter(|count| *count > 0)?;
    bytes.extend_from_slice(&buffer[..count]);
    Some(())
}
