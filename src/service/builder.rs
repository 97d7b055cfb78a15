//! Putting a server together: from documents, from code, or from both.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::authentication::{Authenticator, AuthenticatorFactory, AuthenticatorRegistry, Departures, Role};
use super::carrier::Carrier;
use super::data_resource::resource_settings;
use super::initialisation::initial_document;
use super::metrics::{Metrics, SessionMetrics};
use super::reload::{PrincipalsWatch, SessionInForce, SessionWatch, Watch, WatchParts, Watches};
use super::session_parts::{Checked, SessionParts};
use super::state::{ServedResource, ServiceState, Shared};
use super::transactions::attach_managers;
use super::unavailable::{Refused, refused_in_resource};
use super::{Configuration, ConfigurationError, ConfigurationErrors, ConfiguredResource, Server};
use crate::activity::web::{HttpJob, OpenJobs};
use crate::activity::{Activity, ActivityRegistry, Aftercare, Surroundings};
use crate::document::{AuthenticationConfiguration, Element, Position, ServiceLimits, SessionConfiguration};
use crate::engine::{Admission, Catalogue, Engine, Initialisation};
use crate::resource::{DataResourceFactory, DataResources, ResourceRegistry};
use crate::session::{
    Clock, SessionListener, SessionLog, SessionManager, SessionManagerFactory, SessionManagerSettings,
    StaticAttributeFactory, StaticAttributes, SystemClock, SystemIds, TransientSessionManagerFactory,
};

/// How long a draining server waits for the requests that run.
const DRAIN: Duration = Duration::from_secs(30);

/// The service document in its folder.
pub(super) const SERVICE_FILE: &str = "service.xml";

/// A server in the making. Everything that a configuration names is looked up in the registries of the builder, which begin
/// with what this crate brings.
#[derive(Debug)]
#[must_use]
pub struct ServerBuilder {
    activities: ActivityRegistry,
    session_parts: SessionParts,
    data_resources: ResourceRegistry,
    authenticators: AuthenticatorRegistry,
    authentication: AuthenticationConfiguration,
    /// Where that stands.
    authentication_file: PathBuf,
    listeners: Vec<Arc<dyn SessionListener>>,
    clock: Arc<dyn Clock>,
    listen: String,
    limits: ServiceLimits,
    drain: Duration,
    resources: Vec<ConfiguredResource>,
    errors: Vec<ConfigurationError>,
    /// Whether session managers of this crate may open their stores.
    opens_stores: bool,
    /// What requests leave to be done.
    aftercare: Aftercare,
}

impl ServerBuilder {
    pub(super) fn new() -> Self {
        Self {
            activities: ActivityRegistry::built_in(),
            session_parts: SessionParts::default(),
            data_resources: ResourceRegistry::with_defaults(),
            authenticators: AuthenticatorRegistry::built_in(),
            authentication: AuthenticationConfiguration::default(),
            authentication_file: PathBuf::from(SERVICE_FILE),
            listeners: Vec::new(),
            clock: Arc::new(SystemClock),
            listen: "127.0.0.1:8080".into(),
            limits: ServiceLimits::default(),
            drain: DRAIN,
            resources: Vec::new(),
            errors: Vec::new(),
            opens_stores: true,
            aftercare: Aftercare::default(),
        }
    }

    /// Adds a kind of activity, available on every resource that does not choose its activities by a document.
    pub fn activity<A: Activity>(mut self) -> Self {
        self.activities = self.activities.register::<A>();
        self
    }

    /// Adds an implementation of static session attributes.
    pub fn static_attribute(mut self, implementation: &str, factory: impl StaticAttributeFactory + 'static) -> Self {
        self.session_parts.static_attributes.register(implementation, factory);
        self
    }

    /// Adds a kind of session manager, by the name that `impl` of the element `sessionManagerFactory` gives.
    pub fn session_manager(mut self, implementation: &str, factory: impl SessionManagerFactory + 'static) -> Self {
        self.session_parts.managers.register(implementation, factory);
        self
    }

    /// Adds the data resources of a URI scheme.
    pub fn data_resource_factory(mut self, factory: impl DataResourceFactory + 'static) -> Self {
        self.data_resources.register(factory);
        self
    }

