//! `httpIngest`: goes on with somebody else's HTTP session until it is complete, and gives what it brings.
//!
//! What is sent, what an answer means and what comes next is decided in [`ingest`](crate::ingest); here it is done: [`parse`]
//! reads the element, [`units`] says how many ingestions there are, and each is a [`run::Unit`], which goes from
//! [`step`] to step: it makes a [`request`], has it [`exchange`]d, hands on what came, keeps its progress, and waits by the clock of
//! the service.

mod credentials;
mod done;
mod download;
pub(super) mod error;
mod exchange;
pub(super) mod keep;
mod meant;
pub(super) mod outputs;
pub(super) mod parse;
mod request;
pub(super) mod run;
mod secrets;
pub(super) mod shared;
mod step;
pub(super) mod units;

use async_trait::async_trait;
use futures_util::StreamExt;
use futures_util::stream;

use crate::activity::{Activity, ActivityContext, ActivityError, FileFolder, InputPort, Requirement, Setup, WebSource};
use crate::document::activities::{self, ActivityElement, IngestState};
use crate::document::{DocumentError, Fields};
use crate::ingest::settings::IngestSettings;

use credentials::{Authenticate, Credentials};
use download::Downloads;
use error::{REFUSED, of_failure};
use keep::Keeper;
use outputs::{OutputPorts, Outputs};
use run::{Ended, Unit};
use shared::Shared;

/// `httpIngest`: session control over an HTTP service.
///
/// ```xml
/// <httpIngest name="pull">
///   <property key="ms.source.uri">/v1/records</property>
///   <property key="ms.session.key.field">{"name": "records.cursor"}</property>
///   <property key="ms.parameters">[{"name": "cursor", "type": "session"}]</property>
///   <authenticate>…</authenticate>
///   <sessionState attribute="pull"/>
///   <secondary from="rows"/>
///   <records name="rows2"/> <json name="documents"/> <responses name="answers"/> <decisions name="log"/>
/// </httpIngest>
/// ```
///
/// The properties are those of [`ingest::properties`](crate::ingest::properties), on top of those of the web resource. All
/// outputs may be left out.
#[derive(Debug)]
pub struct HttpIngest {
    source: WebSource,
    /// In a box: they are two kilobytes, and held as long as anything waits.
    settings: Box<IngestSettings>,
    authenticate: Option<Box<Authenticate>>,
    state: Option<IngestState>,
    secondary: Option<InputPort>,
    /// Where files go, if answers become files.
    folder: Option<FileFolder>,
    ports: OutputPorts,
}

#[async_trait]
impl Activity for HttpIngest {
    const ELEMENT: &'static str = activities::HttpIngest::ELEMENT;
    const REQUIREMENT: Requirement = activities::HttpIngest::SHAPE.requires;

    fn parse(fields: &mut Fields<'_>, setup: &mut Setup<'_>) -> Result<Self, DocumentError> {
        parse::parse(fields, setup)
    }

    async fn run(self, mut context: ActivityContext) -> Result<(), ActivityError> {
        let outputs = Outputs::take(&mut context, self.ports);
        let units = match self.secondary {
            Some(port) => Box::pin(units::of_rows(&self.settings, context.input(port), context.clock().wall())).await?,
            None => units::of_none(&self.settings, context.clock().wall())?,
        };
        let names = units.iter().map(|unit| unit.name.clone()).collect();
        let keeper = Keeper::open(self.state, names, &context)?;
        let downloads = self.folder.as_ref().zip(self.settings.download.as_ref());
        let downloads = downloads.map(|(folder, settings)| Downloads::new(folder, settings));
        let by = (context.clock(), context.cancellation().clone());
        let resource = self.source.resource()?;
        let credentials = Credentials::new(self.authenticate.as_deref(), resource, context.clock());
        let shared = Shared::new(&self.settings, resource, (&outputs, &keeper), by)?;
        let shared = shared.with_credentials(credentials).with_downloads(downloads);
        let ended = run_units(&shared, units).await?;
        Box::pin(outputs.finish(&self.settings)).await?;
        keeper.finish()?;
        judge(ended)
    }
}

/// Runs the units, so many side by side as may be. What each has failed by, if it has.
async fn run_units(shared: &Shared<'_>, units: Vec<Unit>) -> Result<Vec<Option<ActivityError>>, ActivityError> {
    let settings = shared.settings();
    let parallelism = usize::try_from(settings.units.parallelism.max(1)).unwrap_or(usize::MAX);
    // Each in a box: what runs them keeps room for one more than there are.
    let mut running = stream::iter(units)
        .map(|mut unit| Box::pin(async move { unit.run(shared).await }))
        .buffer_unordered(parallelism);
    let mut failures = Vec::new();
    while let Some(ended) = running.next().await {
        let failure = match ended {
            Ok(Ended::Well | Ended::Later) => None,
            Ok(Ended::Failed { rule, reason }) => Some(of_failure(rule, &reason)),
            Err(error) if is_of_one_unit(&error) => Some(error),
            Err(error) => return Err(error),
        };
        match failure {
            Some(failure) if settings.units.stops_at_failure => return Err(failure),
            Some(failure) => {
                tracing::warn!(code = failure.code(), "a unit of an ingestion has failed");
                failures.push(Some(failure));
            }
            None => failures.push(None),
        }
    }
    Ok(failures)
}

/// Whether an error is about a request that was not sent, and says nothing about those of other units.
fn is_of_one_unit(error: &ActivityError) -> bool {
    matches!(error, ActivityError::Authorization { .. }) || error.code() == REFUSED
}

/// The ingestion has failed if all of its units have. That some of several have stands in the decision log.
fn judge(failures: Vec<Option<ActivityError>>) -> Result<(), ActivityError> {
    if failures.iter().any(Option::is_none) {
        return Ok(());
    }
    failures.into_iter().flatten().next().map_or(Ok(()), Err)
}
