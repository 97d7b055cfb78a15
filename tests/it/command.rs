//! The command, as a person uses it.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::context::perform;
use crate::databases::{MariaDbServer, PASSWORD, PostgresServer};

fn rejoin() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rejoin"));
    command.env_remove("REJOIN_SESSION").env_remove("REJOIN_LOG");
    command
}

fn run(arguments: &[&str]) -> Output {
    rejoin().args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A server that was started by the command; killed if the test does not stop it.
pub(crate) struct Serving {
    child: Child,
    pub(crate) url: String,
    /// Open for as long as the server runs: it may have more to say.
    _stdout: BufReader<ChildStdout>,
}

impl Serving {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut url = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        stdout.read_line(&mut url).unwrap();
        Self { child, url: url.trim().to_owned(), _stdout: stdout }
    }

    /// Returns when it has ended.
    pub(crate) fn wait(mut self) {
        self.child.wait().unwrap();
    }

    /// The most memory that it has had, in bytes.
    pub(crate) fn memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        peak.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    }

    /// Whether it was told to stop, and has.
    pub(crate) fn stands_still(&self) -> bool {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        // The name before may have anything in it.
        stat.rsplit_once(") ").unwrap().1.starts_with('T')
    }

    pub(crate) fn signal(&self, name: &str) {
        // The shell has `kill` built in; a program of that name need not be there.
        let kill = format!("kill {name} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn written(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn what_init_writes_is_checked_served_and_performed() {
    for options in [&[][..], &["--durable"]] {
        is_checked_served_and_performed(options, "");
    }
}

#[test]
fn what_init_writes_for_a_server_works_with_one() {
    let (postgres, mariadb) = (PostgresServer::shared(), MariaDbServer::shared());
    is_checked_served_and_performed(&["--database", "postgres"], &postgres.uri(&postgres.create_database()));
    is_checked_served_and_performed(&["--database", "mysql"], &mariadb.uri(&mariadb.create_database()));
}

/// `uri` is that of the database, where it has to be said.
fn is_checked_served_and_performed(options: &[&str], uri: &str) {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("orders");
    let dir = dir.to_str().unwrap();
    let init = run(&[&["init", dir], options].concat());
    assert!(init.status.success() && text(&init.stdout).contains("rejoin serve --config"), "{}", text(&init.stderr));
    let again = run(&["init", dir]);
    assert!(!again.status.success() && text(&again.stderr).contains("nothing was written"), "{}", text(&again.stderr));
    let check = || {
        let check = run(&["check", dir, &format!("{dir}/hello.xml"), &format!("{dir}/data/session.xml")]);
        assert!(check.status.success(), "{}", text(&check.stdout));
    };
    check();
    assert!(!Path::new(dir).join("data/sessions").exists(), "a check makes nothing");
    if let Some((scheme, _)) = uri.split_once(':') {
        let resource = Path::new(dir).join("data/resource.xml");
        let template = fs::read_to_string(&resource).unwrap();
        let (before, rest) = template.split_once(&format!("uri=\"{scheme}:")).unwrap();
        let (_, after) = rest.split_once('"').unwrap();
        fs::write(&resource, format!("{before}uri=\"{uri}\"{after}")).unwrap();
    }

    let service = Path::new(dir).join("service.xml");
    let any_port = fs::read_to_string(&service).unwrap().replace("127.0.0.1:8080", "127.0.0.1:0");
    fs::write(&service, any_port).unwrap();
    let mut serving =
        Serving::start(rejoin().args(["serve", "--config", dir]).env("REJOIN_DATABASE_PASSWORD", PASSWORD));
    check();
    let url = format!("{}/services/data", serving.url);
    let performed = run(&["perform", &url, &format!("{dir}/hello.xml")]);
    assert!(performed.status.success(), "{}{}", text(&performed.stdout), text(&performed.stderr));
    assert!(text(&performed.stdout).contains("1,hello"), "{}", text(&performed.stdout));
    let raw = run(&["perform", &url, &format!("{dir}/hello.xml"), "--return", "greetings"]);
    assert_eq!(text(&raw.stdout), "id,text\n1,hello\n2,hello\n");
    serving.signal("-TERM");
    assert!(serving.child.wait().unwrap().success(), "SIGTERM drains and ends without an error");
    assert_eq!(Path::new(dir).join("data/sessions/sessions.db").exists(), options == ["--durable"]);
}

#[test]
fn check_says_file_line_column_and_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let session = written(
        folder.path(),
        "session.xml",
        "<sessionConfiguration xmlns=\"http://ogsadai.org.uk/namespaces/2005/10/config\">\n  \
         <sessionManagerFactory impl=\"uk.org.ogsadai.sessions.impl.TransientSessionManagerFactory\">\n    \
         <timeout default=\"600000\" max=\"120000\"/>\n  </sessionManagerFactory>\n</sessionConfiguration>",
    );
    let document = written(folder.path(), "query.xml", &perform("<sqlQueryStatment name=\"q\"/>"));
    let good = written(folder.path(), "good.xml", &perform(""));
    let check = run(&["check", &session, &document, &good, "/no/such/file.xml"]);
    assert_eq!(check.status.code(), Some(1));
    let lines: Vec<String> = text(&check.stdout).lines().map(str::to_owned).collect();
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert!(lines[0].starts_with(&format!("{session}:3:")) && lines[0].contains("default"), "{}", lines[0]);
    assert!(
        lines[1].starts_with(&format!("{document}:2:1: ")) && lines[1].contains("`sqlQueryStatement`"),
        "{}",
        lines[1]
    );
    assert!(lines[2].starts_with("/no/such/file.xml:1:1: "), "{}", lines[2]);
}

