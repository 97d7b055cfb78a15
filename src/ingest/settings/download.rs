use super::Template;

/// `rejoin.download`: answers become files of a folder, each whole or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DownloadSettings {
    /// `file`, or `ms.extractor.target.file.name`: the name of the file, with variables of the unit.
    pub file: Template,
    /// `etag`: whether a file that is there already is asked for again only if it has changed.
    pub uses_etag: bool,
    /// `resume`: whether a file that broke off goes on where it did.
    pub resumes: bool,
    /// `checksum`: what the whole file has to be.
    pub checksum: Option<Checksum>,
}

/// What a whole file is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checksum {
    /// The algorithm.
    pub algorithm: ChecksumAlgorithm,
    /// The digest in hexadecimal or base64, with variables of the unit.
    pub value: Template,
}

/// How a digest is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChecksumAlgorithm {
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}
