//! Opening a connection.

use std::fmt::{Display, Write};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::UnixStream;
use tokio::sync::OnceCell;
use tokio::task::JoinHandle;
use tokio_postgres::config::{SslMode, SslNegotiation};
use tokio_postgres::tls::ChannelBinding;
use tokio_postgres::{Config, NoTls};

use super::address::{PostgresAddress, PostgresHost};
use super::connection::Connection;
use super::error::resource_error;
use super::tls::{Connector, connector};
use crate::resource::ResourceError;
use crate::resource::relational::access::{Login, TlsSettings};

/// After how long without an answer from the other machine a connection is given up.
const UNANSWERED: Duration = Duration::from_secs(30);

/// What all sessions of the database run with. What a client sets is undone to these.
const SESSION: &str = "-c TimeZone=UTC -c DateStyle=ISO,YMD -c IntervalStyle=iso_8601 -c extra_float_digits=1 \
     -c standard_conforming_strings=on -c bytea_output=hex -c xmloption=content";

/// Opens connections to one database as one user.
#[derive(Debug)]
pub(super) struct Opener {
    address: PostgresAddress,
    login: Login,
    tls: TlsSettings,
    statement_timeout: Option<Duration>,
    connector: OnceCell<Connector>,
    known: Arc<Known>,
}

/// What is known of a database by all that connect to it.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// The version that the server says it has, once it was asked.
    pub(super) version: OnceLock<String>,
    /// How often tables may have been changed from here. A prepared statement keeps the types of its parameters, even if its
    /// table is made anew with others: so all are prepared anew after that.
    pub(super) changes: AtomicU64,
    /// When the server last said nothing though it was asked for a sign of life.
    pub(super) silence: Mutex<Option<Instant>>,
}

impl Opener {
    pub(super) fn new(
        address: PostgresAddress,
        login: Login,
        tls: TlsSettings,
        statement_timeout: Option<Duration>,
        known: Arc<Known>,
    ) -> Self {
        Self { address, login, tls, statement_timeout, connector: OnceCell::new(), known }
    }

    /// Opens a connection. The password is read anew.
    pub(super) async fn open(&self) -> Result<Connection, ResourceError> {
        let limit = self.address.connect_timeout;
        // The limit of the driver is for the network alone; a server may take a connection and say nothing.
        tokio::time::timeout(limit, self.open_at_last()).await.unwrap_or_else(|_| {
            let message = format!("no connection to {}: no answer within {} s", self.place(), limit.as_secs_f64());
            Err(ResourceError::Unavailable { message })
        })
    }

    async fn open_at_last(&self) -> Result<Connection, ResourceError> {
        let connector = self.connector.get_or_try_init(|| self.make_connector()).await?;
        let config = self.config(connector).await?;
        let layer = connector.layer();
        let (client, task) = match connector {
            Connector::Plain | Connector::Encrypted(_) => {
                let (client, connection) = config.connect(layer.clone()).await.map_err(|error| self.refused(&error))?;
                self.remember(connection.parameter("server_version"));
                (client, drive(connection))
            }
            Connector::Socket(file) => {
                let socket = UnixStream::connect(file).await.map_err(|error| self.unreachable(&error))?;
                let end = layer.lay(socket, ChannelBinding::none());
                let (client, connection) =
                    config.connect_raw(end, NoTls).await.map_err(|error| self.refused(&error))?;
                self.remember(connection.parameter("server_version"));
                (client, drive(connection))
            }
        };
        let line = layer.line().ok_or_else(|| self.unreachable(&"the driver has laid no line"))?;
        Ok(Connection::new(client, task, line, connector.clone(), Arc::clone(&self.known)))
    }

    async fn make_connector(&self) -> Result<Connector, ResourceError> {
        let (settings, address) = (self.tls.clone(), self.address.clone());
        blocking(move || connector(&settings, &address)).await
    }

