//! Where an ingestion's data go.

use std::sync::atomic::{AtomicBool, Ordering};

use arrow_array::RecordBatch;
use bytes::Bytes;
use bytestring::ByteString;
use http::HeaderMap;
use parking_lot::Mutex;
use tokio::sync::{Mutex as AsyncMutex, MutexGuard};

use crate::activity::{ActivityContext, ActivityError, Output, OutputPort, Setup};
use crate::block::{BLOCK_BYTES, Block};
use crate::document::activities::IngestOutputs;
use crate::ingest::DecisionRow;
use crate::ingest::page::{Page, Wanted};
use crate::ingest::settings::IngestSettings;

/// The outputs as they were declared.
#[derive(Debug, Clone, Copy)]
pub(in crate::activity::web) struct OutputPorts {
    records: OutputPort,
    json: OutputPort,
    pub(super) responses: OutputPort,
    decisions: OutputPort,
}

impl OutputPorts {
    /// Declares them as they are named.
    pub(in crate::activity::web) fn declare(outputs: &IngestOutputs, setup: &mut Setup<'_>) -> Self {
        Self {
            records: setup.writes(&outputs.records, None),
            json: setup.writes(&outputs.json, None),
            responses: setup.writes(&outputs.responses, None),
            decisions: setup.writes(&outputs.decisions, None),
        }
    }
}

/// An answer that is of interest beyond its records.
#[derive(Debug, Clone, Default)]
pub(in crate::activity::web) struct LastAnswer {
    /// Its status; without one no answer came, and it is not certain that nothing was done.
    pub(in crate::activity::web) status: Option<u16>,
    pub(in crate::activity::web) headers: HeaderMap,
    /// Nothing of an answer that holds no page, nor of a file.
    pub(in crate::activity::web) body: Bytes,
    /// Whether it is certain that the other side did nothing.
    pub(in crate::activity::web) never_sent: bool,
}

/// The outputs, shared by all units. A reader that is slow slows them all.
pub(in crate::activity::web) struct Outputs {
    records: Option<Output>,
    json: Option<Output>,
    responses: Option<Output>,
    decisions: Option<Output>,
    has_rows: AtomicBool,
    /// Held by the unit whose answer is being handed on: the bytes of two answers are not to be mixed.
    turn: AsyncMutex<()>,
    /// Of which phase of a job the requests are that are sent now. An ingestion of its own has no phases.
    phase: Mutex<Option<Phase>>,
    /// Whether it makes no difference any more that somebody reads.
    is_forlorn: AtomicBool,
    /// The last answer of that phase.
    last: Mutex<LastAnswer>,
}

/// A phase of a job.
#[derive(Debug, Clone, Copy)]
struct Phase {
    name: &'static str,
    /// Whether what it brings goes to the outputs.
    hands_on: bool,
}

impl Outputs {
    pub(in crate::activity::web) fn take(context: &mut ActivityContext, ports: OutputPorts) -> Self {
        let mut output = |port: OutputPort| (port != OutputPort::NOWHERE).then(|| context.output(port));
        Self {
            records: output(ports.records),
            json: output(ports.json),
            responses: output(ports.responses),
            decisions: output(ports.decisions),
            has_rows: AtomicBool::new(false),
            turn: AsyncMutex::default(),
            phase: Mutex::default(),
            is_forlorn: AtomicBool::new(false),
            last: Mutex::default(),
        }
    }

    /// Outputs that lead nowhere.
    pub(in crate::activity::web) fn nowhere() -> Self {
        Self {
            records: None,
            json: None,
            responses: None,
            decisions: None,
            has_rows: AtomicBool::new(false),
            turn: AsyncMutex::default(),
            phase: Mutex::default(),
            is_forlorn: AtomicBool::new(false),
            last: Mutex::default(),
        }
    }

    /// From now on requests are of that phase, and what they bring goes to the outputs or not.
    pub(in crate::activity::web) fn begin_phase(&self, name: &'static str, hands_on: bool) {
        *self.phase.lock() = Some(Phase { name, hands_on });
        *self.last.lock() = LastAnswer::default();
    }

    /// From now on it makes no difference whether anybody reads the log.
    pub(in crate::activity::web) fn tell_whoever_listens(&self) {
        self.is_forlorn.store(true, Ordering::Relaxed);
    }

    /// The last answer of the phase.
    pub(in crate::activity::web) fn last_answer(&self) -> LastAnswer {
        self.last.lock().clone()
    }

