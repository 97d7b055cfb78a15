//! The XML Schemas of the documents, as the service gives them out.

macro_rules! schemas {
    ($($file:literal),+) => {
        /// The files in `schemas/`, each with its content. They include each other by these names.
        pub const SCHEMAS: &[(&str, &str)] = &[$(($file, include_str!(concat!("../../schemas/", $file)))),+];
    };
}

schemas!(
    "activities.xsd",
    "activity.xsd",
    "database-schema.xsd",
    "fault.xsd",
    "perform.xsd",
    "problem.xsd",
    "resource.xsd",
    "response.xsd",
    "service.xsd",
    "session-status.xsd",
    "session.xsd",
    "status.xsd",
    "types.xsd"
);

/// The content of a schema file.
///
/// ```
/// use rejoin::document::schema;
///
/// assert!(schema("perform.xsd").is_some_and(|content| content.contains("The perform document")));
/// assert!(schema("../Cargo.toml").is_none());
/// ```
#[must_use]
pub fn schema(file: &str) -> Option<&'static str> {
    SCHEMAS.iter().find(|(name, _)| *name == file).map(|(_, content)| *content)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Element, Limits};

    #[test]
    fn every_schema_is_given_out_and_every_include_is_there() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas");
        assert_eq!(std::fs::read_dir(folder).unwrap().count(), SCHEMAS.len());
        for (file, content) in SCHEMAS {
            let root = Element::parse(content.as_bytes(), &Limits::default()).unwrap();
            for include in root.elements().filter(|element| element.local_name() == "include") {
                assert!(schema(include.attribute("schemaLocation").unwrap()).is_some(), "{file}");
            }
        }
    }
}
