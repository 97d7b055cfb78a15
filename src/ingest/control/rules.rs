//! The decisions R1 to R30 that are this room's, each by a test that has its number, and the rules beyond them.

use std::time::Duration;

use chrono::{DateTime, TimeDelta};

use super::*;
use crate::ingest::settings::samples::{key, plain, whole};
use crate::ingest::settings::{
    BlankPages, IngestSettings, NextLink, OnTimeout, PageValues, SessionKey, StatusSet, ValuePath,
};
use crate::session::Moment;

/// Time that a test moves, and the ingestion that runs in it.
struct Run {
    settings: IngestSettings,
    progress: Progress,
    millis: u64,
}

impl Run {
    fn new(settings: IngestSettings) -> Self {
        let progress = Progress::new(&settings);
        Self { settings, progress, millis: 0 }
    }

    fn at(&self) -> Occasion {
        let wall =
            DateTime::UNIX_EPOCH + TimeDelta::milliseconds(1_700_000_000_000 + i64::try_from(self.millis).unwrap());
        Occasion { moment: moment(self.millis), wall, chance: 0.5 }
    }

    /// Sends a request, waits `millis` for the answer, and decides.
    fn after(&mut self, seen: &Seen, millis: u64) -> Decision {
        self.progress.begin_request(&self.settings, self.at());
        self.millis += millis;
        let at = self.at();
        let decision = decide(&self.settings, &mut self.progress, seen, at);
        if let Some(moment) = decision.action.not_before() {
            self.millis = self.millis.max(moment.as_nanos() / 1_000_000);
        }
        decision
    }

    fn answer(&mut self, page: PageSeen) -> Rule {
        self.page(page).rule
    }

    fn page(&mut self, mut page: PageSeen) -> Decision {
        let headers = http::HeaderMap::new();
        let facts = crate::ingest::Facts::new(None, &headers, 200).with_key(page.key.text());
        page.verdict = verdict(&self.settings, Some(&page.key), &facts).transpose();
        self.after(&Seen::Page(page), 0)
    }

    fn reason(&self) -> &str {
        match &self.progress.outcome {
            Some(Outcome::Failed { reason, .. }) => reason,
            other => panic!("{other:?}"),
        }
    }
}

fn moment(millis: u64) -> Moment {
    Moment::ORIGIN.after(Duration::from_millis(millis))
}

fn state(value: &str) -> PageSeen {
    PageSeen { records: 1, key: KeyValue::Text(value.into()), ..PageSeen::default() }
}

fn records(records: u64) -> PageSeen {
    PageSeen { records, ..PageSeen::default() }
}

fn refused(status: u16) -> Seen {
    Seen::Refused(RefusalSeen { status, message: format!("status {status}"), ..RefusalSeen::default() })
}

fn polling() -> IngestSettings {
    IngestSettings { key: Some(key("status", Some("done"), Some("failed"))), ..plain() }
}

fn paging() -> IngestSettings {
    let mut settings = plain();
    settings.paging.is_on = true;
    settings.paging.initial = PageValues { start: Some(0), size: Some(2), number: None };
    settings
}

fn counting(settings: IngestSettings) -> IngestSettings {
    let mut settings = settings;
    settings.paging.total = ValuePath::parse("total");
    settings
}

fn cursor() -> IngestSettings {
    let sent_back = SessionKey { is_sent_back: true, ..key("cursor", None, None) };
    let mut settings = IngestSettings { key: Some(sent_back), ..plain() };
    settings.paging.is_on = true;
    settings
}

#[test]
fn r01_a_fail_condition_without_a_condition_counts() {
    let mut settings = paging();
    settings.key = Some(key("status", None, Some("failed")));
    let mut run = Run::new(settings);
    assert_eq!(run.answer(state("running")), Rule::NextPage);
    assert_eq!(run.answer(state("failed")), Rule::FailCondition);
}

#[test]
fn r02_a_blank_key_matches_no_fail_condition_that_is_not_there() {
    let mut run = Run::new(IngestSettings { key: Some(key("status", Some("done"), None)), ..plain() });
    assert_eq!(run.answer(records(1)), Rule::Poll);
    let mut settings = cursor();
    settings.key = Some(SessionKey { is_sent_back: true, ..key("cursor", Some("end"), None) });
    settings.paging.is_on = false;
    let mut run = Run::new(settings);
    assert_eq!(run.answer(state("c1")), Rule::Poll);
    assert_eq!(run.answer(records(1)), Rule::KeyBlank);
}

