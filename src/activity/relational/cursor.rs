//! Cursors as sessions keep them: what `openCursor`, `fetchCursor` and `closeCursor` have in common.

use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::runtime::Handle;

use crate::activity::ActivityError;
use crate::resource::relational::RowCursor;
use crate::session::{AttributeValue, CloseError, LiveAttribute, SessionAttributes, Transaction, TransactionState};

/// An open cursor: a live attribute, which is closed with its session.
pub(super) struct SessionCursor {
    cursor: Mutex<Option<Arc<dyn RowCursor>>>,
    pub(super) scrollable: bool,
    /// The transaction that it is part of.
    transaction: Option<Arc<Transaction>>,
    /// Where it is closed when nobody waits for that.
    runtime: Option<Handle>,
}

impl SessionCursor {
    pub(super) fn new(cursor: Box<dyn RowCursor>, scrollable: bool, transaction: Option<Arc<Transaction>>) -> Self {
        let runtime = Handle::try_current().ok();
        Self { cursor: Mutex::new(Some(cursor.into())), scrollable, transaction, runtime }
    }

    /// The cursor, unless it is closed. One of a transaction is closed with it, also where the database would still have rows.
    pub(super) fn open(&self) -> Option<Arc<dyn RowCursor>> {
        let mut cursor = self.cursor.lock();
        if self.transaction.as_ref().is_some_and(|transaction| transaction.state() != TransactionState::Active) {
            *cursor = None;
        }
        cursor.clone()
    }

    /// Takes the cursor, which nobody uses any more.
    pub(super) fn take(&self) -> Option<Arc<dyn RowCursor>> {
        self.cursor.lock().take()
    }
}

impl LiveAttribute for SessionCursor {
    fn type_name(&self) -> &'static str {
        "cursor"
    }

    fn ended_by(&self) -> Option<&'static str> {
        Some("closeCursor")
    }

    fn close(&self) -> Result<(), CloseError> {
        // One that is dropped is closed as well; this lets the database say what it has to.
        if let (Some(cursor), Some(runtime)) = (self.take(), &self.runtime) {
            runtime.spawn(async move {
                if let Err(error) = cursor.close().await {
                    tracing::debug!(%error, "a cursor could not be closed; its connection is");
                }
            });
        }
        Ok(())
    }
}

impl fmt::Debug for SessionCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionCursor").field("scrollable", &self.scrollable).finish_non_exhaustive()
    }
}

/// Takes a cursor that is closed out of its session.
pub(super) fn forget(session: &SessionAttributes, name: &str, kept: &Arc<SessionCursor>) -> Result<(), ActivityError> {
    let live: Arc<dyn LiveAttribute> = Arc::<SessionCursor>::clone(kept);
    session.replace_live(name, &live, None)?;
    Ok(())
}

/// The cursor of that name in a session.
pub(super) fn find(session: &SessionAttributes, name: &str) -> Result<Arc<SessionCursor>, ActivityError> {
    let found = match session.get(name) {
        Some(AttributeValue::Live(live)) => live.downcast(),
        _ => None,
    };
    found.ok_or_else(|| {
        let message = format!(
            "the session has no cursor `{name}`: `openCursor` opens one, in an earlier request or step of a `sequence`; one \
             that has been read to its end is closed"
        );
        ActivityError::client("CursorNotFound", message)
    })
}
