//! A session configuration document, watched.

use std::fmt;
use std::mem::take;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::{Mutex, RwLock};

use super::problem::Wrong;
use super::{ConfigurationProblem, Occasion, Watch};
use crate::document::{Element, Limits, Position, SessionConfiguration, WatchedFile};
use crate::engine::{Catalogue, InitialDocument, Initialisation};
use crate::service::carrier::Carrier;
use crate::service::initialisation::initial_document;
use crate::service::refused_in_session;
use crate::session::{Clock, SessionManager, StaticAttributeRegistry, StaticAttributes, WeakStaticAttributes};

/// The largest configuration document that is read, and the largest file that one names.
const MOST_BYTES: u64 = 10 * 1024 * 1024;

/// What a session configuration says to the service, beside what it says to the session manager.
#[derive(Debug)]
pub(in crate::service) struct SessionInForce {
    carrier: RwLock<Arc<Carrier>>,
    problems: RwLock<Vec<ConfigurationProblem>>,
}

impl SessionInForce {
    pub(in crate::service) fn new(carrier: Carrier) -> Arc<Self> {
        Arc::new(Self { carrier: RwLock::new(Arc::new(carrier)), problems: RwLock::default() })
    }

    /// How requests carry session ids from now on. A request asks once, so that it sees one configuration.
    pub(in crate::service) fn carrier(&self) -> Arc<Carrier> {
        Arc::clone(&self.carrier.read())
    }

    /// Why the document as it stands is not in force; none where it is.
    pub(in crate::service) fn problems(&self) -> Vec<ConfigurationProblem> {
        self.problems.read().clone()
    }
}

/// What the sessions of a resource are made with.
pub(in crate::service) struct SessionParts {
    /// What makes static attributes.
    pub(in crate::service) static_attributes: StaticAttributeRegistry,
    /// The activities that the document for new sessions may use.
    pub(in crate::service) catalogue: Arc<Catalogue>,
    /// What runs in new sessions.
    pub(in crate::service) initialisation: Initialisation,
    /// The manager of the sessions.
    pub(in crate::service) manager: Arc<dyn SessionManager>,
    /// For the time at which a problem was found.
    pub(in crate::service) clock: Arc<dyn Clock>,
}

/// Takes the changes of one session configuration document for the sessions that are created from then on.
///
/// An edit is taken whole or not at all. What can't be taken is told once, and shown until it is mended; everything stays as
/// it was. A file that is being written looks broken for a moment, so what a look by time finds wrong counts only when the
/// next look finds the same.
pub(in crate::service) struct SessionWatch {
    resource: String,
    /// The folder that clients see the paths of documents relative to.
    folder: PathBuf,
    in_force: Arc<SessionInForce>,
    parts: SessionParts,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// The document; `None` where the sessions are configured by code.
    file: Option<WatchedFile>,
    /// The files named by the document that it is judged by.
    named: Vec<WatchedFile>,
    /// What is in force.
    configuration: SessionConfiguration,
    statics: StaticAttributes,
    /// All sets that sessions may still have.
    sets: Vec<WeakStaticAttributes>,
    /// What the last look found wrong, if it was the first to do so.
    doubtful: Vec<Wrong>,
    /// What is told to be wrong.
    told: Vec<Wrong>,
}

/// What a document is good for.
enum Verdict {
    /// It says what is in force.
    Same,
    /// It is good.
    Good(Box<Edit>),
    /// It can't be taken.
    Bad(Vec<Wrong>),
}

/// A changed document and what is made for it.
struct Edit {
    configuration: SessionConfiguration,
    statics: StaticAttributes,
    carrier: Carrier,
    /// What runs in new sessions.
    initial: Option<InitialDocument>,
}

