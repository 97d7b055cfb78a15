use crate::block::StreamType;
use crate::document::activities::parameter::{NULL, POSITION, TYPE, read_positions};
use crate::document::activities::shape::{AttributeShape, ChildShape, Family, Requirement, Shape, ValueShape};
use crate::document::activities::statement::{RESOURCE, read_resource, write_resource};
use crate::document::activities::stream::{Rows, Text};
use crate::document::activities::words::{self, ParameterMode};
use crate::document::activities::{ActivityElement, ElementWriter, SqlValue, ToStream};
use crate::document::{DocumentError, Element, Fields, Located};

/// `sqlStoredProcedure`: calls a procedure or function of the database.
///
/// ```
/// use rejoin::document::activities::{ProcedureArgument, SqlStoredProcedure};
///
/// let bill = SqlStoredProcedure::new("shop.bill").parameter(1443).out().output_parameters("sum");
/// assert_eq!(bill.parameters[1].value.argument, ProcedureArgument::Out);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlStoredProcedure {
    /// The name of the data resource; without it the first that is relational.
    pub resource: Option<Located<String>>,
    /// The name of the procedure, or `schema.name`.
    pub procedure: String,
    /// Its parameters.
    pub parameters: Vec<Located<ProcedureParameter>>,
    /// The rows that it gives.
    pub result_stream: ToStream<Rows>,
    /// What it gives back otherwise.
    pub output_parameters: ToStream<Text>,
}

/// A parameter of a procedure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcedureParameter {
    /// Which, from 1.
    pub position: u32,
    /// What the procedure is given.
    pub argument: ProcedureArgument,
}

/// What a procedure is given in a parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProcedureArgument {
    /// A value.
    In(SqlValue),
    /// Nothing: it gives something back.
    Out,
    /// A value, in place of which it gives another back.
    InOut(SqlValue),
}

impl SqlStoredProcedure {
    /// A call of a procedure.
    #[must_use]
    pub fn new(procedure: impl Into<String>) -> Self {
        Self {
            resource: None,
            procedure: procedure.into(),
            parameters: Vec::new(),
            result_stream: ToStream::default(),
            output_parameters: ToStream::default(),
        }
    }

    /// The call with a value for the next parameter.
    #[must_use]
    pub fn parameter(self, value: impl Into<SqlValue>) -> Self {
        self.argument(ProcedureArgument::In(value.into()))
    }

    /// The call with a next parameter that is given back.
    #[must_use]
    pub fn out(self) -> Self {
        self.argument(ProcedureArgument::Out)
    }

    /// The call with a value for the next parameter, in place of which another is given back.
    #[must_use]
    pub fn in_out(self, value: impl Into<SqlValue>) -> Self {
        self.argument(ProcedureArgument::InOut(value.into()))
    }

    fn argument(mut self, argument: ProcedureArgument) -> Self {
        let position = u32::try_from(self.parameters.len() + 1).unwrap_or(u32::MAX);
        self.parameters.push(ProcedureParameter { position, argument }.into());
        self
    }

    /// The call on the data resource of that name.
    #[must_use]
    pub fn resource(mut self, name: &str) -> Self {
        self.resource = Some(name.to_owned().into());
        self
    }

    /// The call with its rows in the stream of that name.
    #[must_use]
    pub fn result_stream(mut self, output: impl Into<ToStream<Rows>>) -> Self {
        self.result_stream = output.into();
        self
    }

    /// The call with what it gives back otherwise in the stream of that name.
    #[must_use]
    pub fn output_parameters(mut self, output: impl Into<ToStream<Text>>) -> Self {
        self.output_parameters = output.into();
        self
    }
}

impl ProcedureArgument {
    fn read<'a>(element: &'a Element, mut fields: Fields<'a>) -> Result<Self, DocumentError> {
        let mode = fields.attribute("mode").map_or(Ok(ParameterMode::In), |mode| mode.choice(&ParameterMode::NAMES))?;
        let is_given = !element.is_blank() || element.attribute("from").is_some();
        if mode == ParameterMode::Out && is_given {
            let message = "contradictory `sqlParameter`: one of the mode `out` is given no value";
            return Err(DocumentError::invalid(element.position(), message));
        }
        let value = SqlValue::read(fields)?;
        Ok(match mode {
            ParameterMode::In => Self::In(value),
            ParameterMode::Out => Self::Out,
            ParameterMode::InOut => Self::InOut(value),
        })
    }

    fn write(&self, into: &mut ElementWriter) {
        let (mode, value) = match self {
            Self::In(value) => (ParameterMode::In, Some(value)),
            Self::Out => (ParameterMode::Out, None),
            Self::InOut(value) => (ParameterMode::InOut, Some(value)),
        };
        into.unless_default("mode", words::word(&ParameterMode::NAMES, mode), "in");
        if let Some(value) = value {
            value.write(into);
        }
    }
}

impl ActivityElement for SqlStoredProcedure {
    const SHAPE: Shape =
        Shape::new("sqlStoredProcedure", Family::Relational, "Calls a procedure or function that the database stores.")
            .requires(Requirement::Relational)
            .attributes(&[RESOURCE])
            .children(&[
                ChildShape::new("procedure", "").attributes(&[AttributeShape::new(
                    "name",
                    ValueShape::NonEmptyText,
                    "its name, or `schema.name`",
                )
                .required()]),
                ChildShape::text_or_stream("sqlParameter", "a parameter; one of the mode `out` has no value")
                    .any_number()
                    .attributes(&[
                        POSITION,
                        AttributeShape::new(
                            "mode",
                            ValueShape::Choice(&words::words(&ParameterMode::NAMES)),
                            "which way it goes",
                        )
                        .default("in"),
                        TYPE,
                        NULL,
                    ]),
                ChildShape::output("resultStream", StreamType::Rows, "those that it gives").optional(),
                ChildShape::output(
                    "outputParameters",
                    StreamType::Text,
                    "`application/xml`: what it gives back otherwise",
                )
                .optional(),
            ]);

    type Output = ();

    fn read(fields: &mut Fields<'_>) -> Result<Self, DocumentError> {
        let resource = read_resource(fields)?;
        let mut element = fields.required_child("procedure")?.fields();
        let procedure = element.required_attribute("name")?.non_empty()?.value;
        element.finish()?;
        let parameters = read_positions(fields, ProcedureArgument::read)?.into_iter();
        let parameters = parameters
            .map(|(place, position, argument)| Located::new(ProcedureParameter { position, argument }, place))
            .collect();
        Ok(Self {
            resource,
            procedure,
            parameters,
            result_stream: fields.optional_output("resultStream")?,
            output_parameters: fields.optional_output("outputParameters")?,
        })
    }

    fn write(&self, into: &mut ElementWriter) {
        write_resource(self.resource.as_ref(), into);
        into.child("procedure", |procedure| procedure.attribute("name", &self.procedure));
        for Located { value: parameter, .. } in &self.parameters {
            into.child("sqlParameter", |element| {
                element.attribute("position", parameter.position);
                parameter.argument.write(element);
            });
        }
        into.optional_output("resultStream", &self.result_stream);
        into.optional_output("outputParameters", &self.output_parameters);
    }

    fn name_output(&mut self, _step: &str) {}
}
