//! Transactions that get in each other's way.

use super::{Bank, manage, update};
use crate::context::Reply;

const TAKE: &str = "UPDATE account SET amount = amount - 30 WHERE id = 1";

/// A session whose transaction has just been ended by a conflict, and what the statement was answered with.
async fn in_conflict(bank: &Bank) -> (String, Reply) {
    if bank.kind == "mariadb" { deadlocked(bank).await } else { overtaken(bank).await }
}

/// What it has read is changed before it writes.
async fn overtaken(bank: &Bank) -> (String, Reply) {
    let session = bank.context.create().await;
    bank.within(&session, &manage("<begin isolation=\"serializable\"/>")).await.is_completed();
    assert_eq!(bank.amounts(Some(&session)).await, "1,100;2,100;");
    bank.context.perform(&update("other", "UPDATE account SET amount = 5 WHERE id = 1")).await.is_completed();
    let reply = bank.within(&session, &update("take", TAKE)).await;
    (session, reply)
}

/// Two wait for each other; the database ends one of them. The other is rolled back.
async fn deadlocked(bank: &Bank) -> (String, Reply) {
    let (one, other) = (bank.begin().await, bank.begin().await);
    let give = "UPDATE account SET amount = amount + 1 WHERE id = 2";
    bank.within(&one, &update("u", TAKE)).await.is_completed();
    bank.within(&other, &update("u", give)).await.is_completed();
    let (give, take) = (update("u", give), update("u", TAKE));
    let (first, second) = tokio::join!(bank.within(&one, &give), bank.within(&other, &take));
    let (ended, reply, winner) = if first.status == 200 { (other, second, one) } else { (one, first, other) };
    bank.within(&winner, &manage("<rollback/>")).await.is_completed();
    (ended, reply)
}

#[tokio::test]
async fn a_conflict_rolls_back_and_says_that_it_may_be_tried_again() {
    for bank in Bank::all().await {
        let (session, conflict) = in_conflict(&bank).await;
        assert!(conflict.text.contains("retryable=\"true\""), "{}: {}", bank.kind, conflict.text);
        let before = bank.amounts(None).await;
        // It is over, and what follows does not run outside of it.
        let take = update("take", TAKE);
        let later = bank.within(&session, &take).await;
        later.says("the transaction was rolled back, because").says("retryable=\"true\"");
        let state = bank.within(&session, &manage("<state/>")).await;
        state.is_completed().says("state=\"rolledBack\"").says("retryable=\"true\"");
        bank.within(&session, &manage("<commit/>")).await.says("the transaction was rolled back");
        assert_eq!(bank.amounts(None).await, before);
        // Until a rollback, or a new beginning.
        bank.within(&session, &manage("<rollback/>")).await.is_completed().says("state=\"rolledBack\"");
        bank.within(&session, &manage("<begin/>")).await.is_completed();
        bank.within(&session, &take).await.is_completed();
        bank.within(&session, &manage("<commit/>")).await.is_completed();
        assert_ne!(bank.amounts(None).await, before);
    }
}

#[tokio::test]
async fn a_new_beginning_takes_the_place_of_one_that_was_rolled_back() {
    for bank in Bank::all().await {
        let (session, conflict) = in_conflict(&bank).await;
        assert_ne!(conflict.status, 200);
        bank.within(&session, &manage("<begin/>")).await.is_completed();
        bank.within(&session, &update("take", TAKE)).await.is_completed();
        bank.within(&session, &manage("<rollback/>")).await.is_completed();
    }
}
