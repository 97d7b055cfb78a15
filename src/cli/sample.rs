//! The sample database: customers and their orders, generated, the same every time.

use anyhow::Context;
use rusqlite::{Connection, params};
use std::path::Path;

/// How many customers the sample has.
pub(crate) const CUSTOMERS: u32 = 10_000;

/// How many orders the sample has.
pub(crate) const ORDERS: u32 = 25_000;

const FIRST_NAMES: [&str; 24] = [
    "Ada",
    "Alan",
    "Barbara",
    "Carl",
    "Donald",
    "Edsger",
    "Frances",
    "Grace",
    "Hedy",
    "Ivan",
    "Jean",
    "Katherine",
    "Leslie",
    "Margaret",
    "Niklaus",
    "Ole",
    "Peter",
    "Radia",
    "Sophie",
    "Tony",
    "Ursula",
    "Vera",
    "Whitfield",
    "Zoe",
];

const LAST_NAMES: [&str; 24] = [
    "Adams", "Baker", "Campbell", "Douglas", "Evans", "Fraser", "Gordon", "Hughes", "Irvine", "Jones", "Kerr",
    "Lindsay", "MacLeod", "Napier", "O'Brien", "Paterson", "Quinn", "Ross", "Stewart", "Thomson", "Urquhart", "Vance",
    "Wallace", "Young",
];

const TOWNS: [&str; 12] = [
    "Aberdeen",
    "Ayr",
    "Dundee",
    "Edinburgh",
    "Elgin",
    "Falkirk",
    "Glasgow",
    "Inverness",
    "Oban",
    "Perth",
    "Stirling",
    "Wick",
];

const ITEMS: [&str; 10] = [
    "Kettle",
    "Lamp & shade",
    "Notebook <A5>",
    "Oatcakes",
    "Raincoat",
    "Shortbread",
    "Stamps \"1st\"",
    "Teapot",
    "Umbrella",
    "Walking boots",
];

const SCHEMA: &str = "
    CREATE TABLE customer (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL,
        town TEXT NOT NULL,
        phone TEXT,
        credit REAL NOT NULL,
        since TIMESTAMP NOT NULL
    );
    CREATE TABLE orders (
        id INTEGER PRIMARY KEY,
        customer INTEGER NOT NULL REFERENCES customer (id),
        item TEXT NOT NULL,
        quantity INTEGER NOT NULL,
        price REAL NOT NULL,
        placed TIMESTAMP NOT NULL
    );
";

const INDEXES: &str = "
    CREATE INDEX customer_town ON customer (town);
    CREATE INDEX orders_customer ON orders (customer);
";

/// Makes the sample database in a file that does not exist yet.
pub(crate) fn create(path: &Path) -> anyhow::Result<()> {
    let mut connection = Connection::open(path).with_context(|| format!("{} can't be made", path.display()))?;
    connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;")?;
    connection.execute_batch(SCHEMA)?;
    let mut dice = Dice(2005);
    let transaction = connection.transaction()?;
    {
        let mut insert = transaction.prepare("INSERT INTO customer VALUES (?, ?, ?, ?, ?, ?)")?;
        for id in 1..=CUSTOMERS {
            let name = format!("{} {}", dice.pick(&FIRST_NAMES), dice.pick(&LAST_NAMES));
            let phone =
                (dice.below(10) > 0).then(|| format!("01{:02} {:06}", dice.below(90) + 10, dice.below(1_000_000)));
            insert.execute(params![id, name, dice.pick(&TOWNS), phone, dice.money(5_000), dice.timestamp()])?;
        }
        let mut insert = transaction.prepare("INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?)")?;
        for id in 1..=ORDERS {
            let customer = dice.below(CUSTOMERS) + 1;
            let quantity = dice.below(9) + 1;
            insert.execute(params![id, customer, dice.pick(&ITEMS), quantity, dice.money(200), dice.timestamp()])?;
        }
    }
    transaction.commit()?;
    connection.execute_batch(INDEXES)?;
    Ok(())
}

/// A small generator of numbers that are the same on every machine (SplitMix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u32) -> u32 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        u32::try_from((mixed ^ (mixed >> 31)) % u64::from(bound)).unwrap_or(0)
    }

    fn pick<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[self.below(u32::try_from(words.len()).unwrap_or(1)) as usize]
    }

    fn money(&mut self, bound: u32) -> f64 {
        f64::from(self.below(bound * 100)) / 100.0
    }

    fn timestamp(&mut self) -> String {
        let (year, month, day) = (2018 + self.below(8), 1 + self.below(12), 1 + self.below(28));
        let (hour, minute, second) = (self.below(24), self.below(60), self.below(60));
        format!("{year}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
    }
}
