//! A service over a database, and what clients say to it.

use std::fs;
use std::time::{Duration, Instant};

use rejoin::service::{Configuration, Server};

use super::Kind;
use super::database::Database;
use crate::context::{Context, Reply};
use crate::databases::PASSWORD;

const CONFIG: &str = "xmlns=\"http://ogsadai.org.uk/namespaces/2005/10/config\"";

/// How long something may take that happens by itself, on a machine that is busy.
const PATIENCE: Duration = Duration::from_mins(1);

/// The table that most cases use.
const PERSON: &str = "CREATE TABLE person (id INTEGER PRIMARY KEY, name VARCHAR(40) NOT NULL, town VARCHAR(40), \
     credit DOUBLE PRECISION)";
const PEOPLE: &str = "INSERT INTO person VALUES (1, 'Ada', 'Perth', 10.5), (2, 'Carl & Co', 'Oban', 0.25), \
     (3, '<Grace>', 'Perth', -3), (4, 'Dora', NULL, NULL)";

/// What the configuration documents of a stage say beyond the database.
#[derive(Debug, Default)]
pub(crate) struct Options {
    /// Inside of `dataServiceConfiguration`.
    pub(crate) service: String,
    /// Inside of `sessionManagerFactory`.
    pub(crate) session: String,
    /// The `dataResource` elements; without any, one for the database of the stage.
    pub(crate) resources: Vec<String>,
    /// Inside of that one.
    pub(crate) resource: String,
    /// More files of the folder of the service: names and contents.
    pub(crate) files: Vec<(&'static str, String)>,
}

/// A service over a database of its own with the people in it.
pub(crate) struct Stage {
    pub(crate) context: Context,
    pub(crate) database: Database,
}

impl Stage {
    pub(crate) async fn new(kind: Kind) -> Self {
        Self::with(kind, |_, _| {}).await
    }

    /// A stage with other options.
    pub(crate) async fn with(kind: Kind, change: impl FnOnce(&Database, &mut Options)) -> Self {
        let database = Database::new(kind);
        database.run(PERSON);
        database.run(PEOPLE);
        let mut options = Options::default();
        change(&database, &mut options);
        if options.resources.is_empty() {
            options.resources.push(data_resource("", &database.uri(), &options.resource));
        }
        Self { context: serve(&options).await, database }
    }

    pub(crate) async fn perform(&self, content: &str) -> Reply {
        self.context.perform(content).await
    }

    /// The rows of a query, as CSV.
    pub(crate) async fn rows(&self, sql: &str) -> String {
        rows(&self.context, "", sql).await
    }

    /// A new session of this service.
    pub(crate) async fn session(&self) -> Session<'_> {
        Session { context: &self.context, id: self.context.create().await }
    }

    /// Everything that is in the table of people.
    pub(crate) fn people(&self) -> String {
        self.database.run("SELECT id FROM person ORDER BY id").replace('\n', " ")
    }
}

/// One session and its client.
#[derive(Clone)]
pub(crate) struct Session<'a> {
    pub(crate) context: &'a Context,
    pub(crate) id: String,
}

impl Session<'_> {
    /// One request of the session.
    pub(crate) async fn perform(&self, content: &str) -> Reply {
        self.context.perform(&self.document(content)).await
    }

    /// The content of a document of the session.
    pub(crate) fn document(&self, content: &str) -> String {
        format!("<session id=\"{}\"/>{content}", self.id)
    }

    /// The rows of a query, as CSV.
    pub(crate) async fn rows(&self, sql: &str) -> String {
        rows(self.context, &self.document(""), sql).await
    }

    /// An update that is done.
    pub(crate) async fn update(&self, sql: &str) {
        self.perform(&update("u", sql)).await.is_completed();
    }

    /// A step of the transaction that is done.
    pub(crate) async fn transaction(&self, step: &str) -> Reply {
        let reply = self.perform(&transaction(step)).await;
        reply.is_completed();
        reply
    }

    pub(crate) async fn end(&self) {
        self.context.perform(&format!("<session id=\"{}\" mode=\"terminate\"/>", self.id)).await.is_completed();
    }
}

