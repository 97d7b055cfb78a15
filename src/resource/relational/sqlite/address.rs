use std::path::{Path, PathBuf};

use crate::resource::ResourceError;
use crate::resource::uri::{percent_decoded, without_secrets};

/// Where a `SQLite` database is and how it is opened: what a `sqlite:` URI says.
///
/// | URI | database |
/// |---|---|
/// | `sqlite:orders.db` | a file beside the configuration document |
/// | `sqlite:/var/lib/orders.db`, `sqlite:///var/lib/orders.db` | a file by its absolute path |
/// | `sqlite::memory:` | in memory, one for the resource, gone with it; there, an update waits for running queries |
///
/// A path may hold `%XX` for a byte that would end it (`%3F` for `?`, `%23` for `#`). After `?` may follow `mode=`: `rw`
/// (the default: the file must exist), `rwc` (it is created when missing) or `ro` (nothing is ever written to it).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqliteAddress {
    /// Where it is.
    pub location: SqliteLocation,
    /// How it is opened.
    pub mode: SqliteMode,
}

/// Where a `SQLite` database is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SqliteLocation {
    /// In a file.
    File(PathBuf),
    /// In memory, private to one resource.
    Memory,
}

/// How a `SQLite` database is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SqliteMode {
    /// Reading only: the file, and the folder that it is in, may be read-only.
    ReadOnly,
    /// Reading and writing; the file must exist.
    ReadWrite,
    /// Reading and writing; a missing file is created.
    Create,
}

impl SqliteAddress {
    /// Reads a `sqlite:` URI; a relative path is relative to `directory`.
    ///
    /// # Errors
    ///
    /// [`ResourceError::Configuration`] with what was expected.
    ///
    /// ```
    /// use std::path::Path;
    /// use rejoin::resource::relational::sqlite::{SqliteAddress, SqliteLocation, SqliteMode};
    ///
    /// let address = SqliteAddress::parse("sqlite:orders.db?mode=ro", Path::new("/etc/rejoin")).unwrap();
    /// assert_eq!(address.location, SqliteLocation::File("/etc/rejoin/orders.db".into()));
    /// assert_eq!(address.mode, SqliteMode::ReadOnly);
    /// ```
    pub fn parse(uri: &str, directory: &Path) -> Result<Self, ResourceError> {
        let refused = |problem: &str| ResourceError::Configuration {
            message: format!("data resource URI `{}`: {problem}", without_secrets(uri)),
        };
        let rest = uri
            .split_once(':')
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("sqlite"))
            .map(|(_, rest)| rest)
            .ok_or_else(|| refused("expected `sqlite:`"))?;
        if rest.contains('#') {
            return Err(refused("a fragment has no meaning here; write `#` in a path as `%23`"));
        }
        let (path, query) = rest.split_once('?').map_or((rest, None), |(path, query)| (path, Some(query)));
        let mode = match query {
            None => None,
            Some(query) => Some(parse_mode(query).map_err(|problem| refused(&problem))?),
        };
        if path == ":memory:" {
            return match mode {
                None => Ok(Self { location: SqliteLocation::Memory, mode: SqliteMode::Create }),
                Some(_) => Err(refused("a database in memory takes no `mode`")),
            };
        }
        let path = match path.strip_prefix("//") {
            None => path,
            Some(path) if path.starts_with('/') => path,
            Some(_) => {
                return Err(refused(
                    "it names a host; expected a path, as in `sqlite:orders.db` or `sqlite:///data/orders.db`",
                ));
            }
        };
        let path = percent_decoded(path).ok_or_else(|| refused("`%` is not followed by two hexadecimal digits"))?;
        if path.is_empty() || path.contains('\0') {
            return Err(refused("expected the path of a file, or `:memory:`"));
        }
        Ok(Self { location: SqliteLocation::File(directory.join(path)), mode: mode.unwrap_or(SqliteMode::ReadWrite) })
    }
}

/// The mode. Errors don't repeat values: one may be a password that was meant for another kind of database.
fn parse_mode(query: &str) -> Result<SqliteMode, String> {
    const EXPECTED: &str = "expected `mode=ro`, `mode=rw` or `mode=rwc`";
    for pair in query.split('&') {
        match pair.split_once('=') {
            Some(("mode", _)) => {}
            Some((name, _)) => return Err(format!("unknown parameter `{name}`; {EXPECTED}")),
            None => return Err(format!("a parameter without a value; {EXPECTED}")),
        }
    }
    match query {
        "mode=ro" => Ok(SqliteMode::ReadOnly),
        "mode=rw" => Ok(SqliteMode::ReadWrite),
        "mode=rwc" => Ok(SqliteMode::Create),
        _ => Err(format!("unknown mode; {EXPECTED}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(uri: &str) -> Result<SqliteAddress, String> {
        SqliteAddress::parse(uri, Path::new("/conf")).map_err(|error| error.to_string())
    }

    fn file(path: &str, mode: SqliteMode) -> SqliteAddress {
        SqliteAddress { location: SqliteLocation::File(path.into()), mode }
    }

    #[test]
    fn paths_are_relative_to_the_configuration() {
        assert_eq!(parse("sqlite:data/orders.db"), Ok(file("/conf/data/orders.db", SqliteMode::ReadWrite)));
        assert_eq!(parse("SQLite:/srv/orders.db"), Ok(file("/srv/orders.db", SqliteMode::ReadWrite)));
        assert_eq!(parse("sqlite:///srv/orders.db?mode=rwc"), Ok(file("/srv/orders.db", SqliteMode::Create)));
        assert_eq!(parse("sqlite:what%3F%20now.db"), Ok(file("/conf/what? now.db", SqliteMode::ReadWrite)));
    }

    #[test]
    fn a_uri_that_means_nothing_is_refused_with_what_was_expected() {
        for (uri, part) in [
            ("sqlite:", "expected the path"),
            ("sqlite://server/orders.db", "names a host"),
            ("sqlite:a.db?mode=readonly", "unknown mode; expected `mode=ro`"),
            ("sqlite:a.db?mode=ro&mode=rw", "unknown mode; expected `mode=ro`"),
            ("sqlite:a.db?cache=shared", "unknown parameter `cache`"),
            ("sqlite:a.db?shared", "without a value"),
            ("sqlite::memory:?mode=ro", "takes no `mode`"),
            ("sqlite:a%2", "hexadecimal"),
            ("sqlite:a%zz", "hexadecimal"),
            ("sqlite:a%00", "expected the path"),
            ("sqlite:a#b", "fragment"),
        ] {
            let error = parse(uri).unwrap_err();
            let shown = uri.split('?').next().unwrap();
            assert!(error.contains(part) && error.contains(shown), "{uri}: {error}");
        }
    }

    #[test]
    fn errors_do_not_repeat_what_may_be_a_password() {
        for uri in [
            "sqlite://user:secret@host/orders.db",
            "sqlite://user:sec/ret?secret#secret@host/orders.db",
            "sqlite:orders.db?password=secret",
            "sqlite:orders.db?mode=rw&password=secret",
            "sqlite:orders.db?mode=secret",
            "sqlite:orders.db?secret",
            "sqlite:orders.db?key=secret#secret",
        ] {
            let error = parse(uri).unwrap_err();
            assert!(!error.contains("secret") && error.contains("`sqlite:"), "{uri}: {error}");
        }
    }
}
