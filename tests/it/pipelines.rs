//! What activities do together, through HTTP.

use crate::context::Context;

const PERTH: &str = r#"<sqlQueryStatement name="find">
  <sqlParameter position="1">Perth</sqlParameter>
  <expression>SELECT id, name, phone FROM customer WHERE town = ? ORDER BY id</expression>
  <resultStream name="rows"/>
</sqlQueryStatement>"#;

#[tokio::test]
async fn a_query_comes_back_as_csv_in_the_response_document() {
    let context = Context::new().await;
    let csv = r#"<sqlResultsToCSV name="format"><resultSet from="rows"/><csvOutput name="csv"/></sqlResultsToCSV>"#;
    let reply = context.perform(&format!("{PERTH}{csv}")).await;
    reply.is_completed().says("<![CDATA[1,Ada,0131\n3,<Grace>,\"\"\n]]>");
    for status in [r#"<result name="find" status="COMPLETED"/>"#, r#"<result name="format" status="COMPLETED"/>"#] {
        reply.says(status);
    }
}

#[tokio::test]
async fn csv_options_are_those_of_the_catalogue() {
    let context = Context::new().await;
    let query = r#"<sqlQueryStatement name="find"><expression>SELECT name, phone FROM customer ORDER BY id</expression>
        <resultStream name="rows"/></sqlQueryStatement>"#;
    for (options, expected) in [
        ("", "Ada,0131\nCarl & Co,\n<Grace>,\"\"\n"),
        (r#"<delimiter value=";"/>"#, "Ada;0131\nCarl & Co;\n<Grace>;\"\"\n"),
        (r#"<lineBreak value="CRLF"/>"#, "Ada,0131\r\nCarl & Co,\r\n<Grace>,\"\"\r\n"),
        (r#"<nullDataStr value="\N"/>"#, "Ada,0131\nCarl & Co,\\N\n<Grace>,\n"),
        (r#"<includeHeader value="true"/>"#, "name,phone\nAda,0131\nCarl & Co,\n<Grace>,\"\"\n"),
        (r#"<escapeFields value="false"/>"#, "Ada,0131\nCarl & Co,\n<Grace>,\n"),
    ] {
        let csv = format!(
            r#"<sqlResultsToCSV name="f"><resultSet from="rows"/><csvOutput name="csv"/>{options}</sqlResultsToCSV>"#
        );
        let reply = context.raw(&format!("{query}{csv}"), "csv").await;
        assert_eq!((reply.status, reply.text.as_str()), (200, expected), "{options}");
        assert_eq!(reply.header("content-type"), "text/csv; charset=utf-8");
    }
}

#[tokio::test]
async fn a_query_comes_back_as_a_web_row_set() {
    let context = Context::new().await;
    let xml = r#"<sqlResultsToXML name="format"><resultSet from="rows"/><webRowSet name="table"/></sqlResultsToXML>"#;
    let reply = context.raw(&format!("{PERTH}{xml}"), "table").await;
    assert_eq!(reply.header("content-type"), "application/xml");
    reply
        .says("<currentRow><columnValue>3</columnValue><columnValue>&lt;Grace&gt;</columnValue><columnValue></columnValue></currentRow>")
        .says("<column-name>phone</column-name>");
}

#[tokio::test]
async fn an_update_changes_all_or_nothing() {
    let context = Context::new().await;
    let update = |sql: &str| {
        format!(
            r#"<sqlUpdateStatement name="u"><expression>{sql}</expression><resultStream name="n"/></sqlUpdateStatement>"#
        )
    };
    let reply = context.raw(&update("UPDATE customer SET credit = 1 WHERE town = 'Perth'"), "n").await;
    assert_eq!(reply.text, "<updateCount>2</updateCount>");
    context
        .perform(&update(
            "INSERT INTO customer SELECT id + 2, name, town, phone, credit FROM customer ORDER BY id DESC",
        ))
        .await
        .is_fault(422, "ActivityFailed")
        .says("SqlError");
    assert_eq!(count(&context).await, "3\n");
}

async fn count(context: &Context) -> String {
    let content = r#"<sqlQueryStatement name="q"><expression>SELECT count(*) FROM customer</expression><resultStream name="r"/></sqlQueryStatement>
        <sqlResultsToCSV name="f"><resultSet from="r"/><csvOutput name="csv"/></sqlResultsToCSV>"#;
    context.raw(content, "csv").await.text
}

#[tokio::test]
async fn a_query_activity_cannot_write() {
    let context = Context::new().await;
    for sql in [
        "DELETE FROM customer",
        "INSERT INTO customer VALUES (9, 'x', 'y', NULL, 0) RETURNING id",
        "WITH gone AS (SELECT 1) DELETE FROM customer RETURNING id",
        "PRAGMA user_version = 7",
        "ATTACH 'other.db' AS other",
        "SELECT 1; DELETE FROM customer",
    ] {
        let content = format!(
            r#"<sqlQueryStatement name="q"><expression>{sql}</expression><resultStream name="r"/></sqlQueryStatement>
            <sqlResultsToCSV name="f"><resultSet from="r"/><csvOutput name="csv"/></sqlResultsToCSV>"#
        );
        context.perform(&content).await.is_fault(422, "ActivityFailed");
    }
    assert_eq!(count(&context).await, "3\n");
}

#[tokio::test]
async fn parameters_are_bound_and_never_spliced() {
    let context = Context::new().await;
    let content = r#"<sqlQueryStatement name="q">
            <sqlParameter position="1">' OR 1=1 --</sqlParameter>
            <expression>SELECT count(*) FROM customer WHERE name = ?</expression><resultStream name="r"/></sqlQueryStatement>
        <sqlResultsToCSV name="f"><resultSet from="r"/><csvOutput name="csv"/></sqlResultsToCSV>"#;
    assert_eq!(context.raw(content, "csv").await.text, "0\n");
}

#[tokio::test]
async fn parameters_from_a_stream_run_the_statement_once_for_each() {
    let context = Context::new().await;
    let content = r#"<dataStore name="ids"><item>3</item><item>1</item><itemCursor name="id"/></dataStore>
        <sqlQueryStatement name="q"><sqlParameter position="1" from="id"/>
            <expression>SELECT name FROM customer WHERE id = ?</expression><resultStream name="r"/></sqlQueryStatement>
        <sqlResultsToCSV name="f"><resultSet from="r"/><csvOutput name="csv"/></sqlResultsToCSV>"#;
    assert_eq!(context.raw(content, "csv").await.text, "<Grace>\nAda\n");
}

#[tokio::test]
async fn a_projection_feeds_an_update() {
    let context = Context::new().await;
    let content = r#"<sqlQueryStatement name="q"><expression>SELECT id, town FROM customer WHERE town = 'Perth'</expression>
            <resultStream name="r"/></sqlQueryStatement>
        <resultsetProjection name="p"><resultsetInput from="r"/><attributeName>id</attributeName><attributeValuesOutput name="ids"/></resultsetProjection>
        <sqlUpdateStatement name="u"><sqlParameter position="1" from="ids"/>
            <expression>UPDATE customer SET credit = 100 WHERE id = ?</expression><resultStream name="n"/></sqlUpdateStatement>"#;
    assert_eq!(context.raw(content, "n").await.text, "<updateCount>2</updateCount>");
}

#[tokio::test]
async fn tokens_and_blocks_are_cut_and_joined() {
    let context = Context::new().await;
    let content = r#"<echo name="e"><text>a,b;;c</text><output name="text"/></echo>
        <stringTokenizer name="t"><stringBlocksInput from="text"/><delimiters value=",;"/><stringTokensOutput name="tokens"/></stringTokenizer>
        <blockAggregator name="g"><input from="tokens"/><blocksize size="2"/><output name="pairs"/></blockAggregator>"#;
    let reply = context.perform(content).await;
    reply.is_completed().says(r#"<result name="pairs" status="COMPLETED""#);
    assert_eq!(context.raw(content, "pairs").await.text, "abc");
}

#[tokio::test]
async fn the_steps_of_a_sequence_run_one_after_the_other() {
    let context = Context::new().await;
    let content = r#"<sequence>
        <sqlUpdateStatement name="make"><expression>CREATE TABLE step (n INTEGER)</expression></sqlUpdateStatement>
        <sqlUpdateStatement name="fill"><expression>INSERT INTO step VALUES (7)</expression></sqlUpdateStatement>
        <flow>
          <sqlQueryStatement name="q"><expression>SELECT n FROM step</expression><resultStream name="r"/></sqlQueryStatement>
          <sqlResultsToCSV name="f"><resultSet from="r"/><csvOutput name="csv"/></sqlResultsToCSV>
        </flow>
    </sequence>"#;
    assert_eq!(context.raw(content, "csv").await.text, "7\n");
}

#[tokio::test]
async fn a_failed_step_of_a_sequence_keeps_the_later_ones_from_starting() {
    let context = Context::new().await;
    let content = r#"<sequence>
        <sqlUpdateStatement name="wrong"><expression>DELETE FROM nowhere</expression></sqlUpdateStatement>
        <sqlUpdateStatement name="never"><expression>DELETE FROM customer</expression></sqlUpdateStatement>
    </sequence>"#;
    context.perform(content).await.is_fault(422, "ActivityFailed").says("nowhere").at(3, 9);
    assert_eq!(count(&context).await, "3\n");
}

#[tokio::test]
async fn two_large_end_points_both_come_back() {
    let context = Context::new().await;
    // Each is far more than is held back.
    let numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i &lt; 60000) SELECT i, printf('%050d', i) FROM n";
    let one = |name: &str| {
        format!(
            r#"<sqlQueryStatement name="q{name}"><expression>{numbers}</expression><resultStream name="r{name}"/></sqlQueryStatement>
            <sqlResultsToCSV name="f{name}"><resultSet from="r{name}"/><csvOutput name="csv{name}"/></sqlResultsToCSV>"#
        )
    };
    let reply = context.perform(&format!("{}{}", one("a"), one("b"))).await;
    reply.is_completed();
    assert_eq!(reply.text.matches("00060000\n").count(), 2);
    assert!(reply.text.contains("<result name=\"csva\" status=\"PROCESSING\""), "it outgrew what is held back");
}

#[tokio::test]
async fn many_queries_in_one_document_do_not_wait_for_each_other_for_ever() {
    let context = Context::new().await;
    // The second are more than may be open in the process at a time.
    for (queries, rows, width) in [(20, 20_000, 50), (200, 4_000, 200)] {
        let numbers = format!(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i &lt; {rows}) SELECT printf('%0{width}d', i) FROM n"
        );
        let content: String = (0..queries)
            .map(|name| {
                format!(
                    r#"<sqlQueryStatement name="q{name}"><expression>{numbers}</expression><resultStream name="r{name}"/></sqlQueryStatement>
                    <sqlResultsToCSV name="f{name}"><resultSet from="r{name}"/><csvOutput name="csv{name}"/></sqlResultsToCSV>"#
                )
            })
            .collect();
        let reply = context.perform(&content).await;
        reply.is_completed();
        assert_eq!(reply.text.matches(&format!("000{rows}\n")).count(), queries);
    }
}

#[tokio::test]
async fn text_that_holds_the_end_of_a_cdata_section_comes_back_as_it_was() {
    let context = Context::new().await;
    let reply = context.perform("<echo name=\"e\"><text>a]]&gt;b &amp; c</text><output name=\"o\"/></echo>").await;
    reply.is_completed();
    let document = reply.text.replace("]]]]><![CDATA[>", "]]>");
    assert!(document.contains("a]]>b & c"), "{document}");
}

#[tokio::test]
async fn a_document_without_activities_is_legal() {
    let context = Context::new().await;
    context.perform("").await.is_completed();
}

#[tokio::test]
async fn a_statement_that_never_ran_gives_a_row_set_without_columns() {
    let context = Context::new().await;
    let content = r#"<dataStore name="ids"><itemCursor name="id"/></dataStore>
        <sqlQueryStatement name="q"><sqlParameter position="1" from="id"/>
            <expression>SELECT name FROM customer WHERE id = ?</expression><resultStream name="r"/></sqlQueryStatement>
        <sqlResultsToXML name="f"><resultSet from="r"/><webRowSet name="table"/></sqlResultsToXML>"#;
    context.raw(content, "table").await.says("<column-count>0</column-count>").says("</webRowSet>");
}

#[tokio::test]
async fn xml_from_a_stream_is_kept_as_an_element() {
    let context = Context::new().await;
    let content = r#"<echo name="e"><text>&lt;?xml version="1.0"?&gt;&lt;a b="c"/&gt;</text><output name="x"/></echo>
        <sessionAttributeManagement name="s"><setAttribute name="x" type="xml" from="x"/><output name="o"/></sessionAttributeManagement>"#;
    assert_eq!(context.raw(content, "o").await.text, r#"<attribute name="x" type="xml"><a b="c"/></attribute>"#);
}
