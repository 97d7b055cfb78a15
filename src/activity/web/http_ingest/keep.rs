//! What is kept of an ingestion in the session, so that a later request goes on.

use std::collections::{BTreeMap, BTreeSet};

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use crate::activity::{ActivityContext, ActivityError};
use crate::block::Scalar;
use crate::document::activities::{IngestSave, IngestState};
use crate::ingest::control::{Occasion, Outcome, Progress};
use crate::ingest::transfer::{FileKept, PartKept};

/// All that is kept, by the names of units.
#[derive(Debug, Default, Serialize, Deserialize)]
struct State {
    version: u32,
    /// The units that are complete.
    done: BTreeSet<String>,
    /// How far the others have come.
    units: BTreeMap<String, Kept>,
    /// The files that have come, by their names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    files: BTreeMap<String, FileKept>,
}

/// What is kept of one unit.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) progress: Progress,
    /// The window of time that it is about, in milliseconds since 1970: that of its first request, whenever it goes on.
    pub(super) window: Option<(i64, i64)>,
    /// Whether a request that creates something was about to be sent, and nothing is known of what became of it.
    pub(super) is_sending: bool,
    /// What there is of the file, where it is a download.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) part: Option<PartKept>,
}

/// What is known of a unit from earlier requests.
#[derive(Debug)]
pub(super) enum Known {
    /// Nothing: it begins.
    Nothing,
    /// It is complete.
    Done,
    /// A request that creates something was sent, and what became of it is not known.
    Unknown,
    /// It goes on from there.
    Begun(Box<Kept>),
}

const VERSION: u32 = 1;

/// Reads and writes what is kept; without `sessionState` it keeps nothing.
pub(super) struct Keeper {
    state: Option<IngestState>,
    kept: Mutex<State>,
    /// The units that have created something, and have said so to nobody but this request: until that is released, what is kept
    /// says that they were about to.
    created: Mutex<BTreeSet<String>>,
}

impl Keeper {
    /// Reads what an earlier request has kept.
    pub(super) fn open(state: Option<IngestState>, context: &ActivityContext) -> Result<Self, ActivityError> {
        let mut kept = match &state {
            Some(state) => read(context, &state.attribute)?,
            None => State::default(),
        };
        kept.version = VERSION;
        Ok(Self { state, kept: Mutex::new(kept), created: Mutex::default() })
    }

    /// Whether anything is kept.
    pub(super) fn is_on(&self) -> bool {
        self.state.is_some()
    }

    /// Where a unit goes on.
    pub(super) fn resume(&self, unit: &str, at: Occasion) -> Known {
        let state = self.kept.lock();
        if state.done.contains(unit) {
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

    /// What is known of a file that came earlier.
    pub(super) fn file(&self, name: &str) -> Option<FileKept> {
        self.kept.lock().files.get(name).cloned()
    }

    /// Notes a file that has come; it is kept with the progress of its unit.
    pub(super) fn keep_file(&self, name: &str, file: FileKept) {
        if self.is_on() {
            self.kept.lock().files.insert(name.to_owned(), file);
        }
    }

    /// Keeps the progress of a unit. That one is complete which `creates` something counts with the release: what it has made
    /// known is lost with the request, so if that comes to nothing, its outcome is unknown.
    pub(super) async fn keep(
        &self,
        unit: &str,
        kept: Kept,
        creates: bool,
        context: &ActivityContext,
    ) -> Result<(), ActivityError> {
        let Some(state) = &self.state else { return Ok(()) };
        if creates && matches!(kept.progress.outcome, Some(Outcome::Completed { .. })) {
            self.created.lock().insert(unit.to_owned());
            return Ok(());
        }
        let text = {
            let mut all = self.kept.lock();
            if matches!(kept.progress.outcome, Some(Outcome::Completed { .. })) {
                all.units.remove(unit);
                all.done.insert(unit.to_owned());
            } else {
                all.units.insert(unit.to_owned(), kept);
            }
            text_of(&all)?
        };
        match state.save {
            IngestSave::Page => context.checkpoint(&state.attribute, Scalar::Text(text.into())).await?,
            IngestSave::Request => context.session().set(&state.attribute, Scalar::Text(text.into()))?,
        }
        Ok(())
    }

    /// All units have ended, and what they brought has been handed on. What is left counts with the release: if those were all
    /// units, the next request begins anew. Until then, a request that comes instead of this one finds them complete.
    pub(super) fn finish(&self, units: &[String], context: &ActivityContext) -> Result<(), ActivityError> {
        let Some(state) = &self.state else { return Ok(()) };
        let mut all = self.kept.lock();
        for unit in std::mem::take(&mut *self.created.lock()) {
            all.units.remove(&unit);
            all.done.insert(unit);
        }
        if units.iter().all(|unit| all.done.contains(unit)) {
            all.done.clear();
        }
        Ok(context.session().set(&state.attribute, Scalar::Text(text_of(&all)?.into()))?)
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
