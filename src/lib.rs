//! Rejoin: a data service with memory.
//!
//! A client posts a *perform document*, a pipeline of data *activities*, and says which *session* it joins. The service runs
//! the pipeline beside the data, streams the results back, and keeps attributes in the session for the next request. The
//! model is that of OGSA-DAI 2.x. The command `rejoin` serves a folder of configuration documents; this library puts the
//! same service into a program of your own, with activities, static attributes and data resources of your own.
//!
//! ```
//! # tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(async {
//! use rejoin::service::{ConfiguredResource, Server};
//!
//! let server = Server::builder()
//!     .listen("127.0.0.1:0")
//!     .resource(ConfiguredResource::new("orders", ".").data_resource("sqlite::memory:"))
//!     .build()?
//!     .start()
//!     .await?;
//!
//! let document = r#"<perform xmlns="http://ogsadai.org.uk/namespaces/2005/10/types">
//!                     <echo name="say"><text>hello</text><output name="said"/></echo>
//!                   </perform>"#;
//! let url = format!("{}/services/orders?return=said", server.url());
//! let answer = reqwest::Client::new().post(url).body(document).send().await?;
//! assert_eq!(answer.text().await?, "hello");
//!
//! server.shutdown().await;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```
//!
//! # The rooms, in reading order
//!
//! A room uses those above it in this list and none below; a test keeps it so.
//!
//! - [`block`]: what flows between activities: blocks of rows, text and bytes, and the bounded pipe.
//! - [`document`]: the XML documents, read with a position for every error, and written.
//! - [`session`]: what makes the service remember: ids, attributes, lifetimes, the join lock, the manager.
//! - [`mod@format`]: rows to text: WebRowSet, CSV, the values of one column.
//! - [`resource`]: where data come from; the one room that knows a database driver.
//! - [`ingest`]: session control over other people's HTTP services: what to ask next, when to stop.
//! - [`activity`]: the steps of a perform document: the trait, the registry, one file for each activity.
//! - [`engine`]: from a document to its answer: plan, join, run, release.
//! - [`service`]: HTTP, configuration, and the door of the library, [`Server::builder`](service::Server::builder).
//! - [`client`]: the toolkit for programs that send requests; the one room besides `block`, `document` and `format` that the
//!   feature `client` has without the feature `server`.
//! - [`cli`]: the `rejoin` command.
//!
//! # What can be added from outside
//!
//! | trait | added by | example |
//! |---|---|---|
//! | [`activity::Activity`] | [`ServerBuilder::activity`](service::ServerBuilder::activity) | `examples/own_activity.rs` |
//! | [`session::StaticSessionAttribute`] | [`ServerBuilder::static_attribute`](service::ServerBuilder::static_attribute) | `examples/own_static_attribute.rs` |
//! | [`session::SessionManager`] | [`ServerBuilder::session_manager`](service::ServerBuilder::session_manager) | `docs/extending.md` |
//! | [`session::SessionListener`] | [`ServerBuilder::session_listener`](service::ServerBuilder::session_listener) | `examples/audit_log.rs` |
//! | [`service::Authenticator`] | [`ServerBuilder::authenticator`](service::ServerBuilder::authenticator) | `examples/own_authenticator.rs` |
//! | [`resource::DataResourceFactory`] | [`ServerBuilder::data_resource_factory`](service::ServerBuilder::data_resource_factory) | `docs/extending.md` |
//!
//! `docs/architecture.md` has the plan of the house and the way of a request through it, `docs/wire.md` the documents and HTTP.

pub mod block;
pub mod document;
#[cfg(feature = "server")]
pub mod session;

pub mod format;
#[cfg(feature = "server")]
pub mod resource;

#[cfg(feature = "server")]
pub mod ingest;

#[cfg(feature = "server")]
pub mod activity;
#[cfg(feature = "server")]
pub mod engine;

#[cfg(feature = "server")]
pub mod service;

#[cfg(feature = "client")]
pub mod client;

#[cfg(all(feature = "server", feature = "client"))]
pub mod cli;

/// The Rust of the guide compiles and runs.
#[cfg(doctest)]
#[doc = include_str!("../docs/extending.md")]
mod extending {}

/// So does that of the guide to the toolkit.
#[cfg(doctest)]
#[doc = include_str!("../docs/client.md")]
mod toolkit {}
