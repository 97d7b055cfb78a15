use arrow_array::RecordBatch;
use arrow_schema::Schema;

use super::FormatError;
use super::cells::{Cells, NOT_TEXT, Stream, push_base64, push_boolean, push_integer, push_real};

/// How [`CsvWriter`] writes: the settings of the activity `sqlResultsToCSV`.
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

/// What ends a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LineBreak {
    /// Carriage return.
    Cr,
    /// Line feed.
    Lf,
    /// Carriage return and line feed.
    CrLf,
}

impl LineBreak {
    /// All names, in the order in which errors list them.
    pub const NAMES: [&'static str; 3] = ["CR", "LF", "CRLF"];

    /// The line break of that name. `LFCR`, which stands in an example of OGSA-DAI's, is taken for `CRLF`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "CR" => Self::Cr,
            "LF" => Self::Lf,
            "CRLF" | "LFCR" => Self::CrLf,
            _ => return None,
        })
    }

    fn text(self) -> &'static str {
        match self {
            Self::Cr => "\r",
            Self::Lf => "\n",
            Self::CrLf => "\r\n",
        }
    }
}

/// Writes rows as comma-separated values, in the shape of RFC 4180.
///
/// Numbers have the shortest form that reads back as the same number, bytes are base64.
///
/// ```
/// use std::sync::Arc;
/// use arrow_array::{Int64Array, RecordBatch, StringArray};
/// use rejoin::format::{CsvOptions, CsvWriter};
///
/// let ids = Arc::new(Int64Array::from(vec![1, 2]));
/// let names = Arc::new(StringArray::from(vec![Some("say \"hi\""), None]));
/// let rows = RecordBatch::try_from_iter([("id", ids as _), ("name", names as _)]).unwrap();
///
/// let mut writer = CsvWriter::new(CsvOptions { header: true, ..CsvOptions::default() }).unwrap();
/// let mut text = String::new();
/// writer.begin(rows.schema_ref(), &mut text);
/// writer.rows(&rows, &mut text).unwrap();
/// assert_eq!(text, "id,name\n1,\"say \"\"hi\"\"\"\n2,\n");
/// ```
#[derive(Debug, Clone)]
pub struct CsvWriter {
    options: CsvOptions,
    /// Which bytes make a field need quotes.
    special: [bool; 256],
    stream: Stream,
}

impl CsvWriter {
    /// A writer with these options.
    ///
    /// # Errors
    ///
    /// [`FormatError::Option`] when the delimiter is a quote or a line break.
    pub fn new(options: CsvOptions) -> Result<Self, FormatError> {
        if matches!(options.delimiter, '"' | '\r' | '\n') {
            let delimiter = options.delimiter.escape_default();
            return Err(FormatError::Option(format!(
                "the delimiter `{delimiter}` can't be told from quotes and line breaks; expected any other character"
            )));
        }
        let mut special = [false; 256];
        let mut delimiter = [0; 4];
        options.delimiter.encode_utf8(&mut delimiter);
        // Of a delimiter of several bytes the first is enough: it may quote too much, never too little.
        for byte in [delimiter[0], b'"', b'\r', b'\n'] {
            special[usize::from(byte)] = options.escape;
        }
        Ok(Self { options, special, stream: Stream::default() })
    }

    /// Begins a stream of rows: appends the names of the columns, if they were asked for.
    pub fn begin(&mut self, schema: &Schema, out: &mut String) {
        self.stream = Stream::begun(schema);
        if !self.options.header {
            return;
        }
        for (index, field) in schema.fields().iter().enumerate() {
            if index > 0 {
                out.push(self.options.delimiter);
            }
            self.push_text(out, field.name());
        }
        out.push_str(self.options.line_break.text());
    }

