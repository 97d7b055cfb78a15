//! What kind of statement a text is, as far as its words tell.
//!
//! The server itself keeps a query from writing, by a read-only transaction. This here is for what the server does not refuse
//! or can't in time: statements that would end or change the transaction or the session they run in, files on the server's disk,
//! and writing within the open transaction of a session, which may write.

use super::harmless::is_harmless;
use super::words::{Word, Words};
use crate::resource::ResourceError;

/// What kind of statement it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// It gives rows and writes nothing.
    Query,
    /// It writes rows.
    Write,
    /// It changes the schema or the rights, which commits what was done before.
    Definition,
    /// It changes the transaction or the session that it runs in.
    Control,
    /// It calls a procedure.
    Call,
    /// It writes rows from a file of the client, which would be this service.
    LocalFile,
    /// It has parameters with names, which the driver would take for something of its own.
    NamedParameters,
    /// What it is depends on the version of the server.
    Executable,
    /// It begins with something else than a word.
    Unknown,
    /// There is none.
    Nothing,
}

const NAMED: &str = "parameters with names (`:name`) are not known; write `?` for each";
const EXECUTABLE: &str = "comments that some servers run (`/*! … */`, `/*M! … */`) are not taken, because what the statement does \
    would depend on the version of the server: leave the comment out, or write what is in it as part of the statement";
const UNKNOWN: &str = "a statement begins with a word, such as SELECT or INSERT";
const NOTHING: &str = "the text holds no statement";
const INTO: &str = "a query gives its rows to who asked: leave `INTO` out of it";
const SEQUENCE: &str = "a query may not advance a sequence, which changes the database; use an update statement";

/// What the words of a statement tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Classified {
    pub(super) kind: Kind,
    /// Whether it may leave something behind in its session, or show what is left there: a variable, a lock, a temporary
    /// table, warnings. Only what surely does not counts as harmless.
    pub(super) leaves_traces: bool,
    /// Whether it may call a function of a user, which may write.
    pub(super) calls_functions: bool,
    /// Whether it makes or drops something temporary, which does not commit.
    is_temporary: bool,
    /// Why it is no query though it gives rows, if so.
    no_query: Option<&'static str>,
}

impl Classified {
    /// Looks at the words of a statement.
    pub(super) fn of(sql: &str) -> Self {
        let mut words = Words::of(sql);
        let mut found = Self::nothing();
        let mut first = words.next();
        while first == Some(Word::Open) {
            first = words.next();
        }
        let keyword = match first {
            None => return found,
            Some(Word::Name(name)) => name,
            Some(_) => "",
        };
        found.kind = if keyword.is_empty() { Kind::Unknown } else { kind_of(keyword) };
        let mut has_names = false;
        let mut has_executable = first == Some(Word::ExecutableComment);
        let mut with = With::of(keyword);
        let mut before = Before::Word;
        let mut names = Names::new(keyword);
        for word in words {
            match word {
                Word::Open => found.calls_functions |= before == Before::Callable,
                Word::Variable => found.leaves_traces = true,
                Word::NamedParameter => has_names = true,
                Word::ExecutableComment => has_executable = true,
                _ => {}
            }
            found.kind = with.main(word).unwrap_or(found.kind);
            names.next(word, &mut found);
            before = before.then(word);
        }
        if has_names {
            found.kind = Kind::NamedParameters;
        }
        if has_executable {
            found.kind = Kind::Executable;
        }
        // What writes may set off triggers, and `SHOW WARNINGS` tells of the statement before.
        found.leaves_traces |=
            found.calls_functions || found.kind != Kind::Query || keyword.eq_ignore_ascii_case("SHOW");
        found
    }

    fn nothing() -> Self {
        Self { kind: Kind::Nothing, leaves_traces: false, calls_functions: false, is_temporary: false, no_query: None }
    }

