//! Files of users and tokens, from the command that makes their lines to the service that reads them.

use std::fs::{self, File, Permissions};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use tempfile::TempDir;

use crate::context::perform;

const NAMESPACE: &str = "http://ogsadai.org.uk/namespaces/2005/10/config";

fn rejoin() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rejoin"));
    for variable in ["REJOIN_SESSION", "REJOIN_LOG", "REJOIN_PASSWORD", "REJOIN_TOKEN"] {
        command.env_remove(variable);
    }
    command
}

fn run(command: &mut Command, input: &str) -> Output {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // It may have said what is wrong without reading.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    str::from_utf8(bytes).unwrap()
}

/// A configuration of one resource, `data`, that authenticates.
struct Folder(TempDir);

impl Folder {
    fn new(authentication: &str) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        let service = format!(
            "<dataServiceConfiguration xmlns='{NAMESPACE}'>\n<listen address='127.0.0.1:0'/>\n{authentication}\n\
             <dataServiceResource name='data' location='resource.xml'/>\n</dataServiceConfiguration>"
        );
        fs::write(folder.path("service.xml"), service).unwrap();
        let resource = format!("<dataServiceResourceConfiguration xmlns='{NAMESPACE}'/>");
        fs::write(folder.path("resource.xml"), resource).unwrap();
        fs::write(folder.path("empty.xml"), perform("")).unwrap();
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// `rejoin user` or `token`, for a file of this folder.
    fn account(&self, arguments: &[&str], file: &str, input: &str) -> Output {
        run(rejoin().args(arguments).arg("--file").arg(self.path(file)), input)
    }
}

/// `rejoin serve`, with everything that it logs in a file.
struct Serving {
    child: Child,
    url: String,
    log: PathBuf,
}

impl Serving {
    fn start(folder: &Folder) -> Self {
        let log = folder.path("log");
        let mut command = rejoin();
        command.args(["serve", "--config"]).arg(folder.0.path()).env("REJOIN_LOG", "trace");
        let mut child = command.stdout(Stdio::piped()).stderr(File::create(&log).unwrap()).spawn().unwrap();
        let mut url = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut url).unwrap();
        Self { child, url: format!("{}/services/data", url.trim()), log }
    }

    fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `rejoin perform` of an empty document.
fn performing(folder: &Folder, serving: &Serving) -> Command {
    let mut command = rejoin();
    command.arg("perform").arg(&serving.url).arg(folder.path("empty.xml"));
    command
}

#[test]
fn a_user_who_was_made_by_the_command_is_let_in_and_the_password_stands_in_no_log() {
    let folder = Folder::new("<authentication impl='basic'><users location='users'/></authentication>");
    let made = folder.account(&["user", "ada", "--role", "operator", "--id", "u-17"], "users", "first-pass\nmore\n");
    assert!(made.status.success() && made.stdout.is_empty(), "{made:?}");
    assert_eq!(fs::metadata(folder.path("users")).unwrap().permissions().mode() & 0o777, 0o600);
    let serving = Serving::start(&folder);
    fs::write(folder.path("password"), "first-pass\n").unwrap();
    let by_file = ["--user", "ada", "--password-file", folder.path("password").to_str().unwrap()].map(str::to_owned);
    let first = run(performing(&folder, &serving).args(&by_file), "");
    assert!(first.status.success(), "{first:?}");
    for (user, password) in [("ada", "wrong-pass"), ("carl", "first-pass")] {
        let refused = run(performing(&folder, &serving).args(["--user", user]).env("REJOIN_PASSWORD", password), "");
        let said = text(&refused.stderr);
        assert!(
            !refused.status.success() && said.contains("Unauthenticated") && said.contains("--user NAME"),
            "{said}"
        );
    }
    let silent = run(performing(&folder, &serving).args(["--user", "ada"]), "");
    assert!(!silent.status.success() && text(&silent.stderr).contains("REJOIN_PASSWORD"), "{silent:?}");

    // The service looks at the file by itself.
    assert!(folder.account(&["user", "ada"], "users", "second-pass\n").status.success());
    let second =
        || run(performing(&folder, &serving).args(["--user", "ada"]).env("REJOIN_PASSWORD", "second-pass"), "");
    while !second().status.success() {}
    assert!(!run(performing(&folder, &serving).args(&by_file), "").status.success());
    fs::write(folder.path("users"), "ada:broken-pass\n").unwrap();
    while !serving.log().contains("users:1:5: ") {}
    assert!(second().status.success(), "what is broken changes nothing");

    let log = serving.log();
    for (user, password) in
        [("ada", "first-pass"), ("ada", "second-pass"), ("ada", "wrong-pass"), ("ada", "broken-pass")]
    {
        let sent = BASE64_STANDARD.encode(format!("{user}:{password}"));
        assert!(!log.contains(password) && !log.contains(&sent) && !log.contains("$argon2id$v"), "{log}");
    }
}

