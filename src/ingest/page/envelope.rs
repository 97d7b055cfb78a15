//! The few values of a JSON document that are asked for, found in one pass.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::record::Name;
use crate::ingest::settings::ValuePath;

/// Paths to look for, as a tree: each value is found by the number of its path.
#[derive(Debug, Clone, Default)]
pub(super) struct Paths {
    root: Node,
    count: usize,
}

#[derive(Debug, Clone, Default)]
struct Node {
    /// The paths that end here.
    ends: Vec<usize>,
    members: Vec<Member>,
}

#[derive(Debug, Clone)]
struct Member {
    name: Box<str>,
    index: Option<usize>,
    node: Node,
}

/// What was found, by the number of the path.
pub(super) type Found<'a> = Vec<Option<&'a RawValue>>;

impl Paths {
    /// Adds a path, and gives its number. Without a path, it is the whole document.
    pub(super) fn add(&mut self, path: Option<&ValuePath>) -> usize {
        let mut node = &mut self.root;
        for segment in path.map(ValuePath::segments).unwrap_or_default() {
            let known = node.members.iter().position(|member| member.name == segment.name);
            let at = known.unwrap_or_else(|| {
                // There are few, and they are held for long.
                node.members.reserve_exact(1);
                node.members.push(Member { name: segment.name.clone(), index: segment.index, node: Node::default() });
                node.members.len() - 1
            });
            node = &mut node.members[at].node;
        }
        node.ends.push(self.count);
        self.count += 1;
        self.count - 1
    }

    /// Looks for the values. What stands there twice counts as it stands the last time.
    ///
    /// # Errors
    ///
    /// The first thing that is not JSON.
    pub(super) fn find<'a>(&self, text: &'a str) -> Result<Found<'a>, serde_json::Error> {
        let mut found = vec![None; self.count];
        let mut deserializer = serde_json::Deserializer::from_str(text);
        Walk { node: &self.root, found: &mut found }.deserialize(&mut deserializer)?;
        deserializer.end()?;
        Ok(found)
    }
}

struct Walk<'n, 'f, 'a> {
    node: &'n Node,
    found: &'f mut Found<'a>,
}

impl<'de> DeserializeSeed<'de> for Walk<'_, '_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if self.node.ends.is_empty() {
            return deserializer.deserialize_any(self);
        }
        let raw: &'de RawValue = serde::Deserialize::deserialize(deserializer)?;
        for end in &self.node.ends {
            self.found[*end] = Some(raw);
        }
        if !self.node.members.is_empty() {
            let inner = serde_json::Deserializer::from_str(raw.get()).deserialize_any(self);
            inner.map_err(serde::de::Error::custom)?;
        }
        Ok(())
    }
}

impl<'de> Visitor<'de> for Walk<'_, '_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key_seed(Name)? {
            match self.node.members.iter().find(|member| *member.name == *name) {
                Some(member) => map.next_value_seed(Walk { node: &member.node, found: &mut *self.found })?,
                None => _ = map.next_value::<IgnoredAny>()?,
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        for index in 0.. {
            let member = self.node.members.iter().find(|member| member.index == Some(index));
            let next = match member {
                Some(member) => seq.next_element_seed(Walk { node: &member.node, found: &mut *self.found })?,
                None => seq.next_element::<IgnoredAny>()?.map(|_| ()),
            };
            if next.is_none() {
                break;
            }
        }
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(paths: &[&str], text: &str) -> Vec<Option<String>> {
        let mut wanted = Paths::default();
        for path in paths {
            wanted.add(ValuePath::parse(path).as_ref());
        }
        let found = wanted.find(text).unwrap();
        found.into_iter().map(|raw| raw.map(|raw| raw.get().to_owned())).collect()
    }

    #[test]
    fn r13_a_path_is_strict_and_counts_elements() {
        let text = r#"{"a": {"b": [{"c": 1.50}, {"c": "x"}]}, "status": "done", "n": {"0": true}}"#;
        let found = find(&["a.b.1.c", "a.b.0", "status", "result.status", "status.deep", "a.b.2", "n.0", "a"], text);
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            found,
            [
                some("\"x\""),
                some("{\"c\": 1.50}"),
                some("\"done\""),
                None,
                None,
                None,
                some("true"),
                some(r#"{"b": [{"c": 1.50}, {"c": "x"}]}"#)
            ]
        );
    }

    #[test]
    fn what_stands_there_twice_counts_the_last_time() {
        assert_eq!(find(&["a"], r#"{"a": 1, "a": 2}"#), [Some("2".to_owned())]);
    }

    #[test]
    fn everything_behind_is_read_too() {
        let mut wanted = Paths::default();
        wanted.add(ValuePath::parse("a").as_ref());
        for text in [r#"{"a": 1"#, r#"{"a": 1} x"#, r#"{"a": 1, "b": tru}"#, ""] {
            assert!(wanted.find(text).is_err(), "{text}");
        }
    }
}
