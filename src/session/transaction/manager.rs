use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;

use super::{Transaction, TransactionError, TransactionOptions, TransactionState};
use crate::session::{
    Access, AttributeValue, Clock, IdSource, SessionAttributes, StaticSessionAttribute, SystemClock, SystemIds,
};

/// `rejoin.TransactionManager`: begins the transactions of sessions and finds them again.
///
/// A session has one transaction at a time. It is kept in the session as a live attribute: `NAME.transaction`, where `NAME` is
/// that of the manager. One that a request begins is the session's when that request completes; if the request fails, it is
/// rolled back. A later request that fails leaves it as it is: what that request changed in its data resources stays part of
/// the transaction, unless a savepoint takes it back.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// use rejoin::session::{
///     Access, AttributeSnapshot, Isolation, SessionAttributes, TransactionManager, TransactionOptions, TransactionState,
/// };
///
/// let manager = TransactionManager::new("transactionManager");
/// let session = SessionAttributes::new(AttributeSnapshot::default(), Access::Exclusive, Default::default());
/// let options = TransactionOptions { isolation: Some(Isolation::Serializable), ..Default::default() };
///
/// let transaction = manager.begin(&session, options)?;
/// // A data resource takes part: transaction.enlist("ledger", |options| async { … }).await?
/// assert_eq!(manager.current(&session)?.id(), transaction.id());
/// manager.commit(&session).await?;
/// assert_eq!(transaction.state(), TransactionState::Committed);
/// # Ok::<(), rejoin::session::TransactionError>(())
/// # }).unwrap();
/// ```
pub struct TransactionManager {
    attribute: Box<str>,
    ids: Arc<dyn IdSource>,
    clock: Arc<dyn Clock>,
    /// Held while one is begun: of two that begin at once, one does.
    beginning: Mutex<()>,
}

impl TransactionManager {
    /// The manager that is the static attribute of that name.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self {
            attribute: format!("{name}.transaction").into(),
            ids: Arc::new(SystemIds::new()),
            clock: Arc::new(SystemClock),
            beginning: Mutex::default(),
        }
    }

    /// Begins a transaction in a session. Called in the runtime on which it may be rolled back when nobody waits for that.
    ///
    /// # Errors
    ///
    /// [`TransactionError::AlreadyActive`] when the session has one that goes on; [`TransactionError::NameTaken`];
    /// [`TransactionError::Attribute`] when the session takes no attribute, for the request has read access, say.
    pub fn begin(
        &self,
        session: &SessionAttributes,
        options: TransactionOptions,
    ) -> Result<Arc<Transaction>, TransactionError> {
        let _one_at_a_time = self.beginning.lock();
        match self.latest(session) {
            Some(latest) if latest.state() == TransactionState::Active => return Err(TransactionError::AlreadyActive),
            None if session.contains(&self.attribute) && session.access() == Access::Exclusive => {
                return Err(TransactionError::NameTaken { name: self.attribute.clone() });
            }
            _ => {}
        }
        let transaction = Arc::new(Transaction::begin(self.ids.uuid(self.clock.wall())?, options));
        session.set(&self.attribute, AttributeValue::Live(Arc::clone(&transaction) as _))?;
        Ok(transaction)
    }

    /// The transaction of a session that goes on.
    ///
    /// # Errors
    ///
    /// [`TransactionError::NotActive`] when there is none.
    pub fn current(&self, session: &SessionAttributes) -> Result<Arc<Transaction>, TransactionError> {
        let latest = self.latest(session).filter(|latest| latest.state() == TransactionState::Active);
        latest.ok_or(TransactionError::NotActive)
    }

    /// The latest transaction of a session, as long as it is there: also one that is over, where the request that ended it did
    /// not complete. Its state tells what has become of it.
    #[must_use]
    pub fn latest(&self, session: &SessionAttributes) -> Option<Arc<Transaction>> {
        match session.get(&self.attribute)? {
            AttributeValue::Live(live) => live.downcast(),
            _ => None,
        }
    }

    /// Commits the transaction of a session.
    ///
    /// # Errors
    ///
    /// [`TransactionError::NotActive`] when there is none; otherwise as [`Transaction::commit`].
    pub async fn commit(&self, session: &SessionAttributes) -> Result<(), TransactionError> {
        let done = self.current(session)?.commit().await;
        self.forget(session);
        done
    }

    /// Rolls the transaction of a session back.
    ///
    /// # Errors
    ///
    /// [`TransactionError::NotActive`] when there is none.
    pub async fn rollback(&self, session: &SessionAttributes) -> Result<(), TransactionError> {
        let done = self.current(session)?.rollback().await;
        self.forget(session);
        done
    }

    /// Takes a transaction that is over out of the session. One that stays there does no harm: the next takes its place.
    fn forget(&self, session: &SessionAttributes) {
        if let Err(error) = session.remove(&self.attribute) {
            tracing::debug!(%error, "a transaction that is over stays in its session");
        }
    }
}

impl StaticSessionAttribute for TransactionManager {
    fn type_name(&self) -> &'static str {
        "transactionManager"
    }
}

impl fmt::Debug for TransactionManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TransactionManager").field("attribute", &self.attribute).finish_non_exhaustive()
    }
}
