//! How the text of an `sqlParameter` is read: as a value of which type, and whether it stands for NULL.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytestring::ByteString;

use crate::document::activities::ParameterType;
use crate::resource::relational::Parameter;

/// What the attributes `type` and `nullDataStr` say.
#[derive(Debug, Clone, Default)]
pub(super) struct ParameterForm {
    pub(super) value_type: ParameterType,
    pub(super) null: Option<String>,
}

impl ParameterForm {
    /// The value that a text means; an error says of which type it is not.
    pub(super) fn read(&self, text: ByteString) -> Result<Parameter, String> {
        if self.null.as_deref() == Some(&*text) {
            return Ok(Parameter::Null);
        }
        let value = match self.value_type {
            ParameterType::Text => Some(Parameter::Text(text)),
            ParameterType::Integer => text.trim().parse().ok().map(Parameter::Integer),
            ParameterType::Real => text.trim().parse().ok().map(Parameter::Real),
            ParameterType::Boolean => match text.trim() {
                "true" | "1" => Some(Parameter::Boolean(true)),
                "false" | "0" => Some(Parameter::Boolean(false)),
                _ => None,
            },
            ParameterType::Binary => STANDARD.decode(text.trim()).ok().map(|bytes| Parameter::Bytes(bytes.into())),
        };
        value.ok_or_else(|| format!("its value is not of the type `{}`", self.value_type.name()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value_type: ParameterType, text: &'static str) -> Result<Parameter, String> {
        ParameterForm { value_type, null: Some("\\N".into()) }.read(ByteString::from_static(text))
    }

    #[test]
    fn a_text_is_read_as_the_type_that_is_named() {
        assert_eq!(read(ParameterType::Text, " 42"), Ok(Parameter::Text(" 42".into())));
        assert_eq!(read(ParameterType::Integer, " 42 "), Ok(Parameter::Integer(42)));
        assert_eq!(read(ParameterType::Real, "1e3"), Ok(Parameter::Real(1000.0)));
        assert_eq!(read(ParameterType::Boolean, "true"), Ok(Parameter::Boolean(true)));
        assert_eq!(read(ParameterType::Binary, "AP8="), Ok(Parameter::Bytes(vec![0, 255].into())));
        let problem = read(ParameterType::Integer, "4.2").unwrap_err();
        assert_eq!(problem, "its value is not of the type `integer`");
        assert!(read(ParameterType::Boolean, "yes").is_err());
        assert!(read(ParameterType::Binary, "*").is_err());
    }

    #[test]
    fn one_text_stands_for_null_whatever_the_type() {
        assert_eq!(read(ParameterType::Integer, "\\N"), Ok(Parameter::Null));
        assert_eq!(read(ParameterType::Text, "\\N"), Ok(Parameter::Null));
        assert_eq!(ParameterForm::default().read("".into()), Ok(Parameter::Text("".into())));
    }
}
