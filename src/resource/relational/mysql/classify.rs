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
    /// There is none.
    Nothing,
}

const NAMED: &str = "parameters with names (`:name`) are not known; write `?` for each";
const NOTHING: &str = "the text holds no statement";

/// What the words of a statement tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Classified {
    pub(super) kind: Kind,
    /// Whether it may leave something behind in its session: a variable, a lock, a temporary table. Only what surely does not
    /// counts as harmless.
    pub(super) leaves_traces: bool,
    /// Whether it would put its rows into a file or a variable.
    has_into: bool,
    /// Whether it has to do with a temporary table, which does not commit.
    is_temporary: bool,
}

impl Classified {
    /// Looks at the words of a statement.
    pub(super) fn of(sql: &str) -> Self {
        let mut words = Words::of(sql);
        let mut found = Self { kind: Kind::Nothing, leaves_traces: false, has_into: false, is_temporary: false };
        let mut first = words.next();
        while first == Some(Word::Open) {
            first = words.next();
        }
        let Some(first) = first else { return found };
        let keyword = if let Word::Name(name) = first { name } else { "" };
        found.kind = kind_of(keyword);
        // `WITH` stands before a query or before a statement that writes.
        let mut is_with = keyword.eq_ignore_ascii_case("WITH");
        let is_load = keyword.eq_ignore_ascii_case("LOAD");
        let mut has_names = false;
        let mut depth = 0_usize;
        let mut before = Before::Word;
        for (position, word) in (1..).zip(words) {
            match word {
                Word::Open => {
                    depth += 1;
                    found.leaves_traces |= before == Before::Callable;
                }
                Word::Close => depth = depth.saturating_sub(1),
                Word::Variable => found.leaves_traces = true,
                Word::NamedParameter => has_names = true,
                Word::Name(name) => {
                    if is_with && depth == 0 && matches!(kind_of(name), Kind::Query | Kind::Write) {
                        found.kind = kind_of(name);
                        is_with = false;
                    }
                    found.has_into |= name.eq_ignore_ascii_case("INTO");
                    found.is_temporary |= position <= 3 && name.eq_ignore_ascii_case("TEMPORARY");
                    if is_load && position <= 4 && name.eq_ignore_ascii_case("LOCAL") {
                        found.kind = Kind::LocalFile;
                    }
                }
                Word::Quoted | Word::Dot | Word::End | Word::Other => {}
            }
            before = before.then(word);
        }
        if has_names {
            found.kind = Kind::NamedParameters;
        }
        found.leaves_traces |= !matches!(found.kind, Kind::Query | Kind::Write);
        found
    }

    /// Whether it may run as a query.
    pub(super) fn check_query(self) -> Result<(), ResourceError> {
        match self.kind {
            Kind::Query if self.has_into => {
                Err(read_only("a query gives its rows to who asked: leave `INTO` out of it"))
            }
            Kind::Query => Ok(()),
            Kind::Write | Kind::Definition => {
                Err(read_only("a query may not change the database; use an update statement"))
            }
            Kind::Control => Err(read_only("a query may not change the transaction or the session that it runs in")),
            Kind::Call => Err(read_only("a query may not call a procedure; use `sqlStoredProcedure`")),
            Kind::LocalFile => Err(read_only("a query may not load a file")),
            Kind::NamedParameters => Err(super::error::sql(NAMED)),
            Kind::Nothing => Err(super::error::sql(NOTHING)),
        }
    }