    /// Remembers an answer until the next one, if it is that of a phase.
    pub(super) fn remember(&self, answer: impl FnOnce() -> LastAnswer) {
        if self.phase.lock().is_some() {
            *self.last.lock() = answer();
        }
    }

    /// The body of that answer has come.
    pub(super) fn remember_body(&self, body: &Bytes) {
        if self.phase.lock().is_some_and(|phase| !phase.hands_on) {
            self.last.lock().body = body.clone();
        }
    }

    fn hands_on(&self) -> bool {
        self.phase.lock().is_none_or(|phase| phase.hands_on)
    }

    /// What is to be made of the records of a page.
    pub(super) fn wanted(&self) -> Wanted {
        let hands_on = self.hands_on();
        Wanted { rows: hands_on && self.records.is_some(), documents: hands_on && self.json.is_some() }
    }

    /// Hands on a page and the answer that it came in.
    pub(super) async fn page(&self, page: &mut Page, body: &Bytes) -> Result<(), ActivityError> {
        {
            let _turn = self.turn().await;
            self.response(body).await?;
        }
        for rows in page.rows.drain(..) {
            self.rows(rows).await?;
        }
        for document in page.documents.drain(..) {
            self.document(document).await?;
        }
        Ok(())
    }

    /// Whether the bytes of answers are read by anybody.
    pub(super) fn has_responses(&self) -> bool {
        self.responses.is_some() && self.hands_on()
    }

    /// The turn to hand on an answer, until it is dropped. Who hands on none needs none.
    pub(super) async fn turn(&self) -> Option<MutexGuard<'_, ()>> {
        if self.has_responses() { Some(self.turn.lock().await) } else { None }
    }

    async fn rows(&self, rows: RecordBatch) -> Result<(), ActivityError> {
        let Some(output) = &self.records else { return Ok(()) };
        self.has_rows.store(true, Ordering::Relaxed);
        output.send(Block::Rows(rows)).await
    }

    async fn document(&self, document: ByteString) -> Result<(), ActivityError> {
        let Some(output) = &self.json else { return Ok(()) };
        output.send(Block::Text(line_of(&document))).await
    }

    /// Hands on the bytes of an answer, or a piece of them.
    pub(super) async fn response(&self, body: &Bytes) -> Result<(), ActivityError> {
        let Some(output) = self.responses.as_ref().filter(|_| self.hands_on()) else { return Ok(()) };
        for start in (0..body.len()).step_by(BLOCK_BYTES) {
            let piece = body.slice(start..body.len().min(start + BLOCK_BYTES));
            output.send(Block::Bytes(piece)).await?;
        }
        Ok(())
    }

    pub(super) async fn decision(&self, row: &DecisionRow) -> Result<(), ActivityError> {
        let Some(output) = &self.decisions else { return Ok(()) };
        let phase = self.phase.lock().map(|phase| phase.name);
        let rows = match phase {
            Some(phase) => row.to_rows_of(phase),
            None => row.to_rows(),
        };
        match output.send(Block::Rows(rows_of(rows)?)).await {
            Err(_) if self.is_forlorn.load(Ordering::Relaxed) => Ok(()),
            sent => sent,
        }
    }

    /// Ends the streams. Columns that are known are told even where no row came.
    pub(in crate::activity::web) async fn finish(self, settings: &IngestSettings) -> Result<(), ActivityError> {
        if settings.page.has_explicit_eof {
            self.document(ByteString::from_static(r#"{"EOF":"EOF"}"#)).await?;
        }
        if let Some(schema) = settings.page.schema.clone().filter(|_| !self.has_rows.load(Ordering::Relaxed)) {
            self.rows(RecordBatch::new_empty(schema)).await?;
        }
        for output in [self.records, self.json, self.responses, self.decisions].into_iter().flatten() {
            output.finish().await;
        }
        Ok(())
    }
}

/// A document on a line of its own. A line break in it stands between two tokens: in a text of JSON there can be none.
fn line_of(document: &str) -> ByteString {
    let mut line = String::with_capacity(document.len() + 1);
    line.extend(document.split(['\r', '\n']));
    line.push('\n');
    line.into()
}

fn rows_of(made: Result<RecordBatch, arrow_schema::ArrowError>) -> Result<RecordBatch, ActivityError> {
    made.map_err(|error| ActivityError::server("Internal", error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_a_line() {
        assert_eq!(line_of("{\r\n  \"a\": 1,\n  \"b\": \"x\\ny\"\n}"), "{  \"a\": 1,  \"b\": \"x\\ny\"}\n");
        assert_eq!(line_of("1"), "1\n");
    }
}
