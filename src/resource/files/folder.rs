use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use cap_std::ambient_authority;
use cap_std::fs::Dir;

use super::address::folder_of;
use super::{FileError, FileName, FileStamp, Part};
use crate::resource::{DataResource, Product, ResourceError, ResourceSettings};

/// What may be done in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderSettings {
    /// Whether files may be put there. Without it nothing in the folder is changed.
    pub is_writable: bool,
    /// Whether the folder is made if it is missing.
    pub creates: bool,
    /// The most bytes of one file; without it as many as there is room for.
    pub file_bytes: Option<u64>,
    /// How long an unfinished file is kept after its last byte, so that it can be gone on with.
    pub keeps_unfinished: Duration,
}

/// A folder that is read, and whose unfinished files are kept for a week.
impl Default for FolderSettings {
    fn default() -> Self {
        Self { is_writable: false, creates: false, file_bytes: None, keeps_unfinished: Duration::from_hours(7 * 24) }
    }
}

/// A folder, and what its operator grants.
#[derive(Debug, Clone)]
pub struct Folder {
    path: PathBuf,
    settings: FolderSettings,
}

impl Folder {
    /// The folder of a `file:` URI. It is not touched.
    ///
    /// # Errors
    ///
    /// [`ResourceError::Configuration`] when the URI is none.
    pub fn at(settings: &ResourceSettings) -> Result<Self, ResourceError> {
        let path = folder_of(&settings.uri, &settings.directory)?;
        Ok(Self { path, settings: settings.folder.clone() })
    }

    /// What may be done there.
    #[must_use]
    pub fn settings(&self) -> &FolderSettings {
        &self.settings
    }

    /// Begins a file.
    ///
    /// # Errors
    ///
    /// [`FileError::Unavailable`] when the folder does not work, [`FileError::Full`].
    pub fn begin(&self) -> Result<Part, FileError> {
        self.check_writable()?;
        Part::begin(self.open()?, &self.settings)
    }

    /// Goes on with a file that was begun: the one with that token, of which so many bytes are good. `None` when it is gone, holds
    /// less, or somebody else goes on with it.
    ///
    /// # Errors
    ///
    /// As for [`Folder::begin`].
    pub fn go_on(&self, token: &str, bytes: u64) -> Result<Option<Part>, FileError> {
        self.check_writable()?;
        Part::go_on(self.open()?, token, bytes)
    }

    /// What a file looks like; `None` if there is none of that name.
    ///
    /// # Errors
    ///
    /// [`FileError::Outside`], [`FileError::Unavailable`].
    pub fn stamp(&self, name: &FileName) -> Result<Option<FileStamp>, FileError> {
        match self.open()?.symlink_metadata(name.path()) {
            Ok(metadata) if metadata.is_file() => Ok(Some(FileStamp::of(&metadata))),
            Ok(_) => Ok(None),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(FileError::of(&error, &format!("look at `{name}`"))),
        }
    }

    fn check_writable(&self) -> Result<(), FileError> {
        if self.settings.is_writable {
            return Ok(());
        }
        Err(FileError::Unavailable { message: "nothing may be written into the folder".to_owned() })
    }

    /// The handle of the directory. It is opened anew for each use, so that a folder may be mounted, or replaced, while the service
    /// runs.
    fn open(&self) -> Result<Dir, FileError> {
        let failed = |error: std::io::Error| FileError::of(&error, "open the folder");
        if self.settings.is_writable && self.settings.creates {
            Dir::create_ambient_dir_all(&self.path, ambient_authority()).map_err(failed)?;
        }
        Dir::open_ambient_dir(&self.path, ambient_authority()).map_err(failed)
    }
}

#[async_trait]
impl DataResource for Folder {
    fn product(&self) -> Product {
        Product { name: "Files".into(), version: "1".into() }
    }

    /// Whether the folder is there.
    async fn health(&self) -> Result<(), ResourceError> {
        let folder = self.clone();
        let opened = tokio::task::spawn_blocking(move || folder.open().map(drop)).await;
        let unavailable = |message: String| ResourceError::Unavailable { message };
        let opened = opened.map_err(|error| unavailable(error.to_string()))?;
        opened.map_err(|error| unavailable(format!("{}: {error}", self.path.display())))
    }

    fn as_files(&self) -> Option<&Folder> {
        Some(self)
    }
}
