//! Durable sessions, through the command: it is stopped, or killed, and started again over the same folder.

use std::path::Path;
use std::process::Command;

use reqwest::{Client, Method, RequestBuilder};

use crate::command::Serving;
use crate::context::{Reply, perform};
use crate::reload::{Folder, resource, session};

/// A folder with a configuration, and the service over it, in a process of its own.
pub(crate) struct Service {
    pub(crate) folder: Folder,
    serving: Option<Serving>,
    client: Client,
}

fn start(folder: &Path) -> Serving {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rejoin"));
    Serving::start(command.args(["serve", "--config"]).arg(folder))
}

impl Service {
    pub(crate) fn new(content: &str) -> Self {
        Self::over("", content)
    }

    /// The same, over those data resources.
    pub(crate) fn over(resources: &str, content: &str) -> Self {
        let folder = Folder::new("");
        folder.write("resource.xml", &resource(resources));
        let durable = session(&format!("{content}<store path='sessions/'/>"))
            .replace("rejoin.TransientSessionManagerFactory", "rejoin.DurableSessionManagerFactory");
        folder.write("session.xml", &durable);
        let service = folder.path().join("service.xml");
        let operators = std::fs::read_to_string(&service).unwrap();
        let operators = operators
            .replace("<dataServiceResource ", "<authentication impl='none' role='operator'/><dataServiceResource ");
        std::fs::write(service, operators).unwrap();
        let serving = Some(start(folder.path()));
        Self { folder, serving, client: Client::new() }
    }

    /// The process ends, by that signal, and another one takes its place.
    fn restart(&mut self, signal: &str) {
        self.stop(signal);
        self.start_again();
    }

    /// The process ends, by that signal.
    pub(crate) fn stop(&mut self, signal: &str) {
        let serving = self.serving.take().unwrap();
        serving.signal(signal);
        serving.wait();
    }

    pub(crate) fn start_again(&mut self) {
        self.serving = Some(start(self.folder.path()));
    }

    pub(crate) fn url(&self) -> String {
        format!("{}/services/data", self.serving.as_ref().unwrap().url)
    }

    pub(crate) async fn perform(&self, content: &str) -> Reply {
        let request = self.client.post(self.url()).header("content-type", "application/xml").body(perform(content));
        Reply::of(request.send().await.unwrap()).await
    }

    /// The same under a key.
    pub(crate) async fn perform_as(&self, content: &str, key: &str) -> Reply {
        let request = self.client.post(self.url()).header("content-type", "application/xml").body(perform(content));
        Reply::of(request.header("idempotency-key", key).send().await.unwrap()).await
    }

    pub(crate) async fn create(&self) -> String {
        let reply = self.perform("<session/>").await;
        reply.is_completed();
        reply.session_id()
    }

    async fn increment(&self, id: &str) -> Reply {
        self.perform(&format!("<session id=\"{id}\"/>{INCREMENT}")).await
    }

    fn session(&self, method: Method, id: &str, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}/session{path}", self.url())).header("rejoin-session", id)
    }
}

const INCREMENT: &str = "<sessionAttributeManagement name=\"count\"><incrementAttribute name=\"n\" by=\"1\"/>\
    <output name=\"now\"/></sessionAttributeManagement>";

fn is(value: i64) -> String {
    format!("type=\"integer\">{value}</attribute>")
}

#[tokio::test]
async fn what_was_answered_survives_a_stop_and_a_kill() {
    // Behaviours 60 and 68.
    let mut service = Service::new("");
    let id = service.create().await;
    service.increment(&id).await.is_completed().says(&is(1));
    let handle = handle_of(&service, &id).await;
    for (value, signal) in [(2, "-TERM"), (3, "-KILL"), (4, "-TERM")] {
        service.restart(signal);
        service.increment(&id).await.is_completed().says(&is(value));
        assert_eq!(handle_of(&service, &id).await, handle);
    }
}

async fn handle_of(service: &Service, id: &str) -> String {
    let shown = Reply::of(service.session(Method::GET, id, "").send().await.unwrap()).await;
    let (_, rest) = shown.text.split_once("handle=\"").unwrap();
    rest.split_once('"').unwrap().0.to_owned()
}

