use std::collections::VecDeque;
use std::io::{self, BufRead, Read};

use arrow_array::RecordBatch;

use super::parser::{FORMAT, Parser};
use super::row_ends::RowEnds;
use crate::format::FormatError;

/// The longest row that is read, in bytes of XML, and the longest description of the columns.
const ROW_BYTES: usize = 32 * 1024 * 1024;

/// Reads a `WebRowSet` document into rows: ours, and those that Java writes.
///
/// It is given the document piece by piece, cut anywhere, and gives blocks of rows as they fill. The columns have the types that the document
/// announces by their `column-type`; dates and times are taken as milliseconds since 1970, or in the forms of ISO 8601. Rows
/// that were inserted or changed count as they would be after the change, and those that were deleted don't.
///
/// ```
/// # use std::sync::Arc;
/// # use arrow_array::{Int64Array, RecordBatch};
/// use rejoin::format::{WebRowSetOptions, WebRowSetReader, WebRowSetWriter};
///
/// # let ids = Arc::new(Int64Array::from(vec![Some(1), None]));
/// # let rows = RecordBatch::try_from_iter_with_nullable([("id", ids as _, true)]).unwrap();
/// # let mut writer = WebRowSetWriter::new(WebRowSetOptions::default());
/// # let mut document = String::new();
/// writer.begin(rows.schema_ref(), &mut document).unwrap();
/// writer.rows(&rows, &mut document).unwrap();
/// writer.end(&mut document);
///
/// let mut reader = WebRowSetReader::new();
/// let mut blocks = Vec::new();
/// reader.text(&document, &mut blocks).unwrap();
/// reader.end(&mut blocks).unwrap();
/// assert_eq!(blocks[0].columns(), rows.columns());
/// ```
///
/// A row is read when it has come as a whole: it may have 32 MiB, and each of its values 16 MiB.
pub struct WebRowSetReader {
    parser: Parser<Pieces>,
    ends: RowEnds,
    /// What has come behind the last row that is whole.
    rest: String,
}

impl WebRowSetReader {
    /// A reader at the beginning of a document.
    #[must_use]
    pub fn new() -> Self {
        Self { parser: Parser::new(Pieces::default()), ends: RowEnds::default(), rest: String::new() }
    }

    /// Takes a piece of the document, and appends the blocks that it fills.
    ///
    /// # Errors
    ///
    /// [`FormatError::Malformed`] for what is no such document, [`FormatError::Input`] for a value that is not of the type of
    /// its column. Reading on after an error has no meaning.
    pub fn text(&mut self, text: &str, blocks: &mut Vec<RecordBatch>) -> Result<(), FormatError> {
        let (rows, end) = self.ends.look(text);
        let (whole, rest) = text.split_at(end);
        if rows > 0 {
            self.rest.push_str(whole);
            self.parser.source().add(std::mem::take(&mut self.rest));
        }
        self.rest.push_str(rest);
        for _ in 0..rows {
            self.parser.row(blocks)?;
        }
        if self.rest.len() > ROW_BYTES {
            return Err(FormatError::malformed(
                FORMAT,
                "a row, or what stands before the first, is longer than 32 MiB",
            ));
        }
        Ok(())
    }

    /// Ends the document: appends what has not filled a block. There is one block at least.
    ///
    /// # Errors
    ///
    /// As [`WebRowSetReader::text`].
    pub fn end(mut self, blocks: &mut Vec<RecordBatch>) -> Result<(), FormatError> {
        self.parser.source().add(self.rest);
        while self.parser.row(blocks)? {}
        self.parser.end(blocks)
    }
}

impl Default for WebRowSetReader {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for WebRowSetReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WebRowSetReader").finish_non_exhaustive()
    }
}

/// Pieces of text as a source of bytes.
#[derive(Debug, Default)]
struct Pieces {
    pieces: VecDeque<String>,
    /// How much of the first has been taken.
    at: usize,
}

impl Pieces {
    fn add(&mut self, piece: String) {
        if !piece.is_empty() {
            self.pieces.push_back(piece);
        }
    }
}

impl BufRead for Pieces {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        Ok(self.pieces.front().map_or(&[], |piece| &piece.as_bytes()[self.at..]))
    }

    fn consume(&mut self, amount: usize) {
        self.at += amount;
        if self.pieces.front().is_some_and(|piece| self.at >= piece.len()) {
            self.pieces.pop_front();
            self.at = 0;
        }
    }
}

impl Read for Pieces {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(into)?;
        self.consume(count);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::Array;
    use arrow_schema::DataType;

    use super::*;
    use crate::format::samples::every_type;
    use crate::format::{TemporalColumns, WebRowSetOptions, WebRowSetWriter};

    const NAMESPACE: &str = "http://java.sun.com/xml/ns/jdbc";

    fn read_by(document: &str, size: usize) -> Result<Vec<RecordBatch>, FormatError> {
        let mut reader = WebRowSetReader::new();
        let mut blocks = Vec::new();
        let mut rest = document;
        while !rest.is_empty() {
            let cut = (size..=rest.len()).find(|at| rest.is_char_boundary(*at)).unwrap_or(rest.len());
            let (piece, after) = rest.split_at(cut);
            reader.text(piece, &mut blocks)?;
            rest = after;
        }
        reader.end(&mut blocks)?;
        Ok(blocks)
    }

    /// It is the same, however the document is cut.
    fn read(document: &str) -> Result<Vec<RecordBatch>, FormatError> {
        let whole = read_by(document, document.len());
        for size in [1, 7, 64] {
            assert_eq!(read_by(document, size), whole, "by {size}");
        }
        whole
    }

