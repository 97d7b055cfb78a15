use std::sync::Arc;

use regex::Regex;

use super::ValuePath;
use crate::ingest::Formula;

/// `ms.session.key.field`: a value in each answer that says whether to go on, to stop or to fail, and that can be sent back.
#[derive(Debug, Clone)]
pub struct SessionKey {
    /// `name`: where in the body it is; a header of that name is looked at where the body has none.
    pub path: ValuePath,
    /// The same name as it was written, for the header.
    pub header: Box<str>,
    /// `condition`: the remote session is complete.
    pub condition: Option<Condition>,
    /// `failCondition`: the remote session has failed.
    pub failure: Option<Condition>,
    /// Whether a parameter of the type `session` sends the value back: it is a cursor then.
    pub is_sent_back: bool,
    /// `initValue`: what is sent with the first request. The empty text is a value: it fills a template with nothing.
    pub initial: Option<Box<str>>,
}

/// When something holds of an answer.
#[derive(Debug, Clone)]
pub enum Condition {
    /// `regexp`: the whole of the key's value matches. The expression is made so that it matches the whole or nothing.
    Matches(Arc<Regex>),
    /// `formula`: an expression is true.
    Formula(Formula),
}

impl Condition {
    /// Whether it goes over the lists of an answer.
    pub(super) fn has_loops(&self) -> bool {
        matches!(self, Self::Formula(formula) if formula.has_loops())
    }
}
