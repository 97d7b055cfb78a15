//! The session element: what a request asks of its session.

use std::fmt;
use std::time::Duration;

use crate::document::{Attribute, DocumentError, Element, Position, Problem, Value};

/// `<session …/>`
///
/// The id is a secret: it is not shown by `Debug` and not repeated in errors.
#[derive(Clone)]
pub struct SessionElement {
    /// What is asked for; where it isn't said, `join` if anything names a session (the element, a header) and `create` if not.
    pub mode: Option<SessionMode>,
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

/// `mode` of a session element; without one, `join` where the element or a header names a session, and `create` if not.
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

/// Where the element stands doesn't count.
impl PartialEq for SessionElement {
    fn eq(&self, other: &Self) -> bool {
        let said = |element: &Self| {
            (element.mode, element.timeout, element.wait, element.read, element.rotate, element.sequence)
        };
        said(self) == said(other) && self.id == other.id
    }
}

impl SessionElement {
    /// A session element of that mode that says nothing else: what a client fills in.
    #[must_use]
    pub fn new(mode: SessionMode) -> Self {
        Self {
            mode: Some(mode),
            id: None,
            timeout: None,
            wait: None,
            read: false,
            rotate: false,
            sequence: None,
            position: Position::START,
        }
    }

    /// Reads the element and checks that some session could meet it.
    pub(super) fn read(element: &Element) -> Result<Self, DocumentError> {
        let mut fields = element.fields();
        let id = fields.attribute("id");
        let mode = fields.attribute("mode");
        let timeout = fields.attribute("timeout");
        let wait = fields.attribute("wait");
        let access = fields.attribute("access");
        let rotate = fields.attribute("rotate");
        let sequence = fields.attribute("sequence");
        fields.finish()?;

        let mode_word = mode.as_ref().map(|value| value.choice(&MODES)).transpose()?;
        let session = Self {
            mode: mode_word,
            id: id.as_ref().map(read_session_id).transpose()?,
            timeout: timeout.as_ref().map(read_timeout).transpose()?,
            wait: wait.as_ref().map(|value| out_of_range(value.duration_or_zero())).transpose()?,
            read: access.as_ref().map(|value| value.choice(&ACCESS)).transpose()?.unwrap_or(false),
            rotate: rotate.as_ref().map(Value::boolean).transpose()?.unwrap_or(false),
            sequence: sequence.as_ref().map(|value| out_of_range(value.integer(0..=u64::MAX))).transpose()?,
            position: element.position(),
        };
        session.check(element)?;
        Ok(session)
    }

    /// Refuses what contradicts itself: which attributes go with which mode.
    fn check(&self, element: &Element) -> Result<(), DocumentError> {
        use SessionMode::{Create, Join, JoinOrCreate, Terminate};

        let at = |attribute: &str| {
            let found = element.attributes().iter().find(|candidate| candidate.name().local() == attribute);
            found.map_or(self.position, Attribute::position)
        };
        let Some(mode) = self.mode.or(self.id.is_some().then_some(Join)) else { return Ok(()) };
        let (position, message) = match mode {
            Create if self.id.is_some() => {
                (at("id"), "a new session gets its id from the service: leave `id` out, or join")
            }
            Create if self.read => (at("access"), "a new session has nothing to be read: leave `access` out, or join"),
            Create if self.rotate => (at("rotate"), "a new session has a new id already: leave `rotate` out"),
            Join | Terminate if self.timeout.is_some() => {
                (at("timeout"), "`timeout` can be wished for only where a session may be created")
            }
            JoinOrCreate if self.read => {
                (at("access"), "a session that may be created has to be held: leave `access` out")
            }
            JoinOrCreate if self.rotate => {
                (at("rotate"), "a session that may be created has a new id then: leave `rotate` out, or join")
            }
            Terminate if self.read => (at("access"), "to end a session, it has to be held: leave `access` out"),
            Terminate if self.rotate => (at("rotate"), "a session that ends needs no new id: leave `rotate` out"),
            _ if self.read && self.rotate => {
                (at("rotate"), "reading changes nothing, and the id least: leave `rotate` out")
            }
            _ => return Ok(()),
        };
        let message = format!("contradictory session element: {message}");
        Err(DocumentError::new(Problem::SessionRequirement, position, message))
    }
}

const MODES: [(&str, SessionMode); 4] = [
    ("create", SessionMode::Create),
    ("join", SessionMode::Join),
    ("terminate", SessionMode::Terminate),
    ("joinOrCreate", SessionMode::JoinOrCreate),
];

/// The words of `access`, and whether they mean reading.
const ACCESS: [(&str, bool); 2] = [("exclusive", false), ("read", true)];

impl SessionMode {
    /// The word that stands for it in a document.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        MODES.iter().find(|(_, mode)| *mode == self).map_or("join", |(word, _)| word)
    }
}

