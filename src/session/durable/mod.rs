//! The durable session manager: sessions that outlive the process.

mod manager;
#[cfg(test)]
mod memory;
mod scribe;
#[cfg(test)]
mod tests;
mod timeline;

pub use manager::{DurableSessionManager, DurableSessionManagerBuilder};
pub(in crate::session) use scribe::{Errand, Outcome, Scribe};
