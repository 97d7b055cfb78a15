use std::env::VarError;
use std::sync::Arc;

use super::constant::Constant;
use crate::block::Scalar;
use crate::document::DocumentError;
use crate::session::{StaticAttributeSettings, StaticSessionAttribute};

/// `rejoin.Environment`: `<variable name="REGION" default="eu"/>`, one variable of the environment, read when the attribute is
/// made. No other variable can be seen through it.
pub(super) fn make(settings: &StaticAttributeSettings<'_>) -> Result<Arc<dyn StaticSessionAttribute>, DocumentError> {
    let mut fields = settings.fields();
    let mut variable = fields.required_child("variable")?.fields();
    let name = variable.required_attribute("name")?.one_word()?;
    let default = variable.attribute("default");
    variable.finish()?;
    fields.finish()?;
    let refuse = |message| DocumentError::invalid(name.position, message);
    let text = match (std::env::var(&name.value), default) {
        (Ok(text), _) => text,
        (Err(VarError::NotPresent), Some(default)) => default.as_str().to_owned(),
        (Err(VarError::NotPresent), None) => {
            let message = format!("the environment has no variable `{}`: set it, or give a `default`", name.value);
            return Err(refuse(message));
        }
        (Err(VarError::NotUnicode(_)), _) => {
            return Err(refuse(format!("the environment variable `{}` is not UTF-8", name.value)));
        }
    };
    Ok(Arc::new(Constant(Scalar::Text(text.into()))))
}
