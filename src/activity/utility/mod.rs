//! Small activities: for trying things out, for holding data inside one request, and for looking at the request itself.

mod data_store;
mod echo;
mod refuse;
mod request_information;
mod sleep;

pub use data_store::DataStore;
pub use echo::Echo;
pub use refuse::Refuse;
pub use request_information::RequestInformation;
pub use sleep::Sleep;
