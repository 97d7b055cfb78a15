//! What goes into a body.

use super::ComposeError;
use super::uri::push_pair;
use crate::ingest::Json;
use crate::ingest::settings::ValuePath;

/// The members of a body, in order.
#[derive(Default)]
pub(super) struct Body {
    members: Vec<(Box<str>, Json)>,
    /// What was placed by a path: in a form, the path is the name.
    placed: Vec<(Box<str>, ValuePath, Json)>,
}

impl Body {
    pub(super) fn is_empty(&self) -> bool {
        self.members.is_empty() && self.placed.is_empty()
    }

    /// Adds a member; one of that name that is there already is replaced.
    pub(super) fn set(&mut self, name: &str, value: Json) {
        set(&mut self.members, name, value);
    }

    /// Adds a value of a parameter at a place of its own.
    pub(super) fn place(&mut self, parameter: &str, path: &ValuePath, value: Json) {
        self.placed.push((parameter.into(), path.clone(), value));
    }

    /// As a form.
    pub(super) fn into_form(self) -> String {
        let mut form = String::new();
        for (name, value) in &self.members {
            push_pair(&mut form, name, &value.to_text());
        }
        for (_, path, value) in &self.placed {
            push_pair(&mut form, &path.to_string(), &value.to_text());
        }
        form
    }

    /// As a JSON object.
    pub(super) fn into_json(self) -> Result<String, ComposeError> {
        let mut members = self.members;
        for (parameter, path, value) in self.placed {
            place(&mut members, &path, value)
                .ok_or_else(|| ComposeError::Body { parameter, path: path.to_string().into() })?;
        }
        Ok(Json::Object(members).to_string())
    }
}

/// Puts a value where a path leads; objects on the way are made. `None`: what is there is no object.
fn place(members: &mut Vec<(Box<str>, Json)>, path: &ValuePath, value: Json) -> Option<()> {
    let (last, way) = path.segments().split_last()?;
    let mut members = members;
    for step in way {
        let at = members.iter().position(|(name, _)| *name == step.name).unwrap_or(members.len());
        if at == members.len() {
            members.push((step.name.clone(), Json::Object(Vec::new())));
        }
        let Json::Object(inner) = &mut members[at].1 else { return None };
        members = inner;
    }
    set(members, &last.name, value);
    Some(())
}

fn set(members: &mut Vec<(Box<str>, Json)>, name: &str, value: Json) {
    match members.iter_mut().find(|(other, _)| **other == *name) {
        Some((_, old)) => *old = value,
        None => members.push((name.into(), value)),
    }
}
