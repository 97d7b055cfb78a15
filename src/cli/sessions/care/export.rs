//! `rejoin sessions export`

use std::io::{self, BufWriter, ErrorKind, IsTerminal, Write};
use std::path::Path;
use std::sync::Arc;

use anyhow::{bail, ensure};
use tempfile::NamedTempFile;

use super::progress::Progress;
use super::terminal::Harmless;
use super::{ExportArguments, counts};
use crate::session::archive::{ArchiveError, Counts, Wanted, export};
use crate::session::{Principal, SessionHandle, SqliteSnapshot, SystemClock};

pub(super) fn run(arguments: &ExportArguments) -> anyhow::Result<()> {
    if let Some(to) = &arguments.to {
        ensure!(!to.exists(), "`{}` is there already: name a file that is not", to.display());
    }
    let store = SqliteSnapshot::open(&arguments.store.path)?;
    let wanted = Wanted {
        owner: if arguments.anonymous {
            Some(Principal::anonymous())
        } else {
            arguments.owner.as_deref().map(Principal::new)
        },
        handles: arguments.handles.iter().copied().map(SessionHandle::new).collect(),
    };
    let done = match &arguments.to {
        Some(to) => to_file(&store, &wanted, to)?,
        None => match to_stdout(&store, &wanted) {
            // Whoever reads it has seen enough.
            Err(ArchiveError::Io(error)) if error.kind() == ErrorKind::BrokenPipe => return Ok(()),
            done => done?,
        },
    };
    eprintln!("exported {}", counts(done));
    if !wanted.handles.is_empty() && done.sessions + done.ended < wanted.handles.len() as u64 {
        bail!("not all of these sessions are in the store{}", whose(&wanted));
    }
    Ok(())
}

fn whose(wanted: &Wanted) -> &'static str {
    if wanted.owner.is_some() { ", or they have another owner" } else { "" }
}

/// Writes a file that gets its name when it is complete, and that only its owner can read.
fn to_file(store: &SqliteSnapshot, wanted: &Wanted, to: &Path) -> anyhow::Result<Counts> {
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let written = |error: io::Error| anyhow::Error::from(error).context(format!("`{}` can't be written", to.display()));
    let mut file = NamedTempFile::new_in(folder).map_err(written)?;
    let done = write(store, wanted, BufWriter::new(file.as_file_mut())).map_err(|error| match error {
        ArchiveError::Io(error) => written(error),
        error => error.into(),
    })?;
    file.as_file().sync_all().map_err(written)?;
    file.persist_noclobber(to).map_err(|error| written(error.error))?;
    Ok(done)
}

fn to_stdout(store: &SqliteSnapshot, wanted: &Wanted) -> Result<Counts, ArchiveError> {
    let stdout = io::stdout();
    if stdout.is_terminal() {
        export(store, Arc::new(SystemClock), wanted, Harmless::new(stdout.lock()), &mut |_, _| {})
    } else {
        write(store, wanted, BufWriter::new(stdout.lock()))
    }
}

fn write(store: &SqliteSnapshot, wanted: &Wanted, to: impl Write) -> Result<Counts, ArchiveError> {
    let progress = Progress::new("exporting", 0);
    export(store, Arc::new(SystemClock), wanted, to, &mut |done, sessions| {
        progress.set(done.sessions, sessions);
    })
}
