//! A table of made-up people: what every comparison of rows reads.

use std::path::Path;

use rusqlite::{Connection, params};

/// The query that reads the table whole.
pub(crate) const SELECT_ALL: &str = "SELECT * FROM people";

/// The query that reads one row.
pub(crate) const SELECT_ONE: &str = "SELECT * FROM people WHERE id = ?";

const GIVEN: [&str; 16] = [
    "Ada", "Björn", "Chloe", "Dmitri", "Eilidh", "Farid", "Grace", "Hamish", "Ines", "Jun", "Kirsty", "Lars", "Morag",
    "Nadia", "Olu", "Priya",
];
const FAMILY: [&str; 16] = [
    "Anderson",
    "Boyd",
    "Campbell",
    "Drummond",
    "Erskine",
    "Fraser",
    "Gordon",
    "Hay",
    "Innes",
    "Johnstone",
    "Kerr",
    "Lindsay",
    "MacKay",
    "Napier",
    "Ogilvie",
    "Ross",
];
const REMARKS: [&str; 8] = [
    "pays on the first of each month",
    "prefers <b>post</b> to mail",
    "brother & sister share an account",
    "no remarks",
    "balance > 100 since spring",
    "asks for \"large print\"",
    "moved; the old address is void",
    "bought tea, salt & two lamps",
];

/// Makes a database at `path` with a table `people` of that many rows, some 92 bytes each as CSV. The same number gives
/// the same rows.
///
/// # Errors
///
/// What the database says.
pub(crate) fn make(path: &Path, rows: u32) -> rusqlite::Result<()> {
    let mut connection = Connection::open(path)?;
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    connection.execute_batch(
        "PRAGMA synchronous = OFF;
         CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT, comment TEXT, phone TEXT, balance REAL, created TIMESTAMP)",
    )?;
    let transaction = connection.transaction()?;
    {
        let mut insert = transaction.prepare("INSERT INTO people VALUES (?, ?, ?, ?, ?, ?)")?;
        let mut random = Random(0x2026_1121);
        for id in 1..=rows {
            let name = random.name();
            let phone = format!("0{:010}", random.below(10_000_000_000));
            let balance = f64::from(u32::try_from(random.below(2_000_000)).unwrap_or(0)) / 100.0 - 5000.0;
            let comment = random.pick(&REMARKS);
            insert.execute(params![id, name, comment, phone, balance, random.moment()])?;
        }
    }
    transaction.commit()?;
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
}

/// A small generator of numbers that repeat from run to run (`SplitMix64`).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % bound
    }

    fn pick<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[usize::try_from(self.below(words.len() as u64)).unwrap_or(0)]
    }

    fn name(&mut self) -> String {
        let (given, family) = (self.pick(&GIVEN), self.pick(&FAMILY));
        match self.below(16) {
            0 => format!("{given} {family} & Sons"),
            1 => format!("{given} <{family}>"),
            _ => format!("{given} {family}"),
        }
    }

    fn moment(&mut self) -> String {
        let (year, month, day) = (2010 + self.below(16), 1 + self.below(12), 1 + self.below(28));
        let (hour, minute, second) = (self.below(24), self.below(60), self.below(60));
        format!("{year}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
    }
}
