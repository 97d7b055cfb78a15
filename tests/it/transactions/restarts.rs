//! The service ends, cleanly or not, and is started again: what held a transaction or a cursor has ended with it, and what
//! became of a transaction that was over is known.

use super::{in_order, join, manage, query, transaction_id, update};
use crate::context::perform;
use crate::durable::Service;

const RESOURCE: &str = "<dataServiceResourceConfiguration xmlns=\"http://ogsadai.org.uk/namespaces/2005/10/config\">\
    <sessionConfiguration location=\"session.xml\"/><dataResource uri=\"sqlite:bank.db?mode=rwc\"/>\
    </dataServiceResourceConfiguration>";

const OPEN: &str = "<openCursor name=\"people\"><expression>SELECT id FROM account</expression></openCursor>";

const TAKE: &str = "UPDATE account SET amount = amount - 30 WHERE id = 1";

/// A service with durable sessions over a bank.
async fn bank() -> Service {
    let mut service = Service::new("");
    service.folder.write("resource.xml", RESOURCE);
    service.stop("-TERM");
    service.start_again();
    let make = [
        update("make", "CREATE TABLE account (id INTEGER PRIMARY KEY, amount INTEGER NOT NULL)"),
        update("fill", "INSERT INTO account VALUES (1, 100), (2, 100)"),
    ];
    service.perform(&in_order(&make)).await.is_completed();
    service
}

#[tokio::test]
async fn a_session_that_held_a_transaction_or_a_cursor_ends_with_the_process() {
    // Behaviour 60.
    let mut service = bank().await;
    for signal in ["-TERM", "-KILL"] {
        let (working, reading, idle) = (service.create().await, service.create().await, service.create().await);
        let begin = in_order(&[manage("<begin/>"), update("take", TAKE)]);
        service.perform(&(join(&working) + &begin)).await.is_completed();
        service.perform(&(join(&reading) + OPEN)).await.is_completed();
        service.stop(signal);
        service.start_again();
        for (session, content) in [
            (&working, manage("<commit/>")),
            (&reading, "<closeCursor name=\"c\"><cursor name=\"people\"/></closeCursor>".to_owned()),
        ] {
            let answer = service.perform(&(join(session) + &content)).await;
            answer.is_fault(410, "SessionEnded").says("reason=\"ownerLost\"");
        }
        service.perform(&join(&idle)).await.is_completed();
        // Nothing of it holds, and nobody is kept waiting.
        let other = update("other", "UPDATE account SET amount = amount WHERE id = 1 AND amount = 100");
        let counted = other.replace("</sql", "<resultStream name=\"count\"/></sql");
        service.perform(&counted).await.is_completed().says("<updateCount>1</updateCount>");
    }
}

#[tokio::test]
async fn a_session_keeps_what_became_of_its_transaction_across_a_restart() {
    let mut service = bank().await;
    let cursor = "<closeCursor name=\"c\"><cursor name=\"people\"/></closeCursor>";
    for (signal, end, state) in [("-TERM", "<commit/>", "committed"), ("-KILL", "<rollback/>", "rolledBack")] {
        let session = service.create().await;
        let begun = service.perform(&(join(&session) + &manage("<begin isolation=\"serializable\"/>"))).await;
        let id = transaction_id(&begun.is_completed().text);
        // A cursor that is closed before is no reason for the session to end.
        service.perform(&(join(&session) + &in_order(&[OPEN.to_owned(), cursor.to_owned()]))).await.is_completed();
        service.perform(&(join(&session) + &update("take", TAKE))).await.is_completed();
        let key = format!("7b7c2f4e-0f5e-4d0c-9a3e-1234567890{}", signal.len() + 90 + state.len());
        let commit = join(&session) + &manage(end);
        let first = service.perform_as(&commit, &key).await;
        first.is_completed();
        service.stop(signal);
        service.start_again();
        let says = format!("<transaction state=\"{state}\" isolation=\"serializable\" id=\"{id}\"/>");
        service.perform(&(join(&session) + &manage("<state/>"))).await.is_completed().says(&says);
        // The commit that is sent again is answered, and not done again.
        let again = service.perform_as(&commit, &key).await;
        assert_eq!((again.status, &again.text), (200, &first.text));
        assert_eq!(again.header("rejoin-replayed"), "true");
        service.perform(&(join(&session) + &manage("<begin/>"))).await.is_completed();
        service.perform(&(join(&session) + &manage("<rollback/>"))).await.is_completed();
    }
}

#[tokio::test]
async fn what_ran_in_a_transaction_when_the_process_died_is_told_as_rolled_back() {
    let mut service = bank().await;
    let session = service.create().await;
    service.perform(&(join(&session) + &manage("<begin/>"))).await.is_completed();
    let many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50000) SELECT i FROM n";
    let steps = [
        update("take", TAKE),
        format!("<flow>{}</flow>", query("many", many)),
        "<sleep name=\"nap\" duration=\"PT4M\"/>".to_owned(),
    ];
    let (content, key) = (join(&session) + &in_order(&steps), "7b7c2f4e-0f5e-4d0c-9a3e-123456789011");
    let request = reqwest::Client::new().post(service.url()).header("content-type", "application/xml");
    let mut answer = request.header("idempotency-key", key).body(perform(&content)).send().await.unwrap();
    // What streams has begun, so the update is done.
    assert!(answer.chunk().await.unwrap().is_some());
    service.stop("-KILL");
    service.start_again();
    for _ in 0..2 {
        let again = service.perform_as(&content, key).await;
        again.is_fault(409, "TransactionRolledBack").says("retryable=\"true\"");
    }
    service.perform(&content).await.is_fault(410, "SessionEnded").says("reason=\"ownerLost\"");
}
