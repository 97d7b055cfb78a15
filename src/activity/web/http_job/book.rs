//! How far a job has come, as its session keeps it.

use async_trait::async_trait;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::farewell::Farewell;
use crate::activity::web::http_ingest::keep::{Keep, Kept, Known};
use crate::activity::web::variables::Named;
use crate::activity::{ActivityContext, ActivityError};
use crate::block::Scalar;
use crate::ingest::Json;
use crate::ingest::control::{Mark, Occasion, Outcome};
use crate::ingest::properties::Property;

const KIND: &str = "httpJob";
const VERSION: u32 = 1;

/// What an attribute begins with that holds a job.
pub(super) const BEGINNING: &str = r#"{"kind":"httpJob","#;

/// All that is kept of a job.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Record {
    kind: String,
    version: u32,
    /// Its name in this service.
    #[serde(with = "as_text")]
    pub(super) job: Uuid,
    pub(super) stage: Stage,
}

/// How far it has come.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Stage {
    /// It was about to be created, and nothing is known of what became of that.
    Creating,
    /// It is there.
    Open(Box<Open>),
    /// It is done with.
    Over,
}

/// What is known of a job that is there.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Open {
    /// When its time is over.
    pub(super) deadline: Mark,
    /// The variables that its creation has brought, each with its JSON.
    variables: Vec<(Box<str>, String)>,
    /// How far the poll has come.
    poll: Option<Kept>,
    /// The data resource that it is a job of.
    pub(super) resource: Box<str>,
    /// The properties of the requests that end it, as the document had them.
    pub(super) cancel: Option<Vec<(Box<str>, Box<str>)>>,
    pub(super) clean_up: Option<Vec<(Box<str>, Box<str>)>>,
}

impl Open {
    /// A job that has just been created.
    pub(super) fn new(resource: &str, deadline: Mark, variables: &[Named], farewell: &Farewell) -> Self {
        let written = |own: &[Property]| own.iter().map(|it| (it.key.clone(), it.value.clone())).collect();
        Self {
            deadline,
            variables: variables.iter().map(|(name, value)| (name.clone(), value.to_string())).collect(),
            poll: None,
            resource: resource.into(),
            cancel: farewell.cancel.as_ref().map(|cancel| written(&cancel.wording.own)),
            clean_up: farewell.clean_up.as_ref().map(|clean_up| written(&clean_up.own)),
        }
    }

    pub(super) fn variables(&self) -> Vec<Named> {
        let read = |(name, json): &(Box<str>, String)| Some((name.clone(), Json::parse(json).ok()?));
        self.variables.iter().filter_map(read).collect()
    }
}

/// Reads what an attribute holds; `None` where that is no job.
pub(super) fn read(text: &str) -> Option<Record> {
    let record: Record = serde_json::from_str(text).ok()?;
    (record.kind == KIND && record.version == VERSION).then_some(record)
}

/// The book of one job, in an attribute of the session if there is to be one.
pub(super) struct Book<'a> {
    context: &'a ActivityContext,
    attribute: Option<&'a str>,
    record: Mutex<Record>,
}

impl<'a> Book<'a> {
    /// Opens the book where an earlier request has left it. A job that was ended meanwhile is over.
    pub(super) fn open(attribute: Option<&'a str>, context: &'a ActivityContext) -> Result<Self, ActivityError> {
        let record = match attribute {
            Some(attribute) => find(context, attribute)?,
            None => None,
        };
        let record =
            record.filter(|record| !matches!(record.stage, Stage::Over) && !context.aftercare().is_settled(record.job));
        let record = match record {
            Some(record) => record,
            None => Record { kind: KIND.into(), version: VERSION, job: name()?, stage: Stage::Over },
        };
        Ok(Self { context, attribute, record: Mutex::new(record) })
    }

    /// How far the job has come.
    pub(super) fn stage(&self) -> Stage {
        self.record.lock().stage.clone()
    }

    /// Its name in this service.
    pub(super) fn job(&self) -> Uuid {
        self.record.lock().job
    }

    /// It has come so far: that counts at once, whatever becomes of the request.
    pub(super) async fn note(&self, stage: Stage) -> Result<(), ActivityError> {
        let Some(attribute) = self.attribute else {
            self.record.lock().stage = stage;
            return Ok(());
        };
        let text = {
            let mut record = self.record.lock();
            record.stage = stage;
            text_of(&record)?
        };
        self.context.checkpoint(attribute, Scalar::Text(text.into())).await
    }

    /// It is done with, and so is the request as far as it is concerned: the next one begins anew.
    pub(super) fn close(&self) -> Result<(), ActivityError> {
        if let Some(attribute) = self.attribute {
            self.context.session().remove(attribute)?;
        }
        Ok(())
    }
}

/// The progress of the poll. That of the creation is the stage itself.
#[async_trait]
impl Keep for Book<'_> {
    fn is_on(&self) -> bool {
        self.attribute.is_some()
    }

    fn resume(&self, _: &str, at: Occasion) -> Known {
        match &self.record.lock().stage {
            Stage::Open(open) => match open.poll.clone().filter(|kept| kept.progress.is_resumable()) {
                Some(mut kept) => {
                    kept.progress.resume(at);
                    Known::Begun(Box::new(kept))
                }
                None => Known::Nothing,
            },
            Stage::Creating | Stage::Over => Known::Nothing,
        }
    }

    async fn keep(&self, _: &str, kept: Kept, _: bool) -> Result<(), ActivityError> {
        let Stage::Open(mut open) = self.stage() else { return Ok(()) };
        // What is complete is found complete again by whoever asks.
        let is_complete = matches!(kept.progress.outcome, Some(Outcome::Completed { .. }));
        open.poll = (!is_complete).then_some(kept);
        self.note(Stage::Open(open)).await
    }
}

fn find(context: &ActivityContext, attribute: &str) -> Result<Option<Record>, ActivityError> {
    let Some(value) = context.session().get(attribute) else { return Ok(None) };
    let text = value.scalar().map(|scalar| scalar.to_string()).unwrap_or_default();
    match read(&text) {
        Some(record) => Ok(Some(record)),
        None => Err(ActivityError::client(
            "HttpJobState",
            format!("the session attribute `{attribute}` holds no job; name another in `sessionState`"),
        )),
    }
}

fn text_of(record: &Record) -> Result<String, ActivityError> {
    serde_json::to_string(record).map_err(|error| ActivityError::server("Internal", error.to_string()))
}

/// A name that no other job has.
fn name() -> Result<Uuid, ActivityError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| ActivityError::server("Internal", error.to_string()))?;
    Ok(Uuid::from_bytes(bytes))
}

/// A name as it is written.
mod as_text {
    use serde::{Deserialize, Deserializer, Serializer, de};
    use uuid::Uuid;

    pub(super) fn serialize<S: Serializer>(name: &Uuid, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(name)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Uuid, D::Error> {
        Uuid::try_parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_known_by_its_beginning() {
        let record = Record { kind: KIND.into(), version: VERSION, job: Uuid::from_u128(7), stage: Stage::Creating };
        let text = text_of(&record).unwrap();
        assert!(text.starts_with(BEGINNING), "{text}");
        assert_eq!(read(&text).unwrap().job, record.job);
        assert!(read("{}").is_none() && read(&text.replace("\"version\":1", "\"version\":2")).is_none());
    }
}
