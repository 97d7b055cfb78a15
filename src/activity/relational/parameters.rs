//! `sqlParameter`: the values for the `?` of a statement or the parameters of a procedure, given in the document or by streams.

use std::collections::VecDeque;

use bytestring::ByteString;
use futures_util::future::try_join_all;

use super::parameter_form::ParameterForm;
use crate::activity::transform::expect_text;
use crate::activity::{ActivityContext, ActivityError, Input, InputPort, Setup, Statements};
use crate::document::activities::{SqlParameter, SqlValue, TextOrStream};
use crate::document::{DocumentError, Located, Position};
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

impl Parameters {
    /// The parameters of a statement.
    pub(super) fn set_up(parameters: Vec<Located<SqlParameter>>, setup: &mut Setup<'_>) -> Result<Self, DocumentError> {
        let given = |Located { value, position }: Located<SqlParameter>| (position, value.position, Some(value.value));
        Self::of(parameters.into_iter().map(given), setup)
    }

    /// Those at that place, of that position, with a value unless something else is given back there.
    pub(super) fn of(
        parameters: impl ExactSizeIterator<Item = (Position, u32, Option<SqlValue>)>,
        setup: &mut Setup<'_>,
    ) -> Result<Self, DocumentError> {
        let mut sources: Vec<Source> = Vec::new();
        sources.resize_with(parameters.len(), || Source::Nothing);
        let mut from_streams = Vec::new();
        let mut streams: Vec<(Box<str>, InputPort)> = Vec::new();
        for (place, position, value) in parameters {
            let position = position as usize - 1;
            let (Some(slot), Some(value)) = (sources.get_mut(position), value) else { continue };
            let form = ParameterForm { value_type: value.value_type, null: value.null };
            *slot = match value.text {
                TextOrStream::Stream(stream) => {
                    let name = &stream.name().value;
                    let port = match streams.iter().find(|(known, _)| known == name) {
                        // Several parameters may take turns at one stream.
                        Some((_, port)) => *port,
                        None => setup.reads(&stream),
                    };
                    streams.push((name.clone(), port));
                    from_streams.push(Streamed { position, port, form });
                    Source::Stream
                }
                TextOrStream::Text(text) => Source::Given(form.read(text.into()).map_err(|problem| {
                    DocumentError::invalid(place, format!("contradictory `sqlParameter`: {problem}"))
                })?),
            };
        }
        Ok(Self { sources, from_streams })
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
