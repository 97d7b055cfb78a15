//! What it costs to have every request on the disk by itself: the bars of durable sessions are ratios to it.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::Result;
use axum::Router;
use axum::body::Bytes;
use axum::routing::post;
use http::StatusCode;

/// About as much as a counter in a session takes in a store.
const RECORD: [u8; 128] = [b'.'; 128];

/// A file that is synced after each record. A slower disk is the same one and a rest after each sync.
pub(crate) struct Log {
    file: File,
    rest: Duration,
}

impl Log {
    /// A new log.
    pub(crate) fn create(path: &Path, rest: Duration) -> Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        Ok(Self { file, rest })
    }

    /// Appends a record. It is on the disk when the call returns.
    pub(crate) fn append(&mut self, record: &[u8]) -> std::io::Result<()> {
        self.file.write_all(record)?;
        self.file.sync_data()?;
        if !self.rest.is_zero() {
            std::thread::sleep(self.rest);
        }
        Ok(())
    }

    /// How many records a second are appended by one thread that does nothing else.
    pub(crate) fn rate(&mut self, duration: Duration) -> Result<f64> {
        let (begun, mut records) = (Instant::now(), 0.0);
        while begun.elapsed() < duration {
            self.append(&RECORD)?;
            records += 1.0;
        }
        Ok(records / begun.elapsed().as_secs_f64())
    }
}

/// Starts an axum handler that appends a record for each request, one after the other, and answers when it is on the disk.
pub(crate) async fn start_syncing(log: Log) -> Result<SocketAddr> {
    let log = Arc::new(Mutex::new(log));
    let append = move |body: Bytes| {
        let log = Arc::clone(&log);
        async move {
            let append = move || log.lock().is_ok_and(|mut log| log.append(&RECORD).is_ok());
            let appended = tokio::task::spawn_blocking(append).await.unwrap_or(false);
            if appended && !body.is_empty() { (StatusCode::OK, "kept") } else { (StatusCode::BAD_REQUEST, "not kept") }
        }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/", post(append))).await });
    Ok(address)
}
