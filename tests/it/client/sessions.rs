//! Sessions, transactions and cursors as objects.

use std::time::Duration;

use rejoin::client::{Code, Error, Isolation, Request, SessionRequirement};
use rejoin::document::{GrantedTimeout, SessionState};

use super::{code, service};
use crate::context::Context;

#[tokio::test]
async fn a_session_remembers_and_ends() {
    let context = Context::new().await;
    let service = service(&context).await;
    let session = service.session().timeout(Duration::from_mins(2)).await.unwrap();
    session.set("town", "Perth & Oban").await.unwrap();
    assert_eq!(session.get("town").await.unwrap().as_deref(), Some("Perth & Oban"));
    assert_eq!(session.get("nothing").await.unwrap(), None);
    assert_eq!(session.increment("visits", 5).await.unwrap(), 5);
    assert_eq!(session.increment("visits", -7).await.unwrap(), -2);
    session.remove("town").await.unwrap();
    assert_eq!(session.get("town").await.unwrap(), None);

    let status = session.status().await.unwrap();
    assert_eq!((status.state, status.attributes.count), (SessionState::Available, 1));
    assert_eq!(status.timeout, Some(GrantedTimeout::After(Duration::from_mins(2))));

    // Somebody else, by its id.
    let joined = service.join(&session.id());
    assert_eq!(joined.get("visits").await.unwrap().as_deref(), Some("-2"));
    joined.end().await.unwrap();
    session.clone().end().await.unwrap();
    assert_eq!(code(session.get("visits").await), "SessionEnded");
    assert!(!format!("{session:?}").contains(&*session.id()));
}

#[tokio::test]
async fn a_new_id_is_used_from_then_on() {
    let context = Context::new().await;
    let session = service(&context).await.session().await.unwrap();
    let old = session.id();
    let clone = session.clone();
    session.rotate().await.unwrap();
    assert_ne!(session.id(), old);
    assert_eq!(clone.id(), session.id());
    assert_eq!(clone.increment("visits", 1).await.unwrap(), 1);
    clone.clone().end_now().await.unwrap();
    clone.end_now().await.unwrap();
    assert_eq!(code(session.status().await), "SessionEnded");
}

#[tokio::test]
async fn a_requirement_joins_creates_and_ends() {
    let context = Context::new().await;
    let service = service(&context).await;
    let create = Request::new().session(SessionRequirement::create().timeout(Duration::from_mins(1)));
    let id = service.perform(&create).await.unwrap().session().id.clone().unwrap();
    let reading = Request::new().session(SessionRequirement::join(&id).read_access().wait(Duration::ZERO));
    assert!(!service.perform(&reading).await.unwrap().session().created);
    service.perform(&Request::new().session(SessionRequirement::terminate(&id))).await.unwrap();
    assert_eq!(code(service.perform(&reading).await), "SessionEnded");
    let either = Request::new().session(SessionRequirement::join_or_create(&id));
    assert!(service.perform(&either).await.unwrap().session().created);
}

#[tokio::test]
async fn a_request_that_asks_for_another_session_than_its_own_is_not_sent() {
    let context = Context::new().await;
    let service = service(&context).await;
    let session = service.session().await.unwrap();
    for requirement in
        [SessionRequirement::create(), SessionRequirement::join("another"), SessionRequirement::terminate("x")]
    {
        let error = session.perform(&Request::new().session(requirement)).await.unwrap_err();
        assert!(matches!(error, Error::Setting(_)), "{error}");
    }
    let error = service.perform(&Request::new().session(SessionRequirement::of_the_session())).await.unwrap_err();
    assert!(matches!(error, Error::Setting(_)), "{error}");
}

#[tokio::test]
async fn a_transaction_holds_as_a_whole_or_not_at_all() {
    let context = Context::new().await;
    let service = service(&context).await;
    let session = service.session().await.unwrap();
    let credit = async || service.query("SELECT sum(credit) FROM customer").one::<f64>().await.unwrap();
    let before = credit().await;

    let outcome: Result<(), Error> = session
        .transaction(async |transaction| {
            transaction.update("UPDATE customer SET credit = credit + 100 WHERE id = 1").run().await?;
            transaction.update("UPDATE nobody SET credit = 0").run().await.map(drop)
        })
        .await;
    let error = outcome.unwrap_err();
    assert_eq!(error.code(), Some(&Code::ActivityFailed));
    assert_eq!(error.failure().unwrap().activity_code, Some(Code::SqlError));
    assert!((credit().await - before).abs() < 1e-9);

    let sum: f64 = session
        .begin()
        .isolation(Isolation::Serializable)
        .run(async |transaction| {
            transaction.update("UPDATE customer SET credit = credit + 100 WHERE id = 1").run().await?;
            transaction.savepoint("here").await?;
            transaction.update("UPDATE customer SET credit = 0").run().await?;
            transaction.rollback_to("here").await?;
            transaction.query("SELECT sum(credit) FROM customer").one().await
        })
        .await
        .unwrap();
    assert!((sum - before - 100.0).abs() < 1e-9);
    assert!((credit().await - sum).abs() < 1e-9);

    let transaction = session.begin().await.unwrap();
    transaction.update("DELETE FROM customer").run().await.unwrap();
    transaction.rollback().await.unwrap();
    assert!((credit().await - sum).abs() < 1e-9);
}

#[tokio::test]
async fn the_work_of_a_transaction_is_done_again_when_others_got_in_its_way() {
    let context = Context::new().await;
    let service = service(&context).await;
    let session = service.session().await.unwrap();
    let begun = std::cell::Cell::new(0);
    let seen: f64 = session
        .transaction(async |transaction| {
            begun.set(begun.get() + 1);
            let credit = transaction.query("SELECT credit FROM customer WHERE id = 1").one().await?;
            if begun.get() == 1 {
                // Between its first look and its first change.
                service.update("UPDATE customer SET credit = 50 WHERE id = 1").run().await?;
            }
            transaction.update("UPDATE customer SET credit = credit + 1 WHERE id = 1").run().await?;
            Ok::<_, Error>(credit)
        })
        .await
        .unwrap();
    assert_eq!(begun.get(), 2);
    assert!((seen - 50.0).abs() < 1e-9, "{seen}");
    let credit: f64 = service.query("SELECT credit FROM customer WHERE id = 1").one().await.unwrap();
    assert!((credit - 51.0).abs() < 1e-9, "{credit}");
}

#[tokio::test]
async fn a_cursor_gives_page_after_page() {
    let context = Context::new().await;
    let session = service(&context).await.session().await.unwrap();
    let query = session.query("SELECT id FROM customer WHERE id > ? ORDER BY id").parameter(0);
    let mut cursor = session.open_cursor("people", query.clone()).await.unwrap();
    assert_eq!(cursor.fetch_structs::<u8>(2).await.unwrap(), Some(vec![1, 2]));
    assert_eq!(cursor.fetch_structs::<u8>(2).await.unwrap(), Some(vec![3]));
    assert_eq!(cursor.fetch_structs::<u8>(2).await.unwrap(), None);

    let cursor = session.open_cursor("again", query).await.unwrap();
    cursor.close().await.unwrap();
    session.end().await.unwrap();
}
