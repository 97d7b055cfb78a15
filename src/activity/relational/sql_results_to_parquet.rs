use async_trait::async_trait;

use super::expect_rows;
use super::option::option;
use crate::activity::blocking::on_blocking_thread;
use crate::activity::{Activity, ActivityContext, ActivityError, Effects, InputPort, OutputPort, PortType, Setup};
use crate::block::{Block, StreamType};
use crate::document::{DocumentError, Fields};
use crate::format::{ParquetCompression, ParquetOptions, ParquetWriter};

/// `sqlResultsToParquet`: rows as a Parquet file.
///
/// ```xml
/// <sqlResultsToParquet name="pack"><resultSet from="rows"/><parquetOutput name="file"/><compression value="zstd"/></sqlResultsToParquet>
/// ```
#[derive(Debug)]
pub struct SqlResultsToParquet {
    rows: InputPort,
    file: OutputPort,
    options: ParquetOptions,
}

#[async_trait]
impl Activity for SqlResultsToParquet {
    const ELEMENT: &'static str = "sqlResultsToParquet";
    const EFFECTS: Effects = Effects::Session;

    fn parse(fields: &mut Fields<'_>, setup: &mut Setup<'_>) -> Result<Self, DocumentError> {
        let rows = setup.input(fields, "resultSet", StreamType::Rows)?;
        let file = fields.required_child("parquetOutput")?;
        let file = setup.output_of(file, PortType::Is(StreamType::Bytes), Some("application/vnd.apache.parquet"))?;
        let mut options = ParquetOptions::default();
        if let Some(value) = option(fields, "compression")? {
            options.compression = value.choice(&ParquetCompression::NAMES)?;
        }
        Ok(Self { rows, file, options })
    }

    async fn run(self, mut context: ActivityContext) -> Result<(), ActivityError> {
        let mut input = context.input(self.rows);
        let output = context.output(self.file);
        let mut writer = ParquetWriter::new(self.options);
        while let Some(block) = input.next().await? {
            let rows = expect_rows(block)?;
            // A block may fill a row group, and that takes a while.
            let (back, bytes) = on_blocking_thread(move || {
                let bytes = writer.rows(&rows)?;
                Ok((writer, bytes))
            })
            .await?;
            writer = back;
            if !bytes.is_empty() {
                output.send(Block::Bytes(bytes.into())).await?;
            }
        }
        let bytes = on_blocking_thread(move || Ok(writer.end()?)).await?;
        output.send(Block::Bytes(bytes.into())).await?;
        output.finish().await;
        Ok(())
    }
}
