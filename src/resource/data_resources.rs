use std::sync::Arc;

use super::DataResource;

/// The data resources of one data service resource, by name. The first is the one that an activity works on when it names
/// none; there may be none at all.
#[derive(Debug, Clone, Default)]
pub struct DataResources {
    resources: Vec<(String, Arc<dyn DataResource>)>,
}

impl DataResources {
    /// Adds a resource under a name; a resource without a name has the empty one.
    pub fn add(&mut self, name: impl Into<String>, resource: Arc<dyn DataResource>) {
        self.resources.push((name.into(), resource));
    }

    /// The resource of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Arc<dyn DataResource>> {
        self.iter().find(|(known, _)| *known == name).map(|(_, resource)| resource)
    }

    /// The default.
    #[must_use]
    pub fn first(&self) -> Option<&Arc<dyn DataResource>> {
        self.resources.first().map(|(_, resource)| resource)
    }

    /// Whether any of them is relational.
    #[must_use]
    pub fn has_relational(&self) -> bool {
        self.iter().any(|(_, resource)| resource.as_relational().is_some())
    }

    /// Whether any of them is an HTTP service.
    #[must_use]
    pub fn has_web(&self) -> bool {
        self.iter().any(|(_, resource)| resource.as_web().is_some())
    }

    /// The names, the default first.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.iter().map(|(name, _)| name)
    }

    /// All of them with their names, the default first.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Arc<dyn DataResource>)> {
        self.resources.iter().map(|(name, resource)| (name.as_str(), resource))
    }
}
