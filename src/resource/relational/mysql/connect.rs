//! Opening connections.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Opts, OptsBuilder, SslOpts};
use parking_lot::Mutex;
use tokio::time::timeout;

use super::address::MySqlAddress;
use super::error::connect_error;
use super::link::{Link, ServerRun};
use crate::resource::relational::Dialect;
use crate::resource::relational::access::{Login, Secret, TlsMode, TlsSettings};
use crate::resource::{Product, ResourceError};

/// How long the server may take to let a connection in.
const CONNECT: Duration = Duration::from_secs(10);

/// How many prepared statements a connection keeps.
const STATEMENTS: usize = 64;

/// What makes a connection the same everywhere, whatever the server is set to.
///
/// Zero dates may be read and written; everything else that does not fit a column is an error, never cut. The server waits for
/// slow readers and writers for as long as the service does.
const SETUP: &str = "SET NAMES utf8mb4, time_zone = '+00:00', autocommit = 1, \
    net_write_timeout = 31536000, net_read_timeout = 31536000, \
    sql_mode = 'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'";

/// The same for a database: the server does not go back to it when a session is renewed.
fn setup(database: Option<&str>) -> String {
    match database {
        Some(database) => format!("{SETUP}; USE {}", Dialect::MySql.quoted(database)),
        None => SETUP.to_owned(),
    }
}

/// Opens connections of one user to one server.
#[derive(Debug)]
pub(super) struct Connector {
    /// All but the password, which is read for each connection.
    options: Opts,
    login: Login,
    /// The file with the certificates of who vouches for the server, where TLS is used.
    authority: Option<PathBuf>,
}

impl Connector {
    pub(super) fn new(address: &MySqlAddress, login: &Login, tls: &TlsSettings) -> Result<Self, ResourceError> {
        let socket = address.socket.as_ref().map(|path| path.to_string_lossy().into_owned());
        let options = OptsBuilder::default()
            .ip_or_hostname(address.host.clone())
            .tcp_port(address.port)
            .socket(socket)
            // A connection by TCP stays one.
            .prefer_socket(false)
            .tcp_keepalive(Some(Duration::from_mins(1)))
            .user(login.user.clone().or_else(|| address.user.clone()))
            .db_name(address.database.clone())
            .stmt_cache_size(STATEMENTS)
            // An update counts the rows that it found, as other databases do, and not only those that it changed.
            .client_found_rows(true)
            .setup(vec![setup(address.database.as_deref())]);
        let tls_options = tls_options(address, tls)?;
        let authority = tls.authority.clone().filter(|_| tls_options.is_some());
        Ok(Self { options: options.ssl_opts(tls_options).into(), login: login.clone(), authority })
    }

    /// Opens a connection.
    ///
    /// # Errors
    ///
    /// [`ResourceError::Unavailable`] when the server is not there or does not let the service in, [`ResourceError::Busy`]
    /// when it has too many connections.
    pub(super) async fn connect(&self) -> Result<Link, ResourceError> {
        let unavailable = |message| ResourceError::Unavailable { message };
        let (source, authority) = (self.login.password.clone(), self.authority.clone());
        let reading = tokio::task::spawn_blocking(move || {
            authority.as_deref().map_or(Ok(()), can_be_read)?;
            source.map(|source| source.read()).transpose()
        });
        let password = reading
            .await
            .map_err(|error| unavailable(format!("the files for the log-in were not read: {error}")))??;
        let options = OptsBuilder::from_opts(self.options.clone()).pass(password.as_ref().map(Secret::reveal));
        let opening = async {
            let mut connection = Conn::new(options).await?;
            let run = ServerRun::of(&mut connection).await?;
            Ok(Link::new(connection, run))
        };
        match timeout(CONNECT, opening).await {
            Ok(opened) => opened.map_err(connect_error),
            Err(_) => Err(unavailable(format!("MariaDB: no connection within {} s", CONNECT.as_secs()))),
        }
    }
}

fn tls_options(address: &MySqlAddress, tls: &TlsSettings) -> Result<Option<SslOpts>, ResourceError> {
    let is_wanted = match tls.mode {
        TlsMode::Off => false,
        TlsMode::Verify => true,
        TlsMode::Automatic => address.socket.is_none() && !is_loopback(&address.host),
    };
    if !is_wanted {
        return Ok(None);
    }
    if address.socket.is_some() {
        return Err(ResourceError::Configuration {
            message: "a connection by a socket file is not encrypted: leave the host to the URI, or TLS out".into(),
        });
    }
    let options = SslOpts::default().with_disable_built_in_roots(true);
    Ok(Some(match &tls.authority {
        Some(path) => options.with_root_certs(vec![path.clone().into()]),
        None => options.with_root_certs(system_roots().into_iter().map(Into::into).collect()),
    }))
}

