//! A transaction in three requests: begun with the first, worked in with the second, committed with the third.
//!
//! Between them nothing is held but the session's id, so the three may come from different machines. The documents are those
//! of `examples/three-requests/`, where `transfer.sh` sends them with `curl` to `rejoin demo`. This program posts them to a
//! service of its own, with reqwest, and reads the answers with the toolkit's [`ResponseReader`].
//!
//! Run it with `cargo run --example three_requests`.

use std::collections::BTreeMap;
use std::error::Error;

use rejoin::document::{ResponseEvent, ResponseReader, Status};
use rejoin::service::{ConfiguredResource, Server};

const TAKE: &str = include_str!("three-requests/1-take.xml");
const GIVE: &str = include_str!("three-requests/2-give.xml");
const COMMIT: &str = include_str!("three-requests/3-commit.xml");

const CUSTOMERS: &str = r#"<perform xmlns="http://ogsadai.org.uk/namespaces/2005/10/types">
  <sequence>
    <sqlUpdateStatement name="make">
      <expression>CREATE TABLE customer (id INTEGER PRIMARY KEY, credit REAL NOT NULL)</expression>
    </sqlUpdateStatement>
    <sqlUpdateStatement name="fill"><expression>INSERT INTO customer VALUES (7, 100), (42, 0)</expression></sqlUpdateStatement>
  </sequence>
</perform>"#;

const LOOK: &str = r#"<perform xmlns="http://ogsadai.org.uk/namespaces/2005/10/types">
  <sqlQueryStatement name="look">
    <expression>SELECT id, credit FROM customer ORDER BY id</expression><resultStream name="rows"/>
  </sqlQueryStatement>
  <sqlResultsToCSV name="format"><resultSet from="rows"/><csvOutput name="credits"/></sqlResultsToCSV>
</perform>"#;

/// What the service answered.
struct Answer {
    /// The id of the session.
    session: String,
    /// The texts of the end-points, by name.
    texts: BTreeMap<String, String>,
}

/// Posts perform documents to one data service resource.
struct Client {
    http: reqwest::Client,
    url: String,
}

impl Client {
    /// Posts a document, to be performed in a session if one is given.
    async fn perform(&self, document: &'static str, session: Option<&str>) -> Result<Answer, Box<dyn Error>> {
        let mut request = self.http.post(&self.url).header("content-type", "application/xml").body(document);
        if let Some(session) = session {
            request = request.header("rejoin-session", session);
        }
        let response = request.send().await?.error_for_status()?.bytes().await?;
        read(&response)
    }
}

/// Reads a response document. One that did not complete is an error.
fn read(response: &[u8]) -> Result<Answer, Box<dyn Error>> {
    let mut reader = ResponseReader::new(response)?;
    let mut answer = Answer { session: String::new(), texts: BTreeMap::new() };
    let mut name = String::new();
    loop {
        match reader.next()? {
            ResponseEvent::Session(session) => answer.session = session.id.map(String::from).unwrap_or_default(),
            ResponseEvent::Result(result) => name = result.name.into(),
            ResponseEvent::Text(text) => answer.texts.entry(name.clone()).or_default().push_str(text),
            ResponseEvent::Request { status, error, .. } if status != Status::Completed => {
                return Err(format!("{status:?}: {error:?}").into());
            }
            ResponseEvent::End => return Ok(answer),
            _ => {}
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // A file: in a database in memory, whoever reads waits for a transaction that writes.
    let folder = tempfile::tempdir()?;
    let resource = ConfiguredResource::new("bank", folder.path()).data_resource("sqlite:bank.db?mode=rwc");
    let server = Server::builder().listen("127.0.0.1:0").resource(resource).build()?.start().await?;
    let client = Client { http: reqwest::Client::new(), url: format!("{}/services/bank", server.url()) };
    client.perform(CUSTOMERS, None).await?;

    let first = client.perform(TAKE, None).await?;
    println!("The first request begins: {}", first.texts["state"]);

    let second = client.perform(GIVE, Some(&first.session)).await?;
    println!("The second sees both changes:\n{}", second.texts["credits"]);
    let outside = client.perform(LOOK, None).await?;
    println!("Everybody else sees neither:\n{}", outside.texts["credits"]);

    let third = client.perform(COMMIT, Some(&first.session)).await?;
    println!("The third commits: {}", third.texts["state"]);
    let outside = client.perform(LOOK, None).await?;
    println!("Now everybody sees both:\n{}", outside.texts["credits"]);

    server.shutdown().await;
    Ok(())
}
