use async_trait::async_trait;

use crate::activity::transform::expect_text;
use crate::activity::{Activity, ActivityContext, ActivityError, Effects, InputPort, OutputPort, Setup};
use crate::block::Block;
use crate::document::activities::{self, ActivityElement};
use crate::document::{DocumentError, Fields};
use crate::format::{CsvReader, CsvReaderOptions};

/// `csvToRows`: rows from comma-separated values, the other way round from `sqlResultsToCSV`.
///
/// ```xml
/// <csvToRows name="read">
///   <csvInput from="csv"/><rows name="rows"/>
///   <delimiter value=";"/><nullDataStr value="\N"/><includeHeader value="true"/><escapeFields value="true"/>
///   <column name="id" type="int64"/><column name="price" type="decimal(10,2)"/>
/// </csvToRows>
/// ```
///
/// Instead of columns there may be `<inferTypes value="true"/>`; without either, everything is text.
#[derive(Debug)]
pub struct CsvToRows {
    csv: InputPort,
    rows: OutputPort,
    reader: CsvReader,
}

#[async_trait]
impl Activity for CsvToRows {
    const ELEMENT: &'static str = activities::CsvToRows::ELEMENT;
    const EFFECTS: Effects = Effects::Session;

    fn parse(fields: &mut Fields<'_>, setup: &mut Setup<'_>) -> Result<Self, DocumentError> {
        let read = activities::CsvToRows::read(fields)?;
        let csv = setup.reads(&read.csv_input);
        let rows = setup.writes(&read.rows, None);
        let options = CsvReaderOptions {
            delimiter: read.delimiter,
            null: read.null_data,
            header: read.include_header,
            escape: read.escape_fields,
            columns: read.columns,
        };
        let place = fields.element().position();
        let reader =
            CsvReader::new(options).map_err(|error| DocumentError::invalid(place, format!("`csvToRows`: {error}")))?;
        Ok(Self { csv, rows, reader })
    }

    async fn run(mut self, mut context: ActivityContext) -> Result<(), ActivityError> {
        let mut input = context.input(self.csv);
        let output = context.output(self.rows);
        let mut blocks = Vec::new();
        while let Some(block) = input.next().await? {
            self.reader.text(&expect_text(block)?, &mut blocks)?;
            for rows in blocks.drain(..) {
                output.send(Block::Rows(rows)).await?;
            }
        }
        self.reader.end(&mut blocks)?;
        for rows in blocks {
            output.send(Block::Rows(rows)).await?;
        }
        output.finish().await;
        Ok(())
    }
}
