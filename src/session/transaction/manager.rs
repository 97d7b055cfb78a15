use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock, OnceLock};

use parking_lot::Mutex;
use uuid::Uuid;

use super::log::{DecisionLog, Known, LogError, Stands};
use super::recovery::{Recoverable, Recovery};
use super::two_phase::{Logged, qualified};
use super::{Decision, Transaction, TransactionError, TransactionOptions, TransactionReport, TransactionState};
use crate::block::Scalar;
use crate::session::{
    Access, AttributeValue, Clock, IdSource, LiveAttribute, Principal, SessionAttributes, StaticSessionAttribute,
    SystemClock, SystemIds,
};

/// `rejoin.TransactionManager`: begins the transactions of sessions and finds them again.
///
/// A session has one transaction at a time. It is kept in the session as a live attribute: `NAME.transaction`, where `NAME` is
/// that of the manager. When it is over, its [report](TransactionReport) is there instead. One that a request begins is the session's when that request completes; if the request fails, it is
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
    /// The folder of the decision log, if one is to be kept.
    log: Option<PathBuf>,
    /// The log and what it is good for, once there is something to recover.
    attached: OnceLock<Attached>,
}

/// A manager at work for a data service resource.
struct Attached {
    log: Arc<DecisionLog>,
    /// The name of the data service resource.
    scope: Box<str>,
    recovery: Arc<Recovery>,
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
            log: None,
            attached: OnceLock::new(),
        }
    }

    /// The same, by another clock.
    #[must_use]
    pub fn with_clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// The same, with a decision log in that folder: its transactions are committed in two phases, and what became of them can
    /// be asked for. The log is opened by [`attach`](Self::attach).
    #[must_use]
    pub fn with_log(mut self, folder: impl Into<PathBuf>) -> Self {
        self.log = Some(folder.into());
        self
    }

    /// Opens the log, if there is to be one, and begins to settle what an earlier process left prepared in the data resources
    /// of a data service resource of that name. What does not answer is asked again about once a second
    /// ([`StaticSessionAttribute::refresh`]). It blocks. A second time it does nothing.
    ///
    /// # Errors
    ///
    /// [`LogError`] when the log can't be used.
    pub fn attach(&self, scope: &str, resources: Vec<(Box<str>, Arc<dyn Recoverable>)>) -> Result<(), LogError> {
        let Some(folder) = self.log.as_ref().filter(|_| self.attached.get().is_none()) else { return Ok(()) };
        let log = DecisionLog::open(folder)?;
        let resources = resources.into_iter().map(|(name, resource)| (qualified(scope, &name), resource)).collect();
        let recovery = Recovery::new(Arc::clone(&log), resources, Arc::clone(&self.clock));
        let attached = self.attached.get_or_init(|| Attached { log, scope: scope.into(), recovery });
        attached.recovery.look();
        Ok(())
    }

    /// The manager of a session's transactions: the first that its configuration names, or else one that is there without being
    /// configured, as `transactionManager`, and keeps no log.
    #[must_use]
    pub fn of(session: &SessionAttributes) -> Arc<Self> {
        static UNCONFIGURED: LazyLock<Arc<TransactionManager>> =
            LazyLock::new(|| Arc::new(TransactionManager::new("transactionManager")));
        session.first_static().unwrap_or_else(|| Arc::clone(&UNCONFIGURED))
    }

    /// Begins a transaction in a session. Called in the runtime on which it may be rolled back when nobody waits for that.
    ///
    /// # Errors
    ///
    /// [`TransactionError::AlreadyActive`] when the session has one that goes on; [`TransactionError::NameTaken`];
    /// [`TransactionError::Attribute`] when the session takes no attribute, for the request has read access, say;
    /// [`TransactionError::Log`] when a log was asked for and is not open.
    pub fn begin(
        &self,
        session: &SessionAttributes,
        options: TransactionOptions,
    ) -> Result<Arc<Transaction>, TransactionError> {
        self.begin_for(session, options, &Principal::anonymous())
    }

    /// The same, on behalf of somebody: nobody else is told what became of it.
    ///
    /// # Errors
    ///
    /// As [`begin`](Self::begin).
    pub fn begin_for(
        &self,
        session: &SessionAttributes,
        options: TransactionOptions,
        owner: &Principal,
    ) -> Result<Arc<Transaction>, TransactionError> {
        if self.log.is_some() && self.attached.get().is_none() {
            return Err(LogError::Closed.into());
        }
        let _one_at_a_time = self.beginning.lock();
        let latest = self.latest(session);
        match &latest {
            Some(latest) if latest.state() == TransactionState::Active => return Err(TransactionError::AlreadyActive),
            None if self.is_taken(session) && session.access() == Access::Exclusive => {
                return Err(TransactionError::NameTaken { name: self.attribute.clone() });
            }
            _ => {}
        }
        let id = match session.foreseen() {
            Some(id) => id,
            None => self.ids.uuid(self.clock.wall())?,
        };
        let logged = self
            .attached
            .get()
            .map(|attached| Logged { running: attached.log.begin(id, owner), scope: attached.scope.clone() });
        let transaction = Arc::new(Transaction::begin(id, options, logged));
        let value = AttributeValue::Live(Arc::clone(&transaction) as _);
        let has_made_room = match latest {
            Some(over) => session.replace_live(&self.attribute, &(over as _), Some(value.clone()))?,
            None => false,
        };
        if !has_made_room {
            session.set(&self.attribute, value)?;
        }
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

    /// How the latest transaction of a session stands, or how it ended; `None` when there was none.
    #[must_use]
    pub fn report(&self, session: &SessionAttributes) -> Option<TransactionReport> {
        match session.get(&self.attribute)? {
            AttributeValue::Live(live) => Some(live.downcast::<Transaction>()?.report()),
            AttributeValue::Scalar(Scalar::Xml(xml)) => TransactionReport::parse(&xml),
            _ => None,
        }
    }

    /// How a transaction stands, or how it ended: the latest of the session, or that of an id, which may be one of another
    /// session of the same owner where a log is kept.
    ///
    /// # Errors
    ///
    /// [`TransactionError::NotActive`] when the session had none, [`TransactionError::Unknown`] when nothing is known of the
    /// id, or it is not the owner's, [`TransactionError::Log`] when the log can't be read.
    pub async fn state(
        &self,
        session: &SessionAttributes,
        id: Option<Uuid>,
        owner: &Principal,
    ) -> Result<TransactionReport, TransactionError> {
        let here = self.report(session).filter(|report| id.is_none_or(|id| report.id == id));
        match (here, id) {
            // The log may know more by now.
            (Some(report), _) if matches!(report.state, TransactionState::Failed | TransactionState::Committing) => {
                let state = self.written(report.id, owner).await?.unwrap_or(report.state);
                Ok(TransactionReport { state, ..report })
            }
            (Some(report), _) => Ok(report),
            (None, None) => Err(TransactionError::NotActive),
            (None, Some(id)) => match self.written(id, owner).await? {
                Some(state) => {
                    Ok(TransactionReport { id, state, isolation: None, read_only: false, is_retryable: false })
                }
                None => Err(TransactionError::Unknown { id }),
            },
        }
    }

    /// The transaction that the next commit of this request is about, where a log tells afterwards what became of it: the one that
    /// goes on in the session, or else the one that the request begins, whose id is given away now.
    ///
    /// # Errors
    ///
    /// [`TransactionError::RandomUnavailable`] when there is no id for it.
    pub fn foresee(&self, session: &SessionAttributes) -> Result<Option<Uuid>, TransactionError> {
        if self.attached.get().is_none() {
            return Ok(None);
        }
        if let Ok(current) = self.current(session) {
            return Ok(Some(current.id()));
        }
        let id = self.ids.uuid(self.clock.wall())?;
        session.foresees(id);
        Ok(Some(id))
    }

    /// What became of a transaction that was [foreseen](Self::foresee) in a process that died, by the log; `None` when that is not
    /// known, or not yet.
    ///
    /// # Errors
    ///
    /// [`TransactionError::Log`] when the log can't be read.
    pub async fn outcome(&self, id: Uuid, owner: &Principal) -> Result<Option<Decision>, TransactionError> {
        let Some(Attached { log, .. }) = self.attached.get() else { return Ok(None) };
        if log.is_running(id) {
            return Ok(None);
        }
        Ok(match log.read(id).await? {
            Some(known) if known.owner != *owner => None,
            Some(Known { stands: Stands::Decided(decision), .. }) => Some(decision),
            Some(Known { stands: Stands::Committing, .. }) => None,
            // Nothing is committed before that is written.
            Some(Known { stands: Stands::Begun, .. }) | None => Some(Decision::Rollback),
        })
    }

    /// What the log says of a transaction.
    async fn written(&self, id: Uuid, owner: &Principal) -> Result<Option<TransactionState>, TransactionError> {
        let Some(Attached { log, .. }) = self.attached.get() else { return Ok(None) };
        let is_running = log.is_running(id);
        let Some(known) = log.read(id).await?.filter(|known| known.owner == *owner) else { return Ok(None) };
        Ok(Some(match known.stands {
            Stands::Decided(Decision::Commit) => TransactionState::Committed,
            Stands::Begun if is_running => TransactionState::Active,
            Stands::Committing if is_running => TransactionState::Committing,
            Stands::Committing => TransactionState::Failed,
            // What was not decided when its process ended, is rolled back.
            Stands::Decided(Decision::Rollback) | Stands::Begun => TransactionState::RolledBack,
        }))
    }

    /// Commits the transaction of a session.
    ///
    /// # Errors
    ///
    /// [`TransactionError::NotActive`] when there is none; otherwise as [`Transaction::commit`].
    pub async fn commit(&self, session: &SessionAttributes) -> Result<(), TransactionError> {
        let transaction = self.open(session)?;
        session.settles(&transaction);
        let done = transaction.commit().await;
        self.keep(session, &transaction);
        done
    }

    /// Rolls the transaction of a session back, or takes notice that it was.
    ///
    /// # Errors
    ///
    /// [`TransactionError::NotActive`] when there is none.
    pub async fn rollback(&self, session: &SessionAttributes) -> Result<(), TransactionError> {
        let transaction = self.latest(session).ok_or(TransactionError::NotActive)?;
        let done = match transaction.state() {
            // By its database, or by a request that failed later: it is what is asked for.
            TransactionState::RolledBack => Ok(()),
            _ => {
                let transaction = self.open(session)?;
                session.settles(&transaction);
                transaction.rollback().await
            }
        };
        self.keep(session, &transaction);
        done
    }

    /// The transaction that goes on, or that ended without having been asked to.
    fn open(&self, session: &SessionAttributes) -> Result<Arc<Transaction>, TransactionError> {
        let latest = self.latest(session).ok_or(TransactionError::NotActive)?;
        match latest.finished() {
            TransactionError::Finished { state } if state != TransactionState::Active => {
                Err(TransactionError::NotActive)
            }
            _ => Ok(latest),
        }
    }

    /// Whether the name of the attribute is taken by something that is not ours.
    fn is_taken(&self, session: &SessionAttributes) -> bool {
        session.contains(&self.attribute) && self.report(session).is_none()
    }

    /// Keeps in the session how a transaction has ended, which is stored where a transaction can't be. One that stays there
    /// itself does no harm: the next takes its place.
    fn keep(&self, session: &SessionAttributes, transaction: &Arc<Transaction>) {
        let report = transaction.report();
        if report.state == TransactionState::Active {
            return;
        }
        let live: Arc<dyn LiveAttribute> = Arc::<Transaction>::clone(transaction);
        let report = AttributeValue::from(Scalar::Xml(report.to_xml().into()));
        if let Err(error) = session.replace_live(&self.attribute, &live, Some(report)) {
            tracing::debug!(%error, "a transaction that is over stays in its session");
        }
    }
}

impl StaticSessionAttribute for TransactionManager {
    fn type_name(&self) -> &'static str {
        "transactionManager"
    }

    fn refresh(&self) {
        if let Some(attached) = self.attached.get() {
            attached.recovery.look();
        }
    }
}

impl fmt::Debug for TransactionManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TransactionManager")
            .field("attribute", &self.attribute)
            .field("log", &self.log)
            .finish_non_exhaustive()
    }
}
