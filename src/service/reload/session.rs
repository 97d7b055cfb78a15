//! A session configuration document, watched.

use std::fmt;
use std::mem::take;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

use super::document::WatchedDocument;
use super::problem::Wrong;
use super::{ConfigurationProblem, Occasion, SessionInForce, Watch};
use crate::document::{Limits, Position, SessionConfiguration};
use crate::engine::{Catalogue, InitialDocument, Initialisation};
use crate::service::carrier::Carrier;
use crate::service::initialisation::initial_document;
use crate::service::transactions::attach_managers;
use crate::service::{Refused, SessionParts};
use crate::session::{Clock, SessionManager, StaticAttributes, WeakStaticAttributes};

/// Takes the changes of one session configuration document for the sessions that are created from then on.
///
/// An edit is taken whole or not at all. What can't be taken is told once, and shown until it is mended; everything stays as
/// it was. A file that is being written looks broken for a moment. So what is found changed by time is judged at the next
/// look, if it has stayed as it is; what somebody says is written is judged at once.
pub(in crate::service) struct SessionWatch {
    resource: String,
    /// What clients see the paths of documents relative to: never the root of the machine.
    folder: PathBuf,
    parts: WatchParts,
    state: Mutex<State>,
}

/// What a watch works with.
pub(in crate::service) struct WatchParts {
    /// What the configuration is looked up in.
    pub(in crate::service) registries: SessionParts,
    /// The activities that what runs in new sessions may use.
    pub(in crate::service) catalogue: Arc<Catalogue>,
    /// What runs in new sessions.
    pub(in crate::service) initialisation: Initialisation,
    /// The manager of the sessions.
    pub(in crate::service) manager: Arc<dyn SessionManager>,
    /// What the service keeps of the configuration.
    pub(in crate::service) in_force: Arc<SessionInForce>,
    /// For the time at which a problem was found.
    pub(in crate::service) clock: Arc<dyn Clock>,
}

struct State {
    document: WatchedDocument,
    /// What is in force.
    configuration: SessionConfiguration,
    statics: StaticAttributes,
    /// All sets that sessions may still have.
    sets: Vec<WeakStaticAttributes>,
    /// Something has changed, and is not judged yet.
    is_changed: bool,
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

/// A changed document and what was made for it.
struct Edit {
    configuration: SessionConfiguration,
    statics: StaticAttributes,
    carrier: Carrier,
    /// What runs in new sessions.
    initial: Option<InitialDocument>,
}

impl SessionWatch {
    /// Watches a document, which clients see relative to `folder`. Without one it only lets static attributes refresh
    /// themselves.
    pub(in crate::service) fn new(
        resource: &str,
        (file, folder): (Option<PathBuf>, &Path),
        (configuration, statics): (SessionConfiguration, StaticAttributes),
        parts: WatchParts,
    ) -> Self {
        let document = WatchedDocument::new(file, configuration.on_create.as_deref());
        let sets = vec![statics.downgrade()];
        let state = State { document, configuration, statics, sets, is_changed: false, told: Vec::new() };
        Self { resource: resource.into(), folder: folder.into(), parts, state: Mutex::new(state) }
    }

    fn look_at_document(&self, state: &mut State, occasion: Occasion) {
        let is_changed = state.document.look();
        if occasion == Occasion::Time && (is_changed || !state.is_changed) {
            state.is_changed = is_changed;
            return;
        }
        state.is_changed = false;
        match self.judge(state) {
            Verdict::Same => self.clear(state),
            Verdict::Good(edit) => self.take(state, *edit),
            Verdict::Bad(wrong) => self.tell(state, wrong),
        }
    }

