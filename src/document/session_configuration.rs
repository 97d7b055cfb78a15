//! The session configuration document: lifetimes, the join lock, carriers, limits and static attributes of the sessions of
//! one data service resource.

use std::time::Duration;

use super::{Element, Position};

/// What a session configuration document says; [`Default`] is what holds without one.
///
/// The form is that of OGSA-DAI 2.2 (`sessionManagerFactory`, `timeout`, `sessionAttribute`), with elements of our own.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionConfiguration {
    /// The `impl` of the session manager factory.
    pub factory: String,
    /// `explicit="disabled"`: only implicit sessions.
    pub explicit: bool,
    /// `<timeout>`: idle time-outs.
    pub timeout: TimeoutSettings,
    /// `<lifetime max>`: a session ends then however busy it is; `None` is unbounded.
    pub lifetime: Option<Duration>,
    /// `<join>`
    pub join: JoinSettings,
    /// `<expiry pollingTime>`: how often ended sessions are looked for. Whether one has ended is exact at request time.
    pub polling_time: Duration,
    /// `<expiry retention>`: how long the end of a session is remembered.
    pub retention: Duration,
    /// `<carrier>`
    pub carrier: CarrierSettings,
    /// `<limits>`
    pub limits: SessionLimits,
    /// `<onCreate perform>`: the location of a perform document that is run in every new session.
    pub on_create: Option<String>,
    /// `<store>`: where a durable manager keeps sessions.
    pub store: Option<StoreSettings>,
    /// `<sessionAttribute>`: the static attributes.
    pub attributes: Vec<StaticAttributeConfiguration>,
}

/// Idle time-outs: the time that a session stays when no request is joined to it. `None` is unbounded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeoutSettings {
    /// What a session gets whose client wishes for none.
    pub default: Option<Duration>,
    /// The longest that a client gets.
    pub max: Option<Duration>,
}

/// How requests wait for a session that another request holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JoinSettings {
    /// How long a request waits that does not say.
    pub wait: Duration,
    /// The longest that a request may wait.
    pub max_wait: Duration,
    /// How many requests may wait for one session.
    pub max_waiters: u32,
    /// How long one request may hold a session; `None` is unbounded.
    pub execution: Option<Duration>,
}

/// How a session id travels beside the session element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CarrierSettings {
    /// The name of the HTTP header, and of the cookie.
    pub header: String,
    /// Whether a cookie carries the id.
    pub cookie: bool,
    /// `create="automatic"`: a request without any session requirement gets an explicit session.
    pub automatic: bool,
}

/// How many sessions there may be and how much they may hold. `None` is unbounded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionLimits {
    /// Explicit sessions of the resource.
    pub sessions: Option<u64>,
    /// Explicit sessions of one principal.
    pub per_principal: Option<u64>,
    /// Attributes of one session.
    pub attributes: Option<u64>,
    /// Bytes of one attribute.
    pub attribute_bytes: Option<u64>,
    /// Bytes of all attributes of one session.
    pub session_bytes: Option<u64>,
}

/// `<store path durability>`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreSettings {
    /// Where the store is, relative to the configuration document.
    pub path: String,
    /// `durability="full"` (the default) or `"os"`.
    pub full: bool,
}

/// `<sessionAttribute name impl>…</sessionAttribute>`: a read-only attribute that every session has.
#[derive(Debug, Clone, PartialEq)]
pub struct StaticAttributeConfiguration {
    /// The name of the attribute.
    pub name: String,
    /// The implementation that makes the value.
    pub implementation: String,
    /// The whole element: the implementation reads its content.
    pub element: Element,
    /// Where the element stands.
    pub position: Position,
}

/// The `impl` of the transient session manager factory.
pub const TRANSIENT_FACTORY: &str = "rejoin.TransientSessionManagerFactory";

impl Default for SessionConfiguration {
    fn default() -> Self {
        const MINUTE: Duration = Duration::from_mins(1);
        const HOUR: Duration = Duration::from_hours(1);
        Self {
            factory: TRANSIENT_FACTORY.into(),
            explicit: true,
            timeout: TimeoutSettings { default: Some(10 * MINUTE), max: Some(24 * HOUR) },
            lifetime: Some(12 * HOUR),
            join: JoinSettings {
                wait: Duration::from_secs(5),
                max_wait: MINUTE,
                max_waiters: 32,
                execution: Some(5 * MINUTE),
            },
            polling_time: Duration::from_secs(1),
            retention: HOUR,
            carrier: CarrierSettings { header: "Rejoin-Session".into(), cookie: false, automatic: false },
            limits: SessionLimits {
                sessions: Some(1_000_000),
                per_principal: None,
                attributes: Some(1024),
                attribute_bytes: Some(1024 * 1024),
                session_bytes: Some(10 * 1024 * 1024),
            },
            on_create: None,
            store: None,
            attributes: Vec::new(),
        }
    }
}
