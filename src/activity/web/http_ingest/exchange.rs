//! A request and its answer: sent, classified, read.

use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH};

use super::outputs::{LastAnswer, Outputs};
use super::shared::{LARGE_PAGE, Shared};
use crate::activity::ActivityError;
use crate::activity::blocking::on_blocking_thread;
use crate::ingest::control::{
    LostSeen, PageSeen, Progress, RefusalSeen, Rule, Seen, UnreadableSeen, Verdict, WarningSeen, verdict, wait_wished,
};
use crate::ingest::page::{AnswerClass, Constants, Packed, Page, PageError, classify, is_expected_type};
use crate::ingest::settings::{IngestSettings, PageForm};
use crate::ingest::{Facts, FormulaError};
use crate::resource::web::{WebBody, WebError, WebRequest, WebResponse, resolve};

/// What came of a request.
pub(super) struct Came {
    pub(super) seen: Seen,
    pub(super) status: Option<u16>,
    /// The page and the answer that it came in, to be handed on.
    pub(super) page: Option<(Page, Bytes)>,
}

/// How much of the body of a failure is read and told.
const TOLD_BYTES: usize = 400;

/// Sends a request and reads what comes.
pub(super) async fn exchange(
    shared: &Shared<'_>,
    progress: &Progress,
    request: WebRequest,
    constants: &Constants,
) -> Result<Came, ActivityError> {
    // A file is handed on while it comes. Nothing of another one may come in between.
    let _turn = match &shared.settings().page.form {
        PageForm::File => shared.outputs().turn().await,
        _ => None,
    };
    let response = match shared.send(request).await {
        Ok(response) => response,
        Err(error) => {
            shared.outputs().remember(|| LastAnswer { never_sent: error.never_sent(), ..LastAnswer::default() });
            return lost(&error);
        }
    };
    let status = response.status.as_u16();
    shared.outputs().remember(|| LastAnswer {
        status: Some(status),
        headers: response.headers.clone(),
        ..LastAnswer::default()
    });
    match classify(&shared.settings().answers, status, &response.reason) {
        AnswerClass::Page => {
            let wait = wait_wished(&response.headers, shared.wall());
            page(shared, progress, response, constants, wait).await
        }
        class => no_page(shared, progress, response, class).await,
    }
}

/// An answer that holds no page.
pub(super) async fn no_page(
    shared: &Shared<'_>,
    progress: &Progress,
    response: WebResponse,
    class: AnswerClass,
) -> Result<Came, ActivityError> {
    let status = response.status.as_u16();
    let wait = wait_wished(&response.headers, shared.wall());
    let came = |seen| Ok(Came { seen, status: Some(status), page: None });
    match class {
        AnswerClass::Warning => {
            let facts = counted(Facts::new(None, &response.headers, status), progress, 0);
            let verdict = verdict(shared.settings(), None, &facts).transpose();
            came(Seen::Warning(WarningSeen { status, verdict, wait }))
        }
        class => {
            let told = told(status, response).await;
            came(Seen::Refused(RefusalSeen {
                status,
                by_reason: class == AnswerClass::ErrorReason,
                asks_for_credentials: class == AnswerClass::Credentials,
                message: told,
                wait,
            }))
        }
    }
}

/// No answer, or one that broke off.
pub(super) fn lost(error: &WebError) -> Result<Came, ActivityError> {
    let is_final = match error {
        WebError::Cancelled => return Err(ActivityError::Cancelled),
        WebError::NotAllowed { message } => {
            return Err(ActivityError::Authorization { code: "HttpOriginNotAllowed", message: message.clone() });
        }
        // A little later there may be room.
        WebError::Transport { .. } | WebError::TimedOut { .. } | WebError::Busy { .. } => false,
        _ => true,
    };
    let never_sent = error.never_sent();
    let seen = Seen::Lost(LostSeen { message: error.to_string(), never_sent, is_final, got_on: false });
    Ok(Came { seen, status: None, page: None })
}

async fn page(
    shared: &Shared<'_>,
    progress: &Progress,
    response: WebResponse,
    constants: &Constants,
    wait: Option<Duration>,
) -> Result<Came, ActivityError> {
    let status = response.status.as_u16();
    let came = |seen, page| Ok(Came { seen, status: Some(status), page });
    if let Err(found) = is_expected_type(&shared.settings().answers, &response.headers) {
        let expected = shared.settings().answers.media_types.join(", ");
        let found = if found.is_empty() { "no content type".to_owned() } else { format!("`{found}`") };
        let beginning = beginning(response.body).await;
        let message = format!("the answer has {found}; {expected} expected; it begins with `{beginning}`");
        return came(Seen::Unreadable(UnreadableSeen { rule: Rule::MediaType, message }), None);
    }
    let WebResponse { headers, uri, body, .. } = response;
    let number = progress.pages + 1;
    let body = match gather(shared, number, &headers, body).await {
        Ok(body) => body,
        Err(Broken::Page(error)) => return came(unreadable(&error), None),
        Err(Broken::Begun { error, bytes }) => {
            let message =
                format!("{error}; {bytes} bytes of the file were handed on before, so it is not asked for again");
            return came(Seen::Lost(LostSeen { message, never_sent: false, is_final: true, got_on: false }), None);
        }
        Err(Broken::Lost(error)) => return lost(&error),
        Err(Broken::Activity(error)) => return Err(error),
    };
    shared.outputs().remember_body(&body);
    let read = shared.read(number, &headers, &body, constants).await?;
    let mut page = match read {
        Ok(page) => page,
        Err(error) => return came(unreadable(&error), None),
    };
    if let Some(next) = &page.seen.next {
        match resolve(&uri, next) {
            Ok(next) => page.seen.next = Some(next),
            Err(error) => {
                let message = format!("the address of the next page (`rejoin.next`): {error}");
                return came(Seen::Unreadable(UnreadableSeen { rule: Rule::Unreadable, message }), None);
            }
        }
    }
    page.seen.verdict = judged(shared, progress, &page, status, (&headers, &body)).await?;
    page.seen.wait = wait;
    // A file has been handed on already.
    let body = if matches!(shared.settings().page.form, PageForm::File) { Bytes::new() } else { body };
    came(Seen::Page(page.seen.clone()), Some((page, body)))
}

