//! The session configuration document: lifetimes, the join lock, carriers, limits and static attributes of the sessions of
//! one data service resource.

mod carrier;
mod origin;
mod reader;
mod writer;

pub use carrier::{CarrierSettings, CookieSettings, SameSite};
pub use origin::{Origin, OriginError};

use std::time::Duration;

use super::{CONFIGURATION_NAMESPACE, parse_root};
use crate::document::{DocumentError, Element, Limits, Position, Unwritable};

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
    /// `<replay>`
    pub replay: ReplaySettings,
    /// `<onCreate perform>`: the location of a perform document that is run in every new session.
    pub on_create: Option<String>,
    /// `<store>`: where a durable manager keeps sessions.
    pub store: Option<StoreSettings>,
    /// `<sessionAttribute>`: the static attributes.
    pub attributes: Vec<StaticAttributeConfiguration>,
    /// Where things stand that may turn out to be wrong later.
    pub places: SessionConfigurationPlaces,
}

/// Where in a session configuration document names and locations stand that are looked up later.
///
/// Any two are equal: where something stands doesn't change what the document says.
#[derive(Debug, Clone, Copy)]
pub struct SessionConfigurationPlaces {
    /// The `impl` of the factory.
    pub factory: Position,
    /// `onCreate/@perform`
    pub on_create: Position,
    /// `store/@path`
    pub store: Position,
    /// `carrier/@header`
    pub header: Position,
    /// `carrier/@cookie`
    pub cookie: Position,
    /// `carrier/@insecureCookie`
    pub insecure_cookie: Position,
}

impl Default for SessionConfigurationPlaces {
    fn default() -> Self {
        Self {
            factory: Position::START,
            on_create: Position::START,
            store: Position::START,
            header: Position::START,
            cookie: Position::START,
            insecure_cookie: Position::START,
        }
    }
}

impl PartialEq for SessionConfigurationPlaces {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

const ROOT: &str = "sessionConfiguration";

impl SessionConfiguration {
    /// Reads a session configuration document. What OGSA-DAI 2.2 calls its transient factory is ours.
    ///
    /// # Errors
    ///
    /// [`DocumentError`] at the first thing that is wrong.
    ///
    /// ```
    /// use std::time::Duration;
    /// use rejoin::document::{Limits, SessionConfiguration};
    ///
    /// let configuration = SessionConfiguration::parse(
    ///     br#"<sessionConfiguration xmlns="http://ogsadai.org.uk/namespaces/2005/10/config">
    ///           <sessionManagerFactory impl="uk.org.ogsadai.sessions.impl.TransientSessionManagerFactory">
    ///             <timeout default="300000" max="unbounded"/>
    ///           </sessionManagerFactory>
    ///         </sessionConfiguration>"#,
    ///     &Limits::default(),
    /// )?;
    /// assert_eq!(configuration.timeout.default, Some(Duration::from_mins(5)));
    /// assert_eq!(configuration.factory, "rejoin.TransientSessionManagerFactory");
    /// # Ok::<(), rejoin::document::DocumentError>(())
    /// ```
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Self, DocumentError> {
        let root = parse_root(bytes, limits, ROOT)?;
        let mut fields = root.fields();
        let factory = fields.required_child("sessionManagerFactory")?;
        fields.finish()?;
        reader::read_factory(factory)
    }

