//! The documents in `tests/corpus`.

use std::fs;
use std::path::{Path, PathBuf};

/// A kind of document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Perform,
    Response,
    Fault,
    Service,
    Resource,
    Activity,
    Session,
    /// With lists of them, and the answer to ending some.
    SessionStatus,
}

impl Kind {
    pub(super) const ALL: [Self; 8] = [
        Self::Perform,
        Self::Response,
        Self::Fault,
        Self::Service,
        Self::Resource,
        Self::Activity,
        Self::Session,
        Self::SessionStatus,
    ];

    fn folder(self) -> &'static str {
        match self {
            Self::Perform => "perform",
            Self::Response => "response",
            Self::Fault => "fault",
            Self::Service => "service",
            Self::Resource => "resource",
            Self::Activity => "activity",
            Self::Session => "session",
            Self::SessionStatus => "session-status",
        }
    }

    /// The schema of the kind: of perform documents, the one with the activities.
    pub(super) fn schema(self) -> PathBuf {
        let name = if self == Self::Perform { "activities" } else { self.folder() };
        Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas").join(name).with_extension("xsd")
    }
}

/// A document and where it comes from.
#[derive(Debug, Clone)]
pub(super) struct Document {
    /// The file.
    pub(super) origin: String,
    /// What was changed.
    pub(super) change: String,
    /// Whether the file is one of the good ones.
    pub(super) valid: bool,
    pub(super) bytes: Vec<u8>,
}

/// All documents of a kind, in the order of their names.
pub(super) fn load(kind: Kind) -> Vec<Document> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(kind.folder());
    let mut documents = Vec::new();
    for (name, valid) in [("valid", true), ("invalid", false)] {
        let mut files: Vec<PathBuf> =
            fs::read_dir(folder.join(name)).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        documents.extend(files.into_iter().map(|file| Document {
            origin: format!("{}/{name}/{}", kind.folder(), file.file_name().unwrap().display()),
            change: "as it is".into(),
            valid,
            bytes: fs::read(&file).unwrap(),
        }));
    }
    documents
}