#[test]
fn check_knows_the_properties_of_a_resource_that_is_checked_with_a_document() {
    let folder = tempfile::tempdir().unwrap();
    let resource = written(
        folder.path(),
        "resource.xml",
        "<dataServiceResourceConfiguration xmlns=\"http://ogsadai.org.uk/namespaces/2005/10/config\">\n\
         <dataResource name=\"api\" uri=\"https://api.example.com/\"><property key=\"ms.source.uri\">orders</property>\
         </dataResource></dataServiceResourceConfiguration>",
    );
    for attributes in ["", " resource=\"api\""] {
        let pull = format!("<httpIngest name=\"pull\"{attributes}><json name=\"documents\"/></httpIngest>");
        let document = written(folder.path(), "pull.xml", &perform(&pull));
        let alone = run(&["check", &document]);
        assert!(text(&alone.stdout).contains("ms.source.uri: it is missing"), "{}", text(&alone.stdout));
        let together = run(&["check", &resource, &document]);
        assert!(together.status.success(), "{}", text(&together.stdout));
    }
}

#[test]
fn check_of_a_folder_finds_everything_that_serve_would() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().to_str().unwrap();
    assert!(run(&["init", dir]).status.success());
    let resource = folder.path().join("data/resource.xml");
    let wrong = fs::read_to_string(&resource)
        .unwrap()
        .replace("sqlite:data.db", "sqlight:data.db")
        .replace("session.xml", "sesion.xml");
    fs::write(&resource, wrong).unwrap();
    let check = run(&["check", dir]);
    assert_eq!(check.status.code(), Some(1));
    assert!(text(&check.stdout).contains("resource.xml:6:"), "{}", text(&check.stdout));
    let served = run(&["serve", "--config", dir]);
    assert!(!served.status.success() && text(&served.stderr).contains("sesion.xml"), "{}", text(&served.stderr));
}