    /// Adds a way to find out who sends a request, by the name that `impl` of the element `authentication` gives. Which one is
    /// used the configuration says, or [`authentication`](Self::authentication).
    pub fn authenticator(mut self, implementation: &str, factory: impl AuthenticatorFactory + 'static) -> Self {
        self.authenticators.register(implementation, factory);
        self
    }

    /// How the service finds out who sends a request: an element `authentication` as in a service document, for a program that
    /// configures itself. Locations in it are relative to `folder`. Without it everybody is let in.
    pub fn authentication(mut self, element: Element, folder: impl Into<PathBuf>) -> Self {
        self.authentication_file = folder.into().join(SERVICE_FILE);
        match AuthenticationConfiguration::of(element) {
            Ok(authentication) => self.authentication = authentication,
            Err(error) => self.errors.push(ConfigurationError::of_document(&self.authentication_file, &error)),
        }
        self
    }

    /// Adds somebody who is told what happens to sessions.
    pub fn session_listener(mut self, listener: Arc<dyn SessionListener>) -> Self {
        self.listeners.push(listener);
        self
    }

    /// Where sessions, and the activities that wait, get their time from; the machine's clock without it.
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// The address to listen on; port 0 is any free one. `127.0.0.1:8080` without it.
    pub fn listen(mut self, address: impl Into<String>) -> Self {
        self.listen = address.into();
        self
    }

    /// How many requests run at a time, and how many more wait.
    pub fn admission(mut self, running: u32, queued: u32) -> Self {
        (self.limits.concurrent_requests, self.limits.queued_requests) = (running, queued);
        self
    }

    /// How long a client may take to send a document.
    pub fn body_timeout(mut self, timeout: Duration) -> Self {
        self.limits.body_timeout = timeout;
        self
    }

    /// How long a server that is told to stop waits for the requests that run. Half a minute without it.
    pub fn drain_timeout(mut self, timeout: Duration) -> Self {
        self.drain = timeout;
        self
    }

    /// Adds a data service resource.
    pub fn resource(mut self, resource: ConfiguredResource) -> Self {
        self.resources.push(resource);
        self
    }

    /// Takes over everything that a configuration says.
    pub fn configuration(mut self, configuration: Configuration) -> Self {
        let Configuration { service, file, resources } = configuration;
        (self.authentication, self.authentication_file) = (service.authentication, file);
        self.listen = service.listen.value;
        self.limits = service.limits;
        self.resources.extend(resources);
        self
    }

    /// Puts the server together only to find out what is wrong with its configuration: sessions are kept in memory, whatever
    /// keeps them when it is served. A service may be using their store; and a store that is made here would belong to
    /// whoever checks.
    pub(super) fn without_stores(mut self) -> Self {
        self.opens_stores = false;
        self
    }

    /// Puts the server together. Nothing is listened on yet, and no database has been reached.
    ///
    /// # Errors
    ///
    /// [`ConfigurationErrors`] with everything in the configuration that can't be met.
    pub fn build(mut self) -> Result<Server, ConfigurationErrors> {
        let admission = Admission::new(self.limits.concurrent_requests, self.limits.queued_requests);
        let metrics = Metrics::new();
        let mut served = BTreeMap::new();
        let mut watches: Vec<Box<dyn Watch>> = Vec::new();
        for resource in std::mem::take(&mut self.resources) {
            if served.contains_key(&resource.name) {
                let message = format!("a second data service resource of the name `{}`", resource.name);
                self.errors.push(ConfigurationError::new(&resource.file, Position::START, message));
                continue;
            }
            if let Some((built, watch)) = self.build_resource(resource, &admission, &metrics) {
                served.insert(built.name.clone(), built);
                watches.push(Box::new(watch));
            }
        }
        let authenticator = self.build_authenticator();
        let Some(authenticator) = authenticator.filter(|_| self.errors.is_empty()) else {
            return Err(ConfigurationErrors(self.errors));
        };
        let anybody = self.authentication.implementation.value == "none";
        let managers = served.values().map(|resource| Arc::clone(resource.engine.sessions())).collect();
        let departures = Departures::default();
        watches.push(Box::new(PrincipalsWatch::new(Arc::clone(&authenticator), departures.clone(), managers)));
        let state = ServiceState::new(Shared {
            resources: served,
            limits: self.limits.documents,
            body_timeout: self.limits.body_timeout,
            clock: self.clock,
            ids: Arc::new(SystemIds::default()),
            authenticator,
            departures,
            draining: AtomicBool::new(false),
            watches: Arc::new(Watches::new(watches)),
            admission,
            metrics,
            aftercare: self.aftercare,
            metrics_for: if anybody { Role::User } else { Role::Operator },
        });
        Ok(Server { state, listen: self.listen, drain: self.drain })
    }

