//! The program of `docs/tutorial.md`: a transaction in three requests, against `rejoin demo`.
//!
//! Run it with `cargo run --example tutorial` while the demo runs; another address than its usual one goes behind `--`.

use std::error::Error;
use std::time::Duration;

use rejoin::client::{self, DataService};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let url = std::env::args().nth(1).unwrap_or_else(|| "http://127.0.0.1:8080".to_owned());
    let service = DataService::connect(&url, "demo").await?;
    let session = service.session().timeout(Duration::from_secs(30)).await?;
    session
        .transaction(async |transaction| {
            let take = "UPDATE customer SET credit = credit - ? WHERE id = ?";
            transaction.update(take).parameter(25).parameter(7).run().await?;
            let give = "UPDATE customer SET credit = credit + ? WHERE id = ?";
            transaction.update(give).parameter(25).parameter(42).run().await?;
            Ok::<_, client::Error>(())
        })
        .await?;
    let query = "SELECT id, name FROM customer WHERE id IN (7, 42) ORDER BY id";
    let customers: Vec<(i64, String)> = session.query(query).all().await?;
    println!("{customers:?}");
    session.end().await?;
    Ok(())
}
