//! The work of a formatter, done by the source of its rows.
//!
//! A database can write CSV by itself, and much faster than it gives rows. Where a plan finds a source of rows whose only
//! reader is a formatter, it hands the output of the formatter to the source, with what is to be written: a [`Pushdown`]. The
//! source either writes that, all of it, or declines: then the formatter gets its output back, and both run as ever. Both stay
//! activities of their own, each with its name and its status.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::oneshot;
use tracing::debug;

use super::ActivityError;
use crate::block::{BlockWriter, ReaderWatch};
use crate::resource::relational::CsvForm;

/// What a formatter makes of rows, where somebody else may know how to make it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Formatting {
    /// Comma-separated values, as [`CsvWriter`](crate::format::CsvWriter) writes them with line feeds and escapes.
    Csv(CsvForm),
}

/// The output of a formatter, in the hands of the source of its rows.
///
/// One that is dropped leaves a broken stream, as any output does.
#[derive(Debug)]
pub struct Pushdown {
    formatting: Formatting,
    formatter: Box<str>,
    output: BlockWriter,
    verdict: oneshot::Sender<Verdict>,
    /// How many have been written.
    count: Arc<AtomicU64>,
}

/// What a formatter waits for whose output its source has.
#[derive(Debug)]
pub(crate) struct AwaitedOutput {
    verdict: oneshot::Receiver<Verdict>,
    reader: ReaderWatch,
}

#[derive(Debug)]
enum Verdict {
    /// All is written, and the stream finished.
    Written,
    /// Nothing is written.
    Declined(BlockWriter),
}

impl Pushdown {
    /// What the formatter of that name would write into `output`, which is counted when it is written; and what tells the
    /// formatter whether to.
    pub(crate) fn new(
        formatting: Formatting,
        formatter: Box<str>,
        output: BlockWriter,
        count: Arc<AtomicU64>,
    ) -> (Self, AwaitedOutput) {
        let (verdict, awaited) = oneshot::channel();
        let awaited = AwaitedOutput { verdict: awaited, reader: output.watch() };
        (Self { formatting, formatter, output, verdict, count }, awaited)
    }

    /// What is to be written.
    #[must_use]
    pub fn formatting(&self) -> &Formatting {
        &self.formatting
    }

    /// Where it is to be written.
    #[must_use]
    pub fn output(&self) -> &BlockWriter {
        &self.output
    }

    /// All is written: ends the stream, and the formatter has nothing left to do.
    pub async fn finish(self) {
        debug!(event = "engine.fused", formatter = %self.formatter, "the source of the rows has formatted them");
        self.count.fetch_add(1, Ordering::Relaxed);
        self.output.finish().await;
        // A formatter that was cancelled does not care.
        let _ = self.verdict.send(Verdict::Written);
    }

    /// Nothing is written: the formatter gets its output back, to write itself what it makes of the rows.
    pub fn decline(self) {
        let _ = self.verdict.send(Verdict::Declined(self.output));
    }
}

impl AwaitedOutput {
    /// The output, or `None` when all is written.
    ///
    /// # Errors
    ///
    /// [`ActivityError::ReaderGone`] or [`ActivityError::InputBroken`] when the source stopped, by what stopped it.
    pub(crate) async fn output(self) -> Result<Option<BlockWriter>, ActivityError> {
        match self.verdict.await {
            Ok(Verdict::Written) => Ok(None),
            Ok(Verdict::Declined(output)) => Ok(Some(output)),
            Err(_) if self.reader.reader_gone() => Err(ActivityError::ReaderGone),
            Err(_) => Err(ActivityError::InputBroken),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block::{Block, BlockReader, StreamType, pipe};

    fn pushdown() -> (Pushdown, AwaitedOutput, BlockReader) {
        let (writer, reader) = pipe(StreamType::Text);
        let form = CsvForm { delimiter: ',', null: String::new(), header: false };
        let (pushdown, awaited) = Pushdown::new(Formatting::Csv(form), "format".into(), writer, Arc::default());
        (pushdown, awaited, reader)
    }

    #[tokio::test]
    async fn what_the_source_has_written_is_all_there_is() {
        let (pushdown, awaited, mut reader) = pushdown();
        pushdown.output().send(Block::Text("1\n".into())).await.unwrap();
        pushdown.finish().await;
        assert!(awaited.output().await.unwrap().is_none());
        assert!(matches!(reader.next().await, Ok(Some(Block::Text(text))) if text == "1\n"));
        assert!(matches!(reader.next().await, Ok(None)));
    }

    #[tokio::test]
    async fn a_formatter_whose_source_declines_writes_itself() {
        let (pushdown, awaited, mut reader) = pushdown();
        pushdown.decline();
        let writer = awaited.output().await.unwrap().unwrap();
        writer.send(Block::Text("1\n".into())).await.unwrap();
        writer.finish().await;
        assert!(matches!(reader.next().await, Ok(Some(_))));
        assert!(matches!(reader.next().await, Ok(None)));
    }

    #[tokio::test]
    async fn a_source_that_fails_breaks_the_stream_of_the_formatter() {
        let (pushdown, awaited, mut reader) = pushdown();
        drop(pushdown);
        assert!(matches!(awaited.output().await, Err(ActivityError::InputBroken)));
        assert!(reader.next().await.is_err());
    }

    #[tokio::test]
    async fn a_formatter_that_nobody_reads_is_no_failure() {
        let (pushdown, awaited, reader) = pushdown();
        drop(reader);
        drop(pushdown);
        assert!(matches!(awaited.output().await, Err(ActivityError::ReaderGone)));
    }
}
