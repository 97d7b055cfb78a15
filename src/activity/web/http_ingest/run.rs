//! One ingestion, from its first request to its end.

use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, SecondsFormat};
use http::HeaderMap;
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use super::error::of_failure;
use super::exchange::{Came, Wall, exchange};
use super::keep::{Keeper, Kept, Known};
use super::meant::keep_back;
use super::outputs::Outputs;
use crate::activity::blocking::on_blocking_thread;
use crate::activity::{ActivityContext, ActivityError};
use crate::ingest::control::{Action, Conflict, Decision, Occasion, Outcome, Progress, Rule, Seen, creates, decide};
use crate::ingest::page::{Page, PageError, PageReader};
use crate::ingest::settings::{DerivedSource, IngestSettings, Window};
use crate::ingest::variables::{ComposeError, Values, compose, fill};
use crate::ingest::{DecisionRow, Json};
use crate::resource::web::{WebError, WebRequest, WebResource, WebResponse};
use crate::session::{Clock, Moment};

/// From how many bytes on a page is read on another thread.
pub(super) const LARGE_PAGE: usize = 512 * 1024;

/// What all units of an activity share.
pub(super) struct Shared<'a> {
    settings: &'a IngestSettings,
    resource: &'a dyn WebResource,
    context: &'a ActivityContext,
    outputs: &'a Outputs,
    keeper: &'a Keeper,
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
    pub(super) fn new(
        settings: &'a IngestSettings,
        resource: &'a dyn WebResource,
        context: &'a ActivityContext,
        outputs: &'a Outputs,
        keeper: &'a Keeper,
    ) -> Result<Self, ActivityError> {
        let reader = PageReader::new(settings, outputs.wanted())
            .map_err(|error| ActivityError::client("HttpIngestUnreadable", error.to_string()))?;
        let (clock, cancel) = (Arc::clone(context.clock()), context.cancellation().clone());
        let (began, start) = (clock.wall(), clock.now());
        Ok(Self {
            settings,
            resource,
            context,
            outputs,
            keeper,
            clock,
            cancel,
            began,
            start,
            reader: Arc::new(Mutex::new(reader)),
        })
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
        let mut lot = [0; 4];
        // Without random bytes there is no jitter, and nothing else changes.
        let chance =
            getrandom::fill(&mut lot).map_or(0.0, |()| f64::from(u32::from_le_bytes(lot)) / f64::from(u32::MAX));
        Occasion { moment: self.clock.now(), wall: self.clock.wall(), chance }
    }
}

/// One ingestion: what is known before its first request.
#[derive(Debug)]
pub(super) struct Unit {
    /// Which one, from 0.
    pub(super) index: u64,
    /// What its progress is kept under.
    pub(super) name: String,
    pub(super) values: Values,
    /// The rows that bodies are made of, one for each request.
    pub(super) payload: Arc<[Vec<(Box<str>, Json)>]>,
}

/// How a unit has ended.
#[derive(Debug)]
pub(super) enum Ended {
    /// It is complete, or goes on later.
    Well,
    /// It has failed.
    Failed(ActivityError),
}

/// What a step has come to.
enum Stepped {
    /// An answer came, or none; what is done next.
    Decided(Decision),
    /// The request is one that is not sent: it can't be made of its values, or leads where it may not.
    Refused(ActivityError),
}

impl Unit {
    pub(super) async fn run(mut self, shared: &Shared<'_>) -> Result<Ended, ActivityError> {
        let mut progress = match shared.keeper.resume(&self.name, shared.occasion()) {
            Known::Done => return Ok(Ended::Well),
            Known::Unknown => return Ok(unknown_outcome()),
            Known::Nothing => Progress::new(shared.settings),
            Known::Begun(kept) => {
                self.values.window = window_of(kept.window).or(self.values.window);
                kept.progress
            }
        };
        progress.payloads = (!self.payload.is_empty()).then_some(self.payload.len() as u64);
        let place = u32::try_from(self.index).unwrap_or(u32::MAX);
        shared.sleep_until(shared.start.after(shared.settings.pace.unit_interval.saturating_mul(place))).await;
        if let Some(moment) = progress.not_before() {
            shared.sleep_until(moment).await;
        }
        loop {
            // In a box, so that what a request takes is given back while the next one is waited for.
            let decision = match Box::pin(self.step(shared, &mut progress)).await? {
                Stepped::Decided(decision) => decision,
                Stepped::Refused(error) => return Ok(Ended::Failed(error)),
            };
            if let Some(ended) = ended(&progress) {
                return Ok(ended);
            }
            if let Some(moment) = decision.action.not_before() {
                shared.sleep_until(moment).await;
            }
        }
    }

    /// One request, and what is decided after it.
    async fn step(&self, shared: &Shared<'_>, progress: &mut Progress) -> Result<Stepped, ActivityError> {
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
            self.keep(shared, progress, true).await?;
        }
        let sent = shared.occasion();
        progress.begin_request(shared.settings, sent);
        let Came { seen, status, page } = match exchange(shared, progress, request, &constants).await {
            Err(error @ ActivityError::Authorization { .. }) => {
                if creates {
                    // It was not sent.
                    self.keep(shared, progress, false).await?;
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
        self.keep(shared, progress, creates && may_have_created(&seen)).await?;
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
        Ok(Stepped::Decided(decision))
    }

    /// A request was not sent; that is the end of its unit alone.
    async fn refuse(
        &self,
        shared: &Shared<'_>,
        progress: &Progress,
        request: Option<(String, String)>,
        error: ActivityError,
    ) -> Result<Stepped, ActivityError> {
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
        Ok(Stepped::Refused(error))
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

    /// Keeps how far it has come.
    async fn keep(&self, shared: &Shared<'_>, progress: &Progress, is_sending: bool) -> Result<(), ActivityError> {
        if !shared.keeper.is_on() {
            return Ok(());
        }
        let window = self.values.window.map(|window| (window.low.timestamp_millis(), window.high.timestamp_millis()));
        let kept = Kept { progress: progress.clone(), window, is_sending };
        shared.keeper.keep(&self.name, kept, creates(shared.settings), shared.context).await
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
        Seen::Page(_) | Seen::Warning(_) | Seen::Refused(_) => false,
    }
}

/// A session key, as much of it as tells it from others: it may be a list of all there is.
fn shortened(key: &str) -> &str {
    const MOST: usize = 1024;
    &key[..key.floor_char_boundary(MOST)]
}

fn refused(error: &ComposeError) -> ActivityError {
    ActivityError::client("HttpIngestRequest", error.to_string())
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
    Ended::Failed(of_failure(Rule::Transport, reason))
}

fn ended(progress: &Progress) -> Option<Ended> {
    Some(match progress.outcome.as_ref()? {
        Outcome::Completed { .. } | Outcome::Paused => Ended::Well,
        Outcome::Failed { rule, reason } => Ended::Failed(of_failure(*rule, reason)),
    })
}

/// What went wrong or does not fit.
fn note(progress: &Progress, seen: &Seen, decision: Decision) -> Option<String> {
    match (&progress.outcome, seen) {
        (Some(Outcome::Failed { reason, .. }), _) => Some(reason.clone()),
        (Some(Outcome::Completed { conflict, .. }), _) => conflict.as_ref().map(Conflict::to_string),
        (_, Seen::Refused(refusal)) => Some(refusal.message.clone()),
        (_, Seen::Lost(lost)) => Some(lost.message.clone()),
        _ if matches!(decision.action, Action::Pause) => Some("goes on in a later request".to_owned()),
        _ => None,
    }
}
