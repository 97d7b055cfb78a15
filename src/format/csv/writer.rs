use arrow_array::RecordBatch;
use arrow_schema::Schema;

use super::CsvOptions;
use crate::format::FormatError;
use crate::format::cells::{Cells, NOT_TEXT, Values};
use crate::format::stream::Stream;
use crate::format::text::{Sql, push_base64, push_list};

/// Writes rows as comma-separated values, in the shape of RFC 4180 and in the forms that PostgreSQL gives to values: what
/// its `COPY … TO STDOUT (FORMAT csv)` writes of the same rows is the same text, but for truth values, which are `true` and
/// `false` here, and for bytes, which are base64.
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
    /// Whether a number, a truth value, a date or a time may need quotes as well: it may hold the delimiter, or look like
    /// NULL does.
    plain_needs_care: bool,
    stream: Stream,
}

/// The characters that numbers, truth values, dates, times and spans are made of.
const PLAIN: &str = "0123456789+-.: BCDHIMNPSTYaefilnrstuy";

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
        let null_may_be_plain = !options.null.is_empty() && options.null.chars().all(|c| PLAIN.contains(c));
        let plain_needs_care = options.escape && (PLAIN.contains(options.delimiter) || null_may_be_plain);
        Ok(Self { options, special, plain_needs_care, stream: Stream::default() })
    }

    /// Begins a stream of rows: appends the names of the columns, if they were asked for.
    pub fn begin(&mut self, schema: &Schema, out: &mut String) {
        self.stream = Stream::begun(schema);
        if !self.options.header {
            return;
        }
        let is_alone = schema.fields().len() == 1;
        for (index, field) in schema.fields().iter().enumerate() {
            if index > 0 {
                out.push(self.options.delimiter);
            }
            self.push_text(out, field.name(), is_alone);
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
        let is_alone = columns.len() == 1;
        for row in 0..rows.num_rows() {
            for (index, column) in columns.iter().enumerate() {
                if index > 0 {
                    out.push(self.options.delimiter);
                }
                if !self.push_cell(out, column, row, is_alone) {
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
    fn push_cell(&self, out: &mut String, column: &Cells<'_>, row: usize, is_alone: bool) -> bool {
        if column.is_null(row) {
            out.push_str(&self.options.null);
            return true;
        }
        match &column.values {
            Values::Plain(plain) if self.plain_needs_care => {
                self.push_with_care(out, |out| plain.push::<Sql>(out, row));
            }
            Values::Plain(plain) => plain.push::<Sql>(out, row),
            Values::Texts(array) => self.push_text(out, array.value(row), is_alone),
            Values::Blobs(array) => self.push_with_care(out, |out| push_base64(out, array.value(row))),
            Values::Mixed(array) => match std::str::from_utf8(array.value(row)) {
                Ok(text) => self.push_text(out, text, is_alone),
                Err(_) => return false,
            },
            Values::Lists(lists) => self.push_with_care(out, |out| push_list(out, lists, row)),
        }
        true
    }

    /// Appends what `push` appends, in quotes if it needs them.
    fn push_with_care(&self, out: &mut String, push: impl FnOnce(&mut String)) {
        let start = out.len();
        push(out);
        if self.needs_quotes(&out[start..]) {
            let text = out.split_off(start);
            push_quoted(out, &text);
        }
    }

    #[inline]
    fn push_text(&self, out: &mut String, text: &str, is_alone: bool) {
        // A line of these two characters would end the data for PostgreSQL.
        let would_end = is_alone && self.options.escape && text == "\\.";
        if self.needs_quotes(text) || would_end {
            push_quoted(out, text);
        } else {
            out.push_str(text);
        }
    }

    #[inline]
    fn needs_quotes(&self, text: &str) -> bool {
        text.bytes().any(|byte| self.special[usize::from(byte)]) || (self.options.escape && text == self.options.null)
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
    use crate::format::LineBreak;
    use crate::format::samples::every_type;

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
        for (name, expected) in [("CR", "a\rb\r"), ("LF", "a\nb\n"), ("CRLF", "a\r\nb\r\n")] {
            let (_, line_break) = LineBreak::NAMES.into_iter().find(|(known, _)| *known == name).unwrap();
            assert_eq!(written(CsvOptions { line_break, ..CsvOptions::default() }, &rows), expected);
        }
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
        assert_eq!(written(CsvOptions::default(), &rows), "-9223372036854775808,1e-07,NaN,true,AP8=\n");
    }

    #[test]
    fn values_have_the_forms_of_postgresql() {
        let options = CsvOptions { delimiter: ';', ..CsvOptions::default() };
        let expected = [
            "true;-8;-16;-32;-9223372036854775808;255;65535;4294967295;18446744073709551615;0.1;1e+20",
            ";123.40;9999999999999999999999999999999999999999.9999999999",
            ";\"say \"\"é\"\" & <go>\";AP8=;2026-11-21;08:00:00.5;2026-11-21 08:00:00.5;2026-11-21 08:00:00.5+00",
            ";P1Y2M3DT4H;{1,NULL,-3};\"{\"\"a b\"\",\"\"null\"\",NULL,\"\"say \\\"\"hi\\\\\\\"\"\"\",\"\"\"\",plain}\"\n",
            ";;;;;;;;;;;;;;;;;;;;;\n",
        ];
        assert_eq!(written(options, &every_type()), expected.concat());
    }

    #[test]
    fn numbers_and_times_are_quoted_where_they_hold_the_delimiter_or_look_like_null() {
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("i", Arc::new(Int64Array::from(vec![Some(10), Some(0), None]))),
            ("r", Arc::new(Float64Array::from(vec![0.5, -1.0, 2.0]))),
        ];
        let rows = RecordBatch::try_from_iter(columns).unwrap();
        let zero = CsvOptions { null: "0".into(), ..CsvOptions::default() };
        assert_eq!(written(zero, &rows), "10,0.5\n\"0\",-1\n0,2\n");
        let point = CsvOptions { delimiter: '.', ..CsvOptions::default() };
        assert_eq!(written(point, &rows), "10.\"0.5\"\n0.-1\n.2\n");
    }

    #[test]
    fn no_bytes_are_told_from_null() {
        let bytes: ArrayRef = Arc::new(BinaryArray::from(vec![Some(&b""[..]), None, Some(b"5E\xcb")]));
        let rows = RecordBatch::try_from_iter([("a", bytes)]).unwrap();
        assert_eq!(written(CsvOptions::default(), &rows), "\"\"\n\nNUXL\n");
        let named = CsvOptions { null: "NUXL".into(), ..CsvOptions::default() };
        assert_eq!(written(named, &rows), "\nNUXL\n\"NUXL\"\n");
    }

    #[test]
    fn a_line_that_would_end_the_data_for_postgresql_is_quoted() {
        assert_eq!(written(CsvOptions::default(), &text_column(&[Some("\\."), Some("\\.\\.")])), "\"\\.\"\n\\.\\.\n");
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
