use arrow_schema::SchemaRef;
use regex::Regex;

use super::ValuePath;

/// How an answer is read into records.
#[derive(Debug, Clone)]
pub struct PageSettings {
    /// What it is written in.
    pub form: PageForm,
    /// `ms.output.schema`: the columns of the records. Without it they are inferred from the first page.
    pub schema: Option<SchemaRef>,
    /// `ms.derived.fields`: columns that are made of others.
    pub derived: Vec<DerivedField>,
    /// `ms.extract.preprocessors` with gunzip: answers are unpacked first.
    pub is_gzip: bool,
    /// `ms.data.explicit.eof`: a last record says that it is the last.
    pub has_explicit_eof: bool,
    /// `rejoin.page.bytes`: the most bytes of one page, unpacked, that is read at once.
    pub bytes: u64,
    /// What a page without records means: `rejoin.blank.pages`.
    pub blank: BlankPages,
}

/// What an answer is written in: `ms.extractor.class`, or `rejoin.format`.
#[derive(Debug, Clone)]
pub enum PageForm {
    /// JSON.
    Json {
        /// `ms.data.field`: where the records are.
        data: Option<ValuePath>,
    },
    /// CSV: `ms.csv`.
    Csv(CsvPage),
    /// One record of one text.
    Text,
    /// Bytes that are not read: a file.
    File,
}

/// `ms.csv`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CsvPage {
    /// What stands between fields.
    pub separator: u8,
    /// What stands around fields that hold a separator.
    pub quote: u8,
    /// What stands before a quote inside of a field; without it quotes are doubled.
    pub escape: Option<u8>,
    /// Lines to leave out at the top of every page.
    pub skip_lines: u64,
    /// Whether the first line of every page, after those left out, names the columns.
    pub has_header: bool,
}

/// `ms.derived.fields`: a column that is made of another, of a variable or of the time.
#[derive(Debug, Clone)]
pub struct DerivedField {
    /// The name of the column.
    pub name: Box<str>,
    /// What it is made of: a column, a variable, or the address (`ms.source.uri`).
    pub source: Box<str>,
    /// What part of it: the first group of the expression, or all that it matches. Without it, all.
    pub pattern: Option<Regex>,
}

/// What a page without records means, while pages are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BlankPages {
    /// The end.
    #[default]
    Stop,
    /// Nothing: other signals decide.
    Continue,
    /// The end, when so many of them follow each other.
    StopAfter(u32),
}
