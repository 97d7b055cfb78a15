use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use cap_std::fs::{Dir, OpenOptions};

use super::name::OWN;
use super::{FileError, FileName, FileStamp, FolderSettings};

/// How much is read at a time of what is there already.
const READ_BYTES: usize = 256 * 1024;

/// A file that is being written, and has no place yet.
///
/// It is in a folder of its own below the one that is granted (`.rejoin-parts`), locked, under a name that nobody can guess. Dropped,
/// it is removed, unless it is [kept](Part::keep).
#[derive(Debug)]
pub struct Part {
    dir: Dir,
    token: String,
    file: File,
    bytes: u64,
    is_kept: bool,
    is_placed: bool,
}

impl Part {
    pub(super) fn begin(dir: Dir, settings: &FolderSettings) -> Result<Self, FileError> {
        let failed = |error: &io::Error| FileError::of(error, "begin a file");
        dir.create_dir_all(folder()).map_err(|error| failed(&error))?;
        let mut lot = [0; 16];
        getrandom::fill(&mut lot)
            .map_err(|error| FileError::Unavailable { message: format!("no random bytes: {error}") })?;
        let token: String = lot.iter().map(|byte| format!("{byte:02x}")).collect();
        let options = OpenOptions::new().read(true).write(true).create_new(true).clone();
        let file = dir.open_with(place(&token), &options).map_err(|error| failed(&error))?.into_std();
        // Nobody else has it; where a file system knows no locks, nobody is kept away.
        let _ = file.try_lock();
        let part = Self { dir, token, file, bytes: 0, is_kept: false, is_placed: false };
        part.sweep(settings.keeps_unfinished);
        Ok(part)
    }

    pub(super) fn go_on(dir: Dir, token: &str, bytes: u64) -> Result<Option<Self>, FileError> {
        let is_token = token.len() == 32 && token.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_token {
            return Ok(None);
        }
        let failed = |error: &io::Error| FileError::of(error, "go on with a file");
        let mut options = OpenOptions::new();
        let file = match dir.open_with(place(token), options.read(true).write(true)) {
            Ok(file) => file.into_std(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(&error)),
        };
        if is_used(&file) {
            return Ok(None);
        }
        if file.metadata().map_err(|error| failed(&error))?.len() < bytes {
            return Ok(None);
        }
        // What lies behind may have come after the last time that it was certain to be on disk.
        file.set_len(bytes).map_err(|error| failed(&error))?;
        Ok(Some(Self { dir, token: token.to_owned(), file, bytes, is_kept: true, is_placed: false }))
    }

