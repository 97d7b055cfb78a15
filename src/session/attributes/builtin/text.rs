use std::sync::Arc;

use super::constant::Constant;
use crate::block::Scalar;
use crate::document::DocumentError;
use crate::session::{StaticAttributeSettings, StaticSessionAttribute};

/// `rejoin.Text`: `<text>hello</text>`
pub(super) fn make(settings: &StaticAttributeSettings<'_>) -> Result<Arc<dyn StaticSessionAttribute>, DocumentError> {
    let mut fields = settings.fields();
    let text = fields.required_child("text")?.text_only()?;
    fields.finish()?;
    Ok(Arc::new(Constant(Scalar::Text((&*text).into()))))
}
