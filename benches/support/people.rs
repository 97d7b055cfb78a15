//! Made-up people: the rows that every comparison of rows reads, some 92 bytes each as CSV.

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

/// What the generator begins with, so that the same number of rows is the same rows.
pub(crate) const SEED: u64 = 0x2026_1121;

/// One of them, but for his number.
pub(crate) struct Person {
    pub(crate) name: String,
    pub(crate) comment: &'static str,
    pub(crate) phone: String,
    pub(crate) balance: f64,
    pub(crate) created: String,
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

    /// The next person.
    pub(crate) fn person(&mut self) -> Person {
        let name = self.name();
        let phone = format!("0{:010}", self.below(10_000_000_000));
        let balance = f64::from(u32::try_from(self.below(2_000_000)).unwrap_or(0)) / 100.0 - 5000.0;
        let comment = self.pick(&REMARKS);
        Person { name, comment, phone, balance, created: self.moment() }
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
