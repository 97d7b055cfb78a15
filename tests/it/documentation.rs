//! What the documentation shows is true: its documents are performed and checked, its links lead somewhere.
//!
//! A fenced block says by the words behind its backticks what is to be done with it:
//!
//! | words | meaning |
//! |---|---|
//! | `xml perform` | posted to `rejoin demo`; has to complete |
//! | `xml perform return=NAME` | the same, for the raw bytes of one end-point |
//! | `xml perform status=410` | has to be refused with that status |
//! | `xml perform fails` | has to fail when its answer has begun |
//! | `http request status=204` | another request: method and path, then headers; without `status` it has to be answered with 200 |
//! | anything with `answer` | the answer to the document above; line breaks between elements don't count |
//! | `xml document` | a perform document for a service of somebody else; passes `rejoin check` |
//! | `xml configuration` | passes `rejoin check` |
//! | `xml configuration defaults` | the same, and says nothing but what holds without it |
//!
//! `…` stands for what differs from run to run: in an answer for any text, in the `id` of a request's session element for the
//! id of the last session that this page created, in a path for the last handle that an answer named. Each page has a sample
//! database of its own.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use rejoin::activity::ActivityRegistry;
use rejoin::document::{Limits, ServiceConfiguration, SessionConfiguration};
use rejoin::ingest::properties::{PROPERTIES, PropertyDescription, PropertyUse};

use crate::context::Reply;

const REJOIN: &str = env!("CARGO_BIN_EXE_rejoin");

/// A page of the documentation.
struct Page {
    path: PathBuf,
    text: String,
}

/// A fenced block.
#[derive(Debug)]
struct Block {
    line: usize,
    words: Vec<String>,
    text: String,
}

impl Block {
    fn has(&self, word: &str) -> bool {
        self.words.iter().any(|other| other == word)
    }

    /// The value behind `name=`.
    fn setting(&self, name: &str) -> Option<&str> {
        self.words.iter().find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
    }
}

impl Page {
    fn name(&self) -> &str {
        self.path.file_name().unwrap().to_str().unwrap()
    }

    fn blocks(&self) -> Vec<Block> {
        let mut blocks = Vec::new();
        let mut lines = self.text.lines().zip(1..);
        while let Some((line, number)) = lines.next() {
            let Some(words) = line.trim_start().strip_prefix("```") else { continue };
            let content = lines.by_ref().map(|(line, _)| line).take_while(|line| line.trim_start() != "```");
            let text = content.fold(String::new(), |text, line| text + line + "\n");
            blocks.push(Block { line: number, words: words.split_whitespace().map(str::to_owned).collect(), text });
        }
        blocks
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// README.md and everything below `docs`.
fn pages() -> Vec<Page> {
    let mut paths = vec![root().join("README.md"), root().join("CHANGELOG.md")];
    let mut folders = vec![root().join("docs")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                paths.push(path);
            }
        }
    }
    paths.into_iter().map(|path| Page { text: fs::read_to_string(&path).unwrap(), path }).collect()
}

fn page(name: &str) -> Page {
    pages().into_iter().find(|page| page.name() == name).unwrap()
}

/// `rejoin demo`, stopped when it is dropped.
struct Demo {
    url: String,
    process: Child,
    /// Open as long as the demo may print.
    _output: BufReader<ChildStdout>,
}

impl Demo {
    fn start() -> Self {
        let mut command = Command::new(REJOIN);
        command.args(["demo", "--listen", "127.0.0.1:0"]).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let mut url = String::new();
        output.read_line(&mut url).unwrap();
        Self { url: url.trim().to_owned(), process, _output: output }
    }
}

impl Drop for Demo {
    /// Told to end and not killed, so that it takes its database with it.
    fn drop(&mut self) {
        // The shell has `kill` built in; a program of that name need not be there.
        Command::new("sh").args(["-c", &format!("kill {}", self.process.id())]).status().unwrap();
        self.process.wait().unwrap();
    }
}

