//! The body of an answer on its way into a file.

use std::time::Duration;

use http::header::ACCEPT_RANGES;

use super::writing::{About, Writing};
use super::{Download, Head, record, refused};
use crate::activity::ActivityError;
use crate::activity::blocking::on_blocking_thread;
use crate::activity::web::http_ingest::exchange::{Came, lost};
use crate::activity::web::http_ingest::run::Unit;
use crate::activity::web::http_ingest::shared::Shared;
use crate::ingest::control::{LostSeen, PageSeen, Progress, Rule, Seen};
use crate::ingest::page::Constants;
use crate::ingest::settings::{Checksum, ChecksumAlgorithm, ChecksumSource};
use crate::ingest::transfer::{Digest, FileKept, Validator};
use crate::resource::files::FileError;
use crate::resource::web::{WebBody, WebError};

/// How much is gathered before it is written.
const GATHERED: usize = 1 << 20;

/// How much may come, and for how long, before it is made certain to be on disk and known to the session.
const KEPT_BYTES: u64 = 64 << 20;
const KEPT_TIME: Duration = Duration::from_secs(1);

/// How a body has ended.
enum End {
    /// It is there, as far as it went.
    Whole,
    /// It broke off.
    Lost(WebError),
    /// It can't be written.
    Failed(FileError),
    /// There is more of it than there may be.
    TooLarge,
}

