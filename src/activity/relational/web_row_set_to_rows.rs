use std::cell::RefCell;
use std::io::{self, BufRead, Read};
use std::rc::Rc;

use async_trait::async_trait;
use bytestring::ByteString;

use crate::activity::blocking::on_blocking_thread;
use crate::activity::transform::expect_text;
use crate::activity::{Activity, ActivityContext, ActivityError, Effects, InputPort, OutputPort, Setup};
use crate::block::{Block, BlockReader, BlockWriter, StreamType};
use crate::document::{DocumentError, Fields};
use crate::format::WebRowSetReader;

/// `webRowSetToRows`: rows from a WebRowSet, ours or Java's.
///
/// ```xml
/// <webRowSetToRows name="read"><webRowSetInput from="table"/><rows name="rows"/></webRowSetToRows>
/// ```
#[derive(Debug)]
pub struct WebRowSetToRows {
    document: InputPort,
    rows: OutputPort,
}

#[async_trait]
impl Activity for WebRowSetToRows {
    const ELEMENT: &'static str = "webRowSetToRows";
    const EFFECTS: Effects = Effects::Session;

    fn parse(fields: &mut Fields<'_>, setup: &mut Setup<'_>) -> Result<Self, DocumentError> {
        let document = setup.input(fields, "webRowSetInput", StreamType::Text)?;
        let rows = setup.output(fields, "rows", StreamType::Rows)?;
        Ok(Self { document, rows })
    }

    async fn run(self, mut context: ActivityContext) -> Result<(), ActivityError> {
        let input = context.input(self.document).into_reader();
        let output = context.output(self.rows).into_writer();
        match (input, output) {
            (Some(input), Some(output)) => read_rows(input, output).await,
            _ => Ok(()),
        }
    }
}

/// Reads a `WebRowSet` into rows. Its reader pulls its bytes, so it waits on a thread of its own; it ends when either stream
/// does.
pub(super) async fn read_rows(input: BlockReader, output: BlockWriter) -> Result<(), ActivityError> {
    on_blocking_thread(move || read(input, output)).await
}

fn read(input: BlockReader, output: BlockWriter) -> Result<(), ActivityError> {
    let broken = Rc::new(RefCell::new(None));
    let mut reader =
        WebRowSetReader::new(Document { input, block: ByteString::new(), at: 0, broken: Rc::clone(&broken) });
    loop {
        match reader.next_block() {
            Ok(Some(rows)) => output.blocking_send(Block::Rows(rows))?,
            Ok(None) => {
                output.blocking_finish();
                return Ok(());
            }
            // What has gone wrong in the stream goes before what the document looks like because of it.
            Err(error) => return Err(broken.take().unwrap_or(error.into())),
        }
    }
}

/// A stream of text as a source of bytes.
struct Document {
    input: BlockReader,
    block: ByteString,
    /// How much of the block has been taken.
    at: usize,
    /// Why the stream has no more, if it has not ended.
    broken: Rc<RefCell<Option<ActivityError>>>,
}

impl BufRead for Document {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.at == self.block.len() {
            let next = self.input.blocking_next().map_err(ActivityError::from);
            match next.and_then(|block| block.map(expect_text).transpose()) {
                Ok(Some(block)) => (self.block, self.at) = (block, 0),
                Ok(None) => break,
                Err(error) => {
                    *self.broken.borrow_mut() = Some(error);
                    return Err(io::Error::other("the stream broke off"));
                }
            }
        }
        Ok(&self.block.as_bytes()[self.at..])
    }

    fn consume(&mut self, amount: usize) {
        self.at += amount;
    }
}

impl Read for Document {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(into)?;
        self.consume(count);
        Ok(count)
    }
}