#[tokio::test]
async fn every_perform_document_is_answered_as_it_is_printed() {
    for page in pages() {
        let blocks = page.blocks();
        if !blocks.iter().any(|block| block.has("perform")) {
            continue;
        }
        let demo = Demo::start();
        let (mut session, mut handle) = (String::new(), String::new());
        let is_sent = |block: &Block| block.has("perform") || block.has("request");
        for (index, block) in blocks.iter().enumerate().filter(|(_, block)| is_sent(block)) {
            let place = format!("{}:{}", page.name(), block.line);
            let reply = if block.has("perform") {
                post(&demo, block, &session).await
            } else {
                request(&demo, block, &session, &handle).await
            };
            let status: u16 = block.setting("status").map_or(200, |status| status.parse().unwrap());
            assert_eq!(reply.status, status, "{place}: {}", reply.text);
            if status == 200 && block.has("perform") && block.setting("return").is_none() {
                let end =
                    if block.has("fails") { "<request status=\"ERROR\">" } else { "<request status=\"COMPLETED\"/>" };
                assert!(reply.text.contains(end), "{place}: {}", reply.text);
            }
            if !reply.header("rejoin-session").is_empty() {
                reply.header("rejoin-session").clone_into(&mut session);
            }
            if let Some((_, rest)) = reply.text.split_once(" handle=\"") {
                rest.split('"').next().unwrap().clone_into(&mut handle);
            }
            let mut below = blocks[index + 1..].iter().take_while(|block| !is_sent(block));
            if let Some(answer) = below.find(|block| block.has("answer")) {
                let (mut printed, mut real) = (comparable(&answer.text), comparable(&reply.text));
                if status == 202 {
                    (printed, real) = (without_progress(&printed), without_progress(&real));
                }
                assert!(matches(&printed, &real), "{place}: printed is\n{}\nbut it is\n{}", answer.text, reply.text);
            }
        }
    }
}

#[tokio::test]
async fn the_transfer_in_three_requests_is_done_by_curl() {
    let demo = Demo::start();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/three-requests/transfer.sh");
    let done = Command::new("sh").arg(script).arg(&demo.url).output().unwrap();
    let answers = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success(), "{answers}{}", String::from_utf8_lossy(&done.stderr));
    assert_eq!(answers.matches("<request status=\"COMPLETED\"/>").count(), 3, "{answers}");
    assert!(answers.contains("state=\"committed\""), "{answers}");
}

/// How far a request has got when it is answered at once differs from run to run.
fn without_progress(answer: &str) -> String {
    let statuses = ["UNSTARTED", "PROCESSING", "COMPLETED"].map(|status| format!(" status=\"{status}\""));
    statuses.iter().fold(answer.to_owned(), |answer, status| answer.replace(status.as_str(), " status=\"…\""))
}

async fn post(demo: &Demo, block: &Block, session: &str) -> Reply {
    let document = block.text.replace("id=\"…\"", &format!("id=\"{session}\""));
    let request = reqwest::Client::new().post(&demo.url).header("content-type", "application/xml").body(document);
    let request = match block.setting("return") {
        Some(name) => request.query(&[("return", name)]),
        None => request,
    };
    Reply::of(request.send().await.unwrap()).await
}

/// Sends what a block says: `METHOD PATH`, then a header to a line.
async fn request(demo: &Demo, block: &Block, session: &str, handle: &str) -> Reply {
    let mut lines = block.text.lines();
    let (method, path) = lines.next().and_then(|line| line.split_once(' ')).expect("a method and a path");
    let url = demo.url.replace("/services/demo", &path.replace('…', handle));
    let mut request = reqwest::Client::new().request(method.parse().unwrap(), url);
    for (name, value) in lines.map(|line| line.split_once(": ").expect("a header")) {
        request = request.header(name, value.replace('…', session));
    }
    Reply::of(request.send().await.unwrap()).await
}

