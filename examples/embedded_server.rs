//! The service inside a program: a database in memory, and a session over two requests.
//!
//! The first request creates the session, fills a table and keeps rows in a session attribute. The second joins the session by
//! its id and finds them. A listener prints what happens to the session meanwhile.
//!
//! Run it with `cargo run --example embedded_server`.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use rejoin::service::{ConfiguredResource, Server};
use rejoin::session::{EndReason, Outcome, SessionEvent, SessionListener};

/// Prints the life of every explicit session. It sees the session's handle, which is safe to log; the id is a secret.
#[derive(Debug)]
struct Audit;

impl SessionListener for Audit {
    fn created(&self, session: SessionEvent<'_>) {
        println!("  session {} created", session.handle);
    }

    fn released(&self, session: SessionEvent<'_>, _: uuid::Uuid, outcome: Outcome, held: Duration) {
        println!("  session {} released after {} ms: {outcome:?}", session.handle, held.as_millis());
    }

    fn ended(&self, session: SessionEvent<'_>, reason: EndReason) {
        println!("  session {} ended: {reason}", session.handle);
    }
}

/// `sequence` makes the steps wait for each other; the query and its reader run side by side, in a `flow`.
const FIRST: &str = r#"<perform xmlns="http://ogsadai.org.uk/namespaces/2005/10/types">
  <session/>
  <sequence>
    <sqlUpdateStatement name="make"><expression>CREATE TABLE town (name TEXT, people INTEGER)</expression></sqlUpdateStatement>
    <sqlUpdateStatement name="fill">
      <expression>INSERT INTO town VALUES ('Oban', 8490), ('Perth', 47350), ('Wick', 6800)</expression>
    </sqlUpdateStatement>
    <flow>
      <sqlQueryStatement name="find">
        <expression>SELECT name, people FROM town WHERE people &lt; 10000</expression>
        <resultStream name="rows"/>
      </sqlQueryStatement>
      <deliverToSession name="keep"><fromLocal from="rows"/><toSession attribute="small"/></deliverToSession>
    </flow>
  </sequence>
</perform>"#;

const SECOND: &str = r#"<perform xmlns="http://ogsadai.org.uk/namespaces/2005/10/types">
  <session mode="terminate"/>
  <deliverFromSession name="take"><fromSession attribute="small"/><toLocal name="rows"/></deliverFromSession>
  <sqlResultsToCSV name="format"><resultSet from="rows"/><csvOutput name="csv"/></sqlResultsToCSV>
</perform>"#;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let server = Server::builder()
        .listen("127.0.0.1:0")
        .session_listener(Arc::new(Audit))
        .resource(ConfiguredResource::new("towns", ".").data_resource("sqlite::memory:"))
        .build()?
        .start()
        .await?;
    let url = format!("{}/services/towns", server.url());
    let client = reqwest::Client::new();
    let post = |document: &'static str| client.post(&url).header("content-type", "application/xml").body(document);

    println!("The first request creates the session and keeps rows in it:");
    let answer = post(FIRST).send().await?.error_for_status()?;
    let session = answer.headers().get("rejoin-session").ok_or("the answer should name the session")?.clone();

    println!("The second joins it, takes the rows, and ends it:");
    let joining = post(SECOND).header("rejoin-session", session).query(&[("return", "csv")]);
    let rows = joining.send().await?.error_for_status()?.text().await?;
    println!("The rows:\n{rows}");

    server.shutdown().await;
    Ok(())
}
