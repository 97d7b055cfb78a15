use crate::format::RowType;

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

/// What types the columns of CSV have, which does not say so itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum CsvColumns {
    /// All of them are text.
    #[default]
    Text,
    /// Names and types. With a header, a column is found by its name there, in any order, and those that are not named are
    /// text; without one, all columns are named in their order.
    Declared(Vec<(String, RowType)>),
    /// Guessed from the first rows, [`BLOCK_ROWS`](crate::block::BLOCK_ROWS) of them at the most: `int64`, `float64`,
    /// `boolean`, `date`, `timestamp`, or else text. What would not be written again as it was is text, such as `007` or
    /// `1.10`.
    Inferred,
}
