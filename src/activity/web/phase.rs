//! Requests that belong to something larger: the phases of a job, the log-in of an ingestion.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use tokio_util::sync::CancellationToken;

use super::http_ingest::keep::{Keep, Kept, Known};
use super::http_ingest::outputs::Outputs;
use super::http_ingest::run::{Ended, Unit};
use super::http_ingest::shared::Shared;
use super::http_ingest::units;
use super::variables::Named;
use crate::activity::ActivityError;
use crate::document::{DocumentError, Position};
use crate::ingest::control::Occasion;
use crate::ingest::settings::{IngestSettings, OnTimeout};
use crate::resource::web::WebResource;
use crate::session::Clock;

/// What is created, cancelled, cleaned up or asked for once is so by one answer.
pub(in crate::activity::web) fn is_one_answer(
    name: &str,
    place: Position,
    settings: &IngestSettings,
) -> Result<(), DocumentError> {
    let paging = &settings.paging;
    let goes_on = settings.key.is_some() || paging.is_on || paging.total.is_some() || paging.next.is_some();
    if goes_on || !settings.stop.when.is_empty() || settings.stop.on_timeout != OnTimeout::Fail {
        let message = format!(
            "contradictory `{name}`: it is one request with one answer, so it has no `ms.session.key.field`, `ms.pagination`, \
             `ms.total.count.field`, `rejoin.next`, `rejoin.stop.when` and `rejoin.on.timeout`"
        );
        return Err(DocumentError::invalid(place, message));
    }
    Ok(())
}

/// What phases are sent with.
#[derive(Clone, Copy)]
pub(in crate::activity::web) struct Line<'a> {
    pub(in crate::activity::web) resource: &'a dyn WebResource,
    pub(in crate::activity::web) clock: &'a Arc<dyn Clock>,
    pub(in crate::activity::web) outputs: &'a Outputs,
}

impl<'a> Line<'a> {
    /// Goes through a phase: an ingestion with the variables of the phases before.
    pub(in crate::activity::web) fn phase(
        self,
        (name, hands_on): (&'static str, bool),
        settings: &'a IngestSettings,
        variables: &'a [Named],
        keep: &'a dyn Keep,
    ) -> BoxFuture<'a, Result<Ended, ActivityError>> {
        Box::pin(async move {
            self.outputs.begin_phase(name, hands_on);
            let mut unit = only_unit(settings, self.clock)?;
            unit.values.held.extend(variables.iter().cloned());
            let by = (self.clock, CancellationToken::new());
            let shared = Shared::new(settings, self.resource, (self.outputs, keep), by)?;
            unit.run(&shared).await
        })
    }
}

fn only_unit(settings: &IngestSettings, clock: &Arc<dyn Clock>) -> Result<Unit, ActivityError> {
    let mut units = units::of_none(settings, clock.wall())?;
    match (units.pop(), units.is_empty()) {
        (Some(unit), true) => Ok(unit),
        _ => Err(ActivityError::client(
            "HttpIngestFailed",
            "expected one window of time (`ms.watermark`), and there is none, or several",
        )),
    }
}

/// Nothing is kept: what is lost is asked for again.
pub(in crate::activity::web) struct KeepsNothing;

#[async_trait]
impl Keep for KeepsNothing {
    fn is_on(&self) -> bool {
        false
    }

    fn resume(&self, _: &str, _: Occasion) -> Known {
        Known::Nothing
    }

    async fn keep(&self, _: &str, _: Kept, _: bool) -> Result<(), ActivityError> {
        Ok(())
    }
}
