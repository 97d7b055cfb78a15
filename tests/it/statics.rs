//! Static attributes: what stands in the configuration and every session has.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use rejoin::activity::{Activity, ActivityContext, ActivityError, OutputPort, Setup};
use rejoin::block::{Block, StreamType};
use rejoin::document::{DocumentError, Fields};
use rejoin::service::Configuration;
use rejoin::session::{
    BranchError, Counter, StaticAttributeSettings, StaticSessionAttribute, TransactionBranch, TransactionManager,
    TransactionOptions,
};

use crate::context::Reply;
use crate::reload::{Folder, Served};

/// `<nextTicket name="t"><output name="number"/></nextTicket>`: an activity that is configured to work with a counter.
struct NextTicket {
    output: OutputPort,
}

#[async_trait]
impl Activity for NextTicket {
    const ELEMENT: &'static str = "nextTicket";

    fn parse(fields: &mut Fields<'_>, setup: &mut Setup<'_>) -> Result<Self, DocumentError> {
        Ok(Self { output: setup.optional_output(fields, "output", StreamType::Text)? })
    }

    async fn run(self, mut context: ActivityContext) -> Result<(), ActivityError> {
        let output = context.output(self.output);
        let number = context.session().static_attribute::<Counter>("tickets")?.next();
        output.send(Block::Text(number.to_string().into())).await?;
        output.finish().await;
        Ok(())
    }
}

const NEXT: &str = "<nextTicket name='t'><output name='number'/></nextTicket>";
const COUNTER: &str = "<sessionAttribute name='tickets' impl='rejoin.Counter'/>";

async fn serve(content: &str) -> Served {
    Folder::new(content).serve_with(rejoin::service::ServerBuilder::activity::<NextTicket>).await
}

fn join(id: &str, activities: &str) -> String {
    format!("<session id='{id}'/>{activities}")
}

/// What a getter of a session attribute answers.
async fn value(served: &Served, session: &str, name: &str) -> String {
    let get = format!(
        "{session}<sessionAttributeManagement name='a'><getAttribute name='{name}'/><output name='value'/></sessionAttributeManagement>"
    );
    served.context.raw(&get, "value").await.text
}

#[tokio::test]
async fn every_session_has_them_and_none_can_change_them() {
    // Behaviours 1 and 38: implicit sessions, too.
    let served =
        serve("<sessionAttribute name='greeting' impl='rejoin.Text'><text>hello</text></sessionAttribute>").await;
    let id = served.context.create().await;
    let attribute = "<attribute name=\"greeting\" type=\"text\">hello</attribute>";
    assert_eq!(value(&served, "", "greeting").await, attribute);
    assert_eq!(value(&served, &format!("<session id='{id}'/>"), "greeting").await, attribute);
    for change in [
        "<setAttribute name='greeting'>good bye</setAttribute>",
        "<removeAttribute name='greeting'/>",
        "<incrementAttribute name='greeting'/>",
    ] {
        let change = format!("<sessionAttributeManagement name='a'>{change}</sessionAttributeManagement>");
        served.context.perform(&join(&id, &change)).await.is_fault(409, "AttributeReadOnly");
        served.context.perform(&change).await.is_fault(409, "AttributeReadOnly");
    }
    let deliver = "<echo name='e'><text>x</text><output name='o'/></echo>
        <deliverToSession name='d'><fromLocal from='o'/><toSession attribute='greeting'/></deliverToSession>";
    served.context.perform(&join(&id, deliver)).await.is_fault(409, "AttributeReadOnly");
    assert_eq!(value(&served, "", "greeting").await, attribute);
}

#[tokio::test]
async fn all_sessions_share_one_instance() {
    // Behaviour 38.
    let served = serve(COUNTER).await;
    let id = served.context.create().await;
    assert_eq!(served.context.raw(NEXT, "number").await.text, "1");
    assert_eq!(served.context.raw(&join(&id, NEXT), "number").await.text, "2");
    assert_eq!(served.context.raw(&format!("<session/>{NEXT}"), "number").await.text, "3");
    assert_eq!(value(&served, "", "tickets").await, "<attribute name=\"tickets\" type=\"counter\">3</attribute>");
}

