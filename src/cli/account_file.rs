//! A file of accounts that gets a line.

use std::fs::{self, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use tempfile::NamedTempFile;

use crate::document::read_whole;
use crate::service::account::{Account, MOST_BYTES, Wrong};
use crate::service::{Caller, ConfigurationError, ConfigurationErrors};

/// Reads what stands in such a file.
pub(super) type Read<S> = fn(&str) -> Result<Vec<Account<S>>, Vec<Wrong>>;

/// A file of accounts, as it was read.
pub(super) struct AccountFile<S> {
    path: PathBuf,
    text: String,
    accounts: Vec<Account<S>>,
    read: Read<S>,
}

impl<S> AccountFile<S> {
    /// Reads a file; one that is not there is empty.
    ///
    /// # Errors
    ///
    /// When it can't be read, or holds what the service would refuse.
    pub(super) fn open(path: &Path, read: Read<S>) -> anyhow::Result<Self> {
        // What is no file is not read, and above all not replaced: whoever may do so would replace the null device.
        let text = match read_whole(path, MOST_BYTES) {
            Ok(bytes) => String::from_utf8(bytes).with_context(|| format!("{} is not UTF-8", path.display()))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(anyhow!(error).context(format!("{} can't be read", path.display()))),
        };
        let accounts = read(&text).map_err(|wrong| in_file(path, wrong)).context("nothing was changed")?;
        Ok(Self { path: path.into(), text, accounts, read })
    }

    /// Who the account of that name is.
    pub(super) fn caller(&self, name: &str) -> Option<&Caller> {
        self.account(name).map(|account| &account.caller)
    }

    fn account(&self, name: &str) -> Option<&Account<S>> {
        self.accounts.iter().find(|account| account.name == name)
    }

    /// Puts a line in the place of the one of that name, or at the end. The file is replaced in one step: whoever reads it
    /// meanwhile sees it as it was, or as it will be.
    ///
    /// # Errors
    ///
    /// When the service would refuse the line beside the others, or the file can't be written.
    pub(super) fn put(&self, name: &str, line: &str) -> anyhow::Result<()> {
        let replaced = self.account(name).map(|account| account.line);
        let mut text = String::new();
        for (number, old) in (1..).zip(self.text.lines()) {
            text.push_str(if replaced == Some(number) { line } else { old });
            text.push('\n');
        }
        if replaced.is_none() {
            text.push_str(line);
            text.push('\n');
        }
        (self.read)(&text).map_err(|wrong| in_file(&self.path, wrong)).context("nothing was changed")?;
        self.write(&text).with_context(|| format!("{} can't be written", self.path.display()))?;
        let done = if replaced.is_some() { "replaced" } else { "added" };
        eprintln!("{}: the line of {name} was {done}", self.path.display());
        Ok(())
    }

    /// A new file is its owner's alone; one that was there keeps owner and mode.
    fn write(&self, text: &str) -> io::Result<()> {
        // A link is followed, so that the file that it names is the one that is replaced.
        let path = fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone());
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        // Readable by its owner alone from the first moment.
        let mut file = NamedTempFile::new_in(folder)?;
        file.write_all(text.as_bytes())?;
        if let Ok(old) = fs::metadata(&path) {
            let new = file.as_file().metadata()?;
            if (old.uid(), old.gid()) != (new.uid(), new.gid()) {
                fchown(file.as_file(), Some(old.uid()), Some(old.gid()))?;
            }
            file.as_file().set_permissions(Permissions::from_mode(old.mode() & 0o7777))?;
        }
        file.as_file().sync_all()?;
        file.persist(&path)?;
        Ok(())
    }
}

fn in_file(path: &Path, wrong: Vec<Wrong>) -> ConfigurationErrors {
    ConfigurationErrors(wrong.into_iter().map(|wrong| wrong.in_file(path)).collect::<Vec<ConfigurationError>>())
}
