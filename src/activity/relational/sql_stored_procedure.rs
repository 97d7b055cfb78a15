use async_trait::async_trait;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use futures_util::future::try_join;

use super::parameters::Parameters;
use crate::activity::{Activity, ActivityContext, ActivityError, Database, Output, OutputPort, Requirement, Setup};
use crate::block::{Block, Scalar, StreamType, pipe};
use crate::document::activities::{
    self, ActivityElement, ParameterMode as Mode, ProcedureArgument, ProcedureParameter,
};
use crate::document::{DocumentError, Element, Fields, Located};
use crate::resource::relational::{Argument, CallEnd, OutParameter, Parameter, ProcedureCall, SqlExecutor, TableName};

/// `sqlStoredProcedure`: calls a procedure or function of the database.
///
/// ```xml
/// <sqlStoredProcedure name="raise">
///   <procedure name="shop.raise_credit"/>
///   <sqlParameter position="1">10.5</sqlParameter>
///   <sqlParameter position="2" mode="inout" from="ids"/>
///   <sqlParameter position="3" mode="out"/>
///   <resultStream name="rows"/><outputParameters name="answer"/>
/// </sqlStoredProcedure>
/// ```
///
/// The rows that it gives are one stream; what it gives back in its parameters is another, of text, a block for each call:
/// `<procedureResult><outputParameter position="3" name="total">17</outputParameter><resultStream
/// updateCount="2"/></procedureResult>`. Where parameters come from streams, it is called once for each row of values.
#[derive(Debug)]
pub struct SqlStoredProcedure {
    database: Database,
    procedure: TableName,
    parameters: Parameters,
    modes: Vec<Mode>,
    rows: OutputPort,
    answers: OutputPort,
}

#[async_trait]
impl Activity for SqlStoredProcedure {
    const ELEMENT: &'static str = activities::SqlStoredProcedure::ELEMENT;
    const REQUIREMENT: Requirement = activities::SqlStoredProcedure::SHAPE.requires;

    fn parse(fields: &mut Fields<'_>, setup: &mut Setup<'_>) -> Result<Self, DocumentError> {
        let read = activities::SqlStoredProcedure::read(fields)?;
        let database = setup.relational_of(fields.element(), read.resource.as_ref())?;
        let procedure = TableName::parse(&read.procedure);
        let modes = modes(&read.parameters);
        let given = read.parameters.into_iter().map(|Located { value: parameter, position: place }| {
            let value = match parameter.argument {
                ProcedureArgument::In(value) | ProcedureArgument::InOut(value) => Some(value),
                ProcedureArgument::Out => None,
            };
            (place, parameter.position, value)
        });
        let parameters = Parameters::of(given, setup)?;
        let rows = setup.writes(&read.result_stream, None);
        let answers = setup.writes(&read.output_parameters, Some("application/xml"));
        Ok(Self { database, procedure, parameters, modes, rows, answers })
    }

    async fn run(self, mut context: ActivityContext) -> Result<(), ActivityError> {
        let outputs = (context.output(self.rows), context.output(self.answers));
        let statements = self.database.open(&context).await?;
        let caller = Caller { executor: statements.executor()?, procedure: self.procedure, modes: self.modes, outputs };
        if self.parameters.are_streamed() {
            let mut rows = self.parameters.open_for(&statements, &mut context).await?;
            while let Some(parameters) = rows.next().await? {
                caller.call(parameters, &context).await?;
            }
        } else {
            caller.call(self.parameters.given(), &context).await?;
        }
        let (rows, answers) = caller.outputs;
        rows.finish().await;
        answers.finish().await;
        Ok(())
    }
}

/// Which way the parameters go, by position.
fn modes(parameters: &[Located<ProcedureParameter>]) -> Vec<Mode> {
    let mut modes = vec![Mode::In; parameters.len()];
    for Located { value: parameter, .. } in parameters {
        if let Some(mode) = modes.get_mut(parameter.position as usize - 1) {
            *mode = match parameter.argument {
                ProcedureArgument::In(_) => Mode::In,
                ProcedureArgument::Out => Mode::Out,
                ProcedureArgument::InOut(_) => Mode::InOut,
            };
        }
    }
    modes
}

/// Calls the procedure, and hands on what it gives.
struct Caller<'a> {
    executor: &'a dyn SqlExecutor,
    procedure: TableName,
    modes: Vec<Mode>,
    /// Its rows, and what it gives back otherwise.
    outputs: (Output, Output),
}

