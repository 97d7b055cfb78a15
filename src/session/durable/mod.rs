//! The durable session manager: sessions that outlive the process.
//!
//! `manager` takes over what a store has, `scribe` is the thread that writes into it, `timeline` the clock that goes on over
//! restarts. What happens to a session between the memory and the store is in `resident/kept`.

#[cfg(test)]
mod answers;
mod factory;
mod manager;
mod scribe;
#[cfg(test)]
mod tests;
mod timeline;

pub use factory::DurableSessionManagerFactory;
pub use manager::{DurableSessionManager, DurableSessionManagerBuilder};
pub(in crate::session) use scribe::{Errand, Outcome, Scribe};
pub use timeline::Timeline;
