//! Session control over an HTTP service that follows a script: what it is asked, what comes out, and why it ends.
//!
//! The names of the tests are those of the scenarios: `as_…` (documented patterns), `sf_…` (a job of Salesforce), `el_…`
//! (Eloqua), `qu_…` (Qualaroo), `zo_…` (Zoom), `go_…` (Gong), `ze_…` (Zendesk), `fd_…` (files), `er_…` (errors), `rc_…`
//! (resumption).

mod chained;
mod errors;
mod faults;
mod files;
mod flows;
mod hostile;
mod killed;
mod pages;
mod resumed;
mod status;

use std::time::Duration;

use futures_util::future::{self, Either};
use rejoin::document::{
    DataResourceConfiguration, FolderConfiguration, Located, OriginConfiguration, Position, WebConfiguration,
};
use rejoin::service::{ConfiguredResource, Server, ServerBuilder};
use rejoin::session::ManualClock;

use crate::context::{Context, Reply};
use crate::scripted::{Script, ScriptedServer, pass};

/// A service of ours over a server that follows a script, in time that the test moves.
pub(crate) struct Bench {
    pub(crate) context: Context,
    pub(crate) server: ScriptedServer,
    pub(crate) clock: ManualClock,
}

/// What came of an ingestion.
#[derive(Debug)]
struct Pulled {
    reply: Reply,
    /// Its records as CSV, with a line of names if there was a record.
    rows: Vec<String>,
    /// Which rules decided, one after the other.
    rules: Vec<String>,
}

impl Bench {
    pub(crate) async fn over(script: Script) -> Self {
        Self::with(script, |builder| builder).await
    }

    /// With another folder than one that may be written.
    async fn with_folder(script: Script, granted: FolderConfiguration) -> Self {
        Self::configured(script, granted, |_| {}, |builder| builder).await
    }

    /// With a service that is configured further.
    pub(crate) async fn with(script: Script, configure: impl FnOnce(ServerBuilder) -> ServerBuilder) -> Self {
        Self::configured(script, writable(), |_| {}, configure).await
    }

    /// With services that are reached in another way.
    async fn reaching(script: Script, reach: impl FnOnce(&mut WebConfiguration)) -> Self {
        Self::configured(script, writable(), reach, |builder| builder).await
    }

    async fn configured(
        script: Script,
        granted: FolderConfiguration,
        reach: impl FnOnce(&mut WebConfiguration),
        configure: impl FnOnce(ServerBuilder) -> ServerBuilder,
    ) -> Self {
        let clock = ManualClock::new();
        let server = ScriptedServer::driven(&clock, script).await;
        let folder = tempfile::tempdir().unwrap();
        let mut configured = DataResourceConfiguration::at(server.url());
        // What is on this machine has to be marked as private.
        configured.web.origins.push(OriginConfiguration { uri: Located::from(server.url()), is_private: true });
        reach(&mut configured.web);
        let mut inbox = DataResourceConfiguration::at("file:inbox/");
        inbox.name = Some(Located::from("inbox".to_owned()));
        inbox.folder = Some(Located { value: granted, position: Position::START });
        let resource = ConfiguredResource::new("data", folder.path());
        let resource = resource.configured_data_resource(configured).configured_data_resource(inbox);
        let builder = configure(Server::builder().listen("127.0.0.1:0").clock(clock.clone()));
        let service = builder.resource(resource).build().unwrap().start().await.unwrap();
        Self { context: Context::around(service, folder), server, clock }
    }

    /// Runs an ingestion with these properties.
    async fn pull(&self, properties: &[(&str, &str)]) -> Pulled {
        self.pull_in("", properties, "").await
    }

    /// Runs an ingestion: `before` stands before it in the document, `state` before its outputs.
    async fn pull_in(&self, before: &str, properties: &[(&str, &str)], state: &str) -> Pulled {
        let ingest = element(properties, state);
        let document = format!(
            "{before}{ingest}
             <sqlResultsToCSV name=\"a\"><resultSet from=\"rows\"/><csvOutput name=\"table\"/><includeHeader value=\"true\"/></sqlResultsToCSV>
             <sqlResultsToCSV name=\"b\"><resultSet from=\"log\"/><csvOutput name=\"decisions\"/></sqlResultsToCSV>"
        );
        let reply = self.context.perform(&document).await;
        let rows = lines(&reply, "table");
        let rules = lines(&reply, "decisions");
        let rules = rules.iter().map(|line| line.split(',').nth(8).unwrap_or_default().to_owned()).collect();
        Pulled { reply, rows, rules }
    }

    /// The same, while time passes: each wait as soon as somebody waits for exactly that long.
    async fn pull_while(&self, properties: &[(&str, &str)], waits: &[u64]) -> Pulled {
        let passing = async {
            for millis in waits {
                pass(&self.clock, Duration::from_millis(*millis)).await;
            }
        };
        let pulling = std::pin::pin!(self.pull(properties));
        match future::select(pulling, std::pin::pin!(passing)).await {
            // It has ended without those waits.
            Either::Left((pulled, _)) => pulled,
            Either::Right(((), pulling)) => pulling.await,
        }
    }
}

fn writable() -> FolderConfiguration {
    FolderConfiguration { write: true, create: true, ..FolderConfiguration::default() }
}

/// The element, with all outputs that tests read.
fn element(properties: &[(&str, &str)], state: &str) -> String {
    let properties: String = properties
        .iter()
        .map(|(key, value)| format!("<property key=\"{key}\"><![CDATA[{value}]]></property>\n"))
        .collect();
    format!(
        "<httpIngest name=\"pull\">{properties}{state}<records name=\"rows\"/><decisions name=\"log\"/></httpIngest>"
    )
}

/// The lines of an end-point of a response document.
pub(crate) fn lines(reply: &Reply, name: &str) -> Vec<String> {
    let Some((_, rest)) = reply.text.split_once(&format!("<result name=\"{name}\"")) else { return Vec::new() };
    // It has no content, or a section of text.
    let Some(text) = rest.split_once('>').and_then(|(_, content)| content.strip_prefix("<![CDATA[")) else {
        return Vec::new();
    };
    let text = text.split_once("]]>").map_or(text, |(text, _)| text);
    text.lines().map(str::to_owned).collect()
}

impl Pulled {
    #[track_caller]
    fn is_completed(&self) -> &Self {
        self.reply.is_completed();
        self
    }

    /// Checks that it failed, and what is said about it.
    #[track_caller]
    fn has_failed(&self, code: &str, words: &str) -> &Self {
        assert!(self.reply.text.contains(words), "expected `{words}` in {}", self.reply.text);
        assert!(self.reply.text.contains(code), "expected `{code}` in {}", self.reply.text);
        self
    }

    #[track_caller]
    fn by<const N: usize>(&self, rules: [&str; N]) -> &Self {
        assert_eq!(self.rules, rules, "{}", self.reply.text);
        self
    }

    #[track_caller]
    fn gave<const N: usize>(&self, rows: [&str; N]) -> &Self {
        assert_eq!(self.rows, rows, "{}", self.reply.text);
        self
    }
}
