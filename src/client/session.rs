//! A session as an object.

use std::fmt;

use reqwest::{Method, StatusCode};

use super::caller::Caller;
use super::parcel::{Parcel, Repeat};
use super::shared::Shared;
use super::{
    Cursor, DataService, EndPoint, EndPointName, Error, NewTransaction, Query, Request, Response, RunningRequest,
    SessionRequirement, SessionStream, Transaction, Update,
};
use crate::document::{Limits, SessionStatusDocument};

/// A session of a service: what is remembered between requests. Clones are the same session; its requests wait for each other.
///
/// It renews nothing by itself: a request keeps it alive, and nothing else. It ends by [`end`](Session::end); one that is dropped
/// is left to its idle time-out, so that another program can [join](DataService::join) it. `Debug` does not show the id: who has
/// it, has the session.
///
/// ```no_run
/// # async fn example(service: rejoin::client::DataService) -> Result<(), rejoin::client::Error> {
/// let session = service.session().await?;
/// session.set("town", "Oban").await?;
/// assert_eq!(session.get("town").await?.as_deref(), Some("Oban"));
/// session.end().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Session {
    shared: Shared,
    caller: Caller,
}

impl Session {
    pub(super) fn new(service: DataService, id: &str) -> Self {
        Self::shared(service, Shared::new(id))
    }

    pub(super) fn shared(service: DataService, shared: Shared) -> Self {
        Self { caller: Caller::new(service, Some(shared.clone())), shared }
    }

    pub(super) fn shared_state(&self) -> &Shared {
        &self.shared
    }

