//! However a session ends, its transaction is rolled back and lets others go on.

use std::time::Duration;

use rejoin::session::ManualClock;
use reqwest::Method;

use super::{Bank, in_order, manage, update};

const TAKE: &str = "UPDATE account SET amount = amount - 30 WHERE id = 1";

/// Others can write again, and nothing of the transaction holds.
async fn is_rolled_back(bank: &Bank) {
    // Who waits for the lock of one that is being rolled back gets it.
    bank.context.perform(&update("other", "UPDATE account SET amount = amount + 1 WHERE id = 1")).await.is_completed();
    assert_eq!(bank.amounts(None).await, "1,101;2,100;");
}

async fn writing(bank: &Bank) -> String {
    let session = bank.begin().await;
    bank.within(&session, &update("take", TAKE)).await.is_completed();
    session
}

#[tokio::test]
async fn ending_the_session_rolls_back() {
    for bank in Bank::all().await {
        let session = writing(&bank).await;
        let ending = bank.context.client.request(Method::DELETE, format!("{}/session", bank.context.url()));
        assert_eq!(ending.header("rejoin-session", &session).send().await.unwrap().status(), 204);
        is_rolled_back(&bank).await;
    }
}

#[tokio::test]
async fn a_terminating_request_rolls_back() {
    for bank in Bank::all().await {
        let session = writing(&bank).await;
        let ending = format!("<session id=\"{session}\" mode=\"terminate\"/>");
        bank.context.perform(&ending).await.is_completed();
        is_rolled_back(&bank).await;
    }
}

#[tokio::test]
async fn a_client_that_stays_away_loses_it() {
    let clock = ManualClock::new();
    for bank in Bank::all_with(|builder| builder.clock(clock.clone())).await {
        let session = writing(&bank).await;
        clock.advance(Duration::from_hours(1));
        bank.within(&session, &manage("<commit/>")).await.is_fault(410, "SessionEnded").says("idle");
        is_rolled_back(&bank).await;
    }
}

#[tokio::test]
async fn the_failure_of_the_request_that_began_it_rolls_back() {
    for bank in Bank::all().await {
        let session = bank.context.create().await;
        let steps = [manage("<begin/>"), update("take", TAKE), update("wrong", "UPDATE nothing SET x = 1")];
        bank.within(&session, &in_order(&steps)).await.is_fault(422, "ActivityFailed");
        is_rolled_back(&bank).await;
        bank.within(&session, &manage("<state/>")).await.is_fault(422, "ActivityFailed").says("no transaction");
    }
}

#[tokio::test]
async fn the_failure_of_a_later_request_leaves_it() {
    for bank in Bank::all().await {
        let session = writing(&bank).await;
        let steps = [update("again", TAKE), update("wrong", "UPDATE nothing SET x = 1")];
        bank.within(&session, &in_order(&steps)).await.is_fault(422, "ActivityFailed");
        assert_eq!(
            bank.amounts(Some(&session)).await,
            "1,40;2,100;",
            "what was done before the failure stays part of it"
        );
        bank.within(&session, &manage("<commit/>")).await.is_completed();
        assert_eq!(bank.amounts(None).await, "1,40;2,100;");
    }
}