#[test]
fn r03_a_cursor_without_a_condition_leads_from_page_to_page_until_it_is_blank() {
    for blank in [KeyValue::Absent, KeyValue::Null, KeyValue::Text(String::new())] {
        let mut run = Run::new(cursor());
        assert_eq!(run.answer(state("c1")), Rule::NextPage);
        assert_eq!(run.progress.session_value(&run.settings), Some("c1"));
        assert_eq!(run.answer(PageSeen { records: 1, key: blank, ..PageSeen::default() }), Rule::KeyBlank);
    }
    let mut run = Run::new(cursor());
    assert_eq!(run.answer(PageSeen { records: 0, ..state("c1") }), Rule::BlankPage);
}

#[test]
fn r04_a_poll_goes_on_after_a_blank_page_and_pages_end_with_it() {
    let mut run = Run::new(polling());
    assert_eq!(run.answer(records(0)), Rule::Poll);
    assert_eq!(run.answer(PageSeen { is_data_missing: true, ..PageSeen::default() }), Rule::Poll);
    let mut settings = paging();
    settings.key = Some(key("status", Some("done"), None));
    let mut run = Run::new(settings);
    assert_eq!(run.answer(state("more")), Rule::NextPage);
    assert_eq!(run.answer(records(0)), Rule::BlankPage);
}

#[test]
fn r05_a_poll_goes_on_after_a_warning_and_pages_end_with_it() {
    let warning = || Seen::Warning(WarningSeen { status: 404, ..WarningSeen::default() });
    assert_eq!(Run::new(polling()).after(&warning(), 0).rule, Rule::Poll);
    let decision = Run::new(paging()).after(&warning(), 0);
    assert_eq!((decision.rule, decision.action), (Rule::Warning, Action::Complete));
}

#[test]
fn r06_a_condition_that_holds_before_the_total_is_reached_ends_with_a_conflict() {
    let mut run = Run::new(counting(polling()));
    assert_eq!(run.answer(PageSeen { total: Some(5), ..state("done") }), Rule::Condition);
    let conflict = Some(Conflict::Total { expected: 5, extracted: 1 });
    assert_eq!(run.progress.outcome, Some(Outcome::Completed { rule: Rule::Condition, conflict }));
}

#[test]
fn r07_a_total_that_is_reached_before_the_condition_holds_ends_with_a_conflict() {
    let mut run = Run::new(counting(polling()));
    assert_eq!(run.answer(PageSeen { total: Some(1), ..state("running") }), Rule::Total);
    let conflict = Some(Conflict::ConditionUnmet);
    assert_eq!(run.progress.outcome, Some(Outcome::Completed { rule: Rule::Total, conflict }));
}

#[test]
fn r08_what_fails_before_the_total_is_reached_asks_for_no_more() {
    let mut run = Run::new(counting(polling()));
    let decision = run.page(PageSeen { total: Some(5), ..state("failed") });
    assert_eq!((decision.rule, decision.action), (Rule::FailCondition, Action::Fail));
    assert!(run.reason().contains("failCondition"), "{}", run.reason());
}

#[test]
fn r09_the_time_runs_from_the_first_request_and_nobody_sleeps_beyond_its_end() {
    let mut settings = polling();
    settings.pace.timeout = Some(Duration::from_secs(1));
    settings.pace.interval = Duration::from_millis(400);
    let mut run = Run::new(settings);
    run.millis = 60_000;
    let rules: Vec<Rule> = (0..3).map(|_| run.answer(state("pending"))).collect();
    assert_eq!(rules, [Rule::Poll, Rule::Poll, Rule::Timeout]);
    assert_eq!(run.millis, 60_800);
    assert!(run.reason().contains("1 s after the first request"), "{}", run.reason());
}

#[test]
fn r09_the_condition_comes_before_the_fail_condition_and_both_before_the_time_out() {
    let mut settings = polling();
    settings.key = Some(key("status", Some("done.*"), Some(".*failed")));
    settings.pace.timeout = Some(Duration::ZERO);
    assert_eq!(Run::new(settings.clone()).answer(state("done-failed")), Rule::Condition);
    assert_eq!(Run::new(settings.clone()).answer(state("failed")), Rule::FailCondition);
    assert_eq!(Run::new(settings).answer(state("running")), Rule::Timeout);
}

#[test]
fn r10_pages_alone_have_no_time_out() {
    let mut run = Run::new(paging());
    for _ in 0..100 {
        assert_eq!(run.after(&Seen::Page(records(2)), 3_600_000).rule, Rule::NextPage);
    }
}

