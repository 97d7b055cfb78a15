//! A service over an empty database of each kind, where every activity is granted.

use std::fs;

use rejoin::activity::ActivityRegistry;
use rejoin::service::{Configuration, Server};

use super::Kind;
use crate::context::{Context, Reply};
use crate::databases::{MariaDbServer, PASSWORD, PostgresServer};

/// A service with one resource, `data`, over an empty database, where every activity is granted.
pub(super) struct Stage {
    pub(super) kind: Kind,
    pub(super) context: Context,
    /// Its name on the server; of `SQLite` nothing.
    pub(super) database: String,
}

const CONFIG: &str = "http://ogsadai.org.uk/namespaces/2005/10/config";

impl Stage {
    pub(super) async fn new(kind: Kind) -> Self {
        let database = match kind {
            Kind::Sqlite => String::new(),
            Kind::Postgres => PostgresServer::shared().create_database(),
            Kind::MariaDb => MariaDbServer::shared().create_database(),
        };
        let data_resource = match kind {
            Kind::Sqlite => "uri=\"sqlite:data.db?mode=rwc\"".to_owned(),
            Kind::Postgres => {
                format!("uri=\"{}\" passwordFile=\"password\"", PostgresServer::shared().uri(&database))
            }
            Kind::MariaDb => format!("uri=\"{}\" passwordFile=\"password\"", MariaDbServer::shared().uri(&database)),
        };
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, content: String| fs::write(folder.path().join(name), content).unwrap();
        write("password", PASSWORD.to_owned());
        write(
            "service.xml",
            format!(
                "<dataServiceConfiguration xmlns=\"{CONFIG}\"><listen address=\"127.0.0.1:0\"/>\
                 <dataServiceResource name=\"data\" location=\"resource.xml\"/></dataServiceConfiguration>"
            ),
        );
        write(
            "resource.xml",
            format!(
                "<dataServiceResourceConfiguration xmlns=\"{CONFIG}\"><activityConfiguration location=\"activities.xml\"/>\
                 <dataResource {data_resource}/></dataServiceResourceConfiguration>"
            ),
        );
        let names: Vec<String> = ActivityRegistry::built_in().names().map(str::to_owned).collect();
        let map: String = names.iter().map(|name| format!("<activity name=\"{name}\"/>")).collect();
        write(
            "activities.xml",
            format!(
                "<activityConfiguration xmlns=\"{CONFIG}\"><activityMap>{map}</activityMap></activityConfiguration>"
            ),
        );
        let configuration = Configuration::load(folder.path()).unwrap();
        let server = Server::builder().configuration(configuration).build().unwrap().start().await.unwrap();
        Self { kind, context: Context::around(server, folder), database }
    }

    /// Runs statements of one line each by the service, one after the other.
    pub(super) async fn run(&self, statements: &[&str]) {
        for sql in statements {
            self.context.perform(&update(sql)).await.is_completed();
        }
    }

    /// The text that is right for this database.
    pub(super) fn pick<'a>(&self, sqlite: &'a str, postgres: &'a str, mariadb: &'a str) -> &'a str {
        match self.kind {
            Kind::Sqlite => sqlite,
            Kind::Postgres => postgres,
            Kind::MariaDb => mariadb,
        }
    }

    /// The rows of a query as CSV.
    pub(super) async fn rows(&self, sql: &str) -> String {
        let reply = self.context.raw(&format!("{}{}", query(sql), csv("rows")), "csv").await;
        assert_eq!(reply.status, 200, "{:?}: {sql}: {}", self.kind, reply.text);
        reply.text
    }

    /// The text of one output of a request that completes.
    pub(super) async fn output(&self, content: &str, name: &str) -> String {
        let reply = self.context.raw(content, name).await;
        assert_eq!(reply.status, 200, "{:?}: {}", self.kind, reply.text);
        reply.text
    }

    pub(super) async fn perform(&self, content: &str) -> Reply {
        self.context.perform(content).await
    }
}

/// An activity that runs a statement.
pub(super) fn update(sql: &str) -> String {
    format!("<sqlUpdateStatement name=\"update\"><expression>{}</expression></sqlUpdateStatement>", escaped(sql))
}

/// An activity whose output `rows` are those of a query.
pub(super) fn query(sql: &str) -> String {
    format!(
        "<sqlQueryStatement name=\"query\"><expression>{}</expression><resultStream name=\"rows\"/></sqlQueryStatement>",
        escaped(sql)
    )
}

/// An activity that writes rows as CSV, as `csv`.
pub(super) fn csv(from: &str) -> String {
    format!("<sqlResultsToCSV name=\"format\"><resultSet from=\"{from}\"/><csvOutput name=\"csv\"/></sqlResultsToCSV>")
}

fn escaped(sql: &str) -> String {
    sql.replace('&', "&amp;").replace('<', "&lt;")
}
