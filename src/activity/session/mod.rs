//! Activities that keep data in the session, for the requests that follow.

mod deliver_from_session;
mod deliver_to_session;
mod session_attribute_management;

pub use deliver_from_session::DeliverFromSession;
pub use deliver_to_session::DeliverToSession;
pub use session_attribute_management::SessionAttributeManagement;

use crate::activity::ActivityError;

/// The session has no attribute of that name.
fn not_found(name: &str) -> ActivityError {
    ActivityError::client("AttributeNotFound", format!("the session has no attribute `{name}`"))
}
