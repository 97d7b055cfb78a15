//! Rows that are loaded into tables.

use super::Kind;
use super::granted::{Stage, query, update};

in_every_database!(
    rows_are_the_same_after_a_way_into_a_new_table,
    rows_are_the_same_after_a_way_through_a_format,
    a_row_set_that_is_none_loads_nothing,
    values_go_into_the_columns_of_their_names,
    a_new_table_is_named_after_the_first_column,
    of_a_load_with_a_wrong_row_nothing_stays,
    a_load_whose_rows_break_off_loads_nothing,
    a_load_in_a_transaction_is_taken_back_with_it,
    a_load_that_need_not_be_whole_loads_what_it_can_and_tells_what_it_cannot,
    a_load_that_need_not_be_whole_leaves_the_transaction_usable,
    lists_and_intervals_are_loaded_whatever_the_database_has_for_them,
);

fn load(target: &str) -> String {
    format!(
        "<sqlBulkLoadRowSet name=\"load\"><rows from=\"rows\"/>{target}<resultStream name=\"loaded\"/></sqlBulkLoadRowSet>"
    )
}

fn into(settings: &str) -> String {
    load(&format!("<loadIntoTable {settings}/>"))
}

/// A table with values that are hard to carry, and one with many rows.
async fn gauges(kind: Kind) -> Stage {
    let stage = Stage::new(kind).await;
    let real = stage.pick("REAL", "double precision", "DOUBLE");
    let blob = stage.pick("BLOB", "bytea", "LONGBLOB");
    let bytes = stage.pick("x'00ff'", "'\\x00ff'", "x'00ff'");
    stage
        .run(&[
            &format!("CREATE TABLE gauge (id BIGINT, station VARCHAR(40), level {real}, price DECIMAL(9,2), day DATE, image {blob})"),
            &format!("INSERT INTO gauge VALUES (1, 'Perth', 0.1, 10.50, '2026-11-21', {bytes})"),
            "INSERT INTO gauge VALUES (9223372036854775807, 'a,\"b\"\n\\N\tc', -1e300, -0.01, '0001-01-01', NULL)",
            "INSERT INTO gauge VALUES (NULL, '', NULL, NULL, NULL, NULL), (3, NULL, 1, 1, NULL, NULL)",
        ])
        .await;
    stage
}

const ALL: &str = "SELECT id, station, level, price, day, image FROM gauge ORDER BY id, station";

async fn rows_are_the_same_after_a_way_into_a_new_table(kind: Kind) {
    let stage = gauges(kind).await;
    let content = [query(ALL), into("tableName=\"copy\" create=\"true\"")].concat();
    assert_eq!(stage.output(&content, "loaded").await, "<updateCount>4</updateCount>");
    assert_eq!(stage.rows(&ALL.replace("gauge", "copy")).await, stage.rows(ALL).await);
    // A second time it is there already.
    stage.perform(&content).await.is_fault(422, "ActivityFailed");
    let content = [query(ALL), into("tableName=\"copy\"")].concat();
    assert_eq!(stage.output(&content, "loaded").await, "<updateCount>4</updateCount>");
    assert_eq!(stage.rows("SELECT count(*) FROM copy").await, "8\n");
}

async fn rows_are_the_same_after_a_way_through_a_format(kind: Kind) {
    let stage = gauges(kind).await;
    for (table, way) in [
        (
            "w",
            "<sqlResultsToXML name=\"f\"><resultSet from=\"rows\"/><webRowSet name=\"x\"/></sqlResultsToXML>\
          <sqlBulkLoadRowSet name=\"load\"><webRowSetStream from=\"x\"/>",
        ),
        (
            "a",
            "<sqlResultsToArrow name=\"f\"><resultSet from=\"rows\"/><arrowOutput name=\"x\"/></sqlResultsToArrow>\
          <arrowToRows name=\"t\"><arrowInput from=\"x\"/><rows name=\"again\"/></arrowToRows>\
          <sqlBulkLoadRowSet name=\"load\"><rows from=\"again\"/>",
        ),
    ] {
        let into = format!("<loadIntoTable tableName=\"{table}\" create=\"true\"/></sqlBulkLoadRowSet>");
        stage.perform(&[&query(ALL), way, &into].concat()).await.is_completed();
        assert_eq!(stage.rows(&ALL.replace("gauge", table)).await, stage.rows(ALL).await, "{way}");
    }
}

