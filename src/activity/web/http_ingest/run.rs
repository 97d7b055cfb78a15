//! One ingestion, from its first request to its end.

use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, SecondsFormat};
use http::HeaderMap;
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use super::credentials::{Credentials, Held};
use super::download::{Download, Downloads};
use super::error::REFUSED;
use super::exchange::{Came, Wall, exchange};
use super::keep::{Keep, Kept, Known};
use super::meant::keep_back;
use super::outputs::Outputs;
use super::units::Named;
use crate::activity::ActivityError;
use crate::activity::blocking::on_blocking_thread;
use crate::ingest::control::{Action, Decision, Occasion, Outcome, PageSeen, Progress, Rule, Seen, creates, decide};
use crate::ingest::page::{Page, PageError, PageReader};
use crate::ingest::settings::{DerivedSource, IngestSettings, Window};
use crate::ingest::transfer::FileKept;
use crate::ingest::variables::{ComposeError, Values, compose, fill};
use crate::ingest::{DecisionRow, Json};
use crate::resource::web::{WebError, WebRequest, WebResource, WebResponse};
use crate::session::{Clock, Moment};

/// From how many bytes on a page is read on another thread.
pub(super) const LARGE_PAGE: usize = 512 * 1024;

/// What all units of an activity share.
pub(in crate::activity::web) struct Shared<'a> {
    settings: &'a IngestSettings,
    resource: &'a dyn WebResource,
    outputs: &'a Outputs,
    keeper: &'a dyn Keep,
    credentials: Credentials<'a>,
    downloads: Option<Downloads<'a>>,
    clock: Arc<dyn Clock>,
    cancel: CancellationToken,
    /// When the ingestion began.
    began: Wall,
    /// The same moment on the clock that waits go by.
    start: Moment,
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
    async fn sleep_until(&self, moment: Moment) {
        if moment > self.clock.now() {
            self.clock.sleep_until(moment).await;
        }
    }

    fn occasion(&self) -> Occasion {
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

/// One ingestion: what is known before its first request.
#[derive(Debug)]
pub(in crate::activity::web) struct Unit {
    /// Which one, from 0.
    pub(in crate::activity::web) index: u64,
    /// What its progress is kept under.
    pub(in crate::activity::web) name: String,
    pub(in crate::activity::web) values: Values,
    /// The rows that bodies are made of, one for each request.
    pub(super) payload: Arc<[Vec<Named>]>,
}

/// How a unit has ended.
#[derive(Debug)]
pub(in crate::activity::web) enum Ended {
    /// It is complete.
    Well,
    /// It goes on later.
    Later,
    /// It has failed.
    Failed {
        /// By which rule.
        rule: Rule,
        /// What happened.
        reason: String,
    },
}

impl Unit {
    pub(in crate::activity::web) async fn run(mut self, shared: &Shared<'_>) -> Result<Ended, ActivityError> {
        let mut part = None;
        let mut progress = match shared.keeper.resume(&self.name, shared.occasion()) {
            Known::Done => return Ok(Ended::Well),
            Known::Unknown => return Ok(unknown_outcome()),
            Known::Nothing => Progress::new(shared.settings),
            Known::Begun(kept) => {
                self.values.window = window_of(kept.window).or(self.values.window);
                part = kept.part;
                kept.progress
            }
        };
        progress.payloads = (!self.payload.is_empty()).then_some(self.payload.len() as u64);
        let place = u32::try_from(self.index).unwrap_or(u32::MAX);
        shared.sleep_until(shared.start.after(shared.settings.pace.unit_interval.saturating_mul(place))).await;
        if let Some(moment) = progress.not_before() {
            shared.sleep_until(moment).await;
        }
        let mut download = match &shared.downloads {
            None => None,
            Some(downloads) => {
                downloads.hold_back(&mut self.values);
                let values = self.values(shared.settings, &progress);
                match downloads.begin(self.index, shared.settings, &values, part) {
                    Ok(download) => Some(download),
                    Err(reason) => return self.unsent(shared, reason).await,
                }
            }
        };
        let own = self.values.secrets.clone();
        let mut turn = 0;
        let mut renews = true;
        loop {
            if renews {
                let Held { turn: now, values } = match shared.credentials.after(turn).await? {
                    Ok(held) => held,
                    Err((rule, reason)) => return Ok(Ended::Failed { rule, reason }),
                };
                turn = now;
                self.values.secrets = own.iter().cloned().chain(values).collect();
            }
            // In a box, so that what a request takes is given back while the next one is waited for.
            let decision = Box::pin(self.step(shared, &mut progress, &mut download)).await?;
            if let Some(ended) = ended(&progress) {
                return Ok(ended);
            }
            if let Some(moment) = decision.action.not_before() {
                shared.sleep_until(moment).await;
            }
            renews = matches!(decision.action, Action::Retry { renews_credentials: true, .. });
        }
    }

    /// One request, and what is decided after it.
    async fn step(
        &self,
        shared: &Shared<'_>,
        progress: &mut Progress,
        download: &mut Option<Download<'_>>,
    ) -> Result<Decision, ActivityError> {
        let values = self.values(shared.settings, progress);
        let made = request(shared, &values, progress.next.as_deref());
        let made = made.and_then(|request| Ok((constants(shared, &values, &request.uri)?, request)));
        let (constants, request) = match made {
            Ok(made) => made,
            Err(error) => return self.refuse(shared, progress, None, error).await,
        };
        let (method, address) = (request.method.to_string(), without_query(&request.uri).to_owned());
        let creates = creates(shared.settings);
        if creates {
            self.keep(shared, progress, true, None).await?;
        }
        let sent = shared.occasion();
        progress.begin_request(shared.settings, sent);
        let came = match download {
            Some(download) => download.exchange(self, shared, progress, request, &constants).await,
            None => exchange(shared, progress, request, &constants).await,
        };
        let Came { seen, status, page } = match came {
            Err(error @ ActivityError::Authorization { .. }) => {
                if creates {
                    // It was not sent.
                    self.keep(shared, progress, false, None).await?;
                }
                return self.refuse(shared, progress, Some((method, address)), error).await;
            }
            came => came?,
        };
        if let Some((mut page, body)) = page {
            shared.outputs.page(&mut page, &body).await?;
        }
        let decided = shared.occasion();
        let decision = decide(shared.settings, progress, &seen, decided);
        self.keep(shared, progress, creates && may_have_created(&seen), download.as_mut()).await?;
        let row = DecisionRow {
            unit: self.index + 1,
            request: progress.requests,
            time: sent.wall,
            method,
            address,
            status,
            rows: if let Seen::Page(page) = &seen { page.records } else { 0 },
            key: if let Seen::Page(page) = &seen { Some(shortened(page.key.text()).into()) } else { None },
            rule: decision.rule.to_string(),
            action: decision.action.name(),
            wait: decision.action.not_before().map(|moment| moment.since(decided.moment)),
            note: note(progress, &seen, decision),
        };
        shared.outputs.decision(&row).await?;
        Ok(decision)
    }

    /// A request was not sent: it can't be made of its values, or leads where it may not. That is the end of its unit.
    async fn refuse(
        &self,
        shared: &Shared<'_>,
        progress: &Progress,
        request: Option<(String, String)>,
        error: ActivityError,
    ) -> Result<Decision, ActivityError> {
        let (method, address) = request.unwrap_or_default();
        let row = DecisionRow {
            unit: self.index + 1,
            request: progress.requests,
            time: shared.wall(),
            method,
            address,
            status: None,
            rows: 0,
            key: None,
            rule: "refused".to_owned(),
            action: Action::Fail.name(),
            wait: None,
            note: Some(error.to_string()),
        };
        shared.outputs.decision(&row).await?;
        Err(error)
    }

    /// What is known when the next request is made.
    fn values(&self, settings: &IngestSettings, progress: &Progress) -> Values {
        let payload = usize::try_from(progress.pages).ok().and_then(|page| self.payload.get(page));
        Values {
            key: progress.session_value(settings).map(Into::into),
            page: progress.values,
            payload: payload.cloned().unwrap_or_default(),
            ..self.values.clone()
        }
    }

    /// It has failed before its first request, by what its file is to be.
    async fn unsent(&self, shared: &Shared<'_>, reason: String) -> Result<Ended, ActivityError> {
        let row = DecisionRow {
            unit: self.index + 1,
            request: 0,
            time: shared.wall(),
            method: shared.settings.request.method.to_string(),
            address: String::new(),
            status: None,
            rows: 0,
            key: None,
            rule: Rule::File.to_string(),
            action: Action::Fail.name(),
            wait: None,
            note: Some(reason.clone()),
        };
        shared.outputs.decision(&row).await?;
        Ok(Ended::Failed { rule: Rule::File, reason })
    }

    /// Keeps how far it has come, and what there is of its file.
    pub(super) async fn keep(
        &self,
        shared: &Shared<'_>,
        progress: &Progress,
        is_sending: bool,
        download: Option<&mut Download<'_>>,
    ) -> Result<(), ActivityError> {
        if !shared.keeper.is_on() {
            return Ok(());
        }
        let part = download.and_then(|download| {
            download.keep();
            download.kept()
        });
        let window = self.values.window.map(|window| (window.low.timestamp_millis(), window.high.timestamp_millis()));
        let kept = Kept { progress: progress.clone(), window, is_sending, part };
        shared.keeper.keep(&self.name, kept, creates(shared.settings)).await
    }
}

fn window_of(millis: Option<(i64, i64)>) -> Option<Window> {
    let (low, high) = millis?;
    Some(Window { low: DateTime::from_timestamp_millis(low)?, high: DateTime::from_timestamp_millis(high)? })
}

/// The next request; `next` is the address that the last answer has named, if it has.
fn request(shared: &Shared<'_>, values: &Values, next: Option<&str>) -> Result<WebRequest, ActivityError> {
    let settings = shared.settings;
    let mut request = compose(&settings.request, &settings.parameters, values).map_err(|error| refused(&error))?;
    let composed = request.uri.clone();
    if let Some(next) = next {
        next.clone_into(&mut request.uri);
    }
    keep_back(&mut request, &composed, &settings.request, shared.resource)?;
    Ok(request)
}

/// Whether a request that creates something may have done so, and nobody has heard what became of it.
fn may_have_created(seen: &Seen) -> bool {
    match seen {
        Seen::Lost(lost) => !lost.never_sent,
        // It was well received, and what it says of what was created can't be read.
        Seen::Unreadable(_) => true,
        Seen::Page(_) | Seen::Warning(_) | Seen::Refused(_) | Seen::Stale(_) => false,
    }
}

/// A session key, as much of it as tells it from others: it may be a list of all there is.
fn shortened(key: &str) -> &str {
    const MOST: usize = 1024;
    &key[..key.floor_char_boundary(MOST)]
}

fn refused(error: &ComposeError) -> ActivityError {
    ActivityError::client(REFUSED, error.to_string())
}

/// The sources of derived columns that are not part of a record.
fn constants(shared: &Shared<'_>, values: &Values, uri: &str) -> Result<Vec<Option<Box<str>>>, ActivityError> {
    let settings = shared.settings;
    let made = settings.page.derived.iter().map(|derived| match &derived.source {
        DerivedSource::Field(_) => Ok(None),
        DerivedSource::Time(end) => {
            let moment = end.moment(shared.began);
            Ok(Some(moment.to_rfc3339_opts(SecondsFormat::Millis, true).into()))
        }
        DerivedSource::Variables(template) => {
            let mut values = values.clone();
            values.secrets.push(("ms.source.uri".into(), Json::text(uri)));
            let place = format!("the derived column `{}`", derived.name);
            let filled = fill(template, &settings.parameters, &values, &place).map_err(|error| refused(&error))?;
            Ok(Some(filled.into()))
        }
    });
    made.collect()
}

fn without_query(uri: &str) -> &str {
    uri.split(['?', '#']).next().unwrap_or_default()
}

fn unknown_outcome() -> Ended {
    let reason = "a request that creates something was sent, and what became of it is not known; it is not sent again: look at \
                  the remote service, then remove the session attribute of `sessionState`";
    Ended::Failed { rule: Rule::Transport, reason: reason.to_owned() }
}

fn ended(progress: &Progress) -> Option<Ended> {
    Some(match progress.outcome.as_ref()? {
        Outcome::Completed { .. } => Ended::Well,
        Outcome::Paused => Ended::Later,
        Outcome::Failed { rule, reason } => Ended::Failed { rule: *rule, reason: reason.clone() },
    })
}

/// What went wrong or does not fit.
fn note(progress: &Progress, seen: &Seen, decision: Decision) -> Option<String> {
    match (&progress.outcome, seen) {
        (Some(Outcome::Failed { reason, .. }), _) => Some(reason.clone()),
        (Some(Outcome::Completed { conflict: Some(conflict), .. }), _) => Some(conflict.to_string()),
        (_, Seen::Page(PageSeen { note: Some(note), .. }) | Seen::Stale(note)) => Some(note.clone()),
        (_, Seen::Refused(refusal)) => Some(refusal.message.clone()),
        (_, Seen::Lost(lost)) => Some(lost.message.clone()),
        _ if matches!(decision.action, Action::Pause) => Some("goes on in a later request".to_owned()),
        _ => None,
    }
}
