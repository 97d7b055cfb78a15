//! Activities: the steps of a perform document.
//!
//! An activity is written in two halves. [`Activity::parse`] reads its element into checked settings and declares what flows
//! in and out; nothing runs before every activity of the request has been parsed and every stream has been connected.
//! [`Activity::run`] then does the work, once, side by side with the others, between bounded pipes.
//!
//! The contract of `run`, by which the engine drives it:
//!
//! - Read inputs to their end, unless the rest is of no use; send blocks; end each output with [`Output::finish`]. An output
//!   that is dropped without it is a broken stream, and whoever reads it stops.
//! - Pass on [`ActivityError::ReaderGone`] and [`ActivityError::InputBroken`] with `?`: they are no failures of this activity.
//! - Work that blocks (files, an embedded database, compression) goes to `tokio::task::spawn_blocking`: the activities of a small
//!   request share a task, so one that holds its thread (also by `block_in_place`) stops the others.
//! - A request that is cancelled drops the future of `run` at its next `await`. What was handed to a blocking thread watches
//!   [`ActivityContext::cancelled`] itself.
//! - Session attributes are changed through [`ActivityContext::session`]; the changes count when the whole request completes.
//!
//! An activity of one's own, from outside of the crate, is in `examples/own_activity.rs`.

mod aftercare;
mod blocking;
mod context;
mod database;
mod error;
mod file_folder;
mod ports;
mod registry;
mod request;
mod setup;
mod web_source;

pub mod delivery;
pub mod relational;
pub mod session;
pub mod transform;
pub mod utility;
pub mod web;

pub use crate::document::activities::Requirement;
pub use aftercare::Aftercare;
pub use context::{ActivityContext, Input, Output, Surroundings};
pub use database::{Database, Statements};
pub use error::ActivityError;
pub use file_folder::FileFolder;
pub(crate) use ports::{Boundary, TransactionPart};
pub use ports::{InputPort, OutputPort, PortType, Ports};
pub(crate) use registry::RunActivity;
pub use registry::{ActivityFactory, ActivityRegistry, Effects, RunnableActivity};
pub use request::{RequestInformation, RequestedActivity};
pub use setup::{Properties, Setup};
pub use web_source::WebSource;

use async_trait::async_trait;

use crate::document::{DocumentError, Fields};

/// One kind of activity: what an element of a perform document means, and what it does.
///
/// ```
/// use async_trait::async_trait;
/// use rejoin::activity::{Activity, ActivityContext, ActivityError, OutputPort, Setup};
/// use rejoin::block::{Block, StreamType};
/// use rejoin::document::{DocumentError, Fields};
///
/// /// `<greet name="g"><whom>Ada</whom><output name="greeting"/></greet>`
/// struct Greet {
///     whom: String,
///     output: OutputPort,
/// }
///
/// #[async_trait]
/// impl Activity for Greet {
///     const ELEMENT: &'static str = "greet";
///
///     fn parse(fields: &mut Fields<'_>, setup: &mut Setup<'_>) -> Result<Self, DocumentError> {
///         let whom = fields.required_child("whom")?.text()?.into_owned();
///         let output = setup.optional_output(fields, "output", StreamType::Text)?;
///         Ok(Self { whom, output })
///     }
///
///     async fn run(self, mut context: ActivityContext) -> Result<(), ActivityError> {
///         let output = context.output(self.output);
///         output.send(Block::Text(format!("hello, {}", self.whom).into())).await?;
///         output.finish().await;
///         Ok(())
///     }
/// }
/// ```
#[async_trait]
pub trait Activity: Sized + Send + 'static {
    /// The name of the element.
    const ELEMENT: &'static str;

    /// What the activity needs beside the session: decides where it is available without being granted.
    const REQUIREMENT: Requirement = Requirement::Nothing;

    /// What the activity may change. A request that may be sent again, and that may change more than its session, is noted
    /// before it runs: should the service die meanwhile, nobody knows what became of that, and it is not run again.
    ///
    /// Say [`Effects::Session`] where nothing but the session and the answer can be changed. Data that are only read, from
    /// wherever, change nothing.
    const EFFECTS: Effects = Effects::Outside;

    /// Reads the element (all but the attribute `name`, which is the engine's) and declares inputs and outputs.
    ///
    /// What is not read from `fields` is refused after this returns.
    ///
    /// # Errors
    ///
    /// [`DocumentError`] at the first thing that is wrong.
    fn parse(fields: &mut Fields<'_>, setup: &mut Setup<'_>) -> Result<Self, DocumentError>;

    /// Does the work.
    ///
    /// # Errors
    ///
    /// [`ActivityError`], by who is to blame.
    async fn run(self, context: ActivityContext) -> Result<(), ActivityError>;
}
