//! Answers that become files of a folder: whole or not at all, resumed where they broke off, asked for again only if they have
//! changed.

mod checked;
mod processes;
mod resumed;
mod two_step;

use std::fs;

use super::{Bench, Pulled, lines};
use crate::scripted::{Answer, Recorded, Script, status};

const FILE: [(&str, &str); 3] =
    [("ms.source.uri", "/files/a.bin"), ("rejoin.format", "file"), ("rejoin.download", r#"{"file": "a.bin"}"#)];

const NAMES: &str = "file,bytes,algorithm,checksum,mediaType,etag,lastModified,unchanged";

const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

/// 200 with a file.
fn file(body: impl Into<Vec<u8>>) -> Answer {
    status(200).header("content-type", "application/octet-stream").body(body)
}

/// What a server says that knows ranges: the whole, or the rest of the version that was asked for.
fn ranged(request: &Recorded, body: &str, etag: &str) -> Answer {
    let asked = request.header("range").filter(|_| request.header("if-range").as_deref() == Some(etag));
    let Some(range) = asked else { return file(body).header("etag", etag) };
    let from: usize = range.trim_start_matches("bytes=").trim_end_matches('-').parse().unwrap();
    if from >= body.len() {
        return status(416).header("content-range", &format!("bytes */{}", body.len()));
    }
    let range = format!("bytes {from}-{}/{}", body.len() - 1, body.len());
    file(&body[from..]).with_status(206).header("content-range", &range).header("etag", etag)
}

/// The header of each request; nothing where it has none.
fn headers(requests: &[Recorded], name: &str) -> Vec<String> {
    requests.iter().map(|request| request.header(name).unwrap_or_default()).collect()
}

/// Rows with one column.
fn rows(name: &str, values: &[&str]) -> String {
    format!(
        "<echo name=\"given\"><text>{name}\n{}\n</text><output name=\"text\"/></echo>
        <csvToRows name=\"read\"><csvInput from=\"text\"/><rows name=\"units\"/><includeHeader value=\"true\"/></csvToRows>",
        values.join("\n")
    )
}

impl Bench {
    /// What is in the granted folder: the names of files, in order, with what they hold.
    fn files(&self) -> Vec<(String, Vec<u8>)> {
        let inbox = self.context.folder().join("inbox");
        let mut found = Vec::new();
        let mut folders = vec![inbox.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).into_iter().flatten() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let name = path.strip_prefix(&inbox).unwrap().to_string_lossy().into_owned();
                    found.push((name, fs::read(path).unwrap()));
                }
            }
        }
        found.sort();
        found
    }

    /// Checks that these files are there and no others, unfinished ones included.
    #[track_caller]
    fn has<const N: usize>(&self, files: [(&str, &[u8]); N]) {
        let expected = files.map(|(name, bytes)| (name.to_owned(), bytes.to_vec()));
        assert_eq!(self.files(), expected);
    }
}

impl Pulled {
    /// What the decision log notes, one after the other.
    fn notes(&self) -> Vec<String> {
        let rows = lines(&self.reply, "decisions");
        rows.iter().map(|line| line.splitn(12, ',').nth(11).unwrap_or_default().trim_matches('"').to_owned()).collect()
    }
}

#[tokio::test]
async fn fd_2_an_answer_becomes_a_file() {
    let bench = Bench::over(Script::of([file("abc").header("etag", "\"v1\"")])).await;
    let pulled = bench.pull(&FILE).await;
    let row = format!("a.bin,3,sha256,{ABC},application/octet-stream,\"\"\"v1\"\"\",,false");
    pulled.is_completed().by(["oneAnswer"]).gave([NAMES, &row]);
    bench.has([("a.bin", b"abc")]);
    let requests = bench.server.saw(["GET /files/a.bin"]);
    assert_eq!(requests[0].header("accept-encoding").as_deref(), Some("identity"));
    assert_eq!(requests[0].header("range"), None);
}

#[tokio::test]
async fn fd_2_each_file_of_a_list_is_fetched_and_the_next_request_fetches_only_what_is_missing() {
    let script = Script::default()
        .at("/files/dir/a.txt", [file("abc")])
        .at("/files/b.txt", [status(500), file("b")])
        .at("/files/c.txt", [file("")]);
    let bench = Bench::over(script).await;
    let id = bench.context.create().await;
    let before = format!("<session id=\"{id}\"/>{}", rows("filePath", &["dir/a.txt", "b.txt", "c.txt"]));
    let properties = [
        ("ms.source.uri", "/files/{{filePath}}"),
        ("ms.http.request.method", "GET_XE"),
        ("ms.extractor.class", "com.linkedin.cdi.extractor.FileDumpExtractor"),
        ("ms.extractor.target.file.name", "{{filePath}}"),
        ("ms.work.unit.parallelism.max", "1"),
    ];
    let state = "<sessionState attribute=\"files\"/><secondary from=\"units\"/>";
    let pulled = bench.pull_in(&before, &properties, state).await;
    pulled.is_completed().by(["oneAnswer", "errorStatus", "oneAnswer"]);
    let names: Vec<&str> = pulled.rows.iter().map(|row| row.split(',').next().unwrap()).collect();
    assert_eq!(names, ["file", "dir/a.txt", "c.txt"]);
    bench.has([("c.txt", b""), ("dir/a.txt", b"abc")]);
    bench.pull_in(&before, &properties, state).await.is_completed().by(["oneAnswer"]);
    bench.has([("b.txt", b"b"), ("c.txt", b""), ("dir/a.txt", b"abc")]);
    bench.server.saw(["GET /files/dir/a.txt", "GET /files/b.txt", "GET /files/c.txt", "GET /files/b.txt"]);
}

