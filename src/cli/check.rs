//! `rejoin check`: says what is wrong with documents, and where.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use super::any_resource::AnyResource;
use crate::activity::ActivityRegistry;
use crate::document::{
    ActivityConfiguration, DocumentError, Element, Limits, PerformDocument, ResourceConfiguration,
    ServiceConfiguration, SessionConfiguration, Step, read_whole,
};
use crate::engine::{Catalogue, Plan};
use crate::resource::{DataResource, DataResources, ResourceRegistry};
use crate::service::{
    AuthenticatorRegistry, Configuration, Refused, SessionParts, initial_document, refused_in_resource,
    resource_settings,
};
use crate::session::{Clock, StaticAttributes, SystemClock};

/// Prints every problem as `file:line:column: message`; the exit code is 1 when there is any.
pub(super) fn run(paths: &[PathBuf]) -> ExitCode {
    let services = Services::of(paths);
    let problems: Vec<String> = paths.iter().flat_map(|path| check(path, &services)).collect();
    for problem in &problems {
        say!("{problem}");
    }
    if problems.is_empty() {
        say!("no problems in {}", paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", "));
        return ExitCode::SUCCESS;
    }
    ExitCode::FAILURE
}

fn check(path: &Path, services: &Services) -> Vec<String> {
    if path.is_dir() {
        return check_folder(path);
    }
    match fs::read(path) {
        Ok(bytes) => {
            let problems = check_document(path, &bytes, services).unwrap_or_else(|problem| vec![problem]);
            let here = problems.iter().map(|problem| format!("{}:{problem}", path.display()));
            here.chain(check_authentication(path, &bytes))
                .chain(check_initial_document(path, &bytes, services))
                .collect()
        }
        Err(error) => vec![format!("{}:1:1: the file can't be read: {error}", path.display())],
    }
}

/// A folder is checked as `serve` would read it, without serving it.
fn check_folder(folder: &Path) -> Vec<String> {
    Configuration::problems(folder).iter().map(ToString::to_string).collect()
}

/// What kind of document it is, its root says. What is wrong in its form is an error, and the only one that is told; what this
/// version can't do comes all at once.
fn check_document(path: &Path, bytes: &[u8], services: &Services) -> Result<Vec<String>, String> {
    let limits = Limits::default();
    let root = Element::parse(bytes, &limits).map_err(|error| said(&error))?;
    match root.local_name() {
        "perform" => check_perform(bytes, services).map(|()| Vec::new()),
        "dataServiceConfiguration" => {
            ServiceConfiguration::parse(bytes, &limits).map(|_| Vec::new()).map_err(|error| said(&error))
        }
        "dataServiceResourceConfiguration" => {
            let resource = ResourceConfiguration::parse(bytes, &limits).map_err(|error| said(&error))?;
            Ok(check_resource(path, &resource))
        }
        "activityConfiguration" => check_activities(bytes, &limits).map(|()| Vec::new()),
        "sessionConfiguration" => {
            let session = SessionConfiguration::parse(bytes, &limits).map_err(|error| said(&error))?;
            let folder = path.parent().unwrap_or(Path::new(""));
            let checked = SessionParts::default().check(&session, folder, &StaticAttributes::default());
            Ok(all(checked.err().unwrap_or_default()))
        }
        other => Err(format!(
            "{}: `{other}` is no document of ours; expected one of `perform`, `dataServiceConfiguration`, \
             `dataServiceResourceConfiguration`, `activityConfiguration`, `sessionConfiguration`",
            root.position()
        )),
    }
}

fn said(error: &DocumentError) -> String {
    error.to_string()
}

fn all(refused: Vec<Refused>) -> Vec<String> {
    refused.into_iter().map(|Refused { position, message }| format!("{position}: {message}")).collect()
}

/// What is wrong with the authentication of a service document; it may be wrong in a file that is named there.
fn check_authentication(path: &Path, bytes: &[u8]) -> Vec<String> {
    let Ok(service) = ServiceConfiguration::parse(bytes, &Limits::default()) else { return Vec::new() };
    let folder = path.parent().unwrap_or(Path::new(""));
    let made = AuthenticatorRegistry::built_in().make(&service.authentication, folder);
    made.err().into_iter().flat_map(|error| error.into_errors(path)).map(|error| error.to_string()).collect()
}

fn check_resource(path: &Path, resource: &ResourceConfiguration) -> Vec<String> {
    let registry = ResourceRegistry::with_defaults();
    let mut problems = all(refused_in_resource(resource));
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    for configured in &resource.data_resources {
        match resource_settings(configured, path, &clock) {
            Ok(settings) => {
                let error = registry.open(&settings).err();
                problems.extend(error.map(|error| format!("{}: {error}", configured.uri.position)));
            }
            Err(refused) => problems.extend(all(refused)),
        }
    }
    problems
}

