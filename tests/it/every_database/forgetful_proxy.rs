use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A way to a server on which connections may die unheard, as behind a firewall that was restarted: whoever is at their end
/// hears of it when he says something, and not before.
pub(crate) struct ForgetfulProxy {
    port: u16,
    /// How often it has forgotten all.
    times: Arc<AtomicU32>,
}

impl ForgetfulProxy {
    /// One before the server of a URI, and the URI that leads through it.
    pub(crate) fn before(uri: &str) -> (Self, String) {
        let (_, place) = uri.split_once('@').unwrap();
        let (place, _) = place.split_once('/').unwrap();
        let server: SocketAddr = place.parse().unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let proxy = Self { port: listener.local_addr().unwrap().port(), times: Arc::default() };
        let (listener, times) = (TcpListener::from_std(listener).unwrap(), Arc::clone(&proxy.times));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let times = Arc::clone(&times);
                // What breaks off has ended.
                tokio::spawn(async move { drop(forward(client, server, &times).await) });
            }
        });
        let through = uri.replace(place, &format!("127.0.0.1:{}", proxy.port));
        (proxy, through)
    }

    /// Has all connections that are open now die.
    pub(crate) fn forget(&self) {
        self.times.fetch_add(1, Ordering::SeqCst);
    }
}

async fn forward(client: TcpStream, server: SocketAddr, times: &AtomicU32) -> std::io::Result<()> {
    let since = times.load(Ordering::SeqCst);
    let (mut said, mut heard) = client.into_split();
    let (mut answered, mut asked) = TcpStream::connect(server).await?.into_split();
    let answers = tokio::spawn(async move { tokio::io::copy(&mut answered, &mut heard).await });
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let length = said.read(&mut buffer).await?;
        if length == 0 || times.load(Ordering::SeqCst) != since {
            break;
        }
        asked.write_all(&buffer[..length]).await?;
    }
    answers.abort();
    Ok(())
}
