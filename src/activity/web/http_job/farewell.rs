//! What the remote service is told when nobody wants a job any more: to cancel it, and to clean up.

use std::time::Duration;

use super::parse::takes_any_answer;
use crate::activity::web::http_ingest::run::Ended;
use crate::activity::web::phase::{KeepsNothing, Line};
use crate::activity::web::variables::Named;
use crate::ingest::properties::Property;
use crate::ingest::settings::IngestSettings;

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

impl Line<'_> {
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
