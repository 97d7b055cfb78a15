use std::sync::Arc;

use crate::document::DocumentError;
use crate::session::{StaticAttributeSettings, StaticSessionAttribute, TransactionManager};

/// `rejoin.TransactionManager`: nothing inside.
pub(super) fn make(settings: &StaticAttributeSettings<'_>) -> Result<Arc<dyn StaticSessionAttribute>, DocumentError> {
    settings.fields().finish()?;
    Ok(Arc::new(TransactionManager::new(settings.name())))
}
