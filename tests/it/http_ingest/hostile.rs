//! Values and answers that were made to break out of their place.

use std::time::Duration;

use rejoin::document::{BudgetConfiguration, Located, OriginConfiguration};

use super::{Bench, element};
use crate::scripted::{Answer, Script, ScriptedServer, json, status};

const URI: (&str, &str) = ("ms.source.uri", "/records");
const SECRETS: (&str, &str) =
    ("ms.http.request.headers", r#"{"Authorization":"Bearer s3cret","X-Api-Key":"s3cret","Accept":"*/*"}"#);

/// Rows of one column `id`, each of which is a unit.
fn units(ids: &[&str]) -> String {
    format!(
        "<echo name=\"given\"><text><![CDATA[id\n{}\n]]></text><output name=\"text\"/></echo>
         <csvToRows name=\"read\"><csvInput from=\"text\"/><rows name=\"units\"/><includeHeader value=\"true\"/></csvToRows>",
        ids.join("\n")
    )
}

const UNITS: &str = "<secondary from=\"units\"/>";

/// A service that reaches another server beside its own.
async fn with_other(script: Script, other: &ScriptedServer) -> Bench {
    let origin = OriginConfiguration { uri: Located::from(other.url()), is_private: true };
    Bench::reaching(script, |web| web.origins.push(origin)).await
}

#[tokio::test]
async fn what_proves_who_asks_does_not_follow_an_answer_to_another_origin() {
    let next = |place: &str| json(format!(r#"{{"items":[{{"n":1}}],"next":"{place}"}}"#));
    let last = || json(r#"{"items":[{"n":2}],"next":null}"#);
    let data = ("ms.data.field", "items");
    // The address is the session key, and the whole URI.
    let as_key = [
        ("ms.source.uri", "{{address}}"),
        ("ms.session.key.field", r#"{"name":"next","initValue":"/records"}"#),
        ("ms.parameters", r#"[{"name":"address","type":"session"}]"#),
        data,
        SECRETS,
    ];
    let as_next = [URI, ("rejoin.next", "next"), data, SECRETS];
    for properties in [&as_key[..], &as_next[..]] {
        let other = ScriptedServer::start(Script::of([last()])).await;
        let bench = with_other(Script::of([next(&format!("{}/more", other.url()))]), &other).await;
        bench.pull(properties).await.is_completed().gave(["n", "1", "2"]);
        assert_eq!(bench.server.requests()[0].header("authorization").as_deref(), Some("Bearer s3cret"));
        let there = &other.saw(["GET /more"])[0];
        assert_eq!((there.header("authorization"), there.header("x-api-key")), (None, None), "{there:?}");
        assert_eq!(there.header("accept").as_deref(), Some("*/*"));
        // At home they go with it.
        let bench = Bench::over(Script::of([next("/more"), last()])).await;
        bench.pull(properties).await.is_completed();
        assert_eq!(bench.server.requests()[1].header("x-api-key").as_deref(), Some("s3cret"));
    }
}

#[tokio::test]
async fn a_body_does_not_follow_an_answer_to_another_origin() {
    let other = ScriptedServer::start(Script::of([])).await;
    let next = json(format!(r#"{{"items":[{{"n":1}}],"next":"{}/more"}}"#, other.url()));
    let bench = with_other(Script::of([next]), &other).await;
    let properties = [
        URI,
        ("ms.http.request.method", "POST"),
        ("ms.parameters", r#"[{"name":"password","value":"s3cret"}]"#),
        ("rejoin.next", "next"),
        ("ms.data.field", "items"),
    ];
    let pulled = bench.pull(&properties).await;
    pulled.has_failed("HttpIngestRequest", "what the request says in its body is for");
    assert!(!pulled.reply.text.contains("s3cret"), "{}", pulled.reply.text);
    assert_eq!(other.count(), 0);
}

#[tokio::test]
async fn an_author_may_name_another_listed_origin_himself() {
    let other = ScriptedServer::start(Script::of([json(r#"[{"n":1}]"#)])).await;
    let bench = with_other(Script::of([]), &other).await;
    let uri = format!("{}/files/{{{{id}}}}", other.url());
    let pulled = bench.pull_in(&units(&["7"]), &[("ms.source.uri", &uri), SECRETS], UNITS).await;
    pulled.is_completed();
    assert_eq!(other.requests()[0].header("x-api-key").as_deref(), Some("s3cret"));
}

#[tokio::test]
async fn a_value_that_breaks_out_of_its_place_fails_its_unit_alone() {
    let other = ScriptedServer::start(Script::of([])).await;
    let unlisted = other.url();
    for (uri, headers, bad, words) in [
        ("/jobs/{{id}}/results", "{}", "..", "would have a segment `.` or `..` by the value of a variable"),
        ("/x", r#"{"X-Id":"{{id}}"}"#, "\"a\r\nX-Evil: 1\"", "would hold a character that no header can"),
        ("{{id}}", "{}", &*unlisted, "is not reachable"),
    ] {
        let bench = Bench::over(Script::by(|_| json(r#"[{"n":1}]"#))).await;
        let good = if uri == "{{id}}" { "/good" } else { "good" };
        let properties = [("ms.source.uri", uri), ("ms.http.request.headers", headers)];
        let pulled = bench.pull_in(&units(&[bad, good]), &properties, UNITS).await;
        pulled.is_completed().gave(["n", "1"]);
        assert!(pulled.reply.text.contains(words), "{}", pulled.reply.text);
        assert!(pulled.rules.contains(&"refused".to_owned()), "{:?}", pulled.rules);
        assert_eq!((bench.server.count(), other.count()), (1, 0));
        assert_eq!(bench.server.requests()[0].header("x-evil"), None);
        // Where all fail, so does the ingestion; and if told to, it stops at the first.
        let code = if uri == "{{id}}" { "HttpOriginNotAllowed" } else { "HttpIngestRequest" };
        bench.pull_in(&units(&[bad]), &properties, UNITS).await.has_failed(code, words);
        let stopping = [properties[0], properties[1], ("rejoin.unit.failure", "stop")];
        bench.pull_in(&units(&[bad, good]), &stopping, UNITS).await.has_failed(code, words);
    }
}

#[tokio::test]
async fn values_stay_inside_of_json_forms_and_queries() {
    let evil = r#""a"",""b"":""c&d=e#f%00""#;
    let bench = Bench::over(Script::by(|_| json("[{}]"))).await;
    for more in [
        vec![("ms.http.request.method", "POST")],
        vec![
            ("ms.http.request.method", "POST"),
            ("ms.http.request.headers", r#"{"Content-Type":"application/x-www-form-urlencoded"}"#),
        ],
        vec![],
    ] {
        let mut properties = vec![URI];
        properties.extend(more);
        bench.pull_in(&units(&[evil]), &properties, UNITS).await.is_completed();
    }
    bench.server.saw([
        r#"POST /records {"id":"a\",\"b\":\"c&d=e#f%00"}"#,
        "POST /records id=a%22%2C%22b%22%3A%22c%26d%3De%23f%2500",
        "GET /records?id=a%22%2C%22b%22%3A%22c%26d%3De%23f%2500",
    ]);
}

#[tokio::test]
async fn a_formula_that_would_overflow_the_stack_is_refused() {
    let bench = Bench::over(Script::of([])).await;
    for formula in
        ["(".repeat(100_000), "(".repeat(1000) + "true" + &")".repeat(1000), format!("body{}", ".a".repeat(900))]
    {
        let key = format!(r#"{{"name":"a","condition":{{"formula":"{formula}"}}}}"#);
        bench.pull(&[URI, ("ms.session.key.field", &key)]).await.has_failed("DocumentInvalid", "no formula");
    }
    assert_eq!(bench.server.count(), 0);
}

#[tokio::test]
async fn parameters_that_double_with_every_step_are_refused() {
    let bench = Bench::over(Script::of([])).await;
    let parameters: Vec<String> =
        (1..60).map(|n| format!(r#"{{"name":"p{n}","value":"{{{{p{0}}}}}{{{{p{0}}}}}"}}"#, n - 1)).collect();
    let parameters = format!(r#"[{{"name":"p0","value":"laugh"}},{}]"#, parameters.join(","));
    bench.pull(&[URI, ("ms.parameters", &parameters)]).await.has_failed("HttpIngestRequest", "grow with every step");
    assert_eq!(bench.server.count(), 0);
}

/// A request that creates something, and how it is told of that.
async fn creates_once(answer: Answer, save: &str) {
    let bench = Bench::over(Script::of([answer, json(r#"{"id":8}"#)])).await;
    let joined = format!("<session id=\"{}\"/>", bench.context.create().await);
    let state = format!("<sessionState attribute=\"job\" save=\"{save}\"/>");
    let properties = [
        ("ms.source.uri", "/jobs"),
        ("ms.http.request.method", "POST"),
        ("rejoin.retry", r#"{"times":3,"backoff":{"first":0,"jitter":0}}"#),
    ];
    bench.pull_in(&joined, &properties, &state).await.has_failed("HttpIngestUn", "");
    let again = bench.pull_in(&joined, &properties, &state).await;
    again.has_failed("HttpIngestUnreachable", "what became of it is not known");
    bench.server.saw(["POST /jobs {}"]);
}

#[tokio::test]
async fn what_may_have_been_created_is_not_created_again_whatever_came_instead_of_an_answer() {
    for save in ["page", "request"] {
        // Broken off before the answer and inside of it; an answer that nobody can read.
        creates_once(json("{}").reset(), save).await;
        creates_once(json(r#"{"id":7,"state":"new"}"#).reset_after(4), save).await;
        creates_once(json("{\"id\":"), save).await;
        creates_once(status(200).header("content-type", "text/html").body("created"), save).await;
    }
}

#[tokio::test]
async fn what_was_surely_not_created_may_be_created_again() {
    for save in ["page", "request"] {
        let bench = Bench::over(Script::of([status(500), json(r#"{"id":8}"#)])).await;
        let joined = format!("<session id=\"{}\"/>", bench.context.create().await);
        let state = format!("<sessionState attribute=\"job\" save=\"{save}\"/>");
        let properties = [("ms.source.uri", "/jobs"), ("ms.http.request.method", "POST")];
        bench.pull_in(&joined, &properties, &state).await.has_failed("HttpIngestFailed", "the answer is 500");
        bench.pull_in(&joined, &properties, &state).await.is_completed().gave(["id", "8"]);
    }
}

#[tokio::test]
async fn a_request_that_dies_after_it_has_created_something_does_not_create_it_again() {
    let bench = Bench::over(Script::of([json(r#"{"id":7}"#)])).await;
    let joined = format!("<session id=\"{}\"/>", bench.context.create().await);
    let state = "<sessionState attribute=\"job\" save=\"request\"/>";
    let properties = [("ms.source.uri", "/jobs"), ("ms.http.request.method", "POST")];
    let ingest = element(&properties, state).replace("<records name=\"rows\"/><decisions name=\"log\"/>", "");
    let fails = "<refuse name=\"no\"><message>no</message></refuse>";
    let reply = bench.context.perform(&format!("{joined}<sequence>{ingest}{fails}</sequence>")).await;
    assert!(!reply.text.contains("<request status=\"COMPLETED\"/>"), "{}", reply.text);
    let again = bench.pull_in(&joined, &properties, state).await;
    again.has_failed("HttpIngestUnreachable", "what became of it is not known");
    bench.server.saw(["POST /jobs {}"]);
}

#[tokio::test]
async fn a_budget_that_is_used_up_is_waited_for_like_a_broken_connection() {
    let budget = BudgetConfiguration {
        requests: 1,
        per: Duration::from_mins(1),
        burst: Some(1),
        wait: Some(Duration::from_secs(1)),
    };
    let bench =
        Bench::reaching(Script::by(|_| json(r#"[{"n":1}]"#)), |web| web.budget = Some(Located::from(budget))).await;
    bench.pull(&[URI]).await.is_completed();
    bench.pull(&[URI]).await.has_failed("HttpIngestUnreachable", "the budget of requests is used up");
    let retry = ("rejoin.retry", r#"{"times":1,"backoff":{"first":60000,"longest":60000,"jitter":0}}"#);
    let pulled = bench.pull_while(&[URI, retry], &[60_000]).await;
    pulled.is_completed().by(["retryTransport", "oneAnswer"]);
}

#[tokio::test]
async fn an_error_repeats_no_more_of_a_session_key_than_it_needs() {
    let long = "k".repeat(100_000);
    let bench = Bench::over(Script::by(move |_| json(format!(r#"{{"state":"{long}"}}"#)))).await;
    let key =
        ("ms.session.key.field", r#"{"name":"state","condition":{"regexp":"x"},"failCondition":{"regexp":"k+"}}"#);
    let pulled = bench.pull(&[URI, key, ("ms.data.field", "items")]).await;
    pulled.has_failed("HttpIngestFailed", "the failCondition holds of `kkk");
    assert!(pulled.reply.text.len() < 20_000, "{}", pulled.reply.text.len());
}
