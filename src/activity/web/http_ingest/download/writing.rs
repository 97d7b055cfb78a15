use bytes::Bytes;

use crate::activity::ActivityError;
use crate::activity::blocking::on_blocking_thread;
use crate::ingest::settings::ChecksumAlgorithm;
use crate::ingest::transfer::{Digest, Hasher, PartKept, Validator};
use crate::resource::files::{FileError, FileName, FileStamp, Folder, Part};

/// A file that is being written, with its digest so far.
pub(super) struct Writing {
    part: Part,
    hasher: Hasher,
    /// Which file it is. The bytes are those that are certain to be on disk.
    about: PartKept,
    /// Whether the version is known, so that places in it mean anything.
    can_go_on: bool,
}

/// Which file is written.
pub(super) struct About {
    pub(super) source: String,
    pub(super) validator: Validator,
    /// Whether it may be gone on with, if its version can be told.
    pub(super) goes_on: bool,
    pub(super) total: Option<u64>,
    pub(super) digest: Option<String>,
}

impl Writing {
    /// Begins a file. It blocks.
    pub(super) fn begin(folder: &Folder, about: About, algorithm: ChecksumAlgorithm) -> Result<Self, FileError> {
        let part = folder.begin()?;
        let About { source, validator, goes_on, total, digest } = about;
        let can_go_on = goes_on && validator.for_range().is_some();
        let about = PartKept { token: part.token().to_owned(), bytes: 0, source, validator, total, digest };
        Ok(Self { part, hasher: Hasher::new(algorithm), about, can_go_on })
    }

    /// Goes on with what an earlier request has left, if it is there. It blocks, and reads all of it.
    pub(super) fn go_on(
        folder: &Folder,
        about: PartKept,
        algorithm: ChecksumAlgorithm,
    ) -> Result<Option<Self>, FileError> {
        let Some(mut part) = folder.go_on(&about.token, about.bytes)? else { return Ok(None) };
        let mut hasher = Hasher::new(algorithm);
        part.read_back(|bytes| hasher.update(bytes))?;
        Ok(Some(Self { part, hasher, about, can_go_on: true }))
    }

    /// What is to be known of it to go on with it; `None` where that can't be.
    pub(super) fn kept(&self) -> Option<PartKept> {
        self.can_go_on.then(|| self.about.clone())
    }

    /// How many bytes there are.
    pub(super) fn bytes(&self) -> u64 {
        self.part.bytes()
    }

    /// How many it has when it is whole, if that is known.
    pub(super) fn total(&self) -> Option<u64> {
        self.about.total
    }

    /// The server says how many those are.
    pub(super) fn expect(&mut self, total: Option<u64>) {
        self.about.total = total.or(self.about.total);
    }

    /// The digest of the whole as a header has said it.
    pub(super) fn digest_of_header(&self) -> Option<&str> {
        self.about.digest.as_deref()
    }

    pub(super) fn source(&self) -> &str {
        &self.about.source
    }

    pub(super) fn validator(&self) -> &Validator {
        &self.about.validator
    }

    /// The digest of what there is.
    pub(super) fn digest(&self) -> Digest {
        self.hasher.clone().finish()
    }

    pub(super) fn keep(&mut self) {
        if self.can_go_on {
            self.part.keep();
        }
    }

    pub(super) fn discard(self) {
        self.part.discard();
    }

    /// Adds pieces; `syncs`: until they are certain to be on disk. It is given back whatever comes of it.
    pub(super) async fn add(
        mut self,
        pieces: Vec<Bytes>,
        syncs: bool,
    ) -> Result<(Self, Result<(), FileError>), ActivityError> {
        on_blocking_thread(move || {
            let added = self.add_now(&pieces, syncs);
            Ok((self, added))
        })
        .await
    }

    fn add_now(&mut self, pieces: &[Bytes], syncs: bool) -> Result<(), FileError> {
        for piece in pieces {
            self.part.write(piece)?;
            self.hasher.update(piece);
        }
        if syncs {
            self.part.sync()?;
            self.about.bytes = self.part.bytes();
        }
        Ok(())
    }

    /// Puts the file in its place.
    pub(super) async fn put(mut self, name: FileName) -> Result<(Self, Result<FileStamp, FileError>), ActivityError> {
        on_blocking_thread(move || {
            let put = self.part.put(&name);
            // It is all there, for the time when its place is free.
            if put.is_err() && self.part.sync().is_ok() {
                self.about.bytes = self.part.bytes();
            }
            Ok((self, put))
        })
        .await
    }
}