/// Asks the conditions of a page. What may take its time is asked on a thread that may.
async fn judged(
    shared: &Shared<'_>,
    progress: &Progress,
    page: &Page,
    status: u16,
    (headers, body): (&HeaderMap, &Bytes),
) -> Result<Option<Result<Verdict, FormulaError>>, ActivityError> {
    let settings = shared.settings();
    if body.len() < LARGE_PAGE && !settings.has_loops() {
        return Ok(asked(settings, progress, (&page.seen, status), (headers, body)));
    }
    let (settings, progress, seen) = (settings.clone(), progress.clone(), page.seen.clone());
    let (headers, body) = (headers.clone(), body.clone());
    on_blocking_thread(move || Ok(asked(&settings, &progress, (&seen, status), (&headers, &body)))).await
}

fn asked(
    settings: &IngestSettings,
    progress: &Progress,
    (seen, status): (&PageSeen, u16),
    (headers, body): (&HeaderMap, &Bytes),
) -> Option<Result<Verdict, FormulaError>> {
    let json = if matches!(settings.page.form, PageForm::Json { .. }) { std::str::from_utf8(body).ok() } else { None };
    let facts = counted(Facts::new(json, headers, status), progress, seen.records).with_key(seen.key.text());
    verdict(settings, Some(&seen.key), &facts).transpose()
}

pub(super) fn unreadable(error: &PageError) -> Seen {
    Seen::Unreadable(UnreadableSeen { rule: Rule::Unreadable, message: error.to_string() })
}

pub(super) fn counted<'a>(facts: Facts<'a>, progress: &Progress, rows: u64) -> Facts<'a> {
    facts.with_counts(rows, progress.rows.saturating_add(rows), progress.pages + 1)
}

/// Why a body is not there whole.
enum Broken {
    Page(PageError),
    Lost(WebError),
    /// As before, but a part of it has been handed on.
    Begun {
        error: WebError,
        bytes: u64,
    },
    Activity(ActivityError),
}

/// The whole body, unpacked. A file is handed on as it comes, and not gathered.
async fn gather(shared: &Shared<'_>, number: u64, headers: &HeaderMap, mut body: WebBody) -> Result<Bytes, Broken> {
    let settings = &shared.settings().page;
    if matches!(settings.form, PageForm::File) {
        return pass_on(shared.outputs(), body).await;
    }
    let is_coded = headers.get(CONTENT_ENCODING).is_some_and(|coding| coding.as_bytes().eq_ignore_ascii_case(b"gzip"));
    let mut packed = Packed::new(number, settings.bytes, settings.is_gzip || is_coded);
    let length = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    packed.expect(length.unwrap_or(0));
    while let Some(piece) = body.next().await.map_err(Broken::Lost)? {
        packed.push(&piece).map_err(Broken::Page)?;
    }
    packed.finish().map_err(Broken::Page)
}

/// Hands a file on piece by piece; gives its beginning.
async fn pass_on(outputs: &Outputs, mut body: WebBody) -> Result<Bytes, Broken> {
    let mut first = Bytes::new();
    let mut bytes = 0;
    let broken = |error, bytes| match error {
        WebError::Cancelled => Broken::Lost(error),
        error if bytes > 0 && outputs.has_responses() => Broken::Begun { error, bytes },
        error => Broken::Lost(error),
    };
    while let Some(piece) = body.next().await.map_err(|error| broken(error, bytes))? {
        outputs.response(&piece).await.map_err(Broken::Activity)?;
        bytes += piece.len() as u64;
        if first.is_empty() {
            first = piece;
        }
    }
    Ok(first)
}

/// `503 Service Unavailable: …`, with the beginning of the body.
async fn told(status: u16, response: WebResponse) -> String {
    let head = format!("the answer is {status} {}", response.reason);
    let beginning = beginning(response.body).await;
    if beginning.is_empty() { head } else { format!("{head}: {beginning}") }
}

/// The beginning of a body, on one line.
async fn beginning(mut body: WebBody) -> String {
    let mut bytes = Vec::new();
    while bytes.len() < TOLD_BYTES
        && let Ok(Some(piece)) = body.next().await
    {
        bytes.extend_from_slice(&piece[..piece.len().min(TOLD_BYTES)]);
    }
    bytes.truncate(TOLD_BYTES);
    let text = String::from_utf8_lossy(&bytes);
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ")
}

/// The time of day, for dates in headers.
pub(super) type Wall = DateTime<Utc>;
