//! What Parquet has no type for is text in it.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::IntervalMonthDayNanoType;
use arrow_array::{Array, ArrayRef, ListArray, StringArray};
use arrow_schema::{DataType, Field, Schema};

use crate::block::list_of;
use crate::format::text::push_interval;

/// The columns of a file for these columns: spans of time are text.
pub(super) fn textual_schema(schema: &Schema) -> Schema {
    let fields = schema.fields().iter().map(|field| match textual_type(field.data_type()) {
        Some(data_type) => Field::clone(field).with_data_type(data_type),
        None => Field::clone(field),
    });
    Schema::new(fields.collect::<Vec<_>>())
}

fn textual_type(data_type: &DataType) -> Option<DataType> {
    match data_type {
        DataType::Interval(_) => Some(DataType::Utf8),
        DataType::List(items) => textual_type(items.data_type()).map(list_of),
        _ => None,
    }
}

/// The values of a column for a file.
pub(super) fn textual_column(column: &ArrayRef) -> ArrayRef {
    match column.data_type() {
        DataType::Interval(_) => Arc::new(texts(column)),
        DataType::List(items) if textual_type(items.data_type()).is_some() => {
            let lists: &ListArray = column.as_list();
            let item = Arc::new(Field::new_list_field(DataType::Utf8, true));
            let items = Arc::new(texts(lists.values()));
            Arc::new(ListArray::new(item, lists.offsets().clone(), items, lists.nulls().cloned()))
        }
        _ => Arc::clone(column),
    }
}

fn texts(column: &dyn Array) -> StringArray {
    let spans = column.as_primitive::<IntervalMonthDayNanoType>().iter();
    let texts = spans.map(|span| {
        let mut text = String::new();
        push_interval(&mut text, span?);
        Some(text)
    });
    texts.collect()
}