    /// What it is found by again.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.token
    }

    /// How many bytes it has.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Reads what it has from the beginning, a piece at a time, to work out a digest.
    ///
    /// # Errors
    ///
    /// [`FileError::Unavailable`].
    pub fn read_back(&mut self, mut take: impl FnMut(&[u8])) -> Result<(), FileError> {
        let failed = |error: &io::Error| FileError::of(error, "read an unfinished file");
        self.file.seek(SeekFrom::Start(0)).map_err(|error| failed(&error))?;
        let mut piece = vec![0; READ_BYTES];
        let mut left = self.bytes;
        while left > 0 {
            let most = usize::try_from(left).map_or(piece.len(), |left| left.min(piece.len()));
            self.file.read_exact(&mut piece[..most]).map_err(|error| failed(&error))?;
            take(&piece[..most]);
            left -= most as u64;
        }
        Ok(())
    }

    /// Adds bytes at its end.
    ///
    /// # Errors
    ///
    /// [`FileError::Full`], [`FileError::Unavailable`]; it has what it had before then.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), FileError> {
        let written = self.file.seek(SeekFrom::Start(self.bytes)).and_then(|_| self.file.write_all(bytes));
        written.map_err(|error| FileError::of(&error, "write a file"))?;
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    /// Returns when all that it has is certain to be on disk.
    ///
    /// # Errors
    ///
    /// [`FileError::Full`], [`FileError::Unavailable`].
    pub fn sync(&self) -> Result<(), FileError> {
        self.file.sync_data().map_err(|error| FileError::of(&error, "write a file"))
    }

    /// Leaves it where it is when it is dropped, to be gone on with.
    pub fn keep(&mut self) {
        self.is_kept = true;
    }

    /// Removes it.
    pub fn discard(mut self) {
        self.is_kept = false;
    }

    /// Puts it in its place, in that of a file of the same name if there is one: whoever opens the name gets the one or the other,
    /// whole. The folders that the name has are made. When it returns, that is certain to be on disk.
    ///
    /// # Errors
    ///
    /// [`FileError::Outside`] when the name leads out of the folder by a symbolic link, [`FileError::Full`],
    /// [`FileError::Unavailable`]; nothing has its place then, and the part is as it was before.
    pub fn put(&mut self, name: &FileName) -> Result<FileStamp, FileError> {
        let put = || -> io::Result<FileStamp> {
            self.file.sync_all()?;
            let made = self.make_folders(name)?;
            self.dir.rename(place(&self.token), &self.dir, name.path())?;
            for folder in made.iter().map(PathBuf::as_path).chain([name.parent().unwrap_or(Path::new("."))]) {
                // A directory is written by its handle for reading.
                self.dir.open(folder)?.sync_all()?;
            }
            Ok(FileStamp::of(&self.dir.symlink_metadata(name.path())?))
        };
        let stamp = put().map_err(|error| match error.kind() {
            io::ErrorKind::CrossesDevices => FileError::Unavailable {
                message: format!(
                    "can't put `{name}` in its place: its folder lies on another file system, and has to be granted by itself"
                ),
            },
            _ => FileError::of(&error, &format!("put `{name}` in its place")),
        })?;
        self.is_placed = true;
        Ok(stamp)
    }

    /// Makes the folders of a name. Gives those that hold what is new.
    fn make_folders(&self, name: &FileName) -> io::Result<Vec<PathBuf>> {
        let Some(parent) = name.parent() else { return Ok(Vec::new()) };
        match self.dir.metadata(parent) {
            Ok(_) => return Ok(Vec::new()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        self.dir.create_dir_all(parent)?;
        let above = parent.ancestors().skip(1);
        Ok(above.map(|folder| if folder.as_os_str().is_empty() { ".".into() } else { folder.to_owned() }).collect())
    }

    /// Removes the parts that nobody has gone on with for so long, by the clock of the file system. What can't be removed is left.
    fn sweep(&self, keeps: Duration) {
        let now = self.file.metadata().and_then(|metadata| metadata.modified()).ok();
        let Some(limit) = now.and_then(|now| now.checked_sub(keeps)) else { return };
        let Ok(parts) = self.dir.read_dir(folder()) else { return };
        for part in parts.flatten() {
            let modified = part.metadata().and_then(|metadata| metadata.modified());
            let is_old = modified.is_ok_and(|modified| modified.into_std() < limit);
            if is_old && !part.open().is_ok_and(|file| is_used(&file.into_std())) {
                let _ = part.remove_file();
            }
        }
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.is_kept && !self.is_placed {
            // What is left is swept away later.
            let _ = self.dir.remove_file(place(&self.token));
        }
    }
}

/// Whether somebody else has it open to write it.
fn is_used(file: &File) -> bool {
    matches!(file.try_lock(), Err(TryLockError::WouldBlock))
}

fn folder() -> String {
    format!("{OWN}-parts")
}

fn place(token: &str) -> PathBuf {
    Path::new(&folder()).join(token)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::resource::ResourceSettings;
    use crate::resource::files::Folder;

    fn folder(path: &Path, keeps: Duration) -> Folder {
        let mut settings = ResourceSettings::new("file:inbox", path);
        settings.folder =
            FolderSettings { is_writable: true, creates: true, keeps_unfinished: keeps, ..FolderSettings::default() };
        Folder::at(&settings).unwrap()
    }

    fn parts(path: &Path) -> usize {
        fs::read_dir(path.join("inbox/.rejoin-parts")).unwrap().count()
    }

    #[test]
    fn a_part_is_whole_when_it_has_its_place() {
        let path = tempfile::tempdir().unwrap();
        let folder = folder(path.path(), Duration::from_hours(1));
        let mut part = folder.begin().unwrap();
        part.write(b"ab").unwrap();
        part.write(b"c").unwrap();
        let name = FileName::parse("deep/down/abc").unwrap();
        assert_eq!(folder.stamp(&name).unwrap(), None);
        let stamp = part.put(&name).unwrap();
        assert_eq!((folder.stamp(&name).unwrap(), stamp.bytes), (Some(stamp), 3));
        drop(part);
        assert_eq!(fs::read(path.path().join("inbox/deep/down/abc")).unwrap(), b"abc");
        assert_eq!(parts(path.path()), 0);
    }

    #[test]
    fn a_part_that_nobody_keeps_is_removed() {
        let path = tempfile::tempdir().unwrap();
        let folder = folder(path.path(), Duration::from_hours(1));
        let mut part = folder.begin().unwrap();
        part.write(b"abc").unwrap();
        part.discard();
        assert_eq!(parts(path.path()), 0);
    }

    #[test]
    fn a_part_that_is_kept_is_gone_on_with_by_one_at_a_time() {
        let path = tempfile::tempdir().unwrap();
        let folder = folder(path.path(), Duration::from_hours(1));
        let mut part = folder.begin().unwrap();
        part.write(b"abcdef").unwrap();
        part.sync().unwrap();
        part.keep();
        let token = part.token().to_owned();
        assert!(folder.go_on(&token, 4).unwrap().is_none(), "it is in use");
        drop(part);
        assert!(folder.go_on(&token, 7).unwrap().is_none(), "it holds less");
        for other in ["", "../x", &"0".repeat(32)] {
            assert!(folder.go_on(other, 0).unwrap().is_none());
        }
        let mut part = folder.go_on(&token, 4).unwrap().unwrap();
        part.write(b"!").unwrap();
        let mut read = Vec::new();
        part.read_back(|bytes| read.extend_from_slice(bytes)).unwrap();
        assert_eq!((&*read, part.bytes()), (&b"abcd!"[..], 5));
    }

    #[test]
    fn parts_that_are_old_are_swept_away_unless_somebody_writes_them() {
        let path = tempfile::tempdir().unwrap();
        let folder = folder(path.path(), Duration::ZERO);
        let written = folder.begin().unwrap();
        let mut left = folder.begin().unwrap();
        left.keep();
        drop(left);
        let day = Duration::from_hours(24);
        for part in fs::read_dir(path.path().join("inbox/.rejoin-parts")).unwrap() {
            let file = File::options().write(true).open(part.unwrap().path()).unwrap();
            let modified = file.metadata().unwrap().modified().unwrap();
            file.set_modified(modified.checked_sub(day).unwrap()).unwrap();
        }
        let last = folder.begin().unwrap();
        assert_eq!(parts(path.path()), 2, "the one that is written, and the last");
        drop((written, last));
    }
}
