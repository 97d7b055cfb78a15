//! The XSDs, as they are served and as they stand in the repository.

/// Every schema file by its name.
macro_rules! schemas {
    ($($name:literal),+ $(,)?) => {
        &[$(($name, include_str!(concat!("../../schemas/", $name)))),+]
    };
}

const SCHEMAS: &[(&str, &str)] = schemas![
    "activities.xsd",
    "activity.xsd",
    "fault.xsd",
    "perform.xsd",
    "problem.xsd",
    "resource.xsd",
    "response.xsd",
    "service.xsd",
    "session.xsd",
    "types.xsd",
];

/// The schema of that file name.
pub(super) fn get(file: &str) -> Option<&'static str> {
    SCHEMAS.iter().find(|(name, _)| *name == file).map(|(_, schema)| *schema)
}

/// The file names.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    SCHEMAS.iter().map(|(name, _)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_schema_of_the_repository_is_served() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/schemas");
        for entry in std::fs::read_dir(folder).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            assert!(get(&name).is_some(), "{name}");
        }
    }
}
