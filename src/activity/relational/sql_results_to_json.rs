use async_trait::async_trait;

use super::written;
use crate::activity::{Activity, ActivityContext, ActivityError, Effects, InputPort, OutputPort, Setup};
use crate::document::activities::{self, ActivityElement};
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
    const ELEMENT: &'static str = activities::SqlResultsToJson::ELEMENT;
    const EFFECTS: Effects = Effects::Session;

    fn parse(fields: &mut Fields<'_>, setup: &mut Setup<'_>) -> Result<Self, DocumentError> {
        let read = activities::SqlResultsToJson::read(fields)?;
        let rows = setup.reads(&read.result_set);
        let content_type = match read.format {
            JsonForm::Array => "application/json",
            JsonForm::Lines => "application/x-ndjson",
        };
        let json = setup.writes(&read.json_output, Some(content_type));
        Ok(Self { rows, json, writer: JsonWriter::new(JsonOptions { form: read.format }) })
    }

    async fn run(self, mut context: ActivityContext) -> Result<(), ActivityError> {
        let (rows, output) = (context.input(self.rows), context.output(self.json));
        written::write(self.writer, rows, output).await
    }
}
