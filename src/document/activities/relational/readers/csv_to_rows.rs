use crate::block::{RowType, StreamType};
use crate::document::activities::setting::character;
use crate::document::activities::shape::{self, AttributeShape, ChildShape, Family, Shape, ValueShape};
use crate::document::activities::stream::{Rows, Text};
use crate::document::activities::{ActivityElement, ElementWriter, FromStream, ToStream};
use crate::document::{DocumentError, Fields, Value};

/// `csvToRows`: rows from comma-separated values.
///
/// ```
/// use rejoin::block::RowType;
/// use rejoin::document::activities::{CsvColumns, CsvToRows};
///
/// let typed = CsvToRows::of("csv").header(true).column("id", RowType::of(&arrow_schema::DataType::Int64).unwrap());
/// assert!(matches!(typed.columns, CsvColumns::Declared(columns) if columns.len() == 1));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CsvToRows {
    /// The CSV.
    pub csv_input: FromStream<Text>,
    /// The rows.
    pub rows: ToStream<Rows>,
    /// What stands between two fields; a comma if nothing is said.
    pub delimiter: char,
    /// What stands for NULL; nothing if nothing is said.
    pub null_data: String,
    /// Whether the first record has the names of the columns; not if nothing is said.
    pub include_header: bool,
    /// Whether fields may be in quotes, with quotes doubled; yes if nothing is said.
    pub escape_fields: bool,
    /// The types of the columns.
    pub columns: CsvColumns,
}

/// What types the columns of CSV have, which does not say so itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum CsvColumns {
    /// All of them are text.
    #[default]
    Text,
    /// Names and types. With a header, a column is found by its name there, in any order, and those that are not named are
    /// text; without one, all columns are named in their order.
    Declared(Vec<(String, RowType)>),
    /// Guessed from the first rows, [`BLOCK_ROWS`](crate::block::BLOCK_ROWS) of them at the most: `int64`, `float64`,
    /// `boolean`, `date`, `timestamp`, or else text. What would not be written again as it was is text, such as `007` or
    /// `1.10`.
    Inferred,
}

impl CsvToRows {
    /// The rows of CSV, all columns of which are text.
    #[must_use]
    pub fn of(csv: impl Into<FromStream<Text>>) -> Self {
        Self {
            csv_input: csv.into(),
            rows: ToStream::default(),
            delimiter: ',',
            null_data: String::new(),
            include_header: false,
            escape_fields: true,
            columns: CsvColumns::Text,
        }
    }

    /// The same with or without the names of the columns before the rows.
    #[must_use]
    pub fn header(mut self, is_there: bool) -> Self {
        self.include_header = is_there;
        self
    }

    /// The same with a column more that has a type.
    #[must_use]
    pub fn column(mut self, name: impl Into<String>, row_type: RowType) -> Self {
        let mut columns = match self.columns {
            CsvColumns::Declared(columns) => columns,
            CsvColumns::Text | CsvColumns::Inferred => Vec::new(),
        };
        columns.push((name.into(), row_type));
        self.columns = CsvColumns::Declared(columns);
        self
    }

    /// The same with types that are guessed.
    #[must_use]
    pub fn infer_types(mut self) -> Self {
        self.columns = CsvColumns::Inferred;
        self
    }
}

impl CsvColumns {
    /// Any number of `column`, or `inferTypes`.
    fn read(fields: &mut Fields<'_>) -> Result<Self, DocumentError> {
        if let Some(value) = fields.setting("inferTypes")? {
            return Ok(if value.boolean()? { Self::Inferred } else { Self::Text });
        }
        let mut columns = Vec::new();
        for element in fields.children("column") {
            let mut column = element.fields();
            let name = column.required_attribute("name")?.as_str().to_owned();
            let row_type = column.attribute("type").map_or(Ok(RowType::TEXT), |value| row_type(&value))?;
            column.finish()?;
            columns.push((name, row_type));
        }
        Ok(if columns.is_empty() { Self::Text } else { Self::Declared(columns) })
    }

    fn write(&self, into: &mut ElementWriter) {
        match self {
            Self::Text => {}
            Self::Inferred => into.setting("inferTypes", true),
            Self::Declared(columns) => {
                for (name, row_type) in columns {
                    into.child("column", |column| {
                        column.attribute("name", name);
                        column.attribute("type", row_type);
                    });
                }
            }
        }
    }
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

impl ActivityElement for CsvToRows {
    const SHAPE: Shape = Shape::new(
        "csvToRows",
        Family::Relational,
        "Reads rows from comma-separated values: the other way round from `sqlResultsToCSV`.",
    )
    .children(&[
        ChildShape::input("csvInput", StreamType::Text, ""),
        ChildShape::output("rows", StreamType::Rows, ""),
        ChildShape::setting(
            "delimiter",
            &shape::value(ValueShape::Character, ","),
            "one character between two fields; not a quote or line break",
        ),
        ChildShape::setting(
            "nullDataStr",
            &shape::value(ValueShape::Text, ""),
            "what stands for NULL, unless it is in quotes",
        ),
        ChildShape::setting(
            "includeHeader",
            &shape::value(ValueShape::Boolean, "false"),
            "whether the first record has the names of the columns",
        ),
        ChildShape::setting(
            "escapeFields",
            &shape::value(ValueShape::Boolean, "true"),
            "whether fields may be in quotes, with quotes doubled",
        ),
        ChildShape::setting(
            "inferTypes",
            &shape::value(ValueShape::Boolean, "false"),
            "whether types are guessed from the first 1,024 rows",
        )
        .choice(1),
        ChildShape::new("column", "the type of a column: [its name](types.md#names-of-types)")
            .any_number()
            .choice(1)
            .attributes(&[
                AttributeShape::new("name", ValueShape::Text, "").required(),
                AttributeShape::new("type", ValueShape::RowType, "").default("text"),
            ]),
    ]);

    type Output = ToStream<Rows>;

    fn read(fields: &mut Fields<'_>) -> Result<Self, DocumentError> {
        Ok(Self {
            csv_input: fields.input("csvInput")?,
            rows: fields.output("rows")?,
            delimiter: fields.setting_or("delimiter", ',', character)?,
            null_data: fields.setting_or("nullDataStr", String::new(), |value| Ok(value.as_str().to_owned()))?,
            include_header: fields.setting_or("includeHeader", false, Value::boolean)?,
            escape_fields: fields.setting_or("escapeFields", true, Value::boolean)?,
            columns: CsvColumns::read(fields)?,
        })
    }

    fn write(&self, into: &mut ElementWriter) {
        into.input("csvInput", &self.csv_input);
        into.output("rows", &self.rows);
        into.setting_unless("delimiter", self.delimiter, ',');
        into.setting_unless("nullDataStr", &*self.null_data, "");
        into.setting_unless("includeHeader", self.include_header, false);
        into.setting_unless("escapeFields", self.escape_fields, true);
        self.columns.write(into);
    }

    fn name_output(&mut self, step: &str) -> ToStream<Rows> {
        self.rows.name_after(step, "rows")
    }
}
