//! How many bytes values have when they are written out, wherever they stand.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowDictionaryKeyType, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, OffsetSizeTrait};
use arrow_buffer::{ArrowNativeType, OffsetBuffer};
use arrow_schema::DataType;

/// Adds the sizes of the values of a column to those of the rows.
pub(super) fn add_sizes(array: &dyn Array, sizes: &mut [usize]) {
    match array.data_type() {
        DataType::Utf8 => add_lengths(array.as_string::<i32>().offsets(), sizes),
        DataType::LargeUtf8 => add_lengths(array.as_string::<i64>().offsets(), sizes),
        DataType::Binary => add_lengths(array.as_binary::<i32>().offsets(), sizes),
        DataType::LargeBinary => add_lengths(array.as_binary::<i64>().offsets(), sizes),
        DataType::Utf8View => add_views(array.as_string_view().views(), sizes),
        DataType::BinaryView => add_views(array.as_binary_view().views(), sizes),
        DataType::List(_) => add_items(array.as_list::<i32>().values(), array.as_list::<i32>().offsets(), sizes),
        DataType::LargeList(_) => add_items(array.as_list::<i64>().values(), array.as_list::<i64>().offsets(), sizes),
        DataType::FixedSizeList(..) => {
            let lists = array.as_fixed_size_list();
            let length = usize::try_from(lists.value_length()).unwrap_or(0);
            let offsets = OffsetBuffer::<i64>::from_repeated_length(length, lists.len());
            add_items(lists.values(), &offsets, sizes);
        }
        DataType::Dictionary(keys, _) => match keys.as_ref() {
            DataType::Int8 => add_looked_up::<Int8Type>(array, sizes),
            DataType::Int16 => add_looked_up::<Int16Type>(array, sizes),
            DataType::Int32 => add_looked_up::<Int32Type>(array, sizes),
            DataType::Int64 => add_looked_up::<Int64Type>(array, sizes),
            DataType::UInt8 => add_looked_up::<UInt8Type>(array, sizes),
            DataType::UInt16 => add_looked_up::<UInt16Type>(array, sizes),
            DataType::UInt32 => add_looked_up::<UInt32Type>(array, sizes),
            _ => add_looked_up::<UInt64Type>(array, sizes),
        },
        other => {
            let width = width(other);
            add(sizes, std::iter::repeat(width));
        }
    }
}

/// The bytes of values that all have as many.
fn width(data_type: &DataType) -> usize {
    match data_type {
        DataType::FixedSizeBinary(width) => usize::try_from(*width).unwrap_or(0),
        // NULL has an offset in a column of text.
        DataType::Null => size_of::<i32>(),
        other => other.primitive_width().unwrap_or(1),
    }
}

fn add(sizes: &mut [usize], of_rows: impl IntoIterator<Item = usize>) {
    for (size, of_row) in sizes.iter_mut().zip(of_rows) {
        *size = size.saturating_add(of_row);
    }
}

fn add_lengths<O: OffsetSizeTrait>(offsets: &OffsetBuffer<O>, sizes: &mut [usize]) {
    add(sizes, offsets.lengths());
}

/// A view begins with the length of its value.
fn add_views(views: &[u128], sizes: &mut [usize]) {
    add(sizes, views.iter().map(|view| usize::try_from(view & u128::from(u32::MAX)).unwrap_or(usize::MAX)));
}

/// Looks at the values of the keys alone: the dictionary may be much larger than the rows.
fn add_looked_up<K: ArrowDictionaryKeyType>(array: &dyn Array, sizes: &mut [usize]) {
    let dictionary = array.as_dictionary::<K>();
    let values = dictionary.values().as_ref();
    let keys = dictionary.keys();
    let of_rows = (0..keys.len()).map(|row| match keys.value(row).as_usize() {
        key if keys.is_valid(row) && key < values.len() => size_at(values, key),
        _ => 0,
    });
    add(sizes, of_rows);
}

/// The size of one value.
fn size_at(values: &dyn Array, index: usize) -> usize {
    let mut size = [0];
    add_sizes(&values.slice(index, 1), &mut size);
    size[0]
}

fn add_items<O: OffsetSizeTrait>(items: &dyn Array, offsets: &OffsetBuffer<O>, sizes: &mut [usize]) {
    let (Some(first), Some(last)) = (offsets.first(), offsets.last()) else { return };
    let (first, last) = (first.as_usize(), last.as_usize());
    let mut of_items = vec![0; last - first];
    add_sizes(&items.slice(first, last - first), &mut of_items);
    let mut of_items = of_items.into_iter();
    add(sizes, offsets.lengths().map(|length| of_items.by_ref().take(length).fold(0_usize, usize::saturating_add)));
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::types::Int32Type as Key;
    use arrow_array::{
        BinaryViewArray, DictionaryArray, FixedSizeListArray, Int64Array, ListArray, NullArray, StringArray,
    };
    use arrow_schema::Field;

    use super::*;

    fn sizes(array: &dyn Array) -> Vec<usize> {
        let mut sizes = vec![0; array.len()];
        add_sizes(array, &mut sizes);
        sizes
    }

    #[test]
    fn values_count_as_they_are_written_out() {
        let texts = StringArray::from(vec![Some("abc"), None, Some("")]);
        assert_eq!(sizes(&texts), [3, 0, 0]);
        assert_eq!(sizes(&texts.slice(1, 2)), [0, 0]);
        assert_eq!(sizes(&BinaryViewArray::from(vec![&[0_u8; 40][..], b"x"])), [40, 1]);
        let dictionary: DictionaryArray<Key> = vec![Some("abc"), None, Some("abc")].into_iter().collect();
        assert_eq!(sizes(&dictionary), [3, 0, 3]);
        assert_eq!(sizes(&Int64Array::from(vec![1, 2])), [8, 8]);
        assert_eq!(sizes(&NullArray::new(1)), [4]);
        let lists = ListArray::from_iter_primitive::<Key, _, _>([Some(vec![Some(1), None]), None, Some(vec![Some(3)])]);
        assert_eq!(sizes(&lists), [8, 0, 4]);
        assert_eq!(sizes(&lists.slice(2, 1)), [4]);
        let item = Arc::new(Field::new("item", DataType::Int64, true));
        let pairs = FixedSizeListArray::new(item, 2, Arc::new(Int64Array::from(vec![1, 2, 3, 4])), None);
        assert_eq!(sizes(&pairs.slice(1, 1)), [16]);
    }
}
