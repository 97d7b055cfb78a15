use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use cel::Value;
use cel::objects::{Key, Map};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use super::size::Size;

/// A JSON document as a value of CEL.
#[derive(Debug)]
pub(super) struct Body {
    pub(super) value: Value,
    pub(super) size: Size,
}

/// A value that is neither a text nor a list nor an object.
impl From<Value> for Body {
    fn from(value: Value) -> Self {
        Self { value, size: Size::SCALAR }
    }
}

impl<'de> Deserialize<'de> for Body {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(BodyVisitor)
    }
}

struct BodyVisitor;

impl<'de> Visitor<'de> for BodyVisitor {
    type Value = Body;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Body, E> {
        Ok(Value::Null.into())
    }

    fn visit_bool<E>(self, value: bool) -> Result<Body, E> {
        Ok(Value::Bool(value).into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Body, E> {
        Ok(Value::Int(value).into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Body, E> {
        // An integer that is written in the formula is signed, so one that can be is.
        Ok(i64::try_from(value).map_or(Value::UInt(value), Value::Int).into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Body, E> {
        Ok(Value::Float(value).into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Body, E> {
        Ok(Body { value: value.into(), size: Size::of_text(value) })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Body, A::Error> {
        let (mut list, mut size) = (Vec::new(), Size::SCALAR);
        while let Some(item) = items.next_element::<Body>()? {
            list.push(item.value);
            size.insert(item.size);
        }
        Ok(Body { size: size.of_length(list.len()), value: Value::List(Arc::new(list)) })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Body, A::Error> {
        let (mut map, mut size) = (HashMap::new(), Size::SCALAR);
        while let Some((name, member)) = members.next_entry::<String, Body>()? {
            size.insert(Size::of_text(&name));
            size.insert(member.size);
            map.insert(Key::from(name), member.value);
        }
        Ok(Body { size: size.of_length(map.len()), value: Value::Map(Map { map: Arc::new(map) }) })
    }
}
