//! Conditions as expressions.

mod body;
mod cost;
mod facts;
mod names;
mod shape;
mod size;

use std::fmt;
use std::sync::{Arc, LazyLock};

use cel::{Context, Env, ExecutionError, Program, Value};

use cost::Cost;
pub use facts::Facts;

/// The longest formula.
const LONGEST: usize = 2048;

/// The most levels of a formula: to work it out goes down as deep.
const MOST_LEVELS: usize = 64;

/// How deep loops over lists and maps may stand in each other, or one go over what another has made: how long they take grows
/// with the power of that.
const MOST_LOOPS: usize = 2;

/// The room in which a formula is read. The parser goes down some twenty calls for a parenthesis, and tells too late that there
/// are too many of them.
const STACK: usize = 128 << 20;

/// The functions of the standard library, made once.
static LIBRARY: LazyLock<Arc<Env>> = LazyLock::new(|| Arc::new(Env::stdlib()));

/// A condition as an expression of CEL, the Common Expression Language: `body.status == "done" && rows < 100`.
///
/// It sees [`Formula::VARIABLES`] and the functions of CEL's standard library, nothing else. It always ends: CEL has no loops but
/// those over lists and maps that are there, and an answer for which it would take more than some ten seconds, or build more than
/// 64 MiB besides some copies of the answer, is refused.
#[derive(Clone)]
pub struct Formula {
    text: Box<str>,
    program: Arc<Program>,
    /// How many loops stand in each other.
    loops: usize,
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
        if text.len() > LONGEST {
            let problem = format!("it has {} bytes, and at most {LONGEST} may be", text.len());
            return Err(FormulaError { problem });
        }
        let (program, loops) = with_room_for(text, Self::compile)?;
        Ok(Self { text: text.into(), program: Arc::new(program), loops })
    }

    /// Reads an expression, and says how many of its loops stand in each other.
    fn compile(text: &str) -> Result<(Program, usize), FormulaError> {
        let program = Program::compile(text).map_err(|error| FormulaError { problem: error.to_string() })?;
        let shape = shape::of(program.expression());
        if shape.depth > MOST_LEVELS {
            let problem =
                format!("it has {} levels inside of each other, and at most {MOST_LEVELS} may be", shape.depth);
            return Err(FormulaError { problem });
        }
        if let Some(name) = names::unknown(program.expression(), &Self::VARIABLES) {
            let hint = crate::document::nearest(name, Self::VARIABLES)
                .map(|known| format!("; did you mean `{known}`?"))
                .unwrap_or_default();
            let known = Self::VARIABLES.join(", ");
            return Err(FormulaError { problem: format!("there is no `{name}`{hint}; there are {known}") });
        }
        if shape.loops > MOST_LOOPS {
            let problem =
                format!("there are more than {MOST_LOOPS} loops (`all`, `exists`, `map`, `filter`) in each other");
            return Err(FormulaError { problem });
        }
        Ok((program, shape.loops))
    }

    /// The expression as it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it goes over lists or maps, and so may take its time.
    #[must_use]
    pub fn has_loops(&self) -> bool {
        self.loops > 0
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
        if named.has_variable("body") && facts.body().is_none() {
            return Err(self.problem("the answer has values that formulas can't hold, such as a number out of range"));
        }
        if !Cost::of(self.program.expression(), &|name| facts.size_of(name)).fits(facts.size()) {
            return Err(self.problem(
                "the answer is too large for its loops: ask for smaller pages, or let no loop stand in another, look through the \
                 whole answer, match a large pattern, or build lists or texts for each element",
            ));
        }
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

/// Reads a formula on a thread that has the room for it.
fn with_room_for<T: Send + 'static>(text: &str, read: fn(&str) -> Result<T, FormulaError>) -> Result<T, FormulaError> {
    let text = text.to_owned();
    let reading = std::thread::Builder::new().name("formula".to_owned()).stack_size(STACK).spawn(move || read(&text));
    let failed = |problem: &str| FormulaError { problem: format!("it can't be read: {problem}") };
    let read = reading.map_err(|error| failed(&error.to_string()))?.join();
    read.unwrap_or_else(|_| Err(failed("the parser has failed")))
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
    fn what_no_formula_can_see_is_an_error_and_not_nothing() {
        let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
        for body in [r#"{"state": "done", "big": 1e999}"#.to_owned(), format!("{{\"state\":\"done\",\"deep\":{deep}}}")]
        {
            let error = holds("body.state == 'done'", &body).unwrap_err().to_string();
            assert!(error.contains("values that formulas can't hold"), "{error}");
            assert_eq!(holds("status == 200", &body), Ok(true));
        }
        assert_eq!(holds("body == null", ""), Ok(true));
    }

    #[test]
    fn formulas_that_would_take_for_ever_are_refused_as_they_are_read() {
        let nested = "body.items.all(a, a.all(b, b.all(c, c == 1)))";
        let chained = "body.items.map(a, a).map(b, b).map(c, c).size() == 1";
        let long = format!("key == '{}'", "x".repeat(5000));
        for (formula, said) in [(nested, "more than 2 loops"), (chained, "more than 2 loops"), (&long, "at most 2048")]
        {
            let error = Formula::parse(formula).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
        assert!(Formula::parse("body.items.all(a, a.tags.exists(b, b == 'x')) || body.all(a, a == 1)").is_ok());
    }

    #[test]
    fn an_answer_for_which_a_formula_would_take_for_ever_is_refused_at_once() {
        let body = format!("{{\"items\": [{}1]}}", "1,".repeat(100_000));
        for formula in
            ["body.items.all(a, body.items.exists(b, a + b == 0))", "body.items.exists(a, a + 0 in body.items)"]
        {
            let error = holds(formula, &body).unwrap_err().to_string();
            assert!(error.contains("too large for its loops: ask for smaller pages"), "{error}");
        }
        assert_eq!(holds("body.items.filter(a, a == 1).map(a, a + 1).size() == 100001", &body), Ok(true));
    }

    #[test]
    fn nothing_that_is_written_overflows_the_stack() {
        let chain = |piece: &str, end: &str| piece.repeat((LONGEST - end.len()) / piece.len()) + end;
        for formula in [
            chain("(", "1"),
            "(".repeat(1500) + "true" + &")".repeat(1500),
            "[".repeat(1500) + &"]".repeat(1500),
            "{1:".repeat(900) + "1" + &"}".repeat(900),
            chain("!", "true"),
            chain("-", "1"),
            chain("true&&", "true"),
            chain("1+", "1 == 1"),
            chain("true?true:", "true"),
            format!("body{} == 1", ".a".repeat(1900)),
            format!("body{} == 1", "[0]".repeat(1300)),
            format!("body{} == 1", ".size()".repeat(500)),
        ] {
            // Whatever comes of it.
            if let Ok(formula) = Formula::parse(&formula) {
                let headers = HeaderMap::new();
                let _ = formula.holds(&Facts::new(Some("{}"), &headers, 200));
            }
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
