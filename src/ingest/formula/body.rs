use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use cel::Value;
use cel::objects::{Key, Map};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// A JSON document as a value of CEL.
pub(super) struct Body(pub(super) Value);

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
        Ok(Body(Value::Null))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Body, E> {
        Ok(Body(Value::Bool(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Body, E> {
        Ok(Body(Value::Int(value)))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Body, E> {
        // An integer that is written in the formula is signed, so one that can be is.
        Ok(Body(i64::try_from(value).map_or(Value::UInt(value), Value::Int)))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Body, E> {
        Ok(Body(Value::Float(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Body, E> {
        Ok(Body(value.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Body, A::Error> {
        let mut list = Vec::new();
        while let Some(Body(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Body(Value::List(Arc::new(list))))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Body, A::Error> {
        let mut map = HashMap::new();
        while let Some((name, Body(value))) = members.next_entry::<String, Body>()? {
            map.insert(Key::from(name), value);
        }
        Ok(Body(Value::Map(Map { map: Arc::new(map) })))
    }
}
