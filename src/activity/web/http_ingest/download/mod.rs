//! A unit whose answer becomes a file: written where nobody sees it, checked, and put in its place when it is whole.
//!
//! What is asked for and what an answer means is decided in [`ingest::transfer`](crate::ingest::transfer); what a file is written
//! with is a [`Part`](crate::resource::files::Part) of the folder. A transfer that breaks off leaves its part open for the next
//! attempt, and known to the session for the next request.

mod claims;
mod receive;
mod record;
mod writing;

use bytes::Bytes;
use http::{HeaderMap, Method};

pub(in crate::activity::web) use claims::Downloads;
pub(super) use record::record_schema;

use super::exchange::{Came, counted, lost, no_page, unreadable};
use super::run::Unit;
use super::shared::Shared;
use crate::activity::ActivityError;
use crate::activity::blocking::on_blocking_thread;
use crate::ingest::Facts;
use crate::ingest::control::{PageSeen, Progress, Rule, Seen, UnreadableSeen, polls, verdict, wait_wished};
use crate::ingest::page::{AnswerClass, Constants, Page, classify, is_expected_type, key_of_header};
use crate::ingest::settings::DownloadSettings;
use crate::ingest::transfer::{Asked, Digest, FileKept, Meaning, PartKept, length, meaning, source_of};
use crate::resource::files::{FileError, FileName, Folder};
use crate::resource::web::{WebRequest, WebResponse};

use writing::Writing;

/// The file of one unit.
pub(super) struct Download<'a> {
    settings: &'a DownloadSettings,
    folder: &'a Folder,
    name: FileName,
    /// The digest that its settings expect.
    expected: Option<Digest>,
    /// What an earlier request has left of it.
    kept: Option<PartKept>,
    /// What this one has of it.
    writing: Option<Writing>,
    /// The most bytes that there were of it: what comes once more is no headway.
    most: u64,
}

/// An answer without its body, and what was asked.
struct Head {
    status: u16,
    headers: HeaderMap,
    source: String,
    /// Whether places in the file mean anything, and versions of it: it is asked for by GET.
    is_get: bool,
}

impl Download<'_> {
    /// What is to be kept of it, so that a later request goes on.
    pub(super) fn kept(&self) -> Option<PartKept> {
        self.writing.as_ref().and_then(Writing::kept).or_else(|| self.kept.clone())
    }

    /// Leaves what there is of it in the folder, because it is known from now on where.
    pub(super) fn keep(&mut self) {
        if let Some(writing) = &mut self.writing {
            writing.keep();
        }
    }

    /// Sends a request and writes what comes.
    pub(super) async fn exchange(
        &mut self,
        unit: &Unit,
        shared: &Shared<'_>,
        progress: &Progress,
        mut request: WebRequest,
        constants: &Constants,
    ) -> Result<Came, ActivityError> {
        let is_get = request.method == Method::GET;
        let source = source_of(&request.method, &shared.absolute(&request.uri));
        if let Err(error) = self.find_part(&source, is_get).await? {
            return Ok(refused(None, Rule::File, error.to_string()));
        }
        let file = match self.find_file(shared, &source, is_get).await? {
            Ok(file) => file,
            Err(error) => return Ok(refused(None, Rule::File, error.to_string())),
        };
        let part = self.writing.as_ref().and_then(Writing::kept);
        let asked = if is_get { Asked::of(part.as_ref(), file.as_ref()) } else { Asked::Whole };
        asked.add_to(&mut request.headers, part.as_ref(), file.as_ref());
        let response = match shared.send(request).await {
            Ok(response) => response,
            Err(error) => return lost(&error),
        };
        let status = response.status.as_u16();
        let head = Head { status, headers: response.headers.clone(), source, is_get };
        match (meaning(status, &head.headers, &asked, part.as_ref()), file) {
            (Meaning::Unchanged, Some(file)) => self.unchanged(shared, progress, &file, &head, constants).await,
            (Meaning::Rest { total }, _) => {
                let note = format!("went on at byte {}", self.writing.as_ref().map_or(0, Writing::bytes));
                self.receive(unit, shared, progress, (head, response.body, total, Some(note)), constants).await
            }
            (Meaning::Complete, _) => self.complete(shared, progress, &head, constants).await,
            (Meaning::Stale { message }, _) => {
                self.drop_part();
                Ok(Came { seen: Seen::Stale(message), status: Some(status), page: None })
            }
            (Meaning::Unchanged | Meaning::Other, _) => {
                self.other(unit, shared, progress, response, head, constants).await
            }
        }
    }

    /// An answer that is judged by its status.
    async fn other(
        &mut self,
        unit: &Unit,
        shared: &Shared<'_>,
        progress: &Progress,
        response: WebResponse,
        head: Head,
        constants: &Constants,
    ) -> Result<Came, ActivityError> {
        let status = head.status;
        match classify(&shared.settings().answers, status, &response.reason) {
            AnswerClass::Page if status == 206 => Ok(refused(
                Some(status),
                Rule::Unreadable,
                "a part of the file came, and nobody asked for it".to_owned(),
            )),
            AnswerClass::Page => {
                if let Err(found) = is_expected_type(&shared.settings().answers, &head.headers) {
                    let expected = shared.settings().answers.media_types.join(", ");
                    let message = format!("the answer has the content type `{found}`; {expected} expected");
                    return Ok(refused(Some(status), Rule::MediaType, message));
                }
                if let Some(seen) = undecided(shared, progress, &head) {
                    return Ok(Came { seen: Seen::Page(seen), status: Some(status), page: None });
                }
                let total = length(&head.headers);
                let over = self.writing.as_ref().map(Writing::bytes).filter(|bytes| *bytes > 0);
                let note = over.map(|bytes| {
                    format!("started over: the server gave the whole file again, of which {bytes} bytes were there")
                });
                self.drop_part();
                self.receive(unit, shared, progress, (head, response.body, total, note), constants).await
            }
            class => no_page(shared, progress, response, class).await,
        }
    }

    /// The file is the one that is there already.
    async fn unchanged(
        &mut self,
        shared: &Shared<'_>,
        progress: &Progress,
        file: &FileKept,
        head: &Head,
        constants: &Constants,
    ) -> Result<Came, ActivityError> {
        self.drop_part();
        let record = record::record(&self.name, file, &head.headers, true);
        let mut came = self.page(shared, progress, head, record, constants).await?;
        if let (Seen::Page(seen), Some((page, _))) = (&mut came.seen, &mut came.page) {
            seen.is_unchanged = true;
            seen.note = Some(format!("`{}` has not changed", self.name));
            page.seen = seen.clone();
        }
        Ok(came)
    }

    /// The part of an earlier attempt, opened if it may be gone on with. Otherwise it is dropped.
    async fn find_part(&mut self, source: &str, is_get: bool) -> Result<Result<(), FileError>, ActivityError> {
        let is_good = |part: &PartKept| {
            self.settings.resumes && is_get && part.source == source && part.validator.for_range().is_some()
        };
        if let Some(writing) = &self.writing {
            if !writing.kept().as_ref().is_some_and(is_good) {
                self.drop_part();
            }
            return Ok(Ok(()));
        }
        let Some(kept) = self.kept.take().filter(is_good) else { return Ok(Ok(())) };
        let (folder, algorithm) = (self.folder.clone(), self.algorithm());
        let opened = on_blocking_thread(move || Ok(Writing::go_on(&folder, kept, algorithm))).await?;
        match opened {
            Ok(writing) => {
                self.writing = writing;
                self.most = self.most.max(self.writing.as_ref().map_or(0, Writing::bytes));
                Ok(Ok(()))
            }
            Err(error) => Ok(Err(error)),
        }
    }

    /// What is known of the file that is in its place, if it is still what it was and may be the one that is asked for.
    async fn find_file(
        &self,
        shared: &Shared<'_>,
        source: &str,
        is_get: bool,
    ) -> Result<Result<Option<FileKept>, FileError>, ActivityError> {
        let known =
            shared.file(self.name.as_str()).filter(|file| self.settings.uses_etag && is_get && file.source == source);
        let is_wanted = |file: &FileKept| {
            let expected = self.expected.as_ref().map(ToString::to_string);
            file.algorithm == self.algorithm() && expected.is_none_or(|expected| expected == file.digest)
        };
        let known = known.filter(is_wanted);
        // Whoever has no file there yet learns here that its name leads out of the folder.
        let (folder, name) = (self.folder.clone(), self.name.clone());
        let stamp = on_blocking_thread(move || Ok(folder.stamp(&name))).await?;
        Ok(stamp.map(|stamp| known.filter(|file| stamp == Some(file.stamp))))
    }

    /// What there is of the file is good for nothing any more.
    fn drop_part(&mut self) {
        self.kept = None;
        if let Some(writing) = self.writing.take() {
            writing.discard();
        }
    }
}

