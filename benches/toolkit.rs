//! What the toolkit costs over a call of reqwest that is written by hand: one row by a random key, an update, and a whole table, as
//! Arrow, from a service of the same process over loopback. By turns, so that both have the same machine.
//!
//! The call that is written by hand does the same: it writes the document, looks at the status, and reads the row into the same struct.
//!
//! `cargo bench --bench toolkit`; `-- --rows 100000 --rounds 15` for a quicker look.

mod support {
    pub(crate) mod arguments;
    pub(crate) mod people;
    pub(crate) mod people_file;
}

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_buffer::Buffer;
use arrow_ipc::reader::StreamDecoder;
use rejoin::client::DataService;
use rejoin::service::{ConfiguredResource, Server};
use reqwest::Client;
use support::arguments::argument;
use support::people::{Random, SEED};
use support::people_file::{self, SELECT_ALL, SELECT_ONE};

/// As in the command.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What is looked at of a row.
#[derive(serde::Deserialize)]
struct Person {
    id: i64,
    name: String,
}

/// The bar of the overhead.
const BAR: f64 = 1.10;

#[tokio::main]
async fn main() -> Result<()> {
    let (rows, requests, rounds) =
        (argument("--rows", 1_000_000)?, argument("--requests", 100)?, argument("--rounds", 61)?);
    let folder = tempfile::tempdir()?;
    people_file::make(&folder.path().join("people.db"), rows)?;
    let resource = ConfiguredResource::new("people", folder.path()).data_resource("sqlite:people.db");
    let server = Server::builder().listen("127.0.0.1:0").resource(resource).build()?.start().await?;
    let service = DataService::connect(&server.url(), "people").await?;
    let by_hand = ByHand { http: Client::new(), url: format!("{}/services/people", server.url()) };

    let one = compare(
        rounds,
        async |keys| service_keys(&service, rows, requests, keys).await,
        async |keys| by_hand.keys(rows, requests, keys).await,
    );
    line("one row by random key", requests, one.await?);
    let update =
        compare(rounds, async |_| service_updates(&service, requests).await, async |_| by_hand.updates(requests).await);
    line("an update, with a key", requests, update.await?);
    let table =
        compare(rounds.min(7), async |_| service_table(&service, rows).await, async |_| by_hand.table(rows).await);
    line("the whole table, as it streams", 1, table.await?);
    server.shutdown().await;
    Ok(())
}

/// How long both take, by turns of which each is first in every second; the first round warms up. It is the time that nine of ten
/// rounds exceed: what else goes on counts little then.
async fn compare(
    rounds: u32,
    ours: impl AsyncFn(u64) -> Result<()>,
    theirs: impl AsyncFn(u64) -> Result<()>,
) -> Result<(Duration, Duration)> {
    let (mut our_times, mut their_times) = (Vec::new(), Vec::new());
    for round in 0..=u64::from(rounds) {
        // Whoever comes second finds the machine warm.
        let is_ours_first = round % 2 == 1;
        let begun = Instant::now();
        if is_ours_first {
            ours(round).await?;
        } else {
            theirs(round).await?;
        }
        let half = Instant::now();
        if is_ours_first {
            theirs(round).await?;
        } else {
            ours(round).await?;
        }
        let (first, second) = (half - begun, half.elapsed());
        if round > 0 {
            let (our_time, their_time) = if is_ours_first { (first, second) } else { (second, first) };
            our_times.push(our_time);
            their_times.push(their_time);
        }
    }
    Ok((undisturbed(&mut our_times), undisturbed(&mut their_times)))
}

fn undisturbed(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 10).copied().unwrap_or_default()
}

fn line(what: &str, requests: u32, (ours, theirs): (Duration, Duration)) {
    let each = |time: Duration| time.as_secs_f64() * 1e6 / f64::from(requests.max(1));
    println!(
        "{what:<32} {:>10.1} µs  by hand {:>10.1} µs  ratio {:.3} (bar {BAR:.2})",
        each(ours),
        each(theirs),
        ours.as_secs_f64() / theirs.as_secs_f64()
    );
}