async fn a_row_set_that_is_none_loads_nothing(kind: Kind) {
    let stage = gauges(kind).await;
    let content = "<echo name=\"say\"><text>&lt;webRowSet xmlns='urn:other'/&gt;</text><output name=\"x\"/></echo>\
        <sqlBulkLoadRowSet name=\"load\"><webRowSetStream from=\"x\"/><loadIntoTable tableName=\"gauge\"/></sqlBulkLoadRowSet>";
    stage.perform(content).await.is_fault(422, "ActivityFailed").says("the activity `load` failed").says("WebRowSet");
}

async fn values_go_into_the_columns_of_their_names(kind: Kind) {
    let stage = gauges(kind).await;
    let content = [query("SELECT 'Oban' AS station, 7 AS id"), into("tableName=\"gauge\"")].concat();
    stage.perform(&content).await.is_completed();
    assert_eq!(stage.rows("SELECT id, level FROM gauge WHERE station = 'Oban'").await, "7,\n");
    let content = [query("SELECT 1 AS depth"), into("tableName=\"gauge\"")].concat();
    stage.perform(&content).await.is_fault(422, "ActivityFailed").says("depth");
}

async fn a_new_table_is_named_after_the_first_column(kind: Kind) {
    let stage = gauges(kind).await;
    let content = [query("SELECT station, id FROM gauge WHERE id = 1"), load("")].concat();
    assert_eq!(stage.output(&content, "loaded").await, "<updateCount>1</updateCount>");
    assert_eq!(stage.rows("SELECT station, id FROM station").await, "Perth,1\n");
}

/// Numbers from 1 to 5000, and after them something that fits no key.
fn numbers(stage: &Stage) -> String {
    let series = stage.pick(
        "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 5000) SELECT n AS id FROM s UNION ALL SELECT 17",
        "SELECT n AS id FROM generate_series(1, 5000) AS s(n) UNION ALL SELECT 17",
        "SELECT seq AS id FROM seq_1_to_5000 UNION ALL SELECT 17",
    );
    query(series)
}

async fn of_a_load_with_a_wrong_row_nothing_stays(kind: Kind) {
    let stage = Stage::new(kind).await;
    stage.run(&["CREATE TABLE number (id BIGINT PRIMARY KEY)"]).await;
    let content = [numbers(&stage), into("tableName=\"number\"")].concat();
    stage.perform(&content).await.is_fault(422, "ActivityFailed").says("SqlError");
    assert_eq!(stage.rows("SELECT count(*) FROM number").await, "0\n");
}

async fn a_load_whose_rows_break_off_loads_nothing(kind: Kind) {
    let stage = Stage::new(kind).await;
    stage.run(&["CREATE TABLE number (id BIGINT)"]).await;
    let broken = stage.pick(
        "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 5000) \
         SELECT CASE WHEN n = 5000 THEN abs(-9223372036854775807 - 1) ELSE n END AS id FROM s",
        "SELECT 1 / (5000 - n) AS id FROM generate_series(1, 5000) AS s(n)",
        "SELECT CASE WHEN seq = 5000 THEN (SELECT 1 UNION SELECT 2) ELSE seq END AS id FROM seq_1_to_5000",
    );
    let content = [query(broken), into("tableName=\"number\"")].concat();
    let reply = stage.perform(&content).await;
    assert!(!reply.text.contains("<request status=\"COMPLETED\"/>"), "{}", reply.text);
    assert_eq!(stage.rows("SELECT count(*) FROM number").await, "0\n");
}

async fn a_load_in_a_transaction_is_taken_back_with_it(kind: Kind) {
    let stage = Stage::new(kind).await;
    stage.run(&["CREATE TABLE number (id BIGINT)"]).await;
    let begin = "<session/><transactionManagement name=\"t\"><begin/></transactionManagement>";
    let join = format!("<session id=\"{}\"/>", stage.perform(begin).await.is_completed().session_id());
    let content = [join.as_str(), &numbers(&stage), &into("tableName=\"number\"")].concat();
    assert_eq!(stage.output(&content, "loaded").await, "<updateCount>5001</updateCount>");
    let rollback = "<transactionManagement name=\"t\"><rollback/></transactionManagement>";
    stage.perform(&[&join, rollback].concat()).await.is_completed();
    assert_eq!(stage.rows("SELECT count(*) FROM number").await, "0\n");
}

