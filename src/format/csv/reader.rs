use arrow_array::RecordBatch;
use arrow_schema::{DataType, Field, Schema};

use super::CsvReaderOptions;
use super::infer::Guess;
use super::records::{Record, Records};
use crate::block::BLOCK_ROWS;
use crate::document::activities::CsvColumns;
use crate::format::parse::RowsBuilder;
use crate::format::text::shortened;
use crate::format::{FormatError, RowType};

/// Reads comma-separated values into rows: the other way round from [`CsvWriter`](super::CsvWriter).
///
/// It is given the text piece by piece, cut anywhere, and gives blocks of rows as they fill. Lines end with LF, CRLF or CR.
/// A field without quotes that is the text for NULL is NULL; one in quotes is never. A line with nothing on it is a record of
/// one field if there is one column, and nothing at all if there are more.
///
/// ```
/// use rejoin::format::{CsvColumns, CsvReader, CsvReaderOptions, RowType};
///
/// let columns = vec![("id".to_owned(), RowType::from_name("int64").unwrap())];
/// let options =
///     CsvReaderOptions { header: true, columns: CsvColumns::Declared(columns), ..CsvReaderOptions::default() };
/// let mut reader = CsvReader::new(options).unwrap();
/// let mut blocks = Vec::new();
/// reader.text("id,name\n1,\"say \"\"hi\"\"\"\n2", &mut blocks).unwrap();
/// reader.text(",\n", &mut blocks).unwrap();
/// reader.end(&mut blocks).unwrap();
/// assert_eq!(blocks[0].num_rows(), 2);
/// assert_eq!(blocks[0].column(1).null_count(), 1);
/// ```
pub struct CsvReader {
    options: CsvReaderOptions,
    records: Records,
    stage: Stage,
}

enum Stage {
    /// The names of the columns are not known yet.
    Start,
    /// The first rows are gathered to guess their types: line, and fields with NULL as `None`.
    Guessing {
        names: Vec<String>,
        rows: Vec<(u64, Vec<Option<String>>)>,
        bytes: usize,
    },
    Rows(RowsBuilder),
}

/// How many bytes of text and how many values are gathered at the most to guess types.
const GUESS_BYTES: usize = 1024 * 1024;
const GUESS_VALUES: usize = 128 * 1024;

impl CsvReader {
    /// A reader with these options.
    ///
    /// # Errors
    ///
    /// [`FormatError::Option`] when the delimiter is a quote or a line break, or when a column is declared twice.
    pub fn new(options: CsvReaderOptions) -> Result<Self, FormatError> {
        if matches!(options.delimiter, '"' | '\r' | '\n') {
            let delimiter = options.delimiter.escape_default();
            return Err(FormatError::Option(format!(
                "the delimiter `{delimiter}` can't be told from quotes and line breaks; expected any other character"
            )));
        }
        if let CsvColumns::Declared(columns) = &options.columns {
            let twice = columns
                .iter()
                .enumerate()
                .find(|(index, (name, _))| columns[..*index].iter().any(|(known, _)| known == name));
            if let Some((_, (name, _))) = twice {
                return Err(FormatError::Option(format!("contradictory columns: `{name}` is declared twice")));
            }
        }
        let records = Records::new(&options);
        Ok(Self { options, records, stage: Stage::Start })
    }

    /// Takes a piece of the text, and appends the blocks that it fills.
    ///
    /// # Errors
    ///
    /// [`FormatError::Malformed`] for what is no CSV, [`FormatError::Input`] for a value that is not of the type of its
    /// column or for a record of too few or too many fields, [`FormatError::Column`] for a declared column that is not in the
    /// header.
    pub fn text(&mut self, text: &str, blocks: &mut Vec<RecordBatch>) -> Result<(), FormatError> {
        self.records.add(text);
        while let Some(record) = self.records.next()? {
            blocks.extend(self.stage.take(&record, &self.options)?);
        }
        Ok(())
    }

    /// Ends the text: appends what has not filled a block. There is one block at least.
    ///
    /// # Errors
    ///
    /// As [`CsvReader::text`].
    pub fn end(&mut self, blocks: &mut Vec<RecordBatch>) -> Result<(), FormatError> {
        if let Some(record) = self.records.end()? {
            blocks.extend(self.stage.take(&record, &self.options)?);
        }
        if matches!(self.stage, Stage::Start) {
            let names = match &self.options.columns {
                CsvColumns::Declared(columns) => columns.iter().map(|(name, _)| name.clone()).collect(),
                CsvColumns::Text | CsvColumns::Inferred => Vec::new(),
            };
            self.stage = Stage::Rows(RowsBuilder::new(schema_of(names, &self.options.columns)?)?);
        }
        blocks.extend(self.stage.guess()?);
        if let Stage::Rows(rows) = &mut self.stage {
            blocks.extend(rows.end()?);
        }
        Ok(())
    }
}

