//! Programs that go away in the middle: futures that are dropped, work that panics, readers that have seen enough.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use rejoin::client::{
    Cursor, DataService, EndPoint, Error, Request, Response, Rows, RunningRequest, Session, Transaction,
};
use tokio::sync::oneshot;

use super::service;
use crate::context::{Context, perform};

/// A query that never comes to its end.
const ENDLESS: &str = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n";

async fn credit(service: &DataService) -> f64 {
    service.query("SELECT credit FROM customer WHERE id = 1").one().await.unwrap()
}

/// Work of a transaction that gives away that it has begun to write, and goes no further.
async fn stuck(session: Session, written: oneshot::Sender<()>) {
    let written = std::cell::Cell::new(Some(written));
    let _: Result<(), Error> = session
        .transaction(async |transaction| {
            transaction.update("UPDATE customer SET credit = 1000 WHERE id = 1").run().await?;
            written.take().map(|written| written.send(()));
            std::future::pending().await
        })
        .await;
}

#[tokio::test]
async fn a_transaction_that_is_dropped_is_rolled_back_before_its_session_does_anything_else() {
    let context = Context::new().await;
    let service = service(&context).await;
    let session = service.session().await.unwrap();
    let (written, is_written) = oneshot::channel();
    tokio::select! {
        () = stuck(session.clone(), written) => unreachable!("it never ends"),
        written = is_written => written.unwrap(),
    }
    assert_eq!(session.update("UPDATE customer SET credit = credit + 1 WHERE id = 1").run().await.unwrap(), 1);
    assert!((credit(&service).await - 11.5).abs() < 1e-9);

    drop(session.begin().await.unwrap());
    let sum: f64 = session
        .transaction(async |transaction| transaction.query("SELECT sum(credit) FROM customer").one().await)
        .await
        .unwrap();
    assert!((sum - 8.75).abs() < 1e-9, "{sum}");
}

#[tokio::test]
async fn a_transaction_whose_work_panics_is_not_committed() {
    let context = Context::new().await;
    let service = service(&context).await;
    let session = service.session().await.unwrap();
    let work = session.transaction(async |transaction| {
        transaction.update("DELETE FROM customer").run().await?;
        if transaction.has_conflict() {
            return Ok::<_, Error>(());
        }
        panic!("the program is wrong");
    });
    assert!(AssertUnwindSafe(work).catch_unwind().await.is_err());
    let left: u8 = session.query("SELECT count(*) FROM customer").one().await.unwrap();
    assert_eq!(left, 3);
    session.update("DELETE FROM customer WHERE id = 3").run().await.unwrap();
    session.end().await.unwrap();
    assert_eq!(service.query("SELECT count(*) FROM customer").one::<u8>().await.unwrap(), 2);
}

#[tokio::test]
async fn many_that_come_after_a_dropped_transaction_all_run_outside_of_it() {
    let context = Context::new().await;
    let service = service(&context).await;
    let session = service.session().await.unwrap();
    for _ in 0..5 {
        let transaction = session.begin().await.unwrap();
        transaction.update("UPDATE customer SET credit = 0").run().await.unwrap();
        drop(transaction);
        let update = || session.update("UPDATE customer SET credit = credit + 1 WHERE id = 1").run();
        tokio::try_join!(update(), update(), update()).unwrap();
    }
    assert!((credit(&service).await - 25.5).abs() < 1e-9);
}

#[tokio::test]
async fn a_transaction_within_another_is_refused_and_leaves_that_alone() {
    let context = Context::new().await;
    let service = service(&context).await;
    let session = service.session().await.unwrap();
    session
        .transaction(async |transaction| {
            transaction.update("UPDATE customer SET credit = 7 WHERE id = 1").run().await?;
            let inner: Result<(), Error> = session.transaction(async |_| Ok(())).await;
            assert!(inner.unwrap_err().to_string().contains("TransactionActive"));
            Ok::<_, Error>(())
        })
        .await
        .unwrap();
    assert!((credit(&service).await - 7.0).abs() < 1e-9);
}

#[tokio::test]
async fn a_session_that_is_dropped_is_there_for_the_next() {
    let context = Context::new().await;
    let service = service(&context).await;
    let session = service.session().await.unwrap();
    session.set("town", "Oban").await.unwrap();
    let id = session.id();
    drop(session);
    assert_eq!(service.join(&id).get("town").await.unwrap().as_deref(), Some("Oban"));
}

#[tokio::test]
async fn a_request_that_is_dropped_leaves_its_session_to_the_next() {
    let context = Context::new().await;
    let session = service(&context).await.session().await.unwrap();
    let request = Request::document(perform("<sleep name=\"nap\" duration=\"PT1H\"/>")).unwrap();
    let waits = async {
        while session.status().await.unwrap().requests.is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        outcome = session.perform(&request) => panic!("{outcome:?}"),
        () = waits => {}
    }
    assert_eq!(session.increment("visits", 1).await.unwrap(), 1);
}

#[tokio::test]
async fn an_endless_query_is_read_as_far_as_one_likes() {
    let context = Context::new().await;
    let session = service(&context).await.session().await.unwrap();
    let mut rows = session.query(ENDLESS).rows().await.unwrap();
    let mut next = 1;
    for _ in 0..200 {
        for number in rows.next_structs::<u64>().await.unwrap().unwrap() {
            assert_eq!(number, next);
            next += 1;
        }
    }
    drop(rows);
    assert_eq!(session.query(ENDLESS).first::<u64>().await.unwrap(), Some(1));
    assert_eq!(session.increment("visits", 1).await.unwrap(), 1);
    session.end().await.unwrap();
}

#[tokio::test]
async fn work_may_be_spawned() {
    fn is_for_all_threads<T: Send + Sync + 'static>() {}
    fn moves_between_threads<T: Send + 'static>() {}
    is_for_all_threads::<(DataService, Session, Transaction, Cursor, RunningRequest, Request, Response, Error)>();
    moves_between_threads::<(EndPoint, Rows)>();

    let context = Context::new().await;
    let service = service(&context).await;
    let credit = tokio::spawn(async move {
        let session = service.session().timeout(Duration::from_mins(1)).await?;
        let credit: f64 = session
            .transaction(async |transaction| {
                transaction.update("UPDATE customer SET credit = ? WHERE id = 1").parameter(5).run().await?;
                transaction.query("SELECT credit FROM customer WHERE id = 1").one().await
            })
            .await?;
        let mut cursor = session.open_cursor("all", session.query("SELECT id FROM customer")).await?;
        cursor.fetch(1).await?;
        let mut rows = session.query("SELECT id FROM customer").rows().await?;
        rows.schema().await?;
        let running = session.start(&Request::document(perform(""))?).await;
        drop(running);
        session.end().await?;
        Ok::<_, Error>(credit)
    });
    assert!((credit.await.unwrap().unwrap() - 5.0).abs() < 1e-9);
}
