//! A result of any size into a file, in little memory: the database waits for the disk.
//!
//! Run it with `cargo run --example stream_to_file`.

use std::error::Error;
use std::fs::File;
use std::io::Write;

use rejoin::client::{DataService, Request};
use rejoin::document::activities::{SqlQueryStatement, SqlResultsToCsv};
use rejoin::service::{ConfiguredResource, Server};

const NUMBERS: &str =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000) SELECT i, i * i AS square FROM n";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let resource = ConfiguredResource::new("numbers", folder.path()).data_resource("sqlite::memory:");
    let server = Server::builder().listen("127.0.0.1:0").resource(resource).build()?.start().await?;
    let service = DataService::connect(&server.url(), "numbers").await?;

    let mut request = Request::new();
    let rows = request.add(SqlQueryStatement::new(NUMBERS));
    let csv = request.add(SqlResultsToCsv::of(rows).header(true));

    // What is there is called a result only when all of it is there.
    let (unfinished, path) = (folder.path().join("squares.csv.part"), folder.path().join("squares.csv"));
    let mut file = File::create(&unfinished)?;
    let mut pieces = service.stream(&request, &csv).await?;
    while let Some(piece) = pieces.next_piece().await? {
        file.write_all(&piece)?;
    }
    file.sync_all()?;
    std::fs::rename(&unfinished, &path)?;
    println!("{} bytes of {}", std::fs::metadata(&path)?.len(), pieces.content_type());

    server.shutdown().await;
    Ok(())
}
