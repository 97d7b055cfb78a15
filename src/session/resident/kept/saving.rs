//! Releases that are written before they take effect.

use futures_util::future::{Either, ready};
use tokio::sync::oneshot;

use super::encoding::writes;
use super::record::{Draft, Totals, ended_session, record};
use crate::session::clock::Time;
use crate::session::durable::{Errand, Outcome as Written};
use crate::session::resident::aftermath::{Aftermath, Ended};
use crate::session::resident::participation::Part;
use crate::session::resident::slot::Saving;
use crate::session::{
    AnswerRecord, AnswerShelf as _, AttributeWrite, Departure, Leaving, Outcome, Releasing, SaveSession, SessionError,
    SessionRecord, SessionWrite, StagedAttributes, StoreError, Verdict,
};

/// A request on its way out: its changes and its answer are written, then they are made, then the next one comes in.
struct Save {
    /// `None` once the session is given back.
    part: Option<Box<Part>>,
    outcome: Outcome,
    staged: StagedAttributes,
    /// When the request was done: the idle time runs from here.
    time: Time,
    /// The end of the session, if it ends with the request.
    end: Option<Ended>,
    departure: Departure,
    work: Work,
    answered: Option<oneshot::Sender<Result<Departure, SessionError>>>,
}

/// What is to be written.
enum Work {
    /// The session, with its changes and the answer of the request.
    Session { totals: Totals, attributes: Vec<AttributeWrite>, answer: Option<AnswerRecord>, sequence: Option<u64> },
    /// The answer alone: no store keeps the session, or the request only read.
    Answer(AnswerRecord),
    /// It was handed over, and this is what the record says.
    Drafted(Option<SessionRecord>),
}

impl Part {
    /// Releases a session that a store keeps, or whose answer it does.
    pub(in crate::session::resident) fn release_kept(self: Box<Self>, leaving: Leaving) -> Releasing {
        let commits = leaving.outcome == Outcome::Commit;
        let remembers = leaving.remember.is_some() && leaving.outcome != Outcome::Withdraw;
        let writes_session = !self.slot.implicit && self.fence.is_some() && commits;
        if !(writes_session || remembers) {
            return self.release_at_once(leaving);
        }
        match Save::begin(self, leaving) {
            Ok(save) => save.submit(),
            Err(over) => over,
        }
    }
}

impl Save {
    /// What there is to be written; or what came of the release, if that is nothing.
    fn begin(part: Box<Part>, leaving: Leaving) -> Result<Self, Releasing> {
        let time = part.shared.time();
        let saving = match part.fence {
            Some(fence) => {
                let ends = leaving.ends.or_else(|| part.end_of_session(leaving.outcome, time));
                part.slot.begin_save(fence, ends, leaving.outcome == Outcome::Commit, time)
            }
            None => Ok(Saving { base: part.slot.state().attributes.clone(), end: None }),
        };
        let Saving { base, end } = match saving {
            Ok(saving) => saving,
            Err(error) => return Err(release_lost(&part, leaving, error)),
        };
        let departure = match end {
            Some(ended) => Departure { ended: Some(ended.reason), ..Departure::default() },
            None => part.departure(time),
        };
        let Leaving { outcome, staged, remember, ends: _ } = leaving;
        let mut save =
            Self { part: Some(part), outcome, staged, time, end, departure, work: Work::Drafted(None), answered: None };
        // From here on, whatever happens, dropping it gives the session back.
        let sequence = remember.as_ref().and_then(|remember| remember.sequence);
        let account = remember.as_ref().map(|remember| remember.account);
        let answer = remember.map(|remember| {
            let record = remember.record(&departure);
            let until = end.filter(|_| record.session.is_some()).map(|_| time.now.after(save.retention()));
            AnswerRecord { until: until.unwrap_or(record.until), ..record }
        });
        if let (Some(part), Some(account), Some(answer)) = (&save.part, account, &answer) {
            part.shared.account(account, answer);
        }
        save.work = match (answer, save.writes_session()) {
            (Some(answer), false) => Work::Answer(answer),
            (answer, _) => match save.changes(&base) {
                Ok((totals, attributes)) => Work::Session { totals, attributes, answer, sequence },
                Err(error) => return Err(Either::Left(ready(save.finish(Err(error))))),
            },
        };
        Ok(save)
    }

    /// How long the end of the session is remembered.
    fn retention(&self) -> std::time::Duration {
        self.part.as_ref().map(|part| part.slot.policy.settings.retention).unwrap_or_default()
    }

    /// Whether there is anything of the session itself to be written.
    fn writes_session(&self) -> bool {
        self.part.as_ref().is_some_and(|part| !part.slot.implicit && part.fence.is_some())
    }

    fn changes(&self, base: &crate::session::AttributeSnapshot) -> Result<(Totals, Vec<AttributeWrite>), SessionError> {
        if self.outcome != Outcome::Commit {
            return Ok((Totals::of(base), Vec::new()));
        }
        // Of a session that ends with this nothing is kept.
        let attributes = if self.end.is_some() { Vec::new() } else { writes(base, &self.staged)? };
        Ok((Totals::with(base, &self.staged), attributes))
    }

    /// Hands it to the scribe. Whether anybody waits for the answer or not, it takes its course.
    fn submit(mut self) -> Releasing {
        let Some(part) = &self.part else {
            return Either::Left(ready(Err(SessionError::Conflict)));
        };
        let shared = std::sync::Arc::clone(&part.shared);
        let (answered, answer) = oneshot::channel();
        self.answered = Some(answered);
        match &shared.keeper {
            Some(keeper) => keeper.scribe.submit(Box::new(self)),
            None => drop(self),
        }
        Either::Right(Box::pin(async move { answer.await.unwrap_or_else(|_| Err(unwritten().into())) }))
    }

