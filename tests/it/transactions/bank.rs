//! A small bank, in each database.

use rejoin::document::{Limits, ResourceConfiguration};
use rejoin::service::{ConfiguredResource, Server, ServerBuilder};
use tempfile::TempDir;

use super::{join, manage};
use crate::context::{Context, Reply};
use crate::databases::{MariaDbServer, PASSWORD, PostgresServer};

/// A service over a database with two accounts of 100 each.
pub(super) struct Bank {
    pub(super) context: Context,
    pub(super) kind: &'static str,
}

impl Bank {
    /// One over each database.
    pub(super) async fn all() -> Vec<Self> {
        Self::all_with(|builder| builder).await
    }

    /// The same, configured further.
    pub(super) async fn all_with(configure: impl Fn(ServerBuilder) -> ServerBuilder) -> Vec<Self> {
        let (postgres, mariadb) = (PostgresServer::shared(), MariaDbServer::shared());
        vec![
            Self::open("sqlite", "sqlite:bank.db?mode=rwc", &configure).await,
            Self::open("postgres", &postgres.uri(&postgres.create_database()), &configure).await,
            Self::open("mariadb", &mariadb.uri(&mariadb.create_database()), &configure).await,
        ]
    }

    /// Over the embedded database alone.
    pub(super) async fn embedded() -> Self {
        Self::open("sqlite", "sqlite:bank.db?mode=rwc", |builder| builder).await
    }

    async fn open(kind: &'static str, uri: &str, configure: impl Fn(ServerBuilder) -> ServerBuilder) -> Self {
        let folder = TempDir::new().unwrap();
        std::fs::write(folder.path().join("password"), PASSWORD).unwrap();
        let password = if kind == "sqlite" { "" } else { "passwordFile=\"password\"" };
        let document = format!(
            "<dataServiceResourceConfiguration xmlns=\"http://ogsadai.org.uk/namespaces/2005/10/config\">\
             <dataResource uri=\"{uri}\" {password}/></dataServiceResourceConfiguration>"
        );
        let mut resource = ConfiguredResource::new("data", folder.path());
        resource.resource = ResourceConfiguration::parse(document.as_bytes(), &Limits::default()).unwrap();
        let builder = configure(Server::builder().listen("127.0.0.1:0")).resource(resource);
        let server = builder.build().unwrap().start().await.unwrap();
        let bank = Self { context: Context::around(server, folder), kind };
        for sql in [
            "CREATE TABLE account (id INTEGER PRIMARY KEY, amount INTEGER NOT NULL)",
            "INSERT INTO account VALUES (1, 100), (2, 100)",
        ] {
            bank.context.perform(&update("make", sql)).await.is_completed();
        }
        bank
    }

    /// Performs in a session.
    pub(super) async fn within(&self, session: &str, content: &str) -> Reply {
        self.context.perform(&format!("{}{content}", join(session))).await
    }

    /// A new session with a transaction that goes on.
    pub(super) async fn begin(&self) -> String {
        let session = self.context.create().await;
        self.within(&session, &manage("<begin/>")).await.is_completed().says("<transaction state=\"active\" id=\"");
        session
    }

    /// The amounts as a session sees them; `None` is nobody in particular.
    pub(super) async fn amounts(&self, session: Option<&str>) -> String {
        let session = session.map(join).unwrap_or_default();
        let content = query("see", "SELECT id, amount FROM account ORDER BY id");
        let reply = self.context.raw(&format!("{session}{content}"), "see-csv").await;
        assert_eq!(reply.status, 200, "{}: {}", self.kind, reply.text);
        reply.text.replace('\n', ";")
    }
}

pub(super) fn update(name: &str, sql: &str) -> String {
    let sql = sql.replace('<', "&lt;");
    format!("<sqlUpdateStatement name=\"{name}\"><expression>{sql}</expression></sqlUpdateStatement>")
}

/// A query as CSV; the end-point has the name with `-csv` behind it.
pub(super) fn query(name: &str, sql: &str) -> String {
    let sql = sql.replace('<', "&lt;");
    format!(
        "<sqlQueryStatement name=\"{name}\"><expression>{sql}</expression><resultStream name=\"{name}-rows\"/></sqlQueryStatement>{}",
        as_csv(name)
    )
}

/// Writes the stream NAME-rows as CSV.
pub(super) fn as_csv(name: &str) -> String {
    format!(
        "<sqlResultsToCSV name=\"{name}-format\"><resultSet from=\"{name}-rows\"/><csvOutput name=\"{name}-csv\"/></sqlResultsToCSV>"
    )
}
