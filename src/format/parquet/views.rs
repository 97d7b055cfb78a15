//! Texts and bytes of a file as views: rows refer to what stands in a page, which is written once, however many mean it.

use std::sync::Arc;

use arrow_schema::{DataType, Field, FieldRef, Schema};

/// The columns of a file as they are to be read.
pub(super) fn with_views(schema: &Schema) -> Schema {
    let fields = schema.fields().iter().map(viewed);
    Schema::new_with_metadata(fields.collect::<Vec<_>>(), schema.metadata().clone())
}

fn viewed(field: &FieldRef) -> FieldRef {
    match view_of(field.data_type()) {
        Some(data_type) => Arc::new(Field::clone(field).with_data_type(data_type)),
        None => Arc::clone(field),
    }
}

fn view_of(data_type: &DataType) -> Option<DataType> {
    Some(match data_type {
        DataType::Utf8 | DataType::LargeUtf8 => DataType::Utf8View,
        DataType::Binary | DataType::LargeBinary => DataType::BinaryView,
        DataType::Dictionary(_, values) => view_of(values)?,
        DataType::List(items) => DataType::List(viewed(items)),
        DataType::LargeList(items) => DataType::LargeList(viewed(items)),
        DataType::FixedSizeList(items, length) => DataType::FixedSizeList(viewed(items), *length),
        _ => return None,
    })
}
