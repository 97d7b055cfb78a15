//! A transaction in three requests: begun with the first, worked in with the second, committed with the third.
//!
//! Between them nothing is held but the session's id, so the three may come from different machines. The documents are those
//! of `examples/three-requests/`, where `transfer.sh` sends them with `curl` to `rejoin demo`. This program has them performed by a
//! service of its own. `examples/transaction.rs` does the same without documents.
//!
//! Run it with `cargo run --example three_requests`.

use std::error::Error;

use rejoin::client::{DataService, Request};
use rejoin::service::{ConfiguredResource, Server};

const TAKE: &str = include_str!("three-requests/1-take.xml");
const GIVE: &str = include_str!("three-requests/2-give.xml");
const COMMIT: &str = include_str!("three-requests/3-commit.xml");

/// What everybody else sees.
async fn credits(service: &DataService) -> Result<Vec<(i64, f64)>, Box<dyn Error>> {
    Ok(service.query("SELECT id, credit FROM customer ORDER BY id").all().await?)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // A file: in a database in memory, whoever reads waits for a transaction that writes.
    let folder = tempfile::tempdir()?;
    let resource = ConfiguredResource::new("bank", folder.path()).data_resource("sqlite:bank.db?mode=rwc");
    let server = Server::builder().listen("127.0.0.1:0").resource(resource).build()?.start().await?;
    let service = DataService::connect(&server.url(), "bank").await?;
    service.update("CREATE TABLE customer (id INTEGER PRIMARY KEY, credit REAL NOT NULL)").run().await?;
    service.update("INSERT INTO customer VALUES (7, 100), (42, 0)").run().await?;

    let first = service.perform(&Request::document(TAKE)?).await?;
    println!("The first request begins: {}", first.text("state")?);
    let id = first.session().id.as_deref().ok_or("the answer should name the session")?;

    // This may be another program, on another machine.
    let session = service.join(id);
    let second = session.perform(&Request::document(GIVE)?).await?;
    println!("The second sees both changes:\n{}", second.text("credits")?);
    println!("Everybody else sees neither: {:?}", credits(&service).await?);

    let third = session.perform(&Request::document(COMMIT)?).await?;
    println!("The third commits: {}", third.text("state")?);
    println!("Now everybody sees both: {:?}", credits(&service).await?);

    server.shutdown().await;
    Ok(())
}
