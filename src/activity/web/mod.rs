//! Data of other people's HTTP services.

mod http_ingest;
mod http_job;
mod phase;
mod variables;

pub use http_ingest::HttpIngest;
pub use http_job::{HttpJob, OpenJobs};
