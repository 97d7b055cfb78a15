//! Rows into values of Rust, by `serde`.

mod error;
mod row;
mod value;

use arrow_array::RecordBatch;
use serde::de::DeserializeOwned;

use super::cells::Cells;

pub use error::RowError;
use row::Row;

/// Reads the rows of a block into values, which are put behind those that are there.
///
/// | a row becomes | by |
/// |---|---|
/// | a struct, a map | the names of the columns |
/// | a tuple, a sequence | the order of the columns |
/// | a single value, an `Option` of one | its only column |
///
/// Numbers and truth values are what they are. Texts are texts; so are decimals, dates, times and intervals, in the forms of ISO 8601
/// (`2026-11-21T08:00:00Z`). Bytes are bytes, and base64 where a text or anything is wanted; lists are sequences, NULL is `None`. A column that the struct does not have is
/// passed over.
///
/// # Errors
///
/// [`RowError`], which names row and column: the row by its place among the values, from 1.
///
/// ```
/// use std::sync::Arc;
/// use arrow_array::{Int64Array, RecordBatch, StringArray};
/// use rejoin::format::structs;
///
/// #[derive(Debug, PartialEq, serde::Deserialize)]
/// struct Customer {
///     id: u32,
///     name: Option<String>,
/// }
///
/// let ids = Arc::new(Int64Array::from(vec![7, 8]));
/// let names = Arc::new(StringArray::from(vec![Some("Ada"), None]));
/// let rows = RecordBatch::try_from_iter([("id", ids as _), ("name", names as _)])?;
///
/// let mut customers: Vec<Customer> = Vec::new();
/// structs(&rows, &mut customers)?;
/// assert_eq!(customers[0], Customer { id: 7, name: Some("Ada".into()) });
/// assert_eq!(customers[1], Customer { id: 8, name: None });
///
/// let mut pairs: Vec<(u8, Option<String>)> = Vec::new();
/// structs(&rows, &mut pairs)?;
/// assert_eq!(pairs[1], (8, None));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn structs<T: DeserializeOwned>(rows: &RecordBatch, into: &mut Vec<T>) -> Result<(), RowError> {
    let schema = rows.schema_ref();
    let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    let cells = schema.fields().iter().enumerate().map(|(index, field)| Cells::of(rows, index, field.data_type()));
    let cells = cells.collect::<Result<Vec<_>, _>>().map_err(|error| RowError::of_block(error.to_string()))?;
    into.reserve(rows.num_rows());
    for row in 0..rows.num_rows() {
        let value = T::deserialize(Row { names: &names, cells: &cells, index: row });
        // In a result of many blocks, the row is counted from its beginning.
        let number = into.len() + 1;
        into.push(value.map_err(|error| error.in_row(number))?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use arrow_array::{ArrayRef, Int64Array, StringArray};
    use serde::Deserialize;
    use serde_json::{Value, json};

    use super::*;
    use crate::format::samples::every_type;

    fn read<T: DeserializeOwned>(rows: &RecordBatch) -> Result<Vec<T>, RowError> {
        let mut values = Vec::new();
        structs(rows, &mut values).map(|()| values)
    }

    fn customers() -> RecordBatch {
        let ids: ArrayRef = Arc::new(Int64Array::from(vec![7, 300]));
        let names: ArrayRef = Arc::new(StringArray::from(vec![Some("Ada"), None]));
        RecordBatch::try_from_iter([("id", ids), ("name", names)]).unwrap()
    }

    fn only(column: ArrayRef) -> RecordBatch {
        RecordBatch::try_from_iter([("c", column)]).unwrap()
    }

    #[test]
    fn every_type_has_a_value() {
        let rows: Vec<BTreeMap<String, Value>> = read(&every_type()).unwrap();
        assert_eq!(rows.len(), every_type().num_rows());
        assert_eq!(rows[0].len(), every_type().num_columns());
        for (column, array) in every_type().columns().iter().enumerate() {
            let name = every_type().schema().field(column).name().clone();
            for (row, values) in rows.iter().enumerate() {
                assert_eq!(values[&name].is_null(), array.is_null(row), "{name}");
            }
        }
    }

    #[test]
    fn columns_that_nobody_wants_are_passed_over_and_those_that_lack_are_told() {
        #[derive(Debug, Deserialize, PartialEq)]
        struct Named {
            name: Option<String>,
        }
        #[derive(Debug, Deserialize)]
        struct Older {
            age: u8,
        }

        assert_eq!(read::<Named>(&customers()).unwrap()[1], Named { name: None });
        let older = read::<Older>(&customers()).map(|older| older.into_iter().map(|one| one.age).collect::<Vec<_>>());
        let error = older.unwrap_err().to_string();
        assert_eq!(error, "row 1: missing field `age`");
    }

    #[test]
    fn what_does_not_fit_is_told_with_row_and_column() {
        let error = read::<(u8, Option<String>)>(&customers()).unwrap_err().to_string();
        assert_eq!(error, "row 2, column `id`: invalid value: integer `300`, expected u8");
        let error = read::<(u16, String)>(&customers()).unwrap_err().to_string();
        assert_eq!(error, "row 2, column `name`: invalid type: Option value, expected a string");
        let error = read::<(u16,)>(&customers()).unwrap_err().to_string();
        assert!(error.starts_with("row 1: "), "{error}");
        let error = read::<i64>(&customers()).unwrap_err().to_string();
        assert_eq!(error, "row 1: there are 2 columns: read them into a struct or a tuple");
    }

    #[test]
    fn a_single_column_may_be_a_value_by_itself() {
        #[derive(Debug, Deserialize, PartialEq)]
        struct Id(i64);
        #[derive(Debug, Deserialize, PartialEq)]
        #[serde(rename_all = "lowercase")]
        enum Town {
            Oban,
        }

        let names = only(Arc::new(StringArray::from(vec![Some("Ada"), None])));
        assert_eq!(read::<Option<String>>(&names).unwrap(), [Some("Ada".to_owned()), None]);
        let ids = only(Arc::new(Int64Array::from(vec![7])));
        assert_eq!(read::<u8>(&ids).unwrap(), [7]);
        assert_eq!(read::<(u8,)>(&ids).unwrap(), [(7,)]);
        assert_eq!(read::<f64>(&ids).unwrap(), [7.0]);

        assert_eq!(read::<Id>(&ids).unwrap(), [Id(7)]);
        assert_eq!(read::<Town>(&only(Arc::new(StringArray::from(vec!["oban"])))).unwrap(), [Town::Oban]);
    }

    #[test]
    fn a_row_without_a_type_is_a_map() {
        assert_eq!(read::<Value>(&customers()).unwrap()[0], json!({"id": 7, "name": "Ada"}));
    }
}