    /// Appends the rows of a block. There is nothing to append at the end.
    ///
    /// # Errors
    ///
    /// [`FormatError::Value`] for bytes in a column of another type, [`FormatError::Type`] when a column has a type that
    /// no data resource gives.
    pub fn rows(&mut self, rows: &RecordBatch, out: &mut String) -> Result<(), FormatError> {
        let columns = self.stream.cells(rows)?;
        let line_break = self.options.line_break.text();
        for row in 0..rows.num_rows() {
            for (index, column) in columns.iter().enumerate() {
                if index > 0 {
                    out.push(self.options.delimiter);
                }
                if !self.push_cell(out, column, row) {
                    return Err(self.stream.value_error(rows, (row, index), NOT_TEXT));
                }
            }
            out.push_str(line_break);
        }
        self.stream.passed(rows);
        Ok(())
    }

    /// Appends one value, unless it is bytes where no bytes can be.
    #[inline]
    fn push_cell(&self, out: &mut String, column: &Cells<'_>, row: usize) -> bool {
        if column.is_null(row) {
            out.push_str(&self.options.null);
            return true;
        }
        match column {
            Cells::Integers(array) => push_integer(out, array.value(row)),
            Cells::Reals(array) => push_real(out, array.value(row)),
            Cells::Booleans(array) => push_boolean(out, array.value(row)),
            Cells::Texts(array) => self.push_text(out, array.value(row)),
            Cells::Blobs(array) => push_base64(out, array.value(row)),
            Cells::Mixed(array) => match std::str::from_utf8(array.value(row)) {
                Ok(text) => self.push_text(out, text),
                Err(_) => return false,
            },
        }
        true
    }

    #[inline]
    fn push_text(&self, out: &mut String, text: &str) {
        let needs_quotes = text.bytes().any(|byte| self.special[usize::from(byte)]);
        if needs_quotes || (self.options.escape && text == self.options.null) {
            push_quoted(out, text);
        } else {
            out.push_str(text);
        }
    }
}

