use arrow_array::RecordBatch;

use super::TableName;
use crate::format::{ColumnChoice, ColumnText};
use crate::resource::ResourceError;

/// Where a stream of rows is loaded into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BulkLoad {
    /// The table.
    pub table: TableName,
    /// Whether the table is made, with the columns of the rows, before they are loaded. One that is there is an error.
    pub create: bool,
    /// Whether all rows are loaded or none.
    pub transactionally: bool,
}

/// The values of a column as text, for a database that has no type for them.
pub(super) fn texts_of_column(rows: &RecordBatch, index: usize) -> Result<Vec<Option<String>>, ResourceError> {
    let mut texts = Vec::with_capacity(rows.num_rows());
    let told = ColumnText::new(rows.schema_ref(), &ColumnChoice::Number(index + 1))
        .and_then(|mut column| column.values(rows, |value| texts.push(value.map(str::to_owned))));
    told.map_err(|error| ResourceError::unsupported(error.to_string()))?;
    Ok(texts)
}