    fn build_authenticator(&mut self) -> Option<Arc<dyn Authenticator>> {
        let folder = self.authentication_file.parent().unwrap_or(Path::new(""));
        let made = self.authenticators.make(&self.authentication, folder);
        made.map_err(|error| self.errors.extend(error.into_errors(&self.authentication_file))).ok()
    }

    fn build_resource(
        &mut self,
        resource: ConfiguredResource,
        admission: &Admission,
        metrics: &Metrics,
    ) -> Option<(ServedResource, SessionWatch)> {
        self.refuse(&resource.file, refused_in_resource(&resource.resource));
        // Everything is tried before anything is given up, so that all that is wrong is said at once.
        let data_resources = self.open_data_resources(&resource);
        let catalogue = self.catalogue(&resource, data_resources);
        let checked = self.check_session(&resource);
        let catalogue = Arc::new(catalogue?);
        let initialisation = self.initialisation(&resource, &catalogue);
        let (initialisation, Checked { factory, statics }) = (initialisation?, checked?);
        self.attach_managers(&resource, &statics, &catalogue)?;
        let session_metrics = metrics.sessions_of(&resource.name);
        let manager = self.sessions(&resource, &*factory, (statics.clone(), &catalogue), &session_metrics)?;
        let surroundings = Surroundings { clock: Arc::clone(&self.clock), aftercare: self.aftercare.clone() };
        let in_force = SessionInForce::new(Carrier::of(&resource.session.carrier, &resource.name)?);
        let engine = Engine::new(catalogue, manager, admission.clone())
            .with_initialisation(initialisation.clone())
            .within(surroundings);
        let watch = self.watch(&resource, statics, &in_force, (&engine, initialisation));
        let served = ServedResource {
            engine,
            session: in_force,
            documentation: resource.resource.documentation,
            request_metrics: metrics.requests_of(&resource.name),
            session_metrics,
            name: resource.name,
        };
        Some((served, watch))
    }

    /// Opens the logs of transactions.
    fn attach_managers(
        &mut self,
        resource: &ConfiguredResource,
        statics: &StaticAttributes,
        catalogue: &Catalogue,
    ) -> Option<()> {
        if !self.opens_stores {
            return Some(());
        }
        let attached = attach_managers(&resource.session, statics, &resource.name, catalogue.resources());
        attached.map_err(|refused| self.refuse(resource.session_file(), vec![refused])).ok()
    }

    /// What runs in new sessions.
    fn initialisation(&mut self, resource: &ConfiguredResource, catalogue: &Catalogue) -> Option<Initialisation> {
        let document = initial_document(&resource.session, resource.session_file(), catalogue);
        document.map_err(|error| self.errors.push(error)).ok().map(Initialisation::of)
    }

    fn check_session(&mut self, resource: &ConfiguredResource) -> Option<Checked> {
        let file = resource.session_file();
        let checked = self.session_parts.check(&resource.session, folder_of(file), &StaticAttributes::default());
        checked.map_err(|refused| self.refuse(file, refused)).ok()
    }

    /// The manager of the sessions.
    fn sessions(
        &mut self,
        resource: &ConfiguredResource,
        factory: &dyn SessionManagerFactory,
        (statics, catalogue): (StaticAttributes, &Catalogue),
        metrics: &Arc<SessionMetrics>,
    ) -> Option<Arc<dyn SessionManager>> {
        let file = resource.session_file();
        let mut settings = SessionManagerSettings::new(resource.session.clone());
        let keeps_none = !self.opens_stores && settings.configuration.store.take().is_some();
        let factory = if keeps_none { &TransientSessionManagerFactory } else { factory };
        settings.statics = statics;
        settings.clock = Arc::clone(&self.clock);
        settings.listeners = vec![Arc::clone(metrics) as _, Arc::new(SessionLog::of(resource.name.as_str()))];
        settings.listeners.extend(self.listeners.iter().cloned());
        if catalogue.names().any(|name| name == HttpJob::ELEMENT) {
            let clock = Arc::clone(&self.clock);
            settings.listeners.push(Arc::new(OpenJobs::new(catalogue.resources(), clock, self.aftercare.clone())));
        }
        folder_of(file).clone_into(&mut settings.folder);
        let made = factory.make(settings);
        made.map_err(|error| self.errors.push(ConfigurationError::of_document(file, &error))).ok()
    }

