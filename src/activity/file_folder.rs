//! Where an activity puts files.

use crate::resource::files::Folder;

/// The folder of an activity: [`Setup::writable_folder`](super::Setup::writable_folder).
#[derive(Debug, Clone)]
pub struct FileFolder {
    name: Box<str>,
    folder: Folder,
}

impl FileFolder {
    pub(super) fn new(name: &str, folder: &Folder) -> Self {
        Self { name: name.into(), folder: folder.clone() }
    }

    /// Its name among the data resources of its data service resource; empty where it has none.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Folder {
        &self.folder
    }
}
