//! A refresh token, and the file that it is kept in.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use super::read_secret;
use crate::resource::relational::access::{PasswordSource, Secret};
use crate::resource::web::WebError;

/// A refresh token that may be good for one time only: each answer may bring the next one.
pub(super) struct KeptToken {
    source: PasswordSource,
    keeps_new: bool,
    /// What the source held when it was last read, and what came in its place.
    known: Option<(Secret, Secret)>,
}

impl KeptToken {
    pub(super) fn new(source: PasswordSource, keeps_new: bool) -> Self {
        Self { source, keeps_new, known: None }
    }

    /// The token to use next. One that was put into the source since counts more than one that came with an answer.
    pub(super) async fn current(&mut self) -> Result<Secret, WebError> {
        let read = read_secret(&self.source).await?;
        match &self.known {
            Some((before, current)) if *before == read => Ok(current.clone()),
            _ => {
                self.known = Some((read.clone(), read.clone()));
                Ok(read)
            }
        }
    }

    /// Takes the token that came with an answer, and writes it to its file if it is to be kept.
    ///
    /// The old one is good for nothing any more, so a file that can't be written ends nothing now: that is told in the log.
    pub(super) async fn replace(&mut self, new: Secret, endpoint: &str) {
        let before = match &self.known {
            Some((_, current)) if *current == new => return,
            Some((before, _)) => before.clone(),
            None => new.clone(),
        };
        let written = match &self.source {
            PasswordSource::File(path) if self.keeps_new => {
                let (path, token) = (path.clone(), new.clone());
                let written = tokio::task::spawn_blocking(move || write(&path, &token)).await;
                written.map_err(io::Error::other).flatten().map(|()| true)
            }
            PasswordSource::File(_) | PasswordSource::Environment(_) => Ok(false),
        };
        match written {
            Ok(true) => self.known = Some((new.clone(), new)),
            Ok(false) => {
                tracing::warn!(
                    endpoint,
                    "a new refresh token came that is kept in memory only: if the old one is not good any more, the service \
                     can't go on after a restart; let it be kept (keep=\"true\")"
                );
                self.known = Some((before, new));
            }
            Err(error) => {
                tracing::error!(endpoint, %error, "a new refresh token can't be written to its file; it is kept in memory only");
                self.known = Some((before, new));
            }
        }
    }
}

/// Puts a token into a file that only the service can read, at once and for good: whoever reads meanwhile finds the old or the
/// new one.
fn write(path: &Path, token: &Secret) -> io::Result<()> {
    // A link stays one.
    let path = path.canonicalize()?;
    let folder = path.parent().unwrap_or(Path::new("/"));
    // Made with mode 0600.
    let mut file = tempfile::Builder::new().prefix(".token-").tempfile_in(folder)?;
    file.write_all(token.reveal().as_bytes())?;
    file.write_all(b"\n")?;
    file.as_file().sync_all()?;
    file.persist(&path)?;
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn file(content: &str) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        fs::write(&path, content).unwrap();
        (folder, path)
    }

    async fn current(kept: &mut KeptToken) -> String {
        kept.current().await.unwrap().reveal().to_owned()
    }

    #[tokio::test]
    async fn a_token_that_is_kept_stands_in_its_file_for_nobody_else() {
        let (folder, path) = file("first\n");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let link = folder.path().join("link");
        symlink(&path, &link).unwrap();
        let mut kept = KeptToken::new(PasswordSource::File(link.clone()), true);
        assert_eq!(current(&mut kept).await, "first");
        kept.replace(Secret::from("second"), "end-point").await;
        assert_eq!(fs::read_to_string(&path).unwrap(), "second\n");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(current(&mut kept).await, "second");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
        assert_eq!(current(&mut KeptToken::new(PasswordSource::File(link), true)).await, "second");
    }

    #[tokio::test]
    async fn a_token_that_is_not_kept_is_used_until_the_file_has_another() {
        let (_folder, path) = file("first");
        let mut kept = KeptToken::new(PasswordSource::File(path.clone()), false);
        assert_eq!(current(&mut kept).await, "first");
        kept.replace(Secret::from("second"), "end-point").await;
        assert_eq!((current(&mut kept).await, fs::read_to_string(&path).unwrap()), ("second".into(), "first".into()));
        fs::write(&path, "third").unwrap();
        assert_eq!(current(&mut kept).await, "third");
    }

    #[tokio::test]
    async fn a_file_that_can_not_be_written_ends_nothing() {
        let (folder, path) = file("first");
        let mut kept = KeptToken::new(PasswordSource::File(path), true);
        assert_eq!(current(&mut kept).await, "first");
        drop(folder);
        kept.replace(Secret::from("second"), "end-point").await;
        assert_eq!(kept.known.as_ref().unwrap().1.reveal(), "second");
    }
}
