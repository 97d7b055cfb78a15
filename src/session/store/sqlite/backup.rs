//! A copy of a store that is in use.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};

use super::fault::Fault;
use super::folder::{Folder, sync_folder};
use super::opening;

/// Pages that are copied at once.
const STEP: i32 = 256;

/// How long the disk is left to others between two steps.
const PAUSE: Duration = Duration::from_millis(1);

/// Copies everything as it is now into a folder that is not there yet, which is a store then.
///
/// The connection reads as of one moment for as long as it takes, and nobody waits for it; only the log can't begin anew
/// meanwhile. The copy is made in a folder beside it, `….unfinished`, which gets its name when the copy is complete, checked
/// and on disk.
pub(super) fn write(source: &Connection, to: &Path) -> Result<(), Fault> {
    if to.exists() {
        return Err(exists(to));
    }
    let unfinished = Folder::new(&beside(to)?);
    remove(&unfinished)?;
    let copied = copy(source, &unfinished);
    if copied.is_err() {
        // What was told first counts.
        let _ = remove(&unfinished);
    }
    copied?;
    if to.exists() {
        return Err(exists(to));
    }
    fs::rename(unfinished.path(), to)?;
    to.parent().map_or(Ok(()), sync_folder)
}

fn copy(source: &Connection, folder: &Folder) -> Result<(), Fault> {
    folder.make()?;
    let path = folder.begin()?;
    let mut target = Connection::open(path)?;
    source.execute_batch("BEGIN; SELECT 1 FROM state")?;
    let copied = copy_pages(source, &mut target);
    source.execute_batch("COMMIT")?;
    copied?;
    opening::check_copy(&target)?;
    target.close().map_err(|(_, error)| error)?;
    folder.finish()
}

fn copy_pages(source: &Connection, target: &mut Connection) -> Result<(), Fault> {
    let backup = Backup::new(source, target)?;
    while backup.step(STEP)? != StepResult::Done {
        std::thread::sleep(PAUSE);
    }
    Ok(())
}

fn exists(to: &Path) -> Fault {
    Fault::Io(std::io::Error::other(format!("`{}` is there already: name a folder that is not", to.display())))
}

/// The folder in which the copy is made.
fn beside(to: &Path) -> Result<PathBuf, Fault> {
    let name = to.file_name().ok_or_else(|| exists(to))?;
    let mut name = name.to_os_string();
    name.push(".unfinished");
    Ok(to.with_file_name(name))
}

/// Removes a copy that was not finished.
fn remove(folder: &Folder) -> Result<(), Fault> {
    if !folder.path().exists() {
        return Ok(());
    }
    folder.remove_unfinished()?;
    folder.remove_file()?;
    fs::remove_dir(folder.path())?;
    Ok(())
}
