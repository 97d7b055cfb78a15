use async_trait::async_trait;

use super::option::{option, single_character};
use crate::activity::transform::expect_text;
use crate::activity::{Activity, ActivityContext, ActivityError, Effects, InputPort, OutputPort, Setup};
use crate::block::{Block, StreamType};
use crate::document::{DocumentError, Fields, Value};
use crate::format::{CsvColumns, CsvReader, CsvReaderOptions, RowType};

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
    const ELEMENT: &'static str = "csvToRows";
    const EFFECTS: Effects = Effects::Session;

    fn parse(fields: &mut Fields<'_>, setup: &mut Setup<'_>) -> Result<Self, DocumentError> {
        let csv = setup.input(fields, "csvInput", StreamType::Text)?;
        let rows = setup.output(fields, "rows", StreamType::Rows)?;
        let mut options = CsvReaderOptions::default();
        if let Some(value) = option(fields, "delimiter")? {
            options.delimiter = single_character(&value)?;
        }
        if let Some(value) = option(fields, "nullDataStr")? {
            value.as_str().clone_into(&mut options.null);
        }
        if let Some(value) = option(fields, "includeHeader")? {
            options.header = value.boolean()?;
        }
        if let Some(value) = option(fields, "escapeFields")? {
            options.escape = value.boolean()?;
        }
        options.columns = columns(fields)?;
        let element = fields.element();
        let reader = CsvReader::new(options)
            .map_err(|error| DocumentError::invalid(element.position(), format!("`csvToRows`: {error}")))?;
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

/// Any number of `column`, or `inferTypes`.
fn columns(fields: &mut Fields<'_>) -> Result<CsvColumns, DocumentError> {
    if let Some(value) = option(fields, "inferTypes")? {
        return Ok(if value.boolean()? { CsvColumns::Inferred } else { CsvColumns::Text });
    }
    let mut columns = Vec::new();
    for element in fields.children("column") {
        let mut column = element.fields();
        let name = column.required_attribute("name")?.as_str().to_owned();
        let row_type = match column.attribute("type") {
            Some(value) => row_type(&value)?,
            None => RowType::TEXT,
        };
        column.finish()?;
        columns.push((name, row_type));
    }
    Ok(if columns.is_empty() { CsvColumns::Text } else { CsvColumns::Declared(columns) })
}

fn row_type(value: &Value<'_>) -> Result<RowType, DocumentError> {
    let name = value.as_str().trim();
    RowType::from_name(name).ok_or_else(|| {
        if name.starts_with("decimal(") {
            let rule = "a decimal has 1 to 76 digits, and no more of them behind the point, such as decimal(10,2)";
            return value.error(format!("contradictory digits of `{name}`: {rule}"));
        }
        value.expected(format!("one of {}, or one of them with `[]` behind it", RowType::names().join(", ")))
    })
}
