use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use super::manner::Manner;
use super::pages::next_values;
use super::waiting::backoff;
use super::{
    Action, Conflict, Decision, LostSeen, Mark, Occasion, Outcome, PageSeen, Progress, RefusalSeen, Rule, Seen,
    Verdict, WarningSeen,
};
use crate::ingest::FormulaError;
use crate::ingest::settings::{BlankPages, IngestSettings, OnTimeout};
use crate::session::Moment;

/// Decides what is done after what came of a request, and notes it in the progress.
///
/// [`Progress::begin_request`] was called when the request was sent; the records of a page have been handed on. What the
/// decision says about the next request, [`Progress`] has as well, so that it can be kept.
///
/// ```
/// use rejoin::ingest::control::{decide, Action, Decision, Occasion, Progress, Seen};
/// use rejoin::ingest::settings::IngestSettings;
///
/// fn after(settings: &IngestSettings, progress: &mut Progress, seen: &Seen, at: Occasion) -> bool {
///     let Decision { rule, action } = decide(settings, progress, seen, at);
///     println!("{rule}: {}", action.name());
///     action.not_before().is_some()
/// }
/// ```
pub fn decide(settings: &IngestSettings, progress: &mut Progress, seen: &Seen, at: Occasion) -> Decision {
    let mut step = Step { settings, manner: Manner(settings), progress, at };
    let decision = match seen {
        Seen::Page(page) => step.after_page(page),
        Seen::Warning(warning) => step.after_warning(warning),
        Seen::Refused(refusal) => step.after_refusal(refusal),
        Seen::Lost(lost) => step.after_loss(lost),
        Seen::Unreadable(unreadable) => step.fail(unreadable.rule, unreadable.message.clone()),
        Seen::Stale(_) => step.retry(Rule::StartOver, Duration::ZERO),
    };
    progress.not_before = decision.action.not_before().map(|moment| Mark::after(moment.since(at.moment), at));
    progress.keep(at);
    decision
}

/// One step of the machine.
struct Step<'a> {
    settings: &'a IngestSettings,
    manner: Manner<'a>,
    progress: &'a mut Progress,
    at: Occasion,
}