impl Download<'_> {
    /// Writes the whole file or the rest of it, and puts it in its place. `total` is how many bytes the whole has.
    pub(super) async fn receive(
        &mut self,
        unit: &Unit,
        shared: &Shared<'_>,
        progress: &Progress,
        (head, body, total, note): (Head, WebBody, Option<u64>, Option<String>),
        constants: &Constants,
    ) -> Result<Came, ActivityError> {
        let status = Some(head.status);
        if total.is_some_and(|total| total > self.limit()) {
            self.drop_part();
            return Ok(refused(status, Rule::File, self.too_large(total)));
        }
        if self.writing.is_none()
            && let Err((rule, message)) = self.begin(&head, total).await?
        {
            return Ok(refused(status, rule, message));
        }
        let Some(mut writing) = self.writing.take() else { return Err(ActivityError::Cancelled) };
        writing.expect(total);
        match self.write(unit, shared, progress, writing, body).await? {
            End::Whole => {}
            End::Lost(error) => return self.broke_off(&error, status),
            End::Failed(error) => {
                // What is certain of it is found again, if the session knows where.
                if let Some(mut writing) = self.writing.take().filter(|_| shared.keeps()) {
                    writing.keep();
                    self.kept = writing.kept();
                }
                return Ok(refused(status, Rule::File, error.to_string()));
            }
            End::TooLarge => {
                let total = self.writing.as_ref().and_then(Writing::total).filter(|total| *total <= self.limit());
                self.drop_part();
                let message = total.map_or_else(
                    || self.too_large(None),
                    |total| format!("more came than the {total} bytes that the server said the file has"),
                );
                return Ok(refused(status, Rule::File, message));
            }
        }
        let (bytes, total) = self.writing.as_ref().map_or((0, None), |writing| (writing.bytes(), writing.total()));
        if let Some(total) = total.filter(|total| bytes < *total) {
            let message = format!("the answer ended after {bytes} bytes of the file, which has {total}");
            return self.broke_off(&WebError::Transport { message, never_sent: false }, status);
        }
        let mut came = self.complete(shared, progress, &head, constants).await?;
        if let (Seen::Page(PageSeen { note: noted, .. }), Some(note)) = (&mut came.seen, note) {
            *noted = Some(note);
        }
        Ok(came)
    }

    /// Begins the file of an answer.
    async fn begin(&mut self, head: &Head, total: Option<u64>) -> Result<Result<(), (Rule, String)>, ActivityError> {
        let digest = match &self.settings.checksum {
            Some(Checksum { algorithm, source: ChecksumSource::Header(name) }) => {
                let said = head.headers.get(name).and_then(|value| value.to_str().ok());
                if said.is_none_or(|said| Digest::parse(said, *algorithm).is_none()) {
                    let algorithm = algorithm.name();
                    let message = format!("the answer says no {algorithm} digest of the file in its header `{name}`");
                    return Ok(Err((Rule::Checksum, message)));
                }
                said.map(str::to_owned)
            }
            _ => None,
        };
        let validator = if head.is_get { Validator::of(&head.headers) } else { Validator::default() };
        let has_ranges = head.headers.get(ACCEPT_RANGES).is_none_or(|ranges| ranges != "none");
        let goes_on = self.settings.resumes && has_ranges;
        let about = About { source: head.source.clone(), validator, goes_on, total, digest };
        let (folder, algorithm) = (self.folder.clone(), self.algorithm());
        match on_blocking_thread(move || Ok(Writing::begin(&folder, about, algorithm))).await? {
            Ok(writing) => {
                self.writing = Some(writing);
                Ok(Ok(()))
            }
            Err(error) => Ok(Err((Rule::File, error.to_string()))),
        }
    }

    /// Writes a body piece by piece. What there is of the file afterwards is in `self.writing`.
    async fn write(
        &mut self,
        unit: &Unit,
        shared: &Shared<'_>,
        progress: &Progress,
        mut writing: Writing,
        mut body: WebBody,
    ) -> Result<End, ActivityError> {
        let (mut pieces, mut gathered) = (Vec::new(), 0);
        let (mut kept_bytes, mut kept_at) = (writing.bytes(), shared.now());
        let limit = writing.total().unwrap_or(u64::MAX).min(self.limit());
        let end = loop {
            let piece = match body.next().await {
                Ok(Some(piece)) => piece,
                Ok(None) => break End::Whole,
                Err(WebError::Cancelled) => return Err(ActivityError::Cancelled),
                Err(error) => break End::Lost(error),
            };
            gathered += piece.len();
            pieces.push(piece);
            if writing.bytes() + gathered as u64 > limit {
                break End::TooLarge;
            }
            let is_late = shared.now().since(kept_at) >= KEPT_TIME;
            if gathered < GATHERED && !is_late {
                continue;
            }
            let is_kept = is_late || writing.bytes() + gathered as u64 - kept_bytes >= KEPT_BYTES;
            let syncs = is_kept && shared.keeps() && writing.kept().is_some();
            let added = writing.add(std::mem::take(&mut pieces), syncs).await?;
            (writing, gathered) = (added.0, 0);
            if let Err(error) = added.1 {
                break End::Failed(error);
            }
            if is_kept {
                (kept_bytes, kept_at) = (writing.bytes(), shared.now());
            }
            if syncs {
                self.writing = Some(writing);
                unit.keep(shared, progress, false, Some(self)).await?;
                let Some(mine) = self.writing.take() else { return Err(ActivityError::Cancelled) };
                writing = mine;
            }
        };
        let (writing, added) = match end {
            // The disk is full: what is there is made certain, as far as it goes.
            End::Failed(_) => writing.add(Vec::new(), true).await?,
            End::Lost(_) => writing.add(pieces, true).await?,
            End::Whole => {
                // What is missing is asked for from here.
                let is_short = writing.total().is_some_and(|total| writing.bytes() + (gathered as u64) < total);
                writing.add(pieces, is_short).await?
            }
            End::TooLarge => writing.add(Vec::new(), false).await?,
        };
        self.writing = Some(writing);
        Ok(match (end, added) {
            (End::Whole | End::Lost(_), Err(error)) => End::Failed(error),
            (end, _) => end,
        })
    }

    /// The transfer broke off. It has made headway if there is more of the file than there ever was.
    fn broke_off(&mut self, error: &WebError, status: Option<u16>) -> Result<Came, ActivityError> {
        let bytes = self.writing.as_ref().filter(|writing| writing.kept().is_some()).map_or(0, Writing::bytes);
        let got_on = bytes > self.most;
        self.most = self.most.max(bytes);
        let came = lost(error)?;
        Ok(match came.seen {
            Seen::Lost(seen) => Came { seen: Seen::Lost(LostSeen { got_on, ..seen }), status, page: None },
            _ => came,
        })
    }

    /// All bytes are there: they are checked, and the file is put in its place.
    pub(super) async fn complete(
        &mut self,
        shared: &Shared<'_>,
        progress: &Progress,
        head: &Head,
        constants: &Constants,
    ) -> Result<Came, ActivityError> {
        let status = Some(head.status);
        let Some(writing) = self.writing.take() else { return Err(ActivityError::Cancelled) };
        let (digest, bytes) = (writing.digest(), writing.bytes());
        let of_header = writing.digest_of_header().and_then(|said| Digest::parse(said, self.algorithm()));
        if let Some(expected) = self.expected.clone().or(of_header).filter(|expected| *expected != digest) {
            writing.discard();
            self.kept = None;
            let (name, algorithm) = (&self.name, self.algorithm().name());
            let message = format!(
                "`{name}` is not the file that was expected, and was not put in its place: {bytes} bytes came with the {algorithm} \
                 digest {digest}; expected {expected}"
            );
            return Ok(refused(status, Rule::Checksum, message));
        }
        let (writing, put) = writing.put(self.name.clone()).await?;
        let stamp = match put {
            Ok(stamp) => stamp,
            Err(error) => {
                self.writing = Some(writing);
                return Ok(refused(status, Rule::File, error.to_string()));
            }
        };
        self.kept = None;
        let file = FileKept {
            source: writing.source().to_owned(),
            validator: writing.validator().clone(),
            stamp,
            digest: digest.to_string(),
            algorithm: self.algorithm(),
        };
        let record = record::record(&self.name, &file, &head.headers, false);
        if self.settings.uses_etag {
            shared.keep_file(self.name.as_str(), file);
        }
        self.page(shared, progress, head, record, constants).await
    }

    /// By which digests are made: the one that is compared, or else SHA-256.
    pub(super) fn algorithm(&self) -> ChecksumAlgorithm {
        self.settings.checksum.as_ref().map_or(ChecksumAlgorithm::Sha256, |checksum| checksum.algorithm)
    }

    /// The most bytes that the file may have.
    fn limit(&self) -> u64 {
        let of_folder = self.folder.settings().file_bytes.unwrap_or(u64::MAX);
        self.settings.bytes.unwrap_or(u64::MAX).min(of_folder)
    }

    fn too_large(&self, total: Option<u64>) -> String {
        let has = total.map_or_else(|| "has more bytes".to_owned(), |total| format!("has {total} bytes"));
        let whose = if self.limit() == self.settings.bytes.unwrap_or(u64::MAX) {
            "`bytes` of `rejoin.download`"
        } else {
            "`fileBytes` of the folder"
        };
        format!("the file {has}, and at most {} may come ({whose})", self.limit())
    }
}
