use async_trait::async_trait;

use super::option::option;
use super::{expect_rows, room_for_text};
use crate::activity::{Activity, ActivityContext, ActivityError, Effects, InputPort, OutputPort, PortType, Setup};
use crate::block::{Block, StreamType};
use crate::document::{DocumentError, Fields};
use crate::format::{JsonForm, JsonOptions, JsonWriter};

/// `sqlResultsToJSON`: rows as JSON objects, in one array or a line for each.
///
/// ```xml
/// <sqlResultsToJSON name="asJson"><resultSet from="rows"/><jsonOutput name="json"/><format value="lines"/></sqlResultsToJSON>
/// ```
#[derive(Debug)]
pub struct SqlResultsToJson {
    rows: InputPort,
    json: OutputPort,
    writer: JsonWriter,
}

#[async_trait]
impl Activity for SqlResultsToJson {
    const ELEMENT: &'static str = "sqlResultsToJSON";
    const EFFECTS: Effects = Effects::Session;

    fn parse(fields: &mut Fields<'_>, setup: &mut Setup<'_>) -> Result<Self, DocumentError> {
        let rows = setup.input(fields, "resultSet", StreamType::Rows)?;
        let json = fields.required_child("jsonOutput")?;
        let mut options = JsonOptions::default();
        if let Some(value) = option(fields, "format")? {
            options.form = value.choice(&JsonForm::NAMES)?;
        }
        let content_type = match options.form {
            JsonForm::Array => "application/json",
            JsonForm::Lines => "application/x-ndjson",
        };
        let json = setup.output_of(json, PortType::Is(StreamType::Text), Some(content_type))?;
        Ok(Self { rows, json, writer: JsonWriter::new(options) })
    }

    async fn run(mut self, mut context: ActivityContext) -> Result<(), ActivityError> {
        let mut input = context.input(self.rows);
        let output = context.output(self.json);
        let mut is_first = true;
        while let Some(block) = input.next().await? {
            let rows = expect_rows(block)?;
            let mut text = String::with_capacity(room_for_text(&rows));
            if std::mem::take(&mut is_first) {
                self.writer.begin(&rows.schema(), &mut text);
            }
            self.writer.rows(&rows, &mut text)?;
            if !text.is_empty() {
                output.send(Block::Text(text.into())).await?;
            }
        }
        let mut text = String::new();
        if is_first {
            // A statement whose parameters came from an empty stream never ran: no objects are still an array.
            self.writer.begin(&arrow_schema::Schema::empty(), &mut text);
        }
        self.writer.end(&mut text);
        if !text.is_empty() {
            output.send(Block::Text(text.into())).await?;
        }
        output.finish().await;
        Ok(())
    }
}
