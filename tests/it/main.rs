//! Behaviour, through the doors that users take. One binary, so that it is linked once.

mod accounts;
mod authentication;
mod bad_input;
mod carriers;
mod command;
mod context;
mod documentation;
mod documents;
mod initialisation;
mod jarvis;
mod metrics;
mod operators;
mod pipelines;
mod random_pipelines;
mod reload;
mod rooms;
mod service;
mod session_events;
mod session_managers;
mod session_status;
mod session_streams;
mod sessions;
mod statics;
mod streaming;
mod updates;
mod webrowset;
