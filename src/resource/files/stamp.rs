use cap_std::fs::{Metadata, MetadataExt};
use serde::{Deserialize, Serialize};

/// What a file looked like when it was put in its place: whether it is still the same is told by that, without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileStamp {
    /// How many bytes it has.
    pub bytes: u64,
    /// When it was changed last, in nanoseconds since 1970.
    modified: i64,
    /// Its number in the file system.
    number: u64,
}

impl FileStamp {
    pub(super) fn of(metadata: &Metadata) -> Self {
        let modified = metadata.mtime().saturating_mul(1_000_000_000).saturating_add(metadata.mtime_nsec());
        Self { bytes: metadata.len(), modified, number: metadata.ino() }
    }
}
