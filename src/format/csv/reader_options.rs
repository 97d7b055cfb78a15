use crate::document::activities::CsvColumns;

/// How [`CsvReader`](super::CsvReader) reads: what [`CsvOptions`](super::CsvOptions) say of writing, and what types the
/// columns have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CsvReaderOptions {
    /// What stands between two fields: any character but the quote and those that break a line. A comma by default.
    pub delimiter: char,
    /// What stands for NULL. Nothing by default; a field in quotes never does.
    pub null: String,
    /// Whether the first record has the names of the columns. Otherwise they are `column1`, `column2` …, if nothing else
    /// names them.
    pub header: bool,
    /// Whether fields may be in quotes, with quotes doubled. Otherwise a quote is a character like any other.
    pub escape: bool,
    /// The types of the columns.
    pub columns: CsvColumns,
}

impl Default for CsvReaderOptions {
    fn default() -> Self {
        Self { delimiter: ',', null: String::new(), header: false, escape: true, columns: CsvColumns::Text }
    }
}