impl Stage {
    /// Takes in one record.
    fn take(&mut self, record: &Record<'_>, options: &CsvReaderOptions) -> Result<Vec<RecordBatch>, FormatError> {
        match self {
            Self::Start => {
                let names = names_of(record, options);
                *self = if options.columns == CsvColumns::Inferred {
                    Self::Guessing { names, rows: Vec::new(), bytes: 0 }
                } else {
                    Self::Rows(RowsBuilder::new(schema_of(names, &options.columns)?)?)
                };
                if options.header { Ok(Vec::new()) } else { self.take(record, options) }
            }
            Self::Guessing { names, rows, bytes } => {
                if !is_row(record, names.len())? {
                    return Ok(Vec::new());
                }
                let field = |index| {
                    record.field(index, |text, is_quoted| value_of(text, is_quoted, options).map(str::to_owned))
                };
                let fields: Vec<Option<String>> = (0..names.len()).map(field).collect();
                *bytes += fields.iter().flatten().map(String::len).sum::<usize>();
                rows.push((record.line, fields));
                let is_enough =
                    rows.len() >= BLOCK_ROWS || *bytes >= GUESS_BYTES || rows.len() * names.len() >= GUESS_VALUES;
                if is_enough { self.guess() } else { Ok(Vec::new()) }
            }
            Self::Rows(rows) => {
                if !is_row(record, rows.schema().fields().len())? {
                    return Ok(Vec::new());
                }
                for index in 0..record.len() {
                    record.field(index, |text, is_quoted| {
                        push(rows, index, value_of(text, is_quoted, options), record.line)
                    })?;
                }
                Ok(rows.end_row()?.into_iter().collect())
            }
        }
    }

    /// Settles the types of the columns, if they are being guessed, and gives the rows that were gathered for it.
    fn guess(&mut self) -> Result<Vec<RecordBatch>, FormatError> {
        let Self::Guessing { names, rows, .. } = self else { return Ok(Vec::new()) };
        let mut guesses = vec![Guess::new(); names.len()];
        for (_, fields) in rows.iter() {
            for (guess, field) in guesses.iter_mut().zip(fields) {
                if let Some(text) = field {
                    guess.see(text);
                }
            }
        }
        let fields = names.iter().zip(&guesses).map(|(name, guess)| Field::new(name, guess.data_type(), true));
        let mut builder = RowsBuilder::new(Schema::new(fields.collect::<Vec<_>>()))?;
        let mut blocks = Vec::new();
        for (line, fields) in std::mem::take(rows) {
            for (index, field) in fields.iter().enumerate() {
                push(&mut builder, index, field.as_deref(), line)?;
            }
            blocks.extend(builder.end_row()?);
        }
        *self = Self::Rows(builder);
        Ok(blocks)
    }
}

/// What a field means: NULL, or its text.
fn value_of<'a>(text: &'a str, is_quoted: bool, options: &CsvReaderOptions) -> Option<&'a str> {
    (is_quoted || text != options.null).then_some(text)
}

/// Whether a record is a row; a blank line is one only if there is one column.
fn is_row(record: &Record<'_>, columns: usize) -> Result<bool, FormatError> {
    if record.len() == columns {
        return Ok(true);
    }
    if record.is_blank() {
        return Ok(false);
    }
    let (line, fields) = (record.line, record.len());
    Err(FormatError::malformed(
        "CSV",
        format!("the record at line {line} has {fields} fields; there are {columns} columns"),
    ))
}

#[inline]
fn push(rows: &mut RowsBuilder, column: usize, value: Option<&str>, line: u64) -> Result<(), FormatError> {
    if rows.push(column, value) {
        return Ok(());
    }
    let schema = rows.schema();
    let field = schema.field(column);
    let row_type = RowType::of(field.data_type()).unwrap_or(RowType::TEXT);
    let value = shortened(value.unwrap_or_default());
    Err(FormatError::Input {
        line,
        column: field.name().clone(),
        problem: format!("`{value}` is no value of the type {row_type}"),
    })
}