    /// Whether it may run as a query.
    pub(super) fn check_query(self) -> Result<(), ResourceError> {
        match self.kind {
            Kind::Query => self.no_query.map_or(Ok(()), |why| Err(read_only(why))),
            Kind::Write | Kind::Definition => {
                Err(read_only("a query may not change the database; use an update statement"))
            }
            Kind::Control => Err(read_only("a query may not change the transaction or the session that it runs in")),
            Kind::Call => Err(read_only("a query may not call a procedure; use `sqlStoredProcedure`")),
            Kind::LocalFile => Err(read_only("a query may not load a file")),
            Kind::NamedParameters => Err(super::error::sql(NAMED)),
            Kind::Executable => Err(super::error::sql(EXECUTABLE)),
            Kind::Unknown => Err(super::error::sql(UNKNOWN)),
            Kind::Nothing => Err(super::error::sql(NOTHING)),
        }
    }

    /// Whether it may run as an update; `sql` is the statement.
    pub(super) fn check_update(self, sql: &str, is_in_transaction: bool) -> Result<(), ResourceError> {
        let refused = |message: &str| Err(super::error::sql(message));
        match self.kind {
            Kind::Definition if is_in_transaction && !self.is_temporary => refused(
                "in MariaDB a statement that changes the schema or rights commits the transaction that it runs in: \
                 commit or roll back first, or run it outside of the transaction",
            ),
            Kind::Write | Kind::Definition => Ok(()),
            Kind::Query if Words::of(sql).lock_rows() => Ok(()),
            Kind::Query => refused("the statement only reads; use a query statement"),
            Kind::Control => refused(
                "a statement may not change the transaction or the session that it runs in; use \
                 `transactionManagement` for transactions",
            ),
            Kind::Call => refused("a procedure is called by `sqlStoredProcedure`"),
            Kind::LocalFile => refused("the service reads no files for the database: leave `LOCAL` out of it"),
            Kind::NamedParameters => refused(NAMED),
            Kind::Executable => refused(EXECUTABLE),
            Kind::Unknown => refused(UNKNOWN),
            Kind::Nothing => refused(NOTHING),
        }
    }
}

/// Finds the kind of a statement that begins with `WITH`, which may stand before a query or before one that writes: its
/// word is the first such one outside of all parentheses.
#[derive(Debug)]
struct With {
    is_open: bool,
    depth: usize,
}

impl With {
    fn of(keyword: &str) -> Self {
        Self { is_open: keyword.eq_ignore_ascii_case("WITH"), depth: 0 }
    }

    /// The kind, if this word tells it.
    fn main(&mut self, word: Word<'_>) -> Option<Kind> {
        match word {
            Word::Open => self.depth += 1,
            Word::Close => self.depth = self.depth.saturating_sub(1),
            Word::Name(name) if self.is_open && self.depth == 0 => {
                let kind = Some(kind_of(name)).filter(|kind| matches!(kind, Kind::Query | Kind::Write));
                self.is_open = kind.is_none();
                return kind;
            }
            _ => {}
        }
        None
    }
}

/// Looks for names that stand in an order of their own.
#[derive(Debug)]
struct Names<'a> {
    keyword: &'a str,
    /// How many words there were before, the first one included.
    position: usize,
    /// The two words before, if they are names.
    before: [&'a str; 2],
}

impl<'a> Names<'a> {
    fn new(keyword: &'a str) -> Self {
        Self { keyword, position: 1, before: ["", keyword] }
    }

    fn next(&mut self, word: Word<'a>, found: &mut Classified) {
        let name = if let Word::Name(name) = word { name } else { "" };
        let [older, last] = self.before;
        let is = |name: &str, keyword: &str| name.eq_ignore_ascii_case(keyword);
        if is(name, "INTO") {
            found.no_query = Some(INTO);
        } else if is(last, "VALUE") && is(name, "FOR") {
            // Both tell of the session, too, and `PREVIOUS` of nothing else.
            found.leaves_traces = true;
            found.no_query = if is(older, "NEXT") { Some(SEQUENCE) } else { found.no_query };
        } else if word == Word::Open && (is(last, "NEXTVAL") || is(last, "SETVAL")) {
            found.no_query = Some(SEQUENCE);
        } else if is(name, "TEMPORARY") {
            let is_first = self.position == 1 || (self.position == 3 && is(older, "OR") && is(last, "REPLACE"));
            found.is_temporary |= is_first && (is(self.keyword, "CREATE") || is(self.keyword, "DROP"));
        } else if is(name, "LOCAL") && is(self.keyword, "LOAD") && self.position <= 4 {
            found.kind = Kind::LocalFile;
        }
        self.before = [last, name];
        self.position += 1;
    }
}