impl SessionWatch {
    /// Watches a document. `folder` is that of the resource document, which clients see its path relative to.
    pub(in crate::service) fn new(
        resource: &str,
        (file, folder): (Option<PathBuf>, &Path),
        (configuration, statics): (SessionConfiguration, StaticAttributes),
        in_force: Arc<SessionInForce>,
        parts: SessionParts,
    ) -> Self {
        let file = file.map(|file| WatchedFile::new(file, MOST_BYTES));
        let mut state = State {
            named: Vec::new(),
            sets: vec![statics.downgrade()],
            configuration,
            statics,
            file,
            doubtful: Vec::new(),
            told: Vec::new(),
        };
        state.watch_named(state.configuration.on_create.clone());
        Self { resource: resource.into(), folder: folder.into(), in_force, parts, state: Mutex::new(state) }
    }

    fn look_at_document(&self, state: &mut State, occasion: Occasion) {
        let Some(file) = &mut state.file else { return };
        let document_changed = file.look();
        let named_changed = state.named.iter_mut().fold(false, |changed, file| file.look() | changed);
        let in_doubt = !state.doubtful.is_empty();
        if !(document_changed || named_changed || in_doubt || occasion == Occasion::Word) {
            return;
        }
        match self.judge(state) {
            Verdict::Same => self.clear(state),
            Verdict::Good(edit) => self.take(state, *edit),
            Verdict::Bad(wrong) if occasion == Occasion::Word || wrong == state.doubtful => self.tell(state, wrong),
            Verdict::Bad(wrong) => state.doubtful = wrong,
        }
    }

    /// What the document is good for, as it stands. Static attributes are made for it, but nothing is changed.
    fn judge(&self, state: &mut State) -> Verdict {
        let bytes = match state.file.as_ref().map(WatchedFile::content) {
            Some(Ok(bytes)) => bytes.to_vec(),
            Some(Err(error)) => {
                return Verdict::Bad(vec![Wrong::new(Position::START, format!("the file can't be read: {error}"))]);
            }
            None => return Verdict::Same,
        };
        let configuration = match SessionConfiguration::parse(&bytes, &Limits::default()) {
            Ok(configuration) => configuration,
            Err(error) => return Verdict::Bad(vec![error.into()]),
        };
        // Before they are read, so that no change of theirs is missed.
        state.watch_named(files_named_in(&configuration));
        let initial = initial_document(&configuration, state.path(), &self.parts.catalogue);
        if configuration == state.configuration
            && initial.as_ref().is_ok_and(|initial| self.parts.initialisation.is(initial.as_ref()))
        {
            return Verdict::Same;
        }
        let mut wrong = only_at_start(&state.configuration, &configuration);
        let initial = initial.map_err(|error| wrong.push(Wrong::in_file(error, state.path()))).ok();
        let refused = refused_in_session(&configuration);
        wrong.extend(refused.into_iter().map(Wrong::from));
        let statics = self.parts.static_attributes.make_again(&configuration.attributes, &state.statics);
        let statics = statics.map_err(|error| wrong.push(error.into())).ok();
        match (statics, Carrier::of(&configuration.carrier, &self.resource), initial) {
            (Some(statics), Some(carrier), Some(initial)) if wrong.is_empty() => {
                Verdict::Good(Box::new(Edit { configuration, statics, carrier, initial }))
            }
            _ => Verdict::Bad(wrong),
        }
    }

    fn take(&self, state: &mut State, edit: Edit) {
        let Edit { configuration, statics, carrier, initial } = edit;
        self.parts.initialisation.replace(initial);
        self.parts.manager.reconfigure(configuration.clone(), statics.clone());
        carrier.warn(&self.resource);
        *self.in_force.carrier.write() = Arc::new(carrier);
        state.watch_named(configuration.on_create.clone());
        state.sets.push(statics.downgrade());
        state.configuration = configuration;
        let before = std::mem::replace(&mut state.statics, statics);
        drop(before);
        state.forget_problems();
        self.in_force.problems.write().clear();
        tracing::info!(
            resource = %self.resource,
            file = %state.path().display(),
            "the session configuration has changed: it holds for sessions created from now on"
        );
    }

