//! One open connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::OnceCell;
use tokio::task::JoinHandle;
use tokio_postgres::{Client, Error, Statement};

use super::connect::{Known, cancel};
use super::line::{Line, Talk};
use super::prepared::{Prepared, StatementCache};
use super::reading::OwnStatements;
use super::sql::Sql;
use super::streaming::Broken;
use super::tls::Connector;

/// After how long without use a connection is asked for a sign of life before it is used again.
const IDLE: Duration = Duration::from_secs(1);

/// How long the server has for that sign.
const SIGN_OF_LIFE: Duration = Duration::from_secs(2);

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
    /// Whether the driver may wait for an answer: it has been asked for something, or told to forget something.
    is_drivers: AtomicBool,
    known: Arc<Known>,
    /// The query that tells where columns come from.
    pub(super) origins: OnceCell<Statement>,
    /// Nobody knows in which state it is.
    abandoned: AtomicBool,
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
            is_drivers: AtomicBool::new(true),
            known,
            origins: OnceCell::new(),
            abandoned: AtomicBool::new(false),
            last_used: Mutex::new(Instant::now()),
        }
    }

    /// The driver, for whatever it is to do.
    pub(super) fn client(&self) -> &Client {
        self.is_drivers.store(true, Ordering::Release);
        &self.client
    }

    /// Takes the line from the driver, once all is answered that the driver has sent: what it prepared and forgets, it says to
    /// the server without to wait. Nothing of the driver's may be dropped until the talk is over.
    pub(super) async fn talk(&self) -> Result<Talk<'_>, Broken> {
        if self.is_drivers.load(Ordering::Acquire) {
            self.client.check_connection().await.map_err(|error| Broken::Driver(error, 0))?;
            self.is_drivers.store(false, Ordering::Release);
        }
        Talk::begin(&self.line).map_err(|error| Broken::Line(error, 0))
    }

    /// The statement, prepared now or before.
    pub(super) async fn prepare(&self, sql: &Arc<Sql>) -> Result<Arc<Prepared>, Error> {
        let changes = self.known.changes.load(Ordering::Acquire);
        if let Some(known) = self.statements.lock().get(sql.text(), changes) {
            return Ok(known);
        }
        // What is done once for many uses does not make the state of each larger.
        let prepared = Arc::new(Box::pin(Prepared::prepare(self, sql)).await?);
        self.statements.lock().insert(sql.text(), Arc::clone(&prepared));
        Ok(prepared)
    }

    /// Forgets a statement that the server has forgotten, or plans no more as it did.
    pub(super) fn forget(&self, sql: &Sql) {
        self.is_drivers.store(true, Ordering::Release);
        self.statements.lock().remove(sql.text());
    }

    /// Says that tables may have been changed.
    pub(super) fn note_change(&self) {
        self.known.changes.fetch_add(1, Ordering::AcqRel);
    }

    /// Whether it can be used again.
    pub(super) async fn is_usable(&self) -> bool {
        if self.abandoned.load(Ordering::Acquire) || self.client.is_closed() {
            return false;
        }
        if !self.is_drivers.load(Ordering::Acquire) && !self.line.is_quiet() {
            return false;
        }
        let idle = self.last_used.lock().elapsed();
        if idle < IDLE {
            return true;
        }
        let sign = tokio::time::timeout(SIGN_OF_LIFE, self.client().check_connection()).await;
        let is_alive = matches!(sign, Ok(Ok(())));
        // Whatever the driver has sent before is answered as well.
        self.is_drivers.store(!is_alive, Ordering::Release);
        is_alive
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
