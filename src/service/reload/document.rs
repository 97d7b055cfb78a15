//! The files that a session configuration is read from, watched.

use std::path::{Path, PathBuf};

use crate::document::{Element, SessionConfiguration, WatchedFile};

/// The largest configuration document that is read, and the largest file that one names.
const MOST_BYTES: u64 = 10 * 1024 * 1024;

/// A session configuration document, and the files named by it that it is judged by.
#[derive(Debug)]
pub(super) struct WatchedDocument {
    /// The document; `None` where the sessions are configured by code.
    file: Option<WatchedFile>,
    named: Vec<WatchedFile>,
}

impl WatchedDocument {
    /// The document in a file, and of those that it names the one of that location. Not looked at yet.
    pub(super) fn new(file: Option<PathBuf>, location: Option<&str>) -> Self {
        let mut document = Self { file: file.map(|file| WatchedFile::new(file, MOST_BYTES)), named: Vec::new() };
        document.watch_named(location.map(str::to_owned));
        document
    }

    /// What it held at the last look, or why it can't be read; `None` if there is no document.
    pub(super) fn content(&self) -> Option<Result<&[u8], &str>> {
        self.file.as_ref().map(WatchedFile::content)
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        self.file.as_ref().map_or(Path::new(""), WatchedFile::path)
    }

    /// The folder in which it is.
    pub(super) fn folder(&self) -> &Path {
        self.path().parent().unwrap_or(Path::new(""))
    }

    /// Looks whether the document or what it names is another than at the last look.
    pub(super) fn look(&mut self) -> bool {
        let files = self.file.iter_mut().chain(&mut self.named);
        files.fold(false, |is_changed, file| file.look() | is_changed)
    }

    /// Watches the files that the document names, now that it says that, and no others.
    pub(super) fn watch_files_of(&mut self, configuration: &SessionConfiguration) {
        self.watch_named(files_named_in(configuration));
    }

    /// Watches files of those locations, relative to the document, and no others.
    fn watch_named(&mut self, locations: impl IntoIterator<Item = String>) {
        let folder = self.folder().to_owned();
        self.named = locations
            .into_iter()
            .map(|location| {
                let mut file = WatchedFile::new(folder.join(location), MOST_BYTES);
                file.look();
                file
            })
            .collect();
    }

    /// Watches no other of the files that the document names than that one, if it names it.
    pub(super) fn watch_only(&mut self, location: Option<&str>) {
        let path = location.map(|location| self.folder().join(location));
        self.named.retain(|file| path.as_deref() == Some(file.path()));
    }
}

/// The files that a document names: the perform document of `onCreate`, and each `location` of a static attribute.
fn files_named_in(configuration: &SessionConfiguration) -> Vec<String> {
    let mut locations: Vec<String> = configuration.on_create.iter().cloned().collect();
    for attribute in &configuration.attributes {
        add_locations(&attribute.element, &mut locations);
    }
    locations
}

fn add_locations(element: &Element, locations: &mut Vec<String>) {
    locations.extend(element.attribute("location").map(str::to_owned));
    for child in element.elements() {
        add_locations(child, locations);
    }
}