#[test]
fn r11_the_interval_is_the_least_time_between_two_starts() {
    let mut settings = paging();
    settings.pace.interval = Duration::from_millis(400);
    let mut run = Run::new(settings);
    let decision = run.after(&Seen::Page(records(2)), 100);
    assert_eq!(decision.action, Action::Again { not_before: moment(400) });
    let decision = run.after(&Seen::Page(records(2)), 500);
    assert_eq!(decision.action, Action::Again { not_before: moment(900) });
}

#[test]
fn r14_the_first_value_of_a_key_is_sent_before_the_first_page() {
    let mut settings = cursor();
    let Some(key) = &mut settings.key else { unreachable!() };
    key.initial = Some("".into());
    let mut run = Run::new(settings);
    assert_eq!(run.progress.session_value(&run.settings), Some(""));
    run.answer(state("c1"));
    assert_eq!(run.progress.session_value(&run.settings), Some("c1"));
    run.answer(records(1));
    assert_eq!(run.progress.session_value(&run.settings), None);
}

#[test]
fn r18_pages_are_counted_from_the_first_and_by_what_answers_say() {
    let values = |start, size, number| PageValues { start, size, number };
    let mut settings = paging();
    settings.paging.initial = values(Some(1), Some(2), Some(1));
    let mut run = Run::new(settings);
    let mut after = |page: PageSeen| {
        run.answer(page);
        run.progress.values
    };
    assert_eq!(after(records(2)), values(Some(3), Some(2), Some(2)));
    assert_eq!(after(records(1)), values(Some(4), Some(2), Some(3)));
    let both = PageSeen { values: values(Some(4), Some(5000), Some(7)), ..records(2) };
    assert_eq!(after(both), values(Some(5004), Some(5000), Some(8)));
    let start_alone = PageSeen { values: values(Some(6000), None, None), ..records(3) };
    assert_eq!(after(start_alone), values(Some(6003), Some(5000), Some(9)));
    assert_eq!(after(records(1)), values(Some(6004), Some(5000), Some(10)));
}

#[test]
fn r18_without_first_values_the_first_request_has_none() {
    let mut settings = paging();
    settings.paging.initial = PageValues::default();
    let mut run = Run::new(settings);
    assert_eq!(run.progress.values, PageValues::default());
    run.answer(records(3));
    assert_eq!(run.progress.values, PageValues { start: Some(3), size: None, number: Some(1) });
}

#[test]
fn r19_a_reason_that_is_an_error_fails() {
    let seen = RefusalSeen { status: 200, by_reason: true, message: "200 Quota".into(), ..RefusalSeen::default() };
    let decision = Run::new(plain()).after(&Seen::Refused(seen), 0);
    assert_eq!((decision.rule, decision.action), (Rule::ErrorReason, Action::Fail));
}

#[test]
fn r21_refused_credentials_are_read_again_after_the_delay() {
    let mut settings = plain();
    settings.units.columns.authentication = vec!["access_token".into()];
    settings.retry.credential_attempts = 2;
    let mut run = Run::new(settings);
    let seen = RefusalSeen { status: 401, asks_for_credentials: true, ..RefusalSeen::default() };
    let decision = run.after(&Seen::Refused(seen.clone()), 0);
    let action = Action::Retry { not_before: moment(300_000), renews_credentials: true };
    assert_eq!((decision.rule, decision.action), (Rule::Credentials, action));
    assert_eq!(run.after(&Seen::Refused(seen.clone()), 0).action, Action::Fail);
    let decision = Run::new(plain()).after(&Seen::Refused(seen), 0);
    assert_eq!((decision.rule, decision.action), (Rule::ErrorStatus, Action::Fail));
}

#[test]
fn r22_an_answer_of_another_media_type_fails() {
    let seen = UnreadableSeen { rule: Rule::MediaType, message: "text/html".into() };
    assert_eq!(Run::new(polling()).after(&Seen::Unreadable(seen), 0).rule, Rule::MediaType);
}

#[test]
fn r23_records_that_are_missing_end_pages_and_fail_a_single_answer() {
    let missing = || PageSeen { is_data_missing: true, ..PageSeen::default() };
    assert_eq!(Run::new(paging()).answer(missing()), Rule::BlankPage);
    assert_eq!(Run::new(counting(plain())).answer(missing()), Rule::BlankPage);
    assert_eq!(Run::new(plain()).answer(missing()), Rule::DataField);
}

#[test]
fn r26_one_answer_takes_one_request() {
    let mut run = Run::new(plain());
    assert_eq!(run.answer(records(0)), Rule::OneAnswer);
    assert_eq!(run.progress.requests, 1);
}

