//! The variables of one request, and what is filled in from them.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};

use super::{ComposeError, Values};
use crate::ingest::Json;
use crate::ingest::settings::{Parameter, ParameterValue, Template, TemplatePart, WatermarkForm, WatermarkSide};

/// The most bytes of all values that are filled in, in one request.
const LONGEST: usize = 16 << 20;

/// What a variable stands for at this moment.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Found {
    /// A value.
    Value(Json),
    /// None yet: it is left out, with what is made of it.
    NotYet,
    /// None at all: a column that is null, a name that nothing defines.
    Nothing,
}

/// The names and values that templates of one request see.
pub(super) struct Pool<'a> {
    parameters: HashMap<&'a str, &'a Parameter>,
    values: &'a Values,
    /// Parameters that were made already.
    made: RefCell<HashMap<&'a str, Found>>,
    /// Parameters that are being made.
    begun: RefCell<HashSet<&'a str>>,
    /// What headers, URI and authentication have named.
    taken: RefCell<HashSet<Box<str>>>,
    /// How many bytes may still be filled in.
    left: Cell<usize>,
}

impl<'a> Pool<'a> {
    pub(super) fn new(parameters: &'a [Parameter], values: &'a Values) -> Self {
        Self {
            parameters: parameters.iter().map(|parameter| (&*parameter.name, parameter)).collect(),
            values,
            made: RefCell::default(),
            begun: RefCell::default(),
            taken: RefCell::default(),
            left: Cell::new(LONGEST),
        }
    }

    /// Counts what is filled in at a place. A few lines may stand for any number of bytes: `{{a}}{{a}}` in `b`, `{{b}}{{b}}` in
    /// `c`, and so on.
    fn spend(&self, bytes: usize, place: &str) -> Result<(), ComposeError> {
        let left = self.left.get().checked_sub(bytes);
        self.left.set(left.ok_or_else(|| ComposeError::TooLong { place: place.into(), limit: LONGEST })?);
        Ok(())
    }

    /// Whether a header, the URI or the authentication has named the variable.
    pub(super) fn is_taken(&self, name: &str) -> bool {
        self.taken.borrow().contains(name)
    }

    /// What a variable stands for: a column of the unit before a parameter, that before a secret, that before the page.
    pub(super) fn find(&self, name: &str) -> Result<Found, ComposeError> {
        if let Some(value) = field(&self.values.fields, name) {
            return Ok(present(value));
        }
        if let Some((name, parameter)) = self.parameters.get_key_value(name) {
            return self.parameter(name, parameter);
        }
        Ok(self.outside(name))
    }

    /// What a name stands for where no parameter has it.
    fn outside(&self, name: &str) -> Found {
        let Values { fields, secrets, held, .. } = self.values;
        if let Some(value) = [fields, secrets, held].into_iter().find_map(|known| field(known, name)) {
            return present(value);
        }
        let page = &self.values.page;
        match name {
            "pagestart" => number(page.start),
            "pagesize" => number(page.size),
            "pageno" => number(page.number),
            "ms.source.uri" => match &self.values.address {
                Some(address) => Found::Value(Json::Text(address.clone())),
                None => Found::Nothing,
            },
            _ => Found::Nothing,
        }
    }

    fn parameter(&self, name: &'a str, parameter: &'a Parameter) -> Result<Found, ComposeError> {
        if let Some(found) = self.made.borrow().get(name) {
            return Ok(found.clone());
        }
        if !self.begun.borrow_mut().insert(name) {
            return Err(ComposeError::Circular { parameter: name.into() });
        }
        let found = self.value(&parameter.value, name)?;
        self.begun.borrow_mut().remove(name);
        self.made.borrow_mut().insert(name, found.clone());
        Ok(found)
    }

    /// What a parameter of that name is. A variable of its own name is not itself, but the column of that name.
    pub(super) fn value(&self, value: &'a ParameterValue, own: &str) -> Result<Found, ComposeError> {
        let page = &self.values.page;
        Ok(match value {
            ParameterValue::Text(template) => match self.text(template, own)? {
                Some(text) => Found::Value(Json::text(text)),
                None => Found::NotYet,
            },
            ParameterValue::Json(json) => self.json(json, own)?.map_or(Found::NotYet, Found::Value),
            ParameterValue::Object(parameters) => {
                let mut members = Vec::with_capacity(parameters.len());
                for parameter in parameters {
                    if let Found::Value(value) = self.value(&parameter.value, own)?
                        && !is_blank_key(parameter, &value)
                    {
                        members.push((parameter.name.clone(), value));
                    }
                }
                Found::Value(Json::Object(members))
            }
            ParameterValue::Session => match &self.values.key {
                Some(key) => Found::Value(Json::Text(key.clone())),
                None => Found::NotYet,
            },
            ParameterValue::PageStart => number(page.start),
            ParameterValue::PageSize => number(page.size),
            ParameterValue::PageNumber => number(page.number),
            ParameterValue::Watermark { side, form } => self.watermark(*side, form),
        })
    }