#[test]
fn a_token_that_was_made_by_the_command_is_let_in_and_stands_in_no_file_or_log() {
    let folder = Folder::new("<authentication impl='bearer'><tokens location='tokens'/></authentication>");
    let made = folder.account(&["token", "job"], "tokens", "");
    let token = text(&made.stdout).trim();
    assert!(made.status.success() && token.len() == 43, "{made:?}");
    assert!(!text(&made.stderr).contains(token));
    fs::set_permissions(folder.path("tokens"), Permissions::from_mode(0o644)).unwrap();
    let serving = Serving::start(&folder);
    assert!(serving.log().contains("chmod o-r"), "others on this machine can read it: {}", serving.log());
    fs::write(folder.path("token"), format!("{token}\n")).unwrap();
    let by_file = run(performing(&folder, &serving).arg("--token-file").arg(folder.path("token")), "");
    assert!(by_file.status.success(), "{by_file:?}");
    assert!(run(performing(&folder, &serving).env("REJOIN_TOKEN", token), "").status.success());
    let wrong = "A".repeat(43);
    assert!(!run(performing(&folder, &serving).env("REJOIN_TOKEN", &wrong), "").status.success());
    assert!(!run(&mut performing(&folder, &serving), "").status.success());
    let kept = fs::read_to_string(folder.path("tokens")).unwrap();
    assert!(kept.starts_with("job:") && !kept.contains(token));
    assert!(!serving.log().contains(token) && !serving.log().contains(&wrong));
}

#[test]
fn a_line_is_printed_where_no_file_is_named() {
    let user = run(rejoin().args(["user", "ada", "--role", "operator"]), "secret\n");
    let line = text(&user.stdout);
    assert!(line.starts_with("ada:$argon2id$") && line.ends_with(":operator\n"), "{line}");
    let token = run(rejoin().args(["token", "job", "--id", "j-1"]), "");
    let line = text(&token.stderr);
    assert!(line.starts_with("job:") && line.ends_with(":user:j-1\n") && text(&token.stdout).len() == 44, "{line}");
}

#[test]
fn a_line_that_is_replaced_keeps_what_is_not_said_anew() {
    let folder = Folder::new("");
    folder.account(&["user", "ada", "--role", "operator", "--id", "u-17"], "users", "one\n");
    let with_more = format!("# people\n{}\n\ncarl:!\n", fs::read_to_string(folder.path("users")).unwrap().trim());
    fs::write(folder.path("users"), &with_more).unwrap();
    fs::set_permissions(folder.path("users"), Permissions::from_mode(0o640)).unwrap();
    std::os::unix::fs::symlink(folder.path("users"), folder.path("link")).unwrap();
    assert!(folder.account(&["user", "ada"], "link", "two\n").status.success());
    let now = fs::read_to_string(folder.path("users")).unwrap();
    assert_ne!(now, with_more);
    let lines: Vec<&str> = now.lines().collect();
    assert_eq!((lines[0], lines[2], lines[3], lines.len()), ("# people", "", "carl:!", 4));
    assert!(lines[1].starts_with("ada:$argon2id$") && lines[1].ends_with(":operator:u-17"), "{now}");
    let metadata = fs::metadata(folder.path("users")).unwrap();
    assert_eq!(metadata.permissions().mode() & 0o777, 0o640);
    assert!(fs::symlink_metadata(folder.path("link")).unwrap().is_symlink());
}

