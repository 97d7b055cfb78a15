//! What a session configuration is looked up in, and what is found wrong with it there.

use std::path::Path;
use std::sync::Arc;

use super::unavailable::{Refused, refused_in_session};
use crate::document::SessionConfiguration;
use crate::session::{SessionManagerFactory, SessionManagerRegistry, StaticAttributeRegistry, StaticAttributes};

/// The implementations that a session configuration names: those that are built in, and those of a program. A clone is of the
/// same implementations.
#[derive(Debug, Clone, Default)]
pub(crate) struct SessionParts {
    pub(super) managers: SessionManagerRegistry,
    pub(super) static_attributes: StaticAttributeRegistry,
}

/// A session configuration in which nothing is wrong.
pub(crate) struct Checked {
    /// What makes its session manager.
    pub(super) factory: Arc<dyn SessionManagerFactory>,
    /// Its static attributes.
    pub(super) statics: StaticAttributes,
}

impl SessionParts {
    /// Looks a configuration up. Paths in it are relative to `folder`. Static attributes that stand in it as they
    /// did are taken over from `before`.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it.
    pub(crate) fn check(
        &self,
        configuration: &SessionConfiguration,
        folder: &Path,
        before: &StaticAttributes,
    ) -> Result<Checked, Vec<Refused>> {
        let mut wrong = refused_in_session(configuration);
        let factory = self.managers.factory_of(configuration).map_err(|error| wrong.push(error.into())).ok();
        if let Some(factory) = factory {
            wrong.extend(factory.problems(configuration).into_iter().map(Refused::from));
        }
        let statics = self.static_attributes.make_again(&configuration.attributes, folder, before);
        let statics = statics.map_err(|errors| wrong.extend(errors.into_iter().map(Refused::from))).ok();
        match (factory, statics) {
            (Some(factory), Some(statics)) if wrong.is_empty() => Ok(Checked { factory: Arc::clone(factory), statics }),
            _ => Err(wrong),
        }
    }
}
