use async_trait::async_trait;

use super::expect_rows;
use crate::activity::blocking::on_blocking_thread;
use crate::activity::{Activity, ActivityContext, ActivityError, Effects, InputPort, OutputPort, Setup};
use crate::block::Block;
use crate::document::activities::{self, ActivityElement};
use crate::document::{DocumentError, Fields};
use crate::format::{ParquetOptions, ParquetWriter};

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
    const ELEMENT: &'static str = activities::SqlResultsToParquet::ELEMENT;
    const EFFECTS: Effects = Effects::Session;

    fn parse(fields: &mut Fields<'_>, setup: &mut Setup<'_>) -> Result<Self, DocumentError> {
        let read = activities::SqlResultsToParquet::read(fields)?;
        let rows = setup.reads(&read.result_set);
        let file = setup.writes(&read.parquet_output, Some("application/vnd.apache.parquet"));
        Ok(Self { rows, file, options: ParquetOptions { compression: read.compression } })
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
