use http::HeaderName;
use serde::{Deserialize, Serialize};

use super::Template;

/// `rejoin.download`: answers become files of a folder, each whole or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DownloadSettings {
    /// `resource`: the data resource that is the folder; without it the first one that is a folder.
    pub resource: Option<Box<str>>,
    /// `file`, or `ms.extractor.target.file.name`: the name of the file, with variables of the unit.
    pub file: Template,
    /// `etag`: whether a file that is there already is asked for again only if it has changed.
    pub uses_etag: bool,
    /// `resume`: whether a file that broke off goes on where it did.
    pub resumes: bool,
    /// `bytes`: the most that the file may have.
    pub bytes: Option<u64>,
    /// `checksum`: what the whole file has to be.
    pub checksum: Option<Checksum>,
}

/// What a whole file is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checksum {
    /// The algorithm.
    pub algorithm: ChecksumAlgorithm,
    /// Where its digest is from.
    pub source: ChecksumSource,
}

/// Where the digest is from that a whole file has to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChecksumSource {
    /// `value`: the digest in hexadecimal or base64, with variables of the unit.
    Value(Template),
    /// `header`: a header of the answer.
    Header(HeaderName),
}

/// How a digest is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ChecksumAlgorithm {
    /// MD5: against accidents, not against anybody.
    Md5,
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

impl ChecksumAlgorithm {
    /// As in properties: `sha256`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Md5 => "md5",
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    /// How many bytes its digests have.
    #[must_use]
    pub fn bytes(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }
}
