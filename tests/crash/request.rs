//! What a client may ask for next.

use std::sync::Arc;

use rejoin::document::EndReason;
use reqwest::Method;

use crate::held::{Condition, Held, document};
use crate::random::Random;
use crate::state::{State, Step};
use crate::wire::Ask;

/// A request, and what it does if it does anything.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) ask: Ask,
    pub(crate) kind: Kind,
    pub(crate) after: Condition,
    /// It may be sent again, and has its effect once.
    pub(crate) is_safe: bool,
    /// The store could not do it: it has had no effect.
    pub(crate) has_failed: bool,
    /// How long the trace was when it was first sent.
    pub(crate) sent: u64,
}

/// What a request is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Makes a session with this label.
    Create { label: String },
    /// Changes the session in that place.
    Change { place: usize, sequence: u64, rotates: bool },
    /// Fails, and changes nothing.
    Refused { place: usize },
    /// Ends the session in that place.
    End { place: usize },
}

/// How a session is ended.
const WAYS: u64 = 4;

impl Request {
    /// Creates a session.
    pub(crate) fn create(random: &mut Random, label: &str) -> Self {
        let mut state = State::default();
        let steps = [vec![labelled(label)], Step::some(random, &state)].concat();
        state = state.after(&steps);
        let key = random.chance(60).then(|| random.word(16));
        let is_safe = key.is_some();
        let ask = Ask::perform(document(&format!("<session/>{}", activities(&steps)))).with_key(key);
        let kind = Kind::Create { label: label.to_owned() };
        Self { ask, kind, after: Condition::Alive(Arc::new(state)), is_safe, has_failed: false, sent: 0 }
    }

    /// Changes a session, ends it, or fails.
    pub(crate) fn about(random: &mut Random, place: usize, held: &Held) -> Self {
        if held.has_old_id {
            return Self::change(random, place, held, true);
        }
        match random.within(0..100) {
            0..4 => Self::end(random, place, held),
            4..10 => Self::refused(random, place, held),
            10..14 => Self::change(random, place, held, true),
            _ => Self::change(random, place, held, false),
        }
    }

    fn change(random: &mut Random, place: usize, held: &Held, rotates: bool) -> Self {
        let steps = Step::some(random, &held.state);
        let after = Condition::Alive(Arc::new(held.state.after(&steps)));
        let (mut attributes, mut key, mut sequence) = (String::new(), None, 0);
        match random.within(0..10) {
            0..3 => key = Some(random.word(16)),
            3..5 => sequence = held.sequence + 1,
            _ => {}
        }
        if rotates {
            attributes.push_str(" rotate=\"true\"");
        }
        if sequence > 0 {
            attributes = format!("{attributes} sequence=\"{sequence}\"");
        }
        let session = format!("<session id=\"{}\"{attributes}/>", held.id);
        let is_safe = key.is_some() || sequence > 0;
        let ask = Ask::perform(document(&format!("{session}{}", activities(&steps)))).with_key(key);
        Self { ask, kind: Kind::Change { place, sequence, rotates }, after, is_safe, has_failed: false, sent: 0 }
    }

    /// Its activities all run, and the last of them fails.
    fn refused(random: &mut Random, place: usize, held: &Held) -> Self {
        let steps = activities(&Step::some(random, &held.state));
        let fails = "<refuse name=\"gate\"><message>on purpose</message></refuse>";
        let content = format!("<session id=\"{}\"/><sequence><flow>{steps}</flow>{fails}</sequence>", held.id);
        let after = Condition::Alive(Arc::clone(&held.state));
        Self {
            ask: Ask::perform(document(&content)),
            kind: Kind::Refused { place },
            after,
            is_safe: false,
            has_failed: false,
            sent: 0,
        }
    }

    fn end(random: &mut Random, place: usize, held: &Held) -> Self {
        let terminate = format!("<session id=\"{}\" mode=\"terminate\"/>", held.id);
        let (ask, reason) = match random.within(0..WAYS) {
            0 => (Ask::perform(document(&terminate)), EndReason::Terminated),
            1 => {
                let steps = activities(&Step::some(random, &held.state));
                (Ask::perform(document(&format!("{terminate}{steps}"))), EndReason::Terminated)
            }
            2 => (Ask::to(Method::DELETE, "/session").in_session(&held.id), EndReason::Terminated),
            // By its label, which is the session's own: the operator knows no id.
            _ => {
                let path = format!("/sessions?label={}", held.label);
                (Ask::to(Method::DELETE, &path).by_operator(), EndReason::Killed)
            }
        };
        Self {
            ask,
            kind: Kind::End { place },
            after: Condition::Ended(reason),
            is_safe: false,
            has_failed: false,
            sent: 0,
        }
    }
}

fn labelled(label: &str) -> Step {
    Step::Set { name: "label", kind: "text", value: label.to_owned() }
}

fn activities(steps: &[Step]) -> String {
    steps.iter().enumerate().map(|(place, step)| step.to_xml(place)).collect()
}
