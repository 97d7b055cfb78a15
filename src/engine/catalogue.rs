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
    /// Why others are not among them.
    missing: BTreeMap<Box<str>, &'static str>,
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
        let (mut entries, mut missing) = (BTreeMap::new(), BTreeMap::new());
        for (name, factory) in registry.names().filter_map(|name| Some((name, registry.get(name)?))) {
            if let Some(why) = unmet(factory.requirement(), &resources) {
                missing.insert(name.into(), why);
            } else {
                let entry = Entry { factory: Arc::clone(factory), properties: Properties::new() };
                entries.insert(name.into(), entry);
            }
        }
        Self { entries, missing, resources }
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
        let is_mapped = |name: &&str| entries.contains_key(*name);
        let missing = registry.names().filter(|name| !is_mapped(name)).map(|name| (name.into(), UNMAPPED)).collect();
        Ok(Self { entries, missing, resources })
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
                match self.missing.get(name) {
                    Some(why) => format!("there is no activity `{name}` here: {why}"),
                    None => unknown_activity(name, self.names()),
                },
            ));
        };
        Ok(entry.factory.build(&activity.element, &self.resources, &entry.properties)?)
    }
}

const UNMAPPED: &str = "the activity configuration of this data service resource does not name it";

/// Why an activity is not available here without being granted, if it is not.
fn unmet(requirement: Requirement, resources: &DataResources) -> Option<&'static str> {
    match requirement {
        Requirement::Relational if !resources.has_relational() => Some(
            "it needs a relational data resource, and this data service resource has none: add a `dataResource` such as \
             `sqlite:data.db` to its configuration",
        ),
        Requirement::Web if !resources.has_web() => Some(
            "it needs an HTTP data resource, and this data service resource has none: add a `dataResource` such as \
             `https://api.example.com/` to its configuration",
        ),
        Requirement::Grant => {
            Some("it reaches what is outside: the activity configuration of this data service resource has to name it")
        }
        Requirement::Nothing | Requirement::Relational | Requirement::Web => None,
    }
}

fn unknown_activity<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.collect();
    match nearest(name, known.iter().copied()) {
        Some(near) => format!("there is no activity `{name}` here; did you mean `{near}`?"),
        None => format!("there is no activity `{name}` here; there are {}", known.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::PerformDocument;
    use crate::engine::Plan;

    fn refused(catalogue: &Catalogue, element: &str) -> String {
        let document = format!("<perform xmlns='{}'>{element}</perform>", crate::document::TYPES_NAMESPACE);
        let document = PerformDocument::parse(document.as_bytes()).unwrap();
        Plan::new(&document, catalogue).unwrap_err().to_string()
    }

    #[test]
    fn an_activity_that_is_not_available_is_told_what_it_needs() {
        let registry = ActivityRegistry::built_in();
        let nothing = Catalogue::of_resources(&registry, DataResources::default());
        for (element, needs) in [
            ("<httpIngest name='a'/>", "there is no activity `httpIngest` here: it needs an HTTP data resource"),
            ("<httpJob name='a'/>", "it needs an HTTP data resource, and this data service resource has none"),
            ("<sqlQueryStatement name='a'/>", "it needs a relational data resource"),
            ("<relationalResourceManagement name='a'/>", "has to name it"),
            ("<httpIngets name='a'/>", "there is no activity `httpIngets` here"),
        ] {
            assert!(refused(&nothing, element).contains(needs), "{}", refused(&nothing, element));
        }
        let mapped =
            Catalogue::configured(&registry, &ActivityConfiguration::default(), DataResources::default()).unwrap();
        assert!(refused(&mapped, "<echo name='a'/>").contains("does not name it"));
    }
}
