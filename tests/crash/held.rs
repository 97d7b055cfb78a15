//! A session as the client knows it that has it, and how to look at it.

use std::collections::VecDeque;
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use rejoin::document::{Element, EndReason, Limits, SessionStatusDocument, TYPES_NAMESPACE};
use reqwest::Method;

use crate::state::{State, reading};
use crate::wire::{Ask, Exchange, Link, Reply};

/// How many answers of a session are tried again. The service keeps more.
const ANSWERS: usize = 8;

/// How a session stood between two requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Condition {
    Alive(Arc<State>),
    Ended(EndReason),
}

impl Condition {
    /// Whether the session is there and remembers exactly that.
    pub(crate) fn is_state(&self, found: &State) -> bool {
        matches!(self, Self::Alive(state) if **state == *found)
    }

    /// How what was found differs from it, for people.
    pub(crate) fn difference(&self, found: &State) -> String {
        match self {
            Self::Alive(state) => found.difference(state),
            Self::Ended(reason) => format!("it had ended ({reason:?})"),
        }
    }
}

/// A request of a session, and how the session stands after it.
#[derive(Debug, Clone)]
pub(crate) struct Moment {
    /// How long the trace was when it was sent.
    pub(crate) sent: u64,
    /// How long the trace was when it had been answered.
    pub(crate) answered: u64,
    pub(crate) after: Condition,
    pub(crate) id: String,
    /// It has another id, whose answer never came; that one holds for a short time only.
    pub(crate) has_old_id: bool,
    /// The request and its first answer, if it may be sent again.
    pub(crate) again: Option<Arc<Again>>,
}

/// A request that was answered and may be sent again, and what comes then.
#[derive(Debug, Clone)]
pub(crate) struct Again {
    pub(crate) ask: Ask,
    pub(crate) first: Reply,
}

/// A session.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    pub(crate) id: String,
    pub(crate) label: String,
    pub(crate) state: Arc<State>,
    /// The last number that a request of it had.
    pub(crate) sequence: u64,
    /// Its fence was this at least.
    pub(crate) fence: u64,
    /// Which service it was last compared in.
    pub(crate) seen: u64,
    /// Its id may have been rotated away: it has to get a new one.
    pub(crate) has_old_id: bool,
    pub(crate) answers: VecDeque<Arc<Again>>,
    /// Everything that ever happened to it, if that is wanted.
    pub(crate) history: Vec<Moment>,
}

/// What is found where a session should be.
#[derive(Debug)]
pub(crate) enum Found {
    Alive(State),
    Ended(EndReason),
    Unknown,
    /// It is there, and can't be read.
    Unreadable,
    /// The service went away.
    Lost,
}

impl Held {
    pub(crate) fn new(id: String, label: String, state: State) -> Self {
        let state = Arc::new(state);
        let (answers, history) = (VecDeque::new(), Vec::new());
        Self { id, label, state, sequence: 0, fence: 0, seen: 0, has_old_id: false, answers, history }
    }

    /// An answer that may be asked for again.
    pub(crate) fn remember(&mut self, again: Arc<Again>) {
        self.answers.push_back(again);
        if self.answers.len() > ANSWERS {
            self.answers.pop_front();
        }
    }
}

/// Looks at a session as its client does. Its fence is not lower than `fence`.
pub(crate) async fn look(link: &mut Link, id: &str, fence: u64) -> Result<Found> {
    let reply = match link.send(&Ask::to(Method::GET, "/session").in_session(id)).await? {
        Exchange::Answered(reply) => reply,
        Exchange::Lost | Exchange::Over => return Ok(Found::Lost),
    };
    match reply.status {
        200 => {}
        404 => return Ok(Found::Unknown),
        503 if reply.is_draining() => return Ok(Found::Lost),
        503 if reply.is_unavailable() => return Ok(Found::Unreadable),
        410 => return Ok(Found::Ended(reply.fault()?.reason.context("an end without a reason")?)),
        status => bail!("a session can't be looked at: {status} {}", reply.text()),
    }
    let status = SessionStatusDocument::parse(&reply.body, &Limits::default()).with_context(|| reply.text())?;
    ensure!(status.fence >= fence, "a fence fell from {fence} to {}", status.fence);
    let names: Vec<&str> = status.attributes.list.iter().map(|attribute| &*attribute.name).collect();
    let session = format!("<session id=\"{id}\" access=\"read\"/>");
    let body = document(&format!("{session}{}", reading(names.iter().copied())));
    let reply = match link.send(&Ask::perform(body)).await? {
        Exchange::Answered(reply) => reply,
        Exchange::Lost | Exchange::Over => return Ok(Found::Lost),
    };
    if reply.is_draining() {
        return Ok(Found::Lost);
    }
    if reply.is_unavailable() {
        return Ok(Found::Unreadable);
    }
    ensure!(reply.is_completed(), "attributes that are listed can't be read: {} {}", reply.status, reply.text());
    let mut state = State::default();
    for attribute in &status.attributes.list {
        let data = reply.data(&format!("is-{}", attribute.name))?;
        let value = if attribute.type_name == "rows" { data } else { value_in(&data)? };
        state.put(&attribute.name, &attribute.type_name, &value);
    }
    Ok(Found::Alive(state))
}

/// The value inside of `<attribute name type>value</attribute>`.
fn value_in(data: &str) -> Result<String> {
    let element = Element::parse(data.as_bytes(), &Limits::default()).with_context(|| data.to_owned())?;
    if element.elements().next().is_none() {
        return Ok(element.text()?.into_owned());
    }
    // XML stands in it as it was set.
    let inside = data.split_once('>').and_then(|(_, rest)| rest.strip_suffix("</attribute>"));
    Ok(inside.context("an attribute that does not end")?.to_owned())
}

/// A perform document with that content.
pub(crate) fn document(content: &str) -> String {
    format!("<perform xmlns=\"{TYPES_NAMESPACE}\">{content}</perform>")
}
