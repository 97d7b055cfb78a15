//! The folder of a store: its files, who may read them, and the lock.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::fault::Fault;
use crate::session::StoreError;

/// The file that holds everything.
const FILE: &str = "sessions.db";

/// The same while it is being made.
const NEW: &str = "sessions.db.new";

/// The file that is locked while a process has the store open.
const LOCK: &str = "lock";

/// What SQLite puts beside a file, by the end of its name.
const COMPANIONS: [&str; 3] = ["-wal", "-shm", "-journal"];

/// The folder of a store.
#[derive(Debug, Clone)]
pub(super) struct Folder {
    path: PathBuf,
}

impl Folder {
    pub(super) fn new(path: &Path) -> Self {
        Self { path: path.into() }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn file(&self) -> PathBuf {
        self.path.join(FILE)
    }

    /// The log of what was committed and is not in the file yet.
    pub(super) fn log(&self) -> PathBuf {
        self.path.join(format!("{FILE}-wal"))
    }

    /// Where the file is made before it gets its name.
    pub(super) fn unfinished(&self) -> PathBuf {
        self.path.join(NEW)
    }

    /// Makes the folder if it is not there, for its owner alone.
    pub(super) fn make(&self) -> Result<(), Fault> {
        if self.path.is_dir() {
            return Ok(());
        }
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&self.path)?;
        self.path.parent().map_or(Ok(()), sync_folder)
    }

    /// Whether anybody may have the store open: whoever has holds a lock on this.
    pub(super) fn has_lock(&self) -> bool {
        self.path.join(LOCK).exists()
    }

    /// Locks the store for this process, as long as the answer lives.
    pub(super) fn lock(&self) -> Result<File, StoreError> {
        let failed = |error: io::Error| Fault::from(error).at(&self.path);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let lock = private(&mut options).open(self.path.join(LOCK)).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => Ok(lock),
            Err(TryLockError::WouldBlock) => Err(StoreError::InUse { path: self.path.clone() }),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }

    /// Makes an empty file that only its owner can read. SQLite gives the files beside it the same rights.
    pub(super) fn begin(&self) -> Result<PathBuf, Fault> {
        self.remove_unfinished()?;
        let path = self.unfinished();
        private(OpenOptions::new().write(true).create_new(true)).open(&path)?;
        Ok(path)
    }

    /// Gives the file that was begun its name, once all of it is on disk.
    pub(super) fn finish(&self) -> Result<(), Fault> {
        File::open(self.unfinished())?.sync_all()?;
        fs::rename(self.unfinished(), self.file())?;
        sync_folder(&self.path)
    }

    /// Removes what was begun and not finished.
    pub(super) fn remove_unfinished(&self) -> Result<(), Fault> {
        for end in COMPANIONS.into_iter().chain([""]) {
            match fs::remove_file(self.path.join(format!("{NEW}{end}"))) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
                _ => {}
            }
        }
        Ok(())
    }

    /// Removes a log in which nothing is, as SQLite makes one when it opens a file.
    pub(super) fn remove_empty_log(&self) -> Result<(), Fault> {
        if fs::metadata(self.log()).is_ok_and(|metadata| metadata.len() == 0) {
            fs::remove_file(self.log())?;
        }
        Ok(())
    }

    /// Removes a finished file that nobody has opened.
    pub(super) fn remove_file(&self) -> Result<(), Fault> {
        match fs::remove_file(self.file()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// Bytes on disk.
    pub(super) fn bytes(&self) -> u64 {
        let files = COMPANIONS.into_iter().chain([""]).map(|end| self.path.join(format!("{FILE}{end}")));
        files.filter_map(|file| fs::metadata(file).ok()).map(|metadata| metadata.len()).sum()
    }
}

fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

/// Makes sure that the names in a folder survive the loss of power.
pub(super) fn sync_folder(path: &Path) -> Result<(), Fault> {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    if cfg!(unix) {
        File::open(path)?.sync_all()?;
    }
    Ok(())
}
