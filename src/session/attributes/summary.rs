use super::overlay::entry_bytes;
use super::{AttributeValue, StaticAttributes};

/// An attribute in a list: everything but its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttributeSummary {
    /// Its name.
    pub name: Box<str>,
    /// The name of its type.
    pub type_name: &'static str,
    /// How many bytes of the session's it takes, its name included; `None` for a static one, which takes none.
    pub bytes: Option<u64>,
    /// Whether it is static.
    pub is_static: bool,
}

/// The static attributes and those of one session, by name. What a static one hides is not among them.
pub(super) fn summaries<'a>(
    statics: &StaticAttributes,
    own: impl Iterator<Item = (&'a str, &'a AttributeValue)>,
) -> Vec<AttributeSummary> {
    let from_configuration = statics.iter().map(|(name, value)| AttributeSummary {
        name: name.into(),
        type_name: value.type_name(),
        bytes: None,
        is_static: true,
    });
    let own = own.filter(|(name, _)| statics.get(name).is_none()).map(|(name, value)| AttributeSummary {
        name: name.into(),
        type_name: value.type_name(),
        bytes: Some(entry_bytes(name, value)),
        is_static: false,
    });
    let mut list: Vec<AttributeSummary> = from_configuration.chain(own).collect();
    list.sort_by(|left, right| left.name.cmp(&right.name));
    list
}
