//! The durable session manager: sessions that outlive the process.

mod timeline;

pub use timeline::Timeline;
