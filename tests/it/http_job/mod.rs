//! `httpJob` against a server that follows a script: what it is asked in each phase, and what is sent when a job is not wanted
//! any more.

mod ending;
mod killed;
mod refused;
mod whole;

use std::time::Duration;

use crate::context::Reply;
use crate::http_ingest::{Bench, lines};
use crate::scripted::{Answer, Script, csv, json, pass, status};

const CREATE: &str = r#"<create>
    <property key="ms.source.uri">/jobs</property>
    <property key="ms.http.request.method">POST</property>
    <property key="ms.parameters">[{"name": "query", "value": "SELECT Id FROM Account"}]</property>
    <variable name="id" path="id"/>
  </create>"#;
const POLL: &str = r#"<poll>
    <property key="ms.source.uri">/jobs/{{id}}</property>
    <property key="ms.session.key.field">
      {"name": "state", "condition": {"regexp": "JobComplete"}, "failCondition": {"regexp": "Failed|Aborted"}}
    </property>
    <property key="ms.call.interval.millis">5000</property>
  </poll>"#;
const FETCH: &str = r#"<fetch>
    <property key="ms.source.uri">/jobs/{{id}}/results</property>
    <property key="rejoin.format">csv</property>
    <property key="ms.csv">{"columnHeaderIndex": 0}</property>
    <property key="ms.session.key.field">{"name": "Sforce-Locator", "condition": {"regexp": "null"}}</property>
    <property key="ms.parameters">[{"name": "locator", "type": "session"}]</property>
  </fetch>"#;
const CANCEL: &str = r#"<cancel>
    <property key="ms.source.uri">/jobs/{{id}}</property>
    <property key="ms.http.request.method">PATCH</property>
    <property key="ms.parameters">[{"name": "state", "value": "Aborted"}]</property>
  </cancel>"#;
const CLEAN_UP: &str = r#"<cleanUp>
    <property key="ms.source.uri">/jobs/{{id}}</property>
    <property key="ms.http.request.method">DELETE</property>
  </cleanUp>"#;
const STATE: &str = "<sessionState attribute=\"job\"/>";

const CREATED: &str = r#"POST /jobs {"query":"SELECT Id FROM Account"}"#;
const POLLED: &str = "GET /jobs/7";
const FETCHED: &str = "GET /jobs/7/results";
const CANCELLED: &str = r#"PATCH /jobs/7 {"state":"Aborted"}"#;
const CLEANED: &str = "DELETE /jobs/7";

/// The element with all phases.
fn job(attributes: &str, state: &str) -> String {
    job_of(attributes, &[CREATE, POLL, FETCH, CANCEL, CLEAN_UP], state)
}

/// The element with those phases, and the outputs that tests read.
fn job_of(attributes: &str, phases: &[&str], state: &str) -> String {
    let phases = phases.concat();
    format!(
        "<httpJob name=\"export\"{attributes}>{phases}{state}<records name=\"rows\"/><decisions name=\"log\"/></httpJob>"
    )
}

/// The job, and what makes text of its outputs.
fn told(job: &str) -> String {
    format!(
        "{job}<sqlResultsToCSV name=\"a\"><resultSet from=\"rows\"/><csvOutput name=\"table\"/></sqlResultsToCSV>
         <sqlResultsToCSV name=\"b\"><resultSet from=\"log\"/><csvOutput name=\"decisions\"/></sqlResultsToCSV>"
    )
}

/// Phase, rule and action of each line of the log.
fn decisions(reply: &Reply) -> Vec<String> {
    let line = |line: &String| {
        let columns: Vec<&str> = line.split(',').collect();
        format!("{} {} {}", columns[0], columns[9], columns[10])
    };
    lines(reply, "decisions").iter().map(line).collect()
}

/// A service with a job that takes two polls, and has results on two pages.
fn service() -> Script {
    Script::default()
        .at("POST /jobs", [created()])
        .at("GET /jobs/7", [state("InProgress"), state("JobComplete")])
        .at("GET /jobs/7/results", [page("1", "MTAw"), page("2", "null")])
        .at("PATCH /jobs/7", [state("Aborted")])
        .at("DELETE /jobs/7", [status(204)])
}

fn created() -> Answer {
    json(r#"{"id": "7", "state": "UploadComplete"}"#)
}

fn state(state: &str) -> Answer {
    json(format!(r#"{{"id": "7", "state": "{state}"}}"#))
}

fn page(id: &str, locator: &str) -> Answer {
    csv(format!("Id\n{id}\n")).header("Sforce-Locator", locator)
}

impl Bench {
    /// Performs a document, while time passes: each wait as soon as somebody waits for exactly that long.
    async fn perform_while(&self, document: &str, waits: &[u64]) -> Reply {
        let passing = async {
            for millis in waits {
                pass(&self.clock, Duration::from_millis(*millis)).await;
            }
        };
        tokio::join!(self.context.perform(document), passing).0
    }
}
