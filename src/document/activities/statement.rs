//! Statements: what `sqlQueryStatement`, `sqlUpdateStatement` and `openCursor` have in common.

use super::shape::{AttributeShape, ChildShape, ValueShape};
use super::{ElementWriter, TextOrStream};
use crate::document::{DocumentError, Element, Fields, Located};

/// A statement: on which data resource, with which parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlStatement {
    /// The name of the data resource; without it the first that is relational.
    pub resource: Option<Located<String>>,
    /// The values for the `?`, in the order in which streams give them.
    pub parameters: Vec<SqlParameter>,
    /// The text of the statement.
    pub expression: TextOrStream,
}

/// The value for a `?` of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlParameter {
    /// Which `?`, from 1.
    pub position: u32,
    /// The value; of a stream, each block is one.
    pub value: TextOrStream,
}

/// The attribute `resource` of a statement.
pub(super) const RESOURCE: AttributeShape =
    AttributeShape::new("resource", ValueShape::Name, "the name of the data resource; without it the first");

/// The attribute `position` of a parameter.
pub(super) const POSITION: AttributeShape = AttributeShape::new("position", ValueShape::SMALL_COUNT, "").required();

pub(super) const SQL_PARAMETER: ChildShape =
    ChildShape::text_or_stream("sqlParameter", "the value for the `?` of that position, counted from 1")
        .any_number()
        .attributes(&[POSITION]);

pub(super) const EXPRESSION: ChildShape = ChildShape::text_or_stream("expression", "the statement (up to 1 MiB)");

impl SqlStatement {
    pub(super) fn new(expression: TextOrStream) -> Self {
        Self { resource: None, parameters: Vec::new(), expression }
    }

    /// Adds the value for the next `?`.
    pub(super) fn add(&mut self, value: TextOrStream) {
        let position = u32::try_from(self.parameters.len() + 1).unwrap_or(u32::MAX);
        self.parameters.push(SqlParameter { position, value });
    }

    pub(super) fn read(fields: &mut Fields<'_>) -> Result<Self, DocumentError> {
        let resource = read_resource(fields)?;
        let parameters = read_positions(fields, |_, fields| TextOrStream::read(fields))?;
        let parameters = parameters.into_iter().map(|(position, value)| SqlParameter { position, value }).collect();
        let expression = TextOrStream::read(fields.required_child("expression")?.fields())?;
        Ok(Self { resource, parameters, expression })
    }

    pub(super) fn write(&self, into: &mut ElementWriter) {
        into.optional("resource", self.resource.as_ref().map(|resource| &resource.value));
        for parameter in &self.parameters {
            into.child("sqlParameter", |element| {
                element.attribute("position", parameter.position);
                parameter.value.write(element);
            });
        }
        into.child("expression", |element| self.expression.write(element));
    }
}

/// The attribute `resource`.
pub(super) fn read_resource(fields: &mut Fields<'_>) -> Result<Option<Located<String>>, DocumentError> {
    let Some(name) = fields.attribute("resource") else { return Ok(None) };
    Ok(Some(Located::new(name.name()?.into(), name.position())))
}

/// Reads every `sqlParameter`, and what is in it by `read`. Their positions are 1, 2, 3 … in any order, without a gap.
pub(super) fn read_positions<'a, T>(
    fields: &mut Fields<'a>,
    mut read: impl FnMut(&'a Element, Fields<'a>) -> Result<T, DocumentError>,
) -> Result<Vec<(u32, T)>, DocumentError> {
    let elements = fields.children("sqlParameter");
    let mut taken = vec![false; elements.len()];
    let mut all = Vec::with_capacity(elements.len());
    for element in elements {
        let mut parameter = element.fields();
        let value = parameter.required_attribute("position")?;
        let position: u32 = value.integer(1..=u32::MAX)?;
        let content = read(element, parameter)?;
        let Some(taken) = taken.get_mut(position as usize - 1) else {
            return Err(value.error(format!(
                "contradictory positions: {} parameters have the positions 1 to {0}, and this one has {position}",
                taken.len()
            )));
        };
        if std::mem::replace(taken, true) {
            return Err(
                value.error(format!("contradictory positions: a second `sqlParameter` of position {position}"))
            );
        }
        all.push((position, content));
    }
    Ok(all)
}
