//! One open connection.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::OnceCell;
use tokio::task::JoinHandle;
use tokio_postgres::{Client, Error, Statement};

use super::connect::{Known, cancel};
use super::line::{Line, Talk};
use super::own_statement::OwnStatements;
use super::prepared::{Prepared, StatementCache};
use super::sql::Sql;
use super::streaming::Broken;
use super::tls::Connector;

/// After how long without use a connection is asked for a sign of life before it is used again.
const IDLE: Duration = Duration::from_secs(1);

/// How long the server has for that sign.
const SIGN_OF_LIFE: Duration = Duration::from_secs(2);

/// The longest text of a statement that stays prepared, in bytes: it takes room here and in the server, as long as the
/// connection lives. Longer ones hold values rather than places for them, and don't come again.
const LONGEST_KEPT: usize = 16 * 1024;

/// An open connection, with the statements that were prepared on it.
#[derive(Debug)]
pub(super) struct Connection {
    client: Client,
    task: JoinHandle<()>,
    line: Arc<Line>,
    connector: Connector,
    statements: Mutex<StatementCache>,
    /// What we speak ourselves on the line.
    pub(super) own: OwnStatements,
    known: Arc<Known>,
    /// The query that tells where columns come from.
    pub(super) origins: Mutex<Option<Statement>>,
    /// Whether the server keeps prepared transactions, once it was asked: that is so as long as it runs.
    pub(super) keeps_prepared: OnceCell<bool>,
    /// Nobody knows in which state it is.
    abandoned: AtomicBool,
    /// Code of a client ran on it that may have changed what is prepared.
    is_spoilt: AtomicBool,
    last_used: Mutex<Instant>,
}

impl Connection {
    pub(super) fn new(
        client: Client,
        task: JoinHandle<()>,
        line: Arc<Line>,
        connector: Connector,
        known: Arc<Known>,
    ) -> Self {
        Self {
            client,
            task,
            line,
            connector,
            statements: Mutex::default(),
            own: OwnStatements::default(),
            known,
            origins: Mutex::default(),
            keeps_prepared: OnceCell::new(),
            abandoned: AtomicBool::new(false),
            is_spoilt: AtomicBool::new(false),
            last_used: Mutex::new(Instant::now()),
        }
    }

    /// The driver, for whatever it is to do.
    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// Takes the line from the driver, once all is answered that the driver has sent. What it was asked for and has not sent
    /// yet would come after the talk: so whoever talks has waited for what must come before.
    pub(super) async fn talk(&self) -> Result<Talk<'_>, Broken> {
        let begin = || Talk::begin(&self.line).map_err(|error| Broken::Line(error, 0));
        if let Some(talk) = begin()? {
            return Ok(talk);
        }
        self.client.check_connection().await.map_err(|error| Broken::Driver(error, 0))?;
        begin()?.ok_or_else(|| Broken::Line(io::Error::other("the driver still waits for an answer"), 0))
    }

    /// The statement, if it was prepared before.
    pub(super) fn prepared(&self, sql: &Sql) -> Option<Arc<Prepared>> {
        let changes = self.known.changes.load(Ordering::Acquire);
        self.statements.lock().get(sql.text(), changes)
    }

    /// The statement, prepared now or before: its parameters may have the types that things had then.
    pub(super) async fn prepare(&self, sql: &Sql) -> Result<Arc<Prepared>, Error> {
        self.note(sql);
        if let Some(known) = self.prepared(sql) {
            return Ok(known);
        }
        // What is done once for many uses does not make the state of each larger.
        let prepared = Arc::new(Box::pin(Prepared::prepare(self, sql)).await?);
        if sql.text().len() <= LONGEST_KEPT {
            self.statements.lock().insert(sql.text(), Arc::clone(&prepared));
        }
        Ok(prepared)
    }

    /// The statement, prepared now. Within a transaction nobody gives its tables other types before the end.
    pub(super) async fn prepare_anew(&self, sql: &Sql) -> Result<Prepared, Error> {
        self.note(sql);
        Prepared::prepare(self, sql).await
    }

    /// The statement, prepared now, for what it does and not for its rows.
    pub(super) async fn prepare_effect(&self, sql: &Sql) -> Result<Statement, Error> {
        self.note(sql);
        self.client().prepare(sql.text()).await
    }

    /// Looks whether a statement is one after which nobody else is to use the connection.
    fn note(&self, sql: &Sql) {
        if sql.brings_code() {
            self.is_spoilt.store(true, Ordering::Release);
        }
    }

    /// Whether nobody else is to use it, though nothing runs on it.
    pub(super) fn is_spoilt(&self) -> bool {
        self.is_spoilt.load(Ordering::Acquire)
    }

    /// Forgets a statement that the server has forgotten, or plans no more as it did.
    pub(super) fn forget(&self, sql: &Sql) {
        self.statements.lock().remove(sql.text());
    }

    /// Forgets all that it has prepared, because the server has.
    pub(super) fn forget_all(&self) {
        *self.statements.lock() = StatementCache::default();
        *self.origins.lock() = None;
    }

    /// Says that tables may have been changed.
    pub(super) fn note_change(&self) {
        self.known.changes.fetch_add(1, Ordering::AcqRel);
    }

    /// Whether it can be used again.
    pub(super) async fn is_usable(&self) -> bool {
        if self.abandoned.load(Ordering::Acquire) || self.client.is_closed() || !self.line.is_quiet() {
            return false;
        }
        let last_used = *self.last_used.lock();
        if last_used.elapsed() < IDLE {
            return true;
        }
        // Where one was asked in vain, those that were left before it are not asked as well: each would take as long.
        if self.known.silence.lock().is_some_and(|silence| last_used < silence) {
            return false;
        }
        let answer = tokio::time::timeout(SIGN_OF_LIFE, self.client().check_connection()).await;
        if answer.is_err() {
            *self.known.silence.lock() = Some(Instant::now());
        }
        matches!(answer, Ok(Ok(())))
    }

    /// How long nobody has used it.
    pub(super) fn idle(&self) -> Duration {
        self.last_used.lock().elapsed()
    }

    /// Says that it was used up to now.
    pub(super) fn touch(&self) {
        *self.last_used.lock() = Instant::now();
    }

    /// Stops what runs on it, and closes it.
    pub(super) fn abandon(&self) {
        if self.abandoned.swap(true, Ordering::AcqRel) {
            return;
        }
        let (token, connector) = (self.client.cancel_token(), self.connector.clone());
        // The server stops a statement when it is asked to; that its client has gone it may notice much later.
        if !self.client.is_closed()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(async move { cancel(token, &connector).await });
        }
        self.task.abort();
        // It may wait for long in the pool, and the server would keep what a transaction has locked.
        self.line.cut();
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // Without work to do, the connection says goodbye to the server; whatever still runs was abandoned.
        if self.abandoned.load(Ordering::Acquire) {
            self.task.abort();
        }
    }
}
