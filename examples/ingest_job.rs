//! An ingest job: records that a program makes flow into a table, as many as there are, in little memory and all or none.
//!
//! The request goes on behind its answer and takes in what the program writes, as fast as the database takes it. If the program dies
//! midway, the stream breaks, the request fails, and nothing of it holds.
//!
//! Run it with `cargo run --example ingest_job`.

use std::error::Error;

use futures_util::stream;
use rejoin::client::{DataService, Request};
use rejoin::service::{ConfiguredResource, Server};

const LOAD: &str = r#"<perform xmlns="http://ogsadai.org.uk/namespaces/2005/10/types">
  <inputStream name="feed"><toLocal name="csv"/></inputStream>
  <csvToRows name="read">
    <csvInput from="csv"/><rows name="rows"/><includeHeader value="true"/>
    <column name="id" type="int64"/><column name="celsius" type="float64"/>
  </csvToRows>
  <sqlBulkLoadRowSet name="load">
    <rows from="rows"/><loadIntoTable tableName="reading"/><resultStream name="loaded"/>
  </sqlBulkLoadRowSet>
</perform>"#;

/// What the job reads; here it is made up.
fn readings() -> impl Iterator<Item = String> + Send {
    let readings = (1..=50_000).map(|id: u32| format!("{id},{}.5\n", id % 40));
    std::iter::once("id,celsius\n".to_owned()).chain(readings)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let resource = ConfiguredResource::new("weather", folder.path()).data_resource("sqlite:weather.db?mode=rwc");
    let server = Server::builder().listen("127.0.0.1:0").resource(resource).build()?.start().await?;
    let service = DataService::connect(&server.url(), "weather").await?;
    service.update("CREATE TABLE reading (id INTEGER PRIMARY KEY, celsius REAL)").run().await?;

    // In the lists of operators the session has a name.
    let session = service.session().await?;
    session.set("label", "weather-ingest").await?;
    let running = session.start(&Request::document(LOAD)?).await?;
    running.stream("feed").write_stream("text/csv", stream::iter(readings().map(Ok::<_, std::io::Error>))).await?;
    let loaded = running.stream("loaded").read().await?.whole().await?;
    let progress = running.finished().await?;
    println!("{} in {} steps", String::from_utf8_lossy(&loaded), progress.results.len());
    session.end().await?;

    let (readings, warmest): (u64, f64) = service.query("SELECT count(*), max(celsius) FROM reading").one().await?;
    println!("{readings} readings, the warmest {warmest} °C");

    server.shutdown().await;
    Ok(())
}
