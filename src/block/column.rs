//! What a column of rows says about where it comes from.

use std::collections::HashMap;

use arrow_schema::Field;

const TYPE_NAME: &str = "rejoin.typeName";
const TABLE: &str = "rejoin.table";
const COLUMN: &str = "rejoin.column";
const NULLABLE: &str = "rejoin.nullable";
const AUTO_INCREMENT: &str = "rejoin.autoIncrement";

/// Where a column of a result comes from, as far as the source knows: the metadata that its field carries from a data
/// resource to a format.
///
/// The field itself is always nullable, because an outer join puts NULL even where the column of the table refuses it.
///
/// ```
/// use arrow_schema::{DataType, Field};
/// use rejoin::block::ColumnOrigin;
///
/// let origin = ColumnOrigin { type_name: Some("VARCHAR(40)".into()), nullable: Some(false), ..ColumnOrigin::default() };
/// let field = Field::new("name", DataType::Utf8, true).with_metadata(origin.to_metadata());
/// assert_eq!(ColumnOrigin::of(&field), origin);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ColumnOrigin {
    /// The type by the name that the source declares, such as `VARCHAR(40)`.
    pub type_name: Option<String>,
    /// The table that holds the column; none for an expression.
    pub table: Option<String>,
    /// The name of the column in that table, where the result may give it another.
    pub column: Option<String>,
    /// Whether the column of the table takes NULL.
    pub nullable: Option<bool>,
    /// Whether the source makes up the values of the column.
    pub auto_increment: bool,
}

impl ColumnOrigin {
    /// Reads the origin from the metadata of a field.
    #[must_use]
    pub fn of(field: &Field) -> Self {
        let text = |key: &str| field.metadata().get(key).cloned();
        let flag = |key: &str| field.metadata().get(key).map(|value| value == "true");
        Self {
            type_name: text(TYPE_NAME),
            table: text(TABLE),
            column: text(COLUMN),
            nullable: flag(NULLABLE),
            auto_increment: flag(AUTO_INCREMENT).unwrap_or(false),
        }
    }

    /// The metadata that [`ColumnOrigin::of`] reads.
    #[must_use]
    pub fn to_metadata(&self) -> HashMap<String, String> {
        let texts = [(TYPE_NAME, &self.type_name), (TABLE, &self.table), (COLUMN, &self.column)];
        let mut metadata: HashMap<String, String> =
            texts.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value.clone()?))).collect();
        if let Some(nullable) = self.nullable {
            metadata.insert(NULLABLE.to_owned(), nullable.to_string());
        }
        if self.auto_increment {
            metadata.insert(AUTO_INCREMENT.to_owned(), "true".to_owned());
        }
        metadata
    }
}
