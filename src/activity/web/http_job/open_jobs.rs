//! Jobs that a session leaves open when it ends.

use std::fmt;
use std::sync::Arc;

use super::book::{BEGINNING, Open, Record, Stage, read};
use super::farewell::{Cancel, Farewell, Wording};
use super::parse::read_again;
use crate::activity::web::http_ingest::outputs::Outputs;
use crate::activity::web::phase::Line;
use crate::activity::{Aftercare, WebSource};
use crate::block::Scalar;
use crate::document::Position;
use crate::ingest::properties::{Property, PropertyPlace};
use crate::resource::DataResources;
use crate::session::{AttributeSnapshot, AttributeValue, Clock, SessionEvent, SessionListener};

/// Cancels the jobs that sessions hold when they end: those that wait for a later request, and those whose service was killed.
///
/// What an attribute says, its client may have written. That gives him nothing: what is sent is what `httpJob` sends over the same
/// data resource, and this is there where that activity is.
pub struct OpenJobs {
    resources: DataResources,
    clock: Arc<dyn Clock>,
    aftercare: Aftercare,
}

impl OpenJobs {
    /// For the sessions of a data service resource.
    #[must_use]
    pub fn new(resources: &DataResources, clock: Arc<dyn Clock>, aftercare: Aftercare) -> Self {
        Self { resources: resources.clone(), clock, aftercare }
    }

    fn dismiss(&self, record: &Record, open: &Open) {
        let Some(source) = self.resources.get(&open.resource).map(|resource| WebSource::new(&open.resource, resource))
        else {
            return tracing::warn!("the data resource of a job is not there any more, and the job can't be cancelled");
        };
        let farewell = match farewell(&source, open) {
            Ok(farewell) => farewell,
            Err(problem) => return tracing::warn!(problem, "a job can't be cancelled"),
        };
        if !self.aftercare.settle(record.job) {
            return;
        }
        let (clock, variables) = (Arc::clone(&self.clock), open.variables());
        self.aftercare.leave(async move {
            let outputs = Outputs::nowhere();
            if let Ok(resource) = source.resource() {
                Line { resource, clock: &clock, outputs: &outputs }.farewell(&farewell, &variables, true).await;
            }
        });
    }
}

fn farewell(source: &WebSource, open: &Open) -> Result<Farewell, String> {
    let known: Vec<Box<str>> = open.variables().into_iter().map(|(name, _)| name).collect();
    let wording = |written: &Vec<(Box<str>, Box<str>)>| {
        let place = PropertyPlace::Document(Position::START);
        let property = |(key, value): &(Box<str>, Box<str>)| Property {
            key: key.clone(),
            value: value.clone(),
            place: place.clone(),
        };
        let own: Vec<Property> = written.iter().map(property).collect();
        Ok::<_, String>(Wording::new(read_again(source, &own, &known)?, own))
    };
    let cancel = open.cancel.as_ref().map(wording).transpose()?;
    Ok(Farewell {
        cancel: cancel.map(|wording| Cancel { wording, after_failure: false }),
        clean_up: open.clean_up.as_ref().map(wording).transpose()?,
    })
}

impl SessionListener for OpenJobs {
    fn looks_into_sessions(&self) -> bool {
        true
    }

    fn closing(&self, _: SessionEvent<'_>, attributes: &AttributeSnapshot) {
        for (_, value) in attributes.iter() {
            let AttributeValue::Scalar(Scalar::Text(text)) = value else { continue };
            if text.starts_with(BEGINNING)
                && let Some(record) = read(text)
                && let Stage::Open(open) = &record.stage
            {
                self.dismiss(&record, open);
            }
        }
    }
}

impl fmt::Debug for OpenJobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenJobs").field("aftercare", &self.aftercare).finish_non_exhaustive()
    }
}
