//! A file of accounts that is looked at again while the service runs.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use parking_lot::{Mutex, RwLock};

use super::account::{MOST_BYTES, Wrong};
use super::{AuthenticatorError, Refreshed};
use crate::document::{Element, Position, WatchedFile};
use crate::service::ConfigurationErrors;
use crate::session::Principal;

/// For how long a file that has changed has to be left alone before it is believed.
const STILL: Duration = Duration::from_millis(50);

/// The accounts of a file, made up for those who look one up.
pub(super) trait Accounts: Sized {
    /// Reads them from the text of the file.
    fn read(text: &str) -> Result<Self, Vec<Wrong>>;

    /// Everybody who is let in.
    fn principals(&self) -> BTreeSet<Principal>;
}

/// A file of accounts, as last read without an error.
pub(super) struct AccountBook<A> {
    path: PathBuf,
    current: RwLock<Arc<A>>,
    seen: Mutex<Seen>,
}

/// The file, and how far its changes were taken.
struct Seen {
    file: WatchedFile,
    /// Whether it has changed and nobody has read what it holds now.
    is_unread: bool,
}

impl<A: Accounts> AccountBook<A> {
    /// Reads the file that `element` names by its attribute `location`, relative to `folder`.
    ///
    /// # Errors
    ///
    /// At `location` when the file can't be read, and at the place in the file of everything that is wrong there.
    pub(super) fn open(element: &Element, folder: &Path) -> Result<Self, AuthenticatorError> {
        let mut fields = element.fields();
        let location = fields.required_attribute("location")?;
        let path = folder.join(location.non_empty()?.value);
        fields.finish()?;
        let mut file = WatchedFile::new(&path, MOST_BYTES);
        file.look();
        let bytes =
            file.content().map_err(|error| location.error(format!("{} can't be read: {error}", path.display())))?;
        let accounts = read_accounts(bytes).map_err(|wrong| in_file(&path, wrong))?;
        warn_if_others_read(&path);
        let seen = Seen { file, is_unread: false };
        Ok(Self { path, current: RwLock::new(Arc::new(accounts)), seen: Mutex::new(seen) })
    }

    /// The accounts.
    pub(super) fn current(&self) -> Arc<A> {
        Arc::clone(&self.current.read())
    }

    /// Whether these are the accounts still.
    pub(super) fn is_current(&self, accounts: &Arc<A>) -> bool {
        Arc::ptr_eq(accounts, &self.current.read())
    }

    /// Reads the file again if it has changed. What is wrong with it goes to the log, and the accounts stay what they were.
    ///
    /// It blocks, for a moment longer when the file has changed.
    pub(super) fn refresh(&self) -> Refreshed {
        let mut seen = self.seen.lock();
        if !seen.has_changed() {
            return Refreshed::default();
        }
        let file = self.path.display();
        let accounts = match seen.file.content() {
            Ok(bytes) => read_accounts(bytes),
            Err(error) => {
                tracing::error!(%file, error, "a file of accounts can't be read: who was known stays known");
                return Refreshed::default();
            }
        };
        warn_if_others_read(&self.path);
        match accounts {
            Ok(accounts) => self.replace(accounts),
            Err(wrong) => {
                let error = in_file(&self.path, wrong);
                tracing::error!(%file, %error, "a file of accounts is wrong: who was known stays known, and nobody else");
                Refreshed::default()
            }
        }
    }

    /// Those of some principals who are not let in. The anonymous principal never was: it can't have been removed.
    pub(super) fn departed(&self, principals: &[Principal]) -> Vec<Principal> {
        let known = self.current().principals();
        let is_gone = |principal: &&Principal| **principal != Principal::anonymous() && !known.contains(*principal);
        principals.iter().filter(is_gone).cloned().collect()
    }

    fn replace(&self, accounts: A) -> Refreshed {
        let now = accounts.principals();
        let before = std::mem::replace(&mut *self.current.write(), Arc::new(accounts)).principals();
        let gone: Vec<Principal> = before.difference(&now).cloned().collect();
        let file = self.path.display();
        tracing::info!(%file, principals = now.len(), gone = gone.len(), "a file of accounts was read again");
        Refreshed { gone }
    }
}

