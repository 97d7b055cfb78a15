//! One table of cases for all databases: each runs through HTTP over SQLite, PostgreSQL and MariaDB, in a database of its own.
//!
//! What differs between the databases stands in the case, by [`Kind::pick`]; what one of them does not have is left out there
//! with the reason.

/// Makes a test of each case for each database, `sqlite::…`, `postgres::…` and `mariadb::…`; those behind `servers:` are for
/// databases that are servers.
macro_rules! in_every_database {
    ($($case:ident),* $(,)? $(; servers: $($remote:ident),* $(,)?)?) => {
        mod sqlite {
            $(#[tokio::test] async fn $case() { super::$case(crate::every_database::Kind::Sqlite).await; })*
        }
        mod postgres {
            $(#[tokio::test] async fn $case() { super::$case(crate::every_database::Kind::Postgres).await; })*
            $($(#[tokio::test] async fn $remote() { super::$remote(crate::every_database::Kind::Postgres).await; })*)?
        }
        mod mariadb {
            $(#[tokio::test] async fn $case() { super::$case(crate::every_database::Kind::MariaDb).await; })*
            $($(#[tokio::test] async fn $remote() { super::$remote(crate::every_database::Kind::MariaDb).await; })*)?
        }
    };
}

mod access;
mod conflicts;
mod cursors;
pub(crate) mod database;
mod dead_connections;
mod faults;
mod forgetful_proxy;
mod formats;
mod granted;
mod limits;
mod loading;
mod procedures;
mod queries;
mod returning;
mod schemas;
mod several;
pub(crate) mod stage;
mod tables;
mod three_requests;
mod transactions;
mod updates;
mod values;

/// A kind of database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Sqlite,
    Postgres,
    MariaDb,
}

impl Kind {
    /// The one of three that is for this kind.
    fn pick<T>(self, sqlite: T, postgres: T, mariadb: T) -> T {
        match self {
            Self::Sqlite => sqlite,
            Self::Postgres => postgres,
            Self::MariaDb => mariadb,
        }
    }
}
