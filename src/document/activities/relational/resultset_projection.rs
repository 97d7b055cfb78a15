use crate::block::StreamType;
use crate::document::activities::shape::{ChildShape, Family, Shape, ValueShape};
use crate::document::activities::stream::{Rows, Text};
use crate::document::activities::{ActivityElement, ElementWriter, FromStream, ToStream};
use crate::document::{DocumentError, Fields};

/// `resultsetProjection`: the values of one column.
///
/// ```
/// use rejoin::document::activities::{ColumnChoice, ResultsetProjection};
///
/// let towns = ResultsetProjection::of("rows", ColumnChoice::Name("town".into()));
/// assert_eq!(towns.attribute_values_output.name(), None);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultsetProjection {
    /// The rows.
    pub resultset_input: FromStream<Rows>,
    /// The column.
    pub column: ColumnChoice,
    /// Its values, each a block.
    pub attribute_values_output: ToStream<Text>,
}

/// Which column of rows is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ColumnChoice {
    /// The first of that name; where none has it exactly, the first that has it in other letter case.
    Name(String),
    /// The one at that place, from 1, as everywhere in SQL.
    Number(usize),
}

impl ResultsetProjection {
    /// The values of a column of rows.
    #[must_use]
    pub fn of(rows: impl Into<FromStream<Rows>>, column: ColumnChoice) -> Self {
        Self { resultset_input: rows.into(), column, attribute_values_output: ToStream::default() }
    }
}

impl ActivityElement for ResultsetProjection {
    const SHAPE: Shape = Shape::new(
        "resultsetProjection",
        Family::Relational,
        "Gives the values of one column as text, each a block of its own. A NULL has no text and is left out.",
    )
    .children(&[
        ChildShape::input("resultsetInput", StreamType::Rows, ""),
        ChildShape::text("attributeName", ValueShape::Text, "the column by its name").choice(1),
        ChildShape::text("attributeIndex", ValueShape::SMALL_COUNT, "the column by its number, from 1").choice(1),
        ChildShape::output("attributeValuesOutput", StreamType::Text, "a block for each value"),
    ]);

    type Output = ToStream<Text>;

    fn read(fields: &mut Fields<'_>) -> Result<Self, DocumentError> {
        let resultset_input = fields.input("resultsetInput")?;
        let chosen = fields.one_of(&["attributeName", "attributeIndex"])?;
        chosen.fields().finish_attributes()?;
        let column = match chosen.local_name() {
            "attributeName" => ColumnChoice::Name(chosen.text()?.trim().to_owned()),
            _ => ColumnChoice::Number(chosen.value()?.integer(1..=u32::MAX)? as usize),
        };
        Ok(Self { resultset_input, column, attribute_values_output: fields.output("attributeValuesOutput")? })
    }

    fn write(&self, into: &mut ElementWriter) {
        into.input("resultsetInput", &self.resultset_input);
        match &self.column {
            ColumnChoice::Name(name) => into.text_child("attributeName", name),
            ColumnChoice::Number(number) => into.text_child("attributeIndex", &number.to_string()),
        }
        into.output("attributeValuesOutput", &self.attribute_values_output);
    }

    fn name_output(&mut self, step: &str) -> ToStream<Text> {
        self.attribute_values_output.name_after(step, "attributeValuesOutput")
    }
}
