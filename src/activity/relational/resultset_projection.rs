use arrow_array::RecordBatch;
use async_trait::async_trait;
use bytestring::ByteString;

use super::expect_rows;
use crate::activity::{Activity, ActivityContext, ActivityError, Effects, InputPort, OutputPort, Setup};
use crate::block::Block;
use crate::document::activities::{self, ActivityElement};
use crate::document::{DocumentError, Fields};
use crate::format::{ColumnChoice, ColumnText};

/// `resultsetProjection`: the values of one column, each a block of text. A NULL has no text and is left out.
///
/// ```xml
/// <resultsetProjection name="col">
///   <resultsetInput from="rows"/><attributeIndex>2</attributeIndex><attributeValuesOutput name="names"/>
/// </resultsetProjection>
/// ```
///
/// The column is chosen by `attributeIndex`, counted from 1, or by `attributeName`.
#[derive(Debug)]
pub struct ResultsetProjection {
    rows: InputPort,
    column: ColumnChoice,
    values: OutputPort,
}

#[async_trait]
impl Activity for ResultsetProjection {
    const ELEMENT: &'static str = activities::ResultsetProjection::ELEMENT;
    const EFFECTS: Effects = Effects::Session;

    fn parse(fields: &mut Fields<'_>, setup: &mut Setup<'_>) -> Result<Self, DocumentError> {
        let read = activities::ResultsetProjection::read(fields)?;
        let rows = setup.reads(&read.resultset_input);
        Ok(Self { rows, column: read.column, values: setup.writes(&read.attribute_values_output, None) })
    }

    async fn run(self, mut context: ActivityContext) -> Result<(), ActivityError> {
        let mut input = context.input(self.rows);
        let output = context.output(self.values);
        let mut column = None;
        while let Some(block) = input.next().await? {
            let rows = expect_rows(block)?;
            let column = match &mut column {
                Some(column) => column,
                none => none.insert(ColumnText::new(rows.schema_ref(), &self.column)?),
            };
            for value in values_of(column, &rows)? {
                output.send(Block::Text(value)).await?;
            }
        }
        output.finish().await;
        Ok(())
    }
}

/// The values of a block of rows, as pieces of one text.
fn values_of(column: &mut ColumnText, rows: &RecordBatch) -> Result<Vec<ByteString>, ActivityError> {
    let mut all = String::new();
    let mut ends = Vec::with_capacity(rows.num_rows());
    column.values(rows, |value| {
        if let Some(value) = value {
            all.push_str(value);
            ends.push(all.len());
        }
    })?;
    let all = ByteString::from(all);
    let starts = std::iter::once(0).chain(ends.iter().copied());
    Ok(starts.zip(&ends).map(|(start, &end)| all.slice_ref(&all[start..end])).collect())
}