impl Step<'_> {
    fn after_page(&mut self, page: &PageSeen) -> Decision {
        self.note_page(page);
        if page.is_unchanged {
            return self.complete(Rule::Unchanged);
        }
        if let Some(decision) = self.by_verdict(page.verdict.as_ref()) {
            return decision;
        }
        if let Some(rule) = self.end_of_pages(page) {
            return self.complete(rule);
        }
        if page.is_data_missing && !self.goes_on() {
            let message = "the answer has no records where `ms.data.field` says that they are".to_owned();
            return self.fail(Rule::DataField, message);
        }
        if !self.goes_on() {
            return self.complete(Rule::OneAnswer);
        }
        let is_page = self.manner.pages() || self.lacks_records() || self.lacks_payload();
        let rule = if is_page { Rule::NextPage } else { Rule::Poll };
        self.again(rule, page.wait)
    }

    fn note_page(&mut self, page: &PageSeen) {
        let has_cursor = self.manner.has_cursor();
        let progress = &mut *self.progress;
        progress.answers += 1;
        progress.pages += 1;
        progress.rows = progress.rows.saturating_add(page.records);
        progress.values = next_values(self.settings, progress, page);
        progress.key = page.key.clone();
        progress.total = page.total.or(progress.total);
        progress.next.clone_from(&page.next);
        progress.blank = if page.records == 0 { progress.blank.saturating_add(1) } else { 0 };
        let cursor = progress.next.as_deref().or(progress.key.sent().filter(|_| has_cursor));
        progress.cursor.note(cursor.map(fingerprint));
        progress.page.note(page.fingerprint);
        self.note_answer();
    }

    /// The other side is well again.
    fn note_answer(&mut self) {
        self.progress.retries = 0;
        self.progress.refusals = 0;
        self.progress.poll_errors = 0;
    }

    fn by_verdict(&mut self, verdict: Option<&Result<Verdict, FormulaError>>) -> Option<Decision> {
        Some(match verdict? {
            Ok(Verdict::Stop) => self.complete(Rule::Condition),
            Ok(Verdict::StopWhen(index)) => self.complete(Rule::StopWhen(*index)),
            Ok(Verdict::Fail) => {
                let value = shortened(self.progress.key.text());
                let message = format!("the remote session has failed: the failCondition holds of `{value}`");
                self.fail(Rule::FailCondition, message)
            }
            Ok(Verdict::FailWhen(index)) => {
                let message = format!("condition {} of `rejoin.fail.when` holds of the answer", index + 1);
                self.fail(Rule::FailWhen(*index), message)
            }
            Err(error) => self.fail(Rule::Formula, error.to_string()),
        })
    }

    /// Whether pages end with this one, and by what.
    fn end_of_pages(&self, page: &PageSeen) -> Option<Rule> {
        if self.progress.total.is_some_and(|total| self.progress.rows >= total) && self.manner.counts() {
            return Some(Rule::Total);
        }
        if self.progress.payloads.is_some_and(|payloads| self.progress.pages >= payloads) {
            return Some(Rule::Payload);
        }
        if self.manner.has_cursor() && self.progress.key.is_blank() {
            return Some(Rule::KeyBlank);
        }
        if self.settings.paging.next.is_some() && self.progress.next.is_none() {
            return Some(Rule::NoNext);
        }
        let is_end = page.records == 0
            && (self.manner.pages() || self.manner.counts())
            && match self.settings.page.blank {
                BlankPages::Stop => true,
                BlankPages::Continue => false,
                BlankPages::StopAfter(pages) => self.progress.blank >= pages,
            };
        is_end.then_some(Rule::BlankPage)
    }

    /// Whether anything asks for another answer.
    fn goes_on(&self) -> bool {
        self.manner.polls() || self.manner.pages() || self.lacks_records() || self.lacks_payload()
    }

    fn lacks_payload(&self) -> bool {
        self.progress.payloads.is_some_and(|payloads| self.progress.pages < payloads)
    }

    fn lacks_records(&self) -> bool {
        self.manner.counts() && self.progress.total.is_some_and(|total| self.progress.rows < total)
    }

    fn after_warning(&mut self, warning: &WarningSeen) -> Decision {
        self.progress.answers += 1;
        self.note_answer();
        if let Some(decision) = self.by_verdict(warning.verdict.as_ref()) {
            return decision;
        }
        if self.manner.polls() && !self.manner.pages() {
            return self.again(Rule::Poll, warning.wait);
        }
        self.complete(Rule::Warning)
    }

    /// Goes on, unless one of the limits is reached.
    fn again(&mut self, rule: Rule, wait: Option<Duration>) -> Decision {
        // What a good answer says about waiting is a wish; if it is too much, the next answer may say so.
        let wait = wait.unwrap_or_default().min(self.settings.retry.longest_wait);
        let not_before = self.not_before(wait);
        if self.is_too_late(not_before) {
            return self.time_out();
        }
        if let Some(most) = self.settings.stop.pages.filter(|most| self.progress.answers >= *most) {
            return self.fail(Rule::PagesMax, format!("there is more after {most} answers (`rejoin.pages.max`)"));
        }
        if let Some(what) = self.goes_round() {
            let guard = self.settings.stop.loop_guard;
            let message = format!("{what} came more than {guard} times in a row (`rejoin.loop.guard`)");
            return self.fail(Rule::LoopGuard, message);
        }
        Decision { rule, action: Action::Again { not_before } }
    }

    /// What comes again and again, if anything does. A poll for a state alone always gets the same.
    fn goes_round(&self) -> Option<&'static str> {
        let guard = self.settings.stop.loop_guard;
        let is_caught = |times: u32| guard > 0 && times > guard;
        if is_caught(self.progress.cursor.times()) {
            return Some("the same cursor");
        }
        (self.manner.pages() && is_caught(self.progress.page.times())).then_some("the same page")
    }

    fn after_refusal(&mut self, refusal: &RefusalSeen) -> Decision {
        let retry = &self.settings.retry;
        if refusal.asks_for_credentials && !self.settings.units.columns.authentication.is_empty() {
            self.progress.refusals += 1;
            if self.progress.refusals < retry.credential_attempts.max(1) {
                return self.retry(Rule::Credentials, retry.credential_delay);
            }
            return self.fail(Rule::Credentials, refusal.message.clone());
        }
        // These two say that nothing was done (RFC 6585, section 4; RFC 9110, section 15.6.4).
        let had_no_effect = matches!(refusal.status, 429 | 503);
        let is_listed = !refusal.by_reason && retry.statuses.contains(refusal.status);
        if is_listed && (self.manner.is_repeatable() || had_no_effect) && self.progress.retries < retry.times {
            let own = backoff(&retry.backoff, self.progress.retries, self.at.chance);
            let wait = refusal.wait.unwrap_or(own);
            if wait > retry.longest_wait && refusal.wait.is_some() {
                return self.fail(Rule::WaitTooLong, too_long(refusal, wait, retry.longest_wait));
            }
            self.progress.retries += 1;
            return self.retry(Rule::RetryStatus, wait);
        }
        let rule = if refusal.by_reason { Rule::ErrorReason } else { Rule::ErrorStatus };
        self.tolerate(true, refusal.wait).unwrap_or_else(|| self.fail(rule, refusal.message.clone()))
    }

    fn after_loss(&mut self, lost: &LostSeen) -> Decision {
        let retry = &self.settings.retry;
        if lost.got_on {
            self.progress.retries = 0;
        }
        let may_repeat = !lost.is_final && (lost.never_sent || self.manner.is_repeatable());
        if may_repeat && retry.on_transport_errors && self.progress.retries < retry.times {
            let wait = backoff(&retry.backoff, self.progress.retries, self.at.chance);
            self.progress.retries += 1;
            return self.retry(Rule::RetryTransport, wait);
        }
        self.tolerate(may_repeat, None).unwrap_or_else(|| self.fail(Rule::Transport, lost.message.clone()))
    }

    /// Goes on with a poll in spite of a failed request, if so many in a row may fail.
    fn tolerate(&mut self, may_repeat: bool, wait: Option<Duration>) -> Option<Decision> {
        let retry = &self.settings.retry;
        if !(may_repeat && self.manner.polls() && self.progress.poll_errors < retry.poll_errors) {
            return None;
        }
        let wait = wait.unwrap_or_else(|| backoff(&retry.backoff, self.progress.poll_errors, self.at.chance));
        self.progress.poll_errors += 1;
        self.progress.retries = 0;
        Some(self.retry(Rule::PollError, wait.min(retry.longest_wait)))
    }

    fn retry(&mut self, rule: Rule, wait: Duration) -> Decision {
        let not_before = self.not_before(wait);
        if self.is_too_late(not_before) {
            return self.time_out();
        }
        Decision { rule, action: Action::Retry { not_before, renews_credentials: rule == Rule::Credentials } }
    }

    /// After the wait, and after the least time between the starts of two requests.
    fn not_before(&self, wait: Duration) -> Moment {
        let by_pace = self.progress.sent.map_or(self.at.moment, |sent| sent.after(self.settings.pace.interval));
        self.at.moment.after(wait).max(by_pace)
    }

    /// Whether the time is over before a request may be sent: then nobody waits for it.
    fn is_too_late(&self, not_before: Moment) -> bool {
        self.progress.deadline().is_some_and(|deadline| not_before >= deadline)
    }

    fn time_out(&mut self) -> Decision {
        let seconds = self.settings.pace.timeout.unwrap_or_default().as_secs_f64();
        match self.settings.stop.on_timeout {
            OnTimeout::Fail => {
                let message = format!(
                    "the time is over: the remote session was not complete {seconds} s after the first request \
                     (`ms.wait.timeout.seconds`); the session key is `{}`",
                    shortened(self.progress.key.text())
                );
                self.fail(Rule::Timeout, message)
            }
            OnTimeout::Partial => self.complete(Rule::Timeout),
            OnTimeout::Continue => {
                self.progress.outcome = Some(Outcome::Paused);
                Decision { rule: Rule::Timeout, action: Action::Pause }
            }
        }
    }

    fn complete(&mut self, rule: Rule) -> Decision {
        let (rows, least) = (self.progress.rows, self.settings.stop.least_records);
        if rows < least {
            let message =
                format!("{rows} records came, and at least {least} were expected (`ms.work.unit.min.records`)");
            return self.fail(Rule::MinRecords, message);
        }
        self.progress.outcome = Some(Outcome::Completed { rule, conflict: self.conflict(rule) });
        Decision { rule, action: Action::Complete }
    }

    fn conflict(&self, rule: Rule) -> Option<Conflict> {
        let extracted = self.progress.rows;
        let off = self.progress.total.filter(|expected| *expected != extracted);
        let has_condition = self.settings.key.as_ref().is_some_and(|key| key.condition.is_some());
        match off {
            Some(expected) => Some(Conflict::Total { expected, extracted }),
            None if rule == Rule::Total && has_condition => Some(Conflict::ConditionUnmet),
            None => None,
        }
    }

    fn fail(&mut self, rule: Rule, reason: String) -> Decision {
        self.progress.outcome = Some(Outcome::Failed { rule, reason });
        Decision { rule, action: Action::Fail }
    }
}

fn too_long(refusal: &RefusalSeen, wait: Duration, longest: Duration) -> String {
    format!(
        "{}; the server asks to wait for {} s, and the longest wait is {} s (`longestWait` of `rejoin.retry`)",
        refusal.message,
        wait.as_secs(),
        longest.as_secs()
    )
}

/// A session key, as much of it as a message needs: it may be a list of all there is.
fn shortened(key: &str) -> &str {
    const MOST: usize = 200;
    &key[..key.floor_char_boundary(MOST)]
}

fn fingerprint(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}
