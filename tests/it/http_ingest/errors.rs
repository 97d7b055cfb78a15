//! What goes wrong.

use std::time::Duration;

use rejoin::document::{Located, PropertyConfiguration, WebConfiguration};

use super::{Bench, lines};
use crate::scripted::{Script, json, pass, status};

const URI: (&str, &str) = ("ms.source.uri", "/records");
const PAGES: (&str, &str) = ("ms.pagination", r#"{"initialvalues":[0,1]}"#);

/// The answer after a good first page.
async fn after_a_page(answer: crate::scripted::Answer, more: &[(&str, &str)]) -> super::Pulled {
    let bench = Bench::over(Script::of([json(r#"[{"n":1}]"#), answer])).await;
    let mut properties = vec![URI, PAGES];
    properties.extend(more);
    bench.pull(&properties).await
}

#[tokio::test]
async fn er_1_a_status_that_is_an_error_fails() {
    let pulled = after_a_page(status(500).body("the disk\nis full"), &[]).await;
    pulled.has_failed("HttpIngestFailed", "the answer is 500 Internal Server Error: the disk is full");
}

#[tokio::test]
async fn er_2_a_status_may_be_a_warning() {
    let statuses = ("ms.http.statuses", r#"{"success":[200],"warning":[404]}"#);
    after_a_page(status(404), &[statuses]).await.is_completed().gave(["n", "1"]).by(["nextPage", "warning"]);
}

#[tokio::test]
async fn er_3_a_status_below_400_may_be_an_error() {
    let statuses = ("ms.http.statuses", r#"{"success":[200],"error":[206]}"#);
    after_a_page(status(206), &[statuses]).await.has_failed("HttpIngestFailed", "the answer is 206 Partial Content");
}

#[tokio::test]
async fn er_5_r19_a_reason_may_be_an_error() {
    let reasons = ("ms.http.status.reasons", r#"{"error":["Quota Exceeded"]}"#);
    let pulled = after_a_page(json("[]").reason("Quota Exceeded"), &[reasons]).await;
    pulled.has_failed("HttpIngestFailed", "the answer is 200 Quota Exceeded");
}

#[tokio::test]
async fn er_6_r22_an_answer_of_another_type_fails_with_its_beginning() {
    let page = status(200).header("content-type", "text/html; charset=utf-8").body("<html>\n <b>Sign in</b>");
    let pulled = after_a_page(page, &[]).await;
    pulled.has_failed("HttpIngestUnreadable", "`text/html`; application/json expected; it begins with");
}

#[tokio::test]
async fn er_7_a_connection_that_breaks_off_fails() {
    for answer in [json("[]").reset(), json(r#"[{"n":2}]"#).reset_after(4)] {
        after_a_page(answer, &[]).await.has_failed("HttpIngestUnreachable", "");
    }
}

#[tokio::test]
async fn er_7_a_connection_that_is_refused_fails() {
    let mut bench = Bench::over(Script::of([])).await;
    bench.server.close().await;
    bench.pull(&[URI]).await.has_failed("HttpIngestUnreachable", "refused");
}

#[tokio::test]
async fn er_8_fewer_records_than_expected_fail() {
    let pulled = after_a_page(json("[]"), &[("ms.work.unit.min.records", "2")]).await;
    pulled.has_failed("HttpIngestFailed", "1 records came, and at least 2 were expected");
}

#[tokio::test]
async fn r23_records_that_are_not_where_they_should_be_fail_a_single_answer() {
    let bench = Bench::over(Script::of([json(r#"{"error":"none"}"#)])).await;
    let pulled = bench.pull(&[URI, ("ms.data.field", "items")]).await;
    pulled.has_failed("HttpIngestUnreadable", "no records where `ms.data.field` says");
}

#[tokio::test]
async fn r27_a_property_that_there_is_not_is_refused_before_a_request() {
    let bench = Bench::over(Script::of([])).await;
    let pulled = bench.pull(&[URI, ("ms.parameter", "[]")]).await;
    pulled.has_failed("DocumentInvalid", "did you mean `ms.parameters`?");
    assert_eq!(bench.server.count(), 0);
}

#[tokio::test]
async fn more_units_than_fit_into_memory_are_refused() {
    let bench = Bench::over(Script::of([])).await;
    let pulled = bench
        .pull(&[
            ("ms.source.uri", "/orders?from={{from}}"),
            ("ms.watermark", r#"[{"name":"w","type":"datetime","range":{"from":"2000-01-01","to":"2026-01-01"}}]"#),
            ("ms.work.unit.partition", "hourly"),
            (
                "ms.parameters",
                r#"[{"name":"from","type":"watermark","watermark":"w","value":"low","format":"epoc-second"}]"#,
            ),
        ])
        .await;
    pulled.has_failed("HttpIngestFailed", "there are more than 100000 units");
    assert_eq!(bench.server.count(), 0);
}

#[tokio::test]
async fn a_record_that_does_not_fit_the_first_page_is_named() {
    let pulled = after_a_page(json(r#"[{"n":2},{"n":"x"}]"#), &[]).await;
    pulled.has_failed("HttpIngestUnreadable", "page 2, record 2, field `n`: `x`, a text, does not fit the type int64");
}

#[tokio::test]
async fn what_is_no_json_is_named_by_its_place() {
    after_a_page(json(r#"[{"n":2},"#), &[])
        .await
        .has_failed("HttpIngestUnreadable", "page 2 can't be read: it is no JSON");
}

#[tokio::test]
async fn a_body_that_is_too_long_is_not_read_to_its_end() {
    let pulled = after_a_page(json("[1, 2, 3]").endless(), &[("rejoin.page.bytes", "100000")]).await;
    pulled.has_failed("HttpIngestUnreadable", "page 2 is longer than 100000 bytes");
}

#[tokio::test]
async fn the_bytes_of_a_page_are_limited_by_the_operator_whatever_the_author_says() {
    let limit = |web: &mut WebConfiguration| {
        let key = Located::from("rejoin.page.bytes".to_owned());
        web.properties.push(PropertyConfiguration { key, value: "1000".to_owned() });
    };
    let long = || json(format!("[{}1]", "1,".repeat(1000)));
    let bench = Bench::reaching(Script::of([long(), long()]), limit).await;
    let pulled = bench.pull(&[URI, ("rejoin.page.bytes", "100000")]).await;
    pulled.has_failed("DocumentInvalid", "rejoin.page.bytes: expected at most 1000");
    assert_eq!(bench.server.count(), 0);
    bench.pull(&[URI]).await.has_failed("HttpIngestUnreadable", "page 1 is longer than 1000 bytes");
    bench.pull(&[URI, ("rejoin.page.bytes", "500")]).await.has_failed("HttpIngestUnreadable", "longer than 500 bytes");
}

#[tokio::test]
async fn a_secret_is_in_no_address_of_the_log_and_in_no_error() {
    let bench = Bench::over(Script::by(|request| status(403).body(format!("no right: {}", request.target)))).await;
    let token = "<echo name=\"given\"><text>access_token,id\nt0k/en 7,9\n</text><output name=\"text\"/></echo>
        <csvToRows name=\"read\"><csvInput from=\"text\"/><rows name=\"tokens\"/><includeHeader value=\"true\"/></csvToRows>";
    let secondary = r#"[{"path":"tokens","fields":["access_token"],"category":"authentication"},{"path":"tokens","fields":["id"]}]"#;
    let uri = ("ms.source.uri", "/{{access_token}}/records/{{id}}?key={{access_token}}");
    let warns = ("ms.http.statuses", r#"{"success":[200],"warning":[403]}"#);
    for more in [&[][..], &[warns]] {
        let properties: Vec<_> = [uri, ("ms.secondary.input", secondary)].iter().chain(more).copied().collect();
        let pulled = bench.pull_in(token, &properties, "<secondary from=\"tokens\"/>").await;
        let text = &pulled.reply.text;
        let sent = bench.server.requests().pop().unwrap().target;
        assert_eq!(sent, "/t0k%2Fen%207/records/9?key=t0k%2Fen+7");
        assert!(!["t0k", "en%207", "en+7"].iter().any(|part| text.contains(part)), "{text}");
        match more {
            [] => drop(
                pulled.has_failed("HttpIngestFailed", "the answer is 403 Forbidden: no right: /***/records/9?key=***"),
            ),
            _ => assert!(lines(&pulled.reply, "decisions")[0].contains("/***/records/9,403"), "{text}"),
        }
    }
}

#[tokio::test]
async fn a_secret_is_hidden_where_it_is_cut_off_and_where_it_is_encoded() {
    let bench = Bench::over(Script::by(|request| {
        let named = |(name, _): &&(String, String)| name.eq_ignore_ascii_case("authorization");
        let said = request.headers.iter().find(named).map_or("", |(_, value)| value);
        status(403).body(format!("no right: {said}"))
    }))
    .await;
    let token = "s3same".repeat(100);
    let given = format!("<echo name=\"given\"><text>user,password\nada,{token}\n</text><output name=\"text\"/></echo>
        <csvToRows name=\"read\"><csvInput from=\"text\"/><rows name=\"tokens\"/><includeHeader value=\"true\"/></csvToRows>");
    let secondary = r#"[{"path":"tokens","fields":["user","password"],"category":"authentication"}]"#;
    let bearer = r#"{"method":"bearer","encryption":"none","header":"Authorization","token":"{{password}}"}"#;
    let basic = r#"{"method":"basic","encryption":"base64","header":"Authorization","token":"{{user}}:{{password}}"}"#;
    for (authentication, shown) in [(bearer, "no right: Bearer ***"), (basic, "no right: Basic ***")] {
        let properties = [URI, ("ms.secondary.input", secondary), ("ms.authentication", authentication)];
        let pulled = bench.pull_in(&given, &properties, "<secondary from=\"tokens\"/>").await;
        let text = &pulled.reply.text;
        assert!(!text.contains("s3same") && !text.contains("YWRhOnMzc2"), "{text}");
        pulled.has_failed("HttpIngestFailed", shown);
    }
}

#[tokio::test]
async fn a_request_is_sent_again_after_the_wait_that_the_server_asks_for() {
    let busy = || status(429).header("retry-after", "7");
    let bench = Bench::over(Script::of([busy(), status(503), json(r#"[{"n":1}]"#)])).await;
    let retry = r#"{"statuses":[429,503],"times":2,"backoff":{"first":3000,"factor":2,"longest":60000,"jitter":0}}"#;
    let pulled = bench.pull_while(&[URI, ("rejoin.retry", retry)], &[7000, 6000]).await;
    pulled.is_completed().gave(["n", "1"]).by(["retryStatus", "retryStatus", "oneAnswer"]);
}

#[tokio::test]
async fn er_4_r21_credentials_that_are_refused_are_asked_for_anew() {
    let token = |token: &str| json(format!("{{\"access_token\":\"{token}\"}}"));
    let script = Script::default()
        .at("POST /token", [token("t1"), token("t2")])
        .at("GET /records", [json(r#"[{"n":1}]"#), status(401), json("[{\"n\":2}]"), json("[]")]);
    let bench = Bench::over(script).await;
    let authenticate = r#"<authenticate delay="PT2S"><property key="ms.source.uri">/token</property>
        <property key="ms.http.request.method">POST</property><variable name="access_token" path="access_token"/></authenticate>"#;
    let header = ("ms.http.request.headers", r#"{"Authorization":"Bearer {{access_token}}"}"#);
    let properties = [URI, PAGES, header];
    let pulling = bench.pull_in("", &properties, authenticate);
    let (pulled, ()) = tokio::join!(pulling, pass(&bench.clock, Duration::from_secs(2)));
    pulled.is_completed().gave(["n", "1", "2"]).by(["nextPage", "credentials", "nextPage", "blankPage"]);
    let requests = bench.server.saw([
        "POST /token {}",
        "GET /records",
        "GET /records",
        "POST /token {}",
        "GET /records",
        "GET /records",
    ]);
    let sent: Vec<_> = requests.iter().filter_map(|request| request.header("authorization")).collect();
    assert_eq!(sent, ["Bearer t1", "Bearer t1", "Bearer t2", "Bearer t2"]);
}

#[tokio::test]
async fn er_4_credentials_that_are_not_given_fail_before_a_request() {
    let bench = Bench::over(Script::default().at("POST /token", [status(403)])).await;
    let authenticate = r#"<authenticate><property key="ms.source.uri">/token</property>
        <property key="ms.http.request.method">POST</property><variable name="access_token" path="access_token"/></authenticate>"#;
    let header = ("ms.http.request.headers", r#"{"Authorization":"Bearer {{access_token}}"}"#);
    let pulled = bench.pull_in("", &[URI, header], authenticate).await;
    pulled.has_failed("HttpIngestFailed", "authenticate: the answer is 403");
    bench.server.saw(["POST /token {}"]);
}

#[tokio::test]
async fn er_4_r21_credentials_are_read_again_after_a_while() {
    let bench = Bench::over(Script::of([status(401), json(r#"[{"n":1}]"#)])).await;
    let token = "<echo name=\"given\"><text>access_token\nt0k\n</text><output name=\"text\"/></echo>
        <csvToRows name=\"read\"><csvInput from=\"text\"/><rows name=\"tokens\"/><includeHeader value=\"true\"/></csvToRows>";
    let retry = r#"{"delayInSec":2,"retryCount":2}"#;
    let secondary =
        format!(r#"[{{"path":"tokens","fields":["access_token"],"category":"authentication","retry":{retry}}}]"#);
    let properties = [
        URI,
        ("ms.secondary.input", secondary.as_str()),
        ("ms.http.request.headers", r#"{"Authorization":"Bearer {{access_token}}"}"#),
    ];
    let pulling = bench.pull_in(token, &properties, "<secondary from=\"tokens\"/>");
    let (pulled, ()) = tokio::join!(pulling, pass(&bench.clock, Duration::from_secs(2)));
    pulled.is_completed().gave(["n", "1"]).by(["credentials", "oneAnswer"]);
    let requests = bench.server.saw(["GET /records", "GET /records"]);
    assert!(requests.iter().all(|request| request.header("authorization").as_deref() == Some("Bearer t0k")));
}
