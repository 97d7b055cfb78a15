//! What every test of behaviour needs: a server of its own, a client, and the documents.

use std::path::Path;

use rejoin::service::{ConfiguredResource, RunningServer, Server, ServerBuilder};
use reqwest::{Client, RequestBuilder, Response};
use tempfile::TempDir;

/// A server on a free port with a throw-away database.
pub(crate) struct Context {
    pub(crate) server: RunningServer,
    pub(crate) client: Client,
    /// Removed with the context.
    folder: TempDir,
}

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

const TOWNS: &str = "
    CREATE TABLE customer (id INTEGER PRIMARY KEY, name TEXT NOT NULL, town TEXT NOT NULL, phone TEXT, credit REAL);
    INSERT INTO customer VALUES
        (1, 'Ada', 'Perth', '0131', 10.5), (2, 'Carl & Co', 'Oban', NULL, 0.25), (3, '<Grace>', 'Perth', '', -3);
";

impl Context {
    /// A server with one resource, `data`, over a small database of customers.
    pub(crate) async fn new() -> Self {
        Self::with(rejoin::service::ServerBuilder::resource).await
    }

    /// The same, configured further.
    pub(crate) async fn with(configure: impl FnOnce(ServerBuilder, ConfiguredResource) -> ServerBuilder) -> Self {
        let folder = tempfile::tempdir().unwrap();
        create_database(&folder.path().join("data.db"), TOWNS);
        let resource = ConfiguredResource::new("data", folder.path()).data_resource("sqlite:data.db");
        let builder = configure(Server::builder().listen("127.0.0.1:0"), resource);
        let server = builder.build().unwrap().start().await.unwrap();
        Self { server, client: Client::new(), folder }
    }

    /// A server that was started over the files of a folder; its resource is `data`.
    pub(crate) fn around(server: RunningServer, folder: TempDir) -> Self {
        Self { server, client: Client::new(), folder }
    }

    /// Stops the server; its files are there as long as the answer lives.
    pub(crate) async fn stop(self) -> TempDir {
        self.server.shutdown().await;
        self.folder
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn url(&self) -> String {
        format!("{}/services/data", self.server.url())
    }

    /// A POST of a perform document with that content.
    pub(crate) fn post(&self, content: &str) -> RequestBuilder {
        self.client.post(self.url()).header("content-type", "application/xml").body(perform(content))
    }

    pub(crate) async fn perform(&self, content: &str) -> Reply {
        Reply::of(self.post(content).send().await.unwrap()).await
    }

    /// The raw bytes of an end-point, as text.
    pub(crate) async fn raw(&self, content: &str, end_point: &str) -> Reply {
        Reply::of(self.post(content).query(&[("return", end_point)]).send().await.unwrap()).await
    }

    /// A new session's id.
    pub(crate) async fn create(&self) -> String {
        let reply = self.perform("<session/>").await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        reply.session_id()
    }
}

impl Reply {
    pub(crate) async fn of(response: Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Self { status, headers, text: response.text().await.unwrap() }
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The id in the session element of the response.
    pub(crate) fn session_id(&self) -> String {
        let (_, rest) = self.text.split_once("<session id=\"").expect("a session");
        rest.split_once('"').unwrap().0.to_owned()
    }

    /// Checks status, code and place of a fault.
    #[track_caller]
    pub(crate) fn is_fault(&self, status: u16, code: &str) -> &Self {
        assert_eq!(self.status, status, "{}", self.text);
        assert!(self.text.contains(&format!("code=\"{code}\"")), "{}", self.text);
        self
    }

    #[track_caller]
    pub(crate) fn at(&self, line: u32, column: u32) -> &Self {
        let location = format!("<location line=\"{line}\" column=\"{column}\"/>");
        assert!(self.text.contains(&location), "expected {location} in {}", self.text);
        self
    }

    #[track_caller]
    pub(crate) fn says(&self, words: &str) -> &Self {
        assert!(self.text.contains(words), "expected `{words}` in {}", self.text);
        self
    }

    #[track_caller]
    pub(crate) fn is_completed(&self) -> &Self {
        assert_eq!(self.status, 200, "{}", self.text);
        assert!(self.text.contains("<request status=\"COMPLETED\"/>"), "{}", self.text);
        self
    }
}

/// A perform document; its content begins in column 1 of line 2.
pub(crate) fn perform(content: &str) -> String {
    format!("<perform xmlns=\"http://ogsadai.org.uk/namespaces/2005/10/types\">\n{content}\n</perform>")
}

pub(crate) fn create_database(path: &Path, sql: &str) {
    rusqlite::Connection::open(path).unwrap().execute_batch(sql).unwrap();
}
