//! What holds for the attributes of every session of a resource.

use super::{AttributeError, StaticAttributes};
use crate::document::SessionLimits;

/// What holds for the attributes of every session of a resource: the static ones, and how much there may be of the others.
#[derive(Debug, Clone, Default)]
pub struct AttributeRules {
    /// The static attributes.
    pub statics: StaticAttributes,
    /// How many attributes one session may have; `None` is unbounded.
    pub attributes: Option<u64>,
    /// How many bytes one attribute may have, its name included; `None` is unbounded.
    pub attribute_bytes: Option<u64>,
    /// How many bytes all attributes of one session may have; `None` is unbounded.
    pub session_bytes: Option<u64>,
}

impl AttributeRules {
    /// The rules of a configuration.
    #[must_use]
    pub fn new(statics: StaticAttributes, limits: &SessionLimits) -> Self {
        Self {
            statics,
            attributes: limits.attributes,
            attribute_bytes: limits.attribute_bytes,
            session_bytes: limits.session_bytes,
        }
    }
    /// Checks that an attribute of so many bytes, its name included, may be at all.
    pub(super) fn check_size(&self, name: &str, bytes: u64) -> Result<(), AttributeError> {
        match self.attribute_bytes {
            Some(limit) if bytes > limit => Err(AttributeError::TooLarge { name: name.into(), bytes, limit }),
            _ => Ok(()),
        }
    }

    /// Checks that an attribute of `bytes` fits into a session that then has `all` bytes and `count` attributes.
    pub(super) fn check(&self, name: &str, bytes: u64, all: u64, count: usize) -> Result<(), AttributeError> {
        self.check_size(name, bytes)?;
        if let Some(limit) = self.session_bytes.filter(|limit| all > *limit) {
            return Err(AttributeError::SessionTooLarge { name: name.into(), bytes: all, limit });
        }
        if let Some(limit) = self.attributes.filter(|limit| count as u64 > *limit) {
            return Err(AttributeError::TooMany { name: name.into(), limit });
        }
        Ok(())
    }
}
