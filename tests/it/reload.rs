//! Session configuration documents that change while the service runs.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use rejoin::service::{Configuration, Server, ServerBuilder};
use rejoin::session::{SessionManagerFactory, SessionManagerSettings, TransientSessionManagerFactory};
use tempfile::TempDir;

use crate::command::Serving;
use crate::context::{Context, Reply, perform};

const SERVICE: &str = r#"<dataServiceConfiguration xmlns="http://ogsadai.org.uk/namespaces/2005/10/config">
  <listen address="127.0.0.1:0"/>
  <dataServiceResource name="data" location="data/resource.xml"/>
</dataServiceConfiguration>"#;

/// The configuration of a resource over those data resources.
pub(crate) fn resource(resources: &str) -> String {
    format!(
        "<dataServiceResourceConfiguration xmlns=\"http://ogsadai.org.uk/namespaces/2005/10/config\">\n  \
         <sessionConfiguration location=\"session.xml\"/>{resources}\n</dataServiceResourceConfiguration>"
    )
}

/// The content of the factory begins in column 1 of line 2.
pub(crate) fn session(content: &str) -> String {
    format!(
        "<sessionConfiguration xmlns=\"http://ogsadai.org.uk/namespaces/2005/10/config\">\
         <sessionManagerFactory impl=\"rejoin.TransientSessionManagerFactory\">\n{content}\n\
         </sessionManagerFactory></sessionConfiguration>"
    )
}

/// A folder with a configuration of one resource, `data`.
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new(content: &str) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        fs::create_dir(folder.path().join("data")).unwrap();
        fs::write(folder.path().join("service.xml"), SERVICE).unwrap();
        fs::write(folder.path().join("data/resource.xml"), resource("")).unwrap();
        folder.write("session.xml", &session(content));
        folder
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file beside the session configuration document.
    pub(crate) fn write(&self, name: &str, content: &str) {
        fs::write(self.path().join("data").join(name), content).unwrap();
    }

    pub(crate) async fn serve(self) -> Served {
        self.serve_with(|builder| builder).await
    }

    pub(crate) async fn serve_with(self, configure: impl FnOnce(ServerBuilder) -> ServerBuilder) -> Served {
        let configuration = Configuration::load(self.path()).unwrap();
        let builder = configure(Server::builder().configuration(configuration));
        let server = builder.build().unwrap().start().await.unwrap();
        Served { context: Context::around(server, self.0) }
    }
}

/// A folder that is being served.
pub(crate) struct Served {
    pub(crate) context: Context,
}

impl Served {
    /// Writes a session configuration document of that content, and says so.
    pub(crate) async fn edit(&self, content: &str) {
        self.edit_file("session.xml", &session(content)).await;
    }

    pub(crate) async fn edit_file(&self, name: &str, content: &str) {
        fs::write(self.context.folder().join("data").join(name), content).unwrap();
        self.context.server.reload().await;
    }

    async fn properties(&self) -> String {
        Reply::of(self.context.client.get(self.context.url()).send().await.unwrap()).await.text
    }

    /// The elements that say what is wrong with the document.
    pub(crate) async fn problems(&self) -> Vec<String> {
        let properties = self.properties().await;
        let starts = properties.lines().filter(|line| line.contains("<configurationProblem "));
        starts.map(|line| line.trim().to_owned()).collect()
    }

    /// The idle time-out that a new session gets, in milliseconds.
    async fn timeout(&self) -> String {
        let reply = self.context.perform("<session/>").await;
        let (_, rest) = reply.is_completed().text.split_once("timeout=\"").unwrap();
        rest.split_once('"').unwrap().0.to_owned()
    }
}

#[tokio::test]
async fn a_good_edit_holds_for_new_sessions_only() {
    let served = Folder::new("<timeout default='60000'/>").serve().await;
    let old = served.context.create().await;
    served.edit("<timeout default='70000'/>").await;
    assert_eq!(served.timeout().await, "70000");
    served.context.perform(&format!("<session id='{old}'/>")).await.is_completed().says("timeout=\"60000\"");
}

#[tokio::test]
async fn a_broken_edit_changes_nothing_and_is_told_until_it_is_mended() {
    let served = Folder::new("<timeout default='60000'/>").serve().await;
    served.edit("<lifetime max='1000'/><timeout default='70000'/>").await;
    assert_eq!(served.timeout().await, "60000");
    let problems = served.problems().await;
    let start = "<configurationProblem file=\"session.xml\" line=\"2\" column=\"23\" since=\"20";
    assert!(problems.len() == 1 && problems[0].starts_with(start), "{problems:?}");
    assert!(problems[0].contains("the element `timeout` stands at the wrong place"), "{problems:?}");
    served.context.server.reload().await;
    assert_eq!(served.problems().await, problems, "it is the same problem since the same time");
    served.edit("<timeout default='70000'/><lifetime max='PT1H'/>").await;
    assert!(served.problems().await.is_empty());
    assert_eq!(served.timeout().await, "70000");
}

#[tokio::test]
async fn an_edit_is_taken_whole_or_not_at_all_and_everything_that_is_wrong_is_told() {
    let served = Folder::new("<timeout default='60000'/>").serve().await;
    served
        .edit(
            "<timeout default='70000'/><carrier header='Host' create='automatic'/>
             <sessionAttribute name='a' impl='rejoin.Txt'/>
             <sessionAttribute name='b' impl='rejoin.Counter'><start>three</start></sessionAttribute>",
        )
        .await;
    let problems = served.problems().await;
    for (problem, place, words) in [
        (&problems[0], "line=\"2\" column=\"36\"", "`Host` has another meaning"),
        (&problems[1], "line=\"3\"", "did you mean `rejoin.Text`?"),
        (&problems[2], "line=\"4\"", "three"),
    ] {
        assert!(problem.contains(place) && problem.contains(words), "{problem}");
    }
    assert_eq!(problems.len(), 3);
    assert_eq!(served.timeout().await, "60000");
    let reply = served.context.perform("").await;
    assert!(!reply.is_completed().text.contains("timeout="), "the session is implicit: {}", reply.text);
    served.edit("<timeout default='60000'/>").await;
    assert!(served.problems().await.is_empty(), "what is in force again is no problem");
}

