use std::fmt;

use super::PropertyPlace;
use crate::document::Position;

/// Something that is wrong with a property.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PropertyProblem {
    /// The name of the property.
    pub property: Box<str>,
    /// Where it was written; `None` if it is missing.
    pub place: Option<PropertyPlace>,
    /// Where inside of its JSON: `[2].type`. Empty: the whole.
    pub inside: Box<str>,
    /// Where inside of its text, where it can't be read as JSON.
    pub at: Option<Position>,
    /// What is wrong, what was expected, and the nearest known name.
    pub problem: String,
}

/// `3:5: ms.parameters[2].type: …`
impl fmt::Display for PropertyProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "{place}: ")?;
        }
        f.write_str(&self.property)?;
        if !self.inside.is_empty() {
            let dot = if self.inside.starts_with('[') { "" } else { "." };
            write!(f, "{dot}{}", self.inside)?;
        }
        if let Some(at) = self.at {
            write!(f, " (line {}, column {} of its value)", at.line, at.column)?;
        }
        write!(f, ": {}", self.problem)
    }
}

/// Everything that is wrong with the properties of an ingestion: one thing at least. Displayed one on a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PropertyProblems(pub Vec<PropertyProblem>);

impl fmt::Display for PropertyProblems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            let line = if index == 0 { "" } else { "\n" };
            write!(f, "{line}{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for PropertyProblems {}
