//! One value of a row, as `serde` sees it.

use std::ops::Range;

use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error, IntoDeserializer, SeqAccess, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use super::RowError;
use crate::format::cells::{Cells, Plain, Values};
use crate::format::text::{Iso, push_base64};

/// The value of a column in a row.
#[derive(Clone, Copy)]
pub(super) struct CellValue<'a> {
    pub(super) cells: &'a Cells<'a>,
    pub(super) row: usize,
}

impl CellValue<'_> {
    fn is_null(self) -> bool {
        self.cells.is_null(self.row)
    }

    fn visit_plain<'de, V: Visitor<'de>>(self, plain: &Plain<'_>, visitor: V) -> Result<V::Value, RowError> {
        let row = self.row;
        match plain {
            Plain::Booleans(array) => visitor.visit_bool(array.value(row)),
            Plain::Int8(array) => visitor.visit_i8(array.value(row)),
            Plain::Int16(array) => visitor.visit_i16(array.value(row)),
            Plain::Int32(array) => visitor.visit_i32(array.value(row)),
            Plain::Int64(array) => visitor.visit_i64(array.value(row)),
            Plain::UInt8(array) => visitor.visit_u8(array.value(row)),
            Plain::UInt16(array) => visitor.visit_u16(array.value(row)),
            Plain::UInt32(array) => visitor.visit_u32(array.value(row)),
            Plain::UInt64(array) => visitor.visit_u64(array.value(row)),
            Plain::Float32(array) => visitor.visit_f32(array.value(row)),
            Plain::Float64(array) => visitor.visit_f64(array.value(row)),
            other => {
                let mut text = String::new();
                other.push::<Iso>(&mut text, row);
                visitor.visit_string(text)
            }
        }
    }
}

impl<'de> Deserializer<'de> for CellValue<'_> {
    type Error = RowError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RowError> {
        if self.is_null() {
            return visitor.visit_none();
        }
        match &self.cells.values {
            Values::Plain(plain) => self.visit_plain(plain, visitor),
            Values::Texts(array) => visitor.visit_str(array.value(self.row)),
            Values::Blobs(array) => {
                let mut text = String::new();
                push_base64(&mut text, array.value(self.row));
                visitor.visit_string(text)
            }
            Values::Mixed(array) => match std::str::from_utf8(array.value(self.row)) {
                Ok(text) => visitor.visit_str(text),
                Err(_) => visitor.visit_bytes(array.value(self.row)),
            },
            Values::Lists(lists) => visitor.visit_seq(Items { items: &lists.items, range: lists.range(self.row) }),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RowError> {
        if self.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, RowError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RowError> {
        match &self.cells.values {
            Values::Blobs(array) if !self.is_null() => visitor.visit_bytes(array.value(self.row)),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RowError> {
        self.deserialize_bytes(visitor)
    }

    /// Bytes go into a sequence of numbers as well: `Vec<u8>`.
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RowError> {
        match &self.cells.values {
            Values::Blobs(array) if !self.is_null() => {
                visitor.visit_seq(serde::de::value::SeqDeserializer::new(array.value(self.row).iter().copied()))
            }
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, RowError> {
        match &self.cells.values {
            Values::Texts(array) if !self.is_null() => visitor.visit_enum(Variant(array.value(self.row))),
            _ => self.deserialize_any(visitor),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string unit unit_struct tuple tuple_struct
        map struct identifier ignored_any
    }
}

/// The values of a list.
struct Items<'a> {
    items: &'a Cells<'a>,
    range: Range<usize>,
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = RowError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, RowError> {
        let Some(row) = self.range.next() else { return Ok(None) };
        seed.deserialize(CellValue { cells: self.items, row }).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.range.len())
    }
}

/// A text as the name of a variant without content.
struct Variant<'a>(&'a str);

impl<'de> EnumAccess<'de> for Variant<'_> {
    type Error = RowError;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), RowError> {
        Ok((seed.deserialize(self.0.into_deserializer())?, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'_> {
    type Error = RowError;

    fn unit_variant(self) -> Result<(), RowError> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, _: T) -> Result<T::Value, RowError> {
        Err(self.has_content())
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, RowError> {
        Err(self.has_content())
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], _: V) -> Result<V::Value, RowError> {
        Err(self.has_content())
    }
}

impl Variant<'_> {
    fn has_content(&self) -> RowError {
        RowError::custom(format!("`{}` is a text: it can't be a variant with content", self.0))
    }
}