    /// The document says what is in force: there is nothing to do, but a problem is over.
    fn clear(&self, state: &mut State) {
        if !state.told.is_empty() {
            tracing::info!(
                resource = %self.resource,
                file = %state.path().display(),
                "the session configuration is again as it was"
            );
            self.in_force.problems.write().clear();
        }
        state.forget_problems();
        state.watch_named(state.configuration.on_create.clone());
    }

    fn tell(&self, state: &mut State, wrong: Vec<Wrong>) {
        state.doubtful = Vec::new();
        if state.told == wrong {
            return;
        }
        let since = self.parts.clock.wall();
        let mut problems = Vec::new();
        for Wrong { file, position, message } in &wrong {
            let path = file.as_deref().unwrap_or(state.path());
            tracing::warn!(
                resource = %self.resource,
                problem = %format_args!("{}:{position}: {message}", path.display()),
                "a changed session configuration is not taken; nothing changes"
            );
            let (file, message) = (shown(path, &self.folder), message.clone());
            problems.push(ConfigurationProblem { file, position: *position, message, since });
        }
        *self.in_force.problems.write() = problems;
        state.told = wrong;
    }
}

impl fmt::Debug for SessionWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionWatch").field("resource", &self.resource).finish_non_exhaustive()
    }
}

impl Watch for SessionWatch {
    fn look(&self, occasion: Occasion) {
        let mut state = self.state.lock();
        self.look_at_document(&mut state, occasion);
        for set in state.sets_in_use() {
            set.refresh();
        }
    }
}

impl State {
    fn path(&self) -> &Path {
        self.file.as_ref().map_or(Path::new(""), WatchedFile::path)
    }

    fn forget_problems(&mut self) {
        drop((take(&mut self.doubtful), take(&mut self.told)));
    }

    /// Watches those files that the document names, beside it, and no others.
    fn watch_named(&mut self, locations: impl IntoIterator<Item = String>) {
        let folder = self.path().parent().unwrap_or(Path::new("")).to_owned();
        self.named = locations
            .into_iter()
            .map(|location| {
                let mut file = WatchedFile::new(folder.join(location), MOST_BYTES);
                file.look();
                file
            })
            .collect();
    }

    fn sets_in_use(&mut self) -> Vec<StaticAttributes> {
        let sets: Vec<_> = self.sets.iter().filter_map(WeakStaticAttributes::upgrade).collect();
        self.sets = sets.iter().map(StaticAttributes::downgrade).collect();
        sets
    }
}

/// The files that a document names: the perform document of `onCreate`, and each `location` of a static attribute. While the
/// document can't be taken, a change of one of them may mend it.
fn files_named_in(configuration: &SessionConfiguration) -> Vec<String> {
    let mut locations: Vec<String> = configuration.on_create.iter().cloned().collect();
    for attribute in &configuration.attributes {
        add_locations(&attribute.element, &mut locations);
    }
    locations
}

fn add_locations(element: &Element, locations: &mut Vec<String>) {
    locations.extend(element.attribute("location").map(str::to_owned));
    for child in element.elements() {
        add_locations(child, locations);
    }
}

/// What an edit changes that can't change while the service runs.
fn only_at_start(before: &SessionConfiguration, now: &SessionConfiguration) -> Vec<Wrong> {
    let mut wrong = Vec::new();
    let mut refuse = |what: &str, position| {
        let message =
            format!("another {what} takes effect at the next start; until then nothing of this edit is taken");
        wrong.push(Wrong::new(position, message));
    };
    if now.factory != before.factory {
        refuse("session manager factory", now.places.factory);
    }
    if now.store != before.store {
        refuse("`store`", if now.store.is_some() { now.places.store } else { now.places.factory });
    }
    wrong
}

/// The path of a file as clients may see it: relative to a folder, or its name.
fn shown(file: &Path, folder: &Path) -> String {
    let relative = file.strip_prefix(folder).ok().or_else(|| file.file_name().map(Path::new));
    relative.unwrap_or(Path::new("session.xml")).display().to_string()
}
