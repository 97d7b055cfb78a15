//! A data service resource, as a program sees it.

use std::sync::Arc;

use reqwest::Method;
use reqwest::header::HeaderValue;
#[cfg(feature = "server")]
use reqwest::{RequestBuilder, Url};

use super::caller::Caller;
use super::exchange::Exchange;
use super::parcel::{Parcel, Repeat};
use super::{
    DataServiceBuilder, EndPoint, EndPointName, Error, NewSession, Query, Request, Response, RunningRequest, Session,
    Update,
};
use crate::document::{Element, Limits};

/// A data service resource: where requests go. It is cheap to clone; clones share their connections.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use rejoin::client::DataService;
///
/// let service = DataService::connect("http://127.0.0.1:8080", "demo").await?;
/// let customers: i64 = service.query("SELECT count(*) FROM customer").one().await?;
/// let moved = service.update("UPDATE customer SET town = ? WHERE town = ?").parameter("Oban").parameter("Ayr").run().await?;
/// println!("{moved} of {customers} customers have moved");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct DataService {
    exchange: Arc<Exchange>,
}

impl DataService {
    /// Reaches a resource of a service at an address such as `http://127.0.0.1:8080`, and asks whether it is there.
    ///
    /// # Errors
    ///
    /// Those of [`DataServiceBuilder::connect`].
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), rejoin::client::Error> {
    /// use rejoin::client::DataService;
    ///
    /// let service = DataService::connect("http://127.0.0.1:8080", "demo").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn connect(address: &str, resource: &str) -> Result<Self, Error> {
        Self::builder(address, resource).connect().await
    }

    /// The same with settings: who sends the requests, certificates, how long to go on.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), rejoin::client::Error> {
    /// use rejoin::client::DataService;
    ///
    /// let service = DataService::builder("http://127.0.0.1:8080", "demo").compression(true).connect().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn builder(address: &str, resource: &str) -> DataServiceBuilder {
        DataServiceBuilder::new(address, resource)
    }

    pub(super) fn of(exchange: Arc<Exchange>) -> Self {
        Self { exchange }
    }

    pub(super) fn exchange(&self) -> &Exchange {
        &self.exchange
    }

    /// The URL of the resource.
    #[cfg(feature = "server")]
    pub(crate) fn address(&self) -> &Url {
        &self.exchange.url
    }

    /// A request that says who sends it, and that is sent once: for the command, which shows answers as they come.
    #[cfg(feature = "server")]
    pub(crate) fn bare(&self, method: Method, url: Url) -> RequestBuilder {
        self.exchange.bare(method, url)
    }

    /// The URL of the resource.
    ///
    /// ```
    /// use rejoin::client::DataService;
    ///
    /// let service = DataService::builder("http://127.0.0.1:8080", "demo").build()?;
    /// assert_eq!(service.url(), "http://127.0.0.1:8080/services/demo");
    /// # Ok::<(), rejoin::client::Error>(())
    /// ```
    #[must_use]
    pub fn url(&self) -> &str {
        self.exchange.url.as_str()
    }

    /// What the resource says of itself: its activities, data resources, tables and columns.
    ///
    /// # Errors
    ///
    /// [`Error::Unreachable`], [`Error::Refused`], or [`Error::Unexpected`] where something else answers.
    ///
    /// ```no_run
    /// # async fn example(service: rejoin::client::DataService) -> Result<(), rejoin::client::Error> {
    /// let properties = service.properties().await?;
    /// for property in properties.elements() {
    ///     println!("{}", property.local_name());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn properties(&self) -> Result<Element, Error> {
        let mut parcel = Parcel::new(Method::GET, self.exchange.url.clone(), Repeat::Harmless);
        parcel.headers.insert(reqwest::header::ACCEPT, HeaderValue::from_static("application/xml"));
        let answer = self.exchange.whole(&parcel).await?;
        let limits = Limits { document_bytes: u64::MAX, elements: u32::MAX, ..Limits::default() };
        Element::parse(&answer.body, &limits)
            .map_err(|error| Error::Unexpected(format!("the properties of the resource can't be read: {error}")))
    }

    /// A query: rows as Arrow batches, as structs, or as a stream. It has an implicit session, which ends with it.
    ///
    /// ```no_run
    /// # async fn example(service: rejoin::client::DataService) -> Result<(), rejoin::client::Error> {
    /// let towns: Vec<(String, i64)> = service.query("SELECT town, count(*) FROM customer GROUP BY town").all().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn query(&self, sql: impl Into<String>) -> Query {
        Query::new(self.caller(), sql)
    }

    /// A statement that writes. It takes effect by itself; several that belong together are a
    /// [transaction](Session::transaction).
    ///
    /// ```no_run
    /// # async fn example(service: rejoin::client::DataService) -> Result<(), rejoin::client::Error> {
    /// let changed = service.update("DELETE FROM customer WHERE id = ?").parameter(7).run().await?;
    /// assert_eq!(changed, 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn update(&self, sql: impl Into<String>) -> Update {
        Update::new(self.caller(), sql)
    }

    /// Performs a request, and gathers its results in memory.
    ///
    /// # Errors
    ///
    /// Any of [`Error`], but those of rows.
    ///
    /// ```no_run
    /// # async fn example(service: rejoin::client::DataService) -> Result<(), Box<dyn std::error::Error>> {
    /// use rejoin::client::Request;
    ///
    /// let response = service.perform(&Request::document(std::fs::read_to_string("report.xml")?)?).await?;
    /// println!("{}", response.text("csv")?);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn perform(&self, request: &Request) -> Result<Response, Error> {
        self.caller().perform(request).await
    }

    /// Performs a request and streams one of its end-points, as it comes: the service waits for a reader that is slow. The other
    /// end-points are read and forgotten.
    ///
    /// # Errors
    ///
    /// Any of [`Error`] that is known before the first byte; what comes later, the stream says.
    ///
    /// ```no_run
    /// # async fn example(service: rejoin::client::DataService, request: rejoin::client::Request) -> Result<(), Box<dyn std::error::Error>> {
    /// let mut csv = service.stream(&request, "csv").await?;
    /// let mut file = tokio::fs::File::create("customers.csv").await?;
    /// while let Some(piece) = csv.next_piece().await? {
    ///     tokio::io::AsyncWriteExt::write_all(&mut file, &piece).await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn stream(&self, request: &Request, end_point: &(impl EndPointName + ?Sized)) -> Result<EndPoint, Error> {
        self.caller().stream(request, end_point.end_point_name()).await
    }

    /// Begins a request and comes back at once; its end-points are streams of its session. A request that does not say which has a
    /// session made for it: that tells how the request ended, as long as it is there. It is to be [ended](Session::end), or left
    /// to its idle time-out.
    ///
    /// # Errors
    ///
    /// Any of [`Error`] for what is wrong before it runs.
    ///
    /// ```no_run
    /// # async fn example(service: rejoin::client::DataService, request: rejoin::client::Request) -> Result<(), rejoin::client::Error> {
    /// let running = service.start(&request).await?;
    /// let csv = running.stream("csv").read().await?.whole().await?;
    /// running.finished().await?;
    /// running.session().clone().end().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn start(&self, request: &Request) -> Result<RunningRequest, Error> {
        if request.names_session() {
            return self.caller().start(request).await;
        }
        let session = self.session().await?;
        let running = session.start(request).await;
        if running.is_err() {
            // Nobody else knows it. What can't be told ends by itself.
            let _ = session.end_now().await;
        }
        running
    }

    /// A new session: awaited, it is there.
    ///
    /// ```no_run
    /// # async fn example(service: rejoin::client::DataService) -> Result<(), rejoin::client::Error> {
    /// use std::time::Duration;
    ///
    /// let session = service.session().timeout(Duration::from_mins(5)).await?;
    /// session.set("town", "Oban").await?;
    /// session.end().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn session(&self) -> NewSession {
        NewSession::new(self.clone())
    }

    /// The session of that id, which somebody made before, on whatever machine. Nothing is sent: whether it is there, the first
    /// request tells.
    ///
    /// ```no_run
    /// # async fn example(service: rejoin::client::DataService) -> Result<(), Box<dyn std::error::Error>> {
    /// let session = service.join(&std::env::var("REJOIN_SESSION")?);
    /// println!("{:?}", session.status().await?.state);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn join(&self, id: &str) -> Session {
        Session::new(self.clone(), id)
    }

    pub(super) fn caller(&self) -> Caller {
        Caller::new(self.clone(), None)
    }
}
