//! A proxy between the toolkit and the service that breaks connections where it is told to.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What becomes of a request and of its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// Both arrive.
    Passed,
    /// The connection breaks before anything of the request is sent on.
    Unsent,
    /// Half of the request arrives, then the connection breaks.
    HalfSent,
    /// The request arrives, and its client leaves without waiting.
    Abandoned,
    /// The request is done, and nothing of its answer arrives.
    Unheard,
    /// Half of the answer arrives.
    HalfHeard,
    /// All of the answer arrives but for the last byte.
    NearlyHeard,
    /// A gateway says that it did not hear from the service, which has done the request.
    Gateway,
}

/// Everything that can go wrong with a connection.
pub(super) const BREAKS: [Fate; 7] =
    [Fate::Unsent, Fate::HalfSent, Fate::Abandoned, Fate::Unheard, Fate::HalfHeard, Fate::NearlyHeard, Fate::Gateway];

/// A proxy on a port of its own. It ends with the runtime of its test.
pub(super) struct BreakingProxy {
    address: SocketAddr,
    plan: Arc<Plan>,
}

/// What happens to the requests that come.
struct Plan {
    /// To the next ones.
    next: Mutex<VecDeque<Fate>>,
    /// To those after them, by their number.
    later: Box<dyn Fn(usize) -> Fate + Send + Sync>,
    seen: Mutex<Vec<Fate>>,
    bytes_heard: AtomicUsize,
}

impl BreakingProxy {
    /// A proxy before that server. The requests meet the fates that `fate` gives them, by the number of requests that came before.
    pub(super) async fn before(server: SocketAddr, fate: impl Fn(usize) -> Fate + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let plan = Arc::new(Plan {
            next: Mutex::default(),
            later: Box::new(fate),
            seen: Mutex::default(),
            bytes_heard: AtomicUsize::new(0),
        });
        let known = Arc::clone(&plan);
        tokio::spawn(async move {
            loop {
                let Ok((client, _)) = listener.accept().await else { return };
                let plan = Arc::clone(&known);
                tokio::spawn(async move {
                    // A side that goes away ends the exchange: that is what this is for.
                    let _ = exchange(client, server, &plan).await;
                });
            }
        });
        Self { address, plan }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The next requests meet these.
    pub(super) fn next(&self, fates: &[Fate]) {
        self.plan.next.lock().unwrap().extend(fates);
    }

    /// How many bytes of answers arrived.
    pub(super) fn bytes_heard(&self) -> usize {
        self.plan.bytes_heard.load(Ordering::Relaxed)
    }

    /// What the requests met so far, those before now forgotten.
    pub(super) fn seen(&self) -> Vec<Fate> {
        std::mem::take(&mut self.plan.seen.lock().unwrap())
    }
}

impl Plan {
    fn fate(&self) -> Fate {
        let mut seen = self.seen.lock().unwrap();
        let fate = self.next.lock().unwrap().pop_front().unwrap_or_else(|| (self.later)(seen.len()));
        seen.push(fate);
        fate
    }
}

/// One request and its answer; the connection ends with it.
async fn exchange(mut client: TcpStream, server: SocketAddr, plan: &Plan) -> std::io::Result<()> {
    let Some(request) = read_request(&mut client).await? else { return Ok(()) };
    let fate = plan.fate();
    if fate == Fate::Unsent {
        return Ok(());
    }
    let mut to_server = TcpStream::connect(server).await?;
    if fate == Fate::HalfSent {
        return to_server.write_all(&request[..request.len() / 2]).await;
    }
    to_server.write_all(&request).await?;
    if fate == Fate::Abandoned {
        return Ok(());
    }
    let mut answer = Vec::new();
    to_server.read_to_end(&mut answer).await?;
    let heard = match fate {
        Fate::Passed => &answer[..],
        Fate::HalfHeard => &answer[..answer.len() / 2],
        Fate::NearlyHeard => &answer[..answer.len() - 1],
        Fate::Gateway => b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 4\r\nconnection: close\r\n\r\nlost",
        _ => b"",
    };
    plan.bytes_heard.fetch_add(heard.len(), Ordering::Relaxed);
    client.write_all(heard).await?;
    client.shutdown().await
}

/// A whole request, which asks the server to end the connection behind its answer.
async fn read_request(client: &mut TcpStream) -> std::io::Result<Option<Vec<u8>>> {
    let mut request = Vec::new();
    let head = loop {
        if let Some(end) = request.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
            break end + 4;
        }
        if client.read_buf(&mut request).await? == 0 {
            return Ok(None);
        }
    };
    let text = String::from_utf8_lossy(&request[..head]).to_lowercase();
    let length = text.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
    while request.len() < head + length {
        if client.read_buf(&mut request).await? == 0 {
            return Ok(None);
        }
    }
    request.splice(head - 2..head - 2, *b"connection: close\r\n");
    Ok(Some(request))
}
