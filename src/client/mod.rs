//! The toolkit: what a program uses to have requests performed by a data service.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use rejoin::client::DataService;
//! use serde::Deserialize;
//!
//! #[derive(Deserialize)]
//! struct Customer {
//!     id: i64,
//!     name: String,
//! }
//!
//! let service = DataService::connect("http://127.0.0.1:8080", "demo").await?;
//! let customers: Vec<Customer> =
//!     service.query("SELECT id, name FROM customer WHERE town = ?").parameter("Oban").all().await?;
//! # Ok(())
//! # }
//! ```
//!
//! | for | is |
//! |---|---|
//! | a data service resource, and how it is reached | [`DataService`], [`DataServiceBuilder`], [`Credentials`] |
//! | one statement | [`Query`], [`Update`] |
//! | a pipeline of activities | [`Request`], [`SessionRequirement`] |
//! | what comes back | [`Response`]; [`Rows`] and [`EndPoint`], which stream |
//! | what is remembered between requests | [`Session`], [`Transaction`], [`Cursor`], [`SessionStream`] |
//! | a request that goes on behind its answer | [`RunningRequest`] |
//! | what went wrong | [`Error`], [`Failure`], [`Code`] |
//!
//! # A lost answer
//!
//! A connection may break after a request was sent and before its answer came. A request that may change something is sent with
//! a key, and sent again with it until there is an answer: the service runs it once. One that only reads is sent again as it is. A
//! request that is refused for a while (`retryable`) is sent again when the service says so. All of that ends when the
//! [patience](DataServiceBuilder::patience) is over; what can't be known then is [`Error::OutcomeUnknown`], and never repeated in
//! silence. `docs/guarantees.md` has what the service promises.
//!
//! The room needs no server: `default-features = false, features = ["client"]` builds it with few dependencies. The guide for a
//! newcomer is `docs/client.md`.

mod asynchronous;
mod attributes;
mod body;
mod builder;
mod caller;
mod code;
mod credentials;
mod cursor;
mod effects;
mod end_point;
mod end_point_name;
mod error;
mod exchange;
mod failure;
mod new_session;
mod parcel;
mod patience;
mod query;
mod request;
mod requirement;
mod response;
mod rows;
mod service;
mod session;
mod shared;
mod stream;
mod transaction;
mod update;

pub use asynchronous::RunningRequest;
pub use builder::DataServiceBuilder;
pub use code::Code;
pub use credentials::Credentials;
pub use cursor::Cursor;
pub use end_point::EndPoint;
pub use end_point_name::EndPointName;
pub use error::Error;
pub use failure::Failure;
pub use new_session::NewSession;
pub use query::Query;
pub use request::Request;
pub use requirement::SessionRequirement;
pub use response::{Response, ResponseResult};
pub use rows::{RowError, Rows, structs};
pub use service::DataService;
pub use session::Session;
pub use stream::{SessionStream, StreamBlocks};
pub use transaction::{Isolation, NewTransaction, Transaction};
pub use update::Update;
