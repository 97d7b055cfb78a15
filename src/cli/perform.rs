//! `rejoin perform`: posts a document and writes the answer to standard output as it comes.

use std::cell::Cell;
use std::fs;
use std::io::{self, IsTerminal, Read, Write};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use reqwest::{Method, Response, StatusCode};

use super::{PerformArguments, service};

/// How long a transfer takes before its progress is shown.
const PATIENCE: Duration = Duration::from_millis(500);

pub(super) async fn run(arguments: &PerformArguments) -> anyhow::Result<ExitCode> {
    let service = service::at(&arguments.url, &arguments.credentials)?;
    let mut url = service.address().clone();
    if let Some(name) = &arguments.return_ {
        url.query_pairs_mut().append_pair("return", name);
    }
    let mut request =
        service.bare(Method::POST, url).header("content-type", "application/xml").header("te", "trailers");
    if let Some(session) = &arguments.session {
        request = request.header("rejoin-session", session);
    }
    let response = request.body(read(arguments)?).send().await.context("the service does not answer")?;
    if !response.status().is_success() {
        let status = response.status();
        let said = response.text().await?;
        eprintln!("{}", if said.is_empty() { status.to_string() } else { said });
        if status == StatusCode::UNAUTHORIZED {
            eprintln!("rejoin: {}", super::credentials::HOW_TO_SAY_WHO_YOU_ARE);
        }
        return Ok(ExitCode::FAILURE);
    }
    let is_document = arguments.return_.is_none();
    // It goes on: its session tells how far it gets.
    let is_begun = response.status() == StatusCode::ACCEPTED;
    let Some(end) = copy(response).await? else { return Ok(ExitCode::SUCCESS) };
    if is_document && !is_begun && !completed(&end) {
        eprintln!("rejoin: the request did not complete: see its results");
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

fn read(arguments: &PerformArguments) -> anyhow::Result<Vec<u8>> {
    if arguments.file.as_os_str() == "-" {
        let mut document = Vec::new();
        io::stdin().lock().read_to_end(&mut document).context("standard input can't be read")?;
        return Ok(document);
    }
    fs::read(&arguments.file).with_context(|| format!("{} can't be read", arguments.file.display()))
}

/// Writes the body to standard output and answers with its last bytes; with `None` when whoever read it has heard enough.
async fn copy(mut response: Response) -> anyhow::Result<Option<Vec<u8>>> {
    const TAIL: usize = 512;
    let mut out = io::stdout().lock();
    let mut tail = Vec::new();
    let progress = Progress::begin(response.content_length());
    loop {
        let chunk = match response.chunk().await {
            Ok(Some(chunk)) => chunk,
            Ok(None) => break,
            Err(error) => {
                is_heard(out.flush())?;
                bail!("the answer broke off before its end, so it is not complete: {error}");
            }
        };
        if !is_heard(out.write_all(&chunk))? {
            return Ok(None);
        }
        progress.advance(chunk.len());
        tail.extend_from_slice(&chunk[chunk.len().saturating_sub(TAIL)..]);
        tail.drain(..tail.len().saturating_sub(TAIL));
    }
    Ok(is_heard(out.flush())?.then_some(tail))
}

/// Whether somebody still reads standard output. That a reader closes it (`| head`) is no error.
fn is_heard(written: io::Result<()>) -> io::Result<bool> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        written => written.map(|()| true),
    }
}

/// The request's own status stands last in a response document.
fn completed(end: &[u8]) -> bool {
    let end = String::from_utf8_lossy(end);
    end.rsplit_once("<request ").is_some_and(|(_, request)| request.starts_with("status=\"COMPLETED\""))
}

/// Progress on standard error, where that is a terminal and standard output is not, once the transfer has taken a while.
struct Progress {
    bar: ProgressBar,
    is_shown: Cell<bool>,
}

impl Progress {
    fn begin(size: Option<u64>) -> Self {
        let bar = size.map_or_else(ProgressBar::no_length, ProgressBar::new);
        bar.set_draw_target(ProgressDrawTarget::hidden());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {bytes} in {elapsed} ({bytes_per_sec})") {
            bar.set_style(style);
        }
        let is_wanted = io::stderr().is_terminal() && !io::stdout().is_terminal();
        Self { bar, is_shown: Cell::new(!is_wanted) }
    }

    fn advance(&self, bytes: usize) {
        if !self.is_shown.get() && self.bar.elapsed() > PATIENCE {
            self.is_shown.set(true);
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        self.bar.inc(bytes as u64);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
