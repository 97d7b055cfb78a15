use std::path::PathBuf;

use percent_encoding::percent_decode_str;

use crate::resource::ResourceError;
use crate::resource::uri::without_secrets;

/// The port of a server whose URI names none.
const DEFAULT_PORT: u16 = 3306;

/// Where a MariaDB or MySQL server is, and which database and user of it is meant: what a `mysql:` or `mariadb:` URI says.
///
/// | URI | server |
/// |---|---|
/// | `mysql://clerk@db.example:3307/orders` | by TCP; without a port, 3306 |
/// | `mariadb://db.example/orders` | the same; the user stands in the configuration |
/// | `mysql://clerk@localhost/orders?socket=/run/mysqld/mysqld.sock` | by a socket file of this machine |
///
/// User, database and socket may hold `%XX` for a byte that would end them. A password has no place in a URI: it is read
/// from a file or from the environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MySqlAddress {
    /// The name or the IP address of the machine.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The socket file that is used in the place of both.
    pub socket: Option<PathBuf>,
    /// The user of the database.
    pub user: Option<String>,
    /// The database; without one, statements name it themselves.
    pub database: Option<String>,
}

impl MySqlAddress {
    /// Reads a `mysql:` or `mariadb:` URI.
    ///
    /// # Errors
    ///
    /// [`ResourceError::Configuration`] with what was expected. It repeats nothing that may be a password.
    ///
    /// ```
    /// use rejoin::resource::relational::mysql::MySqlAddress;
    ///
    /// let address = MySqlAddress::parse("mysql://clerk@db.example/orders").unwrap();
    /// assert_eq!((&*address.host, address.port), ("db.example", 3306));
    /// assert_eq!(address.database.as_deref(), Some("orders"));
    ///
    /// let error = MySqlAddress::parse("mysql://clerk:secret@db.example/orders").unwrap_err();
    /// assert!(!error.to_string().contains("secret"));
    /// ```
    pub fn parse(uri: &str) -> Result<Self, ResourceError> {
        Self::read(uri).map_err(|problem| ResourceError::Configuration {
            message: format!("data resource URI `{}`: {problem}", without_secrets(uri)),
        })
    }

    fn read(uri: &str) -> Result<Self, String> {
        let rest = uri
            .split_once(':')
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("mysql") || scheme.eq_ignore_ascii_case("mariadb"))
            .and_then(|(_, rest)| rest.strip_prefix("//"))
            .ok_or("expected `mysql://host/database` or `mariadb://host/database`")?;
        let (login, rest) = rest.rsplit_once('@').map_or((None, rest), |(login, rest)| (Some(login), rest));
        if login.is_some_and(|login| login.contains(':')) {
            return Err("a password has no place in a URI; give `passwordFile` or `passwordEnv` beside it".into());
        }
        if rest.contains('#') {
            return Err("a fragment has no meaning here; write `#` in a name as `%23`".into());
        }
        let (rest, query) = rest.split_once('?').map_or((rest, None), |(rest, query)| (rest, Some(query)));
        let (authority, path) = rest.split_once('/').map_or((rest, ""), |(authority, path)| (authority, path));
        if path.contains('/') {
            return Err("expected one database behind the host; write `/` in its name as `%2F`".into());
        }
        let socket = query.map(read_query).transpose()?.flatten();
        let (host, port) = read_authority(authority, socket.is_some())?;
        Ok(Self { host, port, socket, user: named(login, "user")?, database: named(Some(path), "database")? })
    }
}

/// A name, if it is not empty, with each `%XX` as the byte it stands for.
fn named(text: Option<&str>, what: &str) -> Result<Option<String>, String> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    match percent_decode_str(text).decode_utf8() {
        Ok(name) if !name.contains('\0') => Ok(Some(name.into_owned())),
        _ => Err(format!("the name of the {what} is not text")),
    }
}

/// Host and port. A socket needs neither.
fn read_authority(authority: &str, has_socket: bool) -> Result<(String, u16), String> {
    let (host, port) = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, "")) => (host, None),
        Some((host, port)) => (host, Some(port.strip_prefix(':').ok_or("expected `:` and a port behind `]`")?)),
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    let port = match port {
        None => DEFAULT_PORT,
        Some(port) => port.parse().ok().filter(|port| *port > 0).ok_or("the port is not a number from 1 to 65535")?,
    };
    match host {
        "" if has_socket => Ok(("localhost".into(), port)),
        "" => Err("expected the name or address of a host".into()),
        host => Ok((host.into(), port)),
    }
}

/// The socket, if there is one. Errors don't repeat values: one may be a password.
fn read_query(query: &str) -> Result<Option<PathBuf>, String> {
    let mut socket = None;
    for pair in query.split('&') {
        match pair.split_once('=') {
            Some(("socket", path)) if socket.is_none() => {
                socket = Some(named(Some(path), "socket")?.ok_or("`socket` names no file")?.into());
            }
            Some(("socket", _)) => return Err("it names two sockets".into()),
            Some((name, _)) => return Err(format!("unknown parameter `{name}`; expected `socket=` and a file")),
            None => return Err("a parameter without a value; expected `socket=` and a file".into()),
        }
    }
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(uri: &str) -> Result<MySqlAddress, String> {
        MySqlAddress::parse(uri).map_err(|error| error.to_string())
    }

    #[test]
    fn an_address_has_what_its_uri_says() {
        let address = parse("MySQL://cl%40rk@[::1]:3307/my%2Fdata").unwrap();
        let expected = MySqlAddress {
            host: "::1".into(),
            port: 3307,
            socket: None,
            user: Some("cl@rk".into()),
            database: Some("my/data".into()),
        };
        assert_eq!(address, expected);
        let address = parse("mariadb:///orders?socket=/run/my%20sql.sock").unwrap();
        assert_eq!(address.socket.as_deref(), Some("/run/my sql.sock".as_ref()));
        assert_eq!((&*address.host, address.user), ("localhost", None));
        assert_eq!(parse("mysql://db.example").unwrap().database, None);
    }

    #[test]
    fn a_password_in_a_uri_is_refused_and_not_repeated() {
        for uri in ["mysql://me:secret@host/db", "mysql://me:se@secret@host/db", "mysql://host/db?password=secret"] {
            let error = parse(uri).unwrap_err();
            assert!(!error.contains("secret"), "{error}");
        }
        assert!(parse("mysql://me:secret@host/db").unwrap_err().contains("`passwordFile`"));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (uri, problem) in [
            ("mysql:orders", "expected `mysql://host/database`"),
            ("mysql:///orders", "expected the name or address of a host"),
            ("mysql://host:0/orders", "the port is not a number"),
            ("mysql://host:port/orders", "the port is not a number"),
            ("mysql://[::1]3306/orders", "expected `:` and a port"),
            ("mysql://host/a/b", "expected one database"),
            ("mysql://host/a#b", "a fragment has no meaning"),
            ("mysql://host/%00", "the name of the database is not text"),
            ("mysql://host/a?sockets=/x", "unknown parameter `sockets`"),
            ("mysql://host/a?socket", "a parameter without a value"),
            ("mysql://host/a?socket=", "`socket` names no file"),
            ("mysql://host/a?socket=/a&socket=/b", "it names two sockets"),
        ] {
            let error = parse(uri).unwrap_err();
            assert!(error.contains(problem), "{uri}: {error}");
        }
    }
}
