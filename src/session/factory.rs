//! Session managers by name.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use super::{
    Clock, DurableSessionManagerFactory, IdSource, SessionListener, SessionManager, StaticAttributes, SystemClock,
    SystemIds, TransientSessionManagerFactory,
};
use crate::document::{DURABLE_FACTORY, DocumentError, SessionConfiguration, TRANSIENT_FACTORY, unknown_name};

/// What a session manager is made from.
#[derive(Debug)]
#[non_exhaustive]
pub struct SessionManagerSettings {
    /// What the session configuration document says.
    pub configuration: SessionConfiguration,
    /// The static attributes of every session.
    pub statics: StaticAttributes,
    /// Where the manager gets its time from.
    pub clock: Arc<dyn Clock>,
    /// Where it gets ids from.
    pub ids: Arc<dyn IdSource>,
    /// Who is told what happens to sessions, in that order.
    pub listeners: Vec<Arc<dyn SessionListener>>,
    /// What paths in the configuration are relative to: the folder of the document.
    pub folder: PathBuf,
}

impl SessionManagerSettings {
    /// Settings without static attributes and listeners, on the machine's clock and random numbers.
    #[must_use]
    pub fn new(configuration: SessionConfiguration) -> Self {
        Self {
            configuration,
            statics: StaticAttributes::default(),
            clock: Arc::new(SystemClock),
            ids: Arc::new(SystemIds::new()),
            listeners: Vec::new(),
            folder: PathBuf::new(),
        }
    }
}

/// Makes session managers of one kind: what the `impl` of a `sessionManagerFactory` names. A function that makes one is a
/// factory that finds nothing wrong beforehand.
///
/// A manager of one's own need not begin from nothing: it may wrap another that its factory makes. The guide to extending has
/// one.
///
/// ```
/// use std::sync::Arc;
///
/// use rejoin::document::DocumentError;
/// use rejoin::service::Server;
/// use rejoin::session::{
///     SessionListener, SessionManager, SessionManagerFactory, SessionManagerSettings, TransientSessionManagerFactory,
/// };
///
/// #[derive(Debug)]
/// struct Audit;
///
/// impl SessionListener for Audit {}
///
/// fn audited(mut settings: SessionManagerSettings) -> Result<Arc<dyn SessionManager>, DocumentError> {
///     settings.listeners.push(Arc::new(Audit));
///     TransientSessionManagerFactory.make(settings)
/// }
///
/// let builder = Server::builder().session_manager("example.AuditedSessionManagerFactory", audited);
/// ```
pub trait SessionManagerFactory: Send + Sync {
    /// What of a configuration its managers can't do, everything at once, each with its place. It makes nothing: `rejoin
    /// check` asks, and a running service before it takes a changed configuration.
    ///
    /// A manager that keeps sessions in no store refuses `store` here.
    fn problems(&self, configuration: &SessionConfiguration) -> Vec<DocumentError> {
        let _ = configuration;
        Vec::new()
    }

    /// Makes the manager of one data service resource, from a configuration in which it found nothing wrong.
    ///
    /// # Errors
    ///
    /// [`DocumentError`] with the place of what turns out to be wrong now: a store that can't be opened.
    fn make(&self, settings: SessionManagerSettings) -> Result<Arc<dyn SessionManager>, DocumentError>;
}

impl<F> SessionManagerFactory for F
where
    F: Fn(SessionManagerSettings) -> Result<Arc<dyn SessionManager>, DocumentError> + Send + Sync,
{
    fn make(&self, settings: SessionManagerSettings) -> Result<Arc<dyn SessionManager>, DocumentError> {
        self(settings)
    }
}

/// The factories of session managers, by the name that `impl` gives.
#[derive(Clone)]
pub struct SessionManagerRegistry {
    factories: BTreeMap<Box<str>, Arc<dyn SessionManagerFactory>>,
}

impl SessionManagerRegistry {
    /// A registry of nothing.
    #[must_use]
    pub fn empty() -> Self {
        Self { factories: BTreeMap::new() }
    }