/// A text without the white space that stands between elements; what is in a CDATA section stays as it is.
fn comparable(text: &str) -> String {
    let mut out = String::new();
    for (index, part) in text.split("<![CDATA[").enumerate() {
        let (data, markup) = if index == 0 { ("", part) } else { part.split_once("]]>").unwrap() };
        out.push_str(data);
        let mut markup = markup.split('\n').map(str::trim);
        out.push_str(markup.next().unwrap());
        for line in markup.filter(|line| !line.is_empty()) {
            if !line.starts_with('<') {
                out.push(' ');
            }
            out.push_str(line);
        }
    }
    out
}

/// Whether a text is as printed, where each `…` stands for any text.
fn matches(printed: &str, real: &str) -> bool {
    let mut parts = printed.split('…');
    let Some(mut rest) = real.strip_prefix(parts.next().unwrap()) else { return false };
    let mut last = None;
    for part in parts {
        if let Some(before) = last.replace(part) {
            match rest.split_once(before) {
                Some((_, after)) => rest = after,
                None => return false,
            }
        }
    }
    last.map_or(rest.is_empty(), |last| rest.ends_with(last))
}

#[test]
fn every_document_that_is_to_be_checked_passes_the_check() {
    let folder = tempfile::tempdir().unwrap();
    for page in pages() {
        for block in page.blocks().into_iter().filter(|block| block.has("configuration") || block.has("document")) {
            let file = folder.path().join("document.xml");
            fs::write(&file, block.text.replace("id=\"…\"", &format!("id=\"{}\"", "A".repeat(43)))).unwrap();
            let checked = Command::new(REJOIN).arg("check").arg(&file).output().unwrap();
            let said = String::from_utf8_lossy(&checked.stdout);
            assert!(checked.status.success(), "{}:{}: {said}", page.name(), block.line);
            if block.has("defaults") {
                says_nothing_but_defaults(&block);
            }
        }
    }
}

fn says_nothing_but_defaults(block: &Block) {
    let (bytes, limits) = (block.text.as_bytes(), Limits::default());
    if block.text.contains("<sessionConfiguration") {
        assert_eq!(SessionConfiguration::parse(bytes, &limits).unwrap(), SessionConfiguration::default());
        return;
    }
    let service = ServiceConfiguration::parse(bytes, &limits).unwrap();
    let default = ServiceConfiguration::default();
    assert_eq!((service.listen.value, service.limits), (default.listen.value, default.limits));
    assert_eq!(service.authentication.implementation.value, default.authentication.implementation.value);
}

#[test]
fn every_element_and_attribute_of_the_configuration_is_described() {
    let text = page("configuration.md").text;
    for name in ["service", "resource", "activity", "session"] {
        let schema = fs::read_to_string(root().join(format!("schemas/{name}.xsd"))).unwrap();
        let declared =
            schema.split(['<', '>']).filter(|tag| tag.starts_with("xs:element ") || tag.starts_with("xs:attribute "));
        let names: Vec<&str> = declared.filter_map(|tag| tag.split_once(" name=\"")?.1.split('"').next()).collect();
        assert!(names.len() > 4, "{name}.xsd: {names:?}");
        for word in names {
            let is_named = text.split(|c: char| !c.is_ascii_alphanumeric()).any(|other| other == word);
            assert!(is_named, "docs/configuration.md says nothing of `{word}` of {name}.xsd");
        }
    }
}

#[test]
fn the_first_document_of_the_readme_is_that_of_the_examples() {
    let first = fs::read_to_string(root().join("examples/first.xml")).unwrap();
    let readme = page("README.md");
    assert_eq!(readme.blocks().iter().find(|block| block.has("perform")).unwrap().text, first);
}

#[test]
fn every_activity_has_an_entry() {
    let text = page("activities.md").text;
    for name in ActivityRegistry::built_in().names() {
        assert!(text.contains(&format!("\n## {name}\n")), "docs/activities.md says nothing of `{name}`");
    }
}

