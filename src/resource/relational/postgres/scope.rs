//! Work on a connection that leaves nothing behind but what it was to do.

use std::pin::pin;

use async_trait::async_trait;
use futures_util::poll;

use super::PostgresResource;
use super::connection::Connection;
use super::control::Control;
use super::error::is_connection_gone;
use super::pool::Lease;
use super::query::{BEGIN_READING, END_READING, settled};
use super::sql::Sql;
use super::streaming::Broken;
use super::update::CLEAN;
use crate::resource::ResourceError;

/// Something that is done on a connection, within a transaction.
#[async_trait]
pub(super) trait Work: Send {
    /// What it gives.
    type Done: Send;

    /// Does it.
    async fn run(&mut self, connection: &Connection, control: &Control) -> Result<Self::Done, Broken>;

    /// Does it after the server has run statements without rows. When it is refused, they are run all the same.
    async fn run_after(
        &mut self,
        statements: &str,
        connection: &Connection,
        control: &Control,
    ) -> Result<Self::Done, Broken> {
        run_after(self, statements, connection, control).await
    }

    /// The statement that it is about, to tell where in it an error is.
    fn sql(&self) -> Option<&Sql> {
        None
    }

    /// Whether it can be done once more after that, from the beginning, and may come to another end: because it was prepared
    /// for tables that have changed, say. Asked once, where it has a transaction around it that goes on.
    fn can_run_again(&mut self, connection: &Connection, broken: &Broken) -> bool {
        let _ = (connection, broken);
        false
    }
}

#[async_trait]
impl<W: Work> Work for &mut W {
    type Done = W::Done;

    async fn run(&mut self, connection: &Connection, control: &Control) -> Result<Self::Done, Broken> {
        W::run(self, connection, control).await
    }

    async fn run_after(
        &mut self,
        statements: &str,
        connection: &Connection,
        control: &Control,
    ) -> Result<Self::Done, Broken> {
        W::run_after(self, statements, connection, control).await
    }

    fn sql(&self) -> Option<&Sql> {
        W::sql(self)
    }

    fn can_run_again(&mut self, connection: &Connection, broken: &Broken) -> bool {
        W::can_run_again(self, connection, broken)
    }
}

/// Does work whose first step waits for an answer of the driver: so the driver can send both at once.
pub(super) async fn run_after<W: Work + ?Sized>(
    work: &mut W,
    statements: &str,
    connection: &Connection,
    control: &Control,
) -> Result<W::Done, Broken> {
    if statements.is_empty() {
        return work.run(connection, control).await;
    }
    let mut telling = pin!(connection.client().batch_execute(statements));
    // What is polled once is sent.
    let told = poll!(&mut telling);
    let done = work.run(connection, control).await;
    settled(told, telling, control).await.map_err(without_savepoint)?;
    done
}

/// Without its savepoint, nothing can be said of work.
pub(super) fn without_savepoint(broken: Broken) -> Broken {
    Broken::Stopped(broken.into_error(None))
}

/// Where work is done: the database, or an open transaction of it.
#[async_trait]
pub(super) trait Scope: Sync {
    /// Does work that reads: the database lets it write nothing.
    async fn reading<W: Work>(&self, work: W, control: &Control) -> Result<W::Done, ResourceError>;

    /// Does work that writes, all of it or nothing.
    async fn writing<W: Work>(&self, work: W, control: &Control) -> Result<W::Done, ResourceError>;
}

impl PostgresResource {
    /// Lends a connection on which a transaction was begun. Where one of the pool turns out to be dead, because the server was
    /// restarted meanwhile, say, nothing has been done yet, and a new one takes its place.
    pub(super) async fn lend_begun(&self, begin: &str, control: &Control) -> Result<Lease, ResourceError> {
        let mut is_first = true;
        loop {
            let lease = self.pool.lend(control.cancel()).await?;
            match tell(&lease, begin, control).await {
                Ok(()) => return Ok(lease),
                Err(Broken::Driver(error, _)) if is_first && is_connection_gone(&error) => {
                    is_first = false;
                    self.pool.drop_idle();
                }
                Err(broken) => return Err(broken.into_error(None)),
            }
        }
    }
}

#[async_trait]
impl Scope for PostgresResource {
    async fn reading<W: Work>(&self, mut work: W, control: &Control) -> Result<W::Done, ResourceError> {
        let lease = self.lend_begun(BEGIN_READING, control).await?;
        let result = work.run(&lease, control).await;
        if leaves_connection(&result) && tell(&lease, END_READING, control).await.is_ok() {
            lease.give_back();
        }
        result.map_err(|broken| broken.into_error(work.sql()))
    }

    async fn writing<W: Work>(&self, mut work: W, control: &Control) -> Result<W::Done, ResourceError> {
        let lease = self.lend_begun("BEGIN", control).await?;
        let mut result = work.run(&lease, control).await;
        if leaves_connection(&result) {
            let ended = tell(&lease, if result.is_ok() { "COMMIT" } else { "ROLLBACK" }, control).await;
            let is_usable = ended.as_ref().err().is_none_or(Broken::leaves_connection);
            if let (Ok(_), Err(broken)) = (&result, ended) {
                result = Err(in_doubt(broken));
            }
            if is_usable && tell(&lease, CLEAN, control).await.is_ok() {
                lease.give_back();
            }
        }
        result.map_err(|broken| broken.into_error(work.sql()))
    }
}

/// Has the server run statements without rows.
pub(super) async fn tell(connection: &Connection, statements: &str, control: &Control) -> Result<(), Broken> {
    control.wait(connection.client().batch_execute(statements)).await?.map_err(|error| Broken::Driver(error, 0))
}

fn leaves_connection<T>(result: &Result<T, Broken>) -> bool {
    result.as_ref().err().is_none_or(Broken::leaves_connection)
}

/// A commit that is refused has done nothing; when the connection is gone instead, or the server says nothing, nobody knows.
pub(super) fn in_doubt(broken: Broken) -> Broken {
    let message = match broken {
        Broken::Driver(error, _) if is_connection_gone(&error) => {
            format!("PostgreSQL: the connection was lost during the commit: {error}")
        }
        Broken::Stopped(ResourceError::TimedOut { message }) => {
            format!("PostgreSQL: no answer to the commit: {message}")
        }
        broken => return broken,
    };
    Broken::Stopped(ResourceError::Lost { message })
}
