//! From page to page.

use super::Bench;
use crate::scripted::{Answer, Script, csv, json, status};

const URI: (&str, &str) = ("ms.source.uri", "/records");
const DATA: (&str, &str) = ("ms.data.field", "items");
const OFFSETS: (&str, &str) =
    ("ms.parameters", r#"[{"name":"offset","type":"pagestart"},{"name":"limit","type":"pagesize"}]"#);

/// A page of records with these numbers, and more members.
fn items(numbers: &[u32], more: &str) -> Answer {
    let items: Vec<String> = numbers.iter().map(|number| format!("{{\"n\":{number}}}")).collect();
    json(format!("{{\"items\":[{}]{more}}}", items.join(",")))
}

#[tokio::test]
async fn as_8_r03_a_cursor_leads_on_until_it_is_blank() {
    for last in [",\"cursor\":null", ",\"cursor\":\"\"", ""] {
        let answers = [items(&[1], ",\"cursor\":\"c1\""), items(&[2], ",\"cursor\":\"c/2\""), items(&[3], last)];
        let bench = Bench::over(Script::of(answers)).await;
        let key = ("ms.session.key.field", r#"{"name":"cursor"}"#);
        let parameters = (OFFSETS.0, r#"[{"name":"cursor","type":"session"},{"name":"from","value":"2026"}]"#);
        let pulled = bench.pull(&[URI, DATA, key, parameters]).await;
        pulled.is_completed().gave(["n", "1", "2", "3"]).by(["nextPage", "nextPage", "keyBlank"]);
        bench.server.saw([
            "GET /records?from=2026",
            "GET /records?cursor=c1&from=2026",
            "GET /records?cursor=c%2F2&from=2026",
        ]);
    }
}

#[tokio::test]
async fn as_8_a_window_of_time_goes_with_every_page() {
    let answers = [items(&[1], ",\"records\":{\"cursor\":\"c1\"}"), items(&[2], ",\"records\":{\"cursor\":null}")];
    let bench = Bench::over(Script::of(answers)).await;
    let end = |name: &str, side: &str| {
        format!(
            r#"{{"name":"{name}","type":"watermark","watermark":"system","value":"{side}","format":"datetime","pattern":"yyyy-MM-dd","timezone":"UTC"}}"#
        )
    };
    let parameters =
        format!(r#"[{},{},{{"name":"cursor","type":"session"}}]"#, end("fromDate", "low"), end("toDate", "high"));
    let pulled = bench
        .pull(&[
            URI,
            DATA,
            (
                "ms.watermark",
                r#"[{"name":"system","type":"datetime","range":{"from":"2026-01-01","to":"2026-02-01"}}]"#,
            ),
            ("ms.session.key.field", r#"{"name":"records.cursor"}"#),
            (OFFSETS.0, parameters.as_str()),
        ])
        .await;
    pulled.is_completed().gave(["n", "1", "2"]).by(["nextPage", "keyBlank"]);
    bench.server.saw([
        "GET /records?fromDate=2026-01-01&toDate=2026-02-01",
        "GET /records?fromDate=2026-01-01&toDate=2026-02-01&cursor=c1",
    ]);
}

#[tokio::test]
async fn as_8_a_cursor_with_a_total_stops_when_it_is_reached() {
    let page = |number, cursor| items(&[number], &format!(",\"cursor\":\"{cursor}\",\"total\":2"));
    let bench = Bench::over(Script::of([page(1, "c1"), page(2, "c2")])).await;
    let key = ("ms.session.key.field", r#"{"name":"cursor"}"#);
    let parameters = (OFFSETS.0, r#"[{"name":"cursor","type":"session"}]"#);
    let pulled = bench.pull(&[URI, DATA, key, parameters, ("ms.total.count.field", "total")]).await;
    pulled.is_completed().by(["nextPage", "total"]);
}

#[tokio::test]
async fn as_9_the_end_of_a_stream_stops_pages() {
    let bench =
        Bench::over(Script::of([items(&[1, 2], ",\"end_of_stream\":false"), items(&[3], ",\"end_of_stream\":true")]))
            .await;
    let key = ("ms.session.key.field", r#"{"name":"end_of_stream","condition":{"regexp":"^true$"}}"#);
    let pulled = bench.pull(&[URI, DATA, key, OFFSETS, ("ms.pagination", r#"{"initialvalues":[0,2]}"#)]).await;
    pulled.is_completed().gave(["n", "1", "2", "3"]).by(["nextPage", "condition"]);
    bench.server.saw(["GET /records?offset=0&limit=2", "GET /records?offset=2&limit=2"]);
}

#[tokio::test]
async fn as_10_r14_a_first_value_may_be_blank() {
    let bench = Bench::over(Script::of([items(&[1], ",\"next\":\"c1\""), items(&[2], ",\"next\":\"\"")])).await;
    let pulled = bench
        .pull(&[
            ("ms.source.uri", "/records?next_page={{next_page}}"),
            ("ms.http.request.method", "POST"),
            DATA,
            ("ms.session.key.field", r#"{"name":"next","condition":{"regexp":""},"initValue":""}"#),
            ("ms.parameters", r#"[{"name":"next_page","type":"session"}]"#),
        ])
        .await;
    pulled.is_completed().by(["poll", "condition"]);
    bench.server.saw(["POST /records?next_page= {}", "POST /records?next_page=c1 {}"]);
}

#[tokio::test]
async fn as_11_offsets_are_worked_out() {
    let bench = Bench::over(Script::of([items(&[1, 2], ""), items(&[3], ""), items(&[], "")])).await;
    let pulled = bench.pull(&[URI, DATA, OFFSETS, ("ms.pagination", r#"{"initialvalues":[0,2]}"#)]).await;
    pulled.is_completed().gave(["n", "1", "2", "3"]).by(["nextPage", "nextPage", "blankPage"]);
    bench.server.saw([
        "GET /records?offset=0&limit=2",
        "GET /records?offset=2&limit=2",
        "GET /records?offset=3&limit=2",
    ]);
}

#[tokio::test]
async fn as_12_r18_offsets_are_those_of_the_answer() {
    let answers =
        [items(&[1], ",\"offset\":0,\"limit\":5000"), items(&[2], ",\"offset\":5000,\"limit\":4000"), items(&[], "")];
    let bench = Bench::over(Script::of(answers)).await;
    let pages = ("ms.pagination", r#"{"fields":["offset","limit"],"initialvalues":[0,5000]}"#);
    bench.pull(&[URI, DATA, OFFSETS, pages]).await.is_completed().gave(["n", "1", "2"]);
    bench.server.saw([
        "GET /records?offset=0&limit=5000",
        "GET /records?offset=5000&limit=5000",
        "GET /records?offset=9000&limit=4000",
    ]);
}

#[tokio::test]
async fn as_13_r18_page_numbers_are_counted_from_the_first() {
    let parameters = ("ms.parameters", r#"[{"name":"size","type":"pagesize"},{"name":"page","type":"pageno"}]"#);
    let expected = ["GET /records?size=100&page=1", "GET /records?size=100&page=2", "GET /records?size=100&page=3"];
    let computed = [items(&[1], ""), items(&[2], ""), items(&[], "")];
    let told = [
        items(&[1], ",\"page_size\":100,\"page_number\":1"),
        items(&[2], ",\"page_size\":100,\"page_number\":2"),
        items(&[], ""),
    ];
    for (answers, fields) in [(computed, "[]"), (told, r#"["","page_size","page_number"]"#)] {
        let bench = Bench::over(Script::of(answers)).await;
        let pages = format!("{{\"fields\":{fields},\"initialvalues\":[0,100,1]}}");
        bench.pull(&[URI, DATA, parameters, ("ms.pagination", &pages)]).await.is_completed();
        bench.server.saw(expected);
    }
}

#[tokio::test]
async fn as_14_a_total_stops_without_another_request() {
    let bench = Bench::over(Script::of([items(&[1, 2], ",\"total\":3"), items(&[3], ",\"total\":3")])).await;
    let parameters = ("ms.parameters", r#"[{"name":"offset","type":"pagestart"}]"#);
    let pulled = bench.pull(&[URI, DATA, parameters, ("ms.total.count.field", "total")]).await;
    pulled.is_completed().gave(["n", "1", "2", "3"]).by(["nextPage", "total"]);
    bench.server.saw(["GET /records", "GET /records?offset=2"]);
}

#[tokio::test]
async fn as_15_the_first_signal_stops() {
    let key = ("ms.session.key.field", r#"{"name":"state","condition":{"regexp":"done"}}"#);
    let pages = ("ms.pagination", r#"{"initialvalues":[0,2]}"#);
    let total = ("ms.total.count.field", "total");
    let next = || items(&[1], ",\"state\":\"on\",\"total\":9");
    for (last, rule) in [
        (items(&[2], ",\"state\":\"done\",\"total\":9"), "condition"),
        (items(&[2], ",\"state\":\"on\",\"total\":2"), "total"),
        (items(&[], ",\"state\":\"on\",\"total\":9"), "blankPage"),
        (json(r#"{"state":"on"}"#), "blankPage"),
        (status(204), "warning"),
    ] {
        let bench = Bench::over(Script::of([next(), last])).await;
        bench.pull(&[URI, DATA, OFFSETS, key, pages, total]).await.is_completed().by(["nextPage", rule]);
    }
    let bench = Bench::over(Script::of([next(), status(500)])).await;
    let pulled = bench.pull(&[URI, DATA, OFFSETS, key, pages, total]).await;
    pulled.has_failed("HttpIngestFailed", "the answer is 500 Internal Server Error");
}

#[tokio::test]
async fn a_link_header_leads_on() {
    let link = |answer: Answer, link: &str| answer.header("link", link);
    let answers = [
        link(items(&[1], ""), "<?page=2>; rel=\"next\", <?page=9>; rel=\"last\""),
        link(items(&[2], ""), "</more?x=%2F>; rel=next"),
        link(items(&[3], ""), "</records>; rel=\"first\""),
    ];
    let bench = Bench::over(Script::of(answers)).await;
    let pulled = bench.pull(&[("ms.source.uri", "/records?a=b"), DATA, ("rejoin.next", "link")]).await;
    pulled.is_completed().gave(["n", "1", "2", "3"]).by(["nextPage", "nextPage", "noNext"]);
    bench.server.saw(["GET /records?a=b", "GET /records?page=2", "GET /more?x=%2F"]);
}

#[tokio::test]
async fn an_address_in_the_body_leads_on() {
    let answers = [items(&[1], ",\"paging\":{\"next\":\"/p2\"}"), items(&[2], ",\"paging\":{\"next\":null}")];
    let bench = Bench::over(Script::of(answers)).await;
    bench.pull(&[URI, DATA, ("rejoin.next", "paging.next")]).await.is_completed().by(["nextPage", "noNext"]);
    bench.server.saw(["GET /records", "GET /p2"]);
}

#[tokio::test]
async fn the_same_cursor_for_ever_is_caught() {
    let bench = Bench::over(Script::by(|_| items(&[1], ",\"cursor\":\"same\""))).await;
    let key = ("ms.session.key.field", r#"{"name":"cursor"}"#);
    let parameters = ("ms.parameters", r#"[{"name":"cursor","type":"session"}]"#);
    let pulled = bench.pull(&[URI, DATA, key, parameters, ("rejoin.loop.guard", "2")]).await;
    pulled.has_failed("HttpIngestFailed", "the same cursor came more than 2 times in a row");
    assert_eq!(bench.server.count(), 3);
}

#[tokio::test]
async fn csv_pages_have_their_header_each() {
    let answers = [csv("a,b\n1,x\n2,\"y,z\"\n"), csv("a,b\n3,w\n"), csv("a,b\n")];
    let bench = Bench::over(Script::of(answers)).await;
    let pulled = bench
        .pull(&[
            URI,
            OFFSETS,
            ("rejoin.format", "csv"),
            ("ms.csv", r#"{"linesToSkip":1,"columnHeaderIndex":0}"#),
            ("ms.pagination", r#"{"initialvalues":[0,2]}"#),
        ])
        .await;
    pulled.is_completed().gave(["a,b", "1,x", "2,\"y,z\"", "3,w"]).by(["nextPage", "nextPage", "blankPage"]);
}
