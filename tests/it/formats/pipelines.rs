//! Formats in perform documents, from a database and into rows again.

use crate::context::Context;

const QUERY: &str = r#"<sqlQueryStatement name="q">
  <expression>SELECT id, name, phone, credit FROM customer ORDER BY id</expression><resultStream name="rows"/>
</sqlQueryStatement>"#;

const AS_CSV: &str = r#"<sqlResultsToCSV name="c"><resultSet from="again"/><csvOutput name="csv"/></sqlResultsToCSV>"#;

const EXPECTED: &str = "1,Ada,0131,10.5\n2,Carl & Co,,0.25\n3,<Grace>,\"\",-3\n";

#[tokio::test]
async fn rows_pass_through_every_format() {
    let context = Context::new().await;
    for (write, read) in [
        (
            r#"<sqlResultsToXML name="w"><resultSet from="rows"/><webRowSet name="x"/></sqlResultsToXML>"#,
            r#"<webRowSetToRows name="r"><webRowSetInput from="x"/><rows name="again"/></webRowSetToRows>"#,
        ),
        (
            r#"<sqlResultsToCSV name="w"><resultSet from="rows"/><csvOutput name="x"/></sqlResultsToCSV>"#,
            r#"<csvToRows name="r"><csvInput from="x"/><rows name="again"/></csvToRows>"#,
        ),
        (
            r#"<sqlResultsToArrow name="w"><resultSet from="rows"/><arrowOutput name="x"/></sqlResultsToArrow>"#,
            r#"<arrowToRows name="r"><arrowInput from="x"/><rows name="again"/></arrowToRows>"#,
        ),
        (
            r#"<sqlResultsToParquet name="w"><resultSet from="rows"/><parquetOutput name="x"/></sqlResultsToParquet>"#,
            r#"<parquetToRows name="r"><parquetInput from="x"/><rows name="again"/></parquetToRows>"#,
        ),
    ] {
        let reply = context.raw(&format!("{QUERY}{write}{read}{AS_CSV}"), "csv").await;
        assert_eq!((reply.status, reply.text.as_str()), (200, EXPECTED), "{write}");
    }
}

#[tokio::test]
async fn each_format_has_its_media_type() {
    let context = Context::new().await;
    for (format, media_type) in [
        (
            r#"<sqlResultsToJSON name="w"><resultSet from="rows"/><jsonOutput name="x"/></sqlResultsToJSON>"#,
            "application/json",
        ),
        (
            r#"<sqlResultsToJSON name="w"><resultSet from="rows"/><jsonOutput name="x"/><format value="lines"/></sqlResultsToJSON>"#,
            "application/x-ndjson",
        ),
        (
            r#"<sqlResultsToArrow name="w"><resultSet from="rows"/><arrowOutput name="x"/></sqlResultsToArrow>"#,
            "application/vnd.apache.arrow.stream",
        ),
        (
            r#"<sqlResultsToParquet name="w"><resultSet from="rows"/><parquetOutput name="x"/></sqlResultsToParquet>"#,
            "application/vnd.apache.parquet",
        ),
    ] {
        let reply = context.raw(&format!("{QUERY}{format}"), "x").await;
        assert_eq!((reply.status, reply.header("content-type")), (200, media_type), "{}", reply.text);
    }
}

#[tokio::test]
async fn what_can_not_be_read_is_the_clients_fault_and_says_where() {
    let context = Context::new().await;
    let given = |text: &str, read: &str| {
        let text = text.replace('<', "&lt;");
        format!(r#"<echo name="e"><text>{text}</text><output name="x"/></echo>{read}{AS_CSV}"#)
    };
    let typed =
        r#"<csvToRows name="r"><csvInput from="x"/><rows name="again"/><column name="n" type="int8"/></csvToRows>"#;
    let rowset = r#"<webRowSetToRows name="r"><webRowSetInput from="x"/><rows name="again"/></webRowSetToRows>"#;
    for (document, words) in [
        (given("1\n200\n", typed), "line 2, column `n`: `200` is no value of the type int8"),
        (given("<a/>", rowset), "the WebRowSet can't be read: its root is not `webRowSet`"),
        (given("<a", rowset), "the WebRowSet can't be read: "),
    ] {
        context.perform(&document).await.is_fault(422, "ActivityFailed").says(words);
    }
}

#[tokio::test]
async fn a_later_value_of_another_type_is_named_by_row_and_column() {
    let context = Context::new().await;
    let query = r#"<sqlQueryStatement name="q"><expression>
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i &lt; 3000)
        SELECT CASE WHEN i = 2500 THEN 'many' ELSE i END AS i FROM n</expression><resultStream name="rows"/></sqlQueryStatement>"#;
    let pack = r#"<sqlResultsToArrow name="w"><resultSet from="rows"/><arrowOutput name="x"/></sqlResultsToArrow>"#;
    let reply = context.perform(&format!("{query}{pack}")).await;
    reply.says("row 2500, column `i`: `many` is not of the type int64");
}
