//! The documents of `examples/three-requests/`.

use super::Kind;
use super::granted::Stage;
use crate::context::Reply;

in_every_database!(a_transaction_goes_over_three_requests, a_transaction_whose_client_never_comes_back_leaves_nothing,);

const TAKE: &str = include_str!("../../../examples/three-requests/1-take.xml");
const GIVE: &str = include_str!("../../../examples/three-requests/2-give.xml");
const COMMIT: &str = include_str!("../../../examples/three-requests/3-commit.xml");

async fn bank(kind: Kind) -> Stage {
    let stage = Stage::new(kind).await;
    let credit = stage.pick("REAL", "double precision", "DOUBLE");
    stage.run(&[&format!("CREATE TABLE customer (id INTEGER PRIMARY KEY, credit {credit} NOT NULL)")]).await;
    stage.run(&["INSERT INTO customer VALUES (7, 100), (42, 0)"]).await;
    stage
}

/// Posts a document as it stands in its file, as `curl` does.
async fn post(stage: &Stage, document: &str, session: &str) -> Reply {
    let request = stage.context.client.post(stage.context.url()).header("content-type", "application/xml");
    let request = if session.is_empty() { request } else { request.header("rejoin-session", session) };
    Reply::of(request.body(document.to_owned()).send().await.unwrap()).await
}

const CREDITS: &str = "SELECT credit FROM customer ORDER BY id";

async fn a_transaction_goes_over_three_requests(kind: Kind) {
    let stage = bank(kind).await;
    let first = post(&stage, TAKE, "").await;
    let session = first.is_completed().session_id();
    let second = post(&stage, GIVE, &session).await;
    second.is_completed().says("7,75");
    assert_eq!(numbers(&stage.rows(CREDITS).await), [100.0, 0.0], "nobody else sees it");
    post(&stage, COMMIT, &session).await.is_completed().says("state=\"committed\"");
    assert_eq!(numbers(&stage.rows(CREDITS).await), [75.0, 25.0]);
}

async fn a_transaction_whose_client_never_comes_back_leaves_nothing(kind: Kind) {
    let stage = bank(kind).await;
    let session = post(&stage, TAKE, "").await.is_completed().session_id();
    post(&stage, GIVE, &session).await.is_completed();
    stage.perform(&format!("<session id=\"{session}\" mode=\"terminate\"/>")).await.is_completed();
    assert_eq!(numbers(&stage.rows(CREDITS).await), [100.0, 0.0]);
}

fn numbers(csv: &str) -> Vec<f64> {
    csv.lines().map(|line| line.parse().unwrap()).collect()
}
