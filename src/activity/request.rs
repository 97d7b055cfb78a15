//! What an activity may know of the request that it runs for.

use uuid::Uuid;

use crate::session::Principal;

/// Who asks, under which id, and for what.
///
/// The document that runs in a new session before the request that created it is told of that request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestInformation {
    /// On whose behalf the request runs.
    pub principal: Principal,
    /// His role, by the name that configuration documents give it.
    pub role: Box<str>,
    /// Its id, as in the log.
    pub request_id: Uuid,
    /// The activities of its document, in the order in which they stand there.
    pub activities: Box<[RequestedActivity]>,
}

/// An activity that a request asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestedActivity {
    /// The name that the document gives it.
    pub name: Box<str>,
    /// Its kind: the name of its element.
    pub activity: Box<str>,
}

impl Default for RequestInformation {
    /// Nobody asks for nothing.
    fn default() -> Self {
        Self {
            principal: Principal::anonymous(),
            role: "user".into(),
            request_id: Uuid::nil(),
            activities: Box::default(),
        }
    }
}
