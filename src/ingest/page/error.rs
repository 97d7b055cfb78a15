/// Why an answer can't be read into records. Where texts of the answer are quoted, they are cut short.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PageError {
    /// The body is longer than may be.
    #[error("page {page} is longer than {limit} bytes (`rejoin.page.bytes`); ask for smaller pages")]
    TooLong {
        /// Which page, from 1.
        page: u64,
        /// How long it may be, unpacked.
        limit: u64,
    },
    /// The body is not gzip, or it is damaged.
    #[error("page {page} can't be unpacked: {problem}")]
    Packed {
        /// Which page, from 1.
        page: u64,
        /// What is wrong.
        problem: String,
    },
    /// The body is not written as it should be.
    #[error("page {page} can't be read: {problem}")]
    Malformed {
        /// Which page, from 1.
        page: u64,
        /// What is wrong, and where.
        problem: String,
    },
    /// A record does not fit the columns.
    #[error("page {page}, record {record}, field `{field}`: {problem}")]
    Misfit {
        /// Which page, from 1.
        page: u64,
        /// Which of its records, from 1.
        record: u64,
        /// The name of the member of the record.
        field: String,
        /// What does not fit, and what to do.
        problem: String,
    },
    /// A value beside the records is not what it should be.
    #[error("page {page}: `{path}` is {found}; {expected} expected")]
    Value {
        /// Which page, from 1.
        page: u64,
        /// Where it is.
        path: String,
        /// What it is.
        found: String,
        /// What it should be.
        expected: &'static str,
    },
}

/// A text, or as much of its beginning as an error needs.
pub(super) fn shortened(text: &str) -> String {
    const MOST: usize = 60;
    if text.len() <= MOST {
        return text.to_owned();
    }
    format!("{}…", &text[..text.floor_char_boundary(MOST)])
}
