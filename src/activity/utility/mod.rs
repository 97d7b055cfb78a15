//! Small activities: for trying things out, and for holding data inside one request.

mod data_store;
mod echo;
mod sleep;

pub use data_store::DataStore;
pub use echo::Echo;
pub use sleep::Sleep;