    /// Writes the document.
    ///
    /// # Errors
    ///
    /// [`Unwritable`] when a value holds a character that XML has no way to write.
    pub fn to_xml(&self) -> Result<String, Unwritable> {
        writer::write(self)
    }
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
    /// `overrun="end"`: a session ends with the request that has held it for longer; else it is kept, without the changes.
    pub overrun_ends: bool,
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

/// `<replay answers answerBytes retention>`: what is remembered of repeatable requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReplaySettings {
    /// How many answers to requests with keys are kept with a session.
    pub answers: u32,
    /// How many bytes an answer has at the most that is kept whole.
    pub answer_bytes: u64,
    /// How long the answers are kept that belong to no session.
    pub retention: Duration,
}

impl Default for ReplaySettings {
    fn default() -> Self {
        Self { answers: 16, answer_bytes: 256 * 1024, retention: Duration::from_hours(24) }
    }
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
#[derive(Debug, Clone)]
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

/// Where the element stands doesn't count.
impl PartialEq for StaticAttributeConfiguration {
    fn eq(&self, other: &Self) -> bool {
        (&self.name, &self.implementation, &self.element) == (&other.name, &other.implementation, &other.element)
    }
}

/// The `impl` of the transient session manager factory.
pub const TRANSIENT_FACTORY: &str = "rejoin.TransientSessionManagerFactory";

/// The `impl` of the durable session manager factory.
pub const DURABLE_FACTORY: &str = "rejoin.DurableSessionManagerFactory";

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
                overrun_ends: false,
            },
            polling_time: Duration::from_secs(1),
            retention: HOUR,
            carrier: CarrierSettings::default(),
            limits: SessionLimits {
                sessions: Some(1_000_000),
                per_principal: None,
                attributes: Some(1024),
                attribute_bytes: Some(1024 * 1024),
                session_bytes: Some(10 * 1024 * 1024),
            },
            replay: ReplaySettings::default(),
            on_create: None,
            store: None,
            attributes: Vec::new(),
            places: SessionConfigurationPlaces::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(content: &str) -> Result<SessionConfiguration, DocumentError> {
        let document = format!(
            "<{ROOT} xmlns='{CONFIGURATION_NAMESPACE}'><sessionManagerFactory impl='x.F'\n>{content}</sessionManagerFactory></{ROOT}>"
        );
        SessionConfiguration::parse(document.as_bytes(), &Limits::default())
    }

    #[test]
    fn everything_has_a_default() {
        assert_eq!(parse(""), Ok(SessionConfiguration { factory: "x.F".into(), ..Default::default() }));
        assert_eq!(
            parse("<timeout/><lifetime/><join/><expiry/><carrier/><limits/><replay/>"),
            Ok(SessionConfiguration { factory: "x.F".into(), ..Default::default() })
        );
    }

    #[test]
    fn a_document_that_was_written_reads_the_same() {
        let configuration = parse(
            "<timeout default='60000' max='PT24H'/><lifetime max='unbounded'/>
             <join wait='0' maxWait='60000' maxWaiters='0' execution='unbounded' overrun='end'/>
             <expiry pollingTime='10' retention='0'/><carrier header='X-S' cookie='true' sameSite='Lax' create='automatic'><origin>https://a.example</origin> <origin>http://b:8080</origin></carrier>
             <limits sessions='unbounded' perPrincipal='3' attributes='1' attributeBytes='2' sessionBytes='unbounded'/>
             <replay answers='1' answerBytes='0' retention='1'/>
             <onCreate perform='init.xml'/><store path='s.db' durability='os'/>
             <sessionAttribute name='transactionManager' impl='rejoin.TransactionManager'/>
             <sessionAttribute name='greeting' impl='rejoin.Text'>mixed <text xmlns:p='urn:p' p:x=''>hello</text></sessionAttribute>",
        )
        .unwrap();
        assert_eq!(configuration.places.on_create.to_string(), "7:24");
        assert_eq!(configuration.attributes[1].position.to_string(), "9:14");
        let written = configuration.to_xml().unwrap();
        assert_eq!(SessionConfiguration::parse(written.as_bytes(), &Limits::default()), Ok(configuration), "{written}");
        let plain = SessionConfiguration { explicit: false, ..Default::default() };
        assert_eq!(SessionConfiguration::parse(plain.to_xml().unwrap().as_bytes(), &Limits::default()), Ok(plain));
    }

    #[test]
    fn a_default_above_the_maximum_is_refused_with_its_line() {
        // Behaviour 29.
        for content in [
            "<timeout default='600000' max='120000'/>",
            "<timeout default='unbounded' max='120000'/>",
            "<timeout default='PT48H'/>",
        ] {
            let error = parse(content).unwrap_err();
            assert_eq!(error.position().to_string(), "2:11", "{error}");
            assert!(error.message().starts_with("contradictory: "), "{error}");
        }
        let error = parse("<join wait='2' maxWait='1'/>").unwrap_err();
        assert_eq!(error.position().to_string(), "2:8", "{error}");
    }

