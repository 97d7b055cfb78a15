//! Session managers by name, from outside of the crate, and what their configuration may say.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use rejoin::document::{DocumentError, SessionConfiguration};
use rejoin::service::{Configuration, ConfigurationErrors, Server};
use rejoin::session::{
    EndProgress, EndReason, Joining, Participant, Principal, SessionDescription, SessionError, SessionFilter,
    SessionHandle, SessionId, SessionManager, SessionManagerFactory, SessionManagerSettings, SessionRequirement,
    SessionStatistics, SessionStatus, SessionStreams, StaticAttributes, TransientSessionManagerFactory,
};

use crate::reload::{Folder, session};

/// A manager that has one session at the most, whatever `limits` says. All else another one does.
struct Small(Arc<dyn SessionManager>);

fn small(mut settings: SessionConfiguration) -> SessionConfiguration {
    settings.limits.sessions = Some(1);
    settings
}

#[async_trait]
impl SessionManager for Small {
    fn join(&self, requirement: SessionRequirement, who: &Participant) -> Joining {
        self.0.join(requirement, who)
    }

    async fn describe(&self, id: &SessionId, who: &Principal) -> Result<SessionDescription, SessionError> {
        self.0.describe(id, who).await
    }

    async fn inspect(&self, session: SessionHandle) -> Result<SessionDescription, SessionError> {
        self.0.inspect(session).await
    }

    async fn list(&self, filter: &SessionFilter) -> Result<Vec<SessionStatus>, SessionError> {
        self.0.list(filter).await
    }

    async fn end(&self, session: SessionHandle, reason: EndReason) -> Result<EndProgress, SessionError> {
        self.0.end(session, reason).await
    }

    async fn streams(&self, id: &SessionId, who: &Principal) -> Result<Arc<SessionStreams>, SessionError> {
        self.0.streams(id, who).await
    }

    async fn interrupt(&self, id: &SessionId, who: &Principal) -> Result<bool, SessionError> {
        self.0.interrupt(id, who).await
    }

    async fn drain(&self) {
        self.0.drain().await;
    }

    /// The document has changed while the service runs.
    fn reconfigure(&self, settings: SessionConfiguration, statics: StaticAttributes) {
        self.0.reconfigure(small(settings), statics);
    }

    fn statistics(&self) -> SessionStatistics {
        self.0.statistics()
    }

    fn owners(&self) -> Vec<Principal> {
        self.0.owners()
    }

    fn maintenance(&self) -> BoxFuture<'static, ()> {
        self.0.maintenance()
    }
}

struct SmallFactory;

impl SessionManagerFactory for SmallFactory {
    fn problems(&self, configuration: &SessionConfiguration) -> Vec<DocumentError> {
        let mut problems = TransientSessionManagerFactory.problems(configuration);
        if configuration.attributes.len() > 1 {
            let position = configuration.attributes[1].position;
            problems.push(DocumentError::invalid(position, "one static attribute is enough for a small manager"));
        }
        problems
    }

    fn make(&self, mut settings: SessionManagerSettings) -> Result<Arc<dyn SessionManager>, DocumentError> {
        settings.configuration = small(settings.configuration);
        Ok(Arc::new(Small(TransientSessionManagerFactory.make(settings)?)))
    }
}

/// A folder whose sessions have that factory.
fn folder(implementation: &str, content: &str) -> Folder {
    let folder = Folder::new("");
    folder.write("session.xml", &session(content).replace("rejoin.TransientSessionManagerFactory", implementation));
    folder
}

fn refused(folder: &Folder) -> ConfigurationErrors {
    let configuration = Configuration::load(folder.path()).unwrap();
    Server::builder().session_manager("example.Small", SmallFactory).configuration(configuration).build().unwrap_err()
}