    fn document(columns: &str, rows: &str) -> String {
        format!(
            "<webRowSet xmlns='{NAMESPACE}'><properties/><metadata>{columns}</metadata><data>{rows}</data></webRowSet>"
        )
    }

    fn column(name: &str, code: i32) -> String {
        format!(
            "<column-definition><column-label>{name}</column-label><column-type>{code}</column-type></column-definition>"
        )
    }

    #[test]
    fn every_type_is_read_as_it_was_written_or_as_text() {
        let rows = every_type();
        for temporal in [TemporalColumns::Text, TemporalColumns::Milliseconds] {
            let mut writer = WebRowSetWriter::new(WebRowSetOptions { temporal, ..WebRowSetOptions::default() });
            let mut text = String::new();
            writer.begin(rows.schema_ref(), &mut text).unwrap();
            writer.rows(&rows, &mut text).unwrap();
            writer.end(&mut text);
            let blocks = read(&text).unwrap();
            let schema = rows.schema();
            for (index, field) in schema.fields().iter().enumerate() {
                let column = blocks[0].column(index);
                let same = match field.data_type() {
                    DataType::Date32 | DataType::Time64(_) | DataType::Timestamp(_, None) => {
                        temporal == TemporalColumns::Milliseconds
                    }
                    DataType::Timestamp(..) | DataType::Interval(_) | DataType::List(_) => false,
                    other => !other.is_unsigned_integer(),
                };
                assert_eq!(column == rows.column(index), same, "{field}: {column:?}");
                assert_eq!(column.null_count(), 1);
            }
        }
    }

    #[test]
    fn rows_that_were_changed_are_as_they_would_be() {
        let value = |text: &str| format!("<columnValue>{text}</columnValue>");
        let rows = format!(
            "<currentRow>{}</currentRow><deleteRow>{}</deleteRow><insertRow>{}</insertRow><modifyRow>{}<updateValue>5</updateValue></modifyRow>",
            value(" 1 "),
            value("2"),
            value("<null/>"),
            value("4")
        );
        let blocks = read(&document(&column("n", 4), &rows)).unwrap();
        let expected: arrow_array::ArrayRef =
            std::sync::Arc::new(arrow_array::Int32Array::from(vec![Some(1), None, Some(5)]));
        assert_eq!(blocks[0].column(0), &expected);
    }

    #[test]
    fn null_and_empty_are_told_apart_and_white_space_stays() {
        let rows = "<currentRow><columnValue/></currentRow><currentRow><columnValue><null/></columnValue></currentRow>\n\
                    <currentRow><columnValue> a &amp; <![CDATA[<b>]]>\n</columnValue></currentRow>";
        let blocks = read(&document(&column("t", 12), rows)).unwrap();
        let expected = arrow_array::StringArray::from(vec![Some(""), None, Some(" a & <b>\n")]);
        assert_eq!(blocks[0].column(0).as_ref(), &expected as &dyn arrow_array::Array);
    }

    #[test]
    fn what_is_no_rowset_is_refused_with_its_place() {
        let row = |values: &str| document(&column("n", 4), &format!("<currentRow>{values}</currentRow>"));
        for (text, expected) in [
            ("<rows/>".to_owned(), "the WebRowSet can't be read: its root is not `webRowSet`"),
            (document("", "<row/>"), "the WebRowSet can't be read: unexpected element `row` in `data` at 1:"),
            (row(""), "the WebRowSet can't be read: the row at line 1 has 0 values; there are 1 columns"),
            (row("<columnValue>x</columnValue>"), "line 1, column `n`: `x` is no value of the type int32"),
            (
                row("<columnValue>1</columnValue><columnValue>2</columnValue>"),
                "the WebRowSet can't be read: the row has more values",
            ),
            ("<!DOCTYPE a><a/>".to_owned(), "the WebRowSet can't be read: "),
            (row("<columnValue>1</columnValue>").replace("</data>", ""), "the WebRowSet can't be read: "),
        ] {
            let error = read(&text).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }

    #[test]
    fn rows_fill_blocks_before_the_document_ends() {
        let mut reader = WebRowSetReader::new();
        let mut blocks = Vec::new();
        let begin = document(&column("n", 4), "").replace("</data></webRowSet>", "");
        reader.text(&begin, &mut blocks).unwrap();
        let row = "<currentRow><columnValue>1</columnValue></currentRow>";
        reader.text(&row.repeat(3000), &mut blocks).unwrap();
        assert_eq!(blocks.iter().map(RecordBatch::num_rows).collect::<Vec<_>>(), [1024, 1024]);
        reader.text("</data></webRowSet>", &mut blocks).unwrap();
        reader.end(&mut blocks).unwrap();
        assert_eq!(blocks[2].num_rows(), 3000 - 2048);
    }

    #[test]
    fn a_row_without_end_is_refused_before_it_fills_the_memory() {
        let mut reader = WebRowSetReader::new();
        reader
            .text(&document(&column("t", 12), "<currentRow>").replace("</data></webRowSet>", ""), &mut Vec::new())
            .unwrap();
        let values = "<columnValue>".to_owned() + &"x".repeat(1024 * 1024) + "</columnValue>";
        let refused = (0..40).find_map(|_| reader.text(&values, &mut Vec::new()).err()).unwrap().to_string();
        assert!(refused.contains("longer than 32 MiB"), "{refused}");
    }

    #[test]
    fn what_stands_behind_the_rows_is_no_row() {
        let text =
            document(&column("n", 4), "").replace("</webRowSet>", "<data><currentRow></currentRow></data></webRowSet>");
        assert!(read_by(&text, text.len()).is_err());
        assert!(read_by(&text, 1).is_err());
    }
}
