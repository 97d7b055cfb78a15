//! One connection to a server, and what is known of its state.

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Error};
use tokio::time::{Instant, timeout};

use super::connect::{PART, Powers};

/// What statements of a connection may do when no transaction is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Read: each is a transaction of its own that the server has begun read-only.
    Read,
    /// Write as well.
    Write,
}

/// How a server calls a connection. After it was started anew, it gives the same numbers again.
#[derive(Debug, Clone, Copy)]
pub(super) struct LinkId {
    pub(super) number: u32,
    /// When the connection was opened.
    pub(super) opened: Instant,
}

/// One connection.
#[derive(Debug)]
pub(super) struct Link {
    connection: Conn,
    opened: Instant,
    /// What its session was told; nothing yet, if it is new.
    mode: Option<Mode>,
    /// Whether a statement of a client ran in its session.
    used: bool,
    /// What its server can take.
    powers: Powers,
}

/// What every server takes.
const LEAST: Powers = Powers { packet: 1024 * 1024, has_bulk: false };

impl Link {
    pub(super) fn new(connection: Conn) -> Self {
        Self { connection, opened: Instant::now(), mode: None, used: false, powers: LEAST }
    }

    /// What its server can take.
    pub(super) fn powers(&self) -> Powers {
        self.powers
    }

    /// Says what its server can take.
    pub(super) fn empower(&mut self, powers: Powers) {
        self.powers = powers;
    }

    /// The driver's connection.
    pub(super) fn driver(&mut self) -> &mut Conn {
        &mut self.connection
    }

    /// How the server calls the connection.
    pub(super) fn id(&self) -> LinkId {
        LinkId { number: self.connection.id(), opened: self.opened }
    }

    pub(super) fn mode(&self) -> Option<Mode> {
        self.mode
    }

    /// Has the statements that follow run in that mode.
    pub(super) async fn enter(&mut self, mode: Mode) -> Result<(), Error> {
        if self.mode != Some(mode) {
            self.connection
                .query_drop(match mode {
                    Mode::Read => "SET SESSION TRANSACTION READ ONLY",
                    Mode::Write => "SET SESSION TRANSACTION READ WRITE",
                })
                .await?;
            self.mode = Some(mode);
        }
        Ok(())
    }

    /// Says that a statement of a client runs in the session from now on.
    pub(super) fn touch(&mut self) {
        self.used = true;
    }

    /// Whether a statement of a client ran in the session since it was new.
    pub(super) fn is_used(&self) -> bool {
        self.used
    }

    /// Makes the session a new one: without variables, locks, temporary tables, an open transaction. `false`: the server can't.
    pub(super) async fn renew(&mut self) -> Result<bool, Error> {
        self.mode = None;
        self.used = false;
        self.connection.reset().await
    }

    /// Parts from the server at once, whatever is still on its way.
    pub(super) async fn close(self) {
        // Whoever closes does not care whether the server has heard it.
        let _ = timeout(PART, self.connection.disconnect()).await;
    }
}
