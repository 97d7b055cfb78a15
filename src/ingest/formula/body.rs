use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use cel::Value;
use cel::objects::{Key, Map};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// A JSON document as a value of CEL.
#[derive(Debug)]
pub(super) struct Body {
    pub(super) value: Value,
    /// How many elements its longest list or object has.
    pub(super) longest: usize,
}

impl From<Value> for Body {
    fn from(value: Value) -> Self {
        Self { value, longest: 0 }
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
        Ok(Value::from(value).into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Body, A::Error> {
        let (mut list, mut longest) = (Vec::new(), 0);
        while let Some(item) = items.next_element::<Body>()? {
            list.push(item.value);
            longest = item.longest.max(longest);
        }
        Ok(Body { longest: longest.max(list.len()), value: Value::List(Arc::new(list)) })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Body, A::Error> {
        let (mut map, mut longest) = (HashMap::new(), 0);
        while let Some((name, member)) = members.next_entry::<String, Body>()? {
            map.insert(Key::from(name), member.value);
            longest = member.longest.max(longest);
        }
        Ok(Body { longest: longest.max(map.len()), value: Value::Map(Map { map: Arc::new(map) }) })
    }
}
