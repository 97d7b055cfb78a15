//! Connections that break before, in and after the answer: every effect happens exactly once.

use std::collections::BTreeSet;
use std::time::Duration;

use rejoin::client::{DataService, Error, Request};

use super::breaking_proxy::{BREAKS, BreakingProxy, Fate};
use super::code;
use crate::context::{Context, perform};
use crate::every_database::Kind;
use crate::every_database::stage::Stage;

/// A service behind a proxy, and a program that does not give up.
fn behind(proxy: &BreakingProxy) -> DataService {
    let builder = DataService::builder(&proxy.url(), "data").patience(Duration::from_mins(5));
    builder.build().unwrap()
}

/// The first time that a request is sent its connection breaks in that way; the second time it arrives.
fn every_second(fate: Fate) -> impl Fn(usize) -> Fate {
    move |number| if number % 2 == 0 { fate } else { Fate::Passed }
}

/// All of them mixed: up to three breaks in a row, which ones by a sequence that is the same each time.
fn mixed(number: usize) -> Fate {
    let random = (number as u64).wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407) >> 33;
    let random = usize::try_from(random).unwrap();
    if number % 4 == 3 || random % 3 == 0 { Fate::Passed } else { BREAKS[random % BREAKS.len()] }
}

/// A program that writes, by itself, in a session, in a transaction and by a cursor.
async fn work(service: &DataService, stage: &Stage) {
    service.update("INSERT INTO person VALUES (?, 'Eve', 'Wick', 0)").parameter(5).run().await.unwrap();

    let session = service.session().await.unwrap();
    for visit in 1..=3 {
        assert_eq!(session.increment("visits", 1).await.unwrap(), visit);
    }
    session.update("UPDATE person SET credit = credit + 1 WHERE id = 5").run().await.unwrap();
    session
        .transaction(async |transaction| {
            transaction.update("UPDATE person SET credit = credit - 3 WHERE id = 1").run().await?;
            transaction.update("UPDATE person SET credit = credit + 3 WHERE id = 5").run().await
        })
        .await
        .unwrap();
    let outcome: Result<(), Error> = session
        .transaction(async |transaction| {
            transaction.update("DELETE FROM person").run().await?;
            Err(Error::Setting("it has thought better of it".into()))
        })
        .await;
    assert!(matches!(outcome, Err(Error::Setting(_))), "{outcome:?}");

    let query = session.query("SELECT id FROM person ORDER BY id");
    let mut cursor = session.open_cursor("people", query).await.unwrap();
    let mut people = Vec::new();
    while let Some(page) = cursor.fetch_structs::<i64>(2).await.unwrap() {
        people.extend(page);
    }
    assert_eq!(people, [1, 2, 3, 4, 5]);
    session.rotate().await.unwrap();
    session.end().await.unwrap();
    assert_eq!(credits(stage), [7.5, 4.0].map(|credit: f64| credit.to_bits()));
}

/// What those two have at the end, to the last bit.
fn credits(stage: &Stage) -> [u64; 2] {
    [1, 5].map(|id| {
        let credit = stage.database.run(&format!("SELECT credit FROM person WHERE id = {id}"));
        credit.parse::<f64>().unwrap().to_bits()
    })
}

async fn every_effect_happens_exactly_once(kind: Kind) {
    for fate in BREAKS {
        let stage = Stage::new(kind).await;
        let proxy = BreakingProxy::before(stage.context.server.address(), every_second(fate)).await;
        work(&behind(&proxy), &stage).await;
        assert!(proxy.seen().contains(&fate));
    }
}

async fn every_effect_happens_exactly_once_in_a_mixture(kind: Kind) {
    let stage = Stage::new(kind).await;
    let proxy = BreakingProxy::before(stage.context.server.address(), mixed).await;
    work(&behind(&proxy), &stage).await;
    let seen = proxy.seen();
    let kinds = BREAKS.iter().filter(|fate| seen.contains(fate)).count();
    assert!(kinds > 4, "{seen:?}");
}

in_every_database! { every_effect_happens_exactly_once, every_effect_happens_exactly_once_in_a_mixture }

#[tokio::test]
async fn a_session_is_made_once_however_often_it_is_asked_for() {
    let context = Context::new().await;
    let proxy = BreakingProxy::before(context.server.address(), every_second(Fate::Unheard)).await;
    let service = behind(&proxy);
    let ids: BTreeSet<Box<str>> = [service.session().await.unwrap().id(), service.session().await.unwrap().id()].into();
    let listed = context.client.get(format!("{}/sessions", context.url())).send().await.unwrap().text().await.unwrap();
    assert_eq!(ids.len(), 2);
    assert!(listed.contains("count=\"2\"") || listed.contains("Forbidden"), "{listed}");
}

#[tokio::test]
async fn what_only_reads_is_sent_again_without_a_key_and_comes_whole() {
    let context = Context::new().await;
    for fate in BREAKS {
        let proxy = BreakingProxy::before(context.server.address(), every_second(fate)).await;
        let service = behind(&proxy);
        let ids: Vec<i64> = service.query("SELECT id FROM customer ORDER BY id").all().await.unwrap();
        assert_eq!(ids, [1, 2, 3], "{fate:?}");
        let session = service.session().await.unwrap();
        assert!(!session.status().await.unwrap().implicit);
        session.end().await.unwrap();
    }
}

