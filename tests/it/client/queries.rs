//! Queries and updates.

use arrow_array::RecordBatch;
use futures_util::TryStreamExt;
use rejoin::client::{DataService, Error};
use serde::Deserialize;

use super::{code, service};
use crate::context::Context;

#[derive(Debug, Deserialize, PartialEq)]
struct Customer {
    id: u32,
    name: String,
    phone: Option<String>,
    credit: f64,
}

#[tokio::test]
async fn a_query_gives_batches_structs_tuples_and_values() {
    let context = Context::new().await;
    let service = service(&context).await;
    let in_perth =
        || service.query("SELECT id, name, phone, credit FROM customer WHERE town = ? ORDER BY id").parameter("Perth");

    let batches = in_perth().batches().await.unwrap();
    assert_eq!(batches.iter().map(RecordBatch::num_rows).sum::<usize>(), 2);
    let customers: Vec<Customer> = in_perth().all().await.unwrap();
    assert_eq!(customers[1], Customer { id: 3, name: "<Grace>".into(), phone: Some(String::new()), credit: -3.0 });
    let streamed: Vec<RecordBatch> = in_perth().rows().await.unwrap().try_collect().await.unwrap();
    assert_eq!(streamed, batches);

    let towns: Vec<(String, u8)> =
        service.query("SELECT town, count(*) FROM customer GROUP BY town ORDER BY town").all().await.unwrap();
    assert_eq!(towns, [("Oban".to_owned(), 1), ("Perth".to_owned(), 2)]);
    let count: u64 = service.query("SELECT count(*) FROM customer").one().await.unwrap();
    assert_eq!(count, 3);
    let nobody: Option<String> =
        service.query("SELECT name FROM customer WHERE id = ?").parameter(9).first().await.unwrap();
    assert_eq!(nobody, None);
}

#[tokio::test]
async fn an_update_gives_the_rows_that_it_returns() {
    let context = Context::new().await;
    let service = service(&context).await;
    let raise =
        || service.update("UPDATE customer SET credit = credit + ? WHERE id = 3 RETURNING id, credit").parameter(1);
    assert_eq!(raise().returning::<(u32, f64)>().await.unwrap(), [(3, -2.0)]);
    assert_eq!(raise().returning_batches().await.unwrap()[0].schema().field(1).name(), "credit");
    assert_eq!(raise().run().await.unwrap(), 1);
    let credit: f64 = service.query("SELECT credit FROM customer WHERE id = 3").one().await.unwrap();
    assert!((credit - 0.0).abs() < f64::EPSILON, "{credit}");
    let none: Vec<u32> = service.update("DELETE FROM customer WHERE id = 9 RETURNING id").returning().await.unwrap();
    assert!(none.is_empty());
    let error = service.update("DELETE FROM customer WHERE id = 9").returning::<u32>().await.unwrap_err();
    assert!(error.to_string().contains("RETURNING"), "{error}");
}

#[tokio::test]
async fn a_query_without_rows_has_its_columns() {
    let context = Context::new().await;
    let query = service(&context).await.query("SELECT id, name FROM customer WHERE id = 9");
    let batches = query.clone().batches().await.unwrap();
    assert_eq!((batches.len(), batches[0].num_rows(), batches[0].num_columns()), (1, 0, 2));
    let mut rows = query.rows().await.unwrap();
    assert_eq!(rows.schema().await.unwrap().field(1).name(), "name");
    assert_eq!(rows.next_batch().await.unwrap().unwrap().num_rows(), 0);
    assert!(rows.next_batch().await.unwrap().is_none());
}

#[tokio::test]
async fn many_rows_stream_in_many_batches() {
    let context = Context::new().await;
    let numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000) SELECT i FROM n";
    let mut rows = service(&context).await.query(numbers).rows().await.unwrap();
    let (mut batches, mut sum) = (0, 0);
    while let Some(numbers) = rows.next_structs::<u64>().await.unwrap() {
        batches += 1;
        sum += numbers.iter().sum::<u64>();
    }
    assert_eq!(sum, 100_000 * 100_001 / 2);
    assert!(batches > 50, "{batches}");
}