/// The longest id that is looked up: the service's own are far shorter.
const LONGEST_ID: usize = 256;

/// The id, as long as it may be one. What it says is never repeated.
pub(in crate::document) fn read_session_id(value: &Value<'_>) -> Result<Box<str>, DocumentError> {
    let id = value.word();
    if id.is_empty() || id.chars().count() > LONGEST_ID || id.contains([' ', '\t', '\r', '\n']) {
        let message =
            format!("the attribute `id` of `session` has to be the id of a session: 1 to {LONGEST_ID} characters");
        return Err(value.error(message).with_problem(Problem::SessionRequirement));
    }
    Ok(id.into())
}

fn read_timeout(value: &Value<'_>) -> Result<TimeoutWish, DocumentError> {
    let timeout = out_of_range(value.duration_or_unbounded())?;
    Ok(timeout.map_or(TimeoutWish::Unbounded, TimeoutWish::After))
}

fn out_of_range<T>(outcome: Result<T, DocumentError>) -> Result<T, DocumentError> {
    outcome.map_err(|error| error.with_problem(Problem::SessionRequirement))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Limits;

    fn session(attributes: &str) -> Result<SessionElement, DocumentError> {
        SessionElement::read(
            &Element::parse(format!("<session {attributes}/>").as_bytes(), &Limits::default()).unwrap(),
        )
    }

    #[test]
    fn the_mode_is_what_is_said() {
        assert_eq!(session("").unwrap().mode, None);
        assert_eq!(session("id='x'").unwrap().mode, None);
        assert_eq!(session("mode='create' timeout='PT1M'").unwrap().mode, Some(SessionMode::Create));
        let terminate = session("id='x' mode='terminate' wait='0' sequence='7'").unwrap();
        assert_eq!((terminate.mode, terminate.wait), (Some(SessionMode::Terminate), Some(Duration::ZERO)));
        let either = session("id='x' mode='joinOrCreate' timeout='unbounded'").unwrap();
        assert_eq!(either.timeout, Some(TimeoutWish::Unbounded));
        assert!(session("id='x' rotate='1'").unwrap().rotate);
    }

    #[test]
    fn what_no_session_could_meet_is_refused() {
        for attributes in [
            "id='x' mode='create'",
            "mode='create' access='read'",
            "mode='create' rotate='true'",
            "id='x' timeout='1'",
            "id='x' mode='terminate' timeout='1'",
            "id='x' mode='terminate' access='read'",
            "id='x' mode='terminate' rotate='true'",
            "id='x' access='read' rotate='true'",
            "id='x' mode='joinOrCreate' access='read'",
            "id='x' mode='joinOrCreate' rotate='true'",
            "id=''",
            "id='a b'",
            "timeout='0'",
            "timeout='-1'",
            "timeout='NaN'",
            "timeout='PT0S'",
            "id='x' wait='-1'",
            "id='x' wait='unbounded'",
            "sequence='-1'",
        ] {
            let error = session(attributes).expect_err(attributes);
            assert_eq!(error.problem(), Problem::SessionRequirement, "{attributes}");
            assert!(error.position().column > 1 || attributes.is_empty(), "{attributes}: {error}");
        }
        for attributes in ["mode='jion' id='x'", "rotate='yes'", "access='write'", "colour='red'"] {
            assert_eq!(session(attributes).unwrap_err().problem(), Problem::Invalid, "{attributes}");
        }
    }

    #[test]
    fn the_id_may_come_from_elsewhere() {
        for attributes in ["mode='join'", "mode='terminate'", "mode='joinOrCreate'", "rotate='true'", "access='read'"] {
            assert!(session(attributes).unwrap().id.is_none(), "{attributes}");
        }
    }

    #[test]
    fn the_id_is_shown_nowhere() {
        let session = session("id='secret'").unwrap();
        assert!(!format!("{session:?}").contains("secret"));
        for attributes in ["id='secret secret'", "id='secret' mode='create'"] {
            let error = self::session(attributes).unwrap_err();
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }
}
