//! Statements: what `sqlQueryStatement`, `sqlUpdateStatement` and `openCursor` have in common.

use super::shape::{AttributeShape, ChildShape, ValueShape};
use super::{ElementWriter, SqlParameter, SqlValue, TextOrStream};
use crate::document::{DocumentError, Fields, Located};

/// A statement: on which data resource, with which parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlStatement {
    /// The name of the data resource; without it the first that is relational.
    pub resource: Option<Located<String>>,
    /// The values for the `?`, in the order in which streams give them.
    pub parameters: Vec<Located<SqlParameter>>,
    /// The text of the statement.
    pub expression: TextOrStream,
}

/// The attribute `resource` of a statement.
pub(super) const RESOURCE: AttributeShape =
    AttributeShape::new("resource", ValueShape::Name, "the name of the data resource; without it the first");

pub(super) const EXPRESSION: ChildShape = ChildShape::text_or_stream("expression", "the statement (up to 1 MiB)");

impl SqlStatement {
    pub(super) fn new(expression: TextOrStream) -> Self {
        Self { resource: None, parameters: Vec::new(), expression }
    }

    /// Adds the value for the next `?`.
    pub(super) fn add(&mut self, value: SqlValue) {
        let position = u32::try_from(self.parameters.len() + 1).unwrap_or(u32::MAX);
        self.parameters.push(SqlParameter { position, value }.into());
    }

    pub(super) fn read(fields: &mut Fields<'_>) -> Result<Self, DocumentError> {
        let resource = read_resource(fields)?;
        let parameters = SqlParameter::read_all(fields)?;
        let expression = TextOrStream::read(fields.required_child("expression")?.fields())?;
        Ok(Self { resource, parameters, expression })
    }

    pub(super) fn write(&self, into: &mut ElementWriter) {
        write_resource(self.resource.as_ref(), into);
        for Located { value: parameter, .. } in &self.parameters {
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

pub(super) fn write_resource(resource: Option<&Located<String>>, into: &mut ElementWriter) {
    into.optional("resource", resource.map(|resource| &resource.value));
}
