//! What an ingestion is told, checked.
//!
//! The properties of an activity and of its web resource become these values before the first request is sent; whatever is wrong
//! with them is found there. The names of the properties stand with each field.

mod answers;
mod condition;
mod download;
mod pace;
mod page;
mod paging;
mod parameter;
mod path;
mod request;
#[cfg(test)]
pub(crate) mod samples;
mod stop;
mod template;
mod time;
mod units;
mod window;

pub use answers::{AnswerRules, StatusSet};
pub use condition::{Condition, SessionKey};
pub use download::{Checksum, ChecksumAlgorithm, ChecksumSource, DownloadSettings};
pub use pace::{Backoff, PaceSettings, RetrySettings};
pub use page::{BlankPages, ColumnType, CsvPage, DerivedField, DerivedForm, DerivedSource, PageForm, PageSettings};
pub use paging::{NextLink, PageValues, PagingSettings};
pub use parameter::{Parameter, ParameterValue, Placement, WatermarkForm, WatermarkSide};
pub use path::{Segment, ValuePath};
pub use request::{AuthenticationSettings, RequestSettings, UriEncoding};
pub use stop::{OnTimeout, StopSettings};
pub use template::{Template, TemplatePart};
pub use time::{TimePattern, TimeZone};
pub use units::{SecondaryColumns, UnitList, UnitSettings};
pub use window::{Window, WindowEnd, WindowSettings, WindowStep};

/// Everything that an ingestion is told.
#[derive(Debug, Clone)]
pub struct IngestSettings {
    /// What is sent.
    pub request: RequestSettings,
    /// `ms.parameters`: what goes with it, in this order.
    pub parameters: Vec<Parameter>,
    /// `ms.session.key.field`: the value by which the remote session is steered.
    pub key: Option<SessionKey>,
    /// `ms.pagination`, `ms.total.count.field`, `rejoin.next`: which page is next.
    pub paging: PagingSettings,
    /// How an answer is read into records.
    pub page: PageSettings,
    /// Which answers are good ones.
    pub answers: AnswerRules,
    /// When requests are sent.
    pub pace: PaceSettings,
    /// What is tried again.
    pub retry: RetrySettings,
    /// When to stop, beside the session key and the pages.
    pub stop: StopSettings,
    /// Which units there are.
    pub units: UnitSettings,
    /// `rejoin.download`: answers become files.
    pub download: Option<DownloadSettings>,
}

impl IngestSettings {
    /// Whether a condition goes over the lists of an answer, and so may take its time.
    #[must_use]
    pub fn has_loops(&self) -> bool {
        let key = self.key.iter().flat_map(|key| key.condition.iter().chain(&key.failure));
        key.chain(&self.stop.when).chain(&self.stop.fail_when).any(Condition::has_loops)
    }
}