fn check_activities(bytes: &[u8], limits: &Limits) -> Result<(), String> {
    let configuration = ActivityConfiguration::parse(bytes, limits).map_err(|error| said(&error))?;
    Catalogue::configured(&ActivityRegistry::built_in(), &configuration, DataResources::default())
        .map(drop)
        .map_err(|error| said(&error))
}

/// A perform document is planned against everything that there is: something that is an empty database, an HTTP service and a
/// folder at once stands for each data resource that it names, but for the HTTP services that are checked with it.
fn check_perform(bytes: &[u8], services: &Services) -> Result<(), String> {
    let document = PerformDocument::parse(bytes).map_err(|error| said(&error))?;
    let catalogue = catalogue_for(&document, services)?;
    Plan::new(&document, &catalogue).map(drop).map_err(|error| error.to_string())
}

/// What is wrong with the document that a session document has run in new sessions; it is judged as any perform document.
fn check_initial_document(path: &Path, bytes: &[u8], services: &Services) -> Option<String> {
    let session = SessionConfiguration::parse(bytes, &Limits::default()).ok()?;
    let initial = path.parent().unwrap_or(Path::new("")).join(session.on_create.as_ref()?);
    let bytes = read_whole(&initial, Limits::default().document_bytes).ok();
    let document = bytes.and_then(|bytes| PerformDocument::parse(&bytes).ok()).unwrap_or_default();
    let catalogue = catalogue_for(&document, services).ok()?;
    initial_document(&session, path, &catalogue).err().map(|error| error.to_string())
}

fn catalogue_for(document: &PerformDocument, services: &Services) -> Result<Catalogue, String> {
    let any = |name: &str| -> Result<Arc<dyn DataResource>, String> {
        let any = AnyResource::new(services.find(name)).map_err(|error| format!("1:1: {error}"))?;
        Ok(Arc::new(any))
    };
    let mut resources = DataResources::default();
    resources.add("", any("")?);
    for name in resource_names(&document.steps) {
        let resource = any(&name)?;
        resources.add(name, resource);
    }
    Ok(Catalogue::of_resources(&ActivityRegistry::built_in(), resources))
}

/// The HTTP services of the resource documents that are checked: their properties hold for the perform documents that are
/// checked with them.
#[derive(Default)]
struct Services(Vec<(String, Arc<dyn DataResource>)>);

impl Services {
    fn of(paths: &[PathBuf]) -> Self {
        let mut services = Self::default();
        for path in paths {
            if path.is_dir() {
                let configuration = Configuration::load(path).ok();
                let resources = configuration.into_iter().flat_map(|configuration| configuration.resources);
                resources.for_each(|resource| services.add(&resource.file, &resource.resource));
            } else if let Ok(bytes) = fs::read(path)
                && let Ok(resource) = ResourceConfiguration::parse(&bytes, &Limits::default())
            {
                services.add(path, &resource);
            }
        }
        services
    }

    /// What is wrong with them is said where they are checked.
    fn add(&mut self, file: &Path, resource: &ResourceConfiguration) {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        for configured in &resource.data_resources {
            let scheme = configured.uri.value.split(':').next().unwrap_or_default();
            if !["http", "https"].iter().any(|web| web.eq_ignore_ascii_case(scheme)) {
                continue;
            }
            let settings = resource_settings(configured, file, &clock).ok();
            let opened = settings.and_then(|settings| ResourceRegistry::with_defaults().open(&settings).ok());
            let name = configured.name.as_ref().map_or("", |name| &name.value);
            self.0.extend(opened.map(|opened| (name.to_owned(), opened)));
        }
    }

    /// The one of that name; without a name, the first.
    fn find(&self, name: &str) -> Option<&Arc<dyn DataResource>> {
        let found = self.0.iter().find(|(known, _)| name.is_empty() || known == name);
        found.map(|(_, service)| service)
    }
}

fn resource_names(steps: &[Step]) -> Vec<String> {
    let names = steps.iter().flat_map(|step| match step {
        Step::Activity(activity) => names_in(&activity.element),
        Step::Sequence(steps) | Step::Flow(steps) => resource_names(steps),
    });
    names.collect()
}

/// The data resources that an element names: by its attribute, and as the folder of a download.
fn names_in(element: &Element) -> Vec<String> {
    let mut names: Vec<String> = element.attribute("resource").map(str::to_owned).into_iter().collect();
    for child in element.elements() {
        if child.attribute("key") == Some("rejoin.download") {
            let download: Option<serde_json::Value> =
                child.text().ok().and_then(|text| serde_json::from_str(&text).ok());
            names.extend(download.and_then(|download| Some(download.get("resource")?.as_str()?.to_owned())));
        }
        names.extend(names_in(child));
    }
    names
}
