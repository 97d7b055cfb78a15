//! Pages of a long result, one request each: the session keeps the query open in between.
//!
//! Run it with `cargo run --example cursor_pages`.

use std::error::Error;

use rejoin::client::DataService;
use rejoin::service::{ConfiguredResource, Server};

const NUMBERS: &str =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 250) SELECT i, i * i FROM n";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let resource = ConfiguredResource::new("numbers", ".").data_resource("sqlite::memory:");
    let server = Server::builder().listen("127.0.0.1:0").resource(resource).build()?.start().await?;
    let service = DataService::connect(&server.url(), "numbers").await?;

    let session = service.session().await?;
    let mut squares = session.open_cursor("squares", session.query(NUMBERS)).await?;
    let mut page = 1;
    while let Some(rows) = squares.fetch_structs::<(i64, i64)>(100).await? {
        if let (Some(first), Some(last)) = (rows.first(), rows.last()) {
            println!("page {page}: {} rows, {first:?} to {last:?}", rows.len());
        }
        page += 1;
    }
    session.end().await?;

    server.shutdown().await;
    Ok(())
}
