//! From properties to settings.
//!
//! A property is a name and a text: a whole number, a path, or JSON. [`read`] takes those of a web resource and those of an
//! activity, of which each one replaces the resource's of the same name whole, and gives [`IngestSettings`] or everything that
//! is wrong with them at once. Nothing is sent before that, nothing is ignored: an unknown name, an unknown member of an object,
//! a value of another kind is refused with the place and the nearest known name.
//!
//! [`PROPERTIES`] lists the names. The JSON is strict (RFC 8259): DIL's reader lets single quotes and comments pass, ours doesn't.

mod answers;
mod assemble;
mod condition;
mod key;
mod names;
mod node;
mod pace;
mod page;
mod paging;
mod parameters;
mod problem;
mod request;
mod set;
mod stop;
mod table;
#[cfg(test)]
mod tests;
mod units;
mod window;

use std::fmt;

use crate::document::Position;
use crate::ingest::settings::IngestSettings;

use set::PropertySet;

pub use problem::{PropertyProblem, PropertyProblems};
pub use table::{PROPERTIES, PropertyDescription, PropertyUse};

/// A property as it was written.
#[derive(Clone, PartialEq, Eq)]
pub struct Property {
    /// Its name, such as `ms.parameters`.
    pub key: Box<str>,
    /// Its value.
    pub value: Box<str>,
    /// Where it was written.
    pub place: PropertyPlace,
}

impl fmt::Debug for Property {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Values hold tokens and headers.
        f.debug_struct("Property").field("key", &self.key).field("place", &self.place).finish_non_exhaustive()
    }
}

/// Where a property was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PropertyPlace {
    /// In the perform document.
    Document(Position),
    /// In the configuration of a resource: `FILE:LINE`.
    Resource(Box<str>),
}

impl fmt::Display for PropertyPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Document(position) => write!(f, "{position}"),
            Self::Resource(place) => f.write_str(place),
        }
    }
}

/// Which names the secondary input provides, for templates that are made of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecondaryNames {
    /// There is no secondary input.
    None,
    /// Its columns.
    Known(Vec<Box<str>>),
    /// There is no secondary input, and those names are given from elsewhere: what an earlier phase of a job has brought.
    Given(Vec<Box<str>>),
    /// They are known only when it flows; `fields` of `ms.secondary.input` may list them.
    Any,
}

/// Reads the properties of an ingestion: those of its web resource, and those of the activity, which replace them.
///
/// ```
/// use rejoin::document::Position;
/// use rejoin::ingest::properties::{Property, PropertyPlace, SecondaryNames, read};
///
/// let place = PropertyPlace::Document(Position { line: 3, column: 5 });
/// let property = |key: &str, value: &str| Property { key: key.into(), value: value.into(), place: place.clone() };
/// let own = [property("ms.source.uri", "/records"), property("ms.parameter", "[]")];
/// let problems = read(&[], &own, &SecondaryNames::None).unwrap_err();
/// assert_eq!(problems.to_string(), "3:5: ms.parameter: there is no such property; did you mean `ms.parameters`?");
/// ```
///
/// # Errors
///
/// [`PropertyProblems`]: everything that is wrong.
pub fn read(
    defaults: &[Property],
    own: &[Property],
    secondary: &SecondaryNames,
) -> Result<IngestSettings, PropertyProblems> {
    let set = PropertySet::new(defaults, own);
    let settings = assemble::settings(&set, secondary);
    let problems = set.report.into_problems();
    if problems.is_empty() { Ok(settings) } else { Err(PropertyProblems(problems)) }
}