    async fn config(&self, connector: &Connector) -> Result<Config, ResourceError> {
        let mut config = Config::new();
        match &self.address.host {
            PostgresHost::Network(name) => config.host(name),
            PostgresHost::Socket(folder) => config.host_path(folder),
        };
        config.port(self.address.port);
        config.tcp_user_timeout(UNANSWERED).keepalives_idle(UNANSWERED);
        config.application_name(&self.address.application_name).options(self.options());
        match connector {
            Connector::Socket(_) => config.ssl_mode(SslMode::Disable),
            // Whether it does is a matter of our own connector.
            Connector::Plain => config.ssl_mode(SslMode::Require).ssl_negotiation(SslNegotiation::Direct),
            Connector::Encrypted(_) => config.ssl_mode(SslMode::Require),
        };
        let Some(user) = self.login.user.as_ref().or(self.address.user.as_ref()) else {
            return Err(ResourceError::Unavailable {
                message: "neither the URI nor the configuration of the data resource says as which user to connect"
                    .into(),
            });
        };
        config.user(user);
        if let Some(database) = &self.address.database {
            config.dbname(database);
        }
        if let Some(source) = self.login.password.clone() {
            config.password(blocking(move || source.read()).await?.reveal());
        }
        Ok(config)
    }

    /// The settings of the session, as the server's command line takes them.
    fn options(&self) -> String {
        let mut options = SESSION.to_owned();
        if let Some(limit) = self.statement_timeout {
            let _ = write!(options, " -c statement_timeout={}", limit.as_millis().max(1));
        }
        if let Some(path) = &self.address.search_path {
            // A backslash takes the meaning from a space or another backslash.
            let has_meaning = |c: char| c.is_ascii_whitespace() || matches!(c, '\\' | '\x0B');
            let escaped: String =
                path.chars().flat_map(|c| has_meaning(c).then_some('\\').into_iter().chain([c])).collect();
            let _ = write!(options, " -c search_path={escaped}");
        }
        options
    }

    fn remember(&self, version: Option<&str>) {
        if let Some(version) = version {
            let number = version.split_whitespace().next().unwrap_or(version);
            self.known.version.get_or_init(|| number.to_owned());
        }
    }

    fn place(&self) -> String {
        match &self.address.host {
            PostgresHost::Network(name) => format!("{name}:{}", self.address.port),
            PostgresHost::Socket(folder) => format!("{}, port {}", folder.display(), self.address.port),
        }
    }

    fn refused(&self, error: &tokio_postgres::Error) -> ResourceError {
        match resource_error(error, None) {
            ResourceError::Busy { message } => ResourceError::Busy { message },
            other => self.unreachable(&other),
        }
    }

    fn unreachable(&self, problem: &dyn Display) -> ResourceError {
        ResourceError::Unavailable { message: format!("no connection to {}: {problem}", self.place()) }
    }
}

/// Has a connection carry what its client sends and gets, until it ends.
fn drive<S, T>(connection: tokio_postgres::Connection<S, T>) -> JoinHandle<()>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection to PostgreSQL has ended");
        }
    })
}

/// Opens a client's side channel to stop what a connection runs.
pub(super) async fn cancel(client_token: tokio_postgres::CancelToken, connector: &Connector) {
    const LIMIT: Duration = Duration::from_secs(5);
    let sending = async {
        match connector {
            Connector::Socket(file) => match UnixStream::connect(file).await {
                Ok(socket) => client_token.cancel_query_raw(socket, NoTls).await,
                Err(error) => {
                    tracing::debug!(%error, "PostgreSQL could not be reached to stop a statement");
                    Ok(())
                }
            },
            Connector::Plain | Connector::Encrypted(_) => client_token.cancel_query(connector.layer()).await,
        }
    };
    match tokio::time::timeout(LIMIT, sending).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "PostgreSQL could not be told to stop a statement"),
        Err(_) => tracing::debug!("PostgreSQL does not answer a request to stop a statement"),
    }
}

/// Runs `work` on a thread that may block.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ResourceError> + Send + 'static,
) -> Result<T, ResourceError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(ResourceError::Unavailable { message: format!("PostgreSQL: {error}") }),
    }
}
