//! What became of a transaction, for a client that does not know.

use super::{Bank, manage, transaction_id, update};

const TAKE: &str = "UPDATE account SET amount = amount - 30 WHERE id = 1";

#[tokio::test]
async fn the_session_keeps_what_became_of_the_latest() {
    for bank in Bank::all().await {
        for (end, state) in [("<commit/>", "committed"), ("<rollback/>", "rolledBack")] {
            let session = bank.begin().await;
            let id = transaction_id(&bank.within(&session, &manage("<state/>")).await.text);
            let ended = bank.within(&session, &manage(end)).await;
            assert_eq!(transaction_id(&ended.is_completed().text), id);
            let says = format!("<transaction state=\"{state}\" id=\"{id}\"/>");
            for ask in ["<state/>".to_owned(), format!("<state id=\"{id}\"/>")] {
                bank.within(&session, &manage(&ask)).await.is_completed().says(&says);
            }
            let unknown = manage("<state id=\"00000000-0000-7000-8000-000000000000\"/>");
            bank.within(&session, &unknown).await.is_fault(422, "ActivityFailed").says("nothing is known here");
        }
    }
}

#[tokio::test]
async fn a_commit_that_is_sent_again_is_answered_and_not_done_again() {
    for bank in Bank::all().await {
        let session = bank.begin().await;
        bank.within(&session, &update("take", TAKE)).await.is_completed();
        let commit = format!("<session id=\"{session}\"/>{}", manage("<commit/>"));
        let send = || async {
            let request = bank.context.post(&commit).header("idempotency-key", "5d04ab3a-7a0e-4d0c-b7e5-5ba1a48c5f0c");
            crate::context::Reply::of(request.send().await.unwrap()).await
        };
        let (first, again) = (send().await, send().await);
        first.is_completed().says("state=\"committed\"");
        assert_eq!(first.text, again.text);
        assert_eq!(again.header("rejoin-replayed"), "true");
        assert_eq!(bank.amounts(None).await, "1,70;2,100;");
    }
}
