//! The perform document: the session that a request joins and the pipeline that it runs.

use std::fmt;
use std::time::Duration;

use super::{Element, Position};

/// The namespace of perform, response and fault documents.
pub const TYPES_NAMESPACE: &str = "http://ogsadai.org.uk/namespaces/2005/10/types";

/// A request: what a client posts.
///
/// What an activity's element means is known to the activity alone, so its content is kept as it was written, every node
/// with its position. Checked here: the structure of the document, the session element, and that activity names are
/// there and unique.
#[derive(Debug, Clone, PartialEq)]
pub struct PerformDocument {
    /// The text of the `documentation` elements.
    pub documentation: Vec<String>,
    /// The session requirement, if the document states one.
    pub session: Option<SessionElement>,
    /// The activities and the groups that order them.
    pub steps: Vec<Step>,
}

/// A child of a perform document, of a `sequence` or of a `flow`.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// One activity.
    Activity(ActivityElement),
    /// `sequence`: one after the other.
    Sequence(Vec<Step>),
    /// `flow`: side by side.
    Flow(Vec<Step>),
}

/// An activity as it was written: the element's name says which, the attribute `name` names the instance.
#[derive(Debug, Clone, PartialEq)]
pub struct ActivityElement {
    /// The name of this instance, unique in the document.
    pub name: Box<str>,
    /// The whole element.
    pub element: Element,
}

/// `<session …/>`
///
/// The id is a secret: it is not shown by `Debug` and not repeated in errors.
#[derive(Clone, PartialEq)]
pub struct SessionElement {
    /// What is asked for.
    pub mode: SessionMode,
    /// `id`
    pub id: Option<Box<str>>,
    /// `timeout`: the idle time-out wished for.
    pub timeout: Option<TimeoutWish>,
    /// `wait`: how long to wait for the join lock; zero is not at all.
    pub wait: Option<Duration>,
    /// `access="read"`: without the lock, and changing nothing.
    pub read: bool,
    /// `rotate="true"`: a new id.
    pub rotate: bool,
    /// `sequence`: the client's counter for safe repeats.
    pub sequence: Option<u64>,
    /// Where the element stands.
    pub position: Position,
}

/// `mode` of a session element; without one, `join` where there is an id and `create` where there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionMode {
    /// `create`
    Create,
    /// `join`
    Join,
    /// `terminate`
    Terminate,
    /// `joinOrCreate`
    JoinOrCreate,
}

/// An idle time-out that a client wishes for. What it gets may be less.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeoutWish {
    /// That long.
    After(Duration),
    /// As long as the configuration lets it.
    Unbounded,
}

impl fmt::Debug for SessionElement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionElement")
            .field("mode", &self.mode)
            .field("id", &self.id.as_ref().map(|_| "…"))
            .field("timeout", &self.timeout)
            .field("wait", &self.wait)
            .field("read", &self.read)
            .field("rotate", &self.rotate)
            .field("sequence", &self.sequence)
            .field("position", &self.position)
            .finish()
    }
}
