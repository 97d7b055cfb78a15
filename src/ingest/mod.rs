//! Session control over other people's HTTP services: what to ask next, and when to stop.
//!
//! A remote service keeps a session behind stateless requests: a status to poll, a cursor to hand back, a page to ask for next, a
//! file that is ready some day. An *ingestion* drives such a session. It is described by *properties* with the names and the JSON
//! forms of `LinkedIn`'s data-integration-library (DIL), checked into [`settings`] before the first request.
//!
//! The room holds what is decided, not what is sent: [`resource::web`](crate::resource::web) sends, the activities of
//! [`activity::web`](crate::activity::web) join the two to streams and sessions.

pub mod control;
mod decision;
mod formula;
mod json;
pub mod page;
pub mod properties;
pub mod settings;
pub mod transfer;
pub mod variables;

pub use decision::DecisionRow;
pub use formula::{Facts, Formula, FormulaError};
pub use json::{JSON_BYTES, JSON_DEPTH, Json, JsonError};