fn push_quoted(out: &mut String, text: &str) {
    out.push('"');
    let mut rest = text;
    while let Some(quote) = memchr::memchr(b'"', rest.as_bytes()) {
        let (before, after) = rest.split_at(quote + 1);
        out.push_str(before);
        out.push('"');
        rest = after;
    }
    out.push_str(rest);
    out.push('"');
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, BinaryArray, BooleanArray, Float64Array, Int64Array, StringArray};

    use super::*;

    fn text_column(values: &[Option<&str>]) -> RecordBatch {
        let array: ArrayRef = Arc::new(StringArray::from(values.to_vec()));
        RecordBatch::try_from_iter([("a", array)]).unwrap()
    }

    fn written(options: CsvOptions, rows: &RecordBatch) -> String {
        let mut writer = CsvWriter::new(options).unwrap();
        let mut out = String::new();
        writer.begin(rows.schema_ref(), &mut out);
        writer.rows(rows, &mut out).unwrap();
        out
    }

    #[test]
    fn fields_that_would_be_misread_are_quoted() {
        let values = ["plain", "a,b", "say \"hi\"", "\"", "one\ntwo", "one\rtwo", " spaced ", "é;𝄞"];
        let rows = text_column(&values.map(Some));
        let expected = "plain\n\"a,b\"\n\"say \"\"hi\"\"\"\n\"\"\"\"\n\"one\ntwo\"\n\"one\rtwo\"\n spaced \né;𝄞\n";
        assert_eq!(written(CsvOptions::default(), &rows), expected);
    }

    #[test]
    fn any_character_separates() {
        let values: Vec<ArrayRef> =
            vec![Arc::new(StringArray::from(vec!["a;b"])), Arc::new(StringArray::from(vec!["c§d"]))];
        let rows = RecordBatch::try_from_iter([("x", values[0].clone()), ("y", values[1].clone())]).unwrap();
        let with = |delimiter| written(CsvOptions { delimiter, header: true, ..CsvOptions::default() }, &rows);
        assert_eq!(with(';'), "x;y\n\"a;b\";c§d\n");
        assert_eq!(with('\t'), "x\ty\na;b\tc§d\n");
        assert_eq!(with('§'), "x§y\na;b§\"c§d\"\n");
        for delimiter in ['"', '\n', '\r'] {
            assert!(CsvWriter::new(CsvOptions { delimiter, ..CsvOptions::default() }).is_err());
        }
    }

    #[test]
    fn null_is_told_from_a_text_that_looks_like_it() {
        let rows = text_column(&[None, Some(""), Some("NULL"), Some("null")]);
        assert_eq!(written(CsvOptions::default(), &rows), "\n\"\"\nNULL\nnull\n");
        let named = CsvOptions { null: "NULL".into(), ..CsvOptions::default() };
        assert_eq!(written(named, &rows), "NULL\n\n\"NULL\"\nnull\n");
    }

    #[test]
    fn without_escaping_fields_are_as_they_are() {
        let rows = text_column(&[Some("a,\"b\""), Some(""), None]);
        let options = CsvOptions { escape: false, ..CsvOptions::default() };
        assert_eq!(written(options, &rows), "a,\"b\"\n\n\n");
    }

    #[test]
    fn lines_end_as_asked() {
        let rows = text_column(&[Some("a"), Some("b")]);
        for (name, expected) in [("CR", "a\rb\r"), ("LF", "a\nb\n"), ("CRLF", "a\r\nb\r\n"), ("LFCR", "a\r\nb\r\n")] {
            let line_break = LineBreak::from_name(name).unwrap();
            assert_eq!(written(CsvOptions { line_break, ..CsvOptions::default() }, &rows), expected);
        }
        assert!(LineBreak::from_name("lf").is_none());
        assert!(LineBreak::NAMES.iter().all(|name| LineBreak::from_name(name).is_some()));
    }

    #[test]
    fn names_of_columns_are_escaped_like_values() {
        let array: ArrayRef = Arc::new(Int64Array::from(vec![1]));
        let rows = RecordBatch::try_from_iter([("sum(a,b)", array.clone()), ("", array)]).unwrap();
        let options = CsvOptions { header: true, ..CsvOptions::default() };
        assert_eq!(written(options, &rows), "\"sum(a,b)\",\"\"\n1,1\n");
    }

    #[test]
    fn every_type_has_its_form() {
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("i", Arc::new(Int64Array::from(vec![i64::MIN]))),
            ("r", Arc::new(Float64Array::from(vec![1e-7]))),
            ("n", Arc::new(Float64Array::from(vec![f64::NAN]))),
            ("b", Arc::new(BooleanArray::from(vec![true]))),
            ("x", Arc::new(BinaryArray::from(vec![&b"\x00\xff"[..]]))),
        ];
        let rows = RecordBatch::try_from_iter(columns).unwrap();
        assert_eq!(written(CsvOptions::default(), &rows), "-9223372036854775808,1e-7,NaN,true,AP8=\n");
    }

    #[test]
    fn a_text_is_written_alike_whatever_stands_around_it() {
        let first = text_column(&[Some("a,b")]);
        let bytes: ArrayRef = Arc::new(BinaryArray::from(vec![Some(&b"a,b"[..]), None, Some(&b"\xff"[..])]));
        let later = RecordBatch::try_from_iter([("a", bytes)]).unwrap();
        let mut writer = CsvWriter::new(CsvOptions::default()).unwrap();
        let mut out = String::new();
        writer.begin(first.schema_ref(), &mut out);
        writer.rows(&first, &mut out).unwrap();
        let error = writer.rows(&later, &mut out).unwrap_err();
        assert_eq!(out, "\"a,b\"\n\"a,b\"\n\n");
        assert!(error.to_string().starts_with("row 4, column `a`: the value is bytes"), "{error}");
        assert_eq!(written(CsvOptions::default(), &later), "YSxi\n\n/w==\n");
    }
}
