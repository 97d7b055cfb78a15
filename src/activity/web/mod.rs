//! Data of other people's HTTP services.

mod http_ingest;

pub use http_ingest::HttpIngest;