    /// What the document is good for, as it stands. Static attributes are made for it, but nothing is changed.
    fn judge(&self, state: &mut State) -> Verdict {
        let bytes = match state.document.content() {
            Some(Ok(bytes)) => bytes,
            Some(Err(error)) => {
                let problem = Refused::new(Position::START, format!("the file can't be read: {error}"));
                return Verdict::Bad(vec![problem.into()]);
            }
            None => return Verdict::Same,
        };
        let configuration = match SessionConfiguration::parse(bytes, &Limits::default()) {
            Ok(configuration) => configuration,
            Err(error) => return Verdict::Bad(vec![Refused::from(error).into()]),
        };
        // Before they are read, so that no change of theirs is missed. One may mend what can't be taken now.
        state.document.watch_files_of(&configuration);
        let initial = initial_document(&configuration, state.document.path(), &self.parts.catalogue);
        if configuration == state.configuration
            && initial.as_ref().is_ok_and(|initial| self.parts.initialisation.is(initial.as_ref()))
        {
            state.document.watch_only(configuration.on_create.as_deref());
            return Verdict::Same;
        }
        let mut wrong: Vec<Wrong> = Vec::new();
        wrong.extend(self.only_at_start(&state.configuration, &configuration).into_iter().map(Wrong::from));
        let checked = self.parts.registries.check(&configuration, state.document.folder(), &state.statics);
        let checked = checked.map_err(|more| wrong.extend(more.into_iter().map(Wrong::from))).ok();
        if let Some(checked) = checked.as_ref().filter(|_| wrong.is_empty()) {
            let resources = self.parts.catalogue.resources();
            let attached = attach_managers(&configuration, &checked.statics, &self.resource, resources);
            wrong.extend(attached.err().map(Wrong::from));
        }
        let initial = initial.map_err(|error| wrong.push(Wrong::found(error, state.document.path()))).ok();
        match (checked, Carrier::of(&configuration.carrier, &self.resource), initial) {
            (Some(checked), Some(carrier), Some(initial)) if wrong.is_empty() => {
                Verdict::Good(Box::new(Edit { configuration, statics: checked.statics, carrier, initial }))
            }
            _ => Verdict::Bad(wrong),
        }
    }

    /// What an edit changes that can't change while the service runs.
    fn only_at_start(&self, before: &SessionConfiguration, now: &SessionConfiguration) -> Vec<Refused> {
        let mut wrong = Vec::new();
        let mut refuse = |what: &str, position| {
            let message = format!("another {what} takes effect at the next start; nothing of this edit is taken now");
            wrong.push(Refused::new(position, message));
        };
        if now.factory != before.factory && self.parts.registries.managers.factory_of(now).is_ok() {
            refuse("session manager factory", now.places.factory);
        }
        if now.store != before.store {
            refuse("`store`", if now.store.is_some() { now.places.store } else { now.places.factory });
        }
        wrong
    }

    fn take(&self, state: &mut State, edit: Edit) {
        let Edit { configuration, statics, carrier, initial } = edit;
        self.parts.initialisation.replace(initial);
        self.parts.manager.reconfigure(configuration.clone(), statics.clone());
        carrier.warn(&self.resource);
        self.parts.in_force.take(carrier);
        self.parts.in_force.show(Vec::new());
        state.told = Vec::new();
        state.document.watch_only(configuration.on_create.as_deref());
        state.configuration = configuration;
        state.sets.push(statics.downgrade());
        state.statics = statics;
        tracing::info!(
            resource = %self.resource,
            file = %state.document.path().display(),
            "the session configuration has changed: it holds for sessions created from now on"
        );
    }

    /// The document says what is in force: there is nothing to do, but a problem is over.
    fn clear(&self, state: &mut State) {
        if take(&mut state.told).is_empty() {
            return;
        }
        self.parts.in_force.show(Vec::new());
        tracing::info!(
            resource = %self.resource,
            file = %state.document.path().display(),
            "the session configuration is again what is in force"
        );
    }

