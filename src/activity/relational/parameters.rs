//! `sqlParameter`: the values for the `?` of a statement or the parameters of a procedure, given in the document or by streams.

use std::collections::VecDeque;

use bytestring::ByteString;
use futures_util::future::try_join_all;

use super::parameter_form::ParameterForm;
use crate::activity::transform::expect_text;
use crate::activity::{ActivityContext, ActivityError, Input, InputPort, Setup, Statements};
use crate::block::StreamType;
use crate::document::{DocumentError, Element, Fields};
use crate::resource::relational::{Parameter, ParameterSender};

/// The parameters of a statement as the document gives them, in the order of the `?`.
#[derive(Debug, Default)]
pub(super) struct Parameters {
    /// By position.
    sources: Vec<Source>,
    /// Those that come from streams, in document order: the order in which one stream gives their values.
    from_streams: Vec<Streamed>,
}

/// A parameter whose values a stream gives.
#[derive(Debug)]
struct Streamed {
    /// From 0.
    position: usize,
    port: InputPort,
    form: ParameterForm,
}

#[derive(Debug)]
enum Source {
    Given(Parameter),
    Stream,
    /// A procedure gives it back.
    Nothing,
}

/// Which way the parameter of a procedure goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    In,
    Out,
    InOut,
}

impl Mode {
    const NAMES: [(&str, Self); 3] = [("in", Self::In), ("out", Self::Out), ("inout", Self::InOut)];
}

impl Parameters {
    /// Reads `<sqlParameter position="1">…</sqlParameter>` and `<sqlParameter position="2" from="s"/>`, any number of them. Each
    /// may say how its text is [read](ParameterForm).
    pub(super) fn parse(fields: &mut Fields<'_>, setup: &mut Setup<'_>) -> Result<Self, DocumentError> {
        Self::parse_each(fields, setup, |_, _, _| Ok(Mode::In))
    }

    /// The same for a procedure, where each may have a `mode`; gives the modes by position.
    pub(super) fn parse_with_modes(
        fields: &mut Fields<'_>,
        setup: &mut Setup<'_>,
    ) -> Result<(Self, Vec<Mode>), DocumentError> {
        let mut modes = Vec::new();
        let parameters = Self::parse_each(fields, setup, |element, parameter, position| {
            let mode = parameter.attribute("mode").map_or(Ok(Mode::In), |mode| mode.choice(&Mode::NAMES))?;
            let is_given = !element.is_blank() || element.attribute("from").is_some();
            if mode == Mode::Out && is_given {
                return Err(DocumentError::invalid(
                    element.position(),
                    "contradictory `sqlParameter`: one of the mode `out` is given no value",
                ));
            }
            modes.push((position, mode));
            Ok(mode)
        })?;
        modes.sort_by_key(|(position, _)| *position);
        Ok((parameters, modes.into_iter().map(|(_, mode)| mode).collect()))
    }