    pub(super) fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The id, by which another program joins the session. It is a secret.
    ///
    /// ```no_run
    /// # async fn example(service: rejoin::client::DataService) -> Result<(), rejoin::client::Error> {
    /// let session = service.session().await?;
    /// let the_same = service.join(&session.id());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn id(&self) -> Box<str> {
        self.shared.id()
    }

    /// The service that the session belongs to.
    ///
    /// ```no_run
    /// # async fn example(session: rejoin::client::Session) -> Result<(), rejoin::client::Error> {
    /// let in_a_session_of_its_own: i64 = session.service().query("SELECT count(*) FROM orders").one().await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn service(&self) -> &DataService {
        self.caller.service()
    }

    /// A query within the session, as [`DataService::query`].
    ///
    /// ```no_run
    /// # async fn example(session: rejoin::client::Session) -> Result<(), rejoin::client::Error> {
    /// let orders: i64 = session.query("SELECT count(*) FROM orders").one().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn query(&self, sql: impl Into<String>) -> Query {
        Query::new(self.caller.clone(), sql)
    }

    /// A statement that writes, as [`DataService::update`].
    ///
    /// ```no_run
    /// # async fn example(session: rejoin::client::Session) -> Result<(), rejoin::client::Error> {
    /// session.update("DELETE FROM orders WHERE id = ?").parameter(7).run().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn update(&self, sql: impl Into<String>) -> Update {
        Update::new(self.caller.clone(), sql)
    }

    /// Performs a request within the session, as [`DataService::perform`].
    ///
    /// # Errors
    ///
    /// Any of [`Error`], but those of rows.
    ///
    /// ```no_run
    /// # async fn example(session: rejoin::client::Session) -> Result<(), rejoin::client::Error> {
    /// use rejoin::client::Request;
    /// use rejoin::document::activities::Echo;
    ///
    /// let mut request = Request::new();
    /// let said = request.add(Echo::new("hello"));
    /// assert_eq!(session.perform(&request).await?.text(&said)?, "hello");
    /// # Ok(())
    /// # }
    /// ```
    pub async fn perform(&self, request: &Request) -> Result<Response, Error> {
        self.caller.perform(request).await
    }

    /// Streams an end-point of a request within the session, as [`DataService::stream`].
    ///
    /// # Errors
    ///
    /// Any of [`Error`] that is known before the first byte.
    ///
    /// ```no_run
    /// # async fn example(session: rejoin::client::Session, request: rejoin::client::Request) -> Result<(), rejoin::client::Error> {
    /// let mut csv = session.stream_of(&request, "csv").await?;
    /// while let Some(piece) = csv.next_piece().await? {
    ///     println!("{} bytes", piece.len());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn stream_of(
        &self,
        request: &Request,
        end_point: &(impl EndPointName + ?Sized),
    ) -> Result<EndPoint, Error> {
        self.caller.stream(request, end_point.end_point_name()).await
    }

    /// Begins a request that holds the session until it is done, as [`DataService::start`].
    ///
    /// # Errors
    ///
    /// Any of [`Error`] for what is wrong before it runs.
    ///
    /// ```no_run
    /// # async fn example(session: rejoin::client::Session, request: rejoin::client::Request) -> Result<(), rejoin::client::Error> {
    /// let running = session.start(&request).await?;
    /// running.finished().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn start(&self, request: &Request) -> Result<RunningRequest, Error> {
        self.caller.start(request).await
    }

    /// Does work in a transaction: all of it holds, or nothing. It is committed when the work comes to its end, and rolled back
    /// when that fails. When others got in its way (a serialisation failure, a deadlock), the database takes all of it back, and
    /// the work is done again from its beginning, as long as the [patience](super::DataServiceBuilder::patience) lasts: so the
    /// work should change nothing but the database.
    ///
    /// Whoever drops this future in the middle, or panics in the work, leaves the transaction open and uncommitted: it is rolled back
    /// before the session does anything else, or with the session. A commit that was sent may hold.
    ///
    /// # Errors
    ///
    /// That of the work, or any of [`Error`]. [`Error::OutcomeUnknown`]: whether the commit was done is not known.
    ///
    /// ```no_run
    /// # async fn example(session: rejoin::client::Session) -> Result<(), rejoin::client::Error> {
    /// let left: f64 = session
    ///     .transaction(async |transaction| {
    ///         transaction.update("UPDATE customer SET credit = credit - 25 WHERE id = 7").run().await?;
    ///         transaction.update("UPDATE customer SET credit = credit + 25 WHERE id = 42").run().await?;
    ///         transaction.query("SELECT credit FROM customer WHERE id = 7").one().await
    ///     })
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn transaction<T, E, W>(&self, work: W) -> Result<T, E>
    where
        W: AsyncFn(&Transaction) -> Result<T, E>,
        E: From<Error>,
    {
        self.begin().run(work).await
    }

    /// A transaction with settings; awaited, it has begun.
    ///
    /// ```no_run
    /// # async fn example(session: rejoin::client::Session) -> Result<(), rejoin::client::Error> {
    /// use rejoin::client::Isolation;
    ///
    /// let transaction = session.begin().isolation(Isolation::Serializable).await?;
    /// transaction.update("DELETE FROM orders WHERE id = 7").run().await?;
    /// transaction.commit().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn begin(&self) -> NewTransaction {
        NewTransaction::new(self.clone())
    }

    /// Opens a cursor: a query whose rows are fetched some at a time, over requests.
    ///
    /// # Errors
    ///
    /// Any of [`Error`], but those of rows.
    ///
    /// ```no_run
    /// # async fn example(session: rejoin::client::Session) -> Result<(), rejoin::client::Error> {
    /// let mut people = session.open_cursor("people", session.query("SELECT * FROM customer ORDER BY id")).await?;
    /// while let Some(page) = people.fetch(100).await? {
    ///     println!("{} people", page.num_rows());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn open_cursor(&self, name: &str, query: Query) -> Result<Cursor, Error> {
        Cursor::open(self.clone(), name, query).await
    }

    /// A stream of the session, by which data flow into a request that runs, or out of it.
    ///
    /// ```no_run
    /// # async fn example(session: rejoin::client::Session) -> Result<(), rejoin::client::Error> {
    /// session.stream("feed").write_all("text/plain", "17").await?;
    /// let answer = session.stream("tap").read().await?.whole().await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn stream(&self, name: &str) -> SessionStream {
        SessionStream::new(self.clone(), name)
    }

    /// How the session stands: what it remembers, when it ends, how far its last asynchronous request has got. Looking takes no
    /// lock and is no visit.
    ///
    /// # Errors
    ///
    /// Any of [`Error`]: [`Code::SessionEnded`](super::Code::SessionEnded) and [`Code::SessionNotFound`](super::Code::SessionNotFound) for one that is over.
    ///
    /// ```no_run
    /// # async fn example(session: rejoin::client::Session) -> Result<(), rejoin::client::Error> {
    /// let status = session.status().await?;
    /// println!("{} attributes; it ends at {:?}", status.attributes.count, status.idle_expires);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn status(&self) -> Result<SessionStatusDocument, Error> {
        let parcel = self.parcel(Method::GET, &["session"], Repeat::Harmless)?;
        let answer = self.service().exchange().whole(&parcel).await?;
        SessionStatusDocument::parse(&answer.body, &Limits::default())
            .map_err(|error| Error::Unexpected(format!("the status of the session can't be read: {error}")))
    }

    /// Gives the session a new id. The old one holds for a while, until the new one is used.
    ///
    /// # Errors
    ///
    /// Any of [`Error`], but those of rows.
    ///
    /// ```no_run
    /// # async fn example(session: rejoin::client::Session) -> Result<(), rejoin::client::Error> {
    /// let old = session.id();
    /// session.rotate().await?;
    /// assert_ne!(session.id(), old);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn rotate(&self) -> Result<(), Error> {
        let request = Request::new().session(SessionRequirement::of_the_session().rotate());
        self.perform(&request).await.map(drop)
    }

    /// Ends the session, when the requests before this one are done. One that has ended already is none the worse for it.
    ///
    /// # Errors
    ///
    /// Any of [`Error`], but those of rows.
    ///
    /// ```no_run
    /// # async fn example(session: rejoin::client::Session) -> Result<(), rejoin::client::Error> {
    /// session.end().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn end(self) -> Result<(), Error> {
        self.perform(&Request::new().session(SessionRequirement::end_of_the_session())).await.map(drop)
    }

    /// Ends the session at once. A request that holds it is told to stop, and keeps nothing.
    ///
    /// # Errors
    ///
    /// Any of [`Error`], but those of rows.
    ///
    /// ```no_run
    /// # async fn example(session: rejoin::client::Session) -> Result<(), rejoin::client::Error> {
    /// session.end_now().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn end_now(self) -> Result<(), Error> {
        let parcel = self.parcel(Method::DELETE, &["session"], Repeat::Harmless)?;
        self.service().exchange().whole(&parcel).await.map(drop)
    }

    /// Stops the request that holds the session; the session stays. Answers whether there was one.
    ///
    /// # Errors
    ///
    /// Any of [`Error`]. When the answer is lost that is [`Error::OutcomeUnknown`], because asking again could stop another
    /// request.
    ///
    /// ```no_run
    /// # async fn example(session: rejoin::client::Session) -> Result<(), rejoin::client::Error> {
    /// if session.stop_request().await? {
    ///     println!("it was told to stop");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn stop_request(&self) -> Result<bool, Error> {
        let parcel = self.parcel(Method::DELETE, &["session", "request"], Repeat::Never)?;
        Ok(self.service().exchange().whole(&parcel).await?.status == StatusCode::ACCEPTED)
    }

    /// A request to a path below the resource, for this session.
    pub(super) fn parcel(&self, method: Method, path: &[&str], repeat: Repeat) -> Result<Parcel, Error> {
        // An address leaves such steps out, and would mean something else.
        if let Some(name) = path.iter().find(|name| matches!(**name, "" | "." | "..")) {
            return Err(Error::Setting(format!("`{name}` is not the name of a stream")));
        }
        let mut url = self.service().exchange().url.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.extend(path);
        }
        let mut parcel = Parcel::new(method, url, repeat);
        self.caller.carry(&mut parcel, &self.shared.id())?;
        Ok(parcel)
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("service", &self.service().url()).finish_non_exhaustive()
    }
}
