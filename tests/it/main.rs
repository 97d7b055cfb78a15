//! Behaviour, through the doors that users take. One binary, so that it is linked once.

mod bad_input;
mod command;
mod context;
mod documentation;
mod documents;
mod metrics;
mod pipelines;
mod random_pipelines;
mod reload;
mod rooms;
mod service;
mod session_events;
mod sessions;
mod streaming;
mod updates;
mod webrowset;