    /// Reads every parameter; `mode` reads what else its element says.
    fn parse_each<'a>(
        fields: &mut Fields<'a>,
        setup: &mut Setup<'_>,
        mut mode: impl FnMut(&'a Element, &mut Fields<'a>, usize) -> Result<Mode, DocumentError>,
    ) -> Result<Self, DocumentError> {
        let elements = fields.children("sqlParameter");
        let mut sources: Vec<Option<Source>> = Vec::new();
        sources.resize_with(elements.len(), || None);
        let mut from_streams = Vec::new();
        let mut streams: Vec<(String, InputPort)> = Vec::new();
        for element in elements {
            let mut parameter = element.fields();
            let position_value = parameter.required_attribute("position")?;
            let position = position_value.integer(1..=u32::MAX)? as usize;
            let mode = mode(element, &mut parameter, position)?;
            let form = ParameterForm::parse(&mut parameter)?;
            let from = parameter.attribute("from");
            parameter.finish_attributes()?;
            let Some(slot) = sources.get_mut(position - 1) else {
                return Err(position_value.error(format!(
                    "contradictory positions: {} parameters have the positions 1 to {0}, and this one has {position}",
                    sources.len()
                )));
            };
            if slot.is_some() {
                return Err(position_value
                    .error(format!("contradictory positions: a second `sqlParameter` of position {position}")));
            }
            *slot = Some(match from {
                Some(from) => {
                    setup.refuse_content_beside_from(element)?;
                    let port = match streams.iter().find(|(name, _)| *name == from.as_str().trim()) {
                        // Several parameters may take turns at one stream.
                        Some((_, port)) => *port,
                        None => setup.input_from(&from, StreamType::Text)?,
                    };
                    streams.push((from.as_str().trim().to_owned(), port));
                    from_streams.push(Streamed { position: position - 1, port, form });
                    Source::Stream
                }
                None if mode == Mode::Out => Source::Nothing,
                None => Source::Given(form.read(element.text()?.as_ref().into()).map_err(|problem| {
                    DocumentError::invalid(element.position(), format!("contradictory `sqlParameter`: {problem}"))
                })?),
            });
        }
        // Every slot is taken: there are as many slots as elements, and none was taken twice.
        Ok(Self { sources: sources.into_iter().flatten().collect(), from_streams })
    }

    /// Whether streams give any of them: then the statement runs once for every row that they give.
    pub(super) fn are_streamed(&self) -> bool {
        !self.from_streams.is_empty()
    }

    /// The one row of parameters that the document gives.
    pub(super) fn given(&self) -> Vec<Parameter> {
        let given = self.sources.iter().map(|source| match source {
            Source::Given(parameter) => parameter.clone(),
            Source::Stream | Source::Nothing => Parameter::Null,
        });
        given.collect()
    }

    /// Opens the streams.
    pub(super) fn open(self, context: &mut ActivityContext) -> StreamedRows {
        let mut inputs: Vec<(InputPort, Values)> = Vec::new();
        for Streamed { port, .. } in &self.from_streams {
            if inputs.iter().all(|(open, _)| open != port) {
                inputs.push((*port, Values::Coming(context.input(*port))));
            }
        }
        StreamedRows { parameters: self, inputs }
    }

    /// Opens the streams for statements that run on these. Where the database keeps to one statement at a time in a transaction,
    /// everything that the streams give is taken in first: a query of the same transaction that gives it would wait for the
    /// statement, and the statement for the query.
    pub(super) async fn open_for(
        self,
        statements: &Statements,
        context: &mut ActivityContext,
    ) -> Result<StreamedRows, ActivityError> {
        let mut rows = self.open(context);
        if statements.keep_to_one() {
            let gathering = rows.inputs.iter_mut().map(|(_, values)| values.gather());
            // Side by side: any of them may wait for another to end.
            try_join_all(gathering).await?;
        }
        Ok(rows)
    }
}

/// The rows of parameters that streams give.
#[derive(Debug)]
pub(super) struct StreamedRows {
    parameters: Parameters,
    inputs: Vec<(InputPort, Values)>,
}

/// The values of one stream.
#[derive(Debug)]
enum Values {
    Coming(Input),
    Gathered(VecDeque<ByteString>),
}

/// How many bytes of values are gathered of one stream.
const GATHERED_BYTES: usize = 64 * 1024 * 1024;

/// What a value takes beside its text.
const VALUE_BYTES: usize = 64;

impl Values {
    async fn next(&mut self) -> Result<Option<ByteString>, ActivityError> {
        match self {
            Self::Coming(input) => input.next().await?.map(expect_text).transpose(),
            Self::Gathered(values) => Ok(values.pop_front()),
        }
    }

    async fn gather(&mut self) -> Result<(), ActivityError> {
        let mut values = VecDeque::new();
        let mut bytes = 0;
        while let Some(value) = self.next().await? {
            bytes += value.len() + VALUE_BYTES;
            if bytes > GATHERED_BYTES {
                let message = "a stream gives more than 64 MiB of parameters, which this database needs to have all at once \
                               in a transaction: give them in several requests";
                return Err(ActivityError::client("TooManyParameters", message));
            }
            values.push_back(value);
        }
        *self = Self::Gathered(values);
        Ok(())
    }
}

impl StreamedRows {
    /// The next row, or `None` when the streams have ended.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<Parameter>>, ActivityError> {
        let mut row = self.parameters.given();
        for (index, Streamed { position, port, form }) in self.parameters.from_streams.iter().enumerate() {
            let Some((_, values)) = self.inputs.iter_mut().find(|(open, _)| open == port) else {
                return Err(ActivityError::InputBroken);
            };
            match values.next().await? {
                Some(value) => {
                    row[*position] = form.read(value).map_err(|problem| {
                        let message = format!("the parameter of position {}: {problem}", position + 1);
                        ActivityError::client("ValueInvalid", message)
                    })?;
                }
                None if index == 0 => return Ok(None),
                None => {
                    return Err(ActivityError::client(
                        "TooFewParameters",
                        format!("the stream for the parameter of position {} ended within a row", position + 1),
                    ));
                }
            }
        }
        Ok(Some(row))
    }

    /// Sends every row to an update. One that has failed takes no more: its own error says why.
    pub(super) async fn send_all(mut self, update: ParameterSender) -> Result<(), ActivityError> {
        while let Some(row) = self.next().await? {
            if update.send(row).await.is_err() {
                return Ok(());
            }
        }
        update.finish().await;
        Ok(())
    }
}
