//! Bad input: a clear error with its place, its documented status, and nothing changed.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::context::{Context, Reply, perform};

async fn send(context: &Context, body: impl Into<reqwest::Body>) -> Reply {
    let request = context.client.post(context.url()).header("content-type", "application/xml").body(body);
    Reply::of(request.send().await.unwrap()).await
}

#[tokio::test]
async fn documents_that_are_not_well_formed_are_refused_with_their_place() {
    let context = Context::new().await;
    let whole = perform("<echo name=\"e\"><text>hello</text></echo>");
    for end in 0..whole.len() {
        let reply = send(&context, whole[..end].to_owned()).await;
        assert!(reply.status == 400 && reply.text.contains("<location "), "{}: {}", &whole[..end], reply.text);
    }
    send(&context, perform("<echo name=\"e\"><text>hello</echo>")).await.is_fault(400, "DocumentMalformed").at(2, 27);
    send(&context, b"\xff\xfe<\x00".to_vec()).await.is_fault(400, "DocumentMalformed");
    send(&context, perform("<echo name=\"e\"><text>\u{1}</text></echo>"))
        .await
        .is_fault(400, "DocumentMalformed")
        .at(2, 22);
    let mut not_utf8 = perform("<echo name=\"e\"><text>X</text></echo>").into_bytes();
    let place = not_utf8.iter().position(|&byte| byte == b'X').unwrap();
    not_utf8[place] = 0xFF;
    send(&context, not_utf8).await.is_fault(400, "DocumentMalformed").at(2, 22);
}

#[tokio::test]
async fn utf_16_is_read_where_xml_says_so() {
    let context = Context::new().await;
    let document = perform("<echo name=\"e\"><text>grüß</text><output name=\"o\"/></echo>");
    let utf_16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let mut with_bom = vec![0xFF, 0xFE];
    with_bom.extend(utf_16(&document));
    send(&context, with_bom).await.is_completed().says("grüß");
    send(&context, utf_16(&document)).await.is_fault(400, "DocumentMalformed");
    send(&context, utf_16(&format!("<?xml version=\"1.0\" encoding=\"UTF-16LE\"?>{document}"))).await.is_completed();
}

#[tokio::test]
async fn a_dtd_and_its_entities_are_refused() {
    let context = Context::new().await;
    let bomb = format!(
        "<!DOCTYPE perform [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;&a;&a;\">]>{}",
        perform("<echo name=\"e\"><text>&b;</text></echo>")
    );
    send(&context, bomb).await.is_fault(400, "DocumentMalformed").at(1, 1).says("DTD");
    send(&context, perform("<echo name=\"e\"><text>&b;</text></echo>"))
        .await
        .is_fault(400, "DocumentMalformed")
        .at(2, 22);
}

#[tokio::test]
async fn what_goes_over_a_bound_is_refused() {
    let context = Context::new().await;
    let deep = format!("{}{}", "<flow>".repeat(10_000), "</flow>".repeat(10_000));
    send(&context, perform(&deep)).await.is_fault(413, "DocumentTooLarge");
    // A gigabyte of text that says how large it is: refused before it is sent.
    let mut stream = TcpStream::connect(context.server.address()).await.unwrap();
    let head = "POST /services/data HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/xml\r\ncontent-length: 1073741824\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 512];
    let read = stream.read(&mut answer).await.unwrap();
    assert!(answer[..read].starts_with(b"HTTP/1.1 413"), "{}", String::from_utf8_lossy(&answer[..read]));
}

#[tokio::test]
async fn a_gigabyte_of_text_without_a_length_is_refused_when_it_goes_over_the_bound() {
    let context = Context::new().await;
    let chunk = bytes::Bytes::from(vec![b'x'; 1 << 20]);
    let start = futures_util::stream::iter([bytes::Bytes::from(perform("<echo name=\"e\"><text>").into_bytes())]);
    let chunks =
        futures_util::StreamExt::chain(start, futures_util::stream::iter((0..1024).map(move |_| chunk.clone())));
    let body = reqwest::Body::wrap_stream(futures_util::StreamExt::map(chunks, Ok::<_, std::io::Error>));
    let request = context.client.post(context.url()).header("content-type", "application/xml").body(body);
    // The server may close the connection while the client still writes.
    if let Ok(response) = request.send().await {
        Reply::of(response).await.is_fault(413, "DocumentTooLarge");
    }
    context.perform("").await.is_completed();
}

#[tokio::test]
async fn misspelt_names_get_the_nearest_known_one() {
    let context = Context::new().await;
    context
        .perform("<sqlQueryStatment name=\"q\"/>")
        .await
        .is_fault(400, "UnknownActivity")
        .at(2, 1)
        .says("did you mean `sqlQueryStatement`?");
    context.perform("<echo nane=\"e\"/>").await.is_fault(400, "DocumentInvalid").says("name");
    context
        .perform("<echo name=\"e\"><txt>x</txt></echo>")
        .await
        .is_fault(400, "DocumentInvalid")
        .at(2, 16)
        .says("did you mean `text`?");
    context.perform("<session idd=\"x\"/>").await.is_fault(400, "DocumentInvalid").says("did you mean `id`?");
    let wrong = "<perform xmlns=\"http://example.org/other\"/>";
    send(&context, wrong)
        .await
        .is_fault(400, "DocumentInvalid")
        .at(1, 1)
        .says("http://ogsadai.org.uk/namespaces/2005/10/types");
}