    fn tell(&self, state: &mut State, wrong: Vec<Wrong>) {
        if state.told == wrong {
            return;
        }
        let since = self.parts.clock.wall();
        let mut problems = Vec::new();
        for Wrong { file, what: Refused { position, message } } in &wrong {
            let path = file.as_deref().unwrap_or(state.document.path());
            tracing::warn!(
                resource = %self.resource,
                problem = %format_args!("{}:{position}: {message}", path.display()),
                "a changed session configuration is not taken; nothing changes"
            );
            let (file, message) = (shown(path, &self.folder), message.clone());
            problems.push(ConfigurationProblem { file, position: *position, message, since });
        }
        self.parts.in_force.show(problems);
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
        let sets = state.sets_in_use();
        // They, too, believe what two looks saw.
        let looks = if occasion == Occasion::Word { 2 } else { 1 };
        for _ in 0..looks {
            sets.iter().for_each(StaticAttributes::refresh);
        }
    }
}

impl State {
    /// The sets that somebody still has, sessions of an earlier configuration among them.
    fn sets_in_use(&mut self) -> Vec<StaticAttributes> {
        let sets: Vec<_> = self.sets.iter().filter_map(WeakStaticAttributes::upgrade).collect();
        self.sets.retain(|set| set.upgrade().is_some());
        sets
    }
}

/// The path of a file as clients may see it: relative to a folder, or its name.
fn shown(file: &Path, folder: &Path) -> String {
    let relative = file.strip_prefix(folder).ok().or_else(|| file.file_name().map(Path::new));
    relative.unwrap_or(Path::new("session.xml")).display().to_string()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::Duration;

    use tempfile::TempDir;

    use super::*;
    use crate::activity::ActivityRegistry;
    use crate::resource::DataResources;
    use crate::session::{SystemClock, TransientSessionManager};

    /// A document with that time-out.
    fn document(seconds: u8) -> String {
        format!(
            "<sessionConfiguration xmlns='http://ogsadai.org.uk/namespaces/2005/10/config'>\
             <sessionManagerFactory impl='rejoin.TransientSessionManagerFactory'>\
             <timeout default='PT{seconds}S'/></sessionManagerFactory></sessionConfiguration>"
        )
    }

    /// A watch of a document that says ten seconds.
    fn watch() -> (SessionWatch, TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("session.xml");
        fs::write(&file, document(10)).unwrap();
        let configuration = SessionConfiguration::parse(document(10).as_bytes(), &Limits::default()).unwrap();
        let parts = WatchParts {
            registries: SessionParts::default(),
            catalogue: Arc::new(Catalogue::of_resources(&ActivityRegistry::built_in(), DataResources::default())),
            initialisation: Initialisation::default(),
            manager: Arc::new(TransientSessionManager::new(configuration.clone())),
            in_force: SessionInForce::new(Carrier::of(&configuration.carrier, "orders").unwrap()),
            clock: Arc::new(SystemClock),
        };
        let configured = (configuration, StaticAttributes::default());
        (SessionWatch::new("orders", (Some(file), folder.path()), configured, parts), folder)
    }

    /// What is in force after a look, and whether a problem is told.
    fn look(watch: &SessionWatch, occasion: Occasion) -> (Option<Duration>, bool) {
        watch.look(occasion);
        (watch.state.lock().configuration.timeout.default, !watch.parts.in_force.problems().is_empty())
    }

    #[test]
    fn a_half_written_file_is_no_problem() {
        let (watch, folder) = watch();
        let file = folder.path().join("session.xml");
        let before = (Some(Duration::from_secs(10)), false);
        assert_eq!(look(&watch, Occasion::Time), before);
        for half in ["", "<sessionConfiguration xmlns='http://ogs", "<sessionConfiguration"] {
            fs::write(&file, half).unwrap();
            assert_eq!(look(&watch, Occasion::Time), before);
        }
        fs::write(&file, document(20)).unwrap();
        assert_eq!(look(&watch, Occasion::Time), before, "it may not be whole yet");
        assert_eq!(look(&watch, Occasion::Time), (Some(Duration::from_secs(20)), false));
    }

    #[test]
    fn what_stays_broken_is_told_at_the_second_look_and_at_once_when_somebody_asks() {
        let (watch, folder) = watch();
        fs::write(folder.path().join("session.xml"), "<sessionConfiguration").unwrap();
        assert!(!look(&watch, Occasion::Time).1);
        assert_eq!(look(&watch, Occasion::Time), (Some(Duration::from_secs(10)), true));
        fs::write(folder.path().join("session.xml"), document(30)).unwrap();
        assert_eq!(look(&watch, Occasion::Word), (Some(Duration::from_secs(30)), false));
        fs::remove_file(folder.path().join("session.xml")).unwrap();
        assert_eq!(look(&watch, Occasion::Word), (Some(Duration::from_secs(30)), true));
    }

    #[test]
    fn what_is_wrong_stands_in_the_log_with_file_line_and_column() {
        let (watch, folder) = watch();
        fs::write(folder.path().join("session.xml"), document(10).replace("timeout", "timeuot")).unwrap();
        let log = folder.path().join("log");
        let lines = Arc::new(fs::File::create(&log).unwrap());
        let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(lines).finish();
        tracing::subscriber::with_default(subscriber, || look(&watch, Occasion::Word));
        let told = fs::read_to_string(log).unwrap();
        assert!(told.contains("a changed session configuration is not taken; nothing changes"), "{told}");
        assert!(told.contains("session.xml:1:") && told.contains("did you mean `timeout`?"), "{told}");
    }

    #[test]
    fn clients_see_no_path_from_the_root_of_the_machine() {
        for (file, seen) in [
            ("/srv/orders/session.xml", "session.xml"),
            ("/srv/orders/../shared/session.xml", "../shared/session.xml"),
            ("/etc/rejoin/sessions/orders.xml", "orders.xml"),
        ] {
            assert_eq!(shown(Path::new(file), Path::new("/srv/orders")), seen);
        }
        assert_eq!(shown(Path::new("session.xml"), Path::new("")), "session.xml");
    }
}