#[tokio::test]
async fn a_program_adds_session_managers_by_name() {
    let served =
        folder("example.Small", "").serve_with(|builder| builder.session_manager("example.Small", SmallFactory)).await;
    let id = served.context.create().await;
    served.context.perform("<session/>").await.is_fault(503, "ServerBusy");
    // An edit goes through it, too.
    let edit = session("<limits sessions='5'/>").replace("rejoin.TransientSessionManagerFactory", "example.Small");
    served.edit_file("session.xml", &edit).await;
    assert!(served.problems().await.is_empty());
    served.context.perform("<session/>").await.is_fault(503, "ServerBusy");
    served.context.perform(&format!("<session id='{id}' mode='terminate'/>")).await.is_completed();
    served.context.create().await;
}

#[tokio::test]
async fn with_every_manager_two_hundred_parallel_increments_give_two_hundred() {
    // Behaviour 12.
    for implementation in [
        "rejoin.TransientSessionManagerFactory",
        "uk.org.ogsadai.sessions.impl.TransientSessionManagerFactory",
        "example.Small",
    ] {
        let configured = folder(implementation, "<join maxWaiters='200'/>");
        let served = configured
            .serve_with(|builder| builder.session_manager("example.Small", SmallFactory).admission(64, 256))
            .await;
        let context = &served.context;
        let id = context.create().await;
        let count =
            "<sessionAttributeManagement name='count'><incrementAttribute name='n'/></sessionAttributeManagement>";
        let increment = format!("<session id='{id}' wait='60000'/>{count}");
        let requests = (0..200).map(|_| async { context.perform(&increment).await.is_completed().status });
        futures_util::future::join_all(requests).await;
        let read = "<sessionAttributeManagement name='r'><getAttribute name='n'/><output name='now'/></sessionAttributeManagement>";
        context.perform(&format!("<session id='{id}'/>{read}")).await.is_completed().says(">200</attribute>");
    }
}

#[test]
fn a_factory_that_nobody_knows_is_refused_with_the_nearest() {
    let errors = refused(&folder("example.Smal", ""));
    assert_eq!(errors.0.len(), 1, "{errors}");
    let message = "there is no session manager factory `example.Smal`; did you mean `example.Small`? There are \
                   `example.Small`, `rejoin.DurableSessionManagerFactory`, `rejoin.TransientSessionManagerFactory`";
    assert_eq!((errors.0[0].position.line, &*errors.0[0].message), (1, message));
}

#[test]
fn a_factory_says_everything_that_its_managers_cannot_do() {
    let content = "<store path='s.db'/>
        <sessionAttribute name='a' impl='rejoin.Counter'/>
        <sessionAttribute name='b' impl='rejoin.Countr'/>";
    let errors = refused(&folder("example.Small", content));
    let lines: Vec<u32> = errors.0.iter().map(|error| error.position.line).collect();
    assert_eq!(lines, [2, 4, 4], "{errors}");
}

#[test]
fn the_name_that_ogsa_dai_has_for_it_is_ours() {
    let folder = folder("uk.org.ogsadai.sessions.impl.TransientSessionManagerFactory", "");
    assert!(Configuration::load(folder.path()).is_ok());
    let configuration = Configuration::load(folder.path()).unwrap();
    assert!(Server::builder().configuration(configuration).build().is_ok());
}

#[tokio::test]
async fn the_slip_of_ogsa_dais_own_example_is_refused_with_its_line() {
    // Behaviour 29: a default of ten minutes and a maximum of two, at the start and while the service runs.
    let slip = "\n<timeout default='600000' max='120000'/>";
    let errors = Configuration::load(folder("rejoin.TransientSessionManagerFactory", slip).path()).unwrap_err();
    assert_eq!(errors.0[0].position.to_string(), "3:10", "{errors}");
    assert!(errors.0[0].message.contains("`default` can't be above `max`"), "{errors}");
    let served = Folder::new("").serve().await;
    served.edit(slip).await;
    let problems = served.problems().await;
    assert!(problems[0].contains("line=\"3\" column=\"10\""), "{problems:?}");
}
