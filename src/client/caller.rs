//! From a request to what is sent, and from what comes back to a response: the same for services, sessions and transactions.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use reqwest::header::{HeaderName, HeaderValue};

use super::effects::changes_something;
use super::exchange::Exchange;
use super::parcel::{Parcel, Repeat};
use super::request::Content;
use super::shared::Shared;
use super::{Code, DataService, EndPoint, Error, Request, Response, RunningRequest, Session};
use crate::document::activities::{TransactionManagement, TransactionOperation};
use crate::document::{PerformDocument, SessionElement, SessionMode};

const PREFER: HeaderName = HeaderName::from_static("prefer");

/// By whom requests are sent.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    service: DataService,
    session: Option<Shared>,
    /// Of a transaction: whether the database has ended it because of others.
    conflict: Option<Arc<AtomicBool>>,
}

/// What is wanted of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted<'a> {
    /// The response document.
    Document,
    /// The raw bytes of one end-point.
    EndPoint(&'a str),
    /// An answer at once.
    Beginning,
}

impl Caller {
    pub(super) fn new(service: DataService, session: Option<Shared>) -> Self {
        Self { service, session, conflict: None }
    }

    /// The same caller within a transaction, whose conflicts are noted there.
    pub(super) fn with_conflict(&self, conflict: Arc<AtomicBool>) -> Self {
        Self { conflict: Some(conflict), ..self.clone() }
    }

    pub(super) fn service(&self) -> &DataService {
        &self.service
    }

    fn exchange(&self) -> &Exchange {
        self.service.exchange()
    }

    /// Performs a request and gathers its results.
    pub(super) async fn perform(&self, request: &Request) -> Result<Response, Error> {
        self.settle().await?;
        let parcel = self.parcel(request, Wanted::Document)?;
        let response = self.performed(&parcel).await.map_err(|error| self.noted(error, &parcel))?;
        if let (Some(known), Some(id)) = (&self.session, &response.session().id) {
            known.renew(id);
        }
        Ok(response)
    }

    async fn performed(&self, parcel: &Parcel) -> Result<Response, Error> {
        Response::parse(self.exchange().whole(parcel).await?.body).await
    }

    /// Performs a request and streams one end-point.
    pub(super) async fn stream(&self, request: &Request, end_point: &str) -> Result<EndPoint, Error> {
        self.settle().await?;
        let parcel = self.parcel(request, Wanted::EndPoint(end_point))?;
        let opened = self.exchange().open(&parcel).await.map_err(|error| self.noted(error, &parcel))?;
        if let (Some(known), Some(id)) = (&self.session, opened.headers.get(&self.exchange().session_header))
            && let Ok(id) = id.to_str()
        {
            known.renew(id);
        }
        Ok(EndPoint::new(self.clone(), parcel, opened))
    }

    /// Performs a request and gathers the raw bytes of one end-point.
    pub(super) async fn raw(&self, request: &Request, end_point: &str) -> Result<Bytes, Error> {
        self.settle().await?;
        let parcel = self.parcel(request, Wanted::EndPoint(end_point))?;
        let whole = self.exchange().whole(&parcel).await.map_err(|error| self.noted(error, &parcel))?;
        Ok(whole.body)
    }

    /// The same as far as so many bytes, and whether those are all.
    pub(super) async fn beginning(
        &self,
        request: &Request,
        end_point: &str,
        most: usize,
    ) -> Result<(Bytes, bool), Error> {
        self.settle().await?;
        let parcel = self.parcel(request, Wanted::EndPoint(end_point))?;
        let beginning = self.exchange().gathered(&parcel, most).await.map_err(|error| self.noted(error, &parcel))?;
        Ok((beginning.body, beginning.is_all))
    }

    /// Begins a request that is answered at once.
    pub(super) async fn start(&self, request: &Request) -> Result<RunningRequest, Error> {
        self.settle().await?;
        let parcel = self.parcel(request, Wanted::Beginning)?;
        let response = self.performed(&parcel).await.map_err(|error| self.noted(error, &parcel))?;
        let Some(id) = &response.session().id else {
            return Err(Error::Unexpected("the answer names no session, where the request could be found".into()));
        };
        let session = match &self.session {
            Some(known) => {
                known.renew(id);
                Session::shared(self.service.clone(), known.clone())
            }
            None => Session::new(self.service.clone(), id),
        };
        Ok(RunningRequest::new(session, response))
    }