    fn draft_session(&mut self) -> Option<SaveSession> {
        let part = self.part.as_ref()?;
        let Work::Session { totals, attributes, answer, sequence } =
            std::mem::replace(&mut self.work, Work::Drafted(None))
        else {
            return None;
        };
        let mut state = part.slot.state();
        let is_new = state.ledger.as_ref().is_some_and(|ledger| !ledger.is_known());
        let draft = Draft { totals: &totals, released: self.time.now, now: self.time.now, done: part.anchors() };
        let mut record = record(&part.slot, &mut state, &draft)?;
        record.sequence = sequence.unwrap_or(record.sequence);
        if let Some(ledger) = &mut state.ledger {
            // Whatever waited to be written is in this.
            ledger.queued = false;
        }
        let end = self.end.map(|ended| ended_session(&part.slot, ended, state.keys.all()));
        drop(state);
        self.work = Work::Drafted(Some(record.clone()));
        let answers_kept = part.shared.replays.settings().answers;
        Some(SaveSession { record, is_new, attributes, answer, answers_kept, end })
    }

    /// The session is given back, with the changes or without.
    fn finish(&mut self, result: Result<(), SessionError>) -> Result<Departure, SessionError> {
        let Some(part) = self.part.take() else { return Err(unwritten().into()) };
        let staged = std::mem::take(&mut self.staged);
        if part.fence.is_none() {
            // What a reader leaves is not written with the session.
            return finish_reader(&part, staged, self.outcome, result);
        }
        let time = part.shared.time();
        let outcome = if result.is_ok() { self.outcome } else { Outcome::Discard };
        let dropped = match outcome {
            Outcome::Commit => part.slot.apply(staged),
            _ => part.slot.discard(staged),
        };
        dropped.close(part.slot.handle);
        part.tell_released(outcome, self.time);
        let mut aftermath = Aftermath::default();
        // What could not be written has not happened: the session does not end either.
        let end = self.end.filter(|_| result.is_ok());
        part.weigh_anchor();
        let is_written = result.is_ok() && matches!(self.work, Work::Drafted(Some(_)));
        part.slot.leave_saved((self.time.now, is_written), end, time, &mut aftermath);
        part.shared.settle(&part.slot, aftermath);
        if is_written {
            part.shared.rest(&part.slot);
        }
        result.map(|()| self.departure)
    }
}

/// A request goes that has lost the session, or whose session was ended: nothing of what it changed is kept. Why it failed may
/// be, because what it did elsewhere is done.
fn release_lost(part: &Part, leaving: Leaving, error: SessionError) -> Releasing {
    let Leaving { outcome, staged, remember, ends } = leaving;
    let released = part.release_now(Leaving { outcome: Outcome::Discard, staged, remember: None, ends });
    match remember {
        _ if outcome == Outcome::Commit => Either::Left(ready(Err(error))),
        None => Either::Left(ready(released)),
        Some(remember) => {
            let kept = part.shared.keep(remember.account, remember.record(&Departure::default()));
            Either::Right(Box::pin(async move {
                kept.await?;
                released
            }))
        }
    }
}

fn finish_reader(
    part: &Part,
    staged: StagedAttributes,
    outcome: Outcome,
    result: Result<(), SessionError>,
) -> Result<Departure, SessionError> {
    let outcome = if result.is_ok() { outcome } else { Outcome::Discard };
    let released = part.release_now(Leaving { outcome, staged, remember: None, ends: None });
    result.and(released)
}

fn unwritten() -> StoreError {
    StoreError::Failed { reason: "nobody has written it".into() }
}

impl Errand for Save {
    fn draft(&mut self) -> Option<SessionWrite> {
        match &self.work {
            Work::Session { .. } => self.draft_session().map(SessionWrite::Save),
            Work::Answer(answer) => {
                let answers_kept = self.part.as_ref()?.shared.replays.settings().answers;
                Some(SessionWrite::RememberLatest { answer: answer.clone(), answers_kept })
            }
            Work::Drafted(_) => None,
        }
    }

    fn settle(mut self: Box<Self>, outcome: &Written) -> Option<Box<dyn Errand>> {
        let slot = self.part.as_ref().map(|part| std::sync::Arc::clone(&part.slot))?;
        let drafted = match &self.work {
            Work::Drafted(Some(record)) => Some(record),
            _ => None,
        };
        let result = match outcome {
            Written::Written(Verdict::Done) => {
                slot.note(|ledger| drafted.into_iter().for_each(|record| ledger.wrote(record)));
                Ok(())
            }
            // That a session has ended meanwhile, which only read, takes nothing from its answer.
            Written::Written(Verdict::Stale) if matches!(self.work, Work::Answer(_)) => Ok(()),
            Written::Written(_) | Written::Nothing => Err(slot.lost()),
            Written::Failed(error) | Written::Refused(error) => Err(SessionError::Store(error.clone())),
        };
        if result.is_err() {
            slot.note(super::Ledger::revert);
        }
        let answer = self.finish(result);
        if let Some(answered) = self.answered.take() {
            // Whoever waited may have left.
            let _ = answered.send(answer);
        }
        None
    }
}

impl Drop for Save {
    fn drop(&mut self) {
        if self.part.is_some() {
            let _ = self.finish(Err(unwritten().into()));
        }
    }
}
