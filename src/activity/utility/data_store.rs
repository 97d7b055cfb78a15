use std::sync::Arc;

use async_trait::async_trait;
use bytestring::ByteString;
use futures_util::future::try_join;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use crate::activity::{Activity, ActivityContext, ActivityError, Effects, Input, InputPort, Output, OutputPort, Setup};
use crate::block::Block;
use crate::document::activities::{self, ActivityElement, DataStoreSource, stream::Text};
use crate::document::{DocumentError, Fields};

/// How much a data store holds before its writer has to wait, in KiB.
const HOLDS_KIB: u32 = 16 * 1024;

/// `dataStore`: blocks given in the document, or those of a stream, read ahead of their reader.
///
/// It takes up to 16 MiB of its input as fast as it comes, so that a query need not wait for a slow reader; beyond that its
/// writer waits, as everywhere. Each `item` is one block of text.
///
/// ```xml
/// <dataStore name="ds"><item>17</item><item>23</item><itemCursor name="ids"/></dataStore>
/// <dataStore name="ahead"><input from="table"/><itemCursor name="again"/></dataStore>
/// ```
#[derive(Debug)]
pub struct DataStore {
    source: Source,
    cursor: OutputPort,
}

#[derive(Debug)]
enum Source {
    Items(Vec<ByteString>),
    Stream(InputPort),
}

#[async_trait]
impl Activity for DataStore {
    const ELEMENT: &'static str = activities::DataStore::ELEMENT;
    const EFFECTS: Effects = Effects::Session;

    fn parse(fields: &mut Fields<'_>, setup: &mut Setup<'_>) -> Result<Self, DocumentError> {
        let read = activities::DataStore::read(fields)?;
        let (source, cursor) = match read.source {
            DataStoreSource::Stream(stream) => {
                let input = setup.reads(&stream);
                (Source::Stream(input), setup.passes_on(input, &read.item_cursor))
            }
            DataStoreSource::Items(items) => {
                let items = items.into_iter().map(ByteString::from).collect();
                (Source::Items(items), setup.writes(&read.item_cursor.carrying::<Text>(), None))
            }
        };
        Ok(Self { source, cursor })
    }

    async fn run(self, mut context: ActivityContext) -> Result<(), ActivityError> {
        let output = context.output(self.cursor);
        match self.source {
            Source::Items(items) => {
                for item in items {
                    output.send(Block::Text(item)).await?;
                }
                output.finish().await;
                Ok(())
            }
            Source::Stream(input) => {
                let (sender, receiver) = mpsc::unbounded_channel();
                try_join(read_ahead(context.input(input), sender), hand_on(receiver, output)).await?;
                Ok(())
            }
        }
    }
}

/// A block and the room that it takes in the store.
type Held = (Block, OwnedSemaphorePermit);

async fn read_ahead(mut input: Input, store: mpsc::UnboundedSender<Held>) -> Result<(), ActivityError> {
    let room = Arc::new(Semaphore::new(HOLDS_KIB as usize));
    while let Some(block) = input.next().await? {
        let kib = u32::try_from(block.byte_size() / 1024).unwrap_or(HOLDS_KIB).clamp(1, HOLDS_KIB);
        let Ok(taken) = Arc::clone(&room).acquire_many_owned(kib).await else {
            return Err(ActivityError::ReaderGone);
        };
        if store.send((block, taken)).is_err() {
            return Err(ActivityError::ReaderGone);
        }
    }
    Ok(())
}

async fn hand_on(mut store: mpsc::UnboundedReceiver<Held>, output: Output) -> Result<(), ActivityError> {
    while let Some((block, _taken)) = store.recv().await {
        output.send(block).await?;
    }
    // The reading half ends before its sender is dropped; when it failed, `try_join` has dropped this future.
    output.finish().await;
    Ok(())
}
