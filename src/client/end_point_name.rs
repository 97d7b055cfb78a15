//! How an end-point is meant: by its name, or by the output that an activity gave.

use crate::document::activities::{StreamKind, ToStream};

/// What names an end-point of a request: a text, or the output that [`Request::add`](super::Request::add) gave.
///
/// ```
/// use rejoin::client::{EndPointName, Request};
/// use rejoin::document::activities::Echo;
///
/// let mut request = Request::new();
/// let said = request.add_named("say", Echo::new("hello"));
/// assert_eq!(said.end_point_name(), "say.output");
/// assert_eq!("said".end_point_name(), "said");
/// ```
pub trait EndPointName {
    /// The name.
    fn end_point_name(&self) -> &str;
}

impl EndPointName for str {
    fn end_point_name(&self) -> &str {
        self
    }
}

impl EndPointName for String {
    fn end_point_name(&self) -> &str {
        self
    }
}

/// An output without a name is none of a document.
impl<K: StreamKind> EndPointName for ToStream<K> {
    fn end_point_name(&self) -> &str {
        self.name().map_or("", |name| &name.value)
    }
}
