use async_trait::async_trait;

use super::cursor;
use crate::activity::{Activity, ActivityContext, ActivityError, Effects, OutputPort, Requirement, Setup};
use crate::block::{BlockReader, StreamType, pipe};
use crate::document::activities::{self, ActivityElement};
use crate::document::{DocumentError, Fields};
use crate::resource::ResourceError;
use crate::resource::relational::Fetch;

/// `fetchCursor`: the next rows of a cursor that the session has open.
///
/// ```xml
/// <fetchCursor name="next"><cursor name="people" rows="100"/><resultStream name="page"/></fetchCursor>
/// ```
///
/// Fewer rows than were asked for: that was the end, and the cursor is closed. A scrollable one stays open; it takes
/// `absolute="201"`, the number of the first row from 1, or `relative="-100"`, from where the next fetch would begin.
#[derive(Debug)]
pub struct FetchCursor {
    name: Box<str>,
    fetch: Fetch,
    rows: OutputPort,
}

#[async_trait]
impl Activity for FetchCursor {
    const ELEMENT: &'static str = activities::FetchCursor::ELEMENT;
    const REQUIREMENT: Requirement = activities::FetchCursor::SHAPE.requires;
    const EFFECTS: Effects = Effects::Session;

    fn parse(fields: &mut Fields<'_>, setup: &mut Setup<'_>) -> Result<Self, DocumentError> {
        let read = activities::FetchCursor::read(fields)?;
        setup.runs_statements();
        let rows = setup.writes(&read.result_stream, None);
        Ok(Self { name: read.cursor.into(), fetch: Fetch { from: read.from, rows: read.rows }, rows })
    }

    async fn run(self, mut context: ActivityContext) -> Result<(), ActivityError> {
        let output = context.output(self.rows).into_writer();
        let session = context.session();
        let kept = cursor::find(session, &self.name)?;
        let Some(open) = kept.open() else { return Err(closed(&self.name)) };
        let (writer, unread) = if let Some(writer) = output {
            (writer, None)
        } else {
            let (writer, reader) = pipe(StreamType::Rows);
            (writer, Some(reader))
        };
        let fetching = open.fetch(self.fetch, writer, context.cancellation().clone());
        let (end, ()) = futures_util::future::join(fetching, pass_by(unread)).await;
        if !matches!(end, Ok(_) | Err(ResourceError::Unsupported { .. })) {
            // Nobody knows where it stands.
            kept.take();
        }
        let end = end?;
        if (end.at_end || end.rows < self.fetch.rows) && !kept.scrollable {
            cursor::forget(session, &self.name, &kept)?;
        }
        Ok(())
    }
}

/// Takes rows that nobody asked for.
async fn pass_by(rows: Option<BlockReader>) {
    let Some(mut rows) = rows else { return };
    // Why a stream breaks, its writer tells.
    while let Ok(Some(_)) = rows.next().await {}
}

fn closed(name: &str) -> ActivityError {
    let message = format!(
        "the cursor `{name}` is closed, because its transaction is over or a fetch was broken off: take it out of the session (`closeCursor`) and open another"
    );
    ActivityError::client("CursorClosed", message)
}
