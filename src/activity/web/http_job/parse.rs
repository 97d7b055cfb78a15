//! From the element to the settings of each phase.

use std::time::Duration;

use super::farewell::{Cancel, Farewell, Wording};
use super::{HttpJob, Job, Phase};
use crate::activity::web::http_ingest::outputs::OutputPorts;
use crate::activity::web::http_ingest::parse::{defaults, own_properties, refuse};
use crate::activity::web::phase::is_one_answer;
use crate::activity::web::variables::{Variable, variables};
use crate::activity::{Setup, WebSource};
use crate::document::{DocumentError, Element, Fields};
use crate::ingest::properties::{Property, SecondaryNames, read};
use crate::ingest::settings::{IngestSettings, OnTimeout, PageForm};

/// How long a job may take where nothing is said.
const TIMEOUT: Duration = Duration::from_mins(10);

/// How long a job may take at the most: as long as its deadline is kept.
const LONGEST_TIMEOUT: Duration = Duration::from_hours(24 * 7);

pub(super) fn parse(fields: &mut Fields<'_>, setup: &mut Setup<'_>) -> Result<HttpJob, DocumentError> {
    let source = setup.web(fields)?;
    let timeout = fields.attribute("timeout").map_or(Ok(TIMEOUT), |timeout| {
        let duration = timeout.duration()?;
        let is_short = duration <= LONGEST_TIMEOUT;
        if is_short {
            Ok(duration)
        } else {
            Err(timeout.error("contradictory `timeout`: a job may take seven days at the most, `P7D`"))
        }
    })?;
    let reader = Reader { defaults: defaults(&source) };
    let create = reader.create(fields.required_child("create")?)?;
    let known = names(&create.variables);
    let poll_element = fields.required_child("poll")?;
    let poll = reader.poll(poll_element, &known)?;
    let all = known.iter().cloned().chain(names(&poll.variables)).collect::<Vec<_>>();
    let fetch = fields.child("fetch").map(|fetch| reader.fetch(fetch, &all)).transpose()?;
    let cancel = fields.child("cancel").map(|cancel| reader.cancel(cancel, &known)).transpose()?;
    let clean_up = fields.child("cleanUp").map(|clean_up| reader.clean_up(clean_up, &known)).transpose()?;
    let state = fields.child("sessionState").map(session_state).transpose()?;
    if poll.settings.stop.on_timeout == OnTimeout::Continue && state.is_none() {
        let message = "contradictory `poll`: with `rejoin.on.timeout` `continue` a later request goes on, for which the job \
                       needs `sessionState`";
        return Err(DocumentError::invalid(poll_element.position(), message));
    }
    let ports = OutputPorts::declare(fields, setup)?;
    let farewell = Farewell { cancel, clean_up };
    Ok(HttpJob { job: Job { source, timeout, create, poll, fetch, farewell }, state, ports })
}

fn session_state(element: &Element) -> Result<String, DocumentError> {
    let mut fields = element.fields();
    let attribute = fields.required_attribute("attribute")?.name()?.to_owned();
    fields.finish()?;
    Ok(attribute)
}

fn names(variables: &[Variable]) -> Vec<Box<str>> {
    variables.iter().map(|variable| variable.name.clone()).collect()
}

/// Reads phases, over the properties of the resource.
struct Reader {
    defaults: Vec<Property>,
}

impl Reader {
    fn create(&self, element: &Element) -> Result<Phase, DocumentError> {
        let mut fields = element.fields();
        let own = own_properties(&mut fields)?;
        let variables = variables(&mut fields)?;
        fields.finish()?;
        let mut settings = self.settings(element, &own, &[])?;
        is_one_answer(element, &settings)?;
        if !variables.iter().any(Variable::is_of_body) {
            takes_any_answer(&mut settings);
        }
        Ok(Phase { settings, variables })
    }

    fn poll(&self, element: &Element, known: &[Box<str>]) -> Result<Phase, DocumentError> {
        let mut fields = element.fields();
        let own = own_properties(&mut fields)?;
        let variables = variables(&mut fields)?;
        fields.finish()?;
        let mut settings = self.settings(element, &own, known)?;
        self.leave_time_to_job(&mut settings, &own);
        let has_condition = settings.key.as_ref().is_some_and(|key| key.condition.is_some());
        if !has_condition && settings.stop.when.is_empty() {
            let message = "contradictory `poll`: nothing says when the job is done: give `ms.session.key.field` with a \
                           `condition`, or `rejoin.stop.when`";
            return Err(DocumentError::invalid(element.position(), message));
        }
        Ok(Phase { settings, variables })
    }

    fn fetch(&self, element: &Element, known: &[Box<str>]) -> Result<IngestSettings, DocumentError> {
        let mut fields = element.fields();
        let own = own_properties(&mut fields)?;
        fields.finish()?;
        let mut settings = self.settings(element, &own, known)?;
        self.leave_time_to_job(&mut settings, &own);
        if settings.stop.on_timeout == OnTimeout::Continue {
            let message =
                "contradictory `fetch`: results are fetched in one request, so `rejoin.on.timeout` can't be `continue`";
            return Err(DocumentError::invalid(element.position(), message));
        }
        Ok(settings)
    }

    fn cancel(&self, element: &Element, known: &[Box<str>]) -> Result<Cancel, DocumentError> {
        let mut fields = element.fields();
        let after_failure = fields.attribute("afterFailure").map_or(Ok(false), |value| value.boolean())?;
        let wording = self.wording(element, fields, known)?;
        Ok(Cancel { wording, after_failure })
    }

    fn clean_up(&self, element: &Element, known: &[Box<str>]) -> Result<Wording, DocumentError> {
        self.wording(element, element.fields(), known)
    }

    /// A request whose answer is of no interest.
    fn wording(&self, element: &Element, mut fields: Fields<'_>, known: &[Box<str>]) -> Result<Wording, DocumentError> {
        let own = own_properties(&mut fields)?;
        fields.finish()?;
        let settings = self.settings(element, &own, known)?;
        is_one_answer(element, &settings)?;
        Ok(Wording::new(settings, own))
    }

    fn settings(
        &self,
        element: &Element,
        own: &[Property],
        known: &[Box<str>],
    ) -> Result<IngestSettings, DocumentError> {
        let names = SecondaryNames::Given(known.to_vec());
        let settings = read(&self.defaults, own, &names).map_err(|problems| refuse(element, &problems))?;
        let units = &settings.units;
        if units.list.is_some() || units.window.as_ref().is_some_and(|window| window.step.is_some()) {
            let message = format!(
                "contradictory `{}`: a job is one unit: it has no listed units and no parts of a window \
                                   of time",
                element.local_name()
            );
            return Err(DocumentError::invalid(element.position(), message));
        }
        if settings.download.is_some() {
            let message = "a job writes no files: leave `rejoin.download` and `ms.extractor.target.file.name` out, and take \
                           the bytes of the answers from the output `responses`";
            return Err(DocumentError::invalid(element.position(), message));
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
