//! What is kept of an ingestion in the session, so that a later request goes on.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use super::done::{Done, Roll};
use crate::activity::{ActivityContext, ActivityError};
use crate::block::Scalar;
use crate::document::activities::{IngestSave, IngestState};
use crate::ingest::control::{Occasion, Outcome, Progress};
use crate::ingest::transfer::{FileKept, PartKept};

/// All that is kept, by the names of units.
#[derive(Debug, Default, Serialize, Deserialize)]
struct State {
    version: u32,
    #[serde(flatten)]
    done: Done,
    /// How far the others have come.
    units: BTreeMap<String, Kept>,
    /// The files that have come, by their names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    files: BTreeMap<String, FileKept>,
}

impl State {
    fn is_done(&self, unit: &str, roll: &Roll) -> bool {
        !self.units.contains_key(unit) && self.done.has(unit, roll)
    }

    fn complete(&mut self, unit: &str, roll: &Roll) {
        let Self { done, units, .. } = self;
        units.remove(unit);
        done.add(unit, roll, |other| units.contains_key(other));
    }
}

/// What is kept of one unit.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::activity::web) struct Kept {
    pub(in crate::activity::web) progress: Progress,
    /// The window of time that it is about, in milliseconds since 1970: that of its first request, whenever it goes on.
    pub(in crate::activity::web) window: Option<(i64, i64)>,
    /// Whether a request that creates something was about to be sent, and nothing is known of what became of it.
    pub(in crate::activity::web) is_sending: bool,
    /// What there is of the file, where it is a download.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::activity::web) part: Option<PartKept>,
}

/// What is known of a unit from earlier requests.
#[derive(Debug)]
pub(in crate::activity::web) enum Known {
    /// Nothing: it begins.
    Nothing,
    /// It is complete.
    Done,
    /// A request that creates something was sent, and what became of it is not known.
    Unknown,
    /// It goes on from there.
    Begun(Box<Kept>),
}

/// Keeps how far units have come.
#[async_trait]
pub(in crate::activity::web) trait Keep: Sync {
    /// Whether anything is kept.
    fn is_on(&self) -> bool;

    /// Where a unit goes on.
    fn resume(&self, unit: &str, at: Occasion) -> Known;

    /// Keeps the progress of a unit, which `creates` something or does not.
    async fn keep(&self, unit: &str, kept: Kept, creates: bool) -> Result<(), ActivityError>;

    /// What is known of a file that came earlier.
    fn file(&self, _name: &str) -> Option<FileKept> {
        None
    }

    /// Notes a file that has come; it is kept with the progress of its unit.
    fn keep_file(&self, _name: &str, _file: FileKept) {}
}

const VERSION: u32 = 1;

/// Reads and writes what is kept in the session; without `sessionState` it keeps nothing.
pub(super) struct Keeper<'a> {
    context: &'a ActivityContext,
    state: Option<IngestState>,
    roll: Roll,
    kept: Mutex<State>,
    /// The units that have created something, and have said so to nobody but this request: until that is released, what is kept
    /// says that they were about to.
    created: Mutex<BTreeSet<String>>,
}

impl<'a> Keeper<'a> {
    /// Reads what an earlier request has kept of these units.
    pub(super) fn open(
        state: Option<IngestState>,
        units: Vec<String>,
        context: &'a ActivityContext,
    ) -> Result<Self, ActivityError> {
        let mut kept = match &state {
            Some(state) => read(context, &state.attribute)?,
            None => State::default(),
        };
        kept.version = VERSION;
        let roll = if state.is_some() { Roll::new(units) } else { Roll::default() };
        kept.done.fit(&roll);
        Ok(Self { context, state, roll, kept: Mutex::new(kept), created: Mutex::default() })
    }

    /// All units have ended, and what they brought has been handed on. What is left counts with the release: if those were all
    /// units, the next request begins anew. Until then, a request that comes instead of this one finds them complete.
    pub(super) fn finish(&self) -> Result<(), ActivityError> {
        let Some(state) = &self.state else { return Ok(()) };
        let mut all = self.kept.lock();
        for unit in std::mem::take(&mut *self.created.lock()) {
            all.complete(&unit, &self.roll);
        }
        if self.roll.names().iter().all(|unit| all.is_done(unit, &self.roll)) {
            all.done.clear();
        }
        Ok(self.context.session().set(&state.attribute, Scalar::Text(text_of(&all)?.into()))?)
    }
}

#[async_trait]
impl Keep for Keeper<'_> {
    fn is_on(&self) -> bool {
        self.state.is_some()
    }

    fn resume(&self, unit: &str, at: Occasion) -> Known {
        let state = self.kept.lock();
        if state.is_done(unit, &self.roll) {
            return Known::Done;
        }
        match state.units.get(unit).cloned() {
            Some(kept) if kept.is_sending => Known::Unknown,
            Some(mut kept) if kept.progress.is_resumable() => {
                kept.progress.resume(at);
                Known::Begun(Box::new(kept))
            }
            _ => Known::Nothing,
        }
    }

    /// That one is complete which `creates` something counts with the release: what it has made known is lost with the request,
    /// so if that comes to nothing, its outcome is unknown.
    async fn keep(&self, unit: &str, kept: Kept, creates: bool) -> Result<(), ActivityError> {
        let Some(state) = &self.state else { return Ok(()) };
        if creates && matches!(kept.progress.outcome, Some(Outcome::Completed { .. })) {
            self.created.lock().insert(unit.to_owned());
            return Ok(());
        }
        let text = {
            let mut all = self.kept.lock();
            if matches!(kept.progress.outcome, Some(Outcome::Completed { .. })) {
                all.complete(unit, &self.roll);
            } else {
                all.units.insert(unit.to_owned(), kept);
            }
            text_of(&all)?
        };
        match state.save {
            // What was created stays created, whatever becomes of the request: that has to be known at once.
            IngestSave::Request if creates => {
                self.context.checkpoint(&state.attribute, Scalar::Text(text.into())).await?;
            }
            IngestSave::Page => self.context.checkpoint(&state.attribute, Scalar::Text(text.into())).await?,
            IngestSave::Request => self.context.session().set(&state.attribute, Scalar::Text(text.into()))?,
        }
        Ok(())
    }

    fn file(&self, name: &str) -> Option<FileKept> {
        self.kept.lock().files.get(name).cloned()
    }

    fn keep_file(&self, name: &str, file: FileKept) {
        if self.is_on() {
            self.kept.lock().files.insert(name.to_owned(), file);
        }
    }
}

fn read(context: &ActivityContext, attribute: &str) -> Result<State, ActivityError> {
    let Some(value) = context.session().get(attribute) else { return Ok(State::default()) };
    let text = value.scalar().map(|scalar| scalar.to_string()).unwrap_or_default();
    let state = serde_json::from_str::<State>(&text).ok().filter(|state| state.version == VERSION);
    state.ok_or_else(|| {
        ActivityError::client(
            "HttpIngestState",
            format!(
                "the session attribute `{attribute}` holds no progress of an ingestion; name another in `sessionState`"
            ),
        )
    })
}

fn text_of(state: &State) -> Result<String, ActivityError> {
    serde_json::to_string(state).map_err(|error| ActivityError::server("Internal", error.to_string()))
}
