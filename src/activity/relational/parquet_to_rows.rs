use std::fs::File;
use std::io::Write;

use async_trait::async_trait;
use bytes::Bytes;

use super::expect_bytes;
use crate::activity::blocking::on_blocking_thread;
use crate::activity::{Activity, ActivityContext, ActivityError, Effects, Input, InputPort, OutputPort, Setup};
use crate::block::Block;
use crate::document::activities::{self, ActivityElement};
use crate::document::{DocumentError, Fields};
use crate::format::ParquetReader;

/// How large a file may be, unless the property `fileBytes` says otherwise.
const FILE_BYTES: u64 = 1024 * 1024 * 1024;

/// How many bytes are gathered before they are written to the file.
const GATHERED_BYTES: usize = 1024 * 1024;

/// `parquetToRows`: rows from a Parquet file.
///
/// ```xml
/// <parquetToRows name="read"><parquetInput from="file"/><rows name="rows"/></parquetToRows>
/// ```
///
/// Such a file begins to be read at its end, so all of it is kept in a temporary file first, that has no name. The property
/// `fileBytes` of the activity configuration says how large it may be; without it, 1 GiB.
#[derive(Debug)]
pub struct ParquetToRows {
    file: InputPort,
    rows: OutputPort,
    most_bytes: u64,
}

#[async_trait]
impl Activity for ParquetToRows {
    const ELEMENT: &'static str = activities::ParquetToRows::ELEMENT;
    const EFFECTS: Effects = Effects::Session;

    fn parse(fields: &mut Fields<'_>, setup: &mut Setup<'_>) -> Result<Self, DocumentError> {
        let most_bytes = match setup.properties().get("fileBytes") {
            Some(property) => property.trim().parse().map_err(|_| {
                let position = fields.element().position();
                DocumentError::invalid(
                    position,
                    format!("the property `fileBytes` is `{property}`; expected a number of bytes"),
                )
            })?,
            None => FILE_BYTES,
        };
        let read = activities::ParquetToRows::read(fields)?;
        Ok(Self { file: setup.reads(&read.parquet_input), rows: setup.writes(&read.rows, None), most_bytes })
    }

    async fn run(self, mut context: ActivityContext) -> Result<(), ActivityError> {
        let mut input = context.input(self.file);
        let output = context.output(self.rows);
        let file = kept(&mut input, self.most_bytes).await?;
        let mut reader = on_blocking_thread(move || Ok(ParquetReader::new(file)?)).await?;
        loop {
            let (back, rows) = on_blocking_thread(move || {
                let rows = reader.next_block()?;
                Ok((reader, rows))
            })
            .await?;
            reader = back;
            let Some(rows) = rows else { break };
            output.send(Block::Rows(rows)).await?;
        }
        output.finish().await;
        Ok(())
    }
}

/// Keeps a stream of bytes in a temporary file.
async fn kept(input: &mut Input, most_bytes: u64) -> Result<File, ActivityError> {
    let mut file = on_blocking_thread(|| tempfile::tempfile().map_err(|error| not_kept(&error))).await?;
    let mut all_bytes = 0;
    let mut is_end = false;
    while !is_end {
        let mut gathered: Vec<Bytes> = Vec::new();
        let mut gathered_bytes = 0;
        while gathered_bytes < GATHERED_BYTES && !is_end {
            match input.next().await? {
                Some(block) => {
                    let bytes = expect_bytes(block)?;
                    gathered_bytes += bytes.len();
                    gathered.push(bytes);
                }
                None => is_end = true,
            }
        }
        all_bytes += gathered_bytes as u64;
        if all_bytes > most_bytes {
            return Err(ActivityError::client(
                "FileTooLarge",
                format!("the file is larger than {most_bytes} bytes, which is all that is kept of one"),
            ));
        }
        file = on_blocking_thread(move || {
            gathered.iter().try_for_each(|bytes| file.write_all(bytes)).map_err(|error| not_kept(&error))?;
            Ok(file)
        })
        .await?;
    }
    Ok(file)
}

fn not_kept(error: &std::io::Error) -> ActivityError {
    ActivityError::server("Internal", format!("a file could not be kept in a temporary file: {error}"))
}
