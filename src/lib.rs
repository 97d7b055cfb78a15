//! Rejoin: a data service with memory.

pub mod block;
pub mod document;
pub mod session;

pub mod format;
pub mod resource;

pub mod activity;
pub mod engine;

pub mod service;

pub mod cli;
