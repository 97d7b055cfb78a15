use http::HeaderMap;
use http::header::CONTENT_TYPE;

use crate::ingest::settings::AnswerRules;

/// What kind of answer it is, by its status and its reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AnswerClass {
    /// It holds a page.
    Page,
    /// It holds none, and is no failure.
    Warning,
    /// The credentials are not good any more.
    Credentials,
    /// It is a failure.
    Error,
    /// Its status is a success, and its reason makes a failure of it.
    ErrorReason,
}

/// Says what kind of answer it is. The lists of [`AnswerRules`] share no status; what is in none of them is a warning below
/// 400, and a failure from there.
///
/// ```
/// use rejoin::ingest::page::{AnswerClass, classify};
/// use rejoin::ingest::settings::{AnswerRules, StatusSet};
///
/// let rules = AnswerRules {
///     success: StatusSet(vec![200..=202]),
///     warning: StatusSet(vec![404..=404]),
///     error: StatusSet(vec![206..=206]),
///     credentials: StatusSet(vec![401..=401]),
///     error_reasons: vec!["Quota".into()],
///     media_types: vec![],
/// };
/// assert_eq!(classify(&rules, 200, "OK"), AnswerClass::Page);
/// assert_eq!(classify(&rules, 200, "Quota"), AnswerClass::ErrorReason);
/// assert_eq!(classify(&rules, 204, ""), AnswerClass::Warning);
/// assert_eq!(classify(&rules, 206, ""), AnswerClass::Error);
/// assert_eq!(classify(&rules, 404, ""), AnswerClass::Warning);
/// assert_eq!(classify(&rules, 401, ""), AnswerClass::Credentials);
/// assert_eq!(classify(&rules, 500, ""), AnswerClass::Error);
/// ```
#[must_use]
pub fn classify(rules: &AnswerRules, status: u16, reason: &str) -> AnswerClass {
    if rules.success.contains(status) {
        let is_error = rules.error_reasons.iter().any(|listed| **listed == *reason);
        return if is_error { AnswerClass::ErrorReason } else { AnswerClass::Page };
    }
    if rules.warning.contains(status) || (status < 400 && !rules.error.contains(status)) {
        return AnswerClass::Warning;
    }
    if rules.credentials.contains(status) { AnswerClass::Credentials } else { AnswerClass::Error }
}

/// Whether the content type is one that holds a page. Its parameters don't count; one that is missing is none.
///
/// # Errors
///
/// What it is instead.
pub fn is_expected_type<'h>(rules: &AnswerRules, headers: &'h HeaderMap) -> Result<(), &'h str> {
    let written = headers.get(CONTENT_TYPE).map_or("", |value| value.to_str().unwrap_or("?"));
    let essence = written.split(';').next().unwrap_or_default().trim();
    let is_expected =
        rules.media_types.is_empty() || rules.media_types.iter().any(|expected| expected.eq_ignore_ascii_case(essence));
    if is_expected { Ok(()) } else { Err(essence) }
}
