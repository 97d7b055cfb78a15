//! Rows as Arrow IPC streams.
//!
//! A piece holds one stream for each run of blocks of the same schema, one after the other, each with its end marker: a
//! source whose columns have no fixed type (`SQLite`) changes the schema between blocks.

use std::panic::{AssertUnwindSafe, catch_unwind};

use arrow_array::{Array, RecordBatch, RecordBatchOptions};
use arrow_data::ArrayData;
use arrow_ipc::MetadataVersion;
use arrow_ipc::reader::StreamDecoder;
use arrow_ipc::writer::{IpcWriteOptions, StreamWriter};
use arrow_schema::{ArrowError, DataType, SchemaRef};

use super::ValueError;
use super::compact::compact;
use super::messages::{Message, Messages};
use crate::block::{BLOCK_ROWS, Block};

/// Buffers start at multiples of so many bytes: the widest alignment that a type of Arrow's asks for.
const ALIGNMENT: usize = 16;

/// The rows that a block may have, and those that runs within it may stand for: a thousand times what an activity puts into
/// one. No bytes need account for rows that are NULL, or equal, or have no columns: without a bound, a few bytes could stand
/// for any number of them.
const MOST_ROWS: usize = 1024 * BLOCK_ROWS;

/// Writes blocks of rows.
pub(super) fn encode(blocks: &[&RecordBatch], to: &mut Vec<u8>) -> Result<(), ValueError> {
    for run in blocks.chunk_by(|one, next| one.schema_ref() == next.schema_ref()) {
        encode_run(run, to).map_err(|error| ValueError::Unsupported { reason: error.to_string() })?;
    }
    Ok(())
}

fn encode_run(run: &[&RecordBatch], to: &mut Vec<u8>) -> Result<(), ArrowError> {
    let Some(first) = run.first() else { return Ok(()) };
    let options = IpcWriteOptions::try_new(ALIGNMENT, false, MetadataVersion::V5)?;
    let mut writer = StreamWriter::try_new_with_options(to, first.schema_ref(), options)?;
    for rows in run {
        check_row_count(rows)?;
        writer.write(&compact(rows)?)?;
    }
    writer.finish()
}

fn check_row_count(rows: &RecordBatch) -> Result<(), ArrowError> {
    let runs = rows.columns().iter().map(|column| longest_runs(&column.to_data())).max();
    let most = rows.num_rows().max(runs.unwrap_or(0));
    if most > MOST_ROWS {
        let reason = format!("a block of {most} rows is too large, {MOST_ROWS} is the most");
        return Err(ArrowError::InvalidArgumentError(reason));
    }
    Ok(())
}

/// How many rows the runs in a column stand for, at the most.
fn longest_runs(data: &ArrayData) -> usize {
    let within = data.child_data().iter().map(longest_runs).max().unwrap_or(0);
    if matches!(data.data_type(), DataType::RunEndEncoded(..)) { within.max(data.len()) } else { within }
}

/// The schema of the blocks that were read last: blocks of equal schemas share it.
#[derive(Debug, Default)]
pub(super) struct Schemas(Option<SchemaRef>);

impl Schemas {
    fn share(&mut self, rows: RecordBatch) -> Result<RecordBatch, ArrowError> {
        match &self.0 {
            Some(schema) if schema == rows.schema_ref() => {
                let options = RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
                let (_, columns, _) = rows.into_parts();
                RecordBatch::try_new_with_options(SchemaRef::clone(schema), columns, &options)
            }
            _ => {
                self.0 = Some(rows.schema());
                Ok(rows)
            }
        }
    }
}

/// Reads blocks of rows.
///
/// The decoder of Arrow's checks the values that it hands out, but it takes for granted that the parts of a message fit
/// together, and panics where they do not. Bytes that were damaged by accident never come so far (each piece has a
/// checksum); what somebody forged ends here.
pub(super) fn decode(content: &[u8], schemas: &mut Schemas) -> Result<Vec<Block>, ValueError> {
    catch_unwind(AssertUnwindSafe(|| decode_streams(content, schemas)))
        .unwrap_or_else(|_| Err(ValueError::damaged("its Arrow IPC stream is malformed")))
}

fn decode_streams(content: &[u8], schemas: &mut Schemas) -> Result<Vec<Block>, ValueError> {
    let damaged = |error: ArrowError| ValueError::damaged(error.to_string());
    let mut blocks = Vec::new();
    let mut messages = Messages::new(content);
    let mut decoder = None;
    while let Some(Message { mut bytes, is_end }) = messages.next()? {
        let stream = decoder.get_or_insert_with(StreamDecoder::new);
        while !bytes.is_empty() {
            // A block without a body comes out only when the message after it is there: at the latest, the end.
            let Some(rows) = stream.decode(&mut bytes).map_err(damaged)? else { continue };
            check_row_count(&rows).map_err(damaged)?;
            blocks.push(Block::Rows(schemas.share(rows).map_err(damaged)?));
        }
        if is_end {
            stream.finish().map_err(damaged)?;
            decoder = None;
        }
    }
    match decoder {
        None => Ok(blocks),
        Some(_) => Err(ValueError::damaged("its Arrow IPC stream has no end")),
    }
}
