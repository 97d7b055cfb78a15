//! Transfers that break off.

use std::fs;

use super::{Bench, FILE, file, headers, ranged};
use crate::scripted::{Answer, Recorded, Script, status};

const RETRY: (&str, &str) =
    ("rejoin.retry", r#"{"transport": true, "times": 1, "backoff": {"first": 7000, "jitter": 0}}"#);

/// A server that answers by what was asked, and by how often it was asked before.
fn by(mut answer: impl FnMut(&Recorded, usize) -> Answer + Send + 'static) -> Script {
    let mut before = 0;
    Script::by(move |request| {
        before += 1;
        answer(request, before - 1)
    })
}

fn properties() -> [(&'static str, &'static str); 4] {
    let [uri, format, download] = FILE;
    [uri, format, download, RETRY]
}

#[tokio::test]
async fn a_transfer_that_breaks_off_goes_on_where_it_did() {
    let bench = Bench::over(by(|request, before| {
        let answer = ranged(request, "0123456789", "\"v1\"");
        if before < 3 { answer.reset_after(3) } else { answer }
    }))
    .await;
    // One repetition is allowed: what brings new bytes doesn't count.
    let pulled = bench.pull_while(&properties(), &[7000, 7000, 7000]).await;
    pulled.is_completed().by(["retryTransport", "retryTransport", "retryTransport", "oneAnswer"]);
    assert_eq!(pulled.notes()[3], "went on at byte 9");
    bench.has([("a.bin", b"0123456789")]);
    let requests = bench.server.requests();
    assert_eq!(headers(&requests, "range"), ["", "bytes=3-", "bytes=6-", "bytes=9-"]);
    assert_eq!(headers(&requests, "if-range"), ["", "\"v1\"", "\"v1\"", "\"v1\""]);
}

#[tokio::test]
async fn attempts_that_bring_nothing_new_are_counted() {
    let bench = Bench::over(Script::of([
        file("0123456789").header("etag", "\"v1\"").reset_after(3),
        file("3456789").with_status(206).header("content-range", "bytes 3-9/10").reset_after(0),
    ]))
    .await;
    let pulled = bench.pull_while(&properties(), &[7000]).await;
    pulled.has_failed("HttpIngestUnreachable", "the exchange broke off");
    bench.has([]);
}

#[tokio::test]
async fn a_file_that_has_changed_meanwhile_is_started_over() {
    let bench = Bench::over(by(|request, before| match before {
        0 => ranged(request, "0123456789", "\"v1\"").reset_after(4),
        _ => ranged(request, "another", "\"v2\""),
    }))
    .await;
    let pulled = bench.pull_while(&properties(), &[7000]).await;
    pulled.is_completed().by(["retryTransport", "oneAnswer"]);
    assert!(pulled.notes()[1].starts_with("started over"), "{:?}", pulled.notes());
    bench.has([("a.bin", b"another")]);
}

#[tokio::test]
async fn the_rest_of_another_file_is_not_taken_for_that_of_this_one() {
    let part =
        |range: &str, etag: &str| file("4567").with_status(206).header("content-range", range).header("etag", etag);
    for (answer, words) in [
        (part("bytes 3-6/10", "\"v1\""), "bytes from 3 on came"),
        (part("bytes 4-7/11", "\"v1\""), "11 bytes now"),
        (part("bytes 4-7/10", "\"v2\""), "has changed"),
        (status(206).body("4567"), "does not say which it is"),
        (status(416).header("content-range", "bytes */3"), "the server has 3 bytes"),
    ] {
        let first = file("0123456789").header("etag", "\"v1\"").reset_after(4);
        let bench = Bench::over(Script::of([first, answer, file("whole")])).await;
        let pulled = bench.pull_while(&properties(), &[7000]).await;
        pulled.is_completed().by(["retryTransport", "startOver", "oneAnswer"]);
        assert!(pulled.notes()[1].contains(words), "{:?}", pulled.notes());
        bench.has([("a.bin", b"whole")]);
        assert_eq!(headers(&bench.server.requests(), "range"), ["", "bytes=4-", ""]);
    }
}

#[tokio::test]
async fn a_file_whose_place_was_not_free_is_put_there_when_it_is() {
    let bench = Bench::over(by(|request, _| ranged(request, "0123456789", "\"v1\""))).await;
    let place = bench.context.folder().join("inbox/a.bin");
    fs::create_dir_all(&place).unwrap();
    let id = bench.context.create().await;
    let joined = format!("<session id=\"{id}\"/>");
    let state = "<sessionState attribute=\"fetch\"/>";
    bench.pull_in(&joined, &FILE, state).await.has_failed("HttpIngestFile", "can't put `a.bin` in its place");
    fs::remove_dir(place).unwrap();
    // All of it is there, so the server has nothing to give: 416.
    bench.pull_in(&joined, &FILE, state).await.is_completed().by(["oneAnswer"]);
    bench.has([("a.bin", b"0123456789")]);
    assert_eq!(headers(&bench.server.requests(), "range"), ["", "bytes=10-"]);
}

#[tokio::test]
async fn an_answer_that_ends_too_early_is_no_file() {
    let part = file("34").with_status(206).header("content-range", "bytes 3-4/10").header("etag", "\"v1\"");
    let rest = file("56789").with_status(206).header("content-range", "bytes 5-9/10").header("etag", "\"v1\"");
    let first = file("0123456789").header("etag", "\"v1\"").reset_after(3);
    let bench = Bench::over(Script::of([first, part, rest])).await;
    let pulled = bench.pull_while(&properties(), &[7000, 7000]).await;
    pulled.is_completed().by(["retryTransport", "retryTransport", "oneAnswer"]);
    assert_eq!(pulled.notes()[1], "the answer ended after 5 bytes of the file, which has 10");
    bench.has([("a.bin", b"0123456789")]);
}

#[tokio::test]
async fn a_date_that_is_old_enough_tells_versions_apart() {
    let date = "Sat, 21 Nov 2026 10:00:00 GMT";
    for (sent, range) in [("Sat, 21 Nov 2026 10:05:00 GMT", "bytes=4-"), ("Sat, 21 Nov 2026 10:00:01 GMT", "")] {
        let dated = |answer: Answer| answer.header("last-modified", date).header("date", sent);
        let first = dated(file("0123456789")).reset_after(4);
        let second = match range {
            "bytes=4-" => dated(file("456789")).with_status(206).header("content-range", "bytes 4-9/10"),
            _ => dated(file("0123456789")),
        };
        let bench = Bench::over(Script::of([first, second])).await;
        bench.pull_while(&properties(), &[7000]).await.is_completed();
        bench.has([("a.bin", b"0123456789")]);
        let requests = bench.server.requests();
        assert_eq!(headers(&requests, "range"), ["", range]);
        assert_eq!(headers(&requests, "if-range"), ["", if range.is_empty() { "" } else { date }]);
    }
}

#[tokio::test]
async fn what_nothing_tells_apart_is_asked_for_whole() {
    for headers_of in [&[("etag", "W/\"1\"")][..], &[("etag", "\"1\""), ("accept-ranges", "none")], &[]] {
        let broken = headers_of.iter().fold(file("0123456789"), |answer, (name, value)| answer.header(name, value));
        let broken = broken.reset_after(4);
        let bench = Bench::over(Script::of([broken, file("0123456789")])).await;
        bench.pull_while(&properties(), &[7000]).await.is_completed();
        bench.has([("a.bin", b"0123456789")]);
        assert_eq!(headers(&bench.server.requests(), "range"), ["", ""]);
    }
}

#[tokio::test]
async fn a_later_request_goes_on_where_an_earlier_one_stopped() {
    let bench = Bench::over(by(|request, before| {
        let answer = ranged(request, "0123456789", "\"v1\"");
        if before == 0 { answer.reset_after(4) } else { answer }
    }))
    .await;
    let id = bench.context.create().await;
    let joined = format!("<session id=\"{id}\"/>");
    let state = "<sessionState attribute=\"fetch\"/>";
    bench.pull_in(&joined, &FILE, state).await.has_failed("HttpIngestUnreachable", "the exchange broke off");
    let files = bench.files();
    assert!(matches!(&*files, [(name, bytes)] if name.starts_with(".rejoin-parts/") && bytes == b"0123"), "{files:?}");
    // Another address has another file, whatever its entity tag.
    let other = [("ms.source.uri", "/files/b.bin"), FILE[1], ("rejoin.download", r#"{"file": "b.bin"}"#)];
    bench.pull_in(&joined, &other, "<sessionState attribute=\"other\"/>").await.is_completed();
    let pulled = bench.pull_in(&joined, &FILE, state).await;
    pulled.is_completed().by(["oneAnswer"]);
    assert_eq!(pulled.notes(), ["went on at byte 4"]);
    bench.has([("a.bin", b"0123456789"), ("b.bin", b"0123456789")]);
    assert_eq!(headers(&bench.server.requests(), "range"), ["", "", "bytes=4-"]);
}

#[tokio::test]
async fn what_was_left_is_started_over_where_it_is_gone_or_not_to_be_gone_on_with() {
    for resumes in [true, false] {
        let bench = Bench::over(by(|request, before| {
            let answer = ranged(request, "0123456789", "\"v1\"");
            if before == 0 { answer.reset_after(4) } else { answer }
        }))
        .await;
        let id = bench.context.create().await;
        let joined = format!("<session id=\"{id}\"/>");
        let state = "<sessionState attribute=\"fetch\"/>";
        let download = if resumes { FILE[2].1 } else { r#"{"file": "a.bin", "resume": false}"# };
        let properties = [FILE[0], FILE[1], ("rejoin.download", download)];
        bench.pull_in(&joined, &properties, state).await.has_failed("HttpIngestUnreachable", "the exchange broke off");
        if resumes {
            fs::remove_dir_all(bench.context.folder().join("inbox/.rejoin-parts")).unwrap();
        }
        assert_eq!(bench.files().len(), 0, "nothing is left that nobody goes on with");
        bench.pull_in(&joined, &properties, state).await.is_completed();
        assert_eq!(headers(&bench.server.requests(), "range"), ["", ""]);
    }
}
