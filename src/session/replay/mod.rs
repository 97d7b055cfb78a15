//! Answers that are remembered, so that a request that is sent again has no second effect.

mod remember;

pub use remember::Remember;
