//! Answers that become files of a folder: whole or not at all, resumed where they broke off, asked for again only if they have
//! changed.

use std::fs;

use super::{Bench, Pulled, lines};
use crate::scripted::{Answer, Script, status};

const FILE: [(&str, &str); 3] =
    [("ms.source.uri", "/files/a.bin"), ("rejoin.format", "file"), ("rejoin.download", r#"{"file": "a.bin"}"#)];

const NAMES: &str = "file,bytes,algorithm,checksum,mediaType,etag,lastModified,unchanged";

const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

/// 200 with a file.
fn file(body: impl Into<Vec<u8>>) -> Answer {
    status(200).header("content-type", "application/octet-stream").body(body)
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
