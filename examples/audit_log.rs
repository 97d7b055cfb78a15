//! An audit log: a listener that writes down who did what with sessions, in a file of its own.
//!
//! A session waits for its listeners. So this one only puts a line into a channel, and a thread writes the file. Lines that the
//! disk can't take in time are counted and left out rather than hold up requests; an audit log that must miss nothing would
//! send and wait instead.
//!
//! Run it with `cargo run --example audit_log`.

use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use rejoin::service::{ConfiguredResource, Server};
use rejoin::session::{Access, EndReason, Participant, SessionError, SessionEvent, SessionListener};

/// The thread that writes, until the log is dropped.
type Writer = JoinHandle<std::io::Result<()>>;

/// So many lines wait for the disk.
const LINES: usize = 10_000;

/// Writes what happens to explicit sessions. It names them by their handles: the ids are secrets that it never sees.
#[derive(Debug)]
struct AuditLog {
    lines: SyncSender<String>,
    missed: AtomicU64,
}

impl AuditLog {
    /// A log in that file, and the thread that writes it until the log is dropped.
    fn create(path: &Path) -> Result<(Self, Writer), Box<dyn Error>> {
        let (lines, received) = sync_channel(LINES);
        let file = BufWriter::new(File::create(path)?);
        Ok((Self { lines, missed: AtomicU64::new(0) }, thread::spawn(move || write(file, &received))))
    }

    fn note(&self, line: &str) {
        let line = format!("{} {line}", chrono::Utc::now().format("%FT%T%.3fZ"));
        if self.lines.try_send(line).is_err() {
            self.missed.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Writes lines as they come, and to the disk whenever none is left.
fn write(mut file: BufWriter<File>, lines: &Receiver<String>) -> std::io::Result<()> {
    while let Ok(first) = lines.recv() {
        for line in std::iter::once(first).chain(lines.try_iter()) {
            writeln!(file, "{line}")?;
        }
        file.flush()?;
    }
    Ok(())
}

impl SessionListener for AuditLog {
    fn created(&self, session: SessionEvent<'_>) {
        if !session.implicit {
            self.note(&format!("{} created by {}", session.handle, session.owner));
        }
    }

    fn joined(&self, session: SessionEvent<'_>, request: uuid::Uuid, access: Access, _: std::time::Duration) {
        if !session.implicit {
            self.note(&format!("{} joined by request {request} ({access:?})", session.handle));
        }
    }

    fn denied(&self, who: &Participant, reason: &SessionError) {
        self.note(&format!("{} of {} denied: {}", who.request_id, who.principal, reason.code()));
    }

    fn ended(&self, session: SessionEvent<'_>, reason: EndReason) {
        if !session.implicit {
            self.note(&format!("{} ended: {reason}", session.handle));
        }
    }

    fn id_reused(&self, session: SessionEvent<'_>) {
        self.note(&format!("{} ENDED, an old id of it was used again", session.handle));
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("audit.log");
    let (audit, writer) = AuditLog::create(&file)?;
    let server = Server::builder()
        .listen("127.0.0.1:0")
        .session_listener(Arc::new(audit))
        .resource(ConfiguredResource::new("towns", "."))
        .build()?
        .start()
        .await?;
    let url = format!("{}/services/towns", server.url());
    let client = reqwest::Client::new();
    let post = |session: String| {
        let document =
            format!(r#"<perform xmlns="http://ogsadai.org.uk/namespaces/2005/10/types">{session}</perform>"#);
        client.post(&url).header("content-type", "application/xml").body(document).send()
    };

    let created = post("<session/>".into()).await?;
    let id = created.headers().get("rejoin-session").ok_or("the answer should name the session")?.to_str()?.to_owned();
    post(format!(r#"<session id="{id}"/>"#)).await?;
    post(format!(r#"<session id="{id}" mode="terminate"/>"#)).await?;
    post(format!(r#"<session id="{id}"/>"#)).await?;

    // The listener goes with the server, and the thread ends with the listener.
    server.shutdown().await;
    writer.join().map_err(|_| "the writer panicked")??;
    print!("{}", std::fs::read_to_string(file)?);
    Ok(())
}
