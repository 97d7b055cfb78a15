//! Random histories against a naive reference: the table of the combinations of a condition (S), pages (P) and a total (C),
//! with the decisions on blank pages and warnings, written down once more in another way.

use std::time::Duration;

use chrono::{DateTime, TimeDelta};
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::ingest::settings::samples::{key, plain};
use crate::ingest::settings::{IngestSettings, PageValues, ValuePath};
use crate::session::Moment;

/// What a scripted server answers, and how many seconds it takes.
#[derive(Debug, Clone, Copy)]
enum Answer {
    Page { records: u64, state: &'static str },
    Warning,
    Error,
}

#[derive(Debug, Clone, Copy)]
struct Case {
    s: bool,
    p: bool,
    total: Option<u64>,
    timeout: Option<u64>,
    interval: u64,
}

impl Case {
    fn settings(self) -> IngestSettings {
        let mut settings = plain();
        settings.key = self.s.then(|| key("state", Some("done"), Some("failed")));
        settings.paging.is_on = self.p;
        settings.paging.initial = PageValues { start: Some(10), size: Some(5), number: Some(1) };
        settings.paging.total = self.total.and_then(|_| ValuePath::parse("total"));
        settings.pace.timeout = self.timeout.map(Duration::from_secs);
        settings.pace.interval = Duration::from_secs(self.interval);
        settings
    }
}

/// How it ends: `None` while it goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Well,
    Badly,
}

/// The reference: no state but the history.
fn reference(case: Case, history: &[(Answer, u64, bool)], sent: u64, now: u64, began: u64) -> Option<End> {
    let Case { s, p, total, .. } = case;
    let rows: u64 =
        history.iter().map(|(answer, ..)| if let Answer::Page { records, .. } = answer { *records } else { 0 }).sum();
    let end = match history.last()?.0 {
        Answer::Error => Some(End::Badly),
        // R5
        Answer::Warning => (!s || p).then_some(End::Well),
        Answer::Page { state: "done", .. } if s => Some(End::Well),
        Answer::Page { state: "failed", .. } if s => Some(End::Badly),
        // R7
        Answer::Page { .. } if total.is_some_and(|total| rows >= total) => Some(End::Well),
        // R4
        Answer::Page { records: 0, .. } if p || total.is_some() => Some(End::Well),
        Answer::Page { .. } => (!s && !p && total.is_none()).then_some(End::Well),
    };
    let next = now.max(sent + case.interval);
    end.or_else(|| case.timeout.is_some_and(|timeout| next >= began + timeout).then_some(End::Badly))
}

fn answers() -> impl Strategy<Value = Answer> {
    let state = prop_oneof![8 => Just("running"), 1 => Just("done"), 1 => Just("failed"), 1 => Just("")];
    prop_oneof![
        12 => (0_u64..5, state).prop_map(|(records, state)| Answer::Page { records, state }),
        1 => Just(Answer::Warning),
        1 => Just(Answer::Error),
    ]
}

fn cases() -> impl Strategy<Value = Case> {
    let total = proptest::option::of(0_u64..30);
    let timeout = proptest::option::of(0_u64..40);
    (any::<bool>(), any::<bool>(), total, timeout, 0_u64..6).prop_map(|(s, p, total, timeout, interval)| Case {
        s,
        p,
        total,
        timeout,
        interval,
    })
}

fn seen(answer: Answer, case: Case, settings: &IngestSettings) -> Seen {
    match answer {
        Answer::Error => Seen::Refused(RefusalSeen { status: 500, ..RefusalSeen::default() }),
        Answer::Warning => Seen::Warning(WarningSeen { status: 204, ..WarningSeen::default() }),
        Answer::Page { records, state } => {
            let key = KeyValue::Text(state.to_owned());
            let headers = http::HeaderMap::new();
            let facts = crate::ingest::Facts::new(None, &headers, 200);
            let verdict = verdict(settings, Some(&key), &facts).transpose();
            Seen::Page(PageSeen { records, key, total: case.total, verdict, ..PageSeen::default() })
        }
    }
}

fn at(seconds: u64) -> Occasion {
    let moment = Moment::ORIGIN.after(Duration::from_secs(seconds));
    Occasion { moment, wall: DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds.cast_signed()), chance: 0.0 }
}

proptest! {
    /// The machine ends when the reference does, sends no request too early or too late, and counts pages as they come.
    #[test]
    fn every_history_goes_as_the_table_says(case in cases(), script in vec((answers(), 0_u64..9, any::<bool>()), 1..40)) {
        let settings = case.settings();
        let mut progress = Progress::new(&settings);
        let (mut now, mut rows) = (7_u64, 0);
        for step in 0..script.len() {
            let sent = now;
            progress.begin_request(&settings, at(now));
            let (answer, took, restarts) = script[step];
            now += took;
            let decision = decide(&settings, &mut progress, &seen(answer, case, &settings), at(now));
            let expected = reference(case, &script[..=step], sent, now, 7);
            match decision.action {
                Action::Complete => prop_assert_eq!(expected, Some(End::Well)),
                Action::Fail => prop_assert_eq!(expected, Some(End::Badly)),
                Action::Again { not_before } => {
                    prop_assert_eq!(expected, None);
                    prop_assert_eq!(not_before, at(now.max(sent + case.interval)).moment);
                    now = now.max(sent + case.interval);
                }
                other => prop_assert!(false, "{other:?}"),
            }
            if let Answer::Page { records, .. } = answer {
                rows += records;
                prop_assert_eq!(progress.values.start, Some(10 + rows));
                prop_assert_eq!(progress.values.number, Some(1 + progress.pages));
            }
            prop_assert_eq!(progress.rows, rows);
            prop_assert_eq!(progress.requests, step as u64 + 1);
            prop_assert_eq!(decision.action.not_before().is_none(), progress.outcome.is_some());
            if progress.outcome.is_some() {
                break;
            }
            if restarts {
                let kept = serde_json::to_string(&progress).unwrap();
                let deadline = progress.deadline();
                progress = serde_json::from_str(&kept).unwrap();
                progress.resume(at(now));
                prop_assert_eq!(progress.deadline(), deadline);
            }
        }
    }
}
