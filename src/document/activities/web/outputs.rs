//! What an ingestion gives, and a job.

use crate::block::StreamType;
use crate::document::activities::shape::ChildShape;
use crate::document::activities::stream::{Bytes, Rows, Text};
use crate::document::activities::{ElementWriter, ToStream};
use crate::document::{DocumentError, Fields};

/// What an ingestion gives; each may be left out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IngestOutputs {
    /// The records as rows.
    pub records: ToStream<Rows>,
    /// The records as they were written, one to a line.
    pub json: ToStream<Text>,
    /// The bodies of the answers that hold records.
    pub responses: ToStream<Bytes>,
    /// What was asked, and which rule decided what came next.
    pub decisions: ToStream<Rows>,
}

pub(super) const RECORDS: ChildShape =
    ChildShape::output("records", StreamType::Rows, "typed by `ms.output.schema`, or by the first page").optional();

pub(super) const JSON: ChildShape = ChildShape::output(
    "json",
    StreamType::Text,
    "one record to a line, as it was written but for its own line breaks ([JSON Lines](https://jsonlines.org))",
)
.optional();

pub(super) const RESPONSES: ChildShape = ChildShape::output(
    "responses",
    StreamType::Bytes,
    "the bodies of the answers that hold records; not of a download",
)
.optional();

pub(super) const DECISIONS: ChildShape =
    ChildShape::output("decisions", StreamType::Rows, "one for each request").optional();

impl IngestOutputs {
    pub(super) fn read(fields: &mut Fields<'_>) -> Result<Self, DocumentError> {
        Ok(Self {
            records: fields.optional_output("records")?,
            json: fields.optional_output("json")?,
            responses: fields.optional_output("responses")?,
            decisions: fields.optional_output("decisions")?,
        })
    }

    pub(super) fn write(&self, into: &mut ElementWriter) {
        into.optional_output("records", &self.records);
        into.optional_output("json", &self.json);
        into.optional_output("responses", &self.responses);
        into.optional_output("decisions", &self.decisions);
    }
}
