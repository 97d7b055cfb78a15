use std::path::{Path, PathBuf};

use crate::resource::ResourceError;
use crate::resource::uri::{percent_decoded, without_secrets};

/// The folder of a `file:` URI; a relative path is relative to `directory`.
///
/// | URI | folder |
/// |---|---|
/// | `file:inbox/` | beside the configuration document |
/// | `file:/var/lib/inbox`, `file:///var/lib/inbox` | by its absolute path |
///
/// # Errors
///
/// [`ResourceError::Configuration`] with what was expected.
pub(super) fn folder_of(uri: &str, directory: &Path) -> Result<PathBuf, ResourceError> {
    let refused = |problem: &str| ResourceError::Configuration {
        message: format!("data resource URI `{}`: {problem}", without_secrets(uri)),
    };
    let (_, rest) = uri.split_once(':').ok_or_else(|| refused("expected `file:`"))?;
    if rest.contains(['?', '#']) {
        return Err(refused("expected a path; write `?` and `#` in it as `%3F` and `%23`"));
    }
    let path = match rest.strip_prefix("//") {
        None => rest,
        Some(path) if path.starts_with('/') => path,
        Some(_) => {
            return Err(refused("it names a host; expected a path, as in `file:inbox/` or `file:///data/inbox/`"));
        }
    };
    let path = percent_decoded(path).ok_or_else(|| refused("`%` is not followed by two hexadecimal digits"))?;
    if path.is_empty() || path.contains('\0') {
        return Err(refused("expected the path of a folder"));
    }
    Ok(directory.join(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_beside_its_document_or_has_an_absolute_path() {
        for (uri, folder) in [
            ("file:inbox/", "/conf/inbox/"),
            ("FILE:in%20box", "/conf/in box"),
            ("file:/data/inbox", "/data/inbox"),
            ("file:///data/a%3Fb", "/data/a?b"),
            ("file:../inbox", "/conf/../inbox"),
        ] {
            assert_eq!(folder_of(uri, Path::new("/conf")).unwrap(), Path::new(folder), "{uri}");
        }
        for uri in ["file://host/data", "file:", "file:a?mode=rw", "file:a#b", "file:%zz", "file:a%00b"] {
            assert!(folder_of(uri, Path::new("/conf")).is_err(), "{uri}");
        }
    }
}
