use std::sync::Arc;

use super::constant::Constant;
use crate::block::Scalar;
use crate::document::DocumentError;
use crate::session::{StaticAttributeSettings, StaticSessionAttribute};

/// `rejoin.Xml`: any one element, as it stands.
pub(super) fn make(settings: &StaticAttributeSettings<'_>) -> Result<Arc<dyn StaticSessionAttribute>, DocumentError> {
    let mut fields = settings.fields();
    let Some(child) = fields.any_child() else {
        return Err(DocumentError::invalid(settings.element().position(), "`rejoin.Xml` needs an element inside"));
    };
    fields.finish()?;
    let text = child.to_xml().map_err(|error| DocumentError::invalid(child.position(), error.to_string()))?;
    Ok(Arc::new(Constant(Scalar::Xml(text.into()))))
}