#[tokio::test]
async fn an_update_tells_how_many_rows_it_changed() {
    let context = Context::new().await;
    let service = service(&context).await;
    let update =
        service.update("UPDATE customer SET credit = credit + ? WHERE town = ?").parameter(1.5).parameter("Perth");
    assert_eq!(update.run().await.unwrap(), 2);
    let credit: f64 = service.query("SELECT credit FROM customer WHERE id = 1").one().await.unwrap();
    assert!((credit - 12.0).abs() < 1e-9);
}

#[tokio::test]
async fn what_is_wrong_with_a_statement_is_told_with_its_step_and_place() {
    let context = Context::new().await;
    let service = service(&context).await;
    let error = service.query("SELECT name FROM nowhere").batches().await.unwrap_err();
    let failure = error.failure().unwrap();
    assert_eq!(failure.code.as_str(), "ActivityFailed");
    assert_eq!(failure.activity.as_deref(), Some("query"));
    assert!(failure.position.is_some() && failure.message.contains("nowhere"), "{failure}");
    assert!(error.to_string().starts_with("step `query`: "), "{error}");
    assert_eq!(code(service.query("DELETE FROM customer").batches().await), "ActivityFailed");
}

#[tokio::test]
async fn rows_that_fail_midway_break_off_and_what_is_gathered_is_told_why() {
    let context = Context::new().await;
    let fails = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000)
                 SELECT CASE WHEN i = 50000 THEN json('{') ELSE i END FROM n";
    let service = service(&context).await;
    let mut rows = service.query(fails).rows().await.unwrap();
    let error = loop {
        match rows.next_batch().await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("it looks whole"),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, Error::BrokenOff { .. }), "{error}");
    let error = service.query(fails).batches().await.unwrap_err();
    assert!(error.to_string().contains("malformed JSON"), "{error}");
}

#[tokio::test]
async fn what_is_not_there_is_told_at_once() {
    let context = Context::new().await;
    assert_eq!(code(DataService::connect(&context.server.url(), "nothing").await), "ResourceNotFound");
    // A port that nobody listens at.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let error = DataService::connect(&format!("http://127.0.0.1:{port}"), "data").await.unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error}");
    assert!(error.to_string().contains(&format!("http://127.0.0.1:{port}/services/data")), "{error}");
}

#[tokio::test]
async fn a_row_that_does_not_fit_is_counted_from_the_beginning_of_the_result() {
    let context = Context::new().await;
    let numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) SELECT i FROM n";
    let error = service(&context).await.query(numbers).all::<Small>().await.unwrap_err();
    assert!(error.to_string().starts_with("row 4001: "), "{error}");
}

/// A number up to four thousand.
#[derive(Debug)]
struct Small;

impl<'de> Deserialize<'de> for Small {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = u64::deserialize(deserializer)?;
        if number > 4000 { Err(serde::de::Error::custom("it is too large")) } else { Ok(Self) }
    }
}

#[tokio::test]
async fn the_first_row_is_read_without_the_others() {
    let context = Context::new().await;
    let many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000) SELECT i FROM n";
    let builder = DataService::builder(&context.server.url(), "data").answer_bytes(64 * 1024);
    let service = builder.build().unwrap();
    assert_eq!(service.query(many).first::<u64>().await.unwrap(), Some(1));
    assert_eq!(service.query(many).one::<u64>().await.unwrap(), 1);
    let error = service.query(many).all::<u64>().await.unwrap_err();
    assert!(error.to_string().contains("read it as a stream"), "{error}");
    let error = service.query("SELECT 1 WHERE 0").one::<u64>().await.unwrap_err();
    assert!(matches!(error, Error::NoResult { .. }), "{error}");
}

#[tokio::test]
async fn the_columns_are_known_whenever_they_are_asked_for() {
    let context = Context::new().await;
    let mut rows = service(&context).await.query("SELECT id, name FROM customer").rows().await.unwrap();
    rows.next_batch().await.unwrap().unwrap();
    assert_eq!(rows.schema().await.unwrap().field(1).name(), "name");
    assert!(rows.next_batch().await.unwrap().is_none());
    assert_eq!(rows.schema().await.unwrap().fields().len(), 2);
}
