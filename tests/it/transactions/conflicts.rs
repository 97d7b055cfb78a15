//! Transactions that get in each other's way.

use super::{Bank, manage, update};

#[tokio::test]
async fn a_conflict_rolls_back_and_says_that_it_may_be_tried_again() {
    for bank in Bank::all().await {
        let session = bank.context.create().await;
        bank.within(&session, &manage("<begin isolation=\"serializable\"/>")).await.is_completed();
        assert_eq!(bank.amounts(Some(&session)).await, "1,100;2,100;");
        bank.context.perform(&update("other", "UPDATE account SET amount = 5 WHERE id = 1")).await.is_completed();
        let take = update("take", "UPDATE account SET amount = amount - 30 WHERE id = 1");
        let conflict = bank.within(&session, &take).await;
        assert!(conflict.text.contains("retryable=\"true\""), "{}: {}", bank.kind, conflict.text);
        // It is over, and what follows does not run outside of it.
        let later = bank.within(&session, &take).await;
        later.says("the transaction was rolled back, because").says("retryable=\"true\"");
        bank.within(&session, &manage("<state/>"))
            .await
            .is_completed()
            .says("state=\"rolledBack\"")
            .says("retryable=\"true\"");
        bank.within(&session, &manage("<commit/>")).await.says("the transaction was rolled back");
        assert_eq!(bank.amounts(None).await, "1,5;2,100;");
        // Until a rollback, or a new beginning.
        bank.within(&session, &manage("<rollback/>")).await.is_completed().says("state=\"rolledBack\"");
        bank.within(&session, &manage("<begin/>")).await.is_completed();
        bank.within(&session, &take).await.is_completed();
        bank.within(&session, &manage("<commit/>")).await.is_completed();
        assert_eq!(bank.amounts(None).await, "1,-25;2,100;");
    }
}

#[tokio::test]
async fn a_new_beginning_takes_the_place_of_one_that_was_rolled_back() {
    for bank in Bank::all().await {
        let session = bank.context.create().await;
        bank.within(&session, &manage("<begin isolation=\"serializable\"/>")).await.is_completed();
        bank.amounts(Some(&session)).await;
        bank.context.perform(&update("other", "UPDATE account SET amount = 5 WHERE id = 1")).await.is_completed();
        let take = update("take", "UPDATE account SET amount = amount - 30 WHERE id = 1");
        assert_ne!(bank.within(&session, &take).await.status, 200);
        bank.within(&session, &manage("<begin/>")).await.is_completed();
        bank.within(&session, &take).await.is_completed();
        bank.within(&session, &manage("<commit/>")).await.is_completed();
        assert_eq!(bank.amounts(None).await, "1,-25;2,100;");
    }
}
