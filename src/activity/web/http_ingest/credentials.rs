//! Credentials that an ingestion asks for itself: before its first request, and again when they are refused (R21).

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;

use super::outputs::Outputs;
use super::parse::{defaults, own_properties, refuse};
use super::run::Ended;
use crate::activity::web::phase::{KeepsNothing, Line, is_one_answer};
use crate::activity::web::variables::{Named, Variable, find_all, variables};
use crate::activity::{ActivityError, WebSource};
use crate::document::{DocumentError, Element};
use crate::ingest::control::Rule;
use crate::ingest::properties::{SecondaryNames, read};
use crate::ingest::settings::IngestSettings;
use crate::resource::web::WebResource;
use crate::session::Clock;

/// `authenticate`: the request for credentials, and the names that they have in templates.
#[derive(Debug)]
pub(super) struct Authenticate {
    settings: IngestSettings,
    variables: Vec<Variable>,
    /// How long before refused credentials are asked for again.
    pub(super) delay: Duration,
    /// How often a request is sent in all when its credentials are refused.
    pub(super) attempts: u32,
}

impl Authenticate {
    pub(super) fn parse(element: &Element, source: &WebSource) -> Result<Self, DocumentError> {
        let mut fields = element.fields();
        let delay = fields.attribute("delay").map_or(Ok(Duration::ZERO), |delay| delay.duration_or_zero())?;
        let attempts = fields.attribute("attempts").map_or(Ok(3), |attempts| attempts.integer(1..=1000))?;
        let own = own_properties(&mut fields)?;
        let variables = variables(&mut fields)?;
        fields.finish()?;
        let settings = read(&defaults(source), &own, &SecondaryNames::None);
        let settings = settings.map_err(|problems| refuse(element, &problems))?;
        is_one_answer(element, &settings)?;
        if variables.is_empty() {
            let message = "contradictory `authenticate`: nothing is taken from its answer: name it, as in `<variable \
                           name=\"access_token\" path=\"access_token\"/>`";
            return Err(DocumentError::invalid(element.position(), message));
        }
        let attempts = u32::try_from(attempts).unwrap_or(u32::MAX);
        Ok(Self { settings, variables, delay, attempts })
    }

    /// What the credentials are called.
    pub(super) fn names(&self) -> Vec<Box<str>> {
        self.variables.iter().map(|variable| variable.name.clone()).collect()
    }
}

/// The credentials of all units: whoever finds them refused first asks for new ones, and the others wait for those.
pub(super) struct Credentials<'a> {
    from: Option<(&'a Authenticate, &'a dyn WebResource, Arc<dyn Clock>)>,
    held: Mutex<Held>,
}

/// Credentials, and the how manieth they are.
#[derive(Debug, Clone, Default)]
pub(super) struct Held {
    pub(super) turn: u64,
    pub(super) values: Vec<Named>,
}

impl<'a> Credentials<'a> {
    /// None: nothing is asked for.
    pub(super) fn none() -> Self {
        Self { from: None, held: Mutex::default() }
    }

    pub(super) fn new(
        authenticate: Option<&'a Authenticate>,
        resource: &'a dyn WebResource,
        clock: &Arc<dyn Clock>,
    ) -> Self {
        Self { from: authenticate.map(|it| (it, resource, Arc::clone(clock))), held: Mutex::default() }
    }

    /// The credentials that come after those of that turn; 0 before the first.
    pub(super) async fn after(&self, turn: u64) -> Result<Result<Held, (Rule, String)>, ActivityError> {
        let Some((authenticate, resource, clock)) = &self.from else { return Ok(Ok(Held::default())) };
        let mut held = self.held.lock().await;
        if held.turn <= turn {
            let outputs = Outputs::nowhere();
            let line = Line { resource: *resource, clock, outputs: &outputs };
            let ended = line.phase(("authenticate", false), &authenticate.settings, &[], &KeepsNothing).await?;
            if let Ended::Failed { rule, reason } = ended {
                return Ok(Err((rule, format!("authenticate: {reason}"))));
            }
            let came = outputs.last_answer();
            match find_all(&authenticate.variables, &came.headers, &came.body) {
                Ok(values) => *held = Held { turn: turn + 1, values },
                Err(problem) => return Ok(Err((Rule::Unreadable, format!("authenticate: {problem}")))),
            }
        }
        Ok(Ok(held.clone()))
    }
}
