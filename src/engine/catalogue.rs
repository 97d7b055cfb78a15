//! The activities of one data service resource.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{PlanError, PlanProblem};
use crate::activity::{ActivityFactory, ActivityRegistry, Properties, Requirement, RunnableActivity};
use crate::document::{ActivityConfiguration, DocumentError, WrittenActivity, nearest};
use crate::resource::DataResources;

/// Which activities a data service resource offers, and with which properties.
///
/// Without an activity configuration document that is every activity that suits the data resources and reaches nothing else;
/// with one, the activities that it maps.
#[derive(Debug)]
pub struct Catalogue {
    entries: BTreeMap<Box<str>, Entry>,
    resources: DataResources,
}

struct Entry {
    factory: Arc<dyn ActivityFactory>,
    properties: Properties,
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Entry").field("properties", &self.properties).finish_non_exhaustive()
    }
}

impl Catalogue {
    /// The activities that are available without being granted.
    #[must_use]
    pub fn of_resources(registry: &ActivityRegistry, resources: DataResources) -> Self {
        let entries = registry
            .names()
            .filter_map(|name| Some((name, registry.get(name)?)))
            .filter(|(_, factory)| match factory.requirement() {
                Requirement::Nothing => true,
                Requirement::Relational => resources.has_relational(),
                Requirement::Web => resources.has_web(),
                Requirement::Grant => false,
            })
            .map(|(name, factory)| (name.into(), Entry { factory: Arc::clone(factory), properties: Properties::new() }))
            .collect();
        Self { entries, resources }
    }

    /// The activities that a configuration document maps.
    ///
    /// # Errors
    ///
    /// [`DocumentError`] at an activity that the registry does not know.
    pub fn configured(
        registry: &ActivityRegistry,
        configuration: &ActivityConfiguration,
        resources: DataResources,
    ) -> Result<Self, DocumentError> {
        let mut entries = BTreeMap::new();
        for activity in &configuration.activities {
            let name = &activity.name.value;
            let Some(factory) = registry.get(name) else {
                return Err(DocumentError::invalid(activity.name.position, unknown_activity(name, registry.names())));
            };
            let properties = activity.properties.iter();
            let properties =
                properties.map(|property| (property.key.value.clone(), property.value.value.clone())).collect();
            entries.insert(name.as_str().into(), Entry { factory: Arc::clone(factory), properties });
        }
        Ok(Self { entries, resources })
    }

    /// The element names of the activities, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(AsRef::as_ref)
    }

    /// The data resources that the activities work on.
    #[must_use]
    pub fn resources(&self) -> &DataResources {
        &self.resources
    }

    /// Reads one activity of a perform document.
    ///
    /// # Errors
    ///
    /// [`PlanError`] when there is no such activity here, or when its element is wrong.
    pub(super) fn build(&self, activity: &WrittenActivity) -> Result<RunnableActivity, PlanError> {
        let name = activity.element.local_name();
        let Some(entry) = self.entries.get(name) else {
            return Err(PlanError::new(
                PlanProblem::UnknownActivity,
                activity.element.position(),
                unknown_activity(name, self.names()),
            ));
        };
        Ok(entry.factory.build(&activity.element, &self.resources, &entry.properties)?)
    }
}

fn unknown_activity<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.collect();
    match nearest(name, known.iter().copied()) {
        Some(near) => format!("there is no activity `{name}` here; did you mean `{near}`?"),
        None => format!("there is no activity `{name}` here; there are {}", known.join(", ")),
    }
}
