//! The service is killed in each phase of a job, and another goes on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rejoin::service::{Configuration, Server};
use reqwest::Client;
use tokio::task::JoinHandle;

use super::*;
use crate::context::perform;
use crate::durable::Service;
use crate::scripted::{Recorded, ScriptedServer};

/// A service in a process of its own, and a remote one that does not answer one of its requests before the first is killed.
struct Stage {
    server: ScriptedServer,
    service: Service,
    id: String,
    is_after: Arc<AtomicBool>,
}

impl Stage {
    /// `silent` is not answered before the service is killed; jobs take two polls.
    async fn new(silent: &'static str, session: &str) -> Self {
        let is_after = Arc::new(AtomicBool::new(false));
        let (told, mut polls) = (Arc::clone(&is_after), 0);
        let script = Script::by(move |request| {
            let line = request.line();
            polls += usize::from(line == POLLED);
            let answer = match &*line {
                CREATED => created(),
                POLLED if polls < 2 => state("InProgress"),
                POLLED => state("JobComplete"),
                FETCHED => page("1", "null"),
                _ => status(204),
            };
            let is_silent = line == silent && (line != POLLED || polls > 1) && !told.load(Ordering::SeqCst);
            if is_silent { answer.never() } else { answer }
        });
        let server = ScriptedServer::start(script).await;
        let url = server.url();
        let resource = format!("<dataResource uri=\"{url}/\"><origin uri=\"{url}\" private=\"true\"/></dataResource>");
        let service = Service::over(&resource, session);
        let id = service.create().await;
        Self { server, service, id, is_after }
    }

    fn document(&self) -> String {
        told(&format!("<session id=\"{}\"/>{}", self.id, job("", STATE))).replace("5000", "10")
    }

    fn begin(&self) -> JoinHandle<reqwest::Result<reqwest::Response>> {
        let request = Client::new().post(self.service.url()).header("content-type", "application/xml");
        tokio::spawn(request.body(perform(&self.document())).send())
    }

    /// Killed as soon as that was asked so often.
    async fn kill_when(&mut self, line: &str, times: usize) {
        let running = self.begin();
        while self.lines().iter().filter(|asked| *asked == line).count() < times {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        self.service.stop("-KILL");
        assert!(running.await.unwrap().is_err(), "nobody has answered it");
        self.is_after.store(true, Ordering::SeqCst);
        self.service.start_again();
    }

    fn lines(&self) -> Vec<String> {
        self.server.requests().iter().map(Recorded::line).collect()
    }
}

#[tokio::test]
async fn killed_while_a_job_is_created_it_is_not_created_a_second_time() {
    let mut stage = Stage::new(CREATED, "").await;
    stage.kill_when(CREATED, 1).await;
    stage.service.perform(&stage.document()).await.says("HttpJobUnknown");
    stage.server.saw([CREATED]);
}

#[tokio::test]
async fn killed_while_a_job_is_polled_the_next_service_polls_on() {
    let mut stage = Stage::new(POLLED, "").await;
    stage.kill_when(POLLED, 2).await;
    let reply = stage.service.perform(&stage.document()).await;
    assert_eq!(lines(&reply, "table"), ["1"], "{}", reply.text);
    stage.server.saw([CREATED, POLLED, POLLED, POLLED, FETCHED, CLEANED]);
}

#[tokio::test]
async fn killed_while_results_are_fetched_the_next_service_fetches_them() {
    let mut stage = Stage::new(FETCHED, "").await;
    stage.kill_when(FETCHED, 1).await;
    let reply = stage.service.perform(&stage.document()).await;
    assert_eq!(lines(&reply, "table"), ["1"], "{}", reply.text);
    stage.server.saw([CREATED, POLLED, POLLED, FETCHED, POLLED, FETCHED, CLEANED]);
}

#[tokio::test]
async fn killed_while_it_is_cleaned_up_a_job_is_not_created_a_second_time() {
    let mut stage = Stage::new(CLEANED, "").await;
    stage.kill_when(CLEANED, 1).await;
    let reply = stage.service.perform(&stage.document()).await;
    assert_eq!(lines(&reply, "table"), ["1"], "{}", reply.text);
    stage.server.saw([CREATED, POLLED, POLLED, FETCHED, CLEANED, POLLED, FETCHED, CLEANED]);
}

#[tokio::test]
async fn the_job_of_a_killed_service_is_cancelled_when_its_session_ends() {
    let mut stage = Stage::new(POLLED, "").await;
    stage.kill_when(POLLED, 2).await;
    let url = format!("{}/session", stage.service.url());
    let ended = Client::new().delete(url).header("rejoin-session", &stage.id).send().await.unwrap();
    assert!(ended.status().is_success());
    stage.server.asked(5).await;
    stage.server.saw([CREATED, POLLED, POLLED, CANCELLED, CLEANED]);
}

#[tokio::test]
async fn the_job_of_a_request_that_was_answered_at_once_is_cancelled_by_the_next_service() {
    let mut stage = Stage::new(POLLED, "").await;
    let request = Client::new().post(stage.service.url()).header("content-type", "application/xml");
    let answer = request.header("prefer", "respond-async").body(perform(&stage.document())).send().await.unwrap();
    assert_eq!(answer.status(), 202);
    stage.server.asked(3).await;
    stage.service.stop("-KILL");
    stage.is_after.store(true, Ordering::SeqCst);
    // Its session ends with the process, for its streams are lost.
    stage.service.start_again();
    stage.server.asked(5).await;
    stage.server.saw([CREATED, POLLED, POLLED, CANCELLED, CLEANED]);
    stage.service.perform(&stage.document()).await.is_fault(410, "SessionEnded").says("ownerLost");
}

#[tokio::test]
async fn the_job_of_a_killed_service_is_cancelled_when_nobody_comes_back_to_its_session() {
    let session = "<timeout default=\"PT2S\"/>";
    let mut stage = Stage::new(POLLED, session).await;
    stage.kill_when(POLLED, 2).await;
    stage.server.asked(5).await;
    stage.server.saw([CREATED, POLLED, POLLED, CANCELLED, CLEANED]);
}

#[tokio::test]
async fn a_service_that_stops_while_a_job_is_polled_cancels_it_and_the_next_one_creates_another() {
    let mut stage = Stage::new(POLLED, "").await;
    stage.service.stop("-TERM");
    // The same in this process, where it waits for less long.
    let configuration = Configuration::load(stage.service.folder.path()).unwrap();
    let builder = Server::builder().configuration(configuration).drain_timeout(Duration::from_millis(50));
    let service = builder.build().unwrap().start().await.unwrap();
    let request = Client::new().post(format!("{}/services/data", service.url()));
    let request = request.header("content-type", "application/xml").body(perform(&stage.document()));
    let running = tokio::spawn(request.send());
    stage.server.asked(3).await;
    service.shutdown().await;
    assert!(!running.await.unwrap().is_ok_and(|answer| answer.status().is_success()));
    stage.server.saw([CREATED, POLLED, POLLED, CANCELLED, CLEANED]);
    // Its session does not say that the job goes on.
    stage.is_after.store(true, Ordering::SeqCst);
    stage.service.start_again();
    let reply = stage.service.perform(&stage.document()).await;
    assert_eq!(lines(&reply, "table"), ["1"], "{}", reply.text);
    stage.server.saw([CREATED, POLLED, POLLED, CANCELLED, CLEANED, CREATED, POLLED, FETCHED, CLEANED]);
}
