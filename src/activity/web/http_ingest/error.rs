//! Failures of an ingestion as errors of an activity.

use crate::activity::ActivityError;
use crate::ingest::control::Rule;

/// The code of requests that can't be made of their values.
pub(super) const REFUSED: &str = "HttpIngestRequest";

/// The error by which an ingestion has failed. Its author reads the reason: it is about his remote service and his properties,
/// and holds no secret.
pub(in crate::activity::web) fn of_failure(rule: Rule, reason: &str) -> ActivityError {
    let code = match rule {
        Rule::Timeout => "HttpIngestTimedOut",
        Rule::Transport => "HttpIngestUnreachable",
        Rule::File => "HttpIngestFile",
        Rule::Checksum => "HttpIngestChecksum",
        Rule::MediaType | Rule::Unreadable | Rule::DataField | Rule::Formula => "HttpIngestUnreadable",
        _ => "HttpIngestFailed",
    };
    ActivityError::client(code, reason)
}