/// The driver, which reads it, does not name the file that it misses.
fn can_be_read(authority: &Path) -> Result<(), ResourceError> {
    File::open(authority).map(drop).map_err(|error| ResourceError::Unavailable {
        message: format!("the certificates in {}: {error}", authority.display()),
    })
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}

/// The certificates that the system trusts.
fn system_roots() -> Vec<Vec<u8>> {
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::warn!(%error, "a certificate that the system trusts can't be read");
    }
    found.certs.into_iter().map(|certificate| certificate.to_vec()).collect()
}

/// What is known of the servers of a database, once one was asked.
#[derive(Debug, Default)]
pub(super) struct KnownServer(Mutex<Option<Facts>>);

#[derive(Debug, Clone)]
struct Facts {
    product: Product,
    powers: Powers,
}

/// What a server can take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Powers {
    /// The most bytes of a statement with its parameters.
    pub(super) packet: usize,
    /// Whether it takes many rows of parameters at once, as MariaDB does.
    pub(super) has_bulk: bool,
}

impl KnownServer {
    /// The product; before any server was asked, the name of the protocol.
    pub(super) fn product(&self) -> Product {
        let known = self.0.lock().as_ref().map(|facts| facts.product.clone());
        known.unwrap_or_else(|| Product { name: "MariaDB or MySQL".into(), version: "unknown".into() })
    }

    /// Tells a connection what its server can take, which is asked unless it is known.
    pub(super) async fn learn(&self, link: &mut Link) -> Result<(), mysql_async::Error> {
        let known = self.0.lock().as_ref().map(|facts| facts.powers);
        if let Some(powers) = known {
            link.empower(powers);
            return Ok(());
        }
        let told: Option<(String, usize)> = link.driver().query_first("SELECT VERSION(), @@max_allowed_packet").await?;
        if let Some((version, packet)) = told {
            let product = product(&version);
            let powers = Powers { packet, has_bulk: product.name == "MariaDB" };
            link.empower(powers);
            *self.0.lock() = Some(Facts { product, powers });
        }
        Ok(())
    }
}

/// The product of a version such as `10.11.14-MariaDB-0+deb12u2` or `8.4.3`.
fn product(version: &str) -> Product {
    let name = if version.contains("MariaDB") { "MariaDB" } else { "MySQL" };
    // Old clients were told so that MariaDB was something else.
    let version = version.strip_prefix("5.5.5-").unwrap_or(version);
    let end = version.find("-MariaDB").unwrap_or(version.len());
    Product { name: name.into(), version: version[..end].to_owned().into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_is_known_by_its_version() {
        for (version, name, number) in [
            ("10.11.14-MariaDB-0+deb12u2", "MariaDB", "10.11.14"),
            ("5.5.5-10.3.39-MariaDB", "MariaDB", "10.3.39"),
            ("8.4.3", "MySQL", "8.4.3"),
        ] {
            assert_eq!(product(version), Product { name: name.into(), version: number.into() });
        }
    }

    #[test]
    fn a_connection_works_in_its_database_whatever_its_name() {
        assert!(setup(Some("my`data")).ends_with("; USE `my``data`"));
        assert!(!setup(None).contains("USE"));
    }

    #[test]
    fn connections_to_other_machines_are_encrypted_by_themselves() {
        let of = |uri: &str, mode| {
            let tls = TlsSettings { mode, authority: Some("/none".into()) };
            tls_options(&MySqlAddress::parse(uri).unwrap(), &tls).map(|options| options.is_some())
        };
        assert_eq!(of("mysql://db.example/a", TlsMode::Automatic), Ok(true));
        assert_eq!(of("mysql://127.0.0.1/a", TlsMode::Automatic), Ok(false));
        assert_eq!(of("mysql://[::1]/a", TlsMode::Automatic), Ok(false));
        assert_eq!(of("mysql:///a?socket=/s", TlsMode::Automatic), Ok(false));
        assert_eq!(of("mysql://127.0.0.1/a", TlsMode::Verify), Ok(true));
        assert_eq!(of("mysql://db.example/a", TlsMode::Off), Ok(false));
        assert!(of("mysql:///a?socket=/s", TlsMode::Verify).is_err());
    }
}
