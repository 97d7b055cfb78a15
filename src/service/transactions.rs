//! Transaction managers of a session configuration, and the databases that they recover.

use super::unavailable::Refused;
use crate::document::{Position, SessionConfiguration};
use crate::resource::DataResources;
use crate::resource::relational::recoverable;
use crate::session::{StaticAttributes, TransactionManager};

/// Lets the transaction managers among the static attributes of a data service resource open their logs. It blocks.
///
/// # Errors
///
/// What can't be opened, at the place of its attribute.
pub(super) fn attach_managers(
    configuration: &SessionConfiguration,
    statics: &StaticAttributes,
    name: &str,
    resources: &DataResources,
) -> Result<(), Refused> {
    for (attribute, value) in statics.iter() {
        let Some(manager) = value.clone().downcast::<TransactionManager>() else { continue };
        manager.attach(name, recoverable(resources)).map_err(|error| {
            let configured = configuration.attributes.iter().find(|configured| *configured.name == *attribute);
            let position = configured.map_or(Position::START, |configured| configured.position);
            Refused::new(position, format!("`{attribute}`: {error}"))
        })?;
    }
    Ok(())
}
