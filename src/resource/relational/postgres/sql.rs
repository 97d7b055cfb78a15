//! The text of a statement: `?` becomes `$1`, and what kind of statement it is.

use std::ops::Range;

use super::error::sql_error;
use super::lexer::{Lexer, Token};
use crate::resource::ResourceError;

/// A statement as it was written, and as the server gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sql {
    written: String,
    text: String,
    /// Where the two differ, in their order.
    edits: Vec<Edit>,
    /// The end of the statement in the text, without what may follow: spaces, comments, a semicolon.
    end: usize,
    verb: Verb,
    brings_code: bool,
}

/// A piece of the text that was written differently; in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Edit {
    at: usize,
    len: usize,
    written_len: usize,
}

/// What a statement does, as its first words say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    /// It gives rows and can stand where a table can: `SELECT`, `VALUES`, `TABLE`.
    Select,
    /// It changes rows and says how many.
    Change,
    /// It is nothing: spaces, comments.
    Nothing,
    /// Anything else.
    Other,
}

/// What statements can't do, because a connection is only lent to them, by their first word.
const REFUSED: [(&[&str], &str); 4] = [
    (
        &["BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ABORT", "SAVEPOINT", "RELEASE"],
        "transactions begin and end with the activity transactionManagement",
    ),
    (
        &["PREPARE", "DEALLOCATE", "EXECUTE"],
        "statements are prepared by themselves; give the statement and its parameters",
    ),
    (&["COPY"], "rows are loaded with the activity sqlBulkLoadRowSet, and read with a query"),
    (
        &["DECLARE", "FETCH", "MOVE", "CLOSE", "LISTEN", "UNLISTEN", "DISCARD", "LOAD"],
        "it is about the connection, which is only lent to a statement",
    ),
];

impl Sql {
    /// Reads a statement.
    ///
    /// `?` is a placeholder and `??` a question mark; quotes, comments and dollar quotes are left as they are.
    pub(super) fn read(written: &str) -> Result<Self, ResourceError> {
        let mut reading = Reading::default();
        for (token, range) in Lexer::new(written) {
            reading.take(written, token, range);
        }
        reading.text.push_str(&written[reading.copied..]);
        if let Some((word, _)) = &reading.first {
            refuse(&written[word.clone()])?;
        }
        if reading.placeholders > 0 && reading.has_numbered {
            return Err(sql_error("42601", "`?` and `$1` in one statement; use `?` alone"));
        }
        let verb = reading.verb(written);
        let brings_code = reading.first.as_ref().is_some_and(|(word, _)| brings_code(&written[word.clone()], written));
        let Reading { text, edits, end, .. } = reading;
        Ok(Self { written: written.to_owned(), text, edits, end, verb, brings_code })
    }

    /// The statement as the server gets it.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The statement without what may follow it.
    pub(super) fn body(&self) -> &str {
        &self.text[..self.end]
    }

    pub(super) fn verb(&self) -> Verb {
        self.verb
    }

    /// Whether it runs code that came with it, or leaves some to be run: such code can prepare statements, and forget ours,
    /// which no transaction takes back.
    pub(super) fn brings_code(&self) -> bool {
        self.brings_code
    }

    /// The place in the text as it was written, for a place in the text as the server got it; both in characters from 0.
    pub(super) fn place_as_written(&self, place: usize) -> Option<usize> {
        let at = self.text.char_indices().map(|(at, _)| at).chain([self.text.len()]).nth(place)?;
        let before = self.edits.iter().filter(|edit| edit.at + edit.len <= at);
        let (sent, written) =
            before.fold((0, 0), |(sent, written), edit| (sent + edit.len, written + edit.written_len));
        Some(self.written.get(..at - sent + written)?.chars().count())
    }
}

/// Refuses a statement by its first word.
fn refuse(word: &str) -> Result<(), ResourceError> {
    let refused = REFUSED.iter().find(|(words, _)| words.iter().any(|refused| refused.eq_ignore_ascii_case(word)));
    match refused {
        Some((_, why)) => {
            Err(ResourceError::unsupported(format!("{} is not for statements: {why}", word.to_ascii_uppercase())))
        }
        None => Ok(()),
    }
}

/// Whether a statement has code in it, by its first word. A definition that only mentions a function is taken for one.
fn brings_code(first: &str, text: &str) -> bool {
    let defines = || {
        let text = text.to_ascii_uppercase();
        text.contains("FUNCTION") || text.contains("PROCEDURE")
    };
    first.eq_ignore_ascii_case("DO") || (first.eq_ignore_ascii_case("CREATE") && defines())
}

/// What is known while a statement is read.
#[derive(Debug, Default)]
struct Reading {
    text: String,
    /// How much of the statement is in the text.
    copied: usize,
    edits: Vec<Edit>,
    placeholders: usize,
    has_numbered: bool,
    /// The end of the last token, in the text.
    end: usize,
    depth: usize,
    /// The first word, and how deep in parentheses it stands.
    first: Option<(Range<usize>, usize)>,
    /// Behind `WITH`: what the first word that says it says.
    main: Option<Verb>,
}

impl Reading {
    fn take(&mut self, written: &str, token: Token, range: Range<usize>) {
        match token {
            Token::Placeholder => {
                self.placeholders += 1;
                self.replace(written, &range, &format!("${}", self.placeholders));
            }
            Token::QuestionMark => self.replace(written, &range, "?"),
            Token::Numbered => self.has_numbered = true,
            Token::Open => self.depth += 1,
            Token::Close => self.depth = self.depth.saturating_sub(1),
            Token::Word => self.word(written, &range),
            Token::Semicolon => return,
            Token::Other => {}
        }
        self.end = self.text.len() + range.end - self.copied;
    }

