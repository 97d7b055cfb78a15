use std::ops::RangeInclusive;

/// Which answers are good ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerRules {
    /// `ms.http.statuses`, `success`: they hold a page.
    pub success: StatusSet,
    /// `warning`: no page, and no failure.
    pub warning: StatusSet,
    /// `error`: the ingestion fails.
    pub error: StatusSet,
    /// `pagination_error`: the credentials are read again, and the request is sent again.
    pub credentials: StatusSet,
    /// `ms.http.status.reasons`, `error`: reasons that make an error of a success.
    pub error_reasons: Vec<Box<str>>,
    /// `ms.http.response.type` and what the form of the page stands for: media types in lower case, without parameters;
    /// none: any will do.
    pub media_types: Vec<Box<str>>,
}

/// Some of the status codes of HTTP.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StatusSet(pub Vec<RangeInclusive<u16>>);

impl StatusSet {
    /// Whether a code is one of them.
    #[must_use]
    pub fn contains(&self, status: u16) -> bool {
        self.0.iter().any(|range| range.contains(&status))
    }
}
