use serde::{Deserialize, Serialize};

use super::Validator;
use crate::ingest::settings::ChecksumAlgorithm;
use crate::resource::files::FileStamp;

/// What is known of a file that is unfinished: enough to go on with it in another process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartKept {
    /// What the part is found by in its folder.
    pub token: String,
    /// How many of its bytes are certain to be on disk.
    pub bytes: u64,
    /// Where it comes from: [`source_of`](super::source_of).
    pub source: String,
    /// Which version of the file it is of.
    pub validator: Validator,
    /// How many bytes the whole file has, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// The digest of the whole file as a header has said it, if one is to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
}

/// What is known of a file that was put in its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileKept {
    /// Where it came from: [`source_of`](super::source_of).
    pub source: String,
    /// Which version of the file it is.
    pub validator: Validator,
    /// What it looked like in its place: if it looks otherwise now, it is asked for again.
    pub stamp: FileStamp,
    /// Its digest, in hexadecimal.
    pub digest: String,
    /// How that was made.
    pub algorithm: ChecksumAlgorithm,
}
