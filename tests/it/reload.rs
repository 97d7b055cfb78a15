//! Session configuration documents that change while the service runs.

use std::fs;
use std::path::Path;
use std::time::Duration;

use rejoin::service::{Configuration, Server, ServerBuilder};
use tempfile::TempDir;

use crate::context::{Context, Reply};

const SERVICE: &str = r#"<dataServiceConfiguration xmlns="http://ogsadai.org.uk/namespaces/2005/10/config">
  <listen address="127.0.0.1:0"/>
  <dataServiceResource name="data" location="data/resource.xml"/>
</dataServiceConfiguration>"#;

const RESOURCE: &str = r#"<dataServiceResourceConfiguration xmlns="http://ogsadai.org.uk/namespaces/2005/10/config">
  <sessionConfiguration location="session.xml"/>
</dataServiceResourceConfiguration>"#;

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
        fs::write(folder.path().join("data/resource.xml"), RESOURCE).unwrap();
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
}

#[tokio::test]
async fn a_good_edit_holds_for_new_sessions_only() {
    let served = Folder::new("<timeout default='60000'/>").serve().await;
    let old = served.context.create().await;
    served.edit("<timeout default='70000'/>").await;
    served.context.perform("<session/>").await.is_completed().says("timeout=\"70000\"");
    served.context.perform(&format!("<session id='{old}'/>")).await.is_completed().says("timeout=\"60000\"");
}

#[tokio::test]
async fn a_broken_edit_changes_nothing_and_is_told_until_it_is_mended() {
    let served = Folder::new("<timeout default='60000'/>").serve().await;
    served.edit("<lifetime max='1000'/><timeout default='70000'/>").await;
    served.context.perform("<session/>").await.is_completed().says("timeout=\"60000\"");
    let properties = served.properties().await;
    let problem = "<configurationProblem file=\"session.xml\" line=\"2\" column=\"23\" since=\"20";
    assert!(properties.contains(problem), "{properties}");
    assert!(properties.contains("`timeout` stands at the wrong place"), "{properties}");
    served.edit("<timeout default='70000'/><lifetime max='1000'/>").await;
    assert!(!served.properties().await.contains("configurationProblem"));
    served.context.perform("<session/>").await.is_completed().says("timeout=\"70000\"");
}

#[tokio::test]
async fn a_running_service_notices_an_edit_by_itself() {
    let served = Folder::new("<timeout default='60000'/>").serve().await;
    fs::write(served.context.folder().join("data/session.xml"), session("<timeout default='70000'/>")).unwrap();
    for _ in 0..600 {
        if served.context.perform("<session/>").await.text.contains("timeout=\"70000\"") {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("a minute was not enough");
}
