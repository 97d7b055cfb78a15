//! A request that has ended a transaction and fails then: what it ended stays so, and its answer says it.

use super::{Bank, in_order, manage, query, transaction_id, update};
use crate::context::Reply;

const TAKE: &str = "UPDATE account SET amount = amount - 30 WHERE id = 1";
const HOLDS: &str = "was committed before that, and the commit holds";

fn wrong() -> String {
    update("wrong", "UPDATE nothing SET x = 1")
}

/// A session with a transaction that has taken 30, and the id of the transaction.
async fn taken(bank: &Bank) -> (String, String) {
    let session = bank.begin().await;
    bank.within(&session, &update("take", TAKE)).await.is_completed();
    let id = transaction_id(&bank.within(&session, &manage("<state/>")).await.text);
    (session, id)
}

#[tokio::test]
async fn a_commit_holds_and_the_fault_says_so() {
    for bank in Bank::all().await {
        let (session, id) = taken(&bank).await;
        let reply = bank.within(&session, &in_order(&[manage("<commit/>"), wrong()])).await;
        reply.is_fault(422, "ActivityFailed").says("nothing").says(&format!("the transaction {id} {HOLDS}"));
        assert_eq!(bank.amounts(None).await, "1,70;2,100;");
        bank.within(&session, &manage("<state/>")).await.is_completed().says("state=\"committed\"");
        // The session goes on.
        assert_eq!(bank.amounts(Some(&session)).await, "1,70;2,100;");
        bank.within(&session, &manage("<begin/>")).await.is_completed();
    }
}

#[tokio::test]
async fn a_whole_transaction_that_comes_before_a_failure_holds() {
    for bank in Bank::all().await {
        let steps = [manage("<begin/>"), update("take", TAKE), manage("<commit/>"), wrong()];
        let reply = bank.context.perform(&in_order(&steps)).await;
        reply.is_fault(422, "ActivityFailed").says(HOLDS);
        assert_eq!(bank.amounts(None).await, "1,70;2,100;");
    }
}

#[tokio::test]
async fn a_rollback_stays_and_the_next_request_takes_notice() {
    for bank in Bank::all().await {
        let (session, id) = taken(&bank).await;
        let reply = bank.within(&session, &in_order(&[manage("<rollback/>"), wrong()])).await;
        let says = format!("the transaction {id} was rolled back before that, and stays so");
        reply.is_fault(422, "ActivityFailed").says(&says);
        bank.within(&session, &update("outside", TAKE)).await.is_fault(422, "ActivityFailed").says("rolledBack");
        bank.within(&session, &manage("<rollback/>")).await.is_completed().says("state=\"rolledBack\"");
        assert_eq!(bank.amounts(Some(&session)).await, "1,100;2,100;");
    }
}

#[tokio::test]
async fn a_commit_that_fails_itself_says_what_became_of_it_alone() {
    let bank = Bank::embedded().await;
    let session = bank.context.create().await;
    let reply = bank.within(&session, &in_order(&[manage("<commit/>"), wrong()])).await;
    reply.is_fault(422, "ActivityFailed");
    assert!(!reply.text.contains("before that"), "{}", reply.text);
}

#[tokio::test]
async fn an_answer_that_streams_says_it_at_its_end() {
    let bank = Bank::embedded().await;
    let (session, _) = taken(&bank).await;
    let many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50000) SELECT i FROM n";
    let steps = [manage("<commit/>"), format!("<flow>{}</flow>", query("many", many)), wrong()];
    let reply = bank.within(&session, &in_order(&steps)).await;
    assert_eq!(reply.status, 200);
    let (_, end) = reply.text.split_once("<request status=\"ERROR\">").expect("it failed");
    assert!(end.contains(HOLDS), "{end}");
    assert_eq!(bank.amounts(None).await, "1,70;2,100;");
}

#[tokio::test]
async fn the_session_tells_it_of_a_request_without_its_client() {
    let bank = Bank::embedded().await;
    let (session, _) = taken(&bank).await;
    let content = format!("<session id=\"{session}\"/>{}", in_order(&[manage("<commit/>"), wrong()]));
    let request = bank.context.post(&content).header("prefer", "respond-async");
    assert_eq!(request.send().await.unwrap().status(), 202);
    let waits = format!("<session id=\"{session}\" wait=\"60000\"/>");
    bank.context.perform(&waits).await.is_completed();
    let status = bank.context.client.get(format!("{}/session", bank.context.url())).header("rejoin-session", &session);
    Reply::of(status.send().await.unwrap()).await.says(HOLDS);
}