#[tokio::test]
async fn a_request_that_was_killed_leaves_nothing() {
    // Behaviour 60.
    let mut service = Service::new("");
    let id = service.create().await;
    service.increment(&id).await.is_completed();
    let slow = format!("<session id=\"{id}\"/><sequence>{INCREMENT}<sleep name=\"nap\" duration=\"PT1M\"/></sequence>");
    let request = service.client.post(service.url()).header("content-type", "application/xml").body(perform(&slow));
    let running = tokio::spawn(request.send());
    loop {
        let shown = Reply::of(service.session(Method::GET, &id, "").send().await.unwrap()).await;
        if shown.text.contains("state=\"BUSY\"") {
            break;
        }
    }
    service.restart("-KILL");
    assert!(running.await.unwrap().is_err(), "nobody has answered it");
    service.increment(&id).await.is_completed().says(&is(2));
}

#[tokio::test]
async fn an_end_that_was_answered_is_one_after_a_kill() {
    // Behaviours 7, 34 and 68.
    let mut service = Service::new("");
    let (terminated, deleted) = (service.create().await, service.create().await);
    service.perform(&format!("<session id=\"{terminated}\" mode=\"terminate\"/>{INCREMENT}")).await.is_completed();
    assert_eq!(service.session(Method::DELETE, &deleted, "").send().await.unwrap().status(), 204);
    service.restart("-KILL");
    for id in [&terminated, &deleted] {
        service.increment(id).await.is_fault(410, "SessionEnded").says("reason=\"terminated\"");
    }
}

const STREAM: &str = "<echo name=\"say\"><text>a</text><output name=\"words\"/></echo>\
    <outputStream name=\"tap\"><fromLocal from=\"words\"/></outputStream>";

#[tokio::test]
async fn a_session_with_a_stream_is_lost_with_the_process() {
    // Behaviour 60: whether it was stopped or killed; one whose stream was read is there.
    let mut service = Service::new("");
    for signal in ["-TERM", "-KILL"] {
        let (left, read) = (service.create().await, service.create().await);
        for id in [&left, &read] {
            assert_eq!(service.perform(&format!("<session id=\"{id}\"/>{STREAM}")).await.status, 202);
            // It is done when the next one gets the session.
            service.increment(id).await.is_completed();
        }
        let tap = Reply::of(service.session(Method::GET, &read, "/streams/tap").send().await.unwrap()).await;
        assert_eq!(tap.text, "a");
        service.increment(&read).await.is_completed();
        service.restart(signal);
        service.increment(&left).await.is_fault(410, "SessionEnded").says("reason=\"ownerLost\"");
        service.increment(&read).await.is_completed().says(&is(3));
    }
}

#[tokio::test]
async fn operators_see_and_end_sessions_that_nobody_has_used_since_the_start() {
    // Behaviour 64.
    let mut service = Service::new("");
    let ids = [service.create().await, service.create().await, service.create().await];
    let handle = handle_of(&service, &ids[1]).await;
    service.restart("-TERM");
    let sessions = |path: &str| format!("{}/sessions{path}", service.url());
    let list = Reply::of(service.client.get(sessions("?state=AVAILABLE")).send().await.unwrap()).await;
    assert_eq!(list.text.matches("<sessionStatus ").count(), 3, "{}", list.text);
    let shown = Reply::of(service.client.get(sessions(&format!("/{handle}"))).send().await.unwrap()).await;
    assert_eq!(shown.status, 200, "{}", shown.text);
    assert_eq!(service.client.delete(sessions(&format!("/{handle}"))).send().await.unwrap().status(), 204);
    service.increment(&ids[1]).await.is_fault(410, "SessionEnded").says("reason=\"killed\"");
    let ended = Reply::of(service.client.delete(sessions("?all=true")).send().await.unwrap()).await;
    assert!(ended.text.contains("closed=\"2\""), "{}", ended.text);
    service.restart("-KILL");
    service.increment(&ids[0]).await.is_fault(410, "SessionEnded").says("reason=\"killed\"");
}

#[tokio::test]
async fn one_damaged_session_does_not_hide_the_others() {
    let mut service = Service::new("");
    let ids = [service.create().await, service.create().await, service.create().await];
    let handle = handle_of(&service, &ids[1]).await;
    service.restart("-TERM");
    let store = rusqlite::Connection::open(service.folder.path().join("data/sessions/sessions.db")).unwrap();
    let bytes = u128::from_str_radix(&handle.replace('-', ""), 16).unwrap().to_be_bytes();
    assert_eq!(store.execute("UPDATE session SET bytes = bytes + 1 WHERE handle = ?1", [bytes]).unwrap(), 1);
    let sessions = format!("{}/sessions?state=AVAILABLE", service.url());
    let list = Reply::of(service.client.get(&sessions).send().await.unwrap()).await;
    assert_eq!((list.status, list.text.matches("<sessionStatus ").count()), (200, 2), "{}", list.text);
    assert!(!list.text.contains(&handle));
    service.increment(&ids[1]).await.is_fault(503, "StoreUnavailable");
    service.increment(&ids[0]).await.is_completed().says(&is(1));
    let metrics = service.url().replace("/services/data", "/metrics");
    let metrics = Reply::of(service.client.get(metrics).send().await.unwrap()).await;
    assert!(metrics.text.contains("rejoin_store_damaged_sessions{resource=\"data\"} 1"), "{}", metrics.text);
}

