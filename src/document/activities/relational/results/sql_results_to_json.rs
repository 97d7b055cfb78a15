use crate::block::StreamType;
use crate::document::activities::shape::{self, ChildShape, Family, Shape, ValueShape};
use crate::document::activities::stream::{Rows, Text};
use crate::document::activities::words::{self, JsonForm};
use crate::document::activities::{ActivityElement, ElementWriter, FromStream, ToStream};
use crate::document::{DocumentError, Fields};

/// `sqlResultsToJSON`: rows as JSON objects.
///
/// ```
/// use rejoin::document::activities::{JsonForm, SqlResultsToJson};
///
/// assert_eq!(SqlResultsToJson::of("rows").lines().format, JsonForm::Lines);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlResultsToJson {
    /// The rows.
    pub result_set: FromStream<Rows>,
    /// The JSON.
    pub json_output: ToStream<Text>,
    /// What holds the objects; one array if nothing is said.
    pub format: JsonForm,
}

impl SqlResultsToJson {
    /// The JSON of rows.
    #[must_use]
    pub fn of(rows: impl Into<FromStream<Rows>>) -> Self {
        Self { result_set: rows.into(), json_output: ToStream::default(), format: JsonForm::Array }
    }

    /// The same with each object on a line of its own.
    #[must_use]
    pub fn lines(mut self) -> Self {
        self.format = JsonForm::Lines;
        self
    }
}

impl ActivityElement for SqlResultsToJson {
    const SHAPE: Shape = Shape::new(
        "sqlResultsToJSON",
        Family::Relational,
        "Writes rows as JSON objects, with the names of the columns as keys in their order.",
    )
    .children(&[
        ChildShape::input("resultSet", StreamType::Rows, ""),
        ChildShape::output("jsonOutput", StreamType::Text, "`application/json` or `application/x-ndjson`"),
        ChildShape::setting(
            "format",
            &shape::value(ValueShape::Choice(&words::words(&JsonForm::NAMES)), "array"),
            "whether the objects stand in one array, or each on a line of its own",
        ),
    ]);

    type Output = ToStream<Text>;

    fn read(fields: &mut Fields<'_>) -> Result<Self, DocumentError> {
        Ok(Self {
            result_set: fields.input("resultSet")?,
            json_output: fields.output("jsonOutput")?,
            format: fields.setting_or("format", JsonForm::Array, |value| value.choice(&JsonForm::NAMES))?,
        })
    }

    fn write(&self, into: &mut ElementWriter) {
        into.input("resultSet", &self.result_set);
        into.output("jsonOutput", &self.json_output);
        into.setting_unless("format", words::word(&JsonForm::NAMES, self.format), "array");
    }

    fn name_output(&mut self, step: &str) -> ToStream<Text> {
        self.json_output.name_after(step, "jsonOutput")
    }
}
