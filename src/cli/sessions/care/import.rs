//! `rejoin sessions import`

use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, anyhow};

use super::parent::check_parent;
use super::progress::Progress;
use super::{ImportArguments, count, counts};
use crate::cli::sessions::harmless::harmless;
use crate::session::archive::{ArchiveError, check, import};
use crate::session::{Clock, Durability, SqliteStore, SystemClock};

pub(super) fn run(arguments: &ImportArguments) -> anyhow::Result<()> {
    let (file, store, longest) = (&arguments.file, &arguments.store.path, arguments.line_bytes);
    check_parent(store).with_context(|| "nothing was imported")?;
    let in_file = |error| told(error, file);
    let found = {
        let progress = Progress::new("checking", 0);
        check(open(file)?, longest, &mut |done| progress.set(done.all(), done.all())).map_err(in_file)?
    };
    let opened = SqliteStore::open(store, Durability::Full).with_context(|| "nothing was imported")?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let imported = {
        let progress = Progress::new("importing", found.all());
        import((open(file)?, longest), &opened, &clock, arguments.existing.into(), &mut |done| {
            progress.set(done.all(), found.all());
        })
        .map_err(in_file)?
    };
    say!("imported {} into {}", counts(imported.written), store.display());
    if imported.kept > 0 {
        say!("{} in the store already and kept", count(imported.kept, "was", "were"));
    }
    Ok(())
}

fn open(file: &Path) -> anyhow::Result<BufReader<File>> {
    Ok(BufReader::new(File::open(file).with_context(|| format!("`{}` can't be read", file.display()))?))
}

/// Says where, and that nothing has happened.
fn told(error: ArchiveError, file: &Path) -> anyhow::Error {
    let file = file.display();
    match error {
        ArchiveError::Line { .. } => anyhow!("{file}:{}; nothing was imported", harmless(&error.to_string())),
        ArchiveError::Io(error) => anyhow!(error).context(format!("`{file}` can't be read; nothing was imported")),
        error => anyhow!(error).context("nothing was imported"),
    }
}
