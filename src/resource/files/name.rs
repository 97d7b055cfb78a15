use std::fmt;
use std::path::Path;

use super::FileError;

/// The longest part of a name, in bytes, and of all its parts together.
const PART_BYTES: usize = 255;
const BYTES: usize = 4000;

/// The most folders that a file is in, below the one that is granted.
const DEPTH: usize = 32;

/// How names of our own begin, at the top of a folder.
pub(super) const OWN: &str = ".rejoin";

/// The name of a file in a folder: parts with slashes between them, each a folder but the last.
///
/// ```
/// use rejoin::resource::files::FileName;
///
/// assert_eq!(FileName::parse("2026/orders.csv").unwrap().to_string(), "2026/orders.csv");
/// assert!(FileName::parse("../orders.csv").is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileName(Box<str>);

impl FileName {
    /// Checks a name.
    ///
    /// # Errors
    ///
    /// [`FileError::Name`]: it is empty, absolute or too long, or one of its parts is empty, `.`, `..`, or holds what no name
    /// should.
    pub fn parse(name: &str) -> Result<Self, FileError> {
        let refused = |problem: &str| {
            let shown: String = name.chars().take(100).flat_map(char::escape_debug).collect();
            Err(FileError::Name {
                message: format!(
                    "`{shown}` can't be the name of a file: {problem}; expected a relative path such as `2026/orders.csv`"
                ),
            })
        };
        if name.is_empty() {
            return refused("it is empty");
        }
        if name.len() > BYTES {
            return refused("it is longer than 4000 bytes");
        }
        if name.starts_with('/') {
            return refused("it is absolute");
        }
        if name.contains(|c: char| c.is_control() || c == '\\') {
            return refused("it holds a control character or a backslash");
        }
        let parts = || name.split('/');
        if parts().any(str::is_empty) {
            return refused("a part of it is empty");
        }
        if parts().any(|part| part == "." || part == "..") {
            return refused("it holds `.` or `..`");
        }
        if parts().any(|part| part.len() > PART_BYTES) {
            return refused("a part of it is longer than 255 bytes");
        }
        if parts().count() > DEPTH {
            return refused("it has more than 32 parts");
        }
        if name.starts_with(OWN) {
            return refused("names that begin with `.rejoin` are those of unfinished files");
        }
        Ok(Self(name.into()))
    }

    /// As a path below the folder.
    pub(super) fn path(&self) -> &Path {
        Path::new(&*self.0)
    }

    /// The folder that the file is in, below the one that is granted, if it is not that one.
    pub(super) fn parent(&self) -> Option<&Path> {
        self.path().parent().filter(|parent| !parent.as_os_str().is_empty())
    }

    /// The name as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_inside_of_its_folder() {
        for name in ["a", "a/b.csv", ".hidden", "a b/ü.txt", "...", "a..b", "x/.rejoin"] {
            assert_eq!(FileName::parse(name).map(|name| name.to_string()), Ok(name.to_owned()));
        }
        let long = "x".repeat(256);
        let deep = "d/".repeat(32) + "x";
        for name in [
            "",
            "/a",
            "../a",
            "a/../b",
            "a/..",
            ".",
            "./a",
            "a//b",
            "a/",
            "a\\b",
            "a\nb",
            "a\0b",
            ".rejoin-parts/x",
            &long,
            &deep,
        ] {
            assert!(matches!(FileName::parse(name), Err(FileError::Name { .. })), "{name:?}");
        }
    }
}
