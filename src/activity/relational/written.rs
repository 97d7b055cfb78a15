//! Rows written as text, block by block: what `sqlResultsToCSV`, `sqlResultsToXML` and `sqlResultsToJSON` have in common.

use arrow_array::RecordBatch;
use arrow_schema::Schema;

use super::expect_rows;
use crate::activity::{ActivityError, Input, Output};
use crate::block::{Block, ROWS_BYTES};
use crate::format::{CsvWriter, FormatError, JsonWriter, WebRowSetWriter};

/// A format in which rows are text.
pub(super) trait TextFormat {
    /// What stands before the rows.
    fn begin(&mut self, schema: &Schema, text: &mut String) -> Result<(), FormatError>;

    /// The rows of a block.
    fn rows(&mut self, rows: &RecordBatch, text: &mut String) -> Result<(), FormatError>;

    /// What stands behind them.
    fn end(&mut self, text: &mut String);
}

/// Writes a stream of rows.
pub(super) async fn write(
    mut format: impl TextFormat + Send,
    mut rows: Input,
    output: Output,
) -> Result<(), ActivityError> {
    let mut is_first = true;
    while let Some(block) = rows.next().await? {
        let rows = expect_rows(block)?;
        let mut text = String::with_capacity(room_for(&rows));
        if std::mem::take(&mut is_first) {
            format.begin(rows.schema_ref(), &mut text)?;
        }
        format.rows(&rows, &mut text)?;
        send(&output, text).await?;
    }
    let mut text = String::new();
    if is_first {
        // A statement whose parameters came from an empty stream never ran: rows without columns are still rows.
        format.begin(&Schema::empty(), &mut text)?;
    }
    format.end(&mut text);
    send(&output, text).await?;
    output.finish().await;
    Ok(())
}

/// How many bytes the text of a block of rows gets room for: a block of few rows is no reason to take much memory.
fn room_for(rows: &RecordBatch) -> usize {
    const ROW: usize = 256;
    (rows.num_rows() * ROW).clamp(ROW, ROWS_BYTES)
}

async fn send(output: &Output, text: String) -> Result<(), ActivityError> {
    if text.is_empty() { Ok(()) } else { output.send(Block::Text(text.into())).await }
}

impl TextFormat for CsvWriter {
    fn begin(&mut self, schema: &Schema, text: &mut String) -> Result<(), FormatError> {
        let before = text.len();
        CsvWriter::begin(self, schema, text);
        if schema.fields().is_empty() {
            // A line of no names would be a name.
            text.truncate(before);
        }
        Ok(())
    }

    fn rows(&mut self, rows: &RecordBatch, text: &mut String) -> Result<(), FormatError> {
        CsvWriter::rows(self, rows, text)
    }

    fn end(&mut self, _text: &mut String) {}
}

impl TextFormat for JsonWriter {
    fn begin(&mut self, schema: &Schema, text: &mut String) -> Result<(), FormatError> {
        JsonWriter::begin(self, schema, text);
        Ok(())
    }

    fn rows(&mut self, rows: &RecordBatch, text: &mut String) -> Result<(), FormatError> {
        JsonWriter::rows(self, rows, text)
    }

    fn end(&mut self, text: &mut String) {
        JsonWriter::end(self, text);
    }
}

impl TextFormat for WebRowSetWriter {
    fn begin(&mut self, schema: &Schema, text: &mut String) -> Result<(), FormatError> {
        WebRowSetWriter::begin(self, schema, text)
    }

    fn rows(&mut self, rows: &RecordBatch, text: &mut String) -> Result<(), FormatError> {
        WebRowSetWriter::rows(self, rows, text)
    }

    fn end(&mut self, text: &mut String) {
        WebRowSetWriter::end(self, text);
    }
}
