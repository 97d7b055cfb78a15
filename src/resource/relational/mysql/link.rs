//! One connection to a server, and what is known of its state.

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Error};
use tokio::time::timeout;

use super::connect::Powers;
use super::kill::PART;

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
    pub(super) run: ServerRun,
}

/// One run of one server, from its start to its end, told apart from all others: also from that of another server which
/// answers at the same address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ServerRun([u8; ServerRun::LEN]);

impl ServerRun {
    /// The last two groups of a UUID and the dash between them.
    const LEN: usize = 17;

    /// Asks the server of a connection. The UUIDs that it makes end in what it has chosen at its start: a random number, and the
    /// address of its machine.
    pub(super) async fn of(connection: &mut Conn) -> Result<Self, Error> {
        let told: Option<String> = connection.query_first("SELECT UUID()").await?;
        let end = told.as_deref().and_then(|uuid| uuid.as_bytes().last_chunk());
        Ok(Self(end.copied().unwrap_or_default()))
    }
}

/// One connection.
#[derive(Debug)]
pub(super) struct Link {
    connection: Conn,
    run: ServerRun,
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
    pub(super) fn new(connection: Conn, run: ServerRun) -> Self {
        Self { connection, run, mode: None, used: false, powers: LEAST }
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
        LinkId { number: self.connection.id(), run: self.run }
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
