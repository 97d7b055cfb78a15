//! What changes data, and many statements at once, through HTTP.

use std::sync::Arc;
use std::time::Duration;

use rejoin::resource::relational::sqlite::{SqliteAddress, SqliteResource, SqliteSettings};
use rejoin::resource::{DataResource, DataResourceFactory, ResourceError, ResourceSettings};
use rejoin::service::ConfiguredResource;

use crate::context::{Context, create_database};

const SELECT_CREDITS: &str = r#"<sqlQueryStatement name="q"><expression>SELECT id, credit FROM customer ORDER BY id</expression>
    <resultStream name="r"/></sqlQueryStatement>
    <sqlResultsToCSV name="f"><resultSet from="r"/><csvOutput name="csv"/></sqlResultsToCSV>"#;

#[tokio::test]
async fn an_update_is_fed_by_another_of_the_same_request() {
    let context = Context::new().await;
    context.perform(&update("make", "CREATE TABLE note (text TEXT)")).await.is_completed();
    let first = r#"<sqlUpdateStatement name="u1"><expression>UPDATE customer SET credit = 1 WHERE town = 'Perth'</expression>
        <resultStream name="c1"/></sqlUpdateStatement>"#;
    let second = r#"<sqlUpdateStatement name="u2"><sqlParameter position="1" from="c1"/>
        <expression>INSERT INTO note VALUES (?)</expression></sqlUpdateStatement>"#;
    let read = r#"<sqlQueryStatement name="q"><expression>SELECT count(*), min(text) FROM note</expression><resultStream name="r"/></sqlQueryStatement>
        <sqlResultsToCSV name="f"><resultSet from="r"/><csvOutput name="csv"/></sqlResultsToCSV>"#;
    for round in 1..=20 {
        // Whichever the service starts first.
        let content = if round % 2 == 0 { [first, second].concat() } else { [second, first].concat() };
        context.perform(&content).await.is_completed();
        let expected = format!("{round},<updateCount>2</updateCount>\n");
        assert_eq!(context.raw(read, "csv").await.text, expected);
    }
}

#[tokio::test]
async fn an_update_whose_source_fails_changes_nothing() {
    let context = Context::new().await;
    let before = context.raw(SELECT_CREDITS, "csv").await.text;
    let content = r#"<sqlQueryStatement name="ids"><expression>SELECT CASE WHEN id = 3 THEN abs(-9223372036854775807 - 1) ELSE id END AS id
            FROM customer ORDER BY customer.id</expression><resultStream name="rows"/></sqlQueryStatement>
        <resultsetProjection name="p"><resultsetInput from="rows"/><attributeName>id</attributeName><attributeValuesOutput name="id"/></resultsetProjection>
        <sqlUpdateStatement name="u"><sqlParameter position="1" from="id"/>
            <expression>UPDATE customer SET credit = 77 WHERE id = ?</expression></sqlUpdateStatement>"#;
    context.perform(content).await.is_fault(422, "ActivityFailed").says("integer overflow");
    assert_eq!(context.raw(SELECT_CREDITS, "csv").await.text, before);
}

#[tokio::test]
async fn a_database_that_another_program_has_locked_is_busy() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("locked.db");
    create_database(&path, "PRAGMA journal_mode = WAL; CREATE TABLE t (x)");
    let resource = ConfiguredResource::new("data", folder.path()).data_resource("impatient:locked.db");
    let context = Context::with(|builder, _| builder.data_resource_factory(ImpatientFactory).resource(resource)).await;
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let insert = update("u", "INSERT INTO t VALUES (1)");
    context.perform(&insert).await.is_fault(503, "ServerBusy").says("retryable=\"true\"");
    other.execute_batch("ROLLBACK").unwrap();
    context.perform(&insert).await.is_completed();
}

fn update(name: &str, sql: &str) -> String {
    format!(r#"<sqlUpdateStatement name="{name}"><expression>{sql}</expression></sqlUpdateStatement>"#)
}

/// Opens `impatient:` URIs: databases that don't wait long for a lock.
struct ImpatientFactory;

impl DataResourceFactory for ImpatientFactory {
    fn scheme(&self) -> &'static str {
        "impatient"
    }

    fn open(&self, settings: &ResourceSettings) -> Result<Arc<dyn DataResource>, ResourceError> {
        let uri = settings.uri.replacen("impatient:", "sqlite:", 1);
        let address = SqliteAddress::parse(&uri, &settings.directory)?;
        let impatient = SqliteSettings { busy_timeout: Duration::from_millis(20), ..SqliteSettings::default() };
        Ok(Arc::new(SqliteResource::new(address, &impatient)))
    }
}
