//! What the remote service is told when nobody wants a job any more: to cancel it, and to clean up.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::parse::takes_any_answer;
use super::variables::Named;
use crate::activity::web::http_ingest::keep::{Keep, Kept, Known};
use crate::activity::web::http_ingest::outputs::Outputs;
use crate::activity::web::http_ingest::run::{Ended, Shared};
use crate::activity::web::http_ingest::units;
use crate::activity::{ActivityError, web::http_ingest::run::Unit};
use crate::ingest::control::Occasion;
use crate::ingest::properties::Property;
use crate::ingest::settings::IngestSettings;
use crate::resource::web::WebResource;
use crate::session::Clock;

/// How long a farewell takes at the most, its repetitions included, where it does not say.
const TIMEOUT: Duration = Duration::from_secs(10);

/// However long a farewell may take, it takes no longer.
const LONGEST_TIMEOUT: Duration = Duration::from_mins(1);

/// The requests that end a job.
#[derive(Debug, Default)]
pub(super) struct Farewell {
    pub(super) cancel: Option<Cancel>,
    pub(super) clean_up: Option<Wording>,
}

/// `cancel`: the job is not wanted any more.
#[derive(Debug)]
pub(super) struct Cancel {
    pub(super) wording: Wording,
    /// Whether it is sent to a job that the remote service itself says has failed, too.
    pub(super) after_failure: bool,
}

/// A request whose answer is of no interest.
#[derive(Debug)]
pub(super) struct Wording {
    settings: IngestSettings,
    /// What it was read from.
    pub(super) own: Vec<Property>,
}

impl Wording {
    pub(super) fn new(mut settings: IngestSettings, own: Vec<Property>) -> Self {
        takes_any_answer(&mut settings);
        Self { settings, own }
    }
}

/// What phases are sent with.
#[derive(Clone, Copy)]
pub(super) struct Line<'a> {
    pub(super) resource: &'a dyn WebResource,
    pub(super) clock: &'a Arc<dyn Clock>,
    pub(super) outputs: &'a Outputs,
}

impl Line<'_> {
    /// Goes through a phase: an ingestion with the variables of the phases before.
    pub(super) async fn phase(
        self,
        (name, hands_on): (&'static str, bool),
        settings: &IngestSettings,
        variables: &[Named],
        keep: &dyn Keep,
    ) -> Result<Ended, ActivityError> {
        self.outputs.begin_phase(name, hands_on);
        let mut unit = only_unit(settings, self.clock)?;
        unit.values.secrets.extend(variables.iter().cloned());
        let by = (self.clock, CancellationToken::new());
        let shared = Shared::new(settings, self.resource, (self.outputs, keep), by)?;
        Box::pin(unit.run(&shared)).await
    }

    /// Sends a farewell, whoever listens. Answers with what became of it, for people.
    async fn say(self, name: &'static str, wording: &Wording, variables: &[Named]) -> Result<(), String> {
        let limit = wording.settings.pace.timeout.unwrap_or(TIMEOUT).min(LONGEST_TIMEOUT);
        let end = self.clock.sleep_until(self.clock.now().after(limit));
        let ended = tokio::select! {
            biased;
            ended = self.phase((name, false), &wording.settings, variables, &KeepsNothing) => ended,
            () = end => return Err(format!("no answer came within {} s", limit.as_secs_f64())),
        };
        match ended {
            Ok(Ended::Well | Ended::Later) => Ok(()),
            Ok(Ended::Failed { reason, .. }) => Err(reason),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Cancels a job, if that `is_wanted`, and cleans up. Answers with what became of that, for people.
    pub(super) async fn farewell(self, farewell: &Farewell, variables: &[Named], is_wanted: bool) -> String {
        // Whoever read the log may have left.
        self.outputs.tell_whoever_listens();
        let cancel = farewell.cancel.as_ref().filter(|_| is_wanted).map(|cancel| &cancel.wording);
        let mut notes = Vec::new();
        for (name, wording, well) in
            [("cancel", cancel, "it was cancelled"), ("cleanUp", farewell.clean_up.as_ref(), "")]
        {
            let Some(wording) = wording else { continue };
            match self.say(name, wording, variables).await {
                Ok(()) if well.is_empty() => {}
                Ok(()) => notes.push(well.to_owned()),
                Err(problem) => {
                    tracing::warn!(phase = name, problem, "a remote job was left as it is");
                    notes.push(format!("`{name}` failed: {problem}"));
                }
            }
        }
        notes.join("; ")
    }
}

fn only_unit(settings: &IngestSettings, clock: &Arc<dyn Clock>) -> Result<Unit, ActivityError> {
    let mut units = units::of_none(settings, clock.wall())?;
    match (units.pop(), units.is_empty()) {
        (Some(unit), true) => Ok(unit),
        _ => Err(ActivityError::client("HttpJobFailed", "a job is one unit: its window of time is empty, or several")),
    }
}

/// Nothing is kept: what is lost is asked for again.
pub(super) struct KeepsNothing;

#[async_trait::async_trait]
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
