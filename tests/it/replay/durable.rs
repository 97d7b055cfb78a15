//! Repeatable requests to a service that is killed between the request and its repetition.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use reqwest::{Client, RequestBuilder};
use tempfile::TempDir;

use super::{KEY, VISIT, send, visit};
use crate::command::Serving;
use crate::context::{Reply, create_database, perform};

const NAMESPACE: &str = "http://ogsadai.org.uk/namespaces/2005/10/config";

/// A folder with a service whose sessions outlive it.
struct Machine {
    folder: TempDir,
    client: Client,
}

/// The service, until it is dropped: then it is killed.
struct Running<'a> {
    machine: &'a Machine,
    serving: Serving,
}

impl Machine {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: String| fs::write(folder.path().join(name), text).unwrap();
        write(
            "service.xml",
            format!(
                "<dataServiceConfiguration xmlns='{NAMESPACE}'><listen address='127.0.0.1:0'/>\
                 <dataServiceResource name='data' location='resource.xml'/></dataServiceConfiguration>"
            ),
        );
        write(
            "resource.xml",
            format!(
                "<dataServiceResourceConfiguration xmlns='{NAMESPACE}'><sessionConfiguration location='session.xml'/>\
                 <dataResource uri='sqlite:data.db'/></dataServiceResourceConfiguration>"
            ),
        );
        write(
            "session.xml",
            format!(
                "<sessionConfiguration xmlns='{NAMESPACE}'>\
                 <sessionManagerFactory impl='rejoin.DurableSessionManagerFactory'><store path='sessions/'/>\
                 </sessionManagerFactory></sessionConfiguration>"
            ),
        );
        create_database(&folder.path().join("data.db"), "CREATE TABLE entry (text TEXT)");
        Self { folder, client: Client::new() }
    }

    fn start(&self) -> Running<'_> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rejoin"));
        Running { machine: self, serving: Serving::start(command.args(["serve", "--config"]).arg(self.folder.path())) }
    }
}

