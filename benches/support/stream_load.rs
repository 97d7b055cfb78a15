//! A file of people loaded into a table by way of a stream of a session, as a client does it who has the file.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::curl::run_curl;
use super::documents::perform;

/// What reads the stream `feed` into the table `loaded`; `count` tells how many rows there were.
const LOAD: &str = "<session/><inputStream name=\"feed\"><toLocal name=\"csv\"/></inputStream>
    <csvToRows name=\"read\"><csvInput from=\"csv\"/><rows name=\"rows\"/>
      <column name=\"id\" type=\"integer\"/><column name=\"name\" type=\"text\"/><column name=\"comment\" type=\"text\"/>
      <column name=\"phone\" type=\"text\"/><column name=\"balance\" type=\"double\"/>
      <column name=\"created\" type=\"timestamp\"/></csvToRows>
    <sqlBulkLoadRowSet name=\"load\"><rows from=\"rows\"/>
      <loadIntoTable tableName=\"loaded\" transactionally=\"true\"/><resultStream name=\"count\"/></sqlBulkLoadRowSet>";

/// Loads the file into the table `loaded`, which is there; how long it took until the service has said that it is done.
pub(crate) fn load(url: &str, csv: &Path, rows: u32) -> Result<Duration> {
    let begun = Instant::now();
    let asynchronous = ["-H", "Prefer: respond-async", "-w", "%header{rejoin-session}"];
    let session = String::from_utf8(run_curl(url, &perform(LOAD), &asynchronous)?)?;
    let header = format!("rejoin-session: {session}");
    let stream = |name: &str| {
        let mut curl = Command::new("curl");
        curl.args(["-sS", "-f", "-H", &header]).arg(format!("{url}/session/streams/{name}"));
        curl
    };
    // No waiting for leave to send.
    said_by(stream("feed").args(["-H", "Content-Type: text/plain", "-H", "Expect:", "-T"]).arg(csv))?;
    let count = said_by(&mut stream("count"))?;
    let took = begun.elapsed();
    ensure!(count == format!("<updateCount>{rows}</updateCount>"), "{rows} rows were loaded as {count}");
    run_curl(url, &perform(&format!("<session id=\"{session}\" mode=\"terminate\"/>")), &[])?;
    Ok(took)
}

fn said_by(curl: &mut Command) -> Result<String> {
    let output = curl.output().context("curl can't be run: is it installed?")?;
    ensure!(output.status.success(), "curl: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
