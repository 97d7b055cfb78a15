use std::path::PathBuf;
use std::time::Duration;

use percent_encoding::percent_decode_str;

use crate::resource::ResourceError;
use crate::resource::uri::without_secrets;

/// The port that PostgreSQL listens on where nothing else is said.
const DEFAULT_PORT: u16 = 5432;

/// The parameters that may follow `?`, as errors list them.
const PARAMETERS: &str =
    "expected `host`, `port`, `user`, `dbname`, `application_name`, `connect_timeout` or `search_path`";

/// Where a PostgreSQL database is: what a `postgres:` or `postgresql:` URI says.
///
/// | URI | database |
/// |---|---|
/// | `postgres://shop@db.example.com/orders` | `orders` on a machine, as the user `shop` |
/// | `postgres://[::1]:5433/orders` | by an address of IPv6, on another port |
/// | `postgres:///orders?host=/run/postgresql` | by the socket in a folder |
///
/// After `?` may follow `host`, `port`, `user`, `dbname` (which count where the URI does not say it before), `application_name`,
/// `connect_timeout` (seconds) and `search_path` (schemas, separated by commas). Every part may hold `%XX` for a byte. There
/// is no place for a password: it is read from a file or the environment, see
/// [`PasswordSource`](crate::resource::relational::access::PasswordSource).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostgresAddress {
    /// The machine or the socket.
    pub host: PostgresHost,
    /// The port; of a socket, the number in its name.
    pub port: u16,
    /// The database; without one, the one with the name of the user.
    pub database: Option<String>,
    /// The user, where nothing else says as whom to connect.
    pub user: Option<String>,
    /// The name by which the server lists the connections.
    pub application_name: String,
    /// How long opening a connection may take.
    pub connect_timeout: Duration,
    /// The schemas in which names without a schema are looked up, as the database writes them; without one, those of the user.
    pub search_path: Option<String>,
}

/// The machine or socket of a [`PostgresAddress`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PostgresHost {
    /// A machine, by its name or address.
    Network(String),
    /// The folder of a socket.
    Socket(PathBuf),
}

impl PostgresAddress {
    /// Reads a `postgres:` URI.
    ///
    /// # Errors
    ///
    /// [`ResourceError::Configuration`] with what was expected; it never repeats what may be a password.
    ///
    /// ```
    /// use rejoin::resource::relational::postgres::{PostgresAddress, PostgresHost};
    ///
    /// let address = PostgresAddress::parse("postgres://shop@localhost:5433/orders").unwrap();
    /// assert_eq!(address.host, PostgresHost::Network("localhost".into()));
    /// assert_eq!((address.port, address.user.as_deref()), (5433, Some("shop")));
    ///
    /// let error = PostgresAddress::parse("postgres://shop:secret@localhost/orders").unwrap_err();
    /// assert!(error.to_string().contains("password") && !error.to_string().contains("secret"));
    /// ```
    pub fn parse(uri: &str) -> Result<Self, ResourceError> {
        parse(uri).map_err(|problem| ResourceError::Configuration {
            message: format!("data resource URI `{}`: {problem}", without_secrets(uri)),
        })
    }

    /// Whether no network lies between here and the database.
    pub(super) fn is_local(&self) -> bool {
        match &self.host {
            PostgresHost::Socket(_) => true,
            PostgresHost::Network(name) if name.eq_ignore_ascii_case("localhost") => true,
            PostgresHost::Network(name) => name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback()),
        }
    }
}

/// The parts of a URI while it is read.
#[derive(Debug, Default)]
struct Parts {
    host: Option<String>,
    port: Option<u16>,
    user: Option<String>,
    database: Option<String>,
    application_name: Option<String>,
    connect_timeout: Option<Duration>,
    search_path: Option<String>,
}

fn parse(uri: &str) -> Result<PostgresAddress, String> {
    let rest = uri
        .split_once(':')
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("postgres") || scheme.eq_ignore_ascii_case("postgresql"))
        .and_then(|(_, rest)| rest.strip_prefix("//"))
        .ok_or("expected `postgres://user@host:port/database`")?;
    if rest.contains('#') {
        return Err("a fragment has no meaning here; write `#` as `%23`".into());
    }
    let (rest, query) = rest.split_once('?').map_or((rest, ""), |(rest, query)| (rest, query));
    let (authority, path) = rest.split_once('/').map_or((rest, ""), |(authority, path)| (authority, path));
    let mut parts = Parts::default();
    parts.read_authority(authority)?;
    if !path.is_empty() {
        parts.database = Some(decoded(path)?);
    }
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        parts.read_parameter(pair)?;
    }
    Ok(parts.into_address())
}

impl Parts {
    fn read_authority(&mut self, authority: &str) -> Result<(), String> {
        let place = match authority.rsplit_once('@') {
            Some((user, _)) if user.contains(':') => return Err(PASSWORD_REFUSED.into()),
            Some((user, place)) => {
                self.user = Some(decoded(user)?);
                place
            }
            None => authority,
        };
        let (host, port) = if let Some(bracketed) = place.strip_prefix('[') {
            let (host, port) = bracketed.split_once(']').ok_or("`[` without `]`")?;
            (host, if port.is_empty() { None } else { Some(port.strip_prefix(':').ok_or("expected `:` behind `]`")?) })
        } else {
            place.split_once(':').map_or((place, None), |(host, port)| (host, Some(port)))
        };
        if host.contains(',') {
            return Err("several hosts; expected one".into());
        }
        if !host.is_empty() {
            self.host = Some(decoded(host)?);
        }
        if let Some(port) = port {
            self.port = Some(read_port(port)?);
        }
        Ok(())
    }