impl Running<'_> {
    fn post(&self, content: &str) -> RequestBuilder {
        let request = self.machine.client.post(format!("{}/services/data", self.serving.url));
        request.header("content-type", "application/xml").body(perform(content))
    }

    async fn perform(&self, content: &str) -> Reply {
        send(self.post(content)).await
    }

    async fn keyed(&self, content: &str) -> Reply {
        send(self.post(content).header("idempotency-key", KEY)).await
    }

    /// The visits that a session has had so far.
    async fn visits(&self, id: &str) -> u64 {
        let reply = self.perform(&visit(id)).await;
        let (_, number) = reply.text.split_once("type=\"integer\">").expect(&reply.text);
        number.split('<').next().unwrap().parse::<u64>().unwrap() - 1
    }

    /// Returns once a request holds the session.
    async fn until_held(&self, id: &str) {
        while self.perform(&format!("<session id=\"{id}\" wait=\"0\"/>")).await.status == 200 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

#[tokio::test]
async fn what_was_answered_is_told_again_after_a_kill() {
    // Behaviours 57 and 58.
    let machine = Machine::new();
    let service = machine.start();
    let created = service.keyed(&format!("<session/>{VISIT}")).await;
    created.is_completed();
    let id = created.session_id();
    let counted = format!("<session id=\"{id}\" sequence=\"1\"/>{VISIT}");
    let first = service.perform(&counted).await;
    first.is_completed();
    let in_it = service.keyed(&visit(&id)).await;
    in_it.is_completed();
    let failing =
        format!("<session id=\"{id}\" sequence=\"2\"/>{VISIT}<refuse name=\"no\"><message>no</message></refuse>");
    let failed = service.perform(&failing).await;
    assert_eq!(failed.status / 100, 4, "{}", failed.text);
    drop(service);
    let service = machine.start();
    service.keyed(&format!("<session/>{VISIT}")).await.replays(&created);
    service.keyed(&visit(&id)).await.replays(&in_it);
    service.perform(&failing).await.replays(&failed);
    service.perform(&counted).await.is_fault(409, "SessionConflict").says("is 3");
    service
        .keyed(&format!("{}<sleep name=\"nap\" duration=\"1\"/>", visit(&id)))
        .await
        .is_fault(422, "IdempotencyKeyReused");
    assert_eq!(service.visits(&id).await, 3);
}

#[tokio::test]
async fn the_answer_that_ended_a_session_is_told_again_after_a_kill() {
    let machine = Machine::new();
    let service = machine.start();
    let id = service.perform("<session/>").await.session_id();
    let last = format!("<session id=\"{id}\" mode=\"terminate\"/>{VISIT}");
    let first = service.keyed(&last).await;
    first.is_completed();
    service.keyed(&last).await.replays(&first);
    drop(service);
    let service = machine.start();
    service.keyed(&last).await.replays(&first);
    service.perform(&visit(&id)).await.is_fault(410, "SessionEnded");
}

#[tokio::test]
async fn what_ran_when_the_service_was_killed_left_nothing_and_may_be_sent_again() {
    let machine = Machine::new();
    let service = machine.start();
    let id = service.perform("<session/>").await.session_id();
    let slow = format!("{}<sleep name=\"nap\" duration=\"PT0.2S\"/>", visit(&id));
    let running = tokio::spawn(service.post(&slow).header("idempotency-key", KEY).send());
    service.until_held(&id).await;
    drop(service);
    assert!(running.await.unwrap().is_err());
    let service = machine.start();
    let reply = service.keyed(&slow).await;
    reply.is_completed();
    assert!(!reply.is_replayed());
    assert_eq!(service.visits(&id).await, 1);
}

#[tokio::test]
async fn what_may_have_changed_a_database_when_the_service_was_killed_is_not_run_again() {
    let machine = Machine::new();
    let service = machine.start();
    let id = service.perform("<session/>").await.session_id();
    let update =
        "<sqlUpdateStatement name=\"u\"><expression>INSERT INTO entry VALUES ('x')</expression></sqlUpdateStatement>";
    let slow = |element: &str| {
        format!("{element}{VISIT}<sequence>{update}<sleep name=\"nap\" duration=\"PT10M\"/></sequence>")
    };
    let in_session = slow(&format!("<session id=\"{id}\"/>"));
    let running = tokio::spawn(service.post(&in_session).header("idempotency-key", KEY).send());
    service.until_held(&id).await;
    // The update is made when the database says so.
    while entries(machine.folder.path()) == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let alone = tokio::spawn(service.post(&slow("")).header("idempotency-key", KEY).send());
    while entries(machine.folder.path()) == 1 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    drop(service);
    assert!(running.await.unwrap().is_err() && alone.await.unwrap().is_err());
    let service = machine.start();
    for _ in 0..2 {
        let unknown = service.keyed(&in_session).await;
        unknown.is_fault(409, "OutcomeUnknown").says("retryable=\"false\"");
        service.keyed(&slow("")).await.is_fault(409, "OutcomeUnknown");
    }
    assert_eq!(entries(machine.folder.path()), 2);
    assert_eq!(service.visits(&id).await, 0);
}

/// How many rows the updates have left.
fn entries(folder: &Path) -> i64 {
    let database = rusqlite::Connection::open(folder.join("data.db")).unwrap();
    database.query_row("SELECT count(*) FROM entry", [], |row| row.get(0)).unwrap()
}

#[tokio::test]
async fn no_file_of_the_store_shows_an_id_or_a_key() {
    // Behaviour 51.
    let machine = Machine::new();
    let service = machine.start();
    let id = service.keyed(&format!("<session/>{VISIT}")).await.session_id();
    let rotated = service.keyed(&format!("<session id=\"{id}\" rotate=\"true\"/>{VISIT}")).await.session_id();
    let raw = service.post(&visit(&rotated)).query(&[("return", "n")]).header("idempotency-key", "raw");
    send(raw).await;
    drop(service);
    let mut files = 0;
    for file in fs::read_dir(machine.folder.path().join("sessions")).unwrap() {
        let bytes = fs::read(file.unwrap().path()).unwrap();
        files += usize::from(!bytes.is_empty());
        for secret in [&id, &rotated, KEY] {
            assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()));
        }
    }
    assert!(files > 0, "there is a store");
}
