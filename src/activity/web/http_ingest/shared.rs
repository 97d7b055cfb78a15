//! What all units of an activity share.

use std::sync::Arc;

use bytes::Bytes;
use http::HeaderMap;
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use super::credentials::Credentials;
use super::download::Downloads;
use super::exchange::Wall;
use super::keep::Keep;
use super::outputs::Outputs;
use crate::activity::ActivityError;
use crate::activity::blocking::on_blocking_thread;
use crate::ingest::control::Occasion;
use crate::ingest::page::{Page, PageError, PageReader};
use crate::ingest::settings::IngestSettings;
use crate::ingest::transfer::FileKept;
use crate::resource::web::{WebError, WebRequest, WebResource, WebResponse};
use crate::session::{Clock, Moment};

/// From how many bytes on a page is read on another thread.
pub(super) const LARGE_PAGE: usize = 512 * 1024;

/// What all units of an activity share.
pub(in crate::activity::web) struct Shared<'a> {
    pub(super) settings: &'a IngestSettings,
    pub(super) resource: &'a dyn WebResource,
    pub(super) outputs: &'a Outputs,
    pub(super) keeper: &'a dyn Keep,
    pub(super) credentials: Credentials<'a>,
    pub(super) downloads: Option<Downloads<'a>>,
    clock: Arc<dyn Clock>,
    cancel: CancellationToken,
    /// When the ingestion began.
    pub(super) began: Wall,
    /// The same moment on the clock that waits go by.
    pub(super) start: Moment,
    /// One for all: the columns that the first page settles hold for all units.
    reader: Arc<Mutex<PageReader>>,
}

impl<'a> Shared<'a> {
    pub(in crate::activity::web) fn new(
        settings: &'a IngestSettings,
        resource: &'a dyn WebResource,
        (outputs, keeper): (&'a Outputs, &'a dyn Keep),
        (clock, cancel): (&Arc<dyn Clock>, CancellationToken),
    ) -> Result<Self, ActivityError> {
        let reader = PageReader::new(settings, outputs.wanted())
            .map_err(|error| ActivityError::client("HttpIngestUnreadable", error.to_string()))?;
        let clock = Arc::clone(clock);
        let (began, start) = (clock.wall(), clock.now());
        Ok(Self {
            settings,
            resource,
            outputs,
            keeper,
            credentials: Credentials::none(),
            downloads: None,
            clock,
            cancel,
            began,
            start,
            reader: Arc::new(Mutex::new(reader)),
        })
    }

    /// With credentials that are asked for.
    pub(super) fn with_credentials(self, credentials: Credentials<'a>) -> Self {
        Self { credentials, ..self }
    }

    /// With answers that become files.
    pub(super) fn with_downloads(self, downloads: Option<Downloads<'a>>) -> Self {
        Self { downloads, ..self }
    }

    pub(super) fn settings(&self) -> &'a IngestSettings {
        self.settings
    }

    pub(super) fn outputs(&self) -> &'a Outputs {
        self.outputs
    }

    pub(super) fn wall(&self) -> Wall {
        self.clock.wall()
    }

    pub(super) fn now(&self) -> Moment {
        self.clock.now()
    }

    /// The address of a request, as far as it can be told before it is sent.
    pub(super) fn absolute(&self, uri: &str) -> String {
        self.resource.absolute(uri).unwrap_or_else(|_| uri.to_owned())
    }

    /// Whether progress is kept.
    pub(super) fn keeps(&self) -> bool {
        self.keeper.is_on()
    }

    /// What is known of a file that came earlier.
    pub(super) fn file(&self, name: &str) -> Option<FileKept> {
        self.keeper.file(name)
    }

    /// Notes a file that has come.
    pub(super) fn keep_file(&self, name: &str, file: FileKept) {
        self.keeper.keep_file(name, file);
    }

    pub(super) async fn send(&self, request: WebRequest) -> Result<WebResponse, WebError> {
        self.resource.send(request, self.cancel.clone()).await
    }

    /// Reads a page. A large one is read on a thread that may take its time.
    pub(super) async fn read(
        &self,
        page: u64,
        headers: &HeaderMap,
        body: &Bytes,
        constants: &[Option<Box<str>>],
    ) -> Result<Result<Page, PageError>, ActivityError> {
        // Nor is a thread that has other work kept waiting while the page of another unit is read.
        if body.len() < LARGE_PAGE
            && let Some(mut reader) = self.reader.try_lock()
        {
            return Ok(reader.read(page, headers, body, constants));
        }
        let (reader, headers, body) = (Arc::clone(&self.reader), headers.clone(), body.clone());
        let constants = constants.to_vec();
        on_blocking_thread(move || Ok(reader.lock().read(page, &headers, &body, &constants))).await
    }

    /// Waits by the clock of the service; what has come is not waited for.
    pub(super) async fn sleep_until(&self, moment: Moment) {
        if moment > self.clock.now() {
            self.clock.sleep_until(moment).await;
        }
    }

    pub(super) fn occasion(&self) -> Occasion {
        occasion(&*self.clock)
    }
}

/// This moment.
pub(in crate::activity::web) fn occasion(clock: &dyn Clock) -> Occasion {
    let mut lot = [0; 4];
    // Without random bytes there is no jitter, and nothing else changes.
    let chance = getrandom::fill(&mut lot).map_or(0.0, |()| f64::from(u32::from_le_bytes(lot)) / f64::from(u32::MAX));
    Occasion { moment: clock.now(), wall: clock.wall(), chance }
}
