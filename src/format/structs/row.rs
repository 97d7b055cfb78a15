//! One row, as `serde` sees it.

use serde::de::{DeserializeSeed, Deserializer, Error, IntoDeserializer, MapAccess, SeqAccess, Visitor};

use super::RowError;
use super::value::CellValue;
use crate::format::cells::Cells;

/// A row of a block.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    pub(super) names: &'a [&'a str],
    pub(super) cells: &'a [Cells<'a>],
    pub(super) index: usize,
}

impl<'a> Row<'a> {
    fn value(self, column: usize) -> CellValue<'a> {
        CellValue { cells: &self.cells[column], row: self.index }
    }

    /// Reads the only value of the row, where something that is neither struct nor tuple is wanted.
    fn single<T>(self, read: impl FnOnce(CellValue<'a>) -> Result<T, RowError>) -> Result<T, RowError> {
        match self.names {
            [name] => read(self.value(0)).map_err(|error| error.in_column(name)),
            names => {
                Err(RowError::custom(format!("there are {} columns: read them into a struct or a tuple", names.len())))
            }
        }
    }
}

/// Hands what is no struct, map or tuple on to the only value of the row.
macro_rules! by_the_only_value {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RowError> {
            self.single(|value| value.$method(visitor))
        })*
    };
}

impl<'de> Deserializer<'de> for Row<'_> {
    type Error = RowError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RowError> {
        self.deserialize_map(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RowError> {
        visitor.visit_map(Columns { row: self, next: 0 })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, RowError> {
        self.deserialize_map(visitor)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RowError> {
        visitor.visit_seq(Columns { row: self, next: 0 })
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, RowError> {
        if length != self.names.len() {
            let columns = self.names.len();
            return Err(RowError::custom(format!("there are {columns} columns, and {length} are wanted")));
        }
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, RowError> {
        self.deserialize_tuple(length, visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, RowError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RowError> {
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, RowError> {
        visitor.visit_unit()
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RowError> {
        visitor.visit_unit()
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, RowError> {
        self.single(|value| value.deserialize_enum(name, variants, visitor))
    }

    by_the_only_value! {
        deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128 deserialize_u8
        deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128 deserialize_f32 deserialize_f64 deserialize_char
        deserialize_str deserialize_string deserialize_bytes deserialize_byte_buf deserialize_option deserialize_identifier
    }
}

/// The columns of a row, one after the other.
struct Columns<'a> {
    row: Row<'a>,
    next: usize,
}

impl<'a> Columns<'a> {
    fn read<'de, S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, RowError> {
        let column = self.next;
        self.next += 1;
        let value: CellValue<'a> = self.row.value(column);
        seed.deserialize(value).map_err(|error| error.in_column(self.row.names[column]))
    }
}

impl<'de> MapAccess<'de> for Columns<'_> {
    type Error = RowError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, RowError> {
        let Some(name) = self.row.names.get(self.next) else { return Ok(None) };
        seed.deserialize((*name).into_deserializer()).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, RowError> {
        self.read(seed)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.row.names.len() - self.next)
    }
}

impl<'de> SeqAccess<'de> for Columns<'_> {
    type Error = RowError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, RowError> {
        if self.next == self.row.names.len() {
            return Ok(None);
        }
        self.read(seed).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.row.names.len() - self.next)
    }
}
