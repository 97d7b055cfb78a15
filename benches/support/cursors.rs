//! Results that clients read over many requests, and what the service holds of them meanwhile.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::command::Service;
use super::curl::run_curl;
use super::documents::perform;
use super::people_file::SELECT_ALL;

/// How many rows a page has.
const PAGE: u32 = 10_000;

/// How many blocks of a stream are asked for at a time.
const BLOCKS: u32 = 64;

const CSV: &str = "<sqlResultsToCSV name=\"f\"><resultSet from=\"r\"/><csvOutput name=\"out\"/></sqlResultsToCSV>";

/// A way to read a result over many requests.
#[derive(Debug, Clone, Copy)]
enum Way {
    /// `openCursor`, and `fetchCursor` page by page.
    Cursor,
    /// The same in a transaction.
    CursorInTransaction,
    /// An `outputStream`, of which each request takes some blocks.
    Stream,
}

/// What it took.
#[derive(Debug)]
struct Taken {
    requests: u32,
    bytes: u64,
    time: Duration,
    /// How much more memory the service had than before, at the most, in KiB.
    growth: u64,
}

/// Reads the table of people, `rows` of them, in each way, and prints what it took. `database` is where they come from.
pub(crate) fn measure(database: &str, service: &Service, url: &str, rows: u32) -> Result<()> {
    println!("\n{database}: {rows} rows over many requests");
    let whole = size(&perform(&format!("{}{CSV}", query(SELECT_ALL))), &format!("{url}?return=out"))?;
    for way in [Way::Cursor, Way::CursorInTransaction, Way::Stream] {
        // Connections are open, code is in memory: growth is what many rows take more than few.
        way.read(service, url, 2 * PAGE)?;
        let taken = way.read(service, url, rows)?;
        ensure!(taken.bytes == whole, "{way:?}: {} bytes came, of {whole}", taken.bytes);
        println!(
            "{:<34} {:>10.2?}  in {} requests; the service's memory grew by {} MiB (bar 64)",
            way.name(),
            taken.time,
            taken.requests,
            taken.growth / 1024
        );
    }
    Ok(())
}

impl Way {
    fn name(self) -> &'static str {
        match self {
            Self::Cursor => "fetchCursor, 10,000 rows a page",
            Self::CursorInTransaction => "the same in a transaction",
            Self::Stream => "outputStream, 64 blocks at a time",
        }
    }

    fn read(self, service: &Service, url: &str, rows: u32) -> Result<Taken> {
        let sql = format!("{SELECT_ALL} WHERE id &lt;= {rows}");
        let before = service.begin_peak()?;
        let begun = Instant::now();
        let (session, sizes) = match self {
            Self::Cursor => pages(url, &sql, "", rows)?,
            Self::CursorInTransaction => {
                pages(url, &sql, "<transactionManagement name=\"t\"><begin/></transactionManagement>", rows)?
            }
            Self::Stream => blocks(url, &sql)?,
        };
        let time = begun.elapsed();
        let growth = service.peak()?.saturating_sub(before);
        run_curl(url, &perform(&format!("<session id=\"{session}\" mode=\"terminate\"/>")), &[])?;
        Ok(Taken { requests: u32::try_from(sizes.len())?, bytes: sizes.iter().sum(), time, growth })
    }
}

/// Reads by a cursor, which is opened after `first`; gives the session, and the sizes of the answers.
fn pages(url: &str, sql: &str, first: &str, rows: u32) -> Result<(String, Vec<u64>)> {
    let open = format!("<openCursor name=\"cursor\"><expression>{sql}</expression></openCursor>");
    let session = new_session(url, &format!("<sequence>{first}{open}</sequence>"), &[])?;
    let fetch = perform(&format!(
        "<session id=\"{session}\"/><fetchCursor name=\"c\"><cursor name=\"cursor\" rows=\"{PAGE}\"/><resultStream name=\"r\"/>\
         </fetchCursor>{CSV}"
    ));
    // The last one finds no more.
    let answers = (0..=rows / PAGE).map(|_| size(&fetch, &format!("{url}?return=out")));
    Ok((session, answers.collect::<Result<_>>()?))
}

/// Reads by a stream of the session.
fn blocks(url: &str, sql: &str) -> Result<(String, Vec<u64>)> {
    let tap = format!("{}{CSV}<outputStream name=\"tap\"><fromLocal from=\"out\"/></outputStream>", query(sql));
    let session = new_session(url, &tap, &["-H", "Prefer: respond-async"])?;
    let mut sizes = Vec::new();
    loop {
        let output = Command::new("curl")
            .args(["-sS", "-f", "-o", "/dev/null", "-w", "%header{rejoin-stream} %{size_download}", "-H"])
            .arg(format!("Rejoin-Session: {session}"))
            .arg(format!("{url}/session/streams/tap?blocks={BLOCKS}"))
            .output()
            .context("curl can't be run: is it installed?")?;
        ensure!(output.status.success(), "curl: {}", String::from_utf8_lossy(&output.stderr));
        let said = String::from_utf8(output.stdout)?;
        let (state, size) = said.split_once(' ').context("the service does not say how the stream stands")?;
        sizes.push(size.trim().parse()?);
        if state == "ended" {
            return Ok((session, sizes));
        }
    }
}

fn query(sql: &str) -> String {
    format!(
        "<sqlQueryStatement name=\"q\"><expression>{sql}</expression><resultStream name=\"r\"/></sqlQueryStatement>"
    )
}

/// A new session in which `content` runs.
fn new_session(url: &str, content: &str, more: &[&str]) -> Result<String> {
    let more = [more, &["-w", "%header{rejoin-session}"]].concat();
    let id = String::from_utf8(run_curl(url, &perform(&format!("<session/>{content}")), &more)?)?;
    ensure!(!id.is_empty(), "the service names no session");
    Ok(id)
}

/// How many bytes the answer to a document has.
fn size(document: &str, url: &str) -> Result<u64> {
    Ok(String::from_utf8(run_curl(url, document, &["-w", "%{size_download}"])?)?.trim().parse()?)
}
