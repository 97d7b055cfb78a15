//! Worked flows of well-known services.

use std::time::Duration;

use super::Bench;
use crate::scripted::{Answer, Script, csv, json, pass, status};

#[tokio::test]
async fn sf_1_a_token_is_asked_for_by_a_form() {
    let bench = Bench::over(Script::of([json(r#"{"access_token":"t0k","instance_url":"https://x"}"#)])).await;
    let pulled = bench
        .pull(&[
            ("ms.source.uri", "/oauth2/token"),
            ("ms.http.request.method", "POST"),
            ("ms.http.request.headers", r#"{"Content-Type":"application/x-www-form-urlencoded"}"#),
            (
                "ms.parameters",
                r#"[{"name":"grant_type","value":"refresh_token"},{"name":"client_id","value":"me"},{"name":"refresh_token","value":"a b"}]"#,
            ),
        ])
        .await;
    pulled.is_completed().gave(["access_token,instance_url", "t0k,https://x"]);
    bench.server.saw(["POST /oauth2/token grant_type=refresh_token&client_id=me&refresh_token=a+b"]);
}

#[tokio::test]
async fn sf_2_r26_a_job_is_created_once() {
    let bench = Bench::over(Script::of([json(r#"{"id":"750","state":"UploadComplete"}"#).with_status(201)])).await;
    let pulled = bench
        .pull(&[
            ("ms.source.uri", "/jobs/query"),
            ("ms.http.request.method", "POST"),
            (
                "ms.parameters",
                r#"[{"name":"operation","value":"query"},{"name":"query","value":"SELECT Id FROM A WHERE t >= {{tmpFrom}}"},
                    {"name":"tmpFrom","value":"2026-01-01"}]"#,
            ),
        ])
        .await;
    pulled.is_completed().gave(["id,state", "750,UploadComplete"]);
    bench.server.saw([r#"POST /jobs/query {"operation":"query","query":"SELECT Id FROM A WHERE t >= 2026-01-01"}"#]);
}

const SF_POLL: [(&str, &str); 4] = [
    ("ms.source.uri", "/jobs/query/750"),
    (
        "ms.session.key.field",
        r#"{"name":"state","condition":{"regexp":"JobComplete"},"failCondition":{"regexp":"Failed|Aborted"}}"#,
    ),
    ("ms.wait.timeout.seconds", "14400"),
    ("ms.call.interval.millis", "61000"),
];

#[tokio::test]
async fn sf_3_a_job_is_polled() {
    let state = |state: &str| json(format!("{{\"id\":\"750\",\"state\":\"{state}\"}}"));
    let bench = Bench::over(Script::of(["UploadComplete", "InProgress", "JobComplete"].map(state))).await;
    let pulled = bench.pull_while(&SF_POLL, &[61_000, 61_000]).await;
    pulled.is_completed().by(["poll", "poll", "condition"]);
    bench.server.saw(["GET /jobs/query/750"; 3]);
    let bench = Bench::over(Script::of(["InProgress", "Aborted"].map(state))).await;
    bench.pull_while(&SF_POLL, &[61_000]).await.has_failed("HttpIngestFailed", "the failCondition holds of `Aborted`");
}

#[tokio::test]
async fn sf_4_results_come_by_a_locator_in_a_header() {
    let page = |rows: &str, locator: &str| csv(format!("\"Id\",\"Name\"\n{rows}")).header("Sforce-Locator", locator);
    let answers = [
        page("\"1\",\"a\"\n\"2\",\"b\"\n", "MTAw=="),
        page("\"3\",\"c\"\n\"4\",\"d\"\n", "MjAw"),
        page("\"5\",\"e\"\n", "null"),
    ];
    let bench = Bench::over(Script::of(answers)).await;
    let pulled = bench
        .pull(&[
            ("ms.source.uri", "/jobs/query/750/results?maxRecords=2"),
            ("rejoin.format", "csv"),
            ("ms.csv", r#"{"linesToSkip":1,"columnHeaderIndex":0}"#),
            ("ms.session.key.field", r#"{"name":"Sforce-Locator","condition":{"regexp":"null"}}"#),
            ("ms.parameters", r#"[{"name":"locator","type":"session"}]"#),
        ])
        .await;
    pulled.is_completed().gave(["Id,Name", "1,a", "2,b", "3,c", "4,d", "5,e"]);
    bench.server.saw([
        "GET /jobs/query/750/results?maxRecords=2",
        "GET /jobs/query/750/results?maxRecords=2&locator=MTAw%3D%3D",
        "GET /jobs/query/750/results?maxRecords=2&locator=MjAw",
    ]);
}

#[tokio::test]
async fn el_1_a_sync_is_created_and_its_number_is_part_of_an_address() {
    let bench = Bench::over(Script::of([json(r#"{"uri":"/syncs/6","status":"pending"}"#).with_status(201)])).await;
    let pulled = bench
        .pull(&[
            ("ms.source.uri", "/syncs"),
            ("ms.http.request.method", "POST"),
            ("ms.parameters", r#"[{"name":"syncedInstanceUri","value":"/contacts/exports/4"}]"#),
            (
                "ms.derived.fields",
                r#"[{"name":"syncid","formula":{"type":"regexp","source":"uri","format":"/syncs/([0-9]+)$"}}]"#,
            ),
        ])
        .await;
    pulled.is_completed().gave(["uri,status,syncid", "/syncs/6,pending,6"]);
    bench.server.saw([r#"POST /syncs {"syncedInstanceUri":"/contacts/exports/4"}"#]);
}

#[tokio::test]
async fn el_2_a_sync_is_polled() {
    let state = |state: &str| json(format!("{{\"status\":\"{state}\"}}"));
    let bench = Bench::over(Script::of(["pending", "active", "success"].map(state))).await;
    let key = r#"{"name":"status","condition":{"regexp":"success|ready"},"failCondition":{"regexp":"error|warning"}}"#;
    let properties =
        [("ms.source.uri", "/syncs/6"), ("ms.session.key.field", key), ("ms.call.interval.millis", "1300")];
    bench.pull_while(&properties, &[1300, 1300]).await.is_completed().by(["poll", "poll", "condition"]);
    bench.server.saw(["GET /syncs/6"; 3]);
}

#[tokio::test]
async fn el_3_data_come_by_offset_until_there_are_no_more() {
    let page = |ids: &[u32], offset: u32, more: bool, total: u32| {
        let items: Vec<String> = ids.iter().map(|id| format!("{{\"id\":\"{id}\"}}")).collect();
        let items = items.join(",");
        json(format!(
            "{{\"totalResults\":{total},\"limit\":2,\"offset\":{offset},\"hasMore\":{more},\"items\":[{items}]}}"
        ))
    };
    let properties = [
        ("ms.source.uri", "/syncs/6/data?offset={{offset}}&limit={{limit}}"),
        ("ms.data.field", "items"),
        ("ms.session.key.field", r#"{"name":"hasMore","condition":{"regexp":"false"}}"#),
        ("ms.total.count.field", "totalResults"),
        ("ms.parameters", r#"[{"name":"offset","type":"pagestart"},{"name":"limit","type":"pagesize"}]"#),
        ("ms.pagination", r#"{"fields":["offset","limit"],"initialvalues":[0,2]}"#),
    ];
    let answers = [page(&[1, 2], 0, true, 5), page(&[3, 4], 2, true, 5), page(&[5], 4, false, 5)];
    let bench = Bench::over(Script::of(answers)).await;
    bench.pull(&properties).await.is_completed().gave(["id", "1", "2", "3", "4", "5"]);
    bench.server.saw([
        "GET /syncs/6/data?offset=0&limit=2",
        "GET /syncs/6/data?offset=2&limit=2",
        "GET /syncs/6/data?offset=4&limit=2",
    ]);
    let bench = Bench::over(Script::of([page(&[], 0, false, 0)])).await;
    bench.pull(&properties).await.is_completed().gave([]).by(["condition"]);
}

/// A page of `{"id": …}` as an array.
fn array(ids: &[u32]) -> Answer {
    let ids: Vec<String> = ids.iter().map(|id| format!("{{\"id\":{id}}}")).collect();
    json(format!("[{}]", ids.join(",")))
}

/// Rows that become units, as a stream of the document.
fn secondary(csv: &str) -> String {
    format!(
        "<echo name=\"given\"><text>{csv}</text><output name=\"text\"/></echo>
         <csvToRows name=\"read\"><csvInput from=\"text\"/><rows name=\"units\"/><includeHeader value=\"true\"/></csvToRows>"
    )
}

#[tokio::test]
async fn qu_1_a_list_that_is_an_array() {
    let bench = Bench::over(Script::of([array(&[11, 12])])).await;
    bench.pull(&[("ms.source.uri", "/nudges.json")]).await.is_completed().gave(["id", "11", "12"]);
    bench.server.saw(["GET /nudges.json"]);
}

#[tokio::test]
async fn qu_2_each_survey_is_a_unit_and_one_that_fails_stops_no_other() {
    let script = Script::default()
        .at("/nudges/11/responses.json", [array(&[1, 2]), array(&[3]), array(&[])])
        .at("/nudges/12/responses.json", [status(500)])
        .at("/nudges/13/responses.json", [array(&[4]), array(&[])]);
    let bench = Bench::over(script).await;
    let properties = [
        ("ms.source.uri", "/nudges/{{surveyId}}/responses.json"),
        ("ms.parameters", r#"[{"name":"offset","type":"pagestart"},{"name":"limit","type":"pagesize"}]"#),
        ("ms.pagination", r#"{"initialvalues":[0,500]}"#),
        ("ms.work.unit.parallelism.max", "1"),
    ];
    let pulled = bench.pull_in(&secondary("surveyId\n11\n12\n13\n"), &properties, "<secondary from=\"units\"/>").await;
    pulled.is_completed().gave(["id", "1", "2", "3", "4"]);
    bench.server.saw([
        "GET /nudges/11/responses.json?offset=0&limit=500",
        "GET /nudges/11/responses.json?offset=2&limit=500",
        "GET /nudges/11/responses.json?offset=3&limit=500",
        "GET /nudges/12/responses.json?offset=0&limit=500",
        "GET /nudges/13/responses.json?offset=0&limit=500",
        "GET /nudges/13/responses.json?offset=1&limit=500",
    ]);
    assert!(pulled.rules.contains(&"errorStatus".to_owned()), "{:?}", pulled.rules);
}

#[tokio::test]
async fn qu_2_each_row_says_of_which_survey_it_is() {
    let script = Script::default()
        .at("/nudges/11/responses.json", [array(&[1, 2])])
        .at("/nudges/12/responses.json", [array(&[3])]);
    let bench = Bench::over(script).await;
    let derived = r#"[{"name":"surveyId","formula":{"type":"string","source":"{{survey}}"}}]"#;
    let properties = [
        ("ms.source.uri", "/nudges/{{survey}}/responses.json"),
        ("ms.derived.fields", derived),
        ("ms.work.unit.parallelism.max", "1"),
    ];
    let pulled = bench.pull_in(&secondary("survey\n11\n12\n"), &properties, "<secondary from=\"units\"/>").await;
    pulled.is_completed().gave(["id,surveyId", "1,11", "2,11", "3,12"]);
}

#[tokio::test]
async fn no_more_units_run_side_by_side_than_may() {
    let bench = Bench::over(Script::by(|_| json("[]").never())).await;
    let properties = [("ms.source.uri", "/nudges/{{survey}}"), ("ms.work.unit.parallelism.max", "2")];
    let rows = secondary("survey\n1\n2\n3\n4\n5\n");
    let pulling = bench.pull_in(&rows, &properties, "<secondary from=\"units\"/>");
    let passing = async {
        for asked in [2, 4, 5] {
            bench.server.asked(asked).await;
            assert_eq!(bench.server.count(), asked);
            // No answer comes to them in the time that there is for it.
            pass(&bench.clock, Duration::from_secs(70)).await;
        }
    };
    let (pulled, ()) = tokio::join!(pulling, passing);
    pulled.has_failed("HttpIngestUnreachable", "the head of the answer did not come");
}

#[tokio::test]
async fn fewer_units_than_expected_fail_before_a_request() {
    let bench = Bench::over(Script::of([])).await;
    let properties = [("ms.source.uri", "/nudges/{{survey}}"), ("ms.work.unit.min.units", "3")];
    let pulled = bench.pull_in(&secondary("survey\n11\n12\n"), &properties, "<secondary from=\"units\"/>").await;
    pulled.has_failed("HttpIngestFailed", "there are 2 units, and at least 3 were expected (`ms.work.unit.min.units`)");
    assert_eq!(bench.server.count(), 0);
}

#[tokio::test]
async fn zo_1_each_day_is_a_unit_and_totals_end_it() {
    let page = |id: u32, total: u32| {
        json(format!("{{\"page_size\":1,\"total_records\":{total},\"webinars\":[{{\"id\":{id}}}]}}"))
    };
    let bench = Bench::over(Script::of([page(1, 2), page(2, 2), page(3, 1)])).await;
    let pulled = bench
        .pull(&[
            ("ms.source.uri", "/webinars?type=past&from={{fromDate}}&to={{toDate}}"),
            ("ms.data.field", "webinars"),
            ("ms.total.count.field", "total_records"),
            ("ms.watermark", r#"[{"name":"system","type":"datetime","range":{"from":"2026-01-01","to":"2026-01-03"}}]"#),
            ("ms.work.unit.partition", "daily"),
            ("ms.work.unit.parallelism.max", "1"),
            (
                "ms.parameters",
                r#"[{"name":"fromDate","type":"watermark","watermark":"system","value":"low","format":"datetime","pattern":"yyyy-MM-dd","timezone":"UTC"},
                    {"name":"toDate","type":"watermark","watermark":"system","value":"high","format":"datetime","pattern":"yyyy-MM-dd","timezone":"UTC"},
                    {"name":"page_size","type":"pagesize"},{"name":"page_number","type":"pageno"}]"#,
            ),
            ("ms.pagination", r#"{"fields":["","page_size",""],"initialvalues":[0,1,1]}"#),
        ])
        .await;
    pulled.is_completed().gave(["id", "1", "2", "3"]);
    let day = |from, to, page| {
        format!("GET /webinars?type=past&from=2026-01-0{from}&to=2026-01-0{to}&page_size=1&page_number={page}")
    };
    bench.server.saw([day(1, 2, 1), day(1, 2, 2), day(2, 3, 1)]);
}

#[tokio::test]
async fn zo_2_a_token_that_is_blank_at_the_end() {
    let page = |id: u32, token: &str| json(format!("{{\"next_page_token\":\"{token}\",\"users\":[{{\"id\":{id}}}]}}"));
    let bench = Bench::over(Script::of([page(1, "t1"), page(2, "")])).await;
    let pulled = bench
        .pull(&[
            ("ms.source.uri", "/users?page_size=1"),
            ("ms.data.field", "users"),
            ("ms.session.key.field", r#"{"name":"next_page_token","condition":{"regexp":""}}"#),
            ("ms.parameters", r#"[{"name":"next_page_token","type":"session"}]"#),
        ])
        .await;
    pulled.is_completed().gave(["id", "1", "2"]);
    bench.server.saw(["GET /users?page_size=1", "GET /users?page_size=1&next_page_token=t1"]);
}

#[tokio::test]
async fn go_1_a_cursor_goes_into_the_body() {
    let page = |id: u32, cursor: &str| {
        json(format!("{{\"records\":{{\"totalRecords\":2,\"cursor\":\"{cursor}\"}},\"calls\":[{{\"id\":{id}}}]}}"))
    };
    let bench = Bench::over(Script::of([page(1, "c1"), page(2, "c2")])).await;
    let pulled = bench
        .pull(&[
            ("ms.source.uri", "/v2/calls"),
            ("ms.http.request.method", "POST"),
            ("ms.data.field", "calls"),
            ("ms.session.key.field", r#"{"name":"records.cursor"}"#),
            ("ms.total.count.field", "records.totalRecords"),
            (
                "ms.parameters",
                r#"[{"name":"filter","type":"object","value":[{"name":"fromDateTime","type":"list","value":"2026-01-01"}]},
                    {"name":"cursor","type":"session"}]"#,
            ),
        ])
        .await;
    pulled.is_completed().gave(["id", "1", "2"]).by(["nextPage", "total"]);
    bench.server.saw([
        r#"POST /v2/calls {"filter":{"fromDateTime":"2026-01-01"}}"#,
        r#"POST /v2/calls {"filter":{"fromDateTime":"2026-01-01"},"cursor":"c1"}"#,
    ]);
}

#[tokio::test]
async fn ze_1_a_cursor_that_becomes_null() {
    let page = |id: u32, cursor: &str| json(format!("{{\"after_cursor\":{cursor},\"tickets\":[{{\"id\":{id}}}]}}"));
    let bench = Bench::over(Script::of([page(1, "\"a\""), page(2, "null")])).await;
    let pulled = bench
        .pull(&[
            ("ms.source.uri", "/incremental/tickets"),
            ("ms.data.field", "tickets"),
            ("ms.session.key.field", r#"{"name":"after_cursor","condition":{"regexp":"null"}}"#),
            ("ms.watermark", r#"[{"name":"system","type":"datetime","range":{"from":"2026-01-01","to":"2026-01-03"}}]"#),
            (
                "ms.parameters",
                r#"[{"name":"start_time","type":"watermark","watermark":"system","value":"low","format":"epoc-second","timezone":"UTC"},
                    {"name":"cursor","type":"session"}]"#,
            ),
        ])
        .await;
    pulled.is_completed().gave(["id", "1", "2"]);
    let requests = bench.server.requests();
    assert!(requests[0].target.starts_with("/incremental/tickets?start_time=17672"), "{}", requests[0].target);
    assert_eq!(requests[1].target, format!("{}&cursor=a", requests[0].target));
}

#[tokio::test]
async fn fd_0_a_file_is_waited_for() {
    let bench = Bench::over(Script::of([json("[]"), json(r#"[{"name":"a.csv"},{"name":"b.txt.gpg"}]"#)])).await;
    let properties = [
        ("ms.source.uri", "/files"),
        ("ms.session.key.field", r#"{"name":"name","condition":{"regexp":"^.*txt.gpg$"}}"#),
        ("ms.call.interval.millis", "240001"),
        ("ms.wait.timeout.seconds", "14400"),
    ];
    bench.pull_while(&properties, &[240_001]).await.is_completed().by(["poll", "condition"]);
    bench.server.saw(["GET /files"; 2]);
}

#[tokio::test]
async fn fd_1_a_list_gives_a_record_for_each_file() {
    let bench = Bench::over(Script::of([json(r#"{"files":[{"filePath":"a/1.csv"},{"filePath":"a/2.csv"}]}"#)])).await;
    let pulled = bench.pull(&[("ms.source.uri", "/list"), ("ms.data.field", "files")]).await;
    pulled.is_completed().gave(["filePath", "a/1.csv", "a/2.csv"]).by(["oneAnswer"]);
}

#[tokio::test]
async fn fd_2_files_come_as_they_are_and_one_that_fails_stops_no_other() {
    let file = |text: &str| status(200).header("content-type", "application/octet-stream").body(text);
    let script = Script::default()
        .at("/files/a/1.csv", [file("one\n")])
        .at("/files/a/2.csv", [status(500)])
        .at("/files/a/3.csv", [file("three")]);
    let bench = Bench::over(script).await;
    let rows = secondary("filePath\na/1.csv\na/2.csv\na/3.csv\n");
    let document = format!(
        "{rows}<httpIngest name=\"pull\">
           <property key=\"ms.source.uri\">/files/{{{{filePath}}}}</property>
           <property key=\"ms.http.request.method\">GET_XE</property>
           <property key=\"rejoin.format\">file</property>
           <property key=\"ms.work.unit.parallelism.max\">1</property>
           <secondary from=\"units\"/><responses name=\"answers\"/>
         </httpIngest>"
    );
    let reply = bench.context.raw(&document, "answers").await;
    assert_eq!((reply.status, reply.text.as_str()), (200, "one\nthree"));
    bench.server.saw(["GET /files/a/1.csv", "GET /files/a/2.csv", "GET /files/a/3.csv"]);
}

#[tokio::test]
async fn each_row_of_a_payload_is_a_body() {
    let bench = Bench::over(Script::of([array(&[1]), array(&[2])])).await;
    let payload = r#"[{"path":"units","fields":["email"],"category":"payload"}]"#;
    let properties = [
        ("ms.source.uri", "/check"),
        ("ms.http.request.method", "POST"),
        ("ms.parameters", r#"[{"name":"mode","value":"fast"}]"#),
        ("ms.secondary.input", payload),
    ];
    let pulled = bench.pull_in(&secondary("email\na@x\nb@x\n"), &properties, "<secondary from=\"units\"/>").await;
    pulled.is_completed().gave(["id", "1", "2"]).by(["nextPage", "payload"]);
    bench.server.saw([r#"POST /check {"mode":"fast","email":"a@x"}"#, r#"POST /check {"mode":"fast","email":"b@x"}"#]);
}
