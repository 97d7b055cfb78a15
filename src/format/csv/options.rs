use crate::document::activities::LineBreak;

/// How [`CsvWriter`](super::CsvWriter) writes: the settings of the activity `sqlResultsToCSV`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CsvOptions {
    /// What stands between two fields: any character but the quote and those that break a line. A comma by default.
    pub delimiter: char,
    /// What ends a line. A line feed by default, because an XML reader makes a line feed of the other two, and the text
    /// should be the same whether it comes in a response document or not.
    pub line_break: LineBreak,
    /// What stands for NULL. Nothing by default.
    pub null: String,
    /// Whether the names of the columns come first.
    pub header: bool,
    /// Whether a field that holds the delimiter, a quote or a line break is put in quotes, with its quotes doubled.
    ///
    /// So is a text that looks like NULL does, so that a reader can tell: by default an empty text is `""` and NULL is
    /// nothing at all. Without escaping, fields are written as they are, and a reader can't tell.
    pub escape: bool,
}

impl Default for CsvOptions {
    fn default() -> Self {
        Self { delimiter: ',', line_break: LineBreak::Lf, null: String::new(), header: false, escape: true }
    }
}
