//! A file that is read again when it has changed.

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::read_whole;

/// How long after a change was seen the file is read once more, before its metadata are believed: two changes within one tick
/// of a file system's clock look the same.
const TICK: Duration = Duration::from_secs(2);

/// A file beside the running service that is looked at now and then: a configuration document, a list of users.
///
/// A look compares what the file system says of the file, and reads it only where that has changed. It blocks: it belongs on
/// a thread that may.
///
/// ```
/// use rejoin::document::WatchedFile;
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("menu.txt");
/// std::fs::write(&path, "tea")?;
///
/// let mut menu = WatchedFile::new(&path, 1024);
/// assert!(menu.look(), "whatever it holds at first is new");
/// assert_eq!(menu.content(), Ok(&b"tea"[..]));
/// assert!(!menu.look());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct WatchedFile {
    path: PathBuf,
    limit: u64,
    seen: Option<Seen>,
    /// What it held at the last look, or why it could not be read; `None` before the first.
    content: Option<Result<Vec<u8>, String>>,
}

/// A stamp, and what is known of the content under it.
#[derive(Debug, Clone, Copy)]
struct Seen {
    stamp: Stamp,
    first: Instant,
    /// Whether the file was read so late that another change would have another stamp.
    is_settled: bool,
}

/// What the file system says of a file. While it is the same, so is the content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    file: (u64, u64),
    length: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl WatchedFile {
    /// The file at a path, not looked at yet. One of more than `limit` bytes counts as one that can't be read.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>, limit: u64) -> Self {
        Self { path: path.into(), limit, seen: None, content: None }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Looks whether the file holds something else than at the last look: other bytes, or none that can be read. What it holds
    /// at the first look is new.
    pub fn look(&mut self) -> bool {
        let content = match self.read_if_changed() {
            Ok(None) if self.content.is_some() => return false,
            Ok(content) => Ok(content.unwrap_or_default()),
            Err(error) => {
                self.seen = None;
                Err(error.to_string())
            }
        };
        let is_new = self.content.as_ref() != Some(&content);
        self.content = Some(content);
        is_new
    }

    /// What it held at the last look.
    ///
    /// # Errors
    ///
    /// Why it could not be read, without its path.
    pub fn content(&self) -> Result<&[u8], &str> {
        match &self.content {
            None => Err("it has not been read yet"),
            Some(Ok(bytes)) => Ok(bytes),
            Some(Err(error)) => Err(error),
        }
    }

    fn read_if_changed(&mut self) -> io::Result<Option<Vec<u8>>> {
        let metadata = std::fs::metadata(&self.path)?;
        let (stamp, now) = (Stamp::of(&metadata), Instant::now());
        let first = match self.seen {
            Some(seen) if seen.stamp == stamp && seen.is_settled => return Ok(None),
            Some(seen) if seen.stamp == stamp => seen.first,
            _ => now,
        };
        let bytes = read_whole(&self.path, self.limit)?;
        self.seen = Some(Seen { stamp, first, is_settled: now.duration_since(first) > TICK });
        Ok(Some(bytes))
    }
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self {
            file: (metadata.dev(), metadata.ino()),
            length: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn watched(content: &[u8]) -> (WatchedFile, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, content).unwrap();
        (WatchedFile::new(path, 8), folder)
    }

    #[test]
    fn other_content_of_the_same_length_is_noticed_at_once() {
        let (mut file, _folder) = watched(b"one");
        assert!(file.look());
        assert!(!file.look());
        fs::write(file.path(), b"two").unwrap();
        assert!(file.look());
        assert_eq!(file.content(), Ok(&b"two"[..]));
    }

    #[test]
    fn a_file_that_was_written_again_with_the_same_content_has_not_changed() {
        let (mut file, _folder) = watched(b"one");
        file.look();
        fs::write(file.path(), b"one").unwrap();
        assert!(!file.look());
    }

    #[test]
    fn a_file_that_is_gone_is_noticed_once_and_so_is_its_return() {
        let (mut file, _folder) = watched(b"one");
        file.look();
        fs::remove_file(file.path()).unwrap();
        assert!(file.look());
        assert!(file.content().is_err());
        assert!(!file.look());
        fs::write(file.path(), b"one").unwrap();
        assert!(file.look());
    }

    #[test]
    fn what_is_too_large_or_no_file_is_not_read() {
        let (mut file, folder) = watched(b"123456789");
        file.look();
        assert_eq!(file.content(), Err("it has more than 8 bytes"));
        let mut folder = WatchedFile::new(folder.path(), 8);
        folder.look();
        assert_eq!(folder.content(), Err("it is not a file"));
    }

    #[test]
    fn an_empty_file_is_content() {
        let (mut file, _folder) = watched(b"");
        assert!(file.look());
        assert_eq!(file.content(), Ok(&b""[..]));
    }
}