#[tokio::test]
async fn r29_a_file_is_written_when_the_session_says_that_it_is_ready() {
    let not_yet = || file("not yet").header("x-state", "pending");
    let bench = Bench::over(Script::of([not_yet(), not_yet(), file("abc").header("X-State", "ready")])).await;
    let key = r#"{"name":"x-state","condition":{"regexp":"ready"},"failCondition":{"regexp":"failed"}}"#;
    let [uri, format, download] = FILE;
    let properties = [uri, format, download, ("ms.session.key.field", key), ("ms.call.interval.millis", "61000")];
    let pulled = bench.pull_while(&properties, &[61_000, 61_000]).await;
    pulled.is_completed().by(["poll", "poll", "condition"]);
    assert_eq!(pulled.rows.len(), 2, "one file: {:?}", pulled.rows);
    bench.has([("a.bin", b"abc")]);
    bench.server.saw(["GET /files/a.bin"; 3]);

    let bench = Bench::over(Script::of([not_yet(), file("abc").header("x-state", "failed")])).await;
    let pulled = bench.pull_while(&properties, &[61_000]).await;
    pulled.has_failed("HttpIngestFailed", "the failCondition holds of `failed`");
    bench.has([]);
}

#[tokio::test]
async fn r29_a_file_that_is_not_there_yet_is_waited_for() {
    let bench = Bench::over(Script::of([status(404), status(404), file("abc")])).await;
    let [uri, format, download] = FILE;
    let properties = [
        uri,
        format,
        download,
        ("ms.http.statuses", r#"{"success":[200],"warning":[404]}"#),
        ("rejoin.stop.when", r#"["status == 200"]"#),
        ("ms.call.interval.millis", "61000"),
        ("ms.wait.timeout.seconds", "14400"),
    ];
    let pulled = bench.pull_while(&properties, &[61_000, 61_000]).await;
    pulled.is_completed().by(["poll", "poll", "stopWhen[0]"]);
    bench.has([("a.bin", b"abc")]);
}

#[tokio::test]
async fn fd_2_a_file_that_has_not_changed_stays_as_it_is() {
    let versions = [
        file("abc").header("etag", "W/\"1\""),
        status(304).header("etag", "W/\"1\""),
        file("abcd").header("last-modified", "Sat, 21 Nov 2026 10:00:00 GMT"),
        status(304),
        file("new"),
    ];
    let bench = Bench::over(Script::of(versions)).await;
    let id = bench.context.create().await;
    let joined = format!("<session id=\"{id}\"/>");
    let state = "<sessionState attribute=\"files\"/>";
    bench.pull_in(&joined, &FILE, state).await.is_completed().by(["oneAnswer"]);
    let pulled = bench.pull_in(&joined, &FILE, state).await;
    let row = format!("a.bin,3,sha256,{ABC},,\"W/\"\"1\"\"\",,true");
    pulled.is_completed().by(["unchanged"]).gave([NAMES, &row]);
    assert_eq!(pulled.notes(), ["`a.bin` has not changed"]);
    bench.pull_in(&joined, &FILE, state).await.is_completed().by(["oneAnswer"]);
    bench.pull_in(&joined, &FILE, state).await.is_completed().by(["unchanged"]);
    bench.has([("a.bin", b"abcd")]);
    // Somebody has taken it away: then it is no use that it has not changed.
    fs::remove_file(bench.context.folder().join("inbox/a.bin")).unwrap();
    bench.pull_in(&joined, &FILE, state).await.is_completed().by(["oneAnswer"]);
    bench.has([("a.bin", b"new")]);
    let requests = bench.server.saw(["GET /files/a.bin"; 5]);
    assert_eq!(headers(&requests, "if-none-match"), ["", "W/\"1\"", "W/\"1\"", "", ""]);
    let date = "Sat, 21 Nov 2026 10:00:00 GMT";
    assert_eq!(headers(&requests, "if-modified-since"), ["", "", "", date, ""]);
}

#[tokio::test]
async fn two_requests_that_write_one_name_leave_one_of_their_files_whole() {
    let bodies = ["a".repeat(3_000_000), "b".repeat(2_000_000)];
    let bench = Bench::over(Script::of(bodies.clone().map(file))).await;
    let (one, other) = tokio::join!(bench.pull(&FILE), bench.pull(&FILE));
    one.is_completed();
    other.is_completed();
    let files = bench.files();
    assert_eq!(files.len(), 1);
    assert!(bodies.iter().any(|body| *body.as_bytes() == files[0].1), "one of them, whole");
}
