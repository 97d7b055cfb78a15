//! Queries whose rows the database may write as CSV itself: `PostgreSQL` does.

use super::Kind;
use super::stage::Stage;
use crate::caught_log::CaughtLog;

in_every_database![
    csv_is_the_same_whoever_writes_it,
    csv_of_a_transaction_shows_what_it_has_done,
    an_error_is_the_querys_whoever_would_have_written_the_csv,
];

const FORMAT: &str = "<sqlResultsToCSV name=\"format\"><resultSet from=\"rows\"/><csvOutput name=\"csv\"/>\
    <nullDataStr value=\"none\"/><includeHeader value=\"true\"/></sqlResultsToCSV>";

/// A query; no database writes CSV itself of one with a parameter.
fn query(parameter: &str, sql: &str) -> String {
    format!(
        "<sqlQueryStatement name=\"find\">{parameter}<expression>{sql}</expression><resultStream name=\"rows\"/>\
         </sqlQueryStatement>{FORMAT}"
    )
}

async fn csv_is_the_same_whoever_writes_it(kind: Kind) {
    let stage = Stage::new(kind).await;
    stage.database.run("INSERT INTO person VALUES (5, 'none', '', 1e20), (6, '\"a,b\"', 'x', 0.1)");
    let log = CaughtLog::new();
    let of_database = stage.perform(&query("", "SELECT * FROM person ORDER BY id")).await;
    let has_written = usize::from(matches!(kind, Kind::Postgres));
    assert_eq!(log.text().matches("event=\"engine.fused\" formatter=format").count(), has_written);
    let parameter = "<sqlParameter position=\"1\">0</sqlParameter>";
    let of_service = stage.perform(&query(parameter, "SELECT * FROM person WHERE name != ? ORDER BY id")).await;
    assert_eq!(log.text().matches("engine.fused").count(), has_written);
    let metrics = stage.context.client.get(format!("{}/metrics", stage.context.server.url())).send().await.unwrap();
    let counted = format!("rejoin_fused_formatters_total{{resource=\"data\"}} {has_written}\n");
    assert!(metrics.text().await.unwrap().contains(&counted));
    let results = |text: &str| text.split_once("<result ").unwrap().1.to_owned();
    assert_eq!(results(&of_database.text), results(&of_service.text));
    of_database.is_completed().says(
        "<![CDATA[id,name,town,credit\n1,Ada,Perth,10.5\n2,Carl & Co,Oban,0.25\n3,<Grace>,Perth,-3\n4,Dora,none,none\n\
         5,\"none\",,1e+20\n6,\"\"\"a,b\"\"\",x,0.1\n]]>",
    );
}

async fn csv_of_a_transaction_shows_what_it_has_done(kind: Kind) {
    let stage = Stage::new(kind).await;
    let session = stage.session().await;
    session.transaction("<begin/>").await;
    session.update("DELETE FROM person WHERE id > 1").await;
    let inside = session.perform(&query("", "SELECT id FROM person ORDER BY id")).await;
    inside.is_completed().says("<![CDATA[id\n1\n]]>");
    session.transaction("<rollback/>").await;
    let after = session.perform(&query("", "SELECT id FROM person ORDER BY id")).await;
    after.is_completed().says("<![CDATA[id\n1\n2\n3\n4\n]]>");
}

async fn an_error_is_the_querys_whoever_would_have_written_the_csv(kind: Kind) {
    let stage = Stage::new(kind).await;
    let session = stage.session().await;
    session.transaction("<begin/>").await;
    session.update("DELETE FROM person WHERE id > 1").await;
    let failing = query("", "SELECT id FROM nowhere");
    session.perform(&failing).await.is_fault(422, "ActivityFailed").says("nowhere");
    // The transaction goes on.
    assert_eq!(session.rows("SELECT id FROM person").await, "1\n");
    session.transaction("<rollback/>").await;
}
