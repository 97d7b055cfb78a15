//! Rows without what they don't show.
//!
//! A slice of rows shares the buffers of what it was cut from. For most types Arrow's IPC writer writes only what the slice
//! shows; for the types of this file it would write the buffers whole, or take the wrong part of them.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, make_array};
use arrow_data::ArrayData;
use arrow_data::transform::MutableArrayData;
use arrow_schema::{ArrowError, DataType};
use arrow_select::dictionary::garbage_collect_any_dictionary;

/// The same rows, with columns that hold nothing else.
pub(super) fn compact(rows: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let schema = rows.schema();
    if !schema.fields().iter().any(|field| needs_copy(field.data_type())) {
        return Ok(rows.clone());
    }
    let columns = rows.columns().iter().map(compact_column).collect::<Result<_, _>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
    RecordBatch::try_new_with_options(schema, columns, &options)
}

fn compact_column(column: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    if !needs_copy(column.data_type()) {
        return Ok(Arc::clone(column));
    }
    let data = column.to_data();
    let mut copy = MutableArrayData::new(vec![&data], false, data.len());
    copy.try_extend(0, 0, data.len())?;
    Ok(make_array(prune(copy.freeze())?))
}

/// Whether the writer would write more than the array shows, or something else.
fn needs_copy(data_type: &DataType) -> bool {
    use DataType::{
        BinaryView, Dictionary, FixedSizeList, LargeList, LargeListView, List, ListView, Map, RunEndEncoded, Struct,
        Union, Utf8View,
    };
    match data_type {
        Utf8View | BinaryView | Dictionary(..) | ListView(_) | LargeListView(_) | Union(..) | RunEndEncoded(..) => true,
        List(item) | LargeList(item) | FixedSizeList(item, _) | Map(item, _) => needs_copy(item.data_type()),
        Struct(fields) => fields.iter().any(|field| needs_copy(field.data_type())),
        _ => false,
    }
}

/// Drops what a copy still shares: the text behind views, the values of a dictionary that no row has.
fn prune(data: ArrayData) -> Result<ArrayData, ArrowError> {
    match data.data_type() {
        DataType::Utf8View => Ok(make_array(data).as_string_view().gc().into_data()),
        DataType::BinaryView => Ok(make_array(data).as_binary_view().gc().into_data()),
        DataType::Dictionary(..) => {
            prune_children(garbage_collect_any_dictionary(make_array(data).as_any_dictionary())?.to_data())
        }
        _ => prune_children(data),
    }
}

fn prune_children(data: ArrayData) -> Result<ArrayData, ArrowError> {
    if !data.child_data().iter().any(|child| needs_copy(child.data_type())) {
        return Ok(data);
    }
    let children = data.child_data().iter().cloned().map(prune).collect::<Result<_, _>>()?;
    data.into_builder().child_data(children).build()
}