async fn service_keys(service: &DataService, rows: u32, requests: u32, seed: u64) -> Result<()> {
    let mut random = Random(SEED + seed);
    for _ in 0..requests {
        let key = i64::try_from(random.below(u64::from(rows)) + 1)?;
        let person: Option<Person> = service.query(SELECT_ONE).parameter(key).first().await?;
        ensure!(person.is_some_and(|person| person.id == key && !person.name.is_empty()), "another row came");
    }
    Ok(())
}

async fn service_updates(service: &DataService, requests: u32) -> Result<()> {
    for _ in 0..requests {
        ensure!(service.update("UPDATE people SET balance = 0 WHERE id = 7").run().await? == 1, "nothing was changed");
    }
    Ok(())
}

async fn service_table(service: &DataService, rows: u32) -> Result<()> {
    let (mut table, mut read) = (service.query(SELECT_ALL).rows().await?, 0);
    while let Some(batch) = table.next_batch().await? {
        read += batch.num_rows();
    }
    ensure!(read == rows as usize, "{read} rows came");
    Ok(())
}

/// What a program does without the toolkit: the same documents, the same format, nothing sent again.
struct ByHand {
    http: Client,
    url: String,
}

impl ByHand {
    async fn keys(&self, rows: u32, requests: u32, seed: u64) -> Result<()> {
        let mut random = Random(SEED + seed);
        for _ in 0..requests {
            let key = i64::try_from(random.below(u64::from(rows)) + 1)?;
            let parameter = format!("<sqlParameter position=\"1\" type=\"integer\">{key}</sqlParameter>");
            let document = query(&parameter, SELECT_ONE);
            let answer = self.post(document, "arrow").send().await?.error_for_status()?.bytes().await?;
            let (mut decoder, mut bytes) = (StreamDecoder::new(), Buffer::from(answer));
            let batch = decoder.decode(&mut bytes)?.context("no rows")?;
            let (ids, names) = (batch.column(0).as_primitive::<Int64Type>(), batch.column(1).as_string::<i32>());
            let person = Person { id: ids.value(0), name: names.value(0).to_owned() };
            ensure!(person.id == key && !person.name.is_empty(), "another row came");
        }
        Ok(())
    }

    async fn updates(&self, requests: u32) -> Result<()> {
        for _ in 0..requests {
            let document = "<sqlUpdateStatement name=\"update\"><expression>UPDATE people SET balance = 0 WHERE id = 7</expression>\
                            <resultStream name=\"count\"/></sqlUpdateStatement>";
            let request = self
                .post(perform(document), "count")
                .header("idempotency-key", format!("\"{}\"", uuid::Uuid::now_v7()));
            let answer = request.send().await?.error_for_status()?.text().await?;
            let count = answer.strip_prefix("<updateCount>").and_then(|count| count.strip_suffix("</updateCount>"));
            ensure!(count.context("no count")?.parse::<u64>()? == 1, "nothing was changed: {answer}");
        }
        Ok(())
    }

    async fn table(&self, rows: u32) -> Result<()> {
        let mut answer = self.post(query("", SELECT_ALL), "arrow").send().await?.error_for_status()?;
        let (mut decoder, mut read) = (StreamDecoder::new(), 0);
        while let Some(piece) = answer.chunk().await? {
            let mut bytes = Buffer::from(piece);
            while !bytes.is_empty() {
                read += decoder.decode(&mut bytes)?.map_or(0, |batch| batch.num_rows());
            }
        }
        ensure!(read == rows as usize, "{read} rows came");
        Ok(())
    }

    fn post(&self, document: String, end_point: &str) -> reqwest::RequestBuilder {
        let request = self.http.post(&self.url).header("content-type", "application/xml");
        request.query(&[("return", end_point)]).body(document)
    }
}

fn query(parameter: &str, sql: &str) -> String {
    perform(&format!(
        "<sqlQueryStatement name=\"query\">{parameter}<expression>{sql}</expression><resultStream name=\"rows\"/>\
         </sqlQueryStatement><sqlResultsToArrow name=\"pack\"><resultSet from=\"rows\"/><arrowOutput name=\"arrow\"/>\
         </sqlResultsToArrow>"
    ))
}

fn perform(content: &str) -> String {
    format!("<perform xmlns=\"http://ogsadai.org.uk/namespaces/2005/10/types\">{content}</perform>")
}
