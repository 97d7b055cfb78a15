//! HTTP services.

mod http_ingest;
mod http_job;
mod outputs;
mod phase;

pub use http_ingest::{Authenticate, HttpIngest, IngestState};
pub use http_job::{HttpJob, JobCancel};
pub use outputs::IngestOutputs;
pub use phase::{HttpPhase, HttpVariable, IngestProperty, VariableSource};