#[test]
fn check_says_the_same_of_a_file_and_of_a_folder_and_everything_in_one_go() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().to_str().unwrap();
    assert!(run(&["init", dir]).status.success());
    let namespace = "xmlns=\"http://ogsadai.org.uk/namespaces/2005/10/config\"";
    let session = written(
        folder.path(),
        "data/session.xml",
        &format!(
            "<sessionConfiguration {namespace}>\n<sessionManagerFactory impl=\"rejoin.TransientSessionManagerFactory\">\n\
             <carrier header=\"Host\"\n cookie=\"true\"/>\n<onCreate perform=\"p.xml\"/>\n<store path=\"s.db\"/>\n\
             <sessionAttribute name=\"a\" impl=\"none.such\"/>\n</sessionManagerFactory></sessionConfiguration>"
        ),
    );
    let resource = written(
        folder.path(),
        "data/resource.xml",
        &format!(
            "<dataServiceResourceConfiguration {namespace}>\n<sessionConfiguration location=\"session.xml\"/>\n\
             <dataResource uri=\"sqlite:data.db\" passwordEnv=\"SECRET\"/>\n<dataResource name=\"b\" uri=\"sqlight:b.db\"/>\n\
             </dataServiceResourceConfiguration>"
        ),
    );
    let lines = |arguments: &[&str]| {
        let check = run(arguments);
        assert_eq!(check.status.code(), Some(1));
        let mut lines: Vec<String> = text(&check.stdout).lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    let of_files = lines(&["check", &session, &resource]);
    assert_eq!(of_files, lines(&["check", dir]));
    for (file, place, word) in [
        (&session, "3:", "`Host`"),
        (&session, "5:", "onCreate"),
        (&session, "6:", "store"),
        (&session, "7:", "none.such"),
        (&resource, "3:", "passwordEnv"),
        (&resource, "4:", "sqlight"),
    ] {
        let start = format!("{file}:{place}");
        assert!(of_files.iter().any(|line| line.starts_with(&start) && line.contains(word)), "{word}: {of_files:#?}");
    }
    let durable = written(
        folder.path(),
        "durable.xml",
        &format!(
            "<sessionConfiguration {namespace}>\n<sessionManagerFactory impl=\"rejoin.Durable\"/></sessionConfiguration>"
        ),
    );
    assert!(lines(&["check", &durable])[0].starts_with(&format!("{durable}:2:")));
}

#[test]
fn whoever_reads_an_answer_may_stop_reading() {
    let serving = Serving::start(rejoin().args(["demo", "--listen", "127.0.0.1:0"]));
    let folder = tempfile::tempdir().unwrap();
    let query = perform(
        "<sqlQueryStatement name=\"q\"><expression>SELECT * FROM orders</expression><resultStream name=\"r\"/></sqlQueryStatement>\
         <sqlResultsToCSV name=\"f\"><resultSet from=\"r\"/><csvOutput name=\"csv\"/></sqlResultsToCSV>",
    );
    let query = written(folder.path(), "query.xml", &query);
    let script = "\"$0\" perform \"$1\" \"$2\" --return csv | head -1; exit ${PIPESTATUS[0]}";
    let program = env!("CARGO_BIN_EXE_rejoin");
    let output = Command::new("bash").args(["-c", script, program, &serving.url, &query]).output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    assert_eq!(text(&output.stdout).lines().count(), 1);
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let mut serving = Serving::start(rejoin().args(["demo", "--listen", "127.0.0.1:0"]));
    let address = serving.url.trim_start_matches("http://").split('/').next().unwrap().to_owned();
    let mut stalled = TcpStream::connect(&address).unwrap();
    let head = "POST /services/demo HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n";
    stalled.write_all(head.as_bytes()).unwrap();
    stalled.read_exact(&mut [0; 25]).unwrap();
    let begun = Instant::now();
    serving.signal("-TERM");
    while TcpStream::connect(&address).is_ok() {}
    serving.signal("-TERM");
    assert_eq!(serving.child.wait().unwrap().code(), Some(1));
    assert!(begun.elapsed() < Duration::from_secs(20), "it did not wait for the request to end");
}

