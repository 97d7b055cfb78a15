//! One request of an ingestion, and what is decided after it.

use super::download::Download;
use super::exchange::{Came, exchange};
use super::request::{constants, request, without_query};
use super::run::{Ended, Unit};
use super::secrets::Secrets;
use super::shared::Shared;
use crate::activity::ActivityError;
use crate::ingest::DecisionRow;
use crate::ingest::control::{Action, Decision, Outcome, PageSeen, Progress, Rule, Seen, creates, decide};

impl Unit {
    /// One request, and what is decided after it.
    pub(super) async fn step(
        &self,
        shared: &Shared<'_>,
        progress: &mut Progress,
        download: &mut Option<Box<Download<'_>>>,
    ) -> Result<Decision, ActivityError> {
        let values = self.values(shared.settings, progress);
        let made = request(shared, &values, progress.next.as_deref());
        let made = made.and_then(|request| Ok((constants(shared, &values, &request.uri)?, request)));
        let (constants, request) = match made {
            Ok(made) => made,
            Err(error) => return self.refuse(shared, progress, None, error).await,
        };
        let secrets = Secrets::of_request(&self.values.secrets, &request.headers);
        let (method, mut address) = (request.method.to_string(), without_query(&request.uri).to_owned());
        secrets.hide_in_address(&mut address);
        let creates = creates(shared.settings);
        if creates {
            self.keep(shared, progress, true, None).await?;
        }
        let sent = shared.occasion();
        progress.begin_request(shared.settings, sent);
        let came = match download {
            Some(download) => download.exchange(self, shared, progress, request, &constants).await,
            None => exchange(shared, progress, request, &constants).await,
        };
        let Came { seen, status, page } = match came {
            Err(error @ ActivityError::Authorization { .. }) => {
                if creates {
                    // It was not sent.
                    self.keep(shared, progress, false, None).await?;
                }
                return self.refuse(shared, progress, Some((method, address)), error).await;
            }
            came => came.map_err(|error| secrets.hide_in_error(error))?,
        };
        if let Some((mut page, body)) = page {
            shared.outputs.page(&mut page, &body).await?;
        }
        let decided = shared.occasion();
        let decision = decide(shared.settings, progress, &seen, decided);
        if let Some(Outcome::Failed { reason, .. }) = &mut progress.outcome {
            secrets.hide(reason);
        }
        self.keep(shared, progress, creates && may_have_created(&seen), download.as_deref_mut()).await?;
        let hidden = |mut text: String| {
            secrets.hide(&mut text);
            text
        };
        let row = DecisionRow {
            unit: self.index + 1,
            request: progress.requests,
            time: sent.wall,
            method,
            address,
            status,
            rows: if let Seen::Page(page) = &seen { page.records } else { 0 },
            key: if let Seen::Page(page) = &seen { Some(hidden(shortened(page.key.text()).into())) } else { None },
            rule: decision.rule.to_string(),
            action: decision.action.name(),
            wait: decision.action.not_before().map(|moment| moment.since(decided.moment)),
            note: note(progress, &seen, decision).map(hidden),
        };
        shared.outputs.decision(&row).await?;
        Ok(decision)
    }

    /// A request was not sent: it can't be made of its values, or leads where it may not. That is the end of its unit.
    async fn refuse(
        &self,
        shared: &Shared<'_>,
        progress: &Progress,
        request: Option<(String, String)>,
        error: ActivityError,
    ) -> Result<Decision, ActivityError> {
        let error = Secrets::of(&self.values.secrets).hide_in_error(error);
        let (method, address) = request.unwrap_or_default();
        let row = DecisionRow {
            unit: self.index + 1,
            request: progress.requests,
            time: shared.wall(),
            method,
            address,
            status: None,
            rows: 0,
            key: None,
            rule: "refused".to_owned(),
            action: Action::Fail.name(),
            wait: None,
            note: Some(error.to_string()),
        };
        shared.outputs.decision(&row).await?;
        Err(error)
    }

    /// It has failed before its first request, by what its file is to be.
    pub(super) async fn unsent(&self, shared: &Shared<'_>, mut reason: String) -> Result<Ended, ActivityError> {
        Secrets::of(&self.values.secrets).hide(&mut reason);
        let row = DecisionRow {
            unit: self.index + 1,
            request: 0,
            time: shared.wall(),
            method: shared.settings.request.method.to_string(),
            address: String::new(),
            status: None,
            rows: 0,
            key: None,
            rule: Rule::File.to_string(),
            action: Action::Fail.name(),
            wait: None,
            note: Some(reason.clone()),
        };
        shared.outputs.decision(&row).await?;
        Ok(Ended::Failed { rule: Rule::File, reason })
    }
}

/// Whether a request that creates something may have done so, and nobody has heard what became of it.
fn may_have_created(seen: &Seen) -> bool {
    match seen {
        Seen::Lost(lost) => !lost.never_sent,
        // It was well received, and what it says of what was created can't be read.
        Seen::Unreadable(_) => true,
        Seen::Page(_) | Seen::Warning(_) | Seen::Refused(_) | Seen::Stale(_) => false,
    }
}

/// A session key, as much of it as tells it from others: it may be a list of all there is.
fn shortened(key: &str) -> &str {
    const MOST: usize = 1024;
    &key[..key.floor_char_boundary(MOST)]
}

/// What went wrong or does not fit.
fn note(progress: &Progress, seen: &Seen, decision: Decision) -> Option<String> {
    match (&progress.outcome, seen) {
        (Some(Outcome::Failed { reason, .. }), _) => Some(reason.clone()),
        (Some(Outcome::Completed { conflict: Some(conflict), .. }), _) => Some(conflict.to_string()),
        (_, Seen::Page(PageSeen { note: Some(note), .. }) | Seen::Stale(note)) => Some(note.clone()),
        (_, Seen::Refused(refusal)) => Some(refusal.message.clone()),
        (_, Seen::Lost(lost)) => Some(lost.message.clone()),
        _ if matches!(decision.action, Action::Pause) => Some("goes on in a later request".to_owned()),
        _ => None,
    }
}
