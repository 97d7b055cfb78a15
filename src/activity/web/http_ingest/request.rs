//! The next request of an ingestion: what is known when it is made, and where it leads.

use chrono::SecondsFormat;

use super::error::REFUSED;
use super::meant::keep_back;
use super::run::Unit;
use super::shared::Shared;
use crate::activity::ActivityError;
use crate::ingest::Json;
use crate::ingest::control::Progress;
use crate::ingest::settings::{DerivedSource, IngestSettings};
use crate::ingest::variables::{ComposeError, Values, compose, fill};
use crate::resource::web::WebRequest;

impl Unit {
    /// What is known when the next request is made.
    pub(super) fn values(&self, settings: &IngestSettings, progress: &Progress) -> Values {
        let payload = usize::try_from(progress.pages).ok().and_then(|page| self.payload.get(page));
        Values {
            key: progress.session_value(settings).map(Into::into),
            page: progress.values,
            payload: payload.cloned().unwrap_or_default(),
            ..self.values.clone()
        }
    }
}

/// The next request; `next` is the address that the last answer has named, if it has.
pub(super) fn request(shared: &Shared<'_>, values: &Values, next: Option<&str>) -> Result<WebRequest, ActivityError> {
    let settings = shared.settings;
    let mut request = compose(&settings.request, &settings.parameters, values).map_err(|error| refused(&error))?;
    let composed = request.uri.clone();
    if let Some(next) = next {
        next.clone_into(&mut request.uri);
    }
    keep_back(&mut request, &composed, &settings.request, shared.resource)?;
    Ok(request)
}

fn refused(error: &ComposeError) -> ActivityError {
    ActivityError::client(REFUSED, error.to_string())
}

/// The sources of derived columns that are not part of a record.
pub(super) fn constants(
    shared: &Shared<'_>,
    values: &Values,
    uri: &str,
) -> Result<Vec<Option<Box<str>>>, ActivityError> {
    let settings = shared.settings;
    let made = settings.page.derived.iter().map(|derived| match &derived.source {
        DerivedSource::Field(_) => Ok(None),
        DerivedSource::Time(end) => {
            let moment = end.moment(shared.began);
            Ok(Some(moment.to_rfc3339_opts(SecondsFormat::Millis, true).into()))
        }
        DerivedSource::Variables(template) => {
            let mut values = values.clone();
            values.held.push(("ms.source.uri".into(), Json::text(uri)));
            let place = format!("the derived column `{}`", derived.name);
            let filled = fill(template, &settings.parameters, &values, &place).map_err(|error| refused(&error))?;
            Ok(Some(filled.into()))
        }
    });
    made.collect()
}

pub(super) fn without_query(uri: &str) -> &str {
    uri.split(['?', '#']).next().unwrap_or_default()
}
