//! Which activities there are, by the name of their element.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::{
    Activity, ActivityContext, ActivityError, Ports, Properties, Setup, delivery, relational, session, transform,
    utility, web,
};
use crate::document::activities::Requirement;
use crate::document::{DocumentError, Element};
use crate::resource::DataResources;

/// What an activity may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Effects {
    /// The session that its request is joined to, whose changes are made or not with the request.
    Session,
    /// More than that: a database, a file, somebody's mailbox.
    Outside,
}

/// Makes activities of one kind: what the registry holds. [`ActivityRegistry::register`] makes one from an [`Activity`];
/// implement it yourself only where the kind of an activity is known no earlier than at run time.
pub trait ActivityFactory: Send + Sync + 'static {
    /// What the activity reaches.
    fn requirement(&self) -> Requirement;

    /// Reads an element into an activity that can run.
    ///
    /// # Errors
    ///
    /// [`DocumentError`] at the first thing in the element that is wrong.
    fn build(
        &self,
        element: &Element,
        resources: &DataResources,
        properties: &Properties,
    ) -> Result<RunnableActivity, DocumentError>;
}

/// A checked activity with what it declared.
pub struct RunnableActivity {
    pub(crate) ports: Ports,
    pub(crate) effects: Effects,
    pub(crate) run: RunActivity,
}

/// Runs an activity, once.
pub(crate) type RunActivity = Box<dyn FnOnce(ActivityContext) -> BoxFuture<'static, Result<(), ActivityError>> + Send>;

/// The kinds of activities that a server knows.
///
/// ```
/// use rejoin::activity::ActivityRegistry;
///
/// let registry = ActivityRegistry::built_in();
/// assert!(registry.names().any(|name| name == "sqlQueryStatement"));
/// ```
#[derive(Clone, Default)]
pub struct ActivityRegistry {
    factories: BTreeMap<Box<str>, Arc<dyn ActivityFactory>>,
}

impl ActivityRegistry {
    /// A registry that knows nothing.
    #[must_use]
    pub fn empty() -> Self {
        Self::default()
    }

    /// All activities of this crate.
    #[must_use]
    pub fn built_in() -> Self {
        Self::empty()
            .register::<relational::SqlQueryStatement>()
            .register::<relational::SqlUpdateStatement>()
            .register::<relational::SqlStoredProcedure>()
            .register::<relational::SqlBulkLoadRowSet>()
            .register::<relational::ExtractDatabaseSchema>()
            .register::<relational::DatabaseSchemaToXml>()
            .register::<relational::ExtractPhysicalSchema>()
            .register::<relational::RelationalResourceManagement>()
            .register::<relational::SqlResultsToXml>()
            .register::<relational::SqlResultsToCsv>()
            .register::<relational::SqlResultsToJson>()
            .register::<relational::SqlResultsToArrow>()
            .register::<relational::SqlResultsToParquet>()
            .register::<relational::ResultsetProjection>()
            .register::<relational::WebRowSetToRows>()
            .register::<relational::CsvToRows>()
            .register::<relational::ArrowToRows>()
            .register::<relational::ParquetToRows>()
            .register::<relational::TransactionManagement>()
            .register::<relational::OpenCursor>()
            .register::<relational::FetchCursor>()
            .register::<relational::CloseCursor>()
            .register::<delivery::InputStream>()
            .register::<delivery::OutputStream>()
            .register::<session::DeliverToSession>()
            .register::<session::DeliverFromSession>()
            .register::<session::SessionAttributeManagement>()
            .register::<transform::BlockAggregator>()
            .register::<transform::StringTokenizer>()
            .register::<web::HttpIngest>()
            .register::<web::HttpJob>()
            .register::<utility::DataStore>()
            .register::<utility::Echo>()
            .register::<utility::Refuse>()
            .register::<utility::RequestInformation>()
            .register::<utility::Sleep>()
    }

    /// Adds a kind of activity; one of the same element name is replaced.
    #[must_use]
    pub fn register<A: Activity>(self) -> Self {
        self.register_factory(A::ELEMENT, Arc::new(Typed::<A>(PhantomData)))
    }

    /// Adds a factory under the name of an element; one of the same name is replaced.
    #[must_use]
    pub fn register_factory(mut self, element: &str, factory: Arc<dyn ActivityFactory>) -> Self {
        self.factories.insert(element.into(), factory);
        self
    }

    /// The factory for an element.
    #[must_use]
    pub fn get(&self, element: &str) -> Option<&Arc<dyn ActivityFactory>> {
        self.factories.get(element)
    }

    /// The names of the elements, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.factories.keys().map(AsRef::as_ref)
    }
}

impl std::fmt::Debug for ActivityRegistry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.factories.keys()).finish()
    }
}

/// The factory of an activity type.
struct Typed<A>(PhantomData<fn() -> A>);

impl<A: Activity> ActivityFactory for Typed<A> {
    fn requirement(&self) -> Requirement {
        A::REQUIREMENT
    }

    fn build(
        &self,
        element: &Element,
        resources: &DataResources,
        properties: &Properties,
    ) -> Result<RunnableActivity, DocumentError> {
        let mut fields = element.fields();
        // The name of the instance: the document has checked it, and the engine uses it.
        fields.attribute("name");
        let mut setup = Setup::new(resources, properties);
        let activity = A::parse(&mut fields, &mut setup)?;
        fields.finish()?;
        let ports = setup.into_ports();
        let effects = if ports.stays_in_session { Effects::Session } else { A::EFFECTS };
        Ok(RunnableActivity { ports, effects, run: Box::new(move |context| activity.run(context)) })
    }
}
