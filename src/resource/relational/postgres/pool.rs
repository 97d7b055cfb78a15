//! The connections of one user of the database.

use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use deadpool::Runtime;
use deadpool::managed::{self, Metrics, Object, PoolError, RecycleError, RecycleResult};
use tokio_util::sync::CancellationToken;

use super::connect::Opener;
use super::connection::Connection;
use crate::resource::ResourceError;
use crate::resource::relational::access::PoolSettings;

/// Opens connections for the pool, and looks at those that come back.
#[derive(Debug)]
struct Manager(Opener);

impl managed::Manager for Manager {
    /// Handed from one to the next many times, so it lies where it is.
    type Type = Box<Connection>;
    type Error = ResourceError;

    async fn create(&self) -> Result<Box<Connection>, ResourceError> {
        // Opening has a large state, which every statement would carry along, and most need no new connection.
        Box::pin(self.0.open()).await.map(Box::new)
    }

    async fn recycle(&self, connection: &mut Box<Connection>, _: &Metrics) -> RecycleResult<ResourceError> {
        if connection.is_usable().await {
            Ok(())
        } else {
            Err(RecycleError::message("the connection is of no use any more"))
        }
    }
}

/// Lends connections; who finds none free waits in the order of arrival.
#[derive(Debug)]
pub(super) struct Pool {
    connections: managed::Pool<Manager>,
    settings: PoolSettings,
    /// Whether somebody looks after those that nobody uses.
    is_tended: AtomicBool,
}

impl Pool {
    pub(super) fn new(opener: Opener, settings: PoolSettings) -> Result<Self, ResourceError> {
        let connections = managed::Pool::builder(Manager(opener))
            .max_size(settings.size.max(1))
            .wait_timeout(Some(settings.wait))
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(|error| ResourceError::Configuration { message: format!("the pool of connections: {error}") })?;
        Ok(Self { connections, settings, is_tended: AtomicBool::new(false) })
    }

    /// Lends a connection.
    pub(super) async fn lend(&self, cancel: &CancellationToken) -> Result<Lease, ResourceError> {
        self.tend();
        let connection = tokio::select! {
            biased;
            () = cancel.cancelled() => return Err(ResourceError::Cancelled),
            connection = self.connections.get() => connection,
        };
        match connection {
            Ok(connection) => Ok(Lease { connection, is_clean: false }),
            Err(PoolError::Backend(error)) => Err(error),
            Err(PoolError::Timeout(_)) => Err(ResourceError::Busy {
                message: format!(
                    "all {} connections to the database are in use, and none became free within {} s",
                    self.settings.size.max(1),
                    self.settings.wait.as_secs_f64()
                ),
            }),
            Err(error) => Err(ResourceError::Unavailable { message: format!("the pool of connections: {error}") }),
        }
    }

    /// Closes all connections that nobody uses: one of them was found dead, as they all are when their server was restarted.
    pub(super) fn drop_idle(&self) {
        self.connections.retain(|_, _| false);
    }

    /// Opens a connection that is none of these, for what must not wait for them.
    pub(super) async fn open_apart(&self) -> Result<Connection, ResourceError> {
        self.connections.manager().0.open().await
    }

    /// Has connections closed that nobody has used for long, as long as the pool is there.
    fn tend(&self) {
        if self.is_tended.swap(true, Ordering::Relaxed) {
            return;
        }
        let (pool, idle) = (self.connections.weak(), self.settings.idle);
        tokio::spawn(async move {
            let pause = (idle / 4).max(Duration::from_millis(100));
            loop {
                tokio::time::sleep(pause).await;
                let Some(pool) = pool.upgrade() else { return };
                pool.retain(|connection, _| connection.idle() < idle);
            }
        });
    }
}

/// A connection that was lent. Unless it is given back clean, it is closed, and what runs on it is stopped in the server: so
/// whatever ends a statement early, its connection is never used again.
#[derive(Debug)]
pub(super) struct Lease {
    connection: Object<Manager>,
    is_clean: bool,
}

impl Lease {
    /// Gives it back, with nothing running on it and nothing left of what ran. One that is spoilt is closed instead.
    pub(super) fn give_back(mut self) {
        self.connection.touch();
        self.is_clean = !self.connection.is_spoilt();
    }
}

impl Deref for Lease {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.connection
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if !self.is_clean {
            self.connection.abandon();
        }
    }
}