#[tokio::test]
async fn what_the_service_keeps_of_the_configuration_changes_with_it() {
    let served = Folder::new("").serve().await;
    let id = served.context.create().await;
    served.edit("<carrier header='My-Session' create='automatic'/>").await;
    let reply = served.context.perform("").await;
    assert_eq!(reply.is_completed().header("my-session").len(), id.len());
    let joined = Reply::of(served.context.post("").header("My-Session", &id).send().await.unwrap()).await;
    assert_eq!(joined.is_completed().session_id(), id);
}

#[tokio::test]
async fn what_takes_effect_at_the_next_start_is_told_and_the_rest_of_the_edit_is_not_taken() {
    let wrapped = |settings: SessionManagerSettings| TransientSessionManagerFactory.make(settings);
    let folder = Folder::new("<timeout default='60000'/>");
    let served = folder.serve_with(|builder| builder.session_manager("example.Factory", wrapped)).await;
    let edit = session("<timeout default='70000'/><store path='s.db'/>");
    served.edit_file("session.xml", &edit.replace("rejoin.TransientSessionManagerFactory", "example.Factory")).await;
    let problems = served.problems().await;
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(
        problems[0].contains("line=\"1\"") && problems[0].contains("another session manager factory takes effect at")
    );
    assert!(
        problems[1].contains("line=\"2\"") && problems[1].contains("another `store` takes effect at the next start")
    );
    assert_eq!(served.timeout().await, "60000");
}

#[tokio::test]
async fn a_file_that_is_gone_changes_nothing() {
    let served = Folder::new("<timeout default='60000'/>").serve().await;
    fs::remove_file(served.context.folder().join("data/session.xml")).unwrap();
    served.context.server.reload().await;
    let problems = served.problems().await;
    assert!(problems[0].contains("the file can&apos;t be read"), "{problems:?}");
    let properties = served.properties().await;
    let folder = served.context.folder().to_str().unwrap();
    assert!(!properties.contains(folder), "clients see no path of the machine: {properties}");
    assert_eq!(served.timeout().await, "60000");
    served.edit("<timeout default='70000'/>").await;
    assert_eq!((served.timeout().await, served.problems().await), ("70000".into(), Vec::new()));
}

#[tokio::test]
async fn a_file_that_the_document_names_mends_it() {
    let served = Folder::new("").serve().await;
    let menu =
        "<sessionAttribute name='menu' impl='rejoin.Document'><document location='menu.xml'/></sessionAttribute>";
    served.edit(menu).await;
    let problems = served.problems().await;
    assert!(problems[0].contains("the document: it can&apos;t be read"), "{problems:?}");
    // By itself: the session configuration document stays as it is.
    fs::write(served.context.folder().join("data/menu.xml"), "<menu/>").unwrap();
    until(async || served.problems().await.is_empty()).await;
}

#[tokio::test]
async fn a_pipe_in_the_place_of_a_document_holds_nothing_up() {
    let folder = Folder::new("<onCreate perform='init.xml'/>");
    folder.write("init.xml", &perform(""));
    let served = folder.serve().await;
    let init = served.context.folder().join("data/init.xml");
    fs::remove_file(&init).unwrap();
    assert!(Command::new("mkfifo").arg(&init).status().unwrap().success());
    let reloaded = tokio::time::timeout(Duration::from_secs(10), served.context.server.reload()).await;
    if reloaded.is_err() {
        // Lets go of whoever waits at the other end, so that the test fails and does not hang.
        drop(fs::OpenOptions::new().write(true).open(&init));
    }
    assert!(reloaded.is_ok(), "the service waits for somebody to write into the pipe");
    let problems = served.problems().await;
    assert!(problems[0].contains("be read: it is not a file"), "{problems:?}");
    assert_eq!(served.timeout().await, "600000", "sessions are created as before");
}

#[tokio::test]
async fn a_running_service_notices_an_edit_by_itself() {
    let served = Folder::new("<timeout default='60000'/>").serve().await;
    fs::write(served.context.folder().join("data/session.xml"), session("<timeout default='70000'/>")).unwrap();
    until(async || served.timeout().await == "70000").await;
}

#[test]
fn the_command_looks_at_sighup() {
    let folder = Folder::new("<timeout default='60000'/>");
    let mut command = Command::new(env!("CARGO_BIN_EXE_rejoin"));
    let serving = Serving::start(command.args(["serve", "--config"]).arg(folder.path()));
    folder.write("session.xml", &session("<timeout default='70000'/>"));
    serving.signal("-HUP");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let client = reqwest::Client::new();
        let url = format!("{}/services/data", serving.url);
        until(async || {
            let request = client.post(&url).header("content-type", "application/xml").body(perform("<session/>"));
            Reply::of(request.send().await.unwrap()).await.text.contains("timeout=\"70000\"")
        })
        .await;
    });
}

/// Waits until something holds that the service does by itself.
async fn until(holds: impl AsyncFn() -> bool) {
    for _ in 0..600 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("a minute was not enough");
}
