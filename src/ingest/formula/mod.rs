//! Conditions as expressions.

mod body;
mod facts;
mod names;

use std::fmt;
use std::sync::{Arc, LazyLock};

use cel::{Context, Env, ExecutionError, Program, Value};

pub use facts::Facts;

/// The functions of the standard library, made once.
static LIBRARY: LazyLock<Arc<Env>> = LazyLock::new(|| Arc::new(Env::stdlib()));

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
        let unknown = names::unknown(program.expression(), &Self::VARIABLES);
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

    /// Whether the expression is true of an answer.
    ///
    /// What asks for a member that the answer has not, or for an element behind the end, does not hold: a status that is not
    /// there yet is not the status that is waited for.
    ///
    /// # Errors
    ///
    /// [`FormulaError`] when the expression can't be worked out, or is neither true nor false.
    pub fn holds(&self, facts: &Facts<'_>) -> Result<bool, FormulaError> {
        let mut context = Context::with_env(Arc::clone(&LIBRARY));
        let named = self.program.references();
        for name in Self::VARIABLES.into_iter().filter(|name| named.has_variable(name)) {
            context.add_variable_from_value(name, facts.variable(name));
        }
        match self.program.execute(&context) {
            Ok(Value::Bool(holds)) => Ok(holds),
            Ok(other) => Err(self.problem(&format!("it gives a value of the type {}", other.type_of()))),
            Err(ExecutionError::NoSuchKey(_) | ExecutionError::IndexOutOfBounds(_)) => Ok(false),
            // The text of other errors may hold values of the answer, which may be secret.
            Err(error) => Err(self.problem(kind(&error))),
        }
    }

    fn problem(&self, what: &str) -> FormulaError {
        FormulaError {
            problem: format!("the formula `{}` can't be worked out: {what}; true or false expected", self.text),
        }
    }
}

impl fmt::Debug for Formula {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Formula").field(&self.text).finish()
    }
}

/// What went wrong, without the values that it went wrong with.
fn kind(error: &ExecutionError) -> &'static str {
    match error {
        ExecutionError::DivisionByZero(_) | ExecutionError::RemainderByZero(_) => "it divides by zero",
        ExecutionError::Overflow(..) => "a number becomes too large",
        ExecutionError::FunctionError { .. } => "a function fails",
        ExecutionError::UndeclaredReference(_) => "it calls a function that there is not",
        _ => "it uses a value of a type that does not go there",
    }
}

/// Why an expression was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct FormulaError {
    /// What is wrong with it.
    pub problem: String,
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue};

    use super::*;

    fn holds(formula: &str, body: &str) -> Result<bool, FormulaError> {
        let mut headers = HeaderMap::new();
        headers.insert("x-more", HeaderValue::from_static("yes"));
        let facts = Facts::new(Some(body), &headers, 200).with_counts(2, 7, 3).with_key("c1");
        Formula::parse(formula).unwrap().holds(&facts)
    }

    #[test]
    fn r30_a_formula_sees_the_answer_and_the_counts() {
        let body = r#"{"state": "done", "items": [1, 2.5, {"a": null}], "big": 18446744073709551615}"#;
        for formula in [
            "body.state == 'done'",
            "body.items.size() == 3 && body.items[1] > 2",
            "body.items[2].a == null",
            "headers['x-more'] == 'yes' && status == 200",
            "rows == 2 && total == 7 && page == 3 && rows < 100",
            "key == 'c1' && key.matches('^c[0-9]$')",
            "body.big > 5",
            "!has(body.missing)",
            "body.items.exists(item, item == 1)",
        ] {
            assert_eq!(holds(formula, body), Ok(true), "{formula}");
        }
    }

    #[test]
    fn what_the_answer_has_not_does_not_hold() {
        for formula in ["body.state == 'done'", "body.items[0] == 1", "headers['x-none'] == 'yes'"] {
            assert_eq!(holds(formula, r#"{"items": []}"#), Ok(false), "{formula}");
        }
    }

    #[test]
    fn what_is_neither_true_nor_false_is_an_error_that_holds_no_value() {
        for formula in ["body.secret", "body.secret + 1 == 2", "1 / (rows - 2) == 1"] {
            let error = holds(formula, r#"{"secret": "hunter2"}"#).unwrap_err().to_string();
            assert!(error.contains("can't be worked out") && !error.contains("hunter2"), "{error}");
        }
    }
}
