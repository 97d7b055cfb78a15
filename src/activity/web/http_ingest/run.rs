//! One ingestion, from its first request to its end.

use std::sync::Arc;

use chrono::DateTime;

use super::credentials::Held;
use super::download::Download;
use super::keep::{Kept, Known};
use super::shared::Shared;
use super::units::Named;
use crate::activity::ActivityError;
use crate::ingest::control::{Action, Outcome, Progress, Rule, creates};
use crate::ingest::settings::Window;
use crate::ingest::variables::Values;

/// One ingestion: what is known before its first request.
#[derive(Debug)]
pub(in crate::activity::web) struct Unit {
    /// Which one, from 0.
    pub(in crate::activity::web) index: u64,
    /// What its progress is kept under.
    pub(in crate::activity::web) name: String,
    pub(in crate::activity::web) values: Values,
    /// The rows that bodies are made of, one for each request.
    pub(super) payload: Arc<[Vec<Named>]>,
}

/// How a unit has ended.
#[derive(Debug)]
pub(in crate::activity::web) enum Ended {
    /// It is complete.
    Well,
    /// It goes on later.
    Later,
    /// It has failed.
    Failed {
        /// By which rule.
        rule: Rule,
        /// What happened.
        reason: String,
    },
}

/// A unit before its first request.
enum Begun<'a> {
    /// It may be sent.
    Ready(Box<Progress>, Option<Box<Download<'a>>>),
    /// There is none.
    Ended(Ended),
}

impl Unit {
    /// Goes from request to request until it is complete, has failed, or has to go on later.
    pub(in crate::activity::web) async fn run(&mut self, shared: &Shared<'_>) -> Result<Ended, ActivityError> {
        // What is done once, or sends something, is in a box: so it gives back what it takes before the next request is waited for.
        let (mut progress, mut download) = match Box::pin(self.begin(shared)).await? {
            Begun::Ready(progress, download) => (progress, download),
            Begun::Ended(ended) => return Ok(ended),
        };
        let own = self.values.secrets.len();
        let mut turn = 0;
        let mut renews = true;
        loop {
            if renews {
                let Held { turn: now, values } = match Box::pin(shared.credentials.after(turn)).await? {
                    Ok(held) => held,
                    Err((rule, reason)) => return Ok(Ended::Failed { rule, reason }),
                };
                turn = now;
                self.values.secrets.truncate(own);
                self.values.secrets.extend(values);
            }
            let decision = Box::pin(self.step(shared, &mut progress, &mut download)).await?;
            if let Some(ended) = ended(&progress) {
                return Ok(ended);
            }
            if let Some(moment) = decision.action.not_before() {
                shared.sleep_until(moment).await;
            }
            renews = matches!(decision.action, Action::Retry { renews_credentials: true, .. });
        }
    }

    /// Finds out where it goes on, and waits until its first request may be sent.
    async fn begin<'a>(&mut self, shared: &'a Shared<'_>) -> Result<Begun<'a>, ActivityError> {
        let mut part = None;
        let mut progress = match shared.keeper.resume(&self.name, shared.occasion()) {
            Known::Done => return Ok(Begun::Ended(Ended::Well)),
            Known::Unknown => return Ok(Begun::Ended(unknown_outcome())),
            Known::Nothing => Progress::new(shared.settings),
            Known::Begun(kept) => {
                self.values.window = window_of(kept.window).or(self.values.window);
                part = kept.part;
                kept.progress
            }
        };
        progress.payloads = (!self.payload.is_empty()).then_some(self.payload.len() as u64);
        let place = u32::try_from(self.index).unwrap_or(u32::MAX);
        shared.sleep_until(shared.start.after(shared.settings.pace.unit_interval.saturating_mul(place))).await;
        if let Some(moment) = progress.not_before() {
            shared.sleep_until(moment).await;
        }
        let Some(downloads) = &shared.downloads else { return Ok(Begun::Ready(Box::new(progress), None)) };
        downloads.hold_back(&mut self.values);
        let values = self.values(shared.settings, &progress);
        match downloads.begin(self.index, shared.settings, &values, part) {
            Ok(download) => Ok(Begun::Ready(Box::new(progress), Some(Box::new(download)))),
            Err(reason) => Ok(Begun::Ended(self.unsent(shared, reason).await?)),
        }
    }

    /// Keeps how far it has come, and what there is of its file.
    pub(super) async fn keep(
        &self,
        shared: &Shared<'_>,
        progress: &Progress,
        is_sending: bool,
        download: Option<&mut Download<'_>>,
    ) -> Result<(), ActivityError> {
        if !shared.keeper.is_on() {
            return Ok(());
        }
        let part = download.and_then(|download| {
            download.keep();
            download.kept()
        });
        let window = self.values.window.map(|window| (window.low.timestamp_millis(), window.high.timestamp_millis()));
        let kept = Kept { progress: progress.clone(), window, is_sending, part };
        shared.keeper.keep(&self.name, kept, creates(shared.settings)).await
    }
}

fn window_of(millis: Option<(i64, i64)>) -> Option<Window> {
    let (low, high) = millis?;
    Some(Window { low: DateTime::from_timestamp_millis(low)?, high: DateTime::from_timestamp_millis(high)? })
}

fn unknown_outcome() -> Ended {
    let reason = "a request that creates something was sent, and what became of it is not known; it is not sent again: look at \
                  the remote service, then remove the session attribute of `sessionState`";
    Ended::Failed { rule: Rule::Transport, reason: reason.to_owned() }
}

fn ended(progress: &Progress) -> Option<Ended> {
    Some(match progress.outcome.as_ref()? {
        Outcome::Completed { .. } => Ended::Well,
        Outcome::Paused => Ended::Later,
        Outcome::Failed { rule, reason } => Ended::Failed { rule: *rule, reason: reason.clone() },
    })
}