    /// Rolls back a transaction that was dropped before its end, so that nothing runs in it that takes it for committed.
    async fn settle(&self) -> Result<(), Error> {
        let Some(session) = self.session.as_ref().filter(|session| session.is_left_open()) else { return Ok(()) };
        let _turn = session.turn().await;
        if !session.is_left_open() {
            return Ok(());
        }
        let mut rollback = Request::new();
        rollback.add_named("transaction", TransactionManagement::new(TransactionOperation::Rollback));
        match self.performed(&self.parcel(&rollback, Wanted::Document)?).await {
            Err(error) if !error.code().is_some_and(Code::says_that_nothing_is_open) => Err(error),
            _ => {
                session.close();
                Ok(())
            }
        }
    }

    /// Notes a conflict, and names the step that the error is about.
    pub(super) fn noted(&self, error: Error, parcel: &Parcel) -> Error {
        if let Some(conflict) = &self.conflict
            && error.code().is_some_and(Code::wants_new_transaction)
        {
            conflict.store(true, Ordering::Relaxed);
        }
        error.located_in(&parcel.body)
    }

    /// What is sent for a request.
    fn parcel(&self, request: &Request, wanted: Wanted<'_>) -> Result<Parcel, Error> {
        let mut url = self.exchange().url.clone();
        if let Wanted::EndPoint(name) = wanted {
            url.query_pairs_mut().append_pair("return", name);
        }
        let (mut parcel, needs_key) = match request.content() {
            Content::Steps(steps) => {
                let session = self.session_element(request)?;
                let document = PerformDocument::xml_of(session.as_ref(), steps)?;
                (Parcel::perform(url, document, Repeat::Harmless), changes_something(session.as_ref(), steps))
            }
            Content::Text { text, document } => {
                let mut parcel = Parcel::perform(url, text.clone(), Repeat::Harmless);
                if let Some(id) = self.session_beside_text(request)? {
                    self.carry(&mut parcel, &id)?;
                }
                if document.session.as_ref().is_some_and(|session| session.sequence.is_some()) {
                    // Its number is its name.
                    parcel.repeat = Repeat::Recognised;
                    (parcel, false)
                } else {
                    (parcel, changes_something(document.session.as_ref(), &document.steps))
                }
            }
        };
        if wanted == Wanted::Beginning {
            parcel.headers.insert(PREFER, HeaderValue::from_static("respond-async"));
        }
        match request.chosen_key() {
            Some(key) => parcel.with_key(Some(key)),
            None if needs_key || (wanted == Wanted::Beginning && parcel.repeat == Repeat::Harmless) => {
                parcel.with_key(None)
            }
            None => Ok(parcel),
        }
    }

    /// Puts the id of a session into the header that carries it.
    pub(super) fn carry(&self, parcel: &mut Parcel, id: &str) -> Result<(), Error> {
        let mut value = HeaderValue::try_from(id)
            .map_err(|_| Error::Setting("the id of the session has characters that none has".into()))?;
        value.set_sensitive(true);
        parcel.headers.insert(self.exchange().session_header.clone(), value);
        Ok(())
    }

    /// The session element of a request that is built here.
    fn session_element(&self, request: &Request) -> Result<Option<SessionElement>, Error> {
        let wished = request.requirement().map(|requirement| requirement.element().clone());
        let Some(known) = &self.session else {
            return match wished {
                Some(SessionElement { id: None, mode: Some(SessionMode::Join | SessionMode::Terminate), .. }) => {
                    Err(Error::Setting(
                        "the request says that it is of a session, but not of which: have it performed by a `Session`"
                            .into(),
                    ))
                }
                wished => Ok(wished),
            };
        };
        let mut element = wished.unwrap_or_else(|| SessionElement::new(SessionMode::Join));
        let is_joining = matches!(element.mode, Some(SessionMode::Join | SessionMode::Terminate));
        let id = known.id();
        if !is_joining || element.id.as_ref().is_some_and(|named| *named != id) {
            return Err(Error::Setting(
                "the request asks for another session than the one that it is performed by: have it performed by the service"
                    .into(),
            ));
        }
        element.id = Some(id);
        Ok(Some(element))
    }

    /// The id of the session that goes beside a document that was written by hand: its own element says the rest.
    fn session_beside_text(&self, request: &Request) -> Result<Option<Box<str>>, Error> {
        match (request.requirement(), &self.session) {
            (None, session) => Ok(session.as_ref().map(Shared::id)),
            (Some(requirement), None) => {
                let element = requirement.element();
                let plain = SessionElement { id: element.id.clone(), ..SessionElement::new(SessionMode::Join) };
                if *element == plain && element.id.is_some() {
                    return Ok(plain.id);
                }
                Err(says_itself())
            }
            (Some(_), Some(_)) => Err(says_itself()),
        }
    }
}

fn says_itself() -> Error {
    Error::Setting(
        "a document that was written by hand says itself how it joins its session: put that into its session element"
            .into(),
    )
}