#[tokio::test]
async fn one_that_an_edit_leaves_as_it_was_stays_the_same_instance() {
    // Behaviour 38: one instance for the scope of the resource, whatever else changes.
    let served = serve(COUNTER).await;
    let id = served.context.create().await;
    assert_eq!(served.context.raw(NEXT, "number").await.text, "1");
    served.edit(&format!("<timeout default='60000'/>\n\n  {COUNTER}")).await;
    assert_eq!(served.context.raw(NEXT, "number").await.text, "2");
    assert_eq!(served.context.raw(&join(&id, NEXT), "number").await.text, "3");
    served.edit("<sessionAttribute name='tickets' impl='rejoin.Counter'><start>100</start></sessionAttribute>").await;
    assert_eq!(served.context.raw(NEXT, "number").await.text, "101");
    assert_eq!(served.context.raw(&join(&id, NEXT), "number").await.text, "4", "the old session keeps the old one");
}

#[tokio::test]
async fn an_activity_that_misses_its_attribute_blames_the_service() {
    let other = "<sessionAttribute name='tickets' impl='rejoin.Text'><text>none</text></sessionAttribute>";
    for content in ["", other] {
        let reply = serve(content).await.context.perform(NEXT).await;
        reply.is_fault(500, "Internal");
        assert!(!reply.text.contains("tickets"), "what the service lacks is not the client's business: {}", reply.text);
    }
}

/// Writes its name down when it is closed.
#[derive(Debug)]
struct Closing(String, Arc<Mutex<Vec<String>>>);

impl StaticSessionAttribute for Closing {
    fn type_name(&self) -> &'static str {
        "closing"
    }

    fn close(&self) {
        self.1.lock().push(self.0.clone());
    }
}

async fn serve_closing(content: &str) -> (Served, Arc<Mutex<Vec<String>>>) {
    let closed = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&closed);
    let factory =
        move |settings: &StaticAttributeSettings<'_>| -> Result<Arc<dyn StaticSessionAttribute>, DocumentError> {
            Ok(Arc::new(Closing(settings.name().to_owned(), Arc::clone(&log))))
        };
    let served = Folder::new(content).serve_with(|builder| builder.static_attribute("example.Closing", factory)).await;
    (served, closed)
}

#[tokio::test]
async fn they_are_closed_in_reverse_order_when_the_service_stops() {
    // Behaviours 38 and 68.
    let names = ["b", "c", "a"].map(|name| format!("<sessionAttribute name='{name}' impl='example.Closing'/>"));
    let (served, closed) = serve_closing(&names.concat()).await;
    let id = served.context.create().await;
    served.context.perform(&join(&id, "")).await.is_completed();
    assert!(closed.lock().is_empty());
    served.context.server.shutdown().await;
    assert_eq!(*closed.lock(), ["a", "c", "b"]);
}

