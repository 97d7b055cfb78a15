//! Where an ingestion's data go.

use std::sync::atomic::{AtomicBool, Ordering};

use arrow_array::RecordBatch;
use bytes::Bytes;
use bytestring::ByteString;
use tokio::sync::{Mutex, MutexGuard};

use super::OutputPorts;
use crate::activity::{ActivityContext, ActivityError, Output, OutputPort};
use crate::block::{BLOCK_BYTES, Block};
use crate::ingest::DecisionRow;
use crate::ingest::page::{Page, Wanted};
use crate::ingest::settings::IngestSettings;

/// The outputs, shared by all units. A reader that is slow slows them all.
pub(super) struct Outputs {
    records: Option<Output>,
    json: Option<Output>,
    responses: Option<Output>,
    decisions: Option<Output>,
    has_rows: AtomicBool,
    /// Held by the unit whose answer is being handed on: the bytes of two answers are not to be mixed.
    turn: Mutex<()>,
}

impl Outputs {
    pub(super) fn take(context: &mut ActivityContext, ports: OutputPorts) -> Self {
        let mut output = |port: OutputPort| (port != OutputPort::NOWHERE).then(|| context.output(port));
        Self {
            records: output(ports.records),
            json: output(ports.json),
            responses: output(ports.responses),
            decisions: output(ports.decisions),
            has_rows: AtomicBool::new(false),
            turn: Mutex::default(),
        }
    }

    /// What is to be made of the records of a page.
    pub(super) fn wanted(&self) -> Wanted {
        Wanted { rows: self.records.is_some(), documents: self.json.is_some() }
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
        self.responses.is_some()
    }

    /// The turn to hand on an answer, until it is dropped. Who hands on none needs none.
    pub(super) async fn turn(&self) -> Option<MutexGuard<'_, ()>> {
        match &self.responses {
            Some(_) => Some(self.turn.lock().await),
            None => None,
        }
    }

    async fn rows(&self, rows: RecordBatch) -> Result<(), ActivityError> {
        let Some(output) = &self.records else { return Ok(()) };
        self.has_rows.store(true, Ordering::Relaxed);
        output.send(Block::Rows(rows)).await
    }

    async fn document(&self, document: ByteString) -> Result<(), ActivityError> {
        let Some(output) = &self.json else { return Ok(()) };
        output.send(Block::Text(document)).await
    }

    /// Hands on the bytes of an answer, or a piece of them.
    pub(super) async fn response(&self, body: &Bytes) -> Result<(), ActivityError> {
        let Some(output) = &self.responses else { return Ok(()) };
        for start in (0..body.len()).step_by(BLOCK_BYTES) {
            let piece = body.slice(start..body.len().min(start + BLOCK_BYTES));
            output.send(Block::Bytes(piece)).await?;
        }
        Ok(())
    }

    pub(super) async fn decision(&self, row: &DecisionRow) -> Result<(), ActivityError> {
        let Some(output) = &self.decisions else { return Ok(()) };
        output.send(Block::Rows(rows_of(row.to_rows())?)).await
    }

    /// Ends the streams. Columns that are known are told even where no row came.
    pub(super) async fn finish(self, settings: &IngestSettings) -> Result<(), ActivityError> {
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

fn rows_of(made: Result<RecordBatch, arrow_schema::ArrowError>) -> Result<RecordBatch, ActivityError> {
    made.map_err(|error| ActivityError::server("Internal", error.to_string()))
}
