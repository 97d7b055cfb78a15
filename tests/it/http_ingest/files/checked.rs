//! What is checked of a file: its digest, its name, its size, its folder.

use std::fs;

use rejoin::document::FolderConfiguration;

use super::{ABC, Bench, FILE, Pulled, file, rows};
use crate::scripted::{Answer, Script};

async fn pull(bench: &Bench, download: &str) -> Pulled {
    bench.pull(&[FILE[0], FILE[1], ("rejoin.download", download)]).await
}

/// Downloads `abc` as those settings say, from an answer with that header.
async fn with_checksum(checksum: &str, header: Option<(&str, &str)>) -> (Bench, Pulled) {
    let answer = file("abc");
    let answer = header.into_iter().fold(answer, |answer, (name, value)| answer.header(name, value));
    let bench = Bench::over(Script::of([answer])).await;
    let pulled = pull(&bench, &format!("{{\"file\": \"a.bin\", \"checksum\": {checksum}}}")).await;
    (bench, pulled)
}

#[tokio::test]
async fn a_file_with_the_right_digest_is_put_in_its_place() {
    let of_header = r#"{"algorithm": "sha256", "header": "Repr-Digest"}"#;
    for (checksum, header) in [
        (format!("{{\"algorithm\": \"sha256\", \"value\": \"{ABC}\"}}"), None),
        (r#"{"algorithm": "md5", "value": "kAFQmDzST7DWlj99KOF/cg=="}"#.to_owned(), None),
        (
            r#"{"algorithm": "md5", "header": "Content-MD5"}"#.to_owned(),
            Some(("content-md5", "kAFQmDzST7DWlj99KOF/cg==")),
        ),
        (of_header.to_owned(), Some(("repr-digest", "sha-256=:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=:"))),
    ] {
        let (bench, pulled) = with_checksum(&checksum, header).await;
        pulled.is_completed();
        bench.has([("a.bin", b"abc")]);
    }
}

#[tokio::test]
async fn a_file_with_a_wrong_digest_is_not_put_in_its_place() {
    let zeros = "0".repeat(64);
    let of_header = r#"{"algorithm": "sha256", "header": "Repr-Digest"}"#;
    for (checksum, header, words) in [
        (
            format!("{{\"algorithm\": \"sha256\", \"value\": \"{zeros}\"}}"),
            None,
            format!("digest {ABC}; expected {zeros}"),
        ),
        (of_header.to_owned(), None, "says no sha256 digest of the file in its header `repr-digest`".to_owned()),
        (of_header.to_owned(), Some(("repr-digest", "sha-256=:AAAA:")), "says no sha256 digest".to_owned()),
    ] {
        let (bench, pulled) = with_checksum(&checksum, header).await;
        pulled.has_failed("HttpIngestChecksum", &words);
        bench.has([]);
    }
}

#[tokio::test]
async fn a_file_that_was_there_stays_when_what_comes_is_wrong() {
    let zeros = "0".repeat(64);
    let bench = Bench::over(Script::of([file("abc"), file("abd")])).await;
    pull(&bench, r#"{"file": "a.bin"}"#).await.is_completed();
    let checksum =
        format!("{{\"file\": \"a.bin\", \"checksum\": {{\"algorithm\": \"sha256\", \"value\": \"{zeros}\"}}}}");
    pull(&bench, &checksum).await.has_failed("HttpIngestChecksum", "was not put in its place");
    bench.has([("a.bin", b"abc")]);
}

#[tokio::test]
async fn no_name_leads_out_of_the_folder() {
    let bench = Bench::over(Script::default().always("/files", file("abc"))).await;
    let (inbox, outside) = (bench.context.folder().join("inbox"), bench.context.folder().join("outside"));
    fs::create_dir_all(&inbox).unwrap();
    fs::create_dir(&outside).unwrap();
    std::os::unix::fs::symlink(&outside, inbox.join("out")).unwrap();
    std::os::unix::fs::symlink("../outside/made", inbox.join("link")).unwrap();
    let absolute = outside.join("x").to_str().unwrap().to_owned();
    let names =
        ["../outside/x", "a/../../x", &absolute, "./x", "a//x", "out/x", "out/deep/x", ".rejoin-parts/x", "link"];
    let before = rows("tmpName", &names);
    let properties = [
        ("ms.source.uri", "/files"),
        ("rejoin.format", "file"),
        ("rejoin.download", r#"{"file": "{{tmpName}}"}"#),
        ("ms.work.unit.parallelism.max", "1"),
    ];
    let pulled = bench.pull_in(&before, &properties, "<secondary from=\"units\"/>").await;
    pulled.is_completed().by(["file", "file", "file", "file", "file", "file", "file", "file", "oneAnswer"]);
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 0, "nothing was written there");
    // The link itself gave way, and was not followed.
    assert!(fs::symlink_metadata(inbox.join("link")).unwrap().is_file());
    bench.server.saw(["GET /files"]);
    let words: Vec<String> = pulled.notes();
    for (note, expected) in words.iter().zip([
        "holds `.` or `..`",
        "holds `.` or `..`",
        "absolute",
        "holds `.`",
        "empty",
        "leads out",
        "leads out",
        "unfinished",
    ]) {
        assert!(note.contains(expected), "{note}");
    }
}

#[tokio::test]
async fn two_units_can_not_have_one_file() {
    let bench = Bench::over(Script::default().always("/files", file("abc"))).await;
    let before = rows("tmpName", &["a", "b"]);
    let properties = [
        ("ms.source.uri", "/files"),
        ("rejoin.format", "file"),
        ("rejoin.download", r#"{"file": "x"}"#),
        ("ms.work.unit.parallelism.max", "1"),
    ];
    let pulled = bench.pull_in(&before, &properties, "<secondary from=\"units\"/>").await;
    pulled.is_completed().by(["oneAnswer", "file"]);
    assert!(pulled.notes()[1].contains("unit 1 writes the file `x` already"), "{:?}", pulled.notes());
}

#[tokio::test]
async fn a_file_that_is_too_large_is_not_written() {
    let small =
        FolderConfiguration { write: true, create: true, file_bytes: Some(4), ..FolderConfiguration::default() };
    let answers: [fn() -> Answer; 2] = [|| file("01234"), || file("01").endless()];
    for (answer, is_said) in answers.into_iter().zip([true, false]) {
        let what = if is_said { "has 5 bytes" } else { "has more bytes" };
        let bench = Bench::over(Script::of([answer()])).await;
        let pulled = pull(&bench, r#"{"file": "a.bin", "bytes": 4}"#).await;
        pulled.has_failed("HttpIngestFile", &format!("the file {what}, and at most 4 may come (`bytes` of"));
        bench.has([]);
        let bench = Bench::with_folder(Script::of([answer()]), small).await;
        let pulled = pull(&bench, r#"{"file": "a.bin"}"#).await;
        pulled.has_failed("HttpIngestFile", &format!("the file {what}, and at most 4 may come (`fileBytes` of"));
        bench.has([]);
    }
}

#[tokio::test]
async fn nothing_is_written_where_the_operator_has_not_said_so() {
    let bench = Bench::with_folder(Script::of([]), FolderConfiguration::default()).await;
    let pulled = pull(&bench, r#"{"file": "a.bin", "resource": "inbox"}"#).await;
    pulled.has_failed("DocumentInvalid", "the data resource `inbox`: nothing may be put into the folder");
    let pulled = pull(&bench, r#"{"file": "a.bin", "resource": "inbix"}"#).await;
    pulled.has_failed("DocumentInvalid", "did you mean `inbox`?");
    let pulled = pull(&bench, r#"{"file": "a.bin", "resource": ""}"#).await;
    pulled.has_failed("DocumentInvalid", "is no folder (`file:`)");
    // It may be written, and is not there, nor to be made.
    let missing = FolderConfiguration { write: true, ..FolderConfiguration::default() };
    let bench = Bench::with_folder(Script::of([file("abc")]), missing).await;
    pull(&bench, r#"{"file": "a.bin"}"#).await.has_failed("HttpIngestFile", "can't open the folder");
    assert_eq!(bench.server.count(), 0);
}

#[tokio::test]
async fn a_download_has_no_output_of_bytes() {
    let bench = Bench::over(Script::of([])).await;
    let document = super::super::element(&FILE, "")
        .replace("<records name=\"rows\"/><decisions name=\"log\"/>", "<responses name=\"bytes\"/>");
    let reply = bench.context.perform(&document).await;
    reply.is_fault(400, "DocumentInvalid").says("leave the output `responses` out");
}