/// What is seen of an answer that says that the file is not ready, or that it has failed; `None` when it is to be written.
fn undecided(shared: &Shared<'_>, progress: &Progress, head: &Head) -> Option<PageSeen> {
    let seen = judged(shared, progress, head, 1);
    let ends_well = matches!(seen.verdict, Some(Ok(ref verdict)) if verdict.is_good());
    let is_ready = ends_well || (seen.verdict.is_none() && !polls(shared.settings()));
    (!is_ready).then_some(PageSeen { records: 0, ..seen })
}

/// The session key of an answer, and the condition that holds of it. Its body is a file, of which conditions know nothing.
fn judged(shared: &Shared<'_>, progress: &Progress, head: &Head, records: u64) -> PageSeen {
    let settings = shared.settings();
    let key = settings.key.as_ref().map(|key| key_of_header(&head.headers, &key.header)).unwrap_or_default();
    let facts = Facts::new(None, &head.headers, head.status);
    let facts = counted(facts, progress, records).with_key(key.text());
    let verdict = verdict(settings, Some(&key), &facts).transpose();
    let wait = wait_wished(&head.headers, shared.wall());
    PageSeen { records, key, verdict, wait, ..PageSeen::default() }
}

fn refused(status: Option<u16>, rule: Rule, message: String) -> Came {
    Came { seen: Seen::Unreadable(UnreadableSeen { rule, message }), status, page: None }
}

impl Download<'_> {
    /// The file as the record of a page, to be handed on.
    async fn page(
        &self,
        shared: &Shared<'_>,
        progress: &Progress,
        head: &Head,
        record: Bytes,
        constants: &Constants,
    ) -> Result<Came, ActivityError> {
        let status = Some(head.status);
        let seen = judged(shared, progress, head, 1);
        match shared.read(progress.pages + 1, &head.headers, &record, constants).await? {
            Ok(page) => {
                let page = Page { seen: seen.clone(), ..page };
                Ok(Came { seen: Seen::Page(seen), status, page: Some((page, Bytes::new())) })
            }
            Err(error) => Ok(Came { seen: unreadable(&error), status, page: None }),
        }
    }
}