    /// What stands in the URI before the `?` counts more.
    fn read_parameter(&mut self, pair: &str) -> Result<(), String> {
        let (name, value) = pair.split_once('=').ok_or_else(|| format!("a parameter without a value; {PARAMETERS}"))?;
        match name {
            "host" => fill(&mut self.host, decoded(value)?),
            "port" => fill(&mut self.port, read_port(value)?),
            "user" => fill(&mut self.user, decoded(value)?),
            "dbname" => fill(&mut self.database, decoded(value)?),
            "application_name" => fill(&mut self.application_name, decoded(value)?),
            "search_path" => fill(&mut self.search_path, decoded(value)?),
            "connect_timeout" => match value.parse() {
                Ok(seconds) if seconds > 0 => fill(&mut self.connect_timeout, Duration::from_secs(seconds)),
                _ => return Err("`connect_timeout` is not a number of seconds".into()),
            },
            "password" | "passfile" => return Err(PASSWORD_REFUSED.into()),
            "sslmode" | "sslrootcert" | "sslcert" | "sslkey" => {
                return Err(format!("`{name}` stands in the configuration of the data resource, not in its URI"));
            }
            _ => return Err(format!("unknown parameter `{name}`; {PARAMETERS}")),
        }
        Ok(())
    }

    fn into_address(self) -> PostgresAddress {
        let host = match self.host {
            Some(folder) if folder.starts_with('/') => PostgresHost::Socket(folder.into()),
            Some(name) => PostgresHost::Network(name),
            None => PostgresHost::Network("localhost".into()),
        };
        PostgresAddress {
            host,
            port: self.port.unwrap_or(DEFAULT_PORT),
            database: self.database,
            user: self.user,
            application_name: self.application_name.unwrap_or_else(|| "rejoin".into()),
            connect_timeout: self.connect_timeout.unwrap_or(Duration::from_secs(5)),
            search_path: self.search_path,
        }
    }
}

const PASSWORD_REFUSED: &str = "it holds a password, which many see there; give the name of a file or an environment \
     variable that holds it in the configuration of the data resource";

fn fill<T>(place: &mut Option<T>, value: T) {
    place.get_or_insert(value);
}

fn read_port(text: &str) -> Result<u16, String> {
    // The text is not repeated: what stands behind a colon may be a password.
    text.parse().ok().filter(|port| *port > 0).ok_or_else(|| "the port is not a number up to 65535".to_owned())
}

fn decoded(text: &str) -> Result<String, String> {
    let text = percent_decode_str(text).decode_utf8().map_err(|_| "the bytes of `%XX` are not UTF-8")?;
    if text.contains('\0') {
        return Err("it holds a NUL character".into());
    }
    Ok(text.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(uri: &str) -> Result<PostgresAddress, String> {
        PostgresAddress::parse(uri).map_err(|error| error.to_string())
    }

    #[test]
    fn a_uri_names_host_port_user_and_database() {
        let address = parse("postgresql://sh%40p@db.example.com:5433/or%2Fders").unwrap();
        assert_eq!(address.host, PostgresHost::Network("db.example.com".into()));
        assert_eq!(
            (address.port, address.user.as_deref(), address.database.as_deref()),
            (5433, Some("sh@p"), Some("or/ders"))
        );
        let address = parse("Postgres://[::1]/orders?port=7&connect_timeout=3&search_path=shop,public").unwrap();
        assert_eq!((&address.host, address.port), (&PostgresHost::Network("::1".into()), 7));
        assert_eq!(
            (address.connect_timeout, address.search_path.as_deref()),
            (Duration::from_secs(3), Some("shop,public"))
        );
        assert!(address.is_local());
        assert_eq!(parse("postgres://").unwrap().port, DEFAULT_PORT);
    }

    #[test]
    fn a_socket_is_named_by_its_folder() {
        for uri in ["postgres:///orders?host=/run/postgresql", "postgres://%2Frun%2Fpostgresql/orders"] {
            let address = parse(uri).unwrap();
            assert_eq!(address.host, PostgresHost::Socket("/run/postgresql".into()));
            assert!(address.is_local());
        }
    }

    #[test]
    fn only_this_machine_is_local() {
        for (uri, local) in
            [("postgres://127.0.0.5/a", true), ("postgres://LOCALHOST/a", true), ("postgres://10.0.0.1/a", false)]
        {
            assert_eq!(parse(uri).unwrap().is_local(), local, "{uri}");
        }
    }

    #[test]
    fn a_password_is_refused_and_never_repeated() {
        for uri in [
            "postgres://shop:secret@localhost/orders",
            "postgres://shop:sec/ret@localhost/orders",
            "postgres://localhost/orders?password=secret",
            "postgres://localhost/orders?port=secret",
            "postgres://shop:s#secret@localhost/orders",
        ] {
            let error = parse(uri).unwrap_err();
            assert!(!error.contains("secret"), "{uri}: {error}");
        }
        assert!(parse("postgres://shop:secret@localhost/orders").unwrap_err().contains("it holds a password"));
    }

    #[test]
    fn a_uri_that_means_nothing_is_refused_with_what_was_expected() {
        for (uri, part) in [
            ("postgres:orders", "expected `postgres://"),
            ("mysql://localhost/a", "expected `postgres://"),
            ("postgres://a,b/c", "several hosts"),
            ("postgres://[::1/c", "without `]`"),
            ("postgres://localhost/c?sslmode=off", "configuration"),
            ("postgres://localhost/c?pool=3", "unknown parameter `pool`; expected `host`"),
            ("postgres://localhost/c?pool", "without a value"),
            ("postgres://localhost:0/c", "port"),
            ("postgres://localhost/%ff", "UTF-8"),
        ] {
            let error = parse(uri).unwrap_err();
            assert!(error.contains(part), "{uri}: {error}");
        }
    }
}