    /// Adds a factory, or replaces the one of that name.
    pub fn register(&mut self, implementation: &str, factory: impl SessionManagerFactory + 'static) {
        self.factories.insert(implementation.into(), Arc::new(factory));
    }

    /// The names of the factories.
    pub fn implementations(&self) -> impl Iterator<Item = &str> {
        self.factories.keys().map(|name| &**name)
    }

    /// The factory that a configuration names.
    ///
    /// # Errors
    ///
    /// [`DocumentError`] at the name of one that does not exist, with the nearest that does.
    pub fn factory_of(
        &self,
        configuration: &SessionConfiguration,
    ) -> Result<&Arc<dyn SessionManagerFactory>, DocumentError> {
        self.factories.get(&*configuration.factory).ok_or_else(|| {
            let message = unknown_name("session manager factory", &configuration.factory, self.implementations());
            DocumentError::invalid(configuration.places.factory, message)
        })
    }
}

impl Default for SessionManagerRegistry {
    /// The registry of what is built in: the one place where session managers get their names. The reader of the document
    /// knows what OGSA-DAI called them.
    fn default() -> Self {
        let mut registry = Self::empty();
        registry.register(TRANSIENT_FACTORY, TransientSessionManagerFactory);
        registry.register(DURABLE_FACTORY, DurableSessionManagerFactory);
        registry
    }
}

impl fmt::Debug for SessionManagerRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.implementations()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{CONFIGURATION_NAMESPACE, Limits};

    fn configuration(factory: &str, content: &str) -> SessionConfiguration {
        let document = format!(
            "<sessionConfiguration xmlns='{CONFIGURATION_NAMESPACE}'>\n<sessionManagerFactory impl='{factory}'>\n{content}</sessionManagerFactory></sessionConfiguration>"
        );
        SessionConfiguration::parse(document.as_bytes(), &Limits::default()).unwrap()
    }

    #[test]
    fn an_unknown_factory_is_refused_with_its_place_and_the_nearest() {
        let registry = SessionManagerRegistry::default();
        let error = registry.factory_of(&configuration("rejoin.TransientManagerFactory", "")).err().unwrap();
        assert_eq!(
            error.to_string(),
            "2:24: there is no session manager factory `rejoin.TransientManagerFactory`; did you mean \
             `rejoin.TransientSessionManagerFactory`? There are `rejoin.DurableSessionManagerFactory`, \
             `rejoin.TransientSessionManagerFactory`"
        );
    }

    #[test]
    fn the_transient_factory_refuses_a_store_with_its_place() {
        let registry = SessionManagerRegistry::default();
        let configuration = configuration(TRANSIENT_FACTORY, "<store path='sessions.db'/>");
        let problems = registry.factory_of(&configuration).unwrap().problems(&configuration);
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].position().to_string(), "3:8");
        assert!(problems[0].message().contains("leave `store` out"), "{}", problems[0]);
    }

    #[test]
    fn the_durable_factory_demands_a_store() {
        let registry = SessionManagerRegistry::default();
        let without = configuration(DURABLE_FACTORY, "");
        let problems = registry.factory_of(&without).unwrap().problems(&without);
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].position().to_string(), "2:24");
        assert!(problems[0].message().contains("<store path="), "{}", problems[0]);
        let with = configuration(DURABLE_FACTORY, "<store path='sessions/'/>");
        assert!(registry.factory_of(&with).unwrap().problems(&with).is_empty());
    }

    #[test]
    fn a_program_adds_factories_of_its_own() {
        let mut registry = SessionManagerRegistry::default();
        registry.register("example.Factory", |settings: SessionManagerSettings| {
            TransientSessionManagerFactory.make(settings)
        });
        let configuration = configuration("example.Factory", "");
        let factory = registry.factory_of(&configuration).unwrap();
        assert!(factory.make(SessionManagerSettings::new(configuration)).is_ok());
        assert_eq!(
            registry.implementations().collect::<Vec<_>>(),
            ["example.Factory", DURABLE_FACTORY, TRANSIENT_FACTORY]
        );
    }
}