#[tokio::test]
async fn an_answer_that_streams_goes_on_where_it_broke_off_if_the_service_knows_it_again() {
    let context = Context::new().await;
    let proxy = BreakingProxy::before(context.server.address(), |_| Fate::Passed).await;
    let service = behind(&proxy);
    let numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i &lt; 20000) SELECT i FROM n";
    let content = format!(
        "<session/><sqlQueryStatement name=\"q\"><expression>{numbers}</expression><resultStream name=\"r\"/></sqlQueryStatement>
         <sqlResultsToCSV name=\"f\"><resultSet from=\"r\"/><csvOutput name=\"csv\"/></sqlResultsToCSV>"
    );
    let request = Request::document(perform(&content)).unwrap();
    proxy.next(&[Fate::HalfHeard, Fate::Abandoned, Fate::HalfHeard, Fate::Unheard]);
    let csv = service.stream(&request, "csv").await.unwrap().whole().await.unwrap();
    let expected: String = (1..=20000).map(|number| format!("{number}\n")).collect();
    assert!(csv == expected, "{} bytes of {}", csv.len(), expected.len());
    assert_eq!(proxy.seen().len(), 5);
}

#[tokio::test]
async fn an_answer_that_streams_and_is_read_anew_each_time_is_not_put_together() {
    let context = Context::new().await;
    let proxy = BreakingProxy::before(context.server.address(), |_| Fate::Passed).await;
    let service = behind(&proxy);
    let numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50000) SELECT i FROM n";
    proxy.next(&[Fate::HalfHeard]);
    let mut rows = service.query(numbers).rows().await.unwrap();
    let error = loop {
        match rows.next_batch().await {
            Ok(batch) => assert!(batch.is_some(), "half looks like all"),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, Error::BrokenOff { .. }), "{error}");
    // Gathered, it is read again from its beginning.
    proxy.next(&[Fate::HalfHeard, Fate::NearlyHeard]);
    let all: Vec<u32> = service.query(numbers).all().await.unwrap();
    assert_eq!(all.len(), 50_000);
}

#[tokio::test]
async fn what_can_not_be_found_out_is_unknown_and_not_repeated() {
    let context = Context::new().await;
    let proxy = BreakingProxy::before(context.server.address(), |_| Fate::Passed).await;
    let session = behind(&proxy).session().await.unwrap();
    let request = Request::document(perform(
        "<inputStream name=\"feed\"><toLocal name=\"id\"/></inputStream><outputStream name=\"tap\"><fromLocal from=\"id\"/></outputStream>",
    ))
    .unwrap();
    let running = session.start(&request).await.unwrap();
    proxy.seen();
    proxy.next(&[Fate::Unheard]);
    let error = running.stream("feed").write_block("text/plain", "17").await.unwrap_err();
    assert!(matches!(error, Error::OutcomeUnknown { .. }), "{error}");
    assert_eq!(proxy.seen(), [Fate::Unheard]);
    running.stream("feed").close().await.unwrap();
    assert_eq!(running.stream("tap").read().await.unwrap().whole().await.unwrap(), "17");
    running.finished().await.unwrap();
}

#[tokio::test]
async fn without_patience_a_lost_answer_is_unknown_at_once() {
    let context = Context::new().await;
    let proxy = BreakingProxy::before(context.server.address(), |_| Fate::Unheard).await;
    let service = DataService::builder(&proxy.url(), "data").patience(Duration::ZERO).build().unwrap();
    let error = service.update("DELETE FROM customer WHERE id = 1").run().await.unwrap_err();
    assert!(matches!(error, Error::OutcomeUnknown { .. }), "{error}");
    let error = service.query("SELECT 1").batches().await.unwrap_err();
    assert!(matches!(error, Error::BrokenOff { .. }), "{error}");
    assert_eq!(proxy.seen().len(), 2);
}

#[tokio::test]
async fn a_session_in_use_is_waited_for_as_long_as_patience_lasts() {
    let context = Context::new().await;
    let held = super::service(&context).await.session().await.unwrap();
    let nap = Request::document(perform("<sleep name=\"nap\" duration=\"PT1H\"/>")).unwrap();
    let running = held.start(&nap).await.unwrap();
    let hasty = DataService::builder(&context.server.url(), "data").patience(Duration::ZERO).build().unwrap();
    let wish = rejoin::client::SessionRequirement::join(&held.id()).wait(Duration::ZERO);
    assert_eq!(code(hasty.perform(&Request::new().session(wish)).await), "SessionInUse");

    let other = held.clone();
    let waiting = tokio::spawn(async move { other.increment("visits", 1).await });
    while held.status().await.unwrap().waiters == 0 {
        tokio::task::yield_now().await;
    }
    running.stop().await.unwrap();
    assert_eq!(waiting.await.unwrap().unwrap(), 1);
}