impl Seen {
    /// Whether the file holds something else than was read, and is left alone.
    fn has_changed(&mut self) -> bool {
        if self.file.look() {
            self.is_unread = true;
            // Somebody may be writing it: half a file of accounts would end the sessions of those in the other half.
            thread::sleep(STILL);
            if self.file.look() {
                return false;
            }
        }
        std::mem::take(&mut self.is_unread)
    }
}

fn read_accounts<A: Accounts>(bytes: &[u8]) -> Result<A, Vec<Wrong>> {
    match str::from_utf8(bytes) {
        Ok(text) => A::read(text),
        Err(error) => {
            let position = Position::START.after(&bytes[..error.valid_up_to()]);
            Err(vec![Wrong { position, message: "a byte that is no UTF-8".into() }])
        }
    }
}

fn in_file(path: &Path, wrong: Vec<Wrong>) -> ConfigurationErrors {
    ConfigurationErrors(wrong.into_iter().map(|wrong| wrong.in_file(path)).collect())
}

/// Hashes can be tried at leisure by who can read them.
fn warn_if_others_read(path: &Path) {
    if fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o004 != 0) {
        let file = path.display();
        tracing::warn!(%file, "everybody on this machine can read a file of accounts: chmod o-r it");
    }
}

impl<A> fmt::Debug for AccountBook<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccountBook").field("path", &self.path).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Limits;

    #[derive(Debug)]
    struct Names(BTreeSet<Principal>);

    impl Accounts for Names {
        fn read(text: &str) -> Result<Self, Vec<Wrong>> {
            if text.contains('?') {
                return Err(vec![Wrong { position: Position::START, message: "a question".into() }]);
            }
            Ok(Self(text.lines().map(Principal::new).collect()))
        }

        fn principals(&self) -> BTreeSet<Principal> {
            self.0.clone()
        }
    }

    fn open(folder: &Path) -> Result<AccountBook<Names>, AuthenticatorError> {
        let element = Element::parse(b"<users location='names'/>", &Limits::default()).unwrap();
        AccountBook::open(&element, folder)
    }

    #[test]
    fn a_change_is_taken_and_tells_who_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let write = |text: &str| fs::write(folder.path().join("names"), text).unwrap();
        write("ada\ncarl");
        let book = open(folder.path()).unwrap();
        let first = book.current();
        assert_eq!(book.refresh(), Refreshed::default());
        assert!(book.is_current(&first));
        write("ada\nzoe");
        assert_eq!(book.refresh().gone, [Principal::new("carl")]);
        assert!(!book.is_current(&first) && book.current().0.contains(&Principal::new("zoe")));
        assert_eq!(book.refresh(), Refreshed::default(), "it is told once");
    }

    #[test]
    fn whoever_is_not_in_the_file_has_departed() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("names"), "ada\ncarl").unwrap();
        let book = open(folder.path()).unwrap();
        let owners = [Principal::new("ada"), Principal::new("zoe"), Principal::anonymous()];
        assert_eq!(book.departed(&owners), [Principal::new("zoe")]);
    }

    #[test]
    fn what_is_broken_changes_nothing_until_it_is_mended() {
        let folder = tempfile::tempdir().unwrap();
        let write = |text: &str| fs::write(folder.path().join("names"), text).unwrap();
        write("ada\ncarl");
        let book = open(folder.path()).unwrap();
        let first = book.current();
        write("ada\n?");
        assert_eq!(book.refresh(), Refreshed::default());
        fs::remove_file(folder.path().join("names")).unwrap();
        assert_eq!(book.refresh(), Refreshed::default());
        fs::write(folder.path().join("names"), b"ada\n\xFF").unwrap();
        assert_eq!(book.refresh(), Refreshed::default());
        assert!(book.is_current(&first));
        write("ada");
        assert_eq!(book.refresh().gone, [Principal::new("carl")]);
    }

    #[test]
    fn at_the_start_what_is_wrong_is_said_with_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("names");
        let refused = || open(folder.path()).unwrap_err().to_string();
        assert!(refused().starts_with(&format!("1:8: {} can't be read", path.display())), "{}", refused());
        fs::write(&path, b"ada\nc\xC3\xA9\xFFzoe").unwrap();
        assert_eq!(refused(), format!("{}:2:3: a byte that is no UTF-8", path.display()));
        fs::write(&path, "?").unwrap();
        assert_eq!(refused(), format!("{}:1:1: a question", path.display()));
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert!(refused().contains("can't be read"), "{}", refused());
    }
}
