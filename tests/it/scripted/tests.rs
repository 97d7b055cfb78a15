//! The server itself: a test is worth as much as what it stands on.

use std::time::Duration;

use rejoin::session::{Clock, ManualClock};
use reqwest::Client;

use super::{Answer, Script, ScriptedServer, csv, json, pass, status};

async fn get(server: &ScriptedServer, target: &str) -> reqwest::Result<reqwest::Response> {
    Client::new().get(format!("{}{target}", server.url())).send().await
}

#[tokio::test]
async fn answers_come_in_order_and_what_was_asked_is_noted() {
    let odd = status(200).reason("Not Quite OK").header("x-state", "half").body("x");
    let server = ScriptedServer::start(Script::of([json("{}"), csv("a\n1\n"), odd])).await;
    let client = Client::new();
    let post = client.post(format!("{}/jobs?a=%2F&b", server.url())).header("X-One", "1").header("x-one", "2");
    let answer = post.body("{\"q\":1}").send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "application/json");
    assert_eq!(answer.text().await.unwrap(), "{}");
    assert_eq!(get(&server, "/").await.unwrap().text().await.unwrap(), "a\n1\n");
    let answer = get(&server, "/").await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.headers()["x-state"].as_bytes()), (200, b"half".as_slice()));
    assert_eq!(get(&server, "/more").await.unwrap().status(), 500, "nothing is left");
    let requests = server.saw(["POST /jobs?a=%2F&b {\"q\":1}", "GET /", "GET /", "GET /more"]);
    assert_eq!(requests[0].header("X-ONE").as_deref(), Some("1, 2"));
    assert_eq!(requests[0].header("y"), None);
}

#[tokio::test]
async fn answers_go_by_path_and_by_method() {
    let script = Script::by(|request| json(format!("\"{}\"", request.path())))
        .at("/jobs", [status(404)])
        .always("POST /jobs", status(201))
        .always("/done", status(204));
    let server = ScriptedServer::start(script).await;
    let client = Client::new();
    for expected in [201, 201] {
        let answer = client.post(format!("{}/jobs", server.url())).send().await.unwrap();
        assert_eq!(answer.status(), expected);
    }
    assert_eq!(get(&server, "/jobs?x").await.unwrap().status(), 404);
    assert_eq!(get(&server, "/jobs?x").await.unwrap().text().await.unwrap(), "\"/jobs\"");
    assert_eq!(get(&server, "/done").await.unwrap().status(), 204);
}

#[tokio::test]
async fn faults_are_what_they_say() {
    let text = || json("0123456789");
    let faults: [Answer; 4] = [
        text().reset(),
        text().reset_after(4),
        text().drip(3, Duration::from_millis(1)),
        text().with_status(503).header("content-length", "3"),
    ];
    let server = ScriptedServer::start(Script::of(faults)).await;
    assert!(get(&server, "/").await.is_err(), "reset before the answer");
    let mut broken = get(&server, "/").await.unwrap();
    assert_eq!(broken.chunk().await.unwrap().unwrap(), "0123");
    assert!(broken.chunk().await.is_err(), "reset in the middle");
    assert_eq!(get(&server, "/").await.unwrap().text().await.unwrap(), "0123456789");
    let answer = get(&server, "/").await.unwrap();
    assert_eq!((answer.status().as_u16(), &*answer.text().await.unwrap()), (503, "012"));
}

#[tokio::test]
async fn clients_that_leave_are_counted() {
    let server = ScriptedServer::start(Script::of([json("x").never(), json("x").silent(), json("x").endless()])).await;
    let url = server.url();
    let asking = tokio::spawn(Client::new().get(&url).send());
    server.asked(1).await;
    assert_eq!((server.count(), asking.is_finished()), (1, false));
    asking.abort();
    server.abandoned(1).await;
    drop(get(&server, "/").await.unwrap());
    server.abandoned(2).await;
    let mut endless = get(&server, "/").await.unwrap();
    for _ in 0..3 {
        endless.chunk().await.unwrap().unwrap();
    }
    drop(endless);
    server.abandoned(3).await;
}

#[tokio::test]
async fn requests_are_timed_by_the_clock_of_the_test() {
    let clock = ManualClock::new();
    let server = ScriptedServer::driven(&clock, Script::default().always("/", status(200))).await;
    let (url, other) = (server.url(), clock.clone());
    let asking = tokio::spawn(async move {
        for _ in 0..3 {
            Client::new().get(&url).send().await.unwrap();
            other.sleep_until(other.now().after(Duration::from_secs(90))).await;
        }
    });
    for _ in 0..3 {
        pass(&clock, Duration::from_secs(90)).await;
    }
    asking.await.unwrap();
    server.was_paced([Duration::from_secs(90); 2]);
}