#[test]
fn a_session_may_be_named_in_the_environment() {
    let serving = Serving::start(rejoin().args(["demo", "--listen", "127.0.0.1:0"]));
    let folder = tempfile::tempdir().unwrap();
    let create = written(folder.path(), "create.xml", &perform("<session/>"));
    let created = text(&run(&["perform", &serving.url, &create]).stdout);
    let id = created.split("<session id=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let count = perform(
        "<sessionAttributeManagement name=\"c\"><incrementAttribute name=\"n\"/><output name=\"now\"/></sessionAttributeManagement>",
    );
    for visits in 1..=2 {
        let mut child = rejoin()
            .args(["perform", &serving.url, "-", "--return", "now"])
            .env("REJOIN_SESSION", &id)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(count.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(text(&output.stdout).contains(&format!(">{visits}</attribute>")), "{}", text(&output.stdout));
    }
    let fault = run(&["perform", &serving.url, &create, "--return", "none"]);
    assert!(!fault.status.success() && text(&fault.stderr).contains("StreamInvalid"), "{}", text(&fault.stderr));
}

#[test]
fn a_request_that_goes_on_is_no_failure() {
    let serving = Serving::start(rejoin().args(["demo", "--listen", "127.0.0.1:0"]));
    let folder = tempfile::tempdir().unwrap();
    let tap = "<session/><echo name=\"say\"><text>x</text><output name=\"said\"/></echo>
        <outputStream name=\"tap\"><fromLocal from=\"said\"/></outputStream>";
    let begun = run(&["perform", &serving.url, &written(folder.path(), "tap.xml", &perform(tap))]);
    assert!(begun.status.success(), "{}", text(&begun.stderr));
    assert!(text(&begun.stdout).contains("<request status=\"PROCESSING\"/>"), "{}", text(&begun.stdout));
}

#[test]
fn the_three_lines_of_the_demo_work_when_they_are_pasted() {
    let mut child = rejoin()
        .args(["demo", "--listen", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let is_command = |line: &String| line.starts_with("curl") || line.starts_with("SESSION=");
    let commands: Vec<String> = lines.by_ref().filter(is_command).take(3).collect();
    let script = format!("{}\n{}\n{}\n{}\n", commands[0], commands[1], commands[2], commands[2]);
    let output = Command::new("bash").args(["-c", &script]).output().unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let answer = text(&output.stdout);
    assert!(answer.starts_with("id,name,town,phone,credit,since\n"), "{answer}{}", text(&output.stderr));
    assert!(
        answer.contains("type=\"integer\">1</attribute>\n") && answer.contains("type=\"integer\">2</attribute>\n"),
        "{answer}"
    );
}

/// Makes sessions with these labels.
fn labelled(serving: &Serving, folder: &Path, labels: &[&str]) {
    for label in labels {
        let set = format!(
            "<session/><sessionAttributeManagement name=\"s\"><setAttribute name=\"label\">{label}</setAttribute></sessionAttributeManagement>"
        );
        assert!(run(&["perform", &serving.url, &written(folder, "set.xml", &perform(&set))]).status.success());
    }
}

#[test]
fn sessions_are_listed_shown_and_ended() {
    // Behaviours 64 and 65.
    let serving = Serving::start(rejoin().args(["demo", "--listen", "127.0.0.1:0"]));
    let folder = tempfile::tempdir().unwrap();
    labelled(&serving, folder.path(), &["nightly", "nightly", "a&#x9B;2J b"]);
    let sessions = |arguments: &[&str]| {
        let output = run(&[&["sessions", &serving.url], arguments].concat());
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let (code, list, _) = sessions(&["list"]);
    let lines: Vec<&str> = list.lines().collect();
    assert_eq!((code, lines.len()), (Some(0), 4), "{list}");
    assert!(lines[0].starts_with("HANDLE ") && lines[0].ends_with(" BYTES"), "{list}");
    assert!(lines.iter().all(|line| line.chars().count() == lines[0].chars().count()), "aligned:\n{list}");
    assert!(list.contains("a\u{FFFD}2J b") && !list.contains('\u{9b}'), "a terminal obeys nothing of this: {list}");
    assert_eq!(sessions(&["list", "--label", "nightly"]).1.lines().count(), 3);
    assert_eq!(sessions(&["list", "--state", "BUSY"]).1.lines().count(), 1);
    let (_, page, more) = sessions(&["list", "--limit", "2"]);
    assert!(page.lines().count() == 3 && more.contains("--all-pages"), "{page}{more}");
    assert_eq!(sessions(&["list", "--limit", "2", "--all-pages"]).1, list);
    let (_, xml, _) = sessions(&["list", "--limit", "1", "--xml"]);
    assert!(xml.starts_with("<sessions ") && xml.contains("count=\"1\" next=\""), "{xml}");

    let handle = lines[1].split(' ').next().unwrap();
    let (_, shown, _) = sessions(&["show", handle]);
    assert!(shown.contains("AVAILABLE") && shown.contains("nightly") && shown.contains("ATTRIBUTE"), "{shown}");
    assert!(sessions(&["show", handle, "--xml"]).1.starts_with("<sessionStatus "));
    assert_eq!(sessions(&["end", handle]), (Some(0), "1 ended\n".into(), String::new()));
    let (code, _, gone) = sessions(&["end", handle]);
    assert!(code == Some(1) && gone.contains("no such session (SessionNotFound"), "{gone}");
    let (code, _, unsure) = sessions(&["end", "--all"]);
    assert!(code == Some(1) && unsure.contains("say --yes"), "{unsure}");
    assert_eq!(sessions(&["end", "--label", "nightly"]).1, "1 ended\n");
    let (_, xml, _) = sessions(&["end", "--all", "--yes", "--xml"]);
    assert!(xml.starts_with("<ended ") && xml.contains("closed=\"1\" closing=\"0\""), "{xml}");
    assert_eq!(sessions(&["end"]).0, Some(2), "it has to be said which");
    assert_eq!(sessions(&["list", "--limit", "0"]).0, Some(1));
}

/// Gives every request that answer, and goes away when nothing comes any more; answers with the URL.
fn hostile(answer: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/services/data", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().take(8) {
            let mut stream = stream.unwrap();
            let mut begun = [0; 4096];
            let _ = stream.read(&mut begun).unwrap();
            let _ = stream.write_all(answer);
        }
    });
    url
}

#[test]
fn a_terminal_obeys_nothing_that_a_service_says() {
    let page = "xmlns='http://ogsadai.org.uk/namespaces/2005/10/types' count='0' next='a\u{9b}2J'/>";
    let page: &str = Box::leak(format!("HTTP/1.1 200 OK\r\n\r\n<sessions {page}").into());
    let fault: &str = "HTTP/1.1 404 Not Found\r\n\r\n<fault xmlns='http://ogsadai.org.uk/namespaces/2005/10/types' \
                       code='X' status='404' requestId='r' retryable='false' recreateSession='false'>\
                       <message>a\u{9b}2J</message></fault>";
    let none = "HTTP/1.1 500 Oops\r\n\r\n\u{1b}[2J";
    for answer in [page, fault, none] {
        let output = run(&["sessions", &hostile(answer.as_bytes()), "list"]);
        let said = text(&output.stderr);
        assert!(said.contains("\u{FFFD}") && !said.contains(['\u{9b}', '\u{1b}']), "{said:?}");
    }
}

#[test]
fn a_page_that_is_the_next_to_itself_is_the_last() {
    let page =
        "HTTP/1.1 200 OK\r\n\r\n<sessions xmlns='http://ogsadai.org.uk/namespaces/2005/10/types' count='0' next='a'/>";
    let output = run(&["sessions", &hostile(page.as_bytes()), "list", "--all-pages"]);
    assert!(text(&output.stderr).contains("the next to itself"), "{output:?}");
}

#[test]
fn an_answer_is_not_read_beyond_what_a_document_may_have() {
    let mut answer = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
    answer.resize(12 * 1024 * 1024, b' ');
    let output = run(&["sessions", &hostile(Box::leak(answer.into())), "list", "--xml"]);
    assert!(text(&output.stderr).contains("the answer has more than 10485760 bytes"), "{}", text(&output.stderr));
}

#[test]
fn the_activities_are_listed_and_described() {
    let listed = text(&run(&["activities"]).stdout);
    assert!(listed.lines().any(|line| line == "echo                          Says a text."), "{listed}");
    let described: serde_json::Value = serde_json::from_slice(&run(&["activities", "--json"]).stdout).unwrap();
    assert_eq!(described["version"], 1);
    let activities = described["activities"].as_array().unwrap();
    assert_eq!(activities.len(), listed.lines().count());
    let update = activities.iter().find(|activity| activity["element"] == "sqlUpdateStatement").unwrap();
    assert_eq!((&update["requires"], &update["changes"]), (&"relational".into(), &"outside".into()));
    let parameter = &update["children"][0];
    assert_eq!((&parameter["name"], &parameter["occurs"]), (&"sqlParameter".into(), &"any".into()));
    assert_eq!(parameter["attributes"][0]["most"], u32::MAX);
    assert_eq!(parameter["stream"], serde_json::json!({ "direction": "input", "type": "text", "or_content": true }));
}

#[test]
fn the_help_teaches() {
    for (arguments, words) in [
        (&["sessions", "--help"][..], "`label`"),
        (&["sessions", "URL", "list", "--help"], "--all-pages"),
        (&["sessions", "URL", "end", "--help"], "end --label nightly"),
        (&["activities", "--help"], "--json"),
        (&["--help"], "rejoin demo --tour"),
        (&["serve", "--help"], "SIGTERM"),
        (&["check", "--help"], "file:line:column: message"),
        (&["perform", "--help"], "--return csv"),
        (&["init", "--help"], "rejoin init orders"),
    ] {
        let help = run(arguments);
        assert!(help.status.success() && text(&help.stdout).contains(words), "{arguments:?}: {}", text(&help.stdout));
    }
    assert!(text(&run(&["--version"]).stdout).starts_with("rejoin "));
}