async fn lists_and_intervals_are_loaded_whatever_the_database_has_for_them(kind: Kind) {
    let stage = Stage::new(kind).await;
    let csv = "1,P1Y2M3DT4H5M6.000007S,\"{1,NULL,-3}\",\"{a,\"\"b c\"\",NULL,\"\"NULL\"\",\"\"\"\"}\",\"{1.50,-0.01}\",\"{P-1M,PT0S}\"\n\
               2,P-1DT-2H,{},{},{},{}\n3,,,,,\n";
    let types = ["int32", "interval", "int32[]", "text[]", "decimal(5,2)[]", "interval[]"];
    let columns = ["id", "span", "numbers", "words", "prices", "spans"].into_iter().zip(types);
    let columns: String = columns.map(|(name, kind)| format!("<column name=\"{name}\" type=\"{kind}\"/>")).collect();
    let read = format!(
        "<dataStore name=\"store\"><item>{csv}</item><itemCursor name=\"csv\"/></dataStore>\
         <csvToRows name=\"read\"><csvInput from=\"csv\"/><rows name=\"rows\"/>{columns}</csvToRows>"
    );
    // A table that is made for them, and rows that are added to it.
    for (settings, rows) in [("tableName=\"kept\" create=\"true\"", 3), ("tableName=\"kept\"", 6)] {
        let content = [&*read, &into(settings)].concat();
        assert_eq!(stage.output(&content, "loaded").await, "<updateCount>3</updateCount>");
        assert_eq!(stage.rows("SELECT count(*) FROM kept").await, format!("{rows}\n"));
    }
    let kept = stage.rows("SELECT DISTINCT id, span, numbers, words, prices, spans FROM kept ORDER BY id").await;
    assert_eq!(kept, csv);
}

async fn a_load_that_need_not_be_whole_loads_what_it_can_and_tells_what_it_cannot(kind: Kind) {
    let stage = Stage::new(kind).await;
    stage.run(&["CREATE TABLE number (id BIGINT PRIMARY KEY)"]).await;
    let target = into("tableName=\"number\" transactionally=\"false\"");
    let good = [query("SELECT 1 AS id UNION ALL SELECT 2"), target.clone()].concat();
    assert_eq!(stage.output(&good, "loaded").await, "<updateCount>2</updateCount>");
    stage.run(&["DELETE FROM number"]).await;
    // The last row has a key that is there.
    let content = [numbers(&stage), target].concat();
    stage.perform(&content).await.is_fault(422, "ActivityFailed").says("SqlError");
    let stays: u32 = stage.rows("SELECT count(*) FROM number").await.trim().parse().unwrap();
    assert!(stays <= 5000, "{stays}");
    assert_eq!(stage.rows("SELECT count(*) FROM number WHERE id BETWEEN 1 AND 5000").await.trim(), stays.to_string());
}

async fn a_load_that_need_not_be_whole_leaves_the_transaction_usable(kind: Kind) {
    let stage = Stage::new(kind).await;
    stage.run(&["CREATE TABLE number (id BIGINT PRIMARY KEY)"]).await;
    let begin = "<session/><transactionManagement name=\"t\"><begin/></transactionManagement>";
    let join = format!("<session id=\"{}\"/>", stage.perform(begin).await.is_completed().session_id());
    let insert = update("INSERT INTO number VALUES (9000)");
    stage.perform(&[join.as_str(), &insert].concat()).await.is_completed();
    let load = into("tableName=\"number\" transactionally=\"false\"");
    stage.perform(&[join.as_str(), &numbers(&stage), &load].concat()).await.is_fault(422, "ActivityFailed");
    let commit = "<transactionManagement name=\"t\"><commit/></transactionManagement>";
    stage.perform(&[&join, commit].concat()).await.is_completed();
    assert_eq!(stage.rows("SELECT id FROM number WHERE id = 9000").await, "9000\n");
}
