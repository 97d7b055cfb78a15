//! The file layer under the service (`disk/*.c`): built here, put under a command, told what is to go wrong.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::home::Home;

/// The words of `struct control` in `disk/disk.h`, by their place.
const WRITE: u64 = 0;
const SYNC: u64 = 2;
const OPEN: u64 = 4;
const READ: u64 = 6;
const ROOM: u64 = 8;
const SYNC_DELAY: u64 = 9;
const KILL_AFTER: u64 = 10;
const WRITES: u64 = 11;
const SYNCS: u64 = 12;
const FAILURES: u64 = 13;
const WORDS: u64 = 14;

/// What the system calls it.
pub(crate) const EIO: u64 = 5;
pub(crate) const EROFS: u64 = 30;

/// What can fail, with its place in the control page.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Failing {
    Write,
    Sync,
    Open,
    Read,
}

/// The layer, with a control page and a trace of its own.
#[derive(Debug)]
pub(crate) struct Layer {
    library: PathBuf,
    control: File,
    control_path: PathBuf,
    trace: Option<PathBuf>,
}

impl Layer {
    /// Builds the library once for a run.
    pub(crate) fn build(into: &Path) -> Result<PathBuf> {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/crash/disk");
        let library = into.join("disk.so");
        let files = ["layer.c", "trace.c", "fault.c"].map(|name| source.join(name));
        let built = Command::new("cc")
            .args(["-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o"])
            .arg(&library)
            .args(files)
            .args(["-ldl", "-lpthread"])
            .output()
            .context("`cc` is needed for the file layer")?;
        if !built.status.success() {
            bail!("the file layer does not build:\n{}", String::from_utf8_lossy(&built.stderr));
        }
        Ok(library)
    }

    /// A layer for the services of one folder. Nothing goes wrong yet.
    pub(crate) fn new(library: &Path, home: &Home, traces: bool) -> Result<Self> {
        let control_path = home.folder().join("control");
        let options = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(&control_path);
        let layer = Self {
            library: library.to_owned(),
            control: options?,
            control_path,
            trace: traces.then(|| home.folder().join("trace")),
        };
        for word in 0..WORDS {
            layer.set(word, 0)?;
        }
        layer.set(ROOM, u64::MAX)?;
        Ok(layer)
    }

    /// The command runs with the layer under it.
    pub(crate) fn put_under(&self, command: &mut Command, home: &Home) {
        command
            .env("LD_PRELOAD", &self.library)
            .env("DISK_FOLDER", home.data())
            .env("DISK_CONTROL", &self.control_path);
        if let Some(trace) = &self.trace {
            command.env("DISK_TRACE", trace);
        }
    }

    pub(crate) fn trace(&self) -> Option<&Path> {
        self.trace.as_deref()
    }

    /// Operations of that kind fail with that number of the system's, after the next `skip`.
    pub(crate) fn fail(&self, what: Failing, error: u64, skip: u64) -> Result<()> {
        let place = match what {
            Failing::Write => WRITE,
            Failing::Sync => SYNC,
            Failing::Open => OPEN,
            Failing::Read => READ,
        };
        self.set(place + 1, skip)?;
        self.set(place, error)
    }

    /// Files may grow by so many bytes; then the disk is full.
    pub(crate) fn leave_room(&self, bytes: u64) -> Result<()> {
        self.set(ROOM, bytes)
    }

    /// Every sync takes longer by that.
    pub(crate) fn slow_down(&self, delay: Duration) -> Result<()> {
        self.set(SYNC_DELAY, u64::try_from(delay.as_micros()).unwrap_or(u64::MAX))
    }

    /// The service dies in the middle of that operation from now on; 0 is never.
    pub(crate) fn kill_after(&self, operations: u64) -> Result<()> {
        self.set(KILL_AFTER, operations)
    }

    /// Nothing goes wrong any more.
    pub(crate) fn heal(&self) -> Result<()> {
        for word in [WRITE, SYNC, OPEN, READ, SYNC_DELAY, KILL_AFTER] {
            self.set(word, 0)?;
        }
        self.set(ROOM, u64::MAX)
    }

    /// How many writes and syncs there were, and how many calls were made to fail.
    pub(crate) fn counts(&self) -> Result<[u64; 3]> {
        Ok([self.word(WRITES)?, self.word(SYNCS)?, self.word(FAILURES)?])
    }

    fn set(&self, word: u64, value: u64) -> Result<()> {
        Ok(self.control.write_all_at(&value.to_le_bytes(), word * 8)?)
    }

    fn word(&self, word: u64) -> Result<u64> {
        let mut bytes = [0; 8];
        self.control.read_exact_at(&mut bytes, word * 8)?;
        Ok(u64::from_le_bytes(bytes))
    }
}

/// How long a trace is by now. Whatever was done before this was asked stands in so much of it.
pub(crate) fn length_of(trace: Option<&Path>) -> u64 {
    trace.and_then(|trace| fs::metadata(trace).ok()).map_or(0, |metadata| metadata.len())
}
