//! `httpJob`: a job of somebody else's HTTP service, from its creation to its results.
//!
//! Its phases are ingestions (see [`http_ingest`](super::http_ingest)) with settings of their own: [`parse`] reads them, [`run`] goes from
//! one to the next, [`variables`](super::variables) are what one tells the others, [`book`] keeps in the session how far the job has come, and
//! [`farewell`] is what the remote service is told when nobody wants the job any more. That is said whatever becomes of the
//! request: the job runs in a task of its own ([`Aftercare`](crate::activity::Aftercare)), which is told when the request
//! is dropped; and [`OpenJobs`] says it for jobs that a session has left open when it ends.

mod book;
mod error;
mod farewell;
mod open_jobs;
mod parse;
mod run;

use std::time::Duration;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::http_ingest::outputs::OutputPorts;
use super::variables::Variable;
use crate::activity::{Activity, ActivityContext, ActivityError, Requirement, Setup, WebSource};
use crate::document::{DocumentError, Fields};
use crate::ingest::settings::IngestSettings;

use farewell::Farewell;

pub use open_jobs::OpenJobs;

/// `httpJob`: creates a job of an HTTP service, waits for it, fetches its results and cleans up.
///
/// ```xml
/// <httpJob name="export" timeout="PT4H">
///   <create>
///     <property key="ms.source.uri">jobs</property>
///     <property key="ms.http.request.method">POST</property>
///     <variable name="id" path="id"/>
///   </create>
///   <poll>
///     <property key="ms.source.uri">jobs/{{id}}</property>
///     <property key="ms.session.key.field">{"name": "state", "condition": {"regexp": "done"}}</property>
///   </poll>
///   <fetch><property key="ms.source.uri">jobs/{{id}}/results</property></fetch>
///   <cancel>…</cancel>
///   <cleanUp>…</cleanUp>
///   <sessionState attribute="job"/>
///   <records name="rows"/> <json name="documents"/> <responses name="answers"/> <decisions name="log"/>
/// </httpJob>
/// ```
#[derive(Debug)]
pub struct HttpJob {
    job: Job,
    /// The session attribute that keeps how far it has come.
    state: Option<String>,
    ports: OutputPorts,
}

/// What a job is told.
#[derive(Debug)]
struct Job {
    source: WebSource,
    /// How long everything may take, from the create request.
    timeout: Duration,
    create: Phase,
    poll: Phase,
    fetch: Option<IngestSettings>,
    farewell: Farewell,
}

/// A phase that tells others something.
#[derive(Debug)]
struct Phase {
    settings: IngestSettings,
    variables: Vec<Variable>,
}

#[async_trait]
impl Activity for HttpJob {
    const ELEMENT: &'static str = "httpJob";
    const REQUIREMENT: Requirement = Requirement::Web;

    fn parse(fields: &mut Fields<'_>, setup: &mut Setup<'_>) -> Result<Self, DocumentError> {
        parse::parse(fields, setup)
    }

    async fn run(self, context: ActivityContext) -> Result<(), ActivityError> {
        let stop = CancellationToken::new();
        // However this future ends, the job is told.
        let _told = stop.clone().drop_guard();
        let work = context.aftercare().clone().spawn(run::run(self, context, stop));
        work.await.unwrap_or_else(|error| Err(ActivityError::server("Internal", format!("a job broke off: {error}"))))
    }
}