#[test]
fn a_total_alone_asks_until_it_is_reached() {
    let mut run = Run::new(counting(plain()));
    assert_eq!(run.answer(PageSeen { total: Some(3), ..records(2) }), Rule::NextPage);
    assert_eq!(run.answer(records(1)), Rule::Total);
    assert_eq!(Run::new(counting(plain())).answer(records(2)), Rule::OneAnswer);
}

#[test]
fn several_signals_have_their_order() {
    let mut settings = polling();
    settings.stop.when = vec![whole("a|failed"), whole(".*")];
    settings.stop.fail_when = vec![whole(".*")];
    assert_eq!(Run::new(settings.clone()).answer(state("done")), Rule::Condition);
    assert_eq!(Run::new(settings.clone()).answer(state("failed")), Rule::StopWhen(0));
    assert_eq!(Run::new(settings.clone()).answer(state("b")), Rule::StopWhen(1));
    settings.stop.when.clear();
    assert_eq!(Run::new(settings.clone()).answer(state("failed")), Rule::FailCondition);
    assert_eq!(Run::new(settings).answer(state("b")), Rule::FailWhen(0));
}

#[test]
fn an_answer_that_names_no_next_address_is_the_last() {
    let mut settings = plain();
    settings.paging.next = Some(NextLink::LinkHeader);
    let mut run = Run::new(settings);
    let next = PageSeen { next: Some("http://api/2".into()), ..records(1) };
    assert_eq!(run.answer(next), Rule::NextPage);
    assert_eq!(run.progress.next.as_deref(), Some("http://api/2"));
    assert_eq!(run.answer(records(1)), Rule::NoNext);
}

#[test]
fn blank_pages_may_be_passed_over() {
    let mut settings = paging();
    settings.page.blank = BlankPages::StopAfter(2);
    let mut run = Run::new(settings.clone());
    let rules = [0, 2, 0, 0].map(|count| run.answer(records(count)));
    assert_eq!(rules, [Rule::NextPage, Rule::NextPage, Rule::NextPage, Rule::BlankPage]);
    settings.page.blank = BlankPages::Continue;
    let mut run = Run::new(settings);
    assert!((0..9).all(|_| run.answer(records(0)) == Rule::NextPage));
}

#[test]
fn the_same_cursor_or_page_again_and_again_is_caught() {
    let mut settings = cursor();
    settings.stop.loop_guard = 2;
    let mut run = Run::new(settings);
    let rules = ["a", "b", "b", "b"].map(|cursor| run.answer(state(cursor)));
    assert_eq!(rules, [Rule::NextPage, Rule::NextPage, Rule::NextPage, Rule::LoopGuard]);
    let mut settings = paging();
    settings.stop.loop_guard = 1;
    let mut run = Run::new(settings);
    let rules = [1, 2, 2].map(|page| run.answer(PageSeen { fingerprint: Some(page), ..records(2) }));
    assert_eq!(rules, [Rule::NextPage, Rule::NextPage, Rule::LoopGuard]);
    let mut settings = polling();
    settings.stop.loop_guard = 1;
    let mut run = Run::new(settings);
    assert!((0..9).all(|_| run.answer(PageSeen { fingerprint: Some(1), ..state("pending") }) == Rule::Poll));
}

#[test]
fn one_page_more_than_the_most_is_a_failure() {
    let mut settings = paging();
    settings.stop.pages = Some(2);
    let mut run = Run::new(settings.clone());
    assert_eq!([2, 2].map(|count| run.answer(records(count))), [Rule::NextPage, Rule::PagesMax]);
    let mut run = Run::new(settings);
    assert_eq!([2, 0].map(|count| run.answer(records(count))), [Rule::NextPage, Rule::BlankPage]);
}

fn retrying(settings: IngestSettings) -> IngestSettings {
    let mut settings = settings;
    settings.retry.statuses = StatusSet(vec![429..=429, 500..=599]);
    settings.retry.on_transport_errors = true;
    settings.retry.times = 2;
    settings
}

#[test]
fn a_request_is_sent_again_after_growing_waits() {
    let mut run = Run::new(retrying(plain()));
    let waits = [500, 502, 500].map(|status| run.after(&refused(status), 0).action);
    let retry = |millis| Action::Retry { not_before: moment(millis), renews_credentials: false };
    assert_eq!(waits, [retry(1000), retry(3000), Action::Fail]);
    let mut run = Run::new(retrying(paging()));
    for _ in 0..3 {
        assert_eq!(run.after(&refused(500), 0).rule, Rule::RetryStatus);
        assert_eq!(run.answer(records(2)), Rule::NextPage);
    }
}