#[test]
fn every_property_of_an_ingestion_stands_in_its_table() {
    let page = page("http-session-control.md");
    for property in PROPERTIES {
        let PropertyDescription { name, treatment, form, default, purpose, difference } = property;
        let row = match treatment {
            PropertyUse::Read => format!("| `{name}` | {form} | {default} | {purpose} | {difference} |"),
            PropertyUse::NoEffect => format!("| `{name}` | {purpose} |"),
            PropertyUse::Only(values) => format!("| `{name}` | `{}` | {purpose} | {difference} |", values.join("`, `")),
            PropertyUse::Refused => format!("| `{name}` | {difference} |"),
        };
        assert!(page.text.lines().any(|line| line == row), "{row}");
    }
}

#[test]
fn every_fault_stands_in_the_table_of_the_wire() {
    let text = page("wire.md").text;
    let faults = faults_of_the_service();
    assert!(faults.len() > 20, "{faults:?}");
    for (status, code) in faults {
        assert!(
            text.contains(&format!("\n| {status} | `{code}` |")),
            "docs/wire.md has no `{code}` of the status {status}"
        );
    }
}

/// What stands as `(400, "DocumentInvalid"` in the sources of the service.
fn faults_of_the_service() -> BTreeSet<(String, String)> {
    let mut faults = BTreeSet::new();
    let mut files = vec![root().join("src/service")];
    while let Some(file) = files.pop() {
        if file.is_dir() {
            files.extend(fs::read_dir(file).unwrap().map(|entry| entry.unwrap().path()));
            continue;
        }
        let source = fs::read_to_string(file).unwrap();
        // A call may be broken over several lines.
        let source: String = source.split_whitespace().collect();
        for call in source.split('(').skip(1) {
            if let Some((status, rest)) = call.split_once(",\"")
                && status.len() == 3
                && status.bytes().all(|byte| byte.is_ascii_digit())
                && rest.starts_with(|first: char| first.is_ascii_uppercase())
                && let Some((code, _)) = rest.split_once('"')
            {
                faults.insert((status.to_owned(), code.to_owned()));
            }
        }
    }
    faults
}

#[test]
fn every_link_leads_to_a_file_and_to_a_heading_in_it() {
    for page in pages() {
        for link in page.text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let (target, heading) = link.split_once('#').unwrap_or((link, ""));
            if target.contains("://") {
                continue;
            }
            let path = if target.is_empty() { page.path.clone() } else { page.path.parent().unwrap().join(target) };
            assert!(path.exists(), "{}: nothing is at {link}", page.name());
            if !heading.is_empty() {
                let there = fs::read_to_string(&path).unwrap();
                let mut headings = there.lines().filter(|line| line.starts_with('#')).map(anchor);
                assert!(headings.any(|anchor| anchor == heading), "{}: no heading is at {link}", page.name());
            }
        }
    }
}

/// What a link names a heading by.
fn anchor(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
    text.chars().filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_')).collect()
}

/// All that is written in Rust here.
fn sources() -> Vec<String> {
    let mut sources = Vec::new();
    let mut folders = vec![root().join("src"), root().join("tests")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                sources.push(fs::read_to_string(&path).unwrap());
            }
        }
    }
    sources
}

#[test]
fn every_test_that_shows_what_sessions_hold_exists() {
    let (sources, text) = (sources(), page("sessions.md").text);
    let (_, behaviours) = text.split_once("\n## The behaviours").unwrap();
    let rows = behaviours.lines().filter(|line| line.starts_with("| ") && line.matches('|').count() == 3);
    let mut tests =
        rows.skip(1).flat_map(|row| row.rsplit('|').nth(1).unwrap().split('`').skip(1).step_by(2)).peekable();
    assert!(tests.peek().is_some());
    for test in tests {
        assert!(sources.iter().any(|source| source.contains(&format!("fn {test}("))), "no test `{test}`");
    }
}