    /// Whether it may run as an update.
    pub(super) fn check_update(self, is_in_transaction: bool) -> Result<(), ResourceError> {
        let refused = |message: &str| Err(super::error::sql(message));
        match self.kind {
            Kind::Definition if is_in_transaction && !self.is_temporary => refused(
                "in MariaDB a statement that changes the schema or rights commits the transaction that it runs in: \
                 commit or roll back first, or run it outside of the transaction",
            ),
            Kind::Write | Kind::Definition => Ok(()),
            Kind::Query => refused("the statement only reads; use a query statement"),
            Kind::Control => refused(
                "a statement may not change the transaction or the session that it runs in; use \
                 `transactionManagement` for transactions",
            ),
            Kind::Call => refused("a procedure is called by `sqlStoredProcedure`"),
            Kind::LocalFile => refused("the service reads no files for the database: leave `LOCAL` out of it"),
            Kind::NamedParameters => refused(NAMED),
            Kind::Nothing => refused(NOTHING),
        }
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
    /// `INTO`.
    Into,
    /// The table behind it, of which columns may follow: `INTO t (a)` calls nothing.
    Table,
    /// A dot behind its first part.
    TableDot,
}

impl Before {
    fn then(self, word: Word<'_>) -> Self {
        match (self, word) {
            (Self::Into | Self::TableDot, Word::Name(_) | Word::Quoted) => Self::Table,
            (Self::Table, Word::Dot) => Self::TableDot,
            (_, Word::Name(name)) if name.eq_ignore_ascii_case("INTO") => Self::Into,
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
            ("/*!40000 SELECT */ 1", Kind::Query),
            ("WITH a AS (SELECT 1) SELECT * FROM a", Kind::Query),
            ("WITH a AS (SELECT 1) DELETE FROM b", Kind::Write),
            ("SHOW TABLES", Kind::Query),
            ("INSERT INTO a VALUES (1)", Kind::Write),
            ("/*M!100100 DELETE */ FROM a", Kind::Write),
            ("CREATE TABLE a (b INT)", Kind::Definition),
            ("ANALYZE TABLE a", Kind::Definition),
            ("COMMIT", Kind::Control),
            ("SET @a = 1", Kind::Control),
            ("CALL p()", Kind::Call),
            ("", Kind::Nothing),
            ("-- nothing", Kind::Nothing),
        ] {
            assert_eq!(kind(sql), expected, "{sql}");
        }
    }

    #[test]
    fn a_query_puts_its_rows_nowhere_else() {
        for sql in ["SELECT 1 INTO OUTFILE '/x'", "SELECT 1 /*! INTO DUMPFILE '/x' */", "SELECT a INTO @a FROM b"] {
            assert!(matches!(Classified::of(sql).check_query(), Err(ResourceError::ReadOnly { .. })), "{sql}");
        }
        for sql in ["SELECT 'a INTO b'", "SELECT `INTO` FROM a", "SELECT 1 -- INTO", "SELECT a FROM b FOR UPDATE"] {
            assert_eq!(Classified::of(sql).check_query(), Ok(()), "{sql}");
        }
    }

    #[test]
    fn only_what_surely_leaves_nothing_behind_counts_as_harmless() {
        for sql in [
            "SELECT a, COUNT(*) FROM b WHERE c IN (1, 2) AND d = ?",
            "INSERT INTO a (b, c) VALUES (?, ?)",
            "INSERT INTO `d`.`a` (b, c) VALUES (?, ?)",
            "UPDATE a SET b = UPPER(c) WHERE d = ?",
            "SELECT '@a', `f(`, \"get_lock('x', 1)\" FROM b",
        ] {
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
            "SELECT /*! GET_LOCK */ ('x', 1)",
        ] {
            assert!(Classified::of(sql).leaves_traces, "{sql}");
        }
    }

    #[test]
    fn what_commits_by_itself_is_refused_in_a_transaction() {
        let check = |sql| Classified::of(sql).check_update(true).is_ok();
        assert!(!check("DROP TABLE a"));
        assert!(!check("TRUNCATE a"));
        assert!(!check("COMMIT"));
        assert!(check("CREATE TEMPORARY TABLE a (b INT)"));
        assert!(check("DELETE FROM a"));
        assert!(Classified::of("DROP TABLE a").check_update(false).is_ok());
        assert!(Classified::of("LOAD DATA LOCAL INFILE '/etc/passwd' INTO TABLE a").check_update(false).is_err());
        assert!(Classified::of("SELECT * FROM a WHERE b = :name").check_query().is_err());
    }
}