#[test]
fn a_server_may_ask_to_wait_but_not_too_long_and_not_beyond_the_end() {
    let asks = |seconds| {
        let wait = Some(Duration::from_secs(seconds));
        Seen::Refused(RefusalSeen { status: 429, wait, ..RefusalSeen::default() })
    };
    let mut run = Run::new(retrying(plain()));
    assert_eq!(run.after(&asks(7), 0).action.not_before(), Some(moment(7000)));
    assert_eq!(run.after(&asks(301), 0).rule, Rule::WaitTooLong);
    let mut settings = retrying(polling());
    settings.pace.timeout = Some(Duration::from_secs(5));
    assert_eq!(Run::new(settings).after(&asks(7), 0).rule, Rule::Timeout);
}

#[test]
fn what_may_have_had_an_effect_is_not_sent_again() {
    let lost = |never_sent| Seen::Lost(LostSeen { never_sent, ..LostSeen::default() });
    let mut create = retrying(plain());
    create.request.method = http::Method::POST;
    assert_eq!(Run::new(create.clone()).after(&lost(false), 0).rule, Rule::Transport);
    assert_eq!(Run::new(create.clone()).after(&lost(true), 0).rule, Rule::RetryTransport);
    assert_eq!(Run::new(create.clone()).after(&refused(500), 0).rule, Rule::ErrorStatus);
    assert_eq!(Run::new(create.clone()).after(&refused(429), 0).rule, Rule::RetryStatus);
    create.paging.is_on = true;
    assert_eq!(Run::new(create).after(&lost(false), 0).rule, Rule::RetryTransport);
    let refused = Seen::Lost(LostSeen { never_sent: true, is_final: true, ..LostSeen::default() });
    assert_eq!(Run::new(retrying(plain())).after(&refused, 0).rule, Rule::Transport);
}

#[test]
fn a_poll_goes_on_after_some_failed_requests() {
    let mut settings = polling();
    settings.retry.poll_errors = 2;
    let mut run = Run::new(settings);
    assert_eq!(run.after(&refused(500), 0).rule, Rule::PollError);
    assert_eq!(run.answer(state("running")), Rule::Poll);
    let rules = [500, 404, 500].map(|status| run.after(&refused(status), 0).rule);
    assert_eq!(rules, [Rule::PollError, Rule::PollError, Rule::ErrorStatus]);
}

#[test]
fn what_the_end_of_the_time_means_is_said() {
    let mut settings = polling();
    settings.pace.timeout = Some(Duration::ZERO);
    settings.stop.on_timeout = OnTimeout::Partial;
    let mut run = Run::new(settings.clone());
    assert_eq!(run.page(state("running")).action, Action::Complete);
    settings.stop.on_timeout = OnTimeout::Continue;
    settings.pace.timeout = Some(Duration::from_secs(1));
    settings.pace.interval = Duration::from_secs(2);
    let mut run = Run::new(settings);
    assert_eq!(run.page(state("running")).action, Action::Pause);
    run.millis += 10_000;
    run.progress.resume(run.at());
    assert_eq!((run.progress.deadline(), run.progress.outcome.clone()), (None, None));
    assert_eq!(run.page(state("done")).action, Action::Complete);
}

#[test]
fn fewer_records_than_expected_are_a_failure() {
    let mut settings = plain();
    settings.stop.least_records = 3;
    let mut run = Run::new(settings);
    assert_eq!(run.answer(records(2)), Rule::MinRecords);
    assert!(run.reason().starts_with("2 records came, and at least 3 were expected"), "{}", run.reason());
}

#[test]
fn rc_1_a_progress_that_was_kept_goes_on_with_its_deadline_and_cursor() {
    let mut settings = cursor();
    settings.pace.timeout = Some(Duration::from_secs(100));
    settings.pace.interval = Duration::from_secs(30);
    let mut run = Run::new(settings.clone());
    run.answer(state("c1"));
    let kept = serde_json::to_vec(&run.progress).unwrap();
    let mut next = Run { settings, progress: serde_json::from_slice(&kept).unwrap(), millis: 10_000 };
    next.progress.resume(next.at());
    assert_eq!(next.progress.session_value(&next.settings), Some("c1"));
    assert_eq!(next.progress.not_before(), Some(moment(30_000)));
    assert_eq!(next.progress.deadline(), Some(moment(100_000)));
    assert_eq!(next.progress.pages, 1);
}
