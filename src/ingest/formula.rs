use std::fmt;
use std::sync::Arc;

use cel::Program;

/// A condition as an expression of CEL, the Common Expression Language: `body.status == "done" && rows < 100`.
///
/// It sees [`Formula::VARIABLES`] and the functions of CEL's standard library, nothing else. It always ends: CEL has no loops but
/// those over lists and maps that are there.
#[derive(Clone)]
pub struct Formula {
    text: Box<str>,
    program: Arc<Program>,
}

impl Formula {
    /// What a formula may name: the body of the answer as JSON, its headers by lower-case names, its status, how many records it
    /// holds and how many came altogether, which page it is from 1, and the value of the session key.
    pub const VARIABLES: [&'static str; 7] = ["body", "headers", "status", "rows", "total", "page", "key"];

    /// Reads an expression.
    ///
    /// ```
    /// use rejoin::ingest::Formula;
    ///
    /// assert!(Formula::parse("body.state == 'done' || page >= 100").is_ok());
    /// let error = Formula::parse("boddy.state == 'done'").unwrap_err();
    /// assert!(error.to_string().contains("did you mean `body`?"));
    /// ```
    ///
    /// # Errors
    ///
    /// [`FormulaError`] when it can't be read, or names what there is not.
    pub fn parse(text: &str) -> Result<Self, FormulaError> {
        let program = Program::compile(text).map_err(|error| FormulaError { problem: error.to_string() })?;
        let named = program.references();
        let unknown = named.variables().into_iter().find(|name| !Self::VARIABLES.contains(name));
        if let Some(name) = unknown {
            let hint = crate::document::nearest(name, Self::VARIABLES)
                .map(|known| format!("; did you mean `{known}`?"))
                .unwrap_or_default();
            let known = Self::VARIABLES.join(", ");
            return Err(FormulaError { problem: format!("there is no `{name}`{hint}; there are {known}") });
        }
        Ok(Self { text: text.into(), program: Arc::new(program) })
    }

    /// The expression as it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The expression as it is run.
    #[must_use]
    pub fn program(&self) -> &Program {
        &self.program
    }
}

impl fmt::Debug for Formula {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Formula").field(&self.text).finish()
    }
}

/// Why an expression was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct FormulaError {
    /// What is wrong with it.
    pub problem: String,
}
