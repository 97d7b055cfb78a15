//! Tables that are made and dropped.

use super::Kind;
use super::granted::{Stage, update};
use crate::context::Context;

in_every_database!(
    a_table_is_made_in_the_types_of_each_database_and_dropped,
    every_type_of_rows_makes_a_column,
    a_table_may_be_defined_in_the_words_of_the_database,
    a_transaction_takes_tables_back_or_is_not_committed_by_them,
);

fn manage(operation: &str) -> String {
    format!(
        "<relationalResourceManagement name=\"manage\">{operation}<output name=\"done\"/></relationalResourceManagement>"
    )
}

const GAUGE: &str = "<createTable name=\"gauge\">\
    <column name=\"id\" type=\"int32\" nullable=\"false\" primaryKey=\"1\"/><column name=\"station\" type=\"text\" length=\"40\"/>\
    <column name=\"level\" type=\"decimal(9,2)\"/><column name=\"seen\" type=\"timestamp\"/></createTable>";

async fn a_table_is_made_in_the_types_of_each_database_and_dropped(kind: Kind) {
    let stage = Stage::new(kind).await;
    assert_eq!(stage.output(&manage(GAUGE), "done").await, "<createdTable name=\"gauge\"/>");
    stage.run(&["INSERT INTO gauge VALUES (1, 'Perth', 12.25, '2026-11-21 08:00:00')"]).await;
    assert_eq!(stage.rows("SELECT * FROM gauge").await, "1,Perth,12.25,2026-11-21 08:00:00\n");
    stage.perform(&update("INSERT INTO gauge VALUES (1, 'Oban', 1, NULL)")).await.is_fault(422, "ActivityFailed");
    let again = stage.perform(&manage(GAUGE)).await;
    again.is_fault(422, "ActivityFailed").says("SqlError");
    let lenient = GAUGE.replace("name=\"gauge\"", "name=\"gauge\" ifNotExists=\"true\"");
    stage.perform(&manage(&lenient)).await.is_completed();

    let drop = "<dropTable name=\"gauge\"/>";
    assert_eq!(stage.output(&manage(drop), "done").await, "<droppedTable name=\"gauge\"/>");
    stage.perform(&manage(drop)).await.is_fault(422, "ActivityFailed");
    stage.perform(&manage("<dropTable name=\"gauge\" ifExists=\"true\"/>")).await.is_completed();
}

async fn every_type_of_rows_makes_a_column(kind: Kind) {
    let simple = rejoin::format::RowType::names();
    let types = simple.into_iter().filter(|name| !name.contains('(')).chain(["decimal(30,4)", "int32[]"]);
    let columns: String =
        types.zip(1..).map(|(name, number)| format!("<column name=\"c{number}\" type=\"{name}\"/>")).collect();
    let stage = Stage::new(kind).await;
    stage.perform(&manage(&format!("<createTable name=\"wide\">{columns}</createTable>"))).await.is_completed();
    assert_eq!(stage.rows("SELECT count(*) FROM wide").await, "0\n");
}

async fn a_table_may_be_defined_in_the_words_of_the_database(kind: Kind) {
    let stage = Stage::new(kind).await;
    let sql =
        stage.pick("n BLOB CHECK (n IS NOT 7)", "n tsrange, CHECK (NOT isempty(n))", "n YEAR, CHECK (n &lt; 2100)");
    stage.perform(&manage(&format!("<createTable name=\"own\"><sql>{sql}</sql></createTable>"))).await.is_completed();
    assert_eq!(stage.rows("SELECT count(n) FROM own").await, "0\n");
}

async fn a_transaction_takes_tables_back_or_is_not_committed_by_them(kind: Kind) {
    let stage = Stage::new(kind).await;
    let begin = "<session/><transactionManagement name=\"t\"><begin/></transactionManagement>";
    let reply = stage.perform(begin).await;
    let session = reply.is_completed().session_id();
    let join = format!("<session id=\"{session}\"/>");
    let made = stage.perform(&[&join, manage(GAUGE).as_str()].concat()).await;
    if kind == Kind::MariaDb {
        made.is_fault(422, "ActivityFailed").says("ImplicitCommit");
    } else {
        made.is_completed();
    }
    let rollback = "<transactionManagement name=\"t\"><rollback/></transactionManagement>";
    stage.perform(&[&join, rollback].concat()).await.is_completed();
    stage.perform(&manage(GAUGE)).await.is_completed();
}

#[tokio::test]
async fn tables_are_made_by_nobody_to_whom_it_was_not_granted() {
    let context = Context::new().await;
    context.perform(&manage(GAUGE)).await.is_fault(400, "UnknownActivity").says("`relationalResourceManagement`");
}
