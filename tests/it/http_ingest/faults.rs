//! Servers that fail, and answers that no server should give. Waits are driven; nothing here depends on how fast the machine is.

use std::time::Duration;

use chrono::TimeDelta;
use rejoin::document::{Located, TimeoutsConfiguration};

use super::Bench;
use crate::scripted::{Answer, Script, csv, json, pass, status};

const URI: (&str, &str) = ("ms.source.uri", "/records");
const PAGES: (&str, &str) = ("ms.pagination", r#"{"initialvalues":[0,1]}"#);
const CSV: (&str, &str) = ("rejoin.format", "csv");
const RETRY: (&str, &str) = ("rejoin.retry", r#"{"times":1,"backoff":{"first":3000,"jitter":0}}"#);
const LIMIT: (&str, &str) = ("rejoin.page.bytes", "1000000");

/// What comes of one answer.
async fn after(answer: Answer, more: &[(&str, &str)]) -> (Bench, super::Pulled) {
    let bench = Bench::over(Script::of([answer])).await;
    let mut properties = vec![URI];
    properties.extend(more);
    let pulled = bench.pull(&properties).await;
    (bench, pulled)
}

/// The bytes of the output `responses`.
async fn responses(bench: &Bench, before: &str, properties: &[(&str, &str)], inputs: &str) -> crate::context::Reply {
    let ingest = super::element(properties, inputs)
        .replace("<records name=\"rows\"/><decisions name=\"log\"/>", "<responses name=\"answers\"/>");
    bench.context.raw(&format!("{before}{ingest}"), "answers").await
}

#[tokio::test]
async fn a_page_that_breaks_off_is_asked_for_again_and_none_of_its_rows_come_twice() {
    let whole = || json(r#"[{"n":2},{"n":3}]"#);
    let broken = || json(format!("[{}]", vec!["{\"n\":2}"; 50_000].join(","))).reset_after(300_000);
    let answers = [json(r#"[{"n":1}]"#), broken(), whole(), json("[]")];
    let bench = Bench::over(Script::of(answers)).await;
    let pulled = bench.pull_while(&[URI, PAGES, RETRY], &[3000]).await;
    pulled.is_completed().gave(["n", "1", "2", "3"]).by(["nextPage", "retryTransport", "nextPage", "blankPage"]);

    let header = ("ms.csv", r#"{"linesToSkip":1,"columnHeaderIndex":0}"#);
    let broken = csv(format!("n\n{}", "2\n".repeat(100_000))).reset_after(150_000);
    let bench = Bench::over(Script::of([csv("n\n1\n"), broken, csv("n\n2\n3\n"), csv("n\n")])).await;
    let pulled = bench.pull_while(&[URI, PAGES, RETRY, CSV, header], &[3000]).await;
    pulled.is_completed().gave(["n", "1", "2", "3"]).by(["nextPage", "retryTransport", "nextPage", "blankPage"]);
}

#[tokio::test]
async fn a_file_that_breaks_off_is_not_handed_on_twice() {
    let answers = [status(200).body("x".repeat(200_000)).reset_after(100_000), status(200).body("whole")];
    let bench = Bench::over(Script::of(answers)).await;
    let file = ("rejoin.format", "file");
    let ingest = super::element(&[URI, file, RETRY], "")
        .replace("<records name=\"rows\"/><decisions name=\"log\"/>", "<responses name=\"answers\"/>");
    let mut reply = bench.context.post(&ingest).query(&[("return", "answers")]).send().await.unwrap();
    let mut came = Vec::new();
    // It breaks off, as the file did.
    while let Ok(Some(piece)) = reply.chunk().await {
        came.extend_from_slice(&piece);
    }
    assert!(came.len() <= 100_000 && came.iter().all(|byte| *byte == b'x'), "{} bytes came", came.len());
    bench.server.saw(["GET /records"]);
    // Where nobody reads the bytes, nothing comes twice.
    let bench =
        Bench::over(Script::of([status(200).body("x".repeat(200_000)).reset_after(100_000), status(200)])).await;
    let pulled = bench.pull_while(&[URI, file, RETRY], &[3000]).await;
    pulled.is_completed().by(["retryTransport", "oneAnswer"]);
}

#[tokio::test]
async fn the_bytes_of_answers_that_come_side_by_side_are_not_mixed() {
    const LENGTH: usize = 700_000;
    let rows = "<echo name=\"given\"><text>id\na\nb\nc\n</text><output name=\"text\"/></echo>
        <csvToRows name=\"read\"><csvInput from=\"text\"/><rows name=\"units\"/><includeHeader value=\"true\"/></csvToRows>";
    for form in ["file", "text"] {
        let script = Script::by(|request| {
            let letter = request.target.trim_start_matches('/').to_owned();
            status(200).header("content-type", "text/plain").body(letter.repeat(LENGTH))
        });
        let bench = Bench::over(script).await;
        let properties = [("ms.source.uri", "/{{id}}"), ("rejoin.format", form)];
        let reply = responses(&bench, rows, &properties, "<secondary from=\"units\"/>").await;
        let mut letters = reply.text.into_bytes();
        assert_eq!(letters.len(), 3 * LENGTH, "{form}");
        letters.dedup();
        assert_eq!(letters.len(), 3, "{form}: each answer is in one piece");
    }
}

#[tokio::test]
async fn a_server_that_says_its_head_byte_by_byte_is_not_waited_for() {
    for answer in [json("[]").one_byte(), json("[]").never()] {
        let bench = Bench::over(Script::of([answer])).await;
        let passing = async {
            bench.server.asked(1).await;
            // Ten seconds to connect and a minute for the head.
            pass(&bench.clock, Duration::from_secs(70)).await;
        };
        let (pulled, ()) = tokio::join!(bench.pull(&[URI]), passing);
        pulled.has_failed(
            "HttpIngestUnreachable",
            "the head of the answer did not come in the time that there is for it",
        );
        // And its connection is closed.
        bench.server.abandoned(1).await;
    }
}

#[tokio::test]
async fn a_server_that_says_its_body_byte_by_byte_is_bounded_by_the_time_between_and_the_whole_time() {
    let bench = Bench::over(Script::of([json("[1]").silent()])).await;
    let pulled = bench.pull_while(&[URI], &[60_000]).await;
    pulled.has_failed("HttpIngestUnreachable", "nothing of the body of the answer came for 60 s");
    // A byte now and then: never a minute without one, and yet no answer in three.
    let drip = json(" ".repeat(100_000)).drip(1, Duration::from_millis(1));
    let timeouts = TimeoutsConfiguration { total: Some(Duration::from_mins(3)), ..TimeoutsConfiguration::default() };
    let bench = Bench::reaching(Script::of([drip]), |web| web.timeouts = Some(Located::from(timeouts))).await;
    let passing = async {
        bench.server.asked(1).await;
        while bench.server.gone() == 0 {
            bench.clock.advance(Duration::from_secs(1));
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let (pulled, ()) = tokio::join!(bench.pull(&[URI]), passing);
    pulled.has_failed("HttpIngestUnreachable", "answer");
}

#[tokio::test]
async fn a_page_without_end_is_refused_at_its_limit() {
    for (answer, more) in [
        (json("\"0123456789\",".repeat(1000)), vec![]),
        (csv("a,b\n".repeat(1000)), vec![CSV]),
        (status(200).body("x".repeat(10_000)), vec![("rejoin.format", "text")]),
    ] {
        let mut properties = vec![LIMIT];
        properties.extend(more);
        let (bench, pulled) = after(answer.endless(), &properties).await;
        pulled.has_failed("HttpIngestUnreadable", "page 1 is longer than 1000000 bytes (`rejoin.page.bytes`)");
        bench.server.abandoned(1).await;
    }
}

#[tokio::test]
async fn a_file_without_end_streams_as_far_as_it_is_read() {
    let bench = Bench::over(Script::of([status(200).body("x".repeat(100_000)).endless()])).await;
    let document = "<httpIngest name=\"pull\"><property key=\"ms.source.uri\">/a</property>
        <property key=\"rejoin.format\">file</property><property key=\"rejoin.page.bytes\">1000</property>
        <responses name=\"answers\"/></httpIngest>";
    let mut reply = bench.context.post(document).query(&[("return", "answers")]).send().await.unwrap();
    let mut came = 0;
    while came < 20_000_000 {
        came += reply.chunk().await.unwrap().expect("there is no end").len();
    }
    drop(reply);
    bench.server.abandoned(1).await;
}

#[tokio::test]
async fn a_gzip_bomb_is_stopped_at_the_limit() {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    for _ in 0..16 {
        encoder.write_all(&vec![b' '; 1 << 17]).unwrap();
    }
    let bomb = encoder.finish().unwrap();
    assert!(bomb.len() < 20_000, "{}", bomb.len());
    let (_, pulled) = after(json(bomb).header("content-encoding", "gzip"), &[LIMIT]).await;
    pulled.has_failed("HttpIngestUnreadable", "page 1 is longer than 1000000 bytes");
    // What is no gzip, what breaks off inside of it, and nothing at all.
    let (_, pulled) = after(json("[]").header("content-encoding", "gzip"), &[]).await;
    pulled.has_failed("HttpIngestUnreadable", "page 1 can't be unpacked");
    let (_, pulled) = after(json("").header("content-encoding", "gzip"), &[PAGES]).await;
    pulled.is_completed().by(["blankPage"]);
}

#[tokio::test]
async fn json_that_is_wrong_behind_many_records_is_named_by_its_place_and_gives_none_of_them() {
    let records = "{\"n\":1},\n".repeat(100_000);
    let (_, pulled) = after(json(format!("[{records}{{\"n\":}}]")), &[]).await;
    pulled.has_failed(
        "HttpIngestUnreadable",
        "page 1 can't be read: it is no JSON: expected value at line 100001 column 6",
    );
    assert!(pulled.rows.is_empty(), "{:?}", pulled.rows.len());
}

#[tokio::test]
async fn redirects_lead_in_no_circle_not_for_ever_and_to_no_other_place() {
    let to = |place: &str| status(302).header("location", place);
    let circle = Script::default().always("/records", to("/other")).always("/other", to("/records"));
    Bench::over(circle).await.pull(&[URI]).await.has_failed("HttpIngestUnreachable", "leads in a circle");
    let mut number = 0;
    let bench = Bench::over(Script::by(move |_| {
        number += 1;
        to(&format!("/{number}"))
    }))
    .await;
    bench.pull(&[URI]).await.has_failed("HttpIngestUnreachable", "leads on more than 10 times");
    assert_eq!(bench.server.count(), 11);
    for (place, code, words) in [
        ("http://127.0.0.1:9/", "HttpOriginNotAllowed", "leads elsewhere: `http://127.0.0.1:9` is not reachable"),
        ("//169.254.169.254/latest", "HttpOriginNotAllowed", "`http://169.254.169.254` is not reachable"),
        ("http://[::ffff:10.0.0.1]/", "HttpOriginNotAllowed", "is not reachable"),
        ("http://0/", "HttpOriginNotAllowed", "`http://0.0.0.0` is not reachable"),
        ("http://2130706433:9/", "HttpOriginNotAllowed", "`http://127.0.0.1:9` is not reachable"),
        ("file:///etc/passwd", "HttpIngestUnreachable", "has to be `http` or `https`"),
        ("http://user:secret@127.0.0.1/", "HttpIngestUnreachable", "a user or a password in a URI"),
    ] {
        let (bench, pulled) = after(to(place), &[]).await;
        pulled.has_failed(code, words);
        assert!(!pulled.reply.text.contains("secret"), "{}", pulled.reply.text);
        assert_eq!(bench.server.count(), 1, "{place}");
        // A next page leads nowhere else, either.
        let (bench, pulled) =
            after(json("[{}]").header("link", &format!("<{place}>; rel=next")), &[("rejoin.next", "link")]).await;
        let code = if code == "HttpIngestUnreachable" { "HttpIngestUnreadable" } else { code };
        pulled.has_failed(code, words.trim_start_matches("leads elsewhere: "));
        assert_eq!(bench.server.count(), 1, "{place}");
    }
}

#[tokio::test]
async fn r09_a_clock_that_is_set_moves_no_deadline_of_a_poll() {
    for step in [TimeDelta::days(-400), TimeDelta::days(400)] {
        let bench = Bench::over(Script::by(|_| json(r#"{"state":"on"}"#))).await;
        let properties = [
            URI,
            ("ms.session.key.field", r#"{"name":"state","condition":{"regexp":"done"}}"#),
            ("ms.wait.timeout.seconds", "10"),
            ("ms.call.interval.millis", "4000"),
        ];
        let passing = async {
            for asked in 1..=2 {
                bench.server.asked(asked).await;
                bench.clock.step_wall(step);
                pass(&bench.clock, Duration::from_secs(4)).await;
            }
        };
        let (pulled, ()) = tokio::join!(bench.pull(&properties), passing);
        pulled.has_failed("HttpIngestTimedOut", "10 s after the first request");
        assert_eq!(bench.server.count(), 3);
    }
}

#[tokio::test]
async fn heads_that_are_too_large_are_refused() {
    let many = (0..300).fold(json("[]"), |answer, number| answer.header(&format!("x-{number}"), "1"));
    let long = json("[]").header("x-long", &"x".repeat(300_000));
    let endless = Answer::raw_endless("x".repeat(10_000));
    let in_fields = Answer::raw_endless("HTTP/1.1 100 Continue\r\nx-more: 1\r\n".to_owned() + &"x: 1\r\n".repeat(1000));
    for answer in [many, long, endless, in_fields] {
        let (_, pulled) = after(answer, &[]).await;
        pulled.has_failed("HttpIngestUnreachable", "");
    }
}

#[tokio::test]
async fn a_length_that_is_wrong_is_no_answer_or_nothing_but_its_length() {
    let ok = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
    for (head, body) in [
        ("content-length: 100", "[1]"),
        ("content-length: 2\r\ncontent-length: 3", "[1]"),
        ("content-length: -1", "[1]"),
        ("content-length: 99999999999999999999999", "[1]"),
        ("transfer-encoding: chunked", "zz\r\n[1]\r\n0\r\n\r\n"),
        ("transfer-encoding: chunked", "ffffffffffffffffff\r\n[1]\r\n0\r\n\r\n"),
        ("transfer-encoding: chunked", "3\r\n[1]\r\n"),
    ] {
        let (_, pulled) = after(Answer::raw(format!("{ok}{head}\r\n\r\n{body}")), &[]).await;
        pulled.has_failed("HttpIngestUnreachable", "");
    }
    // What stands behind it is no answer to the next request.
    let more = "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n[{\"n\":99}]";
    let smuggled = Answer::raw(format!("{ok}content-length: 9\r\n\r\n[{{\"n\":1}}]{more}"));
    let bench = Bench::over(Script::of([smuggled, json(r#"[{"n":2}]"#), json("[]")])).await;
    bench.pull(&[URI, PAGES]).await.is_completed().gave(["n", "1", "2"]);
}

#[tokio::test]
async fn a_server_may_say_that_it_will_answer_but_not_for_ever() {
    let wait = "HTTP/1.1 100 Continue\r\n\r\n";
    let ok = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n[{\"n\":1}]";
    let (_, pulled) = after(Answer::raw(format!("{wait}{wait}{ok}")), &[]).await;
    pulled.is_completed().gave(["n", "1"]);
    let bench = Bench::over(Script::of([Answer::raw_endless(wait.repeat(100))])).await;
    let pulled = bench.pull_while(&[URI], &[70_000]).await;
    pulled.has_failed("HttpIngestUnreachable", "the head of the answer did not come in the time that there is for it");
}

#[tokio::test]
async fn bytes_that_are_no_text_are_named_and_answers_stay_xml() {
    let (_, pulled) = after(json(b"[{\"n\":\"\xff\"}]".to_vec()), &[]).await;
    pulled.has_failed("HttpIngestUnreadable", "it is no UTF-8, at byte 8");
    let (_, pulled) = after(csv(b"a\n\xc3\x28\n".to_vec()), &[CSV]).await;
    pulled.has_failed("HttpIngestUnreadable", "it is no UTF-8, at byte 3");
    let (_, pulled) = after(json("[{\"n\":\"a\0b\"}]"), &[]).await;
    pulled.has_failed("HttpIngestUnreadable", "control character");
    for answer in [
        status(500).body(b"\0\x1b[31mno\xff]]>".to_vec()),
        status(200).header("content-type", "text/html").body(b"\0\x07\xfe<b>".to_vec()),
        Answer::raw(b"HTTP/1.1 500 B\xe4d\x09Thing\r\ncontent-length: 0\r\n\r\n".to_vec()),
        Answer::raw(b"HTTP/1.1 200 OK\r\ncontent-type: \xff\xfe\r\ncontent-length: 2\r\n\r\n[]".to_vec()),
        json(r#"{"state":"a\u0000\u0001\ufffeb"}"#),
    ] {
        let fails = (
            "ms.session.key.field",
            r#"{"name":"state","condition":{"regexp":"x"},"failCondition":{"regexp":".*a[^x]*"}}"#,
        );
        let (_, pulled) = after(answer, &[fails]).await;
        pulled.has_failed("HttpIngest", "");
        let parsed =
            rejoin::document::Element::parse(pulled.reply.text.as_bytes(), &rejoin::document::Limits::default());
        assert!(parsed.is_ok(), "{:?}: {}", parsed.err(), pulled.reply.text);
    }
}

#[tokio::test]
async fn a_session_that_ends_takes_the_wait_of_its_poll_with_it() {
    let bench = Bench::over(Script::by(|_| json(r#"{"state":"on"}"#))).await;
    let id = bench.context.create().await;
    let properties = [
        URI,
        ("ms.session.key.field", r#"{"name":"state","condition":{"regexp":"done"}}"#),
        ("ms.call.interval.millis", "600000"),
        ("ms.wait.timeout.seconds", "3600"),
    ];
    let document = format!("<session id=\"{id}\"/>{}", super::element(&properties, ""));
    let document = document.replace("<records name=\"rows\"/><decisions name=\"log\"/>", "");
    let running = tokio::spawn(bench.context.post(&document).send());
    bench.server.asked(1).await;
    let ended = reqwest::Client::new()
        .delete(format!("{}/session", bench.context.url()))
        .header("rejoin-session", &id)
        .send()
        .await
        .unwrap();
    assert!(ended.status().is_success(), "{}", ended.status());
    let reply = crate::context::Reply::of(running.await.unwrap().unwrap()).await;
    assert!(!reply.text.contains("<request status=\"COMPLETED\"/>"), "{}", reply.text);
    assert_eq!(bench.server.count(), 1);
}
