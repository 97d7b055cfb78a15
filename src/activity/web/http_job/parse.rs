//! From the element to the settings of each phase.

use super::farewell::{Cancel, Farewell, Wording};
use super::{HttpJob, Job, Phase};
use crate::activity::web::http_ingest::outputs::OutputPorts;
use crate::activity::web::http_ingest::parse::{defaults, own_properties, refuse};
use crate::activity::web::phase::is_one_answer;
use crate::activity::web::variables::Variable;
use crate::activity::{Setup, WebSource};
use crate::document::activities::{self, ActivityElement, HttpPhase, JobCancel};
use crate::document::{DocumentError, Fields, Located, Position};
use crate::ingest::properties::{Property, SecondaryNames, read};
use crate::ingest::settings::{IngestSettings, OnTimeout, PageForm};

pub(super) fn parse(fields: &mut Fields<'_>, setup: &mut Setup<'_>) -> Result<HttpJob, DocumentError> {
    let written = activities::HttpJob::read(fields)?;
    let source = setup.web_of(fields.element(), written.resource.as_ref())?;
    let reader = Reader { defaults: defaults(&source) };
    let create = reader.create(written.create)?;
    let known = names(&create.variables);
    let poll_place = written.poll.position;
    let poll = reader.poll(written.poll, &known)?;
    let all = known.iter().cloned().chain(names(&poll.variables)).collect::<Vec<_>>();
    let fetch = written.fetch.map(|fetch| reader.fetch(fetch, &all)).transpose()?;
    let cancel = written.cancel.map(|cancel| reader.cancel(cancel, &known)).transpose()?;
    let clean_up = written.clean_up.map(|clean_up| reader.wording("cleanUp", clean_up, &known)).transpose()?;
    if poll.settings.stop.on_timeout == OnTimeout::Continue && written.session_state.is_none() {
        let message = "contradictory `poll`: with `rejoin.on.timeout` `continue` a later request goes on, for which the job \
                       needs `sessionState`";
        return Err(DocumentError::invalid(poll_place, message));
    }
    let ports = OutputPorts::declare(&written.outputs, setup);
    let farewell = Farewell { cancel, clean_up };
    let job = Job { source, timeout: written.timeout, create, poll, fetch, farewell };
    Ok(HttpJob { job, state: written.session_state, ports })
}

fn names(variables: &[Variable]) -> Vec<Box<str>> {
    variables.iter().map(|variable| variable.name.clone()).collect()
}

/// Reads phases, over the properties of the resource.
struct Reader {
    defaults: Vec<Property>,
}

impl Reader {
    fn create(&self, Located { value: phase, position: place }: Located<HttpPhase>) -> Result<Phase, DocumentError> {
        let variables = Variable::all(phase.variables)?;
        let mut settings = self.settings(("create", place), &own_properties(phase.properties), &[])?;
        is_one_answer("create", place, &settings)?;
        if !variables.iter().any(Variable::is_of_body) {
            takes_any_answer(&mut settings);
        }
        Ok(Phase { settings, variables })
    }

    fn poll(
        &self,
        Located { value: phase, position: place }: Located<HttpPhase>,
        known: &[Box<str>],
    ) -> Result<Phase, DocumentError> {
        let own = own_properties(phase.properties);
        let variables = Variable::all(phase.variables)?;
        let mut settings = self.settings(("poll", place), &own, known)?;
        self.leave_time_to_job(&mut settings, &own);
        let has_condition = settings.key.as_ref().is_some_and(|key| key.condition.is_some());
        if !has_condition && settings.stop.when.is_empty() {
            let message = "contradictory `poll`: nothing says when the job is done: give `ms.session.key.field` with a \
                           `condition`, or `rejoin.stop.when`";
            return Err(DocumentError::invalid(place, message));
        }
        Ok(Phase { settings, variables })
    }

    fn fetch(
        &self,
        Located { value: phase, position: place }: Located<HttpPhase>,
        known: &[Box<str>],
    ) -> Result<IngestSettings, DocumentError> {
        let own = own_properties(phase.properties);
        let mut settings = self.settings(("fetch", place), &own, known)?;
        self.leave_time_to_job(&mut settings, &own);
        if settings.stop.on_timeout == OnTimeout::Continue {
            let message =
                "contradictory `fetch`: results are fetched in one request, so `rejoin.on.timeout` can't be `continue`";
            return Err(DocumentError::invalid(place, message));
        }
        Ok(settings)
    }

    fn cancel(
        &self,
        Located { value: JobCancel { request, after_failure }, position }: Located<JobCancel>,
        known: &[Box<str>],
    ) -> Result<Cancel, DocumentError> {
        Ok(Cancel { wording: self.wording("cancel", Located::new(request, position), known)?, after_failure })
    }

    /// A request whose answer is of no interest.
    fn wording(
        &self,
        name: &str,
        Located { value: phase, position: place }: Located<HttpPhase>,
        known: &[Box<str>],
    ) -> Result<Wording, DocumentError> {
        let own = own_properties(phase.properties);
        let settings = self.settings((name, place), &own, known)?;
        is_one_answer(name, place, &settings)?;
        Ok(Wording::new(settings, own))
    }

    fn settings(
        &self,
        (name, place): (&str, Position),
        own: &[Property],
        known: &[Box<str>],
    ) -> Result<IngestSettings, DocumentError> {
        let names = SecondaryNames::Given(known.to_vec());
        let settings = read(&self.defaults, own, &names).map_err(|problems| refuse(place, &problems))?;
        let units = &settings.units;
        if units.list.is_some() || units.window.as_ref().is_some_and(|window| window.step.is_some()) {
            let message = format!(
                "contradictory `{name}`: a job is one unit: it has no listed units and no parts of a window of time"
            );
            return Err(DocumentError::invalid(place, message));
        }
        if settings.download.is_some() {
            let message = "a job writes no files: leave `rejoin.download` and `ms.extractor.target.file.name` out, and take \
                           the bytes of the answers from the output `responses`";
            return Err(DocumentError::invalid(place, message));
        }
        Ok(settings)
    }

    /// A phase has the time of the job, unless it says its own.
    fn leave_time_to_job(&self, settings: &mut IngestSettings, own: &[Property]) {
        const TIMEOUT: &str = "ms.wait.timeout.seconds";
        if !own
            .iter()
            .chain(&self.defaults)
            .any(|property| &*property.key == TIMEOUT && !property.value.trim().is_empty())
        {
            settings.pace.timeout = None;
        }
    }
}

/// Whatever the answer holds, it is not looked at.
pub(super) fn takes_any_answer(settings: &mut IngestSettings) {
    settings.page.form = PageForm::Text;
    settings.page.schema = None;
    settings.page.derived.clear();
    settings.answers.media_types.clear();
}

/// The settings of a request whose properties have been read before.
pub(super) fn read_again(source: &WebSource, own: &[Property], known: &[Box<str>]) -> Result<IngestSettings, String> {
    let names = SecondaryNames::Given(known.to_vec());
    read(&defaults(source), own, &names).map_err(|problems| problems.to_string())
}
