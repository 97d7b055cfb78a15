//! A file of accounts that is looked at again while the service runs.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read};
#[cfg(unix)]
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, SystemTime};

use parking_lot::{Mutex, RwLock};
use sha2::{Digest, Sha256};

use super::account::Wrong;
use super::{AuthenticatorError, Refreshed};
use crate::document::{Element, Position};
use crate::service::{ConfigurationError, ConfigurationErrors};
use crate::session::Principal;

/// The largest file that is read.
const LARGEST: u64 = 64 * 1024 * 1024;

/// For how long a file that has changed has to be left alone before it is believed.
const STILL: Duration = Duration::from_millis(50);

/// Two changes within this time may bear the same time.
const TICK: Duration = Duration::from_secs(2);

/// The accounts of a file, made up for those who look one up.
pub(super) trait Accounts: Sized {
    /// Reads them from the text of the file.
    fn read(text: &str) -> Result<Self, Vec<Wrong>>;

    /// Everybody who is let in.
    fn principals(&self) -> BTreeSet<Principal>;
}

/// A file of accounts, as last read without an error.
#[derive(Debug)]
pub(super) struct AccountBook<A> {
    path: PathBuf,
    current: RwLock<Arc<A>>,
    seen: Mutex<Seen>,
}

/// What the file was when it was last looked at.
#[derive(Debug)]
struct Seen {
    /// As long as the file has this stamp nobody needs to read it. `None`: it has to be read.
    stamp: Option<Stamp>,
    /// The SHA-256 of what was last read, good or bad. `None`: it could not be read, and that was told.
    content: Option<[u8; 32]>,
}

/// What changes when a file does.
#[derive(Debug, PartialEq, Eq)]
struct Stamp {
    modified: SystemTime,
    length: u64,
    /// Device and inode: a file that was put into the place of another.
    #[cfg(unix)]
    identity: (u64, u64),
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
        let stamp = Stamp::of(&path).filter(Stamp::is_settled);
        let bytes = read_bounded(&path)
            .map_err(|error| location.error(format!("{} can't be read: {error}", path.display())))?;
        let accounts = read_accounts(&bytes).map_err(|wrong| in_file(&path, wrong))?;
        warn_if_others_read(&path);
        let seen = Seen { stamp, content: Some(Sha256::digest(&bytes).into()) };
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
        match self.changed_bytes().as_deref().map(read_accounts) {
            None => Refreshed::default(),
            Some(Ok(accounts)) => self.replace(accounts),
            Some(Err(wrong)) => {
                let error = in_file(&self.path, wrong);
                tracing::error!(%error, "a file of accounts is wrong: who was known stays known, and nobody else");
                Refreshed::default()
            }
        }
    }

    /// What stands in the file, if that is something else than when it was last read.
    fn changed_bytes(&self) -> Option<Vec<u8>> {
        let mut seen = self.seen.lock();
        let stamp = Stamp::of(&self.path);
        if stamp.is_some() && stamp == seen.stamp {
            return None;
        }
        let bytes = match read_bounded(&self.path) {
            Ok(bytes) => bytes,
            Err(error) => {
                let was_told = std::mem::replace(&mut *seen, Seen { stamp: None, content: None }).content.is_none();
                if !was_told {
                    let file = self.path.display();
                    tracing::error!(%file, %error, "a file of accounts can't be read: who was known stays known");
                }
                return None;
            }
        };
        let content = Some(Sha256::digest(&bytes).into());
        if content != seen.content {
            // Somebody may be writing it: half a file of accounts would end the sessions of those in the other half.
            thread::sleep(STILL);
            if Stamp::of(&self.path) != stamp {
                return None;
            }
        }
        seen.stamp = stamp.filter(Stamp::is_settled);
        if content == seen.content {
            return None;
        }
        seen.content = content;
        warn_if_others_read(&self.path);
        Some(bytes)
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

impl Stamp {
    fn of(path: &Path) -> Option<Self> {
        let metadata = fs::metadata(path).ok()?;
        Some(Self {
            modified: metadata.modified().ok()?,
            length: metadata.len(),
            #[cfg(unix)]
            identity: (metadata.dev(), metadata.ino()),
        })
    }

    /// Whether the next change will show: one that comes within the same tick of the file system's clock might not.
    fn is_settled(&self) -> bool {
        self.modified.elapsed().is_ok_and(|age| age > TICK)
    }
}

fn read_bounded(path: &Path) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    let mut bytes = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST {
        return Err(io::Error::other(format!("it is larger than {LARGEST} bytes")));
    }
    Ok(bytes)
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
    let at = |wrong: Wrong| ConfigurationError { file: path.into(), position: wrong.position, message: wrong.message };
    ConfigurationErrors(wrong.into_iter().map(at).collect())
}

/// Hashes can be tried at leisure by who can read them.
fn warn_if_others_read(path: &Path) {
    #[cfg(unix)]
    if fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o004 != 0) {
        let file = path.display();
        tracing::warn!(%file, "everybody on this machine can read a file of accounts: chmod o-r it");
    }
    #[cfg(not(unix))]
    let _ = path;
}