/// What stands before a parenthesis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Before {
    /// A word of SQL, a harmless function, or no name.
    Word,
    /// A name that may be that of a function.
    Callable,
    /// A dot, behind the name of a database.
    Dot,
}

impl Before {
    fn then(self, word: Word<'_>) -> Self {
        match (self, word) {
            // A function of a user may have any name where that of its database stands before it.
            (Self::Dot, Word::Name(_)) | (_, Word::Quoted) => Self::Callable,
            (_, Word::Name(name)) if is_harmless(name) => Self::Word,
            (_, Word::Name(_)) => Self::Callable,
            (_, Word::Dot) => Self::Dot,
            _ => Self::Word,
        }
    }
}

fn read_only(message: &str) -> ResourceError {
    ResourceError::ReadOnly { message: message.into() }
}

/// The kind of statement that begins with a keyword. What nobody knows is taken for one that changes the schema: it runs
/// alone, and its connection is renewed.
fn kind_of(keyword: &str) -> Kind {
    const QUERIES: [&str; 8] = ["SELECT", "VALUES", "TABLE", "SHOW", "DESCRIBE", "DESC", "EXPLAIN", "WITH"];
    const WRITES: [&str; 5] = ["INSERT", "UPDATE", "DELETE", "REPLACE", "LOAD"];
    const CONTROLS: [&str; 18] = [
        "BEGIN",
        "START",
        "COMMIT",
        "ROLLBACK",
        "SAVEPOINT",
        "RELEASE",
        "XA",
        "LOCK",
        "UNLOCK",
        "USE",
        "PREPARE",
        "EXECUTE",
        "DEALLOCATE",
        "HANDLER",
        "BACKUP",
        "DECLARE",
        "SET",
        "DO",
    ];
    let is_one_of = |words: &[&str]| words.iter().any(|word| word.eq_ignore_ascii_case(keyword));
    if is_one_of(&QUERIES) {
        Kind::Query
    } else if is_one_of(&WRITES) {
        Kind::Write
    } else if is_one_of(&CONTROLS) {
        Kind::Control
    } else if keyword.eq_ignore_ascii_case("CALL") {
        Kind::Call
    } else {
        Kind::Definition
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(sql: &str) -> Kind {
        Classified::of(sql).kind
    }

    #[test]
    fn the_first_word_tells_the_kind() {
        for (sql, expected) in [
            ("select 1", Kind::Query),
            ("  ((SELECT 1) UNION SELECT 2)", Kind::Query),
            ("-- a note\n# another\n/* and one */ SELECT 1", Kind::Query),
            ("\u{b}SELECT 1", Kind::Query),
            ("WITH a AS (SELECT 1) SELECT * FROM a", Kind::Query),
            ("WITH a AS (SELECT 1) DELETE FROM b", Kind::Write),
            ("SHOW TABLES", Kind::Query),
            ("INSERT INTO a VALUES (1)", Kind::Write),
            ("CREATE TABLE a (b INT)", Kind::Definition),
            ("ANALYZE TABLE a", Kind::Definition),
            ("COMMIT", Kind::Control),
            ("SET @a = 1", Kind::Control),
            ("CALL p()", Kind::Call),
            ("", Kind::Nothing),
            ("-- nothing", Kind::Nothing),
            ("'a'", Kind::Unknown),
            ("\u{1}USE a", Kind::Unknown),
            ("\u{b}USE a", Kind::Control),
        ] {
            assert_eq!(kind(sql), expected, "{sql}");
        }
    }

    #[test]
    fn what_the_version_of_the_server_decides_is_refused() {
        for sql in [
            "/*!999999 SELECT */ COMMIT",
            "/*!999999 INSERT */ SET SESSION sql_mode = ''",
            "WITH a AS (SELECT 1 /*!999999 ( */) DELETE FROM b",
            "SELECT 1 /*M!100100 INTO DUMPFILE '/x' */",
        ] {
            assert_eq!(kind(sql), Kind::Executable, "{sql}");
            assert!(Classified::of(sql).check_query().is_err());
            assert!(Classified::of(sql).check_update(sql, false).is_err());
        }
        assert_eq!(kind("SELECT '/*! a */' /*+ a hint */ -- /*! b */"), Kind::Query);
    }

    #[test]
    fn a_query_puts_its_rows_nowhere_else_and_advances_no_sequence() {
        for sql in [
            "SELECT 1 INTO OUTFILE '/x'",
            "SELECT a INTO @a FROM b",
            "SELECT NEXT VALUE FOR s",
            "SELECT nextval (s)",
            "SELECT d.SETVAL(s, 4)",
        ] {
            assert!(matches!(Classified::of(sql).check_query(), Err(ResourceError::ReadOnly { .. })), "{sql}");
        }
        for sql in
            ["SELECT 'a INTO b'", "SELECT `INTO` FROM a", "SELECT 1 -- INTO", "SELECT nextval, value FROM b FOR UPDATE"]
        {
            assert_eq!(Classified::of(sql).check_query(), Ok(()), "{sql}");
        }
    }

    #[test]
    fn only_what_surely_leaves_nothing_behind_counts_as_harmless() {
        for sql in
            ["SELECT a, COUNT(*) FROM b WHERE c IN (1, 2) AND d = ?", "SELECT '@a', `f(`, \"get_lock('x', 1)\" FROM b"]
        {
            assert!(!Classified::of(sql).leaves_traces, "{sql}");
        }
        for sql in [
            "SELECT @a := 1",
            "SELECT GET_LOCK('x', 1)",
            "SELECT `GET_LOCK` ('x', 1)",
            "SELECT my_function(1)",
            "SELECT db.my_function(1)",
            "SELECT db.upper(1)",
            "CREATE TEMPORARY TABLE a (b INT)",
            "INSERT INTO a VALUES (1)",
            "SHOW WARNINGS",
            "SELECT PREVIOUS VALUE FOR s",
        ] {
            assert!(Classified::of(sql).leaves_traces, "{sql}");
        }
    }

    #[test]
    fn what_commits_by_itself_is_refused_in_a_transaction() {
        let check = |sql| Classified::of(sql).check_update(sql, true).is_ok();
        assert!(!check("DROP TABLE a"));
        assert!(!check("TRUNCATE a"));
        assert!(!check("COMMIT"));
        assert!(check("CREATE TEMPORARY TABLE a (b INT)"));
        assert!(check("CREATE OR REPLACE TEMPORARY TABLE a (b INT)"));
        assert!(check("DROP TEMPORARY TABLE a"));
        for sql in [
            "DROP TABLE temporary",
            "TRUNCATE temporary",
            "ALTER TABLE temporary ADD b INT",
            "RENAME TABLE temporary TO a",
        ] {
            assert!(!check(sql), "{sql}");
        }
        assert!(check("DELETE FROM a"));
        let check = |sql| Classified::of(sql).check_update(sql, false).is_ok();
        assert!(check("DROP TABLE a") && check("SELECT a FROM b FOR UPDATE"));
        assert!(
            !check("LOAD DATA LOCAL INFILE '/etc/passwd' INTO TABLE a") && !check("SELECT a, 'FOR', `update` FROM b")
        );
        assert!(Classified::of("SELECT * FROM a WHERE b = :name").check_query().is_err());
    }
}
