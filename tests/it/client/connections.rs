//! Connections: they are used again, and a reader that is slow slows the service.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::StreamExt;
use rejoin::client::{DataService, Request};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::service;
use crate::context::{Context, perform};

/// Passes everything on, and counts.
#[derive(Clone, Default)]
struct Counts {
    connections: Arc<AtomicUsize>,
    /// Bytes of answers that were passed on.
    bytes: Arc<AtomicUsize>,
}

impl Counts {
    /// The address of a proxy before that server. It ends with the runtime of its test.
    async fn before(&self, server: SocketAddr) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let counts = self.clone();
        tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                counts.connections.fetch_add(1, Ordering::Relaxed);
                // A side that goes away ends it.
                tokio::spawn(counts.clone().pass_on(client, server));
            }
        });
        url
    }

    async fn pass_on(self, client: TcpStream, server: SocketAddr) -> std::io::Result<()> {
        let (mut from_client, mut to_client) = client.into_split();
        let (mut from_server, mut to_server) = TcpStream::connect(server).await?.into_split();
        let asking = tokio::io::copy(&mut from_client, &mut to_server);
        let answering = async {
            let mut piece = vec![0; 16 * 1024];
            loop {
                let read = from_server.read(&mut piece).await?;
                if read == 0 {
                    return to_client.shutdown().await;
                }
                to_client.write_all(&piece[..read]).await?;
                self.bytes.fetch_add(read, Ordering::Relaxed);
            }
        };
        tokio::try_join!(asking, answering).map(drop)
    }
}

#[tokio::test]
async fn one_connection_serves_all_requests_that_come_one_after_the_other() {
    let context = Context::new().await;
    let counts = Counts::default();
    let url = counts.before(context.server.address()).await;
    let service = DataService::connect(&url, "data").await.unwrap();
    for _ in 0..10 {
        service.query("SELECT count(*) FROM customer").one::<u8>().await.unwrap();
        service.clone().query("SELECT id FROM customer").all::<u8>().await.unwrap();
        service.update("UPDATE customer SET credit = 0").run().await.unwrap();
        assert!(service.query("SELECT nothing").batches().await.is_err());
    }
    let session = service.session().await.unwrap();
    session.set("town", "Oban").await.unwrap();
    session.end().await.unwrap();
    assert_eq!(counts.connections.load(Ordering::Relaxed), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_is_there_again_as_soon_as_an_answer_is() {
    let context = Context::new().await;
    let counts = Counts::default();
    let url = counts.before(context.server.address()).await;
    let service = DataService::connect(&url, "data").await.unwrap();
    for _ in 0..500 {
        service.query("SELECT count(*) FROM customer").one::<u8>().await.unwrap();
    }
    let connections = counts.connections.load(Ordering::Relaxed);
    // On a busy machine one may come back a moment too late. When all do, there are hundreds.
    assert!(connections <= 25, "{connections}");
}

#[tokio::test]
async fn a_reader_that_is_slow_slows_the_service() {
    let context = Context::new().await;
    let counts = Counts::default();
    let url = counts.before(context.server.address()).await;
    let other = service(&context).await;
    let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n";
    let mut rows = DataService::connect(&url, "data").await.unwrap().query(endless).rows().await.unwrap();
    rows.next_batch().await.unwrap().unwrap();
    let bytes = || counts.bytes.load(Ordering::Relaxed);
    // Until nothing comes any more, because what lies between is full.
    loop {
        let before = bytes();
        for _ in 0..50 {
            other.query("SELECT count(*) FROM customer").one::<u8>().await.unwrap();
        }
        if bytes() == before {
            break;
        }
        assert!(before < 64 * 1024 * 1024, "{before} bytes came that nobody reads");
    }
    let before = bytes();
    for _ in 0..10_000 {
        rows.next_batch().await.unwrap().unwrap();
    }
    assert!(bytes() > before);
}

#[tokio::test]
async fn a_stream_of_a_session_that_nobody_reads_stops_its_writer() {
    let context = Context::new().await;
    let session = service(&context).await.session().await.unwrap();
    let relay = "<inputStream name=\"feed\"><toLocal name=\"a\"/></inputStream>\
                 <outputStream name=\"tap\"><fromLocal from=\"a\"/></outputStream>";
    let running = session.start(&Request::document(perform(relay)).unwrap()).await.unwrap();
    let taken = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&taken);
    let pieces = futures_util::stream::iter(0..4096).map(move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
        Ok::<_, std::io::Error>("x".repeat(16 * 1024))
    });
    let feed = running.stream("feed");
    let writing = tokio::spawn(async move { feed.write_stream("text/plain", pieces).await });
    loop {
        let before = taken.load(Ordering::Relaxed);
        for _ in 0..50 {
            session.status().await.unwrap();
        }
        if before > 0 && taken.load(Ordering::Relaxed) == before {
            break;
        }
    }
    assert!(taken.load(Ordering::Relaxed) < 4096, "64 MiB went nowhere");
    let read = running.stream("tap").read().await.unwrap().whole().await.unwrap();
    assert_eq!(read.len(), 4096 * 16 * 1024);
    writing.await.unwrap().unwrap();
    running.finished().await.unwrap();
}