    /// What takes the changes of the session configuration.
    fn watch(
        &self,
        resource: &ConfiguredResource,
        statics: StaticAttributes,
        in_force: &Arc<SessionInForce>,
        (engine, initialisation): (&Engine, Initialisation),
    ) -> SessionWatch {
        let parts = WatchParts {
            registries: self.session_parts.clone(),
            manager: Arc::clone(engine.sessions()),
            catalogue: engine.shared_catalogue(),
            initialisation,
            in_force: Arc::clone(in_force),
            clock: Arc::clone(&self.clock),
        };
        let file = (resource.session_file.clone(), folder_of(&resource.file));
        SessionWatch::new(&resource.name, file, (resource.session.clone(), statics), parts)
    }

    fn open_data_resources(&mut self, resource: &ConfiguredResource) -> DataResources {
        let mut opened = DataResources::default();
        for configured in &resource.resource.data_resources {
            let settings = match resource_settings(configured, &resource.file, &self.clock) {
                Ok(settings) => settings,
                Err(refused) => {
                    self.refuse(&resource.file, refused);
                    continue;
                }
            };
            match self.data_resources.open(&settings) {
                Ok(data_resource) => {
                    let name = configured.name.as_ref().map_or("", |name| &name.value);
                    opened.add(name, data_resource);
                }
                Err(error) => {
                    let position = configured.uri.position;
                    self.errors.push(ConfigurationError::new(&resource.file, position, error.to_string()));
                }
            }
        }
        opened
    }

    fn catalogue(&mut self, resource: &ConfiguredResource, data_resources: DataResources) -> Option<Catalogue> {
        let Some((activities, file)) = &resource.activities else {
            return Some(Catalogue::of_resources(&self.activities, data_resources));
        };
        let catalogue = Catalogue::configured(&self.activities, activities, data_resources);
        catalogue.map_err(|error| self.errors.push(ConfigurationError::of_document(file, &error))).ok()
    }

    fn refuse(&mut self, file: &Path, refused: Vec<Refused>) {
        let errors =
            refused.into_iter().map(|refused| ConfigurationError::new(file, refused.position, refused.message));
        self.errors.extend(errors);
    }
}

/// What locations in a file are relative to.
fn folder_of(file: &Path) -> &Path {
    file.parent().unwrap_or(Path::new(""))
}

impl ConfiguredResource {
    /// A resource that is configured by code, with the defaults for everything. Relative paths in its URIs are relative to
    /// `folder`.
    #[must_use]
    pub fn new(name: impl Into<String>, folder: impl Into<PathBuf>) -> Self {
        Self {
            name: name.into(),
            resource: crate::document::ResourceConfiguration::default(),
            file: folder.into().join("resource.xml"),
            session: SessionConfiguration::default(),
            session_file: None,
            activities: None,
        }
    }

    /// Where the session configuration stands, or would.
    fn session_file(&self) -> &Path {
        self.session_file.as_ref().unwrap_or(&self.file)
    }

    /// Adds a data resource; the first is the default.
    #[must_use]
    pub fn data_resource(mut self, uri: impl Into<String>) -> Self {
        self.resource.data_resources.push(crate::document::DataResourceConfiguration::at(uri));
        self
    }

    /// Adds a data resource with everything that a document can say of it.
    #[must_use]
    pub fn configured_data_resource(mut self, configured: crate::document::DataResourceConfiguration) -> Self {
        self.resource.data_resources.push(configured);
        self
    }

    /// Says what the resource is.
    #[must_use]
    pub fn documentation(mut self, text: impl Into<String>) -> Self {
        self.resource.documentation.push(text.into());
        self
    }

    /// How its sessions live.
    #[must_use]
    pub fn session(mut self, session: SessionConfiguration) -> Self {
        self.session = session;
        self
    }
}