#[test]
fn what_the_service_would_refuse_is_not_written() {
    let folder = Folder::new("");
    folder.account(&["user", "ada", "--id", "u-17"], "users", "one\n");
    let before = fs::read_to_string(folder.path("users")).unwrap();
    for (arguments, input, said) in [
        (&["user", "carl", "--id", "u-17"][..], "two\n", "users:2:1: the id stands in line 1 already"),
        (&["user", "a:b"], "two\n", "colon"),
        (&["user", "carl", "--id", "#"], "two\n", "comment"),
        (&["user", "carl"], "\n", "1 to 1024 bytes"),
        (&["user", "carl", "--role", "king"], "two\n", "possible values: user, operator"),
        (&["token", "carl"], "", "users:1:5: expected the SHA-256 of a token"),
    ] {
        let refused = folder.account(arguments, "users", input);
        assert!(!refused.status.success() && text(&refused.stderr).contains(said), "{arguments:?}: {refused:?}");
        assert_eq!(fs::read_to_string(folder.path("users")).unwrap(), before);
    }
}

#[test]
fn what_is_no_file_is_not_replaced_by_one() {
    let folder = Folder::new("");
    let pipe = folder.path("users");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    // Whoever opened it would read an empty file.
    let other_end = pipe.clone();
    std::thread::spawn(move || drop(fs::OpenOptions::new().write(true).open(other_end)));
    let refused = folder.account(&["token", "ada"], "users", "");
    assert!(!refused.status.success() && text(&refused.stderr).contains("it is not a file"), "{refused:?}");
    assert!(fs::metadata(&pipe).unwrap().file_type().is_fifo());
}

#[test]
fn check_and_serve_say_what_is_wrong_in_a_file_of_accounts_and_where() {
    let folder = Folder::new("<authentication impl='basic'><users location='users'/></authentication>");
    fs::write(folder.path("users"), "# people\nada:my-password\ncarl\n").unwrap();
    let (dir, service) = (folder.0.path(), folder.path("service.xml"));
    let expected =
        [format!("{}:2:5: ", folder.path("users").display()), format!("{}:3:1: ", folder.path("users").display())];
    for path in [dir, &service] {
        let check = run(rejoin().arg("check").arg(path), "");
        let said = text(&check.stdout);
        assert!(!check.status.success() && expected.iter().all(|place| said.contains(place)), "{said}");
        assert!(!said.contains("my-password"));
    }
    let served = run(rejoin().arg("serve").arg("--config").arg(dir), "");
    let said = text(&served.stderr);
    assert!(!served.status.success() && expected.iter().all(|place| said.contains(place)), "{said}");
    assert!(!said.contains("my-password"));
}

#[test]
fn check_says_where_the_element_is_wrong() {
    for (element, place) in [
        ("<authentication impl='basci'/>", "3:17: there is no authenticator `basci`; did you mean `basic`?"),
        ("<authentication impl='basic'><users location='nowhere'/></authentication>", "3:37: "),
        ("<authentication impl='none' rule='user'/>", "3:29: unknown attribute `rule`"),
    ] {
        let folder = Folder::new(element);
        let service = folder.path("service.xml");
        for path in [folder.0.path(), &service as &Path] {
            let check = run(rejoin().arg("check").arg(path), "");
            let expected = format!("{}:{place}", service.display());
            assert!(text(&check.stdout).starts_with(&expected), "{element}: {}", text(&check.stdout));
        }
    }
}
