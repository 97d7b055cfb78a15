use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::{CancellationToken, WaitForCancellationFuture};

use super::{ActivityError, Aftercare, InputPort, OutputPort, RequestInformation};
use crate::block::{Block, BlockReader, BlockWriter};
use crate::session::{AttributeValue, Clock, SessionAttributes, SystemClock};

/// What a service lends to the activities of all its requests.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// By which they wait.
    pub clock: Arc<dyn Clock>,
    /// What they leave to be done.
    pub aftercare: Aftercare,
}

/// The machine's clock, and an aftercare that nobody waits for.
impl Default for Surroundings {
    fn default() -> Self {
        Self { clock: Arc::new(SystemClock), aftercare: Aftercare::default() }
    }
}

/// What a running activity works with: its streams, the session, and the word that the request was cancelled.
#[derive(Debug)]
pub struct ActivityContext {
    inputs: Vec<Option<BlockReader>>,
    outputs: Vec<Option<BlockWriter>>,
    session_input: Option<BlockReader>,
    session: SessionAttributes,
    cancel: CancellationToken,
    request: Arc<RequestInformation>,
    surroundings: Surroundings,
}

impl ActivityContext {
    pub(crate) fn new(
        inputs: Vec<BlockReader>,
        outputs: Vec<BlockWriter>,
        session: SessionAttributes,
        cancel: CancellationToken,
    ) -> Self {
        Self {
            inputs: inputs.into_iter().map(Some).collect(),
            outputs: outputs.into_iter().map(Some).collect(),
            session_input: None,
            session,
            cancel,
            request: Arc::default(),
            surroundings: Surroundings::default(),
        }
    }

    /// For a request that is known.
    pub(crate) fn for_request(mut self, request: Arc<RequestInformation>) -> Self {
        self.request = request;
        self
    }

    /// With what the service lends.
    pub(crate) fn within(mut self, surroundings: Surroundings) -> Self {
        self.surroundings = surroundings;
        self
    }

    /// The request that the activity runs for.
    #[must_use]
    pub fn request(&self) -> &RequestInformation {
        &self.request
    }

    /// With the stream of the session that the activity takes in.
    pub(crate) fn with_session_input(mut self, reader: Option<BlockReader>) -> Self {
        self.session_input = reader;
        self
    }

    /// Takes the input that a client writes ([`Setup::session_input`](super::Setup::session_input)). Taken a second time, or not
    /// declared, it is empty.
    pub fn session_input(&mut self) -> Input {
        Input { reader: self.session_input.take() }
    }

    /// Takes an input. Taken a second time it is empty.
    pub fn input(&mut self, port: InputPort) -> Input {
        Input { reader: self.inputs.get_mut(port.0).and_then(Option::take) }
    }

    /// Takes an output. Taken a second time, or not asked for, it leads nowhere.
    pub fn output(&mut self, port: OutputPort) -> Output {
        Output { writer: port.0.and_then(|index| self.outputs.get_mut(index)).and_then(Option::take) }
    }

    /// The attributes of the session, as this request sees them.
    #[must_use]
    pub fn session(&self) -> &SessionAttributes {
        &self.session
    }

    /// Makes one attribute the session's at once, whatever becomes of the request: so that who comes after a failure, or after the
    /// loss of the process, goes on from there ([`SessionAttributes::checkpoint`]). In a session that ends with its request it is
    /// a change like any other.
    ///
    /// # Errors
    ///
    /// [`ActivityError::Attribute`] when the attribute can't be changed, [`ActivityError::Session`] when the session was lost,
    /// has ended, or can't be written; nothing has changed then.
    pub async fn checkpoint(&self, name: &str, value: impl Into<AttributeValue> + Send) -> Result<(), ActivityError> {
        Ok(self.session.checkpoint(name, value).await?)
    }

    /// Returns when the request has been cancelled. A future of `run` need not ask: it is dropped.
    pub fn cancelled(&self) -> WaitForCancellationFuture<'_> {
        self.cancel.cancelled()
    }

    /// The word of cancellation, to hand to a thread that blocks.
    #[must_use]
    pub fn cancellation(&self) -> &CancellationToken {
        &self.cancel
    }

    /// The clock of the service: where an activity has its deadlines and its waits from, so that a test can drive them.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.surroundings.clock
    }

    /// What is done after the request, whatever became of it.
    #[must_use]
    pub fn aftercare(&self) -> &Aftercare {
        &self.surroundings.aftercare
    }

    /// Waits, by the clock of the service.
    pub async fn sleep(&self, duration: Duration) {
        let clock = self.clock();
        clock.sleep_until(clock.now().after(duration)).await;
    }
}

/// An input of a running activity.
#[derive(Debug)]
pub struct Input {
    reader: Option<BlockReader>,
}

impl Input {
    /// The next block, or `None` at the end.
    ///
    /// # Errors
    ///
    /// [`ActivityError::InputBroken`] when the stream broke off.
    pub async fn next(&mut self) -> Result<Option<Block>, ActivityError> {
        match &mut self.reader {
            Some(reader) => Ok(reader.next().await?),
            None => Ok(None),
        }
    }

    /// The pipe itself, for a thread that may block; `None` when the input was taken before.
    #[must_use]
    pub fn into_reader(self) -> Option<BlockReader> {
        self.reader
    }
}

/// An output of a running activity.
#[derive(Debug)]
#[must_use = "an output that is dropped without finish() is a broken stream"]
pub struct Output {
    writer: Option<BlockWriter>,
}

impl Output {
    /// Sends a block, after waiting for room.
    ///
    /// # Errors
    ///
    /// [`ActivityError::ReaderGone`] when nobody reads any more.
    pub async fn send(&self, block: Block) -> Result<(), ActivityError> {
        match &self.writer {
            Some(writer) => Ok(writer.send(block).await?),
            None => Ok(()),
        }
    }

    /// Says that the stream is complete.
    pub async fn finish(self) {
        if let Some(writer) = self.writer {
            writer.finish().await;
        }
    }

    /// An output that nobody asked for: what is sent there goes nowhere.
    pub fn nowhere() -> Self {
        Self { writer: None }
    }

    /// The pipe itself, if somebody asked for this output.
    #[must_use]
    pub fn into_writer(self) -> Option<BlockWriter> {
        self.writer
    }
}