#[test]
fn a_durable_manager_demands_a_store() {
    let folder = Folder::new("");
    let without = session("").replace("rejoin.TransientSessionManagerFactory", "rejoin.DurableSessionManagerFactory");
    folder.write("session.xml", &without);
    let mut check = Command::new(env!("CARGO_BIN_EXE_rejoin"));
    let checked = check.arg("check").arg(folder.path()).output().unwrap();
    assert!(!checked.status.success());
    let told = String::from_utf8_lossy(&checked.stdout);
    assert!(told.contains("session.xml:1:") && told.contains("<store path="), "{told}");
}

#[tokio::test]
async fn a_static_attribute_hides_a_stored_one_and_does_not_lose_it() {
    let mut service = Service::new("");
    let id = service.create().await;
    let manage = |content: &str| {
        let manage = format!(
            "<sessionAttributeManagement name=\"a\">{content}<output name=\"o\"/></sessionAttributeManagement>"
        );
        format!("<session id=\"{id}\"/>{manage}")
    };
    let get = manage("<getAttribute name=\"greeting\"/>");
    service.perform(&manage("<setAttribute name=\"greeting\">stored</setAttribute>")).await.is_completed();
    let without = std::fs::read_to_string(service.folder.path().join("data/session.xml")).unwrap();
    let greeting = "<sessionAttribute name='greeting' impl='rejoin.Text'><text>static</text></sessionAttribute>";
    let with = without.replace("<store path='sessions/'/>", &format!("<store path='sessions/'/>{greeting}"));

    service.stop("-TERM");
    service.folder.write("session.xml", &with);
    service.start_again();
    service.perform(&get).await.is_completed().says(">static</attribute>");
    service.perform(&manage("<listAttributes/>")).await.is_completed().says("<attributes count=\"1\">");
    let shown = Reply::of(service.session(Method::GET, &id, "").send().await.unwrap()).await;
    assert_eq!(shown.text.matches("greeting").count(), 1, "{}", shown.text);
    for change in ["<setAttribute name=\"greeting\">x</setAttribute>", "<removeAttribute name=\"greeting\"/>"] {
        service.perform(&manage(change)).await.is_fault(409, "AttributeReadOnly");
    }
    // What is beside it can be changed, and is stored.
    service.increment(&id).await.is_completed();

    service.stop("-KILL");
    service.folder.write("session.xml", &without);
    service.start_again();
    service.perform(&get).await.is_completed().says(">stored</attribute>");
    service.increment(&id).await.is_completed().says(&is(2));
}

#[test]
fn a_store_that_can_hold_nothing_or_is_no_folder_is_refused() {
    for (attributes, path, expected) in [
        (
            "",
            "s3://bucket/sessions",
            "session.xml:2:8: sessions are kept in a folder of this machine, and `s3:` begins an address",
        ),
        (
            " explicit=\"disabled\"",
            "sessions/",
            "session.xml:2:8: with `explicit=\"disabled\"` no session is ever stored",
        ),
    ] {
        let folder = Folder::new("");
        let durable = format!("rejoin.DurableSessionManagerFactory\"{attributes}");
        let document =
            session(&format!("<store path='{path}'/>")).replace("rejoin.TransientSessionManagerFactory\"", &durable);
        folder.write("session.xml", &document);
        for command in [&["check"][..], &["serve", "--config"]] {
            let mut rejoin = Command::new(env!("CARGO_BIN_EXE_rejoin"));
            let refused = rejoin.args(command).arg(folder.path()).output().unwrap();
            let told = String::from_utf8_lossy(&[refused.stdout, refused.stderr].concat()).into_owned();
            assert!(!refused.status.success() && told.contains(expected), "{command:?}: {told}");
            assert_eq!(std::fs::read_dir(folder.path().join("data")).unwrap().count(), 2, "nothing is made");
        }
    }
}
