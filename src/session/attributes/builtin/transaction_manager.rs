use std::sync::Arc;

use crate::document::DocumentError;
use crate::session::{StaticAttributeSettings, StaticSessionAttribute, TransactionManager};

/// `rejoin.TransactionManager`: nothing inside, or `<log path="transactions/"/>`, a folder relative to the configuration document.
pub(super) fn make(settings: &StaticAttributeSettings<'_>) -> Result<Arc<dyn StaticSessionAttribute>, DocumentError> {
    let mut fields = settings.fields();
    let mut manager = TransactionManager::new(settings.name());
    if let Some(log) = fields.child("log") {
        let mut log = log.fields();
        manager = manager.with_log(settings.path(&log.required_attribute("path")?.non_empty()?.value));
        log.finish()?;
    }
    fields.finish()?;
    Ok(Arc::new(manager))
}