impl Caller<'_> {
    async fn call(&self, parameters: Vec<Parameter>, context: &ActivityContext) -> Result<(), ActivityError> {
        let arguments = parameters.into_iter().zip(&self.modes).map(|(parameter, mode)| match mode {
            Mode::In => Argument::In(parameter),
            Mode::Out => Argument::Out,
            Mode::InOut => Argument::InOut(parameter),
        });
        let call = ProcedureCall { name: self.procedure.clone(), arguments: arguments.collect() };
        let (writer, mut reader) = pipe(StreamType::Rows);
        let calling = async {
            let end = self.executor.call(call, writer, context.cancellation().clone()).await?;
            Ok::<_, ActivityError>(end)
        };
        let handing_on = async {
            // A broken stream is told of by the call itself.
            while let Ok(Some(block)) = reader.next().await {
                self.outputs.0.send(block).await?;
            }
            Ok(())
        };
        let (end, ()) = try_join(calling, handing_on).await?;
        self.outputs.1.send(Block::Text(answer(&end)?.into())).await
    }
}

/// What a call gave back beside its rows, as XML.
fn answer(end: &CallEnd) -> Result<String, ActivityError> {
    let result = Element::new("procedureResult", None);
    let result = end.out.iter().fold(result, |result, parameter| result.with_child(output_parameter(parameter)));
    let stream = Element::new("resultStream", None).with_attribute("rows", end.rows);
    let stream = match end.update_count {
        Some(count) => stream.with_attribute("updateCount", count),
        None => stream,
    };
    let xml = result.with_child(stream).to_xml();
    let xml = xml.map_err(|error| ActivityError::client("FormatError", format!("an out-parameter: {error}")))?;
    Ok(xml.trim_end().to_owned())
}

/// As in a WebRowSet, NULL is an empty `null`, and bytes are base64.
fn output_parameter(parameter: &OutParameter) -> Element {
    let element = Element::new("outputParameter", None).with_attribute("position", parameter.position);
    let element = match &parameter.name {
        Some(name) => element.with_attribute("name", name),
        None => element,
    };
    let scalar = match &parameter.value {
        Parameter::Null => return element.with_child(Element::new("null", None)),
        Parameter::Bytes(bytes) => return element.with_text(BASE64_STANDARD.encode(bytes)),
        Parameter::Text(text) => Scalar::Text(text.clone()),
        Parameter::Integer(value) => Scalar::Integer(*value),
        Parameter::Real(value) => Scalar::Real(*value),
        Parameter::Boolean(value) => Scalar::Boolean(*value),
    };
    element.with_text(scalar.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_call_gives_back_is_told_by_position() {
        let values = [
            Parameter::Null,
            Parameter::from("a < b"),
            Parameter::Integer(-7),
            Parameter::Real(0.5),
            Parameter::Boolean(true),
            Parameter::Bytes((&b"\x00\xff"[..]).into()),
        ];
        let out = values.into_iter().zip(1..).map(|(value, position)| OutParameter {
            position,
            name: (position == 2).then(|| "note".to_owned()),
            value,
        });
        let end = CallEnd { rows: 3, out: out.collect(), update_count: Some(2) };
        let expected = "<procedureResult><outputParameter position=\"1\"><null/></outputParameter>\
            <outputParameter position=\"2\" name=\"note\">a &lt; b</outputParameter>\
            <outputParameter position=\"3\">-7</outputParameter><outputParameter position=\"4\">0.5</outputParameter>\
            <outputParameter position=\"5\">true</outputParameter><outputParameter position=\"6\">AP8=</outputParameter>\
            <resultStream rows=\"3\" updateCount=\"2\"/></procedureResult>";
        assert_eq!(flat(&answer(&end).unwrap()), expected);
    }

    #[test]
    fn a_call_that_gives_nothing_back_says_so() {
        let end = CallEnd::default();
        assert_eq!(flat(&answer(&end).unwrap()), "<procedureResult><resultStream rows=\"0\"/></procedureResult>");
    }

    #[test]
    fn a_text_that_xml_can_not_hold_is_an_error() {
        let out = OutParameter { position: 1, name: None, value: Parameter::from("\u{1}") };
        let error = answer(&CallEnd { rows: 0, out: vec![out], update_count: None }).unwrap_err();
        assert!(error.to_string().contains("U+0001"), "{error}");
    }

    fn flat(xml: &str) -> String {
        xml.lines().map(str::trim).collect()
    }
}