#[tokio::test]
async fn streams_that_do_not_fit_are_refused_before_anything_runs() {
    let context = Context::new().await;
    let update = "<sqlUpdateStatement name=\"u\"><expression>DELETE FROM customer</expression></sqlUpdateStatement>\n";
    let echo =
        |name: &str, output: &str| format!("<echo name=\"{name}\"><text>x</text><output name=\"{output}\"/></echo>\n");
    let join = |name: &str, from: &str, to: &str| {
        format!(
            "<blockAggregator name=\"{name}\"><input from=\"{from}\"/><blocksize size=\"1\"/><output name=\"{to}\"/></blockAggregator>\n"
        )
    };
    for (content, code, says) in [
        (format!("{}{}", echo("a", "s"), echo("a", "t")), "DocumentInvalid", "`a`"),
        (format!("{}{}", echo("a", "s"), echo("b", "s")), "StreamInvalid", "second stream of the name `s`"),
        (format!("{}{}", echo("a", "rows"), join("b", "rowz", "t")), "StreamInvalid", "did you mean `rows`?"),
        (format!("{}{}{}", echo("a", "s"), join("b", "s", "t"), join("c", "s", "v")), "StreamInvalid", "one reader"),
        (format!("{}{}", join("a", "y", "x"), join("b", "x", "y")), "StreamInvalid", "cycle"),
        (
            format!(
                "{}<sqlUpdateStatement name=\"b\"><sqlParameter position=\"1\" from=\"s\"/><expression from=\"s\"/></sqlUpdateStatement>",
                echo("a", "s")
            ),
            "StreamInvalid",
            "one reader",
        ),
        (
            "<sqlQueryStatement name=\"q\"><expression>SELECT 1</expression><resultStream name=\"r\"/></sqlQueryStatement>".into(),
            "StreamInvalid",
            "sqlResultsToCSV",
        ),
        (
            format!("{}<sqlResultsToCSV name=\"f\"><resultSet from=\"s\"/><csvOutput name=\"c\"/></sqlResultsToCSV>", echo("a", "s")),
            "StreamInvalid",
            "carries text",
        ),
        (format!("<sequence>{}{}</sequence>", echo("a", "s"), join("b", "s", "t")), "StreamInvalid", "sequence"),
    ] {
        context.perform(&format!("{update}{content}")).await.is_fault(400, code).says(says).says("<location ");
    }
    let kept = r#"<sqlQueryStatement name="q"><expression>SELECT count(*) FROM customer</expression><resultStream name="r"/></sqlQueryStatement>
        <sqlResultsToCSV name="f"><resultSet from="r"/><csvOutput name="csv"/></sqlResultsToCSV>"#;
    assert_eq!(context.raw(kept, "csv").await.text, "3\n");
}

/// Behaviours 18 and 19.
#[tokio::test]
async fn sql_errors_leave_the_session_joinable_and_unchanged() {
    let context = Context::new().await;
    let id = context.create().await;
    for sql in
        ["SELEC 1", "SELECT * FROM nowhere", "SELECT ? , ?", "SELECT 1 WHERE", "SELECT abs(-9223372036854775807 - 1)"]
    {
        let content = format!(
            r#"<session id="{id}"/>
            <sessionAttributeManagement name="set"><setAttribute name="left" type="text">over</setAttribute></sessionAttributeManagement>
            <sqlQueryStatement name="q"><expression>{sql}</expression><resultStream name="r"/></sqlQueryStatement>
            <sqlResultsToCSV name="f"><resultSet from="r"/><csvOutput name="csv"/></sqlResultsToCSV>"#
        );
        context.perform(&content).await.is_fault(422, "ActivityFailed").says("SqlError").says("<location ");
    }
    let list =
        r#"<sessionAttributeManagement name="l"><listAttributes/><output name="o"/></sessionAttributeManagement>"#;
    context.perform(&format!("<session id=\"{id}\"/>{list}")).await.is_completed().says("<attributes count=\"0\">");
}

#[tokio::test]
async fn a_body_that_comes_too_slowly_is_not_waited_for() {
    let context =
        Context::with(|builder, resource| builder.resource(resource).body_timeout(Duration::from_millis(50))).await;
    let mut stream = TcpStream::connect(context.server.address()).await.unwrap();
    let head = "POST /services/data HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/xml\r\ncontent-length: 1000\r\n\r\n<";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("RequestTimedOut"), "{answer}");
}

#[tokio::test]
async fn other_types_methods_and_resources_are_refused_with_what_to_do() {
    let context = Context::new().await;
    let form = context.client.post(context.url()).header("content-type", "application/x-www-form-urlencoded").body("x");
    Reply::of(form.send().await.unwrap()).await.is_fault(415, "UnsupportedMediaType");
    let wrong = context.client.post(format!("{}/services/date", context.server.url())).body(perform(""));
    Reply::of(wrong.send().await.unwrap()).await.is_fault(404, "ResourceNotFound").says("did you mean `data`?");
    let delete = context.client.delete(context.url());
    assert_eq!(delete.send().await.unwrap().status(), 405);
    let query = context.post("").query(&[("retrun", "x")]);
    Reply::of(query.send().await.unwrap()).await.is_fault(400, "RequestInvalid").says("return");
    let end_point = context.raw("<echo name=\"e\"><text>x</text><output name=\"said\"/></echo>", "sad").await;
    end_point.is_fault(400, "StreamInvalid").says("did you mean `said`?");
}

#[tokio::test]
async fn a_fault_comes_as_problem_json_where_that_is_asked_for() {
    let context = Context::new().await;
    let request = context.post("<nothing name=\"n\"/>").header("accept", "application/problem+json");
    let reply = Reply::of(request.send().await.unwrap()).await;
    assert_eq!(reply.header("content-type"), "application/problem+json");
    let problem: serde_json::Value = serde_json::from_str(&reply.text).unwrap();
    assert_eq!(problem["code"], "UnknownActivity");
    assert_eq!(problem["status"], 400);
    assert_eq!(problem["location"]["line"], 2);
}
