use crate::block::StreamType;
use crate::document::activities::setting::character;
use crate::document::activities::shape::{self, ChildShape, Family, Shape, ValueShape};
use crate::document::activities::stream::{Rows, Text};
use crate::document::activities::words::{self, LineBreak};
use crate::document::activities::{ActivityElement, ElementWriter, FromStream, ToStream};
use crate::document::{DocumentError, Fields, Value};

/// `sqlResultsToCSV`: rows as comma-separated values.
///
/// ```
/// use rejoin::document::activities::{LineBreak, SqlResultsToCsv};
///
/// let csv = SqlResultsToCsv { line_break: LineBreak::CrLf, ..SqlResultsToCsv::of("rows").header(true) };
/// assert_eq!((csv.delimiter, csv.include_header), (',', true));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlResultsToCsv {
    /// The rows.
    pub result_set: FromStream<Rows>,
    /// The CSV.
    pub csv_output: ToStream<Text>,
    /// What stands between two fields; a comma if nothing is said.
    pub delimiter: char,
    /// What ends a line; a line feed if nothing is said.
    pub line_break: LineBreak,
    /// What stands for NULL; nothing if nothing is said.
    pub null_data: String,
    /// Whether the names of the columns come first; not if nothing is said.
    pub include_header: bool,
    /// Whether fields that need it are put in quotes; yes if nothing is said.
    pub escape_fields: bool,
}

impl SqlResultsToCsv {
    /// The CSV of rows.
    #[must_use]
    pub fn of(rows: impl Into<FromStream<Rows>>) -> Self {
        Self {
            result_set: rows.into(),
            csv_output: ToStream::default(),
            delimiter: ',',
            line_break: LineBreak::Lf,
            null_data: String::new(),
            include_header: false,
            escape_fields: true,
        }
    }

    /// The same with or without the names of the columns before the rows.
    #[must_use]
    pub fn header(mut self, is_there: bool) -> Self {
        self.include_header = is_there;
        self
    }

    /// The same with that character between two fields.
    #[must_use]
    pub fn delimiter(mut self, delimiter: char) -> Self {
        self.delimiter = delimiter;
        self
    }
}

impl ActivityElement for SqlResultsToCsv {
    const SHAPE: Shape =
        Shape::new("sqlResultsToCSV", Family::Relational, "Writes rows as comma-separated values (RFC 4180).")
            .children(&[
                ChildShape::input("resultSet", StreamType::Rows, ""),
                ChildShape::output("csvOutput", StreamType::Text, "`text/csv; charset=utf-8`"),
                ChildShape::setting(
                    "delimiter",
                    &shape::value(ValueShape::Character, ","),
                    "one character between two fields; not a quote or line break",
                ),
                ChildShape::setting(
                    "lineBreak",
                    &shape::value(ValueShape::Choice(&words::words(&LineBreak::NAMES)), "LF"),
                    "what ends a line",
                ),
                ChildShape::setting("nullDataStr", &shape::value(ValueShape::Text, ""), "what stands for NULL"),
                ChildShape::setting(
                    "includeHeader",
                    &shape::value(ValueShape::Boolean, "false"),
                    "whether the names of the columns come first",
                ),
                ChildShape::setting(
                    "escapeFields",
                    &shape::value(ValueShape::Boolean, "true"),
                    "whether fields that hold the delimiter, a quote or a line break are quoted, with quotes doubled",
                ),
            ]);

    type Output = ToStream<Text>;

    fn read(fields: &mut Fields<'_>) -> Result<Self, DocumentError> {
        Ok(Self {
            result_set: fields.input("resultSet")?,
            csv_output: fields.output("csvOutput")?,
            delimiter: fields.setting_or("delimiter", ',', character)?,
            line_break: fields.setting_or("lineBreak", LineBreak::Lf, |value| value.choice(&LineBreak::NAMES))?,
            null_data: fields.setting_or("nullDataStr", String::new(), |value| Ok(value.as_str().to_owned()))?,
            include_header: fields.setting_or("includeHeader", false, Value::boolean)?,
            escape_fields: fields.setting_or("escapeFields", true, Value::boolean)?,
        })
    }

    fn write(&self, into: &mut ElementWriter) {
        into.input("resultSet", &self.result_set);
        into.output("csvOutput", &self.csv_output);
        into.setting_unless("delimiter", self.delimiter, ',');
        into.setting_unless("lineBreak", words::word(&LineBreak::NAMES, self.line_break), "LF");
        into.setting_unless("nullDataStr", &*self.null_data, "");
        into.setting_unless("includeHeader", self.include_header, false);
        into.setting_unless("escapeFields", self.escape_fields, true);
    }

    fn name_output(&mut self, step: &str) -> ToStream<Text> {
        self.csv_output.name_after(step, "csvOutput")
    }
}
