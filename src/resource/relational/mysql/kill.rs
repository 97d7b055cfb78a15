//! Ending what a connection does, by another one.

use std::time::Duration;

use mysql_async::prelude::Queryable;
use tokio::time::timeout;

use super::connect::Connector;
use super::error::resource_error;
use super::link::{Link, LinkId};
use crate::resource::ResourceError;

/// How long the server may take to stop a statement, or to part.
pub(super) const PART: Duration = Duration::from_secs(5);

/// The time between two looks whether a connection has ended.
const LOOK: Duration = Duration::from_millis(2);

/// What is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kill {
    /// The statement that runs; the connection and its transaction go on.
    Statement,
    /// The connection. A statement that is still on its way is not begun then.
    Connection,
}

impl Connector {
    /// Has the server end what a connection does: its statement, or all of it. Of a whole connection it returns when that has
    /// ended, and nothing of it happens any more.
    ///
    /// In a server that was started meanwhile there is nothing to end: the connection of that number is somebody else's.
    pub(super) async fn kill(&self, connection: LinkId, what: Kill) -> Result<(), ResourceError> {
        let killing = async {
            let mut side = self.connect().await?;
            if side.id().run == connection.run {
                end(&mut side, connection.number, what).await?;
            }
            side.close().await;
            Ok(())
        };
        timeout(PART, killing).await.unwrap_or_else(|_| {
            Err(ResourceError::Unavailable { message: "MariaDB: a statement could not be stopped in time".into() })
        })
    }
}

/// Ends it by its number.
async fn end(side: &mut Link, connection: u32, what: Kill) -> Result<(), ResourceError> {
    let word = match what {
        Kill::Statement => "QUERY",
        Kill::Connection => "CONNECTION",
    };
    // One that is not there any more needs no killing.
    let _ = side.driver().query_drop(format!("KILL {word} {connection}")).await;
    match what {
        Kill::Statement => Ok(()),
        Kill::Connection => await_end(side, connection).await,
    }
}

/// Waits until the server does not list a connection any more: then what it did is taken back.
async fn await_end(side: &mut Link, connection: u32) -> Result<(), ResourceError> {
    let is_there = format!("SELECT 1 FROM information_schema.processlist WHERE id = {connection}");
    while side.driver().query_first::<u8, _>(&is_there).await.map_err(resource_error)?.is_some() {
        tokio::time::sleep(LOOK).await;
    }
    Ok(())
}