#[test]
fn every_test_that_shows_a_behaviour_exists_and_names_its_number() {
    let sources = sources();
    let text = page("sessions.md").text;
    let (_, behaviours) = text.split_once("\n## The behaviours").unwrap();
    let rows: Vec<_> =
        behaviours.lines().filter(|line| line.starts_with("| ") && line.matches('|').count() == 4).collect();
    let mut shown = BTreeSet::new();
    for row in rows.into_iter().skip(1) {
        let number: u32 = row.split('|').nth(1).unwrap().trim().parse().unwrap();
        shown.insert(number);
        for test in row.rsplit('|').nth(1).unwrap().split('`').skip(1).step_by(2) {
            let mut named = sources.iter().flat_map(|source| numbers_named(source, test));
            assert!(named.any(|named| named == number), "no test `{test}` says that it shows behaviour {number}");
        }
    }
    let missing: Vec<u32> = (1..=68).filter(|number| !shown.contains(number)).collect();
    assert_eq!(missing, [59, 61], "neither shown nor named as not in this version");
}

#[test]
fn every_rule_and_scenario_of_http_sessions_has_a_test_that_has_its_number() {
    let (sources, text) = (sources(), page("http-session-control.md").text);
    let (_, tables) = text.split_once("\n## The rules and the scenarios").unwrap();
    let mut shown = BTreeSet::new();
    for row in tables.lines().filter(|line| line.starts_with("| ") && line.matches('`').count() > 1) {
        let tag = row.split('|').nth(1).unwrap().trim();
        let number: u32 = tag.trim_start_matches(|c: char| !c.is_ascii_digit()).parse().unwrap();
        // `r05_…`, `as_5_…`
        let word = match tag.split_once('-') {
            Some((family, _)) => format!("{}_{number}_", family.to_lowercase()),
            None => format!("r{number:02}_"),
        };
        for test in row.rsplit('|').nth(1).unwrap().split('`').skip(1).step_by(2) {
            assert!(
                test.starts_with(&word) || test.contains(&format!("_{word}")),
                "`{test}` has not the number of {tag}"
            );
            assert!(sources.iter().any(|source| source.contains(&format!("fn {test}("))), "no test `{test}`");
        }
        shown.insert(tag.to_owned());
    }
    let counted =
        [("AS", 1..=15), ("SF", 1..=4), ("EL", 1..=3), ("QU", 1..=2), ("ZO", 1..=2), ("GO", 1..=1), ("ZE", 1..=1)];
    let counted = counted.into_iter().chain([("FD", 0..=2), ("ER", 1..=8), ("RC", 1..=1)]);
    let scenarios = counted.flat_map(|(family, numbers)| numbers.map(move |number| format!("{family}-{number}")));
    let missing: Vec<String> =
        (1..=30).map(|number| format!("R{number}")).chain(scenarios).filter(|tag| !shown.contains(tag)).collect();
    assert!(missing.is_empty(), "neither shown nor named: {missing:?}");
}

/// The numbers of the behaviours that a test says to show, in the comment above it or within.
fn numbers_named(source: &str, test: &str) -> Vec<u32> {
    let mut numbers = Vec::new();
    for (start, _) in source.match_indices(&format!("fn {test}(")) {
        // From the end of what stands before it to the end of the function, which may stand in a module.
        let above = source[..start].rfind("\n\n").unwrap_or(0);
        let line = source[..start].rfind('\n').map_or(0, |end| end + 1);
        let end = if source[line..].starts_with(' ') { "\n    }\n" } else { "\n}\n" };
        let end = source[start..].find(end).map_or(source.len(), |length| start + length);
        for said in source[above..end].split("Behaviour").skip(1) {
            let said = said.trim_start_matches('s');
            let list = said.split(|c: char| !c.is_ascii_digit() && !", and".contains(c)).next().unwrap();
            numbers.extend(list.split(|c: char| !c.is_ascii_digit()).flat_map(str::parse::<u32>));
        }
    }
    numbers
}
