//! A static attribute of one's own: a service object that all sessions share, and an activity that uses it.
//!
//! This is what static attributes were made for in OGSA-DAI, and its own example: a transaction manager. It stands in the
//! session configuration with its settings; every session of the resource has it, and nobody can replace it. An activity
//! finds it in the session by its name, and takes it as the type that it is.
//!
//! The one of this example hands out as many numbers as its pool holds. It begins nothing in a database.
//!
//! Run it with `cargo run --example own_static_attribute`.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use rejoin::activity::{Activity, ActivityContext, ActivityError, OutputPort, Setup};
use rejoin::block::{Block, StreamType};
use rejoin::document::{DocumentError, Element, Fields, Limits, SessionConfiguration};
use rejoin::service::{ConfiguredResource, Server};
use rejoin::session::{AttributeValue, StaticSessionAttribute};

/// One for all sessions of the resource, used by many requests at once.
#[derive(Debug)]
struct TransactionManager {
    most: u64,
    begun: AtomicU64,
}

impl TransactionManager {
    /// Makes one from its element in the session configuration. What is wrong there is said with line and column.
    fn from_element(element: &Element) -> Result<Arc<dyn StaticSessionAttribute>, DocumentError> {
        let mut fields = element.fields();
        // These two have been read already.
        fields.attribute("name");
        fields.attribute("impl");
        let mut pool = fields.required_child("pool")?.fields();
        let most = pool.required_attribute("size")?.integer(1..=1000)?;
        pool.finish()?;
        fields.finish()?;
        Ok(Arc::new(Self { most, begun: AtomicU64::new(0) }))
    }

    /// The number of a new transaction, if the pool holds one more.
    fn begin(&self) -> Option<u64> {
        let one_more = |begun: u64| (begun < self.most).then_some(begun + 1);
        self.begun.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more).ok().map(|begun| begun + 1)
    }
}

impl StaticSessionAttribute for TransactionManager {
    fn type_name(&self) -> &'static str {
        "transactionManager"
    }
}

/// `<beginTransaction name="b"><output name="number"/></beginTransaction>`
struct BeginTransaction {
    output: OutputPort,
}

#[async_trait]
impl Activity for BeginTransaction {
    const ELEMENT: &'static str = "beginTransaction";

    fn parse(fields: &mut Fields<'_>, setup: &mut Setup<'_>) -> Result<Self, DocumentError> {
        Ok(Self { output: setup.optional_output(fields, "output", StreamType::Text)? })
    }

    async fn run(self, mut context: ActivityContext) -> Result<(), ActivityError> {
        let output = context.output(self.output);
        let number = manager(&context)?
            .begin()
            .ok_or_else(|| ActivityError::client("TooManyTransactions", "the pool is empty"))?;
        output.send(Block::Text(number.to_string().into())).await?;
        output.finish().await;
        Ok(())
    }
}

/// The manager of the session, by name and type.
fn manager(context: &ActivityContext) -> Result<Arc<TransactionManager>, ActivityError> {
    match context.session().get("transactionManager") {
        Some(AttributeValue::Static(value)) => value.downcast().ok_or_else(not_configured),
        _ => Err(not_configured()),
    }
}

fn not_configured() -> ActivityError {
    ActivityError::server("NotConfigured", "the session configuration names no transactionManager of this type")
}

const CONFIGURATION: &str = r#"<sessionConfiguration xmlns="http://ogsadai.org.uk/namespaces/2005/10/config">
  <sessionManagerFactory impl="rejoin.TransientSessionManagerFactory">
    <sessionAttribute name="transactionManager" impl="example.TransactionManager"><pool size="2"/></sessionAttribute>
  </sessionManagerFactory>
</sessionConfiguration>"#;

/// Each request has an implicit session of its own, and all of them have the manager.
const BEGIN: &str = r#"<perform xmlns="http://ogsadai.org.uk/namespaces/2005/10/types">
  <beginTransaction name="begin"><output name="number"/></beginTransaction>
</perform>"#;

const LIST: &str = r#"<perform xmlns="http://ogsadai.org.uk/namespaces/2005/10/types">
  <sessionAttributeManagement name="list"><listAttributes/><output name="list"/></sessionAttributeManagement>
</perform>"#;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let session = SessionConfiguration::parse(CONFIGURATION.as_bytes(), &Limits::default())?;
    let server = Server::builder()
        .listen("127.0.0.1:0")
        .static_attribute("example.TransactionManager", TransactionManager::from_element)
        .activity::<BeginTransaction>()
        .resource(ConfiguredResource::new("books", ".").session(session))
        .build()?
        .start()
        .await?;
    let url = format!("{}/services/books", server.url());

    println!("Attributes of a new session: {}", post(&url, "list", LIST).await?);
    for _ in 0..2 {
        println!("A transaction in a session of its own: {}", post(&url, "number", BEGIN).await?);
    }
    println!("One more than the pool holds:\n{}", post(&url, "number", BEGIN).await?);

    server.shutdown().await;
    Ok(())
}

async fn post(url: &str, end_point: &str, document: &'static str) -> reqwest::Result<String> {
    let request = reqwest::Client::new().post(url).query(&[("return", end_point)]);
    request.header("content-type", "application/xml").body(document).send().await?.text().await
}