    fn replace(&mut self, written: &str, range: &Range<usize>, with: &str) {
        self.text.push_str(&written[self.copied..range.start]);
        self.edits.push(Edit { at: self.text.len(), len: with.len(), written_len: range.len() });
        self.text.push_str(with);
        self.copied = range.end;
    }

    fn word(&mut self, written: &str, range: &Range<usize>) {
        match &self.first {
            None => self.first = Some((range.clone(), self.depth)),
            Some((first, depth)) => {
                let behind_with = written[first.clone()].eq_ignore_ascii_case("WITH") && *depth == self.depth;
                if behind_with && self.main.is_none() {
                    self.main = Some(verb_of(&written[range.clone()])).filter(|verb| *verb != Verb::Other);
                }
            }
        }
    }

    fn verb(&self, written: &str) -> Verb {
        match &self.first {
            None if self.end == 0 => Verb::Nothing,
            None => Verb::Other,
            Some((first, _)) => self.main.unwrap_or_else(|| verb_of(&written[first.clone()])),
        }
    }
}

fn verb_of(word: &str) -> Verb {
    let is = |words: &[&str]| words.iter().any(|known| known.eq_ignore_ascii_case(word));
    if is(&["SELECT", "VALUES", "TABLE"]) {
        Verb::Select
    } else if is(&["INSERT", "UPDATE", "DELETE", "MERGE"]) {
        Verb::Change
    } else {
        Verb::Other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(written: &str) -> String {
        Sql::read(written).unwrap().text
    }

    #[test]
    fn question_marks_become_numbers_in_their_order() {
        assert_eq!(text("SELECT ?, a FROM t WHERE b = ? AND c=?"), "SELECT $1, a FROM t WHERE b = $2 AND c=$3");
        assert_eq!(text("SELECT '{}'::jsonb ?? 'a' AND b ??| ?"), "SELECT '{}'::jsonb ? 'a' AND b ?| $1");
    }

    #[test]
    fn quotes_and_comments_keep_their_question_marks() {
        for same in [
            "SELECT 'a?''?' || E'\\'?' || e'?' || \"c?\"\"?\" FROM t",
            "SELECT $$ ? $$, $a$ ? $$ ? $a$, U&'?', a$b$c",
            "SELECT 1 -- ? '\n, 2 /* ? /* ? */ ' ? */ + 3",
            "SELECT 'never closed ?",
            "SELECT $$ never closed ?",
            "SELECT /* never closed ?",
        ] {
            assert_eq!(text(same), same);
        }
        assert_eq!(text("SELECT 'a\\' || ?"), "SELECT 'a\\' || $1");
        assert_eq!(text("SELECT $1a$ ? $1a$".replace("$1a$", "$a$").as_str()), "SELECT $a$ ? $a$");
    }

    #[test]
    fn the_end_of_a_statement_is_that_of_its_last_word() {
        for (written, body) in [
            ("SELECT ? ; -- done", "SELECT $1"),
            ("SELECT 1;;\n", "SELECT 1"),
            ("SELECT 'ä;' /* ; */", "SELECT 'ä;'"),
            ("SELECT a ?? b", "SELECT a ? b"),
        ] {
            assert_eq!(Sql::read(written).unwrap().body(), body);
        }
    }

    #[test]
    fn the_first_words_say_what_a_statement_does() {
        for (written, verb) in [
            ("select 1", Verb::Select),
            ("  /* x */ (VALUES (1))", Verb::Select),
            ("WITH a AS (DELETE FROM t RETURNING *) SELECT * FROM a", Verb::Select),
            ("WITH a AS (SELECT 1) INSERT INTO t SELECT * FROM a", Verb::Change),
            ("Update t SET a = 1", Verb::Change),
            ("CREATE TABLE t AS SELECT 1", Verb::Other),
            (" -- nothing\n ;", Verb::Nothing),
        ] {
            assert_eq!(Sql::read(written).unwrap().verb(), verb, "{written}");
        }
    }

    #[test]
    fn what_a_lent_connection_can_not_do_is_refused() {
        for (written, part) in [
            ("begin", "transactionManagement"),
            ("/* */ COMMIT", "transactionManagement"),
            ("COPY t FROM STDIN", "sqlBulkLoadRowSet"),
            ("LISTEN a", "only lent"),
            ("DEALLOCATE ALL", "prepared by themselves"),
        ] {
            let error = Sql::read(written).unwrap_err();
            assert!(matches!(error, ResourceError::Unsupported { .. }) && error.to_string().contains(part), "{error}");
        }
        assert!(Sql::read("SELECT $1, ?").is_err());
    }

    #[test]
    fn places_are_those_of_the_text_as_it_was_written() {
        let sql = Sql::read("SELECT ä ?? ?, ?, x").unwrap();
        assert_eq!(sql.text(), "SELECT ä ? $1, $2, x");
        for (sent, written) in [(0, 0), (7, 7), (9, 9), (19, 18), (15, 15)] {
            assert_eq!(sql.place_as_written(sent), Some(written), "{sent}");
        }
        assert_eq!(sql.place_as_written(14), Some(14));
        assert_eq!(sql.place_as_written(99), None);
    }
}
