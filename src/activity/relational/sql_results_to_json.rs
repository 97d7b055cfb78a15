use async_trait::async_trait;

use super::option::option;
use super::written;
use crate::activity::{Activity, ActivityContext, ActivityError, Effects, InputPort, OutputPort, PortType, Setup};
use crate::block::StreamType;
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

    async fn run(self, mut context: ActivityContext) -> Result<(), ActivityError> {
        let (rows, output) = (context.input(self.rows), context.output(self.json));
        written::write(self.writer, rows, output).await
    }
}