#[tokio::test]
async fn one_that_was_taken_out_is_closed_with_the_last_session_that_has_it() {
    let kept = "<sessionAttribute name='kept' impl='example.Closing'/>";
    let (served, closed) =
        serve_closing(&format!("<sessionAttribute name='gone' impl='example.Closing'/>{kept}")).await;
    let id = served.context.create().await;
    served.edit(kept).await;
    assert!(closed.lock().is_empty(), "a session has it");
    served.context.perform(&format!("<session id='{id}' mode='terminate'/>")).await.is_completed();
    // What an ended session held is freed a moment later, by the next look at the latest.
    for _ in 0..600 {
        served.context.server.reload().await;
        if *closed.lock() == ["gone"] {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{:?}", closed.lock());
}

#[tokio::test]
async fn a_document_is_read_again_when_it_changes() {
    let folder = Folder::new(
        "<sessionAttribute name='menu' impl='rejoin.Document'><document location='menu.xml'/></sessionAttribute>
         <sessionAttribute name='note' impl='rejoin.Document'><document location='note.txt' type='text'/></sessionAttribute>",
    );
    folder.write("menu.xml", "<?xml version='1.0'?>\n<menu>tea</menu>");
    folder.write("note.txt", "1 < 2");
    let served = folder.serve().await;
    let id = served.context.create().await;
    let session = format!("<session id='{id}'/>");
    assert_eq!(value(&served, "", "menu").await, "<attribute name=\"menu\" type=\"xml\"><menu>tea</menu></attribute>");
    assert_eq!(value(&served, "", "note").await, "<attribute name=\"note\" type=\"text\">1 &lt; 2</attribute>");
    served.edit_file("menu.xml", "<menu>coffee</menu>").await;
    for session in ["", &session] {
        assert!(
            value(&served, session, "menu").await.contains("<menu>coffee</menu>"),
            "every session has the instance"
        );
    }
    served.edit_file("menu.xml", "<menu>").await;
    assert!(value(&served, "", "menu").await.contains("<menu>coffee</menu>"), "the last good content stays");
    served.edit_file("note.txt", "2 < 3").await;
    assert!(value(&served, &session, "note").await.contains("2 &lt; 3"));
    // Sessions of an earlier configuration have the same file.
    served.edit("").await;
    served.edit_file("note.txt", "3 < 4").await;
    assert!(value(&served, &session, "note").await.contains("3 &lt; 4"));
}

#[tokio::test]
async fn what_cannot_be_read_at_the_start_is_told_with_its_place() {
    let wrong = [
        (
            "<sessionAttribute name='a' impl='rejoin.Document'><document location='none.xml'/></sessionAttribute>",
            "2:61",
        ),
        (
            "<sessionAttribute name='b' impl='rejoin.Document'><document location='broken.xml'/></sessionAttribute>",
            "3:61",
        ),
        (
            "<sessionAttribute name='c' impl='rejoin.Environment'><variable name='REJOIN_UNSET'/></sessionAttribute>",
            "4:64",
        ),
        ("<sessionAttribute name='d' impl='rejoin.Documnet'/>", "5:28"),
    ];
    let folder = Folder::new(&wrong.map(|(content, _)| content).join("\n"));
    folder.write("broken.xml", "<menu>");
    let configuration = Configuration::load(folder.path()).unwrap();
    let errors = rejoin::service::Server::builder().configuration(configuration).build().unwrap_err();
    let places: Vec<String> = errors.0.iter().map(|error| error.position.to_string()).collect();
    assert_eq!(places, wrong.map(|(_, place)| place), "{errors}");
    assert!(errors.0.iter().all(|error| error.file.ends_with("data/session.xml")), "{errors}");
}

/// A branch that writes down what it is told.
#[derive(Debug)]
struct Fake(Arc<Mutex<Vec<&'static str>>>);

#[async_trait]
impl TransactionBranch for Fake {
    async fn commit(&self) -> Result<(), BranchError> {
        self.0.lock().push("commit");
        Ok(())
    }

    async fn rollback(&self) -> Result<(), BranchError> {
        self.0.lock().push("rollback");
        Ok(())
    }

    async fn savepoint(&self, _: &str) -> Result<(), BranchError> {
        Ok(())
    }

    async fn rollback_to(&self, _: &str) -> Result<(), BranchError> {
        Ok(())
    }

    async fn release(&self, _: &str) -> Result<(), BranchError> {
        Ok(())
    }
}

/// What the branches of [`Transact`] were told. A static attribute of the test's own.
#[derive(Debug)]
struct Told(Arc<Mutex<Vec<&'static str>>>);

impl StaticSessionAttribute for Told {
    fn type_name(&self) -> &'static str {
        "told"
    }
}

/// `<transact name="t" to="begin"/>` and `to="commit"`: what activities on relational data will do.
struct Transact {
    commits: bool,
}

#[async_trait]
impl Activity for Transact {
    const ELEMENT: &'static str = "transact";

    fn parse(fields: &mut Fields<'_>, _: &mut Setup<'_>) -> Result<Self, DocumentError> {
        Ok(Self { commits: fields.required_attribute("to")?.choice(&[("begin", false), ("commit", true)])? })
    }

    async fn run(self, context: ActivityContext) -> Result<(), ActivityError> {
        let session = context.session();
        let manager = session.static_attribute::<TransactionManager>("transactionManager")?;
        let told = session.static_attribute::<Told>("told")?;
        let done = async {
            if self.commits {
                return manager.commit(session).await;
            }
            let transaction = manager.begin(session, TransactionOptions::default())?;
            transaction.enlist("fake", async |_| Ok(Fake(Arc::clone(&told.0)))).await.map(drop)
        };
        done.await.map_err(|error| ActivityError::client(error.code(), error.to_string()))
    }
}

async fn serve_transactions() -> (Served, Arc<Mutex<Vec<&'static str>>>) {
    let told = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&told);
    let factory = move |_: &StaticAttributeSettings<'_>| -> Result<Arc<dyn StaticSessionAttribute>, DocumentError> {
        Ok(Arc::new(Told(Arc::clone(&log))))
    };
    let folder = Folder::new(
        "<sessionAttribute name='transactionManager' impl='rejoin.TransactionManager'/>
         <sessionAttribute name='told' impl='example.Told'/>",
    );
    let served = folder.serve_with(|builder| builder.static_attribute("example.Told", factory).activity::<Transact>());
    (served.await, told)
}

async fn until_told(told: &Mutex<Vec<&'static str>>, expected: &[&str]) {
    for _ in 0..600 {
        if *told.lock() == expected {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{:?}", told.lock());
}

const BEGIN: &str = "<transact name='begin' to='begin'/>";
const COMMIT: &str = "<transact name='commit' to='commit'/>";

#[tokio::test]
async fn a_transaction_that_one_request_begins_another_commits() {
    let (served, told) = serve_transactions().await;
    let id = served.context.perform(&format!("<session/>{BEGIN}")).await.is_completed().session_id();
    served.context.perform(&join(&id, BEGIN)).await.is_fault(422, "ActivityFailed").says("TransactionActive");
    served.context.perform(COMMIT).await.is_fault(422, "ActivityFailed").says("NoTransaction");
    served.context.perform(&join(&id, COMMIT)).await.is_completed();
    assert_eq!(*told.lock(), ["commit"]);
    served.context.perform(&format!("<session id='{id}' mode='terminate'/>")).await.is_completed();
    served.context.server.shutdown().await;
    assert_eq!(*told.lock(), ["commit"]);
}

#[tokio::test]
async fn a_transaction_ends_with_its_session_and_with_a_request_that_fails() {
    let (served, told) = serve_transactions().await;
    let id = served.context.perform(&format!("<session/>{BEGIN}")).await.is_completed().session_id();
    served.context.perform(&format!("<session id='{id}' mode='terminate'/>")).await.is_completed();
    until_told(&told, &["rollback"]).await;
    let failing = format!(
        "<session/><sequence>{BEGIN}<sessionAttributeManagement name='a'><getAttribute name='none'/></sessionAttributeManagement></sequence>"
    );
    served.context.perform(&failing).await.is_fault(422, "ActivityFailed");
    until_told(&told, &["rollback", "rollback"]).await;
    let reply: Reply = served.context.perform(&format!("<session/>{BEGIN}")).await;
    reply.is_completed();
    served.context.server.shutdown().await;
    until_told(&told, &["rollback", "rollback", "rollback"]).await;
}