/// Starts a service.
pub(crate) async fn serve(options: &Options) -> Context {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    let Options { service, session, resources, files, .. } = options;
    write(
        "service.xml",
        &format!(
            "<dataServiceConfiguration {CONFIG}><listen address=\"127.0.0.1:0\"/>{service}\
             <dataServiceResource name=\"data\" location=\"resource.xml\"/></dataServiceConfiguration>"
        ),
    );
    write(
        "resource.xml",
        &format!(
            "<dataServiceResourceConfiguration {CONFIG}><sessionConfiguration location=\"session.xml\"/>{}\
             </dataServiceResourceConfiguration>",
            resources.concat()
        ),
    );
    write(
        "session.xml",
        &format!(
            "<sessionConfiguration {CONFIG}><sessionManagerFactory impl=\"rejoin.TransientSessionManagerFactory\">{session}\
             </sessionManagerFactory></sessionConfiguration>"
        ),
    );
    write("password", &format!("{PASSWORD}\n"));
    for (name, text) in files {
        write(name, text);
    }
    let configuration = Configuration::load(folder.path()).unwrap();
    let server = Server::builder().configuration(configuration).build().unwrap().start().await.unwrap();
    Context::around(server, folder)
}

/// The element of a data resource.
pub(crate) fn data_resource(name: &str, uri: &str, inside: &str) -> String {
    let name = if name.is_empty() { String::new() } else { format!("name=\"{name}\"") };
    // A file has no password.
    let password = if uri.starts_with("sqlite:") { "" } else { "passwordFile=\"password\"" };
    format!("<dataResource {name} uri=\"{}\" {password}>{inside}</dataResource>", escape(uri))
}

async fn rows(context: &Context, session: &str, sql: &str) -> String {
    let reply = context.raw(&format!("{session}{}", query(sql)), "csv").await;
    assert_eq!(reply.status, 200, "{sql}: {}", reply.text);
    reply.text
}

/// A query whose rows are the end-point `csv`.
pub(crate) fn query(sql: &str) -> String {
    query_with("", sql)
}

/// The same with parameters before the expression.
pub(crate) fn query_with(parameters: &str, sql: &str) -> String {
    format!(
        "<sqlQueryStatement name=\"q\">{parameters}<expression>{}</expression><resultStream name=\"r\"/></sqlQueryStatement>\
         <sqlResultsToCSV name=\"f\"><resultSet from=\"r\"/><csvOutput name=\"csv\"/><nullDataStr value=\"NULL\"/></sqlResultsToCSV>",
        escape(sql)
    )
}

/// An update.
pub(crate) fn update(name: &str, sql: &str) -> String {
    update_with(name, "", sql)
}

/// The same with parameters before the expression; how many rows it changed is the end-point `count-NAME`.
pub(crate) fn update_with(name: &str, parameters: &str, sql: &str) -> String {
    format!(
        "<sqlUpdateStatement name=\"{name}\">{parameters}<expression>{}</expression><resultStream name=\"count-{name}\"/>\
         </sqlUpdateStatement>",
        escape(sql)
    )
}

/// Parameters of the document, from position 1 on.
pub(crate) fn parameters(values: &[&str]) -> String {
    let each = values.iter().enumerate();
    each.map(|(place, value)| format!("<sqlParameter position=\"{}\">{}</sqlParameter>", place + 1, escape(value)))
        .collect()
}

/// A stream `name` of blocks of text.
pub(crate) fn stream(name: &str, values: &[&str]) -> String {
    let items: String = values.iter().map(|value| format!("<item>{}</item>", escape(value))).collect();
    format!("<dataStore name=\"store-{name}\">{items}<itemCursor name=\"{name}\"/></dataStore>")
}

/// `transactionManagement` with that step.
pub(crate) fn transaction(step: &str) -> String {
    format!("<transactionManagement name=\"t\">{step}<output name=\"state\"/></transactionManagement>")
}

pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Waits until something is so, which it soon has to be.
pub(crate) async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < end, "after {PATIENCE:?} it is still not so that {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