/// The names of the columns, by the first record.
fn names_of(record: &Record<'_>, options: &CsvReaderOptions) -> Vec<String> {
    if options.header {
        return (0..record.len()).map(|index| record.field(index, |text, _| text.to_owned())).collect();
    }
    match &options.columns {
        CsvColumns::Declared(columns) => columns.iter().map(|(name, _)| name.clone()).collect(),
        CsvColumns::Text | CsvColumns::Inferred => (1..=record.len()).map(|number| format!("column{number}")).collect(),
    }
}

/// The columns of these names, with the types that are declared for them.
fn schema_of(names: Vec<String>, columns: &CsvColumns) -> Result<Schema, FormatError> {
    let declared: &[(String, RowType)] = match columns {
        CsvColumns::Declared(declared) => declared,
        CsvColumns::Text | CsvColumns::Inferred => &[],
    };
    if let Some((missing, _)) = declared.iter().find(|(name, _)| !names.contains(name)) {
        let known: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        return Err(FormatError::Column { wanted: format!("`{missing}`"), known: known.join(", ") });
    }
    let fields = names.into_iter().map(|name| {
        let row_type = declared.iter().find(|(known, _)| *known == name).map(|(_, row_type)| row_type.data_type());
        let data_type = row_type.cloned().unwrap_or(DataType::Utf8);
        Field::new(name, data_type, true)
    });
    Ok(Schema::new(fields.collect::<Vec<_>>()))
}

