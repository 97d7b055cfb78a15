//! A static attribute of one's own: a service object that all sessions share, and an activity that uses it.
//!
//! It stands in the session configuration with its settings; every session of the resource has it, and nobody can replace it.
//! An activity finds it in the session by its name, and takes it as the type that it is.
//!
//! The one of this example is a ticket office: it sells as many tickets as there are, each number once, to whichever session
//! asks first.
//!
//! Run it with `cargo run --example own_static_attribute`.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use rejoin::activity::{Activity, ActivityContext, ActivityError, OutputPort, Setup};
use rejoin::block::{Block, StreamType};
use rejoin::document::{DocumentError, Fields, Limits, SessionConfiguration};
use rejoin::service::{ConfiguredResource, Server};
use rejoin::session::{StaticAttributeSettings, StaticSessionAttribute};

/// One for all sessions of the resource, used by many requests at once.
#[derive(Debug)]
struct TicketOffice {
    tickets: u64,
    sold: AtomicU64,
}

impl TicketOffice {
    /// Makes one from its element in the session configuration. What is wrong there is said with line and column.
    fn from_settings(settings: &StaticAttributeSettings<'_>) -> Result<Arc<dyn StaticSessionAttribute>, DocumentError> {
        let mut fields = settings.fields();
        let mut tickets = fields.required_child("tickets")?.fields();
        let count = tickets.required_attribute("count")?.integer(1..=1000)?;
        tickets.finish()?;
        fields.finish()?;
        Ok(Arc::new(Self { tickets: count, sold: AtomicU64::new(0) }))
    }

    /// The number of a ticket that nobody else has, if one is left.
    fn sell(&self) -> Option<u64> {
        let one_more = |sold: u64| (sold < self.tickets).then_some(sold + 1);
        self.sold.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more).ok().map(|sold| sold + 1)
    }
}

impl StaticSessionAttribute for TicketOffice {
    fn type_name(&self) -> &'static str {
        "ticketOffice"
    }
}

/// `<buyTicket name="b"><output name="number"/></buyTicket>`
struct BuyTicket {
    output: OutputPort,
}

#[async_trait]
impl Activity for BuyTicket {
    const ELEMENT: &'static str = "buyTicket";

    fn parse(fields: &mut Fields<'_>, setup: &mut Setup<'_>) -> Result<Self, DocumentError> {
        Ok(Self { output: setup.optional_output(fields, "output", StreamType::Text)? })
    }

    async fn run(self, mut context: ActivityContext) -> Result<(), ActivityError> {
        let output = context.output(self.output);
        // By name and type. Where the configuration has none, the operator reads why in the log.
        let office = context.session().static_attribute::<TicketOffice>("tickets")?;
        let number = office.sell().ok_or_else(|| ActivityError::client("SoldOut", "there are no tickets left"))?;
        output.send(Block::Text(number.to_string().into())).await?;
        output.finish().await;
        Ok(())
    }
}

const CONFIGURATION: &str = r#"<sessionConfiguration xmlns="http://ogsadai.org.uk/namespaces/2005/10/config">
  <sessionManagerFactory impl="rejoin.TransientSessionManagerFactory">
    <sessionAttribute name="tickets" impl="example.TicketOffice"><tickets count="2"/></sessionAttribute>
  </sessionManagerFactory>
</sessionConfiguration>"#;

/// Each request has an implicit session of its own, and all of them have the office.
const BUY: &str = r#"<perform xmlns="http://ogsadai.org.uk/namespaces/2005/10/types">
  <buyTicket name="buy"><output name="number"/></buyTicket>
</perform>"#;

const LIST: &str = r#"<perform xmlns="http://ogsadai.org.uk/namespaces/2005/10/types">
  <sessionAttributeManagement name="list"><listAttributes/><output name="list"/></sessionAttributeManagement>
</perform>"#;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let session = SessionConfiguration::parse(CONFIGURATION.as_bytes(), &Limits::default())?;
    let server = Server::builder()
        .listen("127.0.0.1:0")
        .static_attribute("example.TicketOffice", TicketOffice::from_settings)
        .activity::<BuyTicket>()
        .resource(ConfiguredResource::new("theatre", ".").session(session))
        .build()?
        .start()
        .await?;
    let url = format!("{}/services/theatre", server.url());

    println!("Attributes of a new session: {}", post(&url, "list", LIST).await?);
    for _ in 0..2 {
        println!("A ticket for a session of its own: {}", post(&url, "number", BUY).await?);
    }
    println!("One more than there are:\n{}", post(&url, "number", BUY).await?);

    server.shutdown().await;
    Ok(())
}

async fn post(url: &str, end_point: &str, document: &'static str) -> reqwest::Result<String> {
    let request = reqwest::Client::new().post(url).query(&[("return", end_point)]);
    request.header("content-type", "application/xml").body(document).send().await?.text().await
}