    fn watermark(&self, side: WatermarkSide, form: &WatermarkForm) -> Found {
        let Some(window) = self.values.window else { return Found::NotYet };
        let moment = match side {
            WatermarkSide::Low => window.low,
            WatermarkSide::High => window.high,
        };
        Found::Value(match form {
            WatermarkForm::DateTime { pattern, zone } => Json::text(pattern.format(zone.at(moment))),
            WatermarkForm::EpochSeconds => Json::from(moment.timestamp()),
            WatermarkForm::EpochMilliseconds => Json::from(moment.timestamp_millis()),
        })
    }

    /// JSON with its variables filled in; `None` where the whole of it is not there yet. Members and elements that are not
    /// there yet are left out.
    fn json(&self, json: &Json, own: &str) -> Result<Option<Json>, ComposeError> {
        Ok(Some(match json {
            Json::Text(text) => {
                let template = Template::parse(text);
                match self.structure(&template, own)? {
                    Some(structure) => structure,
                    None => match self.text(&template, own)? {
                        Some(text) => Json::text(text),
                        None => return Ok(None),
                    },
                }
            }
            Json::Array(elements) => {
                let mut filled = Vec::with_capacity(elements.len());
                for element in elements {
                    filled.extend(self.json(element, own)?);
                }
                Json::Array(filled)
            }
            Json::Object(members) => {
                let mut filled = Vec::with_capacity(members.len());
                for (name, value) in members {
                    filled.extend(self.json(value, own)?.map(|value| (name.clone(), value)));
                }
                Json::Object(filled)
            }
            other => other.clone(),
        }))
    }

    /// The array or object that a text stands for if it is one variable and nothing else.
    fn structure(&self, template: &Template, own: &str) -> Result<Option<Json>, ComposeError> {
        let [TemplatePart::Variable(name)] = template.parts() else { return Ok(None) };
        match self.inner(name, own)? {
            Found::Value(value) if value.is_structure() => {
                self.spend(value.to_string().len(), &place_of(own))?;
                Ok(Some(value))
            }
            _ => Ok(None),
        }
    }

    /// A text with its variables filled in, inside of a parameter's value.
    fn text(&self, template: &Template, own: &str) -> Result<Option<String>, ComposeError> {
        let mut filled = String::new();
        for part in template.parts() {
            match part {
                TemplatePart::Text(text) => filled.push_str(text),
                TemplatePart::Variable(name) => match self.inner(name, own)? {
                    Found::Value(value) => {
                        let text = value.to_text();
                        self.spend(text.len(), &place_of(own))?;
                        filled.push_str(&text);
                    }
                    Found::NotYet => return Ok(None),
                    Found::Nothing => {
                        return Err(ComposeError::Missing { variable: name.clone(), place: place_of(own).into() });
                    }
                },
            }
        }
        Ok(Some(filled))
    }

    fn inner(&self, name: &str, own: &str) -> Result<Found, ComposeError> {
        if name == own { Ok(self.outside(name)) } else { self.find(name) }
    }

    /// A template with its variables filled in and taken; `write` says how a value is written, and is told what stands before
    /// it. `None` where one of them has no value yet.
    pub(super) fn take(
        &self,
        template: &Template,
        place: &str,
        mut write: impl FnMut(&mut String, Piece<'_>),
    ) -> Result<Option<String>, ComposeError> {
        let mut filled = String::new();
        let mut is_whole = true;
        for part in template.parts() {
            match part {
                TemplatePart::Text(text) => write(&mut filled, Piece::Text(text)),
                TemplatePart::Variable(name) => {
                    self.taken.borrow_mut().insert(name.clone());
                    match self.find(name)? {
                        Found::Value(value) => {
                            let text = value.to_text();
                            self.spend(text.len(), place)?;
                            write(&mut filled, Piece::Value(&text));
                        }
                        Found::NotYet => is_whole = false,
                        Found::Nothing => {
                            return Err(ComposeError::Missing { variable: name.clone(), place: place.into() });
                        }
                    }
                }
            }
        }
        Ok(is_whole.then_some(filled))
    }
}

fn place_of(parameter: &str) -> String {
    format!("the parameter `{parameter}`")
}

/// A piece of a template that is being filled in.
pub(super) enum Piece<'a> {
    /// As it stands in the template.
    Text(&'a str),
    /// The value of a variable.
    Value(&'a str),
}

impl<'a> Piece<'a> {
    /// What it says, wherever it comes from.
    pub(super) fn plain(&self) -> &'a str {
        match self {
            Self::Text(text) | Self::Value(text) => text,
        }
    }
}

/// The empty text as session key: it fills templates, and is not sent elsewhere.
pub(super) fn is_blank_key(parameter: &Parameter, value: &Json) -> bool {
    matches!(parameter.value, ParameterValue::Session) && *value == Json::text("")
}

fn field<'a>(fields: &'a [(Box<str>, Json)], name: &str) -> Option<&'a Json> {
    fields.iter().find(|(other, _)| **other == *name).map(|(_, value)| value)
}

fn present(value: &Json) -> Found {
    if *value == Json::Null { Found::Nothing } else { Found::Value(value.clone()) }
}

fn number(value: Option<u64>) -> Found {
    value.map_or(Found::NotYet, |value| Found::Value(Json::from(value)))
}