impl std::fmt::Debug for CsvReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CsvReader").field("options", &self.options).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::cast::AsArray;

    use super::*;
    use crate::format::samples::every_type;
    use crate::format::{CsvOptions, CsvWriter};

    fn read(text: &str, piece: usize, options: CsvReaderOptions) -> Result<Vec<RecordBatch>, FormatError> {
        let mut reader = CsvReader::new(options)?;
        let mut blocks = Vec::new();
        let characters: Vec<char> = text.chars().collect();
        for piece in characters.chunks(piece) {
            reader.text(&piece.iter().collect::<String>(), &mut blocks)?;
        }
        reader.end(&mut blocks)?;
        Ok(blocks)
    }

    /// The rows of a text without header, however it is cut.
    fn texts(text: &str) -> Vec<Vec<Option<String>>> {
        let whole = rows_of(&read(text, 1000, CsvReaderOptions::default()).unwrap());
        for piece in 1..4 {
            assert_eq!(rows_of(&read(text, piece, CsvReaderOptions::default()).unwrap()), whole, "{text:?} by {piece}");
        }
        whole
    }

    fn rows_of(blocks: &[RecordBatch]) -> Vec<Vec<Option<String>>> {
        let row = |block: &RecordBatch, row| {
            let columns = block.columns().iter();
            columns
                .map(|column| column.is_valid(row).then(|| column.as_string::<i32>().value(row).to_owned()))
                .collect()
        };
        blocks.iter().flat_map(|block| (0..block.num_rows()).map(move |index| row(block, index))).collect()
    }

    fn some(values: &[&str]) -> Vec<Option<String>> {
        values.iter().map(|value| Some((*value).to_owned())).collect()
    }

    #[test]
    fn fields_are_told_apart_however_the_text_is_cut() {
        assert_eq!(texts("a,b\n"), [some(&["a", "b"])]);
        assert_eq!(texts("a,b\r\nc,d\re,f"), [some(&["a", "b"]), some(&["c", "d"]), some(&["e", "f"])]);
        assert_eq!(texts("\"a,\"\"b\n\r\n\",\"\"\n"), [some(&["a,\"b\n\r\n", ""])]);
        assert_eq!(texts("a,\n,b\n,"), [vec![Some("a".into()), None], vec![None, Some("b".into())], vec![None, None]]);
        assert_eq!(texts("\u{FEFF}é,𝄞\n\n\n"), [some(&["é", "𝄞"])]);
        assert_eq!(texts("\"a\"\n\n\"\"\n"), [some(&["a"]), vec![None], some(&[""])]);
        assert_eq!(texts("\"\"\"\"\n"), [some(&["\""])]);
        assert!(texts("").is_empty());
    }

    #[test]
    fn every_type_is_read_as_it_was_written() {
        let rows = every_type();
        for (delimiter, null) in [(',', ""), ('-', "\\N"), ('§', "1"), ('1', "true")] {
            let mut writer =
                CsvWriter::new(CsvOptions { header: true, delimiter, null: null.into(), ..CsvOptions::default() })
                    .unwrap();
            let mut text = String::new();
            writer.begin(rows.schema_ref(), &mut text);
            writer.rows(&rows, &mut text).unwrap();
            let row_type = |field: &Field| RowType::of(field.data_type()).unwrap();
            let columns = rows.schema().fields().iter().map(|field| (field.name().clone(), row_type(field))).collect();
            let columns = CsvColumns::Declared(columns);
            let options =
                CsvReaderOptions { header: true, delimiter, null: null.into(), columns, ..CsvReaderOptions::default() };
            assert_eq!(read(&text, 7, options).unwrap(), std::slice::from_ref(&rows));
        }
    }

    #[test]
    fn what_is_no_csv_is_refused_with_its_line() {
        for (text, expected) in [
            ("a,b\n1,2,3\n", "the CSV can't be read: the record at line 2 has 3 fields; there are 2 columns"),
            ("\"a\nb\",c\nd\n", "the CSV can't be read: the record at line 3 has 1 fields; there are 2 columns"),
            ("a\n\"b", "the CSV can't be read: the text ends within quotes, in field 1 of the record at line 2"),
            (
                "a\n\"b\"c\n",
                "the CSV can't be read: text behind the closing quote, in field 1 of the record at line 2; quotes",
            ),
            (
                "a,b\"c\n",
                "the CSV can't be read: a quote in a field without quotes, in field 2 of the record at line 1; quotes",
            ),
        ] {
            let error = read(text, 3, CsvReaderOptions::default()).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
        let endless = "\"".to_owned() + &"a".repeat(super::super::records::RECORD_BYTES);
        let error = read(&endless, 1 << 20, CsvReaderOptions::default()).unwrap_err().to_string();
        assert!(error.contains("longer than 16 MiB"), "{error}");
        let error = read(&",".repeat(1 << 20), 1 << 20, CsvReaderOptions::default()).unwrap_err().to_string();
        assert_eq!(error, "the CSV can't be read: the record at line 1 has more than 16384 fields");
    }

    #[test]
    fn a_value_that_does_not_fit_is_named_by_line_and_column() {
        let columns = CsvColumns::Declared(vec![("n".into(), RowType::from_name("int8").unwrap())]);
        let options = CsvReaderOptions { header: true, columns, ..CsvReaderOptions::default() };
        let error = read("name,n\n\"x\ny\",1\nz,128\n", 5, options.clone()).unwrap_err().to_string();
        assert_eq!(error, "line 4, column `n`: `128` is no value of the type int8");
        let error = read("name\n", 5, options).unwrap_err().to_string();
        assert_eq!(error, "there is no column `n`; the columns are `name`");
    }

    #[test]
    fn types_are_guessed_from_the_first_rows() {
        let options = CsvReaderOptions { header: true, columns: CsvColumns::Inferred, ..CsvReaderOptions::default() };
        let blocks = read("id,price,phone\n1,2.5,0131\n,3,\n", 4, options.clone()).unwrap();
        let types: Vec<&DataType> = blocks[0].schema_ref().fields().iter().map(|field| field.data_type()).collect();
        assert_eq!(types, [&DataType::Int64, &DataType::Float64, &DataType::Utf8]);
        let many = "n\n".to_owned() + &"1\n".repeat(BLOCK_ROWS) + "x\n";
        let error = read(&many, 1000, options).unwrap_err().to_string();
        assert_eq!(error, "line 1026, column `n`: `x` is no value of the type int64");
    }

    #[test]
    fn an_empty_text_has_the_columns_that_are_declared() {
        let columns = CsvColumns::Declared(vec![("n".into(), RowType::from_name("date").unwrap())]);
        let blocks = read("", 1, CsvReaderOptions { columns, ..CsvReaderOptions::default() }).unwrap();
        assert_eq!((blocks.len(), blocks[0].num_columns(), blocks[0].num_rows()), (1, 1, 0));
        let blocks = read("a,b\n", 1, CsvReaderOptions { header: true, ..CsvReaderOptions::default() }).unwrap();
        assert_eq!((blocks.len(), blocks[0].num_columns(), blocks[0].num_rows()), (1, 2, 0));
    }

    #[test]
    fn without_quotes_every_character_is_one() {
        let options = CsvReaderOptions { escape: false, delimiter: '\t', ..CsvReaderOptions::default() };
        let blocks = read("say \"hi\"\t\"\n", 3, options).unwrap();
        assert_eq!(rows_of(&blocks), [some(&["say \"hi\"", "\""])]);
    }
}