    #[test]
    fn a_maximum_below_what_is_not_written_lowers_it() {
        let configuration = parse("<timeout max='1000'/><join maxWait='7'/>").unwrap();
        assert_eq!(configuration.timeout.default, Some(Duration::from_secs(1)));
        assert_eq!(configuration.join.wait, Duration::from_millis(7));
    }

    #[test]
    fn what_is_wrong_is_refused_where_it_stands() {
        for (content, at) in [
            ("<timeout default='0'/>", "2:11"),
            ("<lifetime max='PT0S'/>", "2:12"),
            ("<join wait='unbounded'/>", "2:8"),
            ("<join maxWaiters='-1'/>", "2:8"),
            ("<join overrun='forget'/>", "2:8"),
            ("<expiry pollingTime='0'/>", "2:10"),
            ("<carrier header='a b'/>", "2:11"),
            ("<carrier header=''/>", "2:11"),
            ("<carrier create='sometimes'/>", "2:11"),
            ("<carrier cookie='yes'/>", "2:11"),
            ("<carrier cookie='true' sameSite='None'/>", "2:25"),
            ("<carrier><origin>*</origin></carrier>", "2:19"),
            ("<carrier>\n<origin> https://a.example/page</origin></carrier>", "3:9"),
            ("<carrier><origin/></carrier>", "2:11"),
            ("<carrier><origin x='1'>https://a</origin></carrier>", "2:19"),
            ("<limits sessions='0'/>", "2:10"),
            ("<replay answers='0'/>", "2:10"),
            ("<replay answerBytes='-1'/>", "2:10"),
            ("<replay retention='unbounded'/>", "2:10"),
            ("<onCreate/>", "2:2"),
            ("<store path='x' durability='none'/>", "2:18"),
            ("<sessionAttribute name='a'/>", "2:2"),
            ("<sessionAttribute name='a' impl='x'/><sessionAttribute name='a' impl='y'/>", "2:57"),
            ("<lifetime/><timeout/>", "2:13"),
            ("<timout/>", "2:2"),
        ] {
            assert_eq!(parse(content).expect_err(content).position().to_string(), at, "{content}");
        }
    }

    #[test]
    fn without_explicit_sessions_nothing_can_be_carried() {
        for carrier in ["create='automatic'", "cookie='true'"] {
            let document = format!(
                "<{ROOT} xmlns='{CONFIGURATION_NAMESPACE}'><sessionManagerFactory impl='x' explicit='disabled'><carrier {carrier}/></sessionManagerFactory></{ROOT}>"
            );
            let error = SessionConfiguration::parse(document.as_bytes(), &Limits::default()).unwrap_err();
            assert!(error.message().starts_with("contradictory: "), "{error}");
        }
    }

    #[test]
    fn what_shapes_a_cookie_needs_a_cookie() {
        let settings = |content: &str| parse(content).map(|configuration| configuration.carrier.cookie);
        let strict = CookieSettings { same_site: SameSite::Strict, insecure: false };
        assert_eq!(settings("<carrier cookie='true'/>"), Ok(Some(strict)));
        let lax = CookieSettings { same_site: SameSite::Lax, insecure: true };
        assert_eq!(settings("<carrier cookie='1' sameSite='Lax' insecureCookie='true'/>"), Ok(Some(lax)));
        assert_eq!(
            parse("<carrier cookie='1' insecureCookie='true'/>").unwrap().places.insecure_cookie.to_string(),
            "2:22"
        );
        for content in ["<carrier sameSite='Lax'/>", "<carrier cookie='false' insecureCookie='true'/>"] {
            let error = settings(content).unwrap_err();
            assert!(error.message().starts_with("contradictory: "), "{error}");
        }
    }

    #[test]
    fn an_origin_that_lets_everybody_in_is_refused_with_the_reason() {
        for (origin, reason) in [("*", "everybody"), ("null", "nobody's"), ("https://a/", "a `/` at the end too")] {
            let error = parse(&format!("<carrier><origin>{origin}</origin></carrier>")).unwrap_err();
            assert!(error.message().contains(reason), "{error}");
        }
    }
}
