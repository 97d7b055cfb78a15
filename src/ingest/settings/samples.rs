//! Settings for tests, to be changed where a test is about something.

use std::time::Duration;

use http::Method;

use super::{
    AnswerRules, Backoff, BlankPages, Condition, IngestSettings, OnTimeout, PaceSettings, PageForm, PageSettings,
    PagingSettings, RequestSettings, RetrySettings, SessionKey, StatusSet, StopSettings, Template, UnitSettings,
    UriEncoding, ValuePath,
};

/// One GET of JSON, with DIL's defaults.
pub(crate) fn plain() -> IngestSettings {
    IngestSettings {
        request: RequestSettings {
            method: Method::GET,
            encoding: UriEncoding::Form,
            uri: Template::parse("/records"),
            headers: Vec::new(),
            authentication: None,
        },
        parameters: Vec::new(),
        key: None,
        paging: PagingSettings::default(),
        page: PageSettings {
            form: PageForm::Json { data: None },
            schema: None,
            leaves_out_unknown: true,
            derived: Vec::new(),
            is_gzip: false,
            has_explicit_eof: false,
            bytes: 64 << 20,
            blank: BlankPages::Stop,
        },
        answers: AnswerRules {
            success: StatusSet(vec![200..=202]),
            warning: StatusSet::default(),
            error: StatusSet::default(),
            credentials: StatusSet(vec![401..=401]),
            error_reasons: Vec::new(),
            media_types: vec!["application/json".into()],
        },
        pace: PaceSettings { interval: Duration::ZERO, timeout: None, unit_interval: Duration::ZERO },
        retry: RetrySettings {
            statuses: StatusSet::default(),
            on_transport_errors: false,
            times: 0,
            backoff: Backoff {
                first: Duration::from_secs(1),
                factor: 2.0,
                longest: Duration::from_mins(1),
                jitter: 0.0,
            },
            longest_wait: Duration::from_mins(5),
            poll_errors: 0,
            credential_attempts: 3,
            credential_delay: Duration::from_mins(5),
        },
        stop: StopSettings {
            when: Vec::new(),
            fail_when: Vec::new(),
            pages: None,
            loop_guard: 0,
            on_timeout: OnTimeout::Fail,
            least_records: 0,
        },
        units: UnitSettings::default(),
        download: None,
    }
}

/// A session key with a condition and a `failCondition`, where they are not `None`.
pub(crate) fn key(name: &str, condition: Option<&str>, failure: Option<&str>) -> SessionKey {
    SessionKey {
        path: ValuePath::parse(name).unwrap(),
        header: name.into(),
        condition: condition.map(whole),
        failure: failure.map(whole),
        is_sent_back: false,
        initial: None,
    }
}

/// The condition that the whole of the key's value matches.
pub(crate) fn whole(expression: &str) -> Condition {
    Condition::Matches(std::sync::Arc::new(regex::Regex::new(&format!(r"\A(?:{expression})\z")).unwrap()))
}
