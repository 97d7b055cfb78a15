//! Transactions that get in each other's way.

use super::Kind;
use super::stage::{Session, Stage, query, transaction, update};
use crate::context::Reply;

in_every_database!(
    of_two_that_write_the_same_at_once_none_is_half_done;
    servers: a_deadlock_ends_one_of_two_and_the_other_goes_on, a_stale_snapshot_is_a_conflict,
);

fn credit(id: u32, credit: u32) -> String {
    update("u", &format!("UPDATE person SET credit = {credit} WHERE id = {id}"))
}

/// It was rolled back, says so, and may be tried again.
async fn is_conflict(reply: &Reply, session: &Session<'_>) {
    reply.is_fault(409, "TransactionConflict").says("retryable=\"true\"");
    assert_ne!(reply.header("retry-after"), "");
    // Nothing that was meant for it is done outside of it.
    let late = session.perform(&update("u", "DELETE FROM person")).await;
    assert_eq!(late.status, 409, "{}", late.text);
    late.says("TransactionConflict");
    let late = session.perform(&query("SELECT 1")).await;
    assert_eq!(late.status, 409, "{}", late.text);
    session.perform(&transaction("<rollback/>")).await.is_completed().says("state=\"rolledBack\"");
}

async fn of_two_that_write_the_same_at_once_none_is_half_done(kind: Kind) {
    let stage = Stage::with(kind, |_, options| options.resource = "<statement timeout=\"500\"/>".into()).await;
    let (one, other) = (stage.session().await, stage.session().await);
    one.transaction("<begin/>").await;
    one.perform(&credit(1, 100)).await.is_completed();
    other.transaction("<begin/>").await;
    // The second one waits until it may not any more, and says that it is worth another try.
    let waited = other.perform(&credit(1, 200)).await;
    assert!(matches!(waited.status, 409 | 503 | 504), "{}", waited.text);
    one.transaction("<commit/>").await;
    other.transaction("<rollback/>").await;
    assert_eq!(stage.rows("SELECT credit FROM person WHERE id = 1").await, "100\n");
    other.transaction("<begin/>").await;
    other.perform(&credit(1, 200)).await.is_completed();
    other.transaction("<commit/>").await;
    assert_eq!(stage.rows("SELECT credit FROM person WHERE id = 1").await, "200\n");
}

async fn a_deadlock_ends_one_of_two_and_the_other_goes_on(kind: Kind) {
    let stage = Stage::new(kind).await;
    let (one, other) = (stage.session().await, stage.session().await);
    for (session, id) in [(&one, 1), (&other, 2)] {
        session.transaction("<begin/>").await;
        session.perform(&credit(id, 100)).await.is_completed();
    }
    let (to_two, to_one) = (credit(2, 200), credit(1, 200));
    let (first, second) = tokio::join!(one.perform(&to_two), other.perform(&to_one));
    let (victim, lost, winner, won) =
        if first.status == 200 { (&other, &second, &one, &first) } else { (&one, &first, &other, &second) };
    won.is_completed();
    is_conflict(lost, victim).await;
    winner.transaction("<commit/>").await;
    let credits = stage.rows("SELECT credit FROM person WHERE id IN (1, 2) ORDER BY id").await;
    assert_eq!(credits, if first.status == 200 { "100\n200\n" } else { "200\n100\n" });
    // The victim does its work in another one.
    victim.transaction("<begin/>").await;
    victim.perform(&credit(1, 300)).await.is_completed();
    victim.transaction("<commit/>").await;
    assert_eq!(stage.rows("SELECT credit FROM person WHERE id = 1").await, "300\n");
    stage.database.until_quiet().await;
}

async fn a_stale_snapshot_is_a_conflict(kind: Kind) {
    // MariaDB knows of it since 10.6.18 and where it is told to look.
    if kind == Kind::MariaDb {
        return;
    }
    let stage = Stage::new(kind).await;
    for isolation in ["repeatableRead", "serializable"] {
        let session = stage.session().await;
        session.transaction(&format!("<begin isolation=\"{isolation}\"/>")).await.says(isolation);
        assert_eq!(session.rows("SELECT count(*) FROM person WHERE id = 1").await, "1\n");
        stage.perform(&credit(1, 50)).await.is_completed();
        let reply = session.perform(&credit(1, 100)).await;
        is_conflict(&reply, &session).await;
        assert_eq!(stage.rows("SELECT credit FROM person WHERE id = 1").await, "50\n");
    }
    // Two that each read what the other writes: the commit of the second is refused.
    let (one, other) = (stage.session().await, stage.session().await);
    for session in [&one, &other] {
        session.transaction("<begin isolation=\"serializable\"/>").await;
        session.rows("SELECT sum(credit) FROM person").await;
    }
    one.perform(&credit(1, 1)).await.is_completed();
    other.perform(&credit(2, 2)).await.is_completed();
    one.transaction("<commit/>").await;
    other.perform(&transaction("<commit/>")).await.is_fault(409, "TransactionConflict").says("retryable=\"true\"");
    assert_eq!(stage.rows("SELECT credit FROM person WHERE id = 2").await, "0.25\n");
}
