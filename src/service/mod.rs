//! The service: HTTP in front of the engines of its data service resources.
//!
//! [`Server::builder`] is the door of the library: it takes activities, static attributes and data resources of one's own
//! beside a configuration. The `rejoin` command is its smallest user.

mod answer_body;
mod authentication;
mod builder;
mod carrier;
mod compression;
mod configuration;
mod cors;
mod cross_site;
mod data_resource;
mod door;
mod entrance;
mod headers;
mod initialisation;
mod listener;
mod media_type;
mod metrics;
mod operators;
mod own_session;
mod perform;
mod prefer;
mod properties;
mod query;
mod refusal;
mod reload;
mod repetition;
mod request_body;
mod routes;
mod server;
mod session_parts;
mod session_status;
mod state;
mod streams;
mod transactions;
mod unavailable;
mod web_resource;

pub use authentication::{
    AuthenticationError, Authenticator, AuthenticatorError, AuthenticatorFactory, AuthenticatorRegistry, Caller,
    Refreshed, Role,
};
pub(crate) use authentication::{account, password, token};
pub use builder::ServerBuilder;
pub use configuration::{Configuration, ConfigurationError, ConfigurationErrors, ConfiguredResource};
pub(crate) use data_resource::resource_settings;
pub(crate) use initialisation::initial_document;
pub use reload::Reloader;
pub use server::{BoundServer, Ending, RunningServer, Server};
pub(crate) use session_parts::SessionParts;
pub(crate) use unavailable::{Refused, refused_in_resource};
