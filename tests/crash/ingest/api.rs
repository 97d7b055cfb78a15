//! Somebody else's service: pages, jobs, and an account of what it was asked.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use parking_lot::Mutex;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::random::Random;

/// How many pages there are of everything.
pub(super) const PAGES: u64 = 5;

/// How many records are on a page.
pub(super) const RECORDS: u64 = 3;

/// How often a job is looked at before it is done.
const LOOKS: u64 = 3;

/// What it was asked so far.
#[derive(Debug, Default)]
pub(super) struct Account {
    /// How often each job was created.
    pub(super) created: BTreeMap<String, u64>,
    /// How often each job was looked at.
    looks: BTreeMap<String, u64>,
    /// Which pages were asked for, one after the other, by the name of what they are of.
    pub(super) pages: BTreeMap<String, Vec<u64>>,
}

/// A service on a free port of this machine, for as long as its runtime lives. It never fails, and takes its time.
pub(super) async fn start(seed: u64) -> Result<(String, Arc<Mutex<Account>>)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    let account = Arc::new(Mutex::new(Account::default()));
    let told = Arc::clone(&account);
    tokio::spawn(async move {
        let mut random = Random::new(seed, "api");
        while let Ok((stream, _)) = listener.accept().await {
            let mut random = Random::new(random.next(), "connection");
            let account = Arc::clone(&told);
            // A client that leaves, or is killed, is no failure.
            tokio::spawn(async move { _ = serve(stream, &account, &mut random).await });
        }
    });
    Ok((url, account))
}

async fn serve(stream: TcpStream, account: &Mutex<Account>, random: &mut Random) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = BufReader::new(stream);
    loop {
        let (mut first, mut length) = (String::new(), 0);
        stream.read_line(&mut first).await?;
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await? <= 2 {
                break;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse()?;
            }
        }
        stream.read_exact(&mut vec![0; length]).await?;
        let target = first.split(' ').nth(1).context("no request")?;
        // What was asked counts, whether or not the answer is heard.
        let body = answer(target, &mut account.lock())?;
        tokio::time::sleep(Duration::from_millis(random.within(0..30))).await;
        let head =
            format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
        stream.write_all((head + &body).as_bytes()).await?;
    }
}

/// `/create/NAME`, `/jobs/NAME`, `/pages/NAME` and `/pages/NAME?cursor=PAGE`.
fn answer(target: &str, account: &mut Account) -> Result<String> {
    let (path, cursor) = target.split_once("?cursor=").unwrap_or((target, "0"));
    let (what, name) = path.trim_start_matches('/').split_once('/').context("no name")?;
    Ok(match what {
        "create" => {
            *account.created.entry(name.to_owned()).or_default() += 1;
            format!("{{\"id\":\"{name}\"}}")
        }
        "jobs" => {
            let looks = account.looks.entry(name.to_owned()).or_default();
            *looks += 1;
            format!("{{\"state\":\"{}\"}}", if *looks < LOOKS { "running" } else { "done" })
        }
        _ => {
            let page: u64 = cursor.parse()?;
            account.pages.entry(name.to_owned()).or_default().push(page);
            let records: Vec<String> =
                (0..RECORDS).map(|record| format!("{{\"n\":{}}}", page * RECORDS + record)).collect();
            let next = if page + 1 < PAGES { format!("\"{}\"", page + 1) } else { "null".to_owned() };
            format!("{{\"items\":[{}],\"next\":{next}}}", records.join(","))
        }
    })
}
