//! The lines, and what they stand for.

use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize};

use super::forms::{BytesForm, DurationForm, HandleForm, HashForm, MomentForm, ReasonForm, UuidForm, WallForm};
use super::value::ValueForm;
use crate::session::{
    AnswerRecord, AnswerScope, BootTime, EndedSession, Principal, SessionKey, SessionRecord, StoredAttribute,
    StoredKey, StoredSession, TimeMark, ValueError,
};

/// A line.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Line {
    RejoinSessions(HeadLine),
    Session(Box<SessionLine>),
    Ended(EndedLine),
    Answer(AnswerLine),
    End(EndLine),
}

/// The first line.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct HeadLine {
    pub(super) format: u32,
    /// The moment of the export.
    moment: MomentForm,
    /// The same on the wall clock.
    wall: WallForm,
    #[serde(deserialize_with = "null_or")]
    boot: Option<BootLine>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct BootLine {
    id: UuidForm,
    uptime: DurationForm,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct SessionLine {
    handle: HandleForm,
    #[serde(deserialize_with = "null_or")]
    owner: Option<String>,
    #[serde(deserialize_with = "null_or")]
    label: Option<String>,
    keys: Vec<KeyLine>,
    #[serde(deserialize_with = "null_or")]
    timeout: Option<DurationForm>,
    lifetime: MomentForm,
    released: MomentForm,
    due: MomentForm,
    fence: u64,
    version: u64,
    sequence: u64,
    perishable: bool,
    attribute_count: u32,
    bytes: u64,
    next_order: u64,
    attributes: Vec<AttributeLine>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct KeyLine {
    sha256: HashForm,
    until: MomentForm,
    superseded: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AttributeLine {
    name: String,
    order: u64,
    value: ValueForm,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct EndedLine {
    handle: HandleForm,
    #[serde(deserialize_with = "null_or")]
    owner: Option<String>,
    keys: Vec<HashForm>,
    reason: ReasonForm,
    moment: MomentForm,
    at: WallForm,
    until: MomentForm,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct AnswerLine {
    scope: HashForm,
    #[serde(deserialize_with = "null_or")]
    session: Option<HandleForm>,
    numbered: bool,
    until: MomentForm,
    content: BytesForm,
}

/// The last line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct EndLine {
    pub(super) sessions: u64,
    pub(super) ended: u64,
    pub(super) answers: u64,
    /// Of all lines before; not there in a file that somebody has edited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sha256: Option<HashForm>,
}

impl HeadLine {
    pub(super) fn new(format: u32, mark: &TimeMark) -> Self {
        let boot = mark.boot.map(|boot| BootLine { id: UuidForm(boot.id), uptime: DurationForm(boot.uptime) });
        Self { format, moment: MomentForm(mark.moment), wall: WallForm(mark.wall), boot }
    }

    pub(super) fn mark(&self) -> TimeMark {
        let boot = self.boot.as_ref().map(|boot| BootTime { id: boot.id.0, uptime: boot.uptime.0 });
        TimeMark { moment: self.moment.0, wall: self.wall.0, boot }
    }
}

impl SessionLine {
    /// The line of a session; the error names an attribute whose value is damaged.
    pub(super) fn of(session: &StoredSession) -> Result<Self, (Arc<str>, ValueError)> {
        let mut stored: Vec<_> = session.attributes.iter().collect();
        // A line is the same however the store reads them.
        stored.sort_unstable_by_key(|attribute| &attribute.name);
        let attributes = stored.into_iter().map(|attribute| {
            let value = ValueForm::of(&attribute.value).map_err(|error| (Arc::clone(&attribute.name), error))?;
            Ok(AttributeLine { name: attribute.name.to_string(), order: attribute.order, value })
        });
        let record = &session.record;
        let keys = record.keys.iter().map(|key| KeyLine {
            sha256: HashForm(*key.key.as_bytes()),
            until: MomentForm(key.until),
            superseded: key.superseded,
        });
        Ok(Self {
            handle: HandleForm(record.handle),
            owner: record.owner.id().map(str::to_owned),
            label: record.label.as_ref().map(ToString::to_string),
            keys: keys.collect(),
            timeout: record.timeout.map(DurationForm),
            lifetime: MomentForm(record.lifetime),
            released: MomentForm(record.released),
            due: MomentForm(record.due),
            fence: record.fence,
            version: record.version,
            sequence: record.sequence,
            perishable: record.perishable,
            attribute_count: record.attributes,
            bytes: record.bytes,
            next_order: record.next_order,
            attributes: attributes.collect::<Result<_, _>>()?,
        })
    }

    /// The session of a line; the error says what can't be.
    pub(super) fn session(self) -> Result<StoredSession, String> {
        let keys = self.keys.into_iter().map(|key| StoredKey {
            key: SessionKey::from_bytes(key.sha256.0),
            until: key.until.0,
            superseded: key.superseded,
        });
        let record = SessionRecord {
            handle: self.handle.0,
            owner: owner(self.owner),
            timeout: self.timeout.map(|timeout| timeout.0),
            lifetime: self.lifetime.0,
            keys: keys.collect(),
            released: self.released.0,
            fence: self.fence,
            version: self.version,
            sequence: self.sequence,
            due: self.due.0,
            perishable: self.perishable,
            label: self.label.map(Into::into),
            attributes: self.attribute_count,
            bytes: self.bytes,
            next_order: self.next_order,
        };
        let mut names = std::collections::HashSet::new();
        let mut attributes = Vec::with_capacity(self.attributes.len());
        for AttributeLine { name, order, value } in self.attributes {
            let value = value.stored().map_err(|error| format!("the attribute `{name}`: {error}"))?;
            let name: Arc<str> = name.into();
            if !names.insert(Arc::clone(&name)) {
                return Err(format!("the attribute `{name}` is there twice"));
            }
            attributes.push(StoredAttribute { name, order, value });
        }
        Ok(StoredSession { record, attributes })
    }
}

impl EndedLine {
    pub(super) fn of(end: &EndedSession) -> Self {
        Self {
            handle: HandleForm(end.handle),
            owner: end.owner.id().map(str::to_owned),
            keys: end.keys.iter().map(|key| HashForm(*key.as_bytes())).collect(),
            reason: ReasonForm(end.reason),
            moment: MomentForm(end.moment),
            at: WallForm(end.at),
            until: MomentForm(end.until),
        }
    }

    pub(super) fn end(self) -> EndedSession {
        EndedSession {
            handle: self.handle.0,
            owner: owner(self.owner),
            keys: self.keys.into_iter().map(|key| SessionKey::from_bytes(key.0)).collect(),
            reason: self.reason.0,
            moment: self.moment.0,
            at: self.at.0,
            until: self.until.0,
        }
    }
}

impl AnswerLine {
    pub(super) fn of(answer: AnswerRecord) -> Self {
        Self {
            scope: HashForm(answer.scope.0),
            session: answer.session.map(HandleForm),
            numbered: answer.numbered,
            until: MomentForm(answer.until),
            content: BytesForm(answer.content),
        }
    }

    pub(super) fn answer(self) -> AnswerRecord {
        AnswerRecord {
            scope: AnswerScope(self.scope.0),
            session: self.session.map(|session| session.0),
            numbered: self.numbered,
            until: self.until.0,
            content: self.content.0,
        }
    }
}

/// Reads what may be null. That it is missing is an error: an owner that was lost is not nobody.
fn null_or<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    Option::deserialize(deserializer)
}

fn owner(id: Option<String>) -> Principal {
    id.map_or_else(Principal::anonymous, Principal::new)
}
