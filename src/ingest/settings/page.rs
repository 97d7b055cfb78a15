use arrow_schema::SchemaRef;
use regex::Regex;

use super::{Template, TimePattern, TimeZone, ValuePath, WindowEnd};

/// How an answer is read into records.
#[derive(Debug, Clone)]
pub struct PageSettings {
    /// What it is written in.
    pub form: PageForm,
    /// `ms.output.schema`: the columns of the records. Without it they are inferred from the first page.
    pub schema: Option<SchemaRef>,
    /// `ms.enable.schema.based.filtering`: whether members of records that the schema doesn't name are left out; else they are
    /// failures.
    pub leaves_out_unknown: bool,
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
    /// Lines to leave out at the top of every page, that of the names of the columns among them.
    pub skip_lines: u64,
    /// Which of them, from 0, names the columns.
    pub header_line: Option<u64>,
    /// The columns that are taken, by their places from 0, in this order; none: all.
    pub columns: Vec<usize>,
    /// Whether every column is a text: `defaultFieldType` with `string`.
    pub is_text: bool,
}

/// Commas, double quotes, no line left out and none with names.
impl Default for CsvPage {
    fn default() -> Self {
        Self {
            separator: b',',
            quote: b'"',
            escape: None,
            skip_lines: 0,
            header_line: None,
            columns: Vec::new(),
            is_text: false,
        }
    }
}

/// `ms.derived.fields`: a column that is made of another, of a variable or of the time.
#[derive(Debug, Clone)]
pub struct DerivedField {
    /// The name of the column.
    pub name: Box<str>,
    /// What it is made of.
    pub source: DerivedSource,
    /// What becomes of it.
    pub form: DerivedForm,
}

/// What a derived column is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DerivedSource {
    /// A value of the record.
    Field(ValuePath),
    /// A text with variables, `ms.source.uri` among them: the address of the request.
    Variables(Template),
    /// `CURRENTDATE`, `P1D`: the time at which the ingestion began, or so many days before.
    Time(WindowEnd),
}

/// What becomes of the source of a derived column.
#[derive(Debug, Clone)]
pub enum DerivedForm {
    /// `string`, `int`, `number`, `boolean`: the value as one of a type.
    Value(ColumnType),
    /// `regexp`: the first group of the expression, or all that it matches.
    Matches(Regex),
    /// `epoc`: milliseconds since 1970.
    Epoch {
        /// How the source is written; none: it is milliseconds already, or of the ISO form.
        pattern: Option<TimePattern>,
        /// Whose clocks it shows, unless it says so.
        zone: TimeZone,
    },
}

/// The type of a derived column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ColumnType {
    /// Text.
    Text,
    /// Whole numbers of 64 bits.
    Integer,
    /// Numbers.
    Number,
    /// True or false.
    Boolean,
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
