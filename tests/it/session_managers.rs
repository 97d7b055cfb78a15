//! Session managers by name, from outside of the crate, and what their configuration may say.

use std::sync::Arc;

use rejoin::document::{DocumentError, SessionConfiguration};
use rejoin::service::{Configuration, ConfigurationErrors, Server};
use rejoin::session::{SessionManager, SessionManagerFactory, SessionManagerSettings, TransientSessionManagerFactory};

use crate::reload::{Folder, session};

/// Makes managers of a few sessions. They wrap nothing: the sessions are those of the transient manager.
struct Small;

impl SessionManagerFactory for Small {
    fn problems(&self, configuration: &SessionConfiguration) -> Vec<DocumentError> {
        let mut problems = TransientSessionManagerFactory.problems(configuration);
        if configuration.attributes.len() > 1 {
            let position = configuration.attributes[1].position;
            problems.push(DocumentError::invalid(position, "one static attribute is enough for a small manager"));
        }
        problems
    }

    fn make(&self, mut settings: SessionManagerSettings) -> Result<Arc<dyn SessionManager>, DocumentError> {
        settings.configuration.limits.sessions = Some(1);
        TransientSessionManagerFactory.make(settings)
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
    Server::builder().session_manager("example.Small", Small).configuration(configuration).build().unwrap_err()
}

#[tokio::test]
async fn a_program_adds_session_managers_by_name() {
    let served =
        folder("example.Small", "").serve_with(|builder| builder.session_manager("example.Small", Small)).await;
    let id = served.context.create().await;
    served.context.perform("<session/>").await.is_fault(503, "ServerBusy");
    served.context.perform(&format!("<session id='{id}' mode='terminate'/>")).await.is_completed();
    served.context.create().await;
}

#[test]
fn a_factory_that_nobody_knows_is_refused_with_the_nearest() {
    let errors = refused(&folder("example.Smal", ""));
    assert_eq!(errors.0.len(), 1, "{errors}");
    let message = "there is no session manager factory `example.Smal`; did you mean `example.Small`? There are \
                   `example.Small`, `rejoin.TransientSessionManagerFactory`";
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
