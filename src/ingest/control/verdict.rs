use super::KeyValue;
use crate::ingest::settings::{Condition, IngestSettings};
use crate::ingest::{Facts, FormulaError};

/// A condition that holds of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// The one of the session key.
    Stop,
    /// One of `rejoin.stop.when`.
    StopWhen(usize),
    /// The `failCondition` of the session key.
    Fail,
    /// One of `rejoin.fail.when`.
    FailWhen(usize),
}

impl Verdict {
    /// Whether it ends the ingestion well.
    #[must_use]
    pub fn is_good(self) -> bool {
        matches!(self, Self::Stop | Self::StopWhen(_))
    }
}

/// Which condition holds of an answer: the first of those that end the ingestion well, or else of those that fail it.
///
/// The session key is that of a page. Of an answer that holds none (`key` is `None`), nothing is known of the key, so only
/// formulas are asked.
///
/// # Errors
///
/// [`FormulaError`] when a formula can't be worked out.
pub fn verdict(
    settings: &IngestSettings,
    key: Option<&KeyValue>,
    facts: &Facts<'_>,
) -> Result<Option<Verdict>, FormulaError> {
    let session = settings.key.as_ref();
    if holds(session.and_then(|session| session.condition.as_ref()), key, facts)? {
        return Ok(Some(Verdict::Stop));
    }
    if let Some(index) = first(&settings.stop.when, key, facts)? {
        return Ok(Some(Verdict::StopWhen(index)));
    }
    if holds(session.and_then(|session| session.failure.as_ref()), key, facts)? {
        return Ok(Some(Verdict::Fail));
    }
    Ok(first(&settings.stop.fail_when, key, facts)?.map(Verdict::FailWhen))
}

fn first(conditions: &[Condition], key: Option<&KeyValue>, facts: &Facts<'_>) -> Result<Option<usize>, FormulaError> {
    for (index, condition) in conditions.iter().enumerate() {
        if holds(Some(condition), key, facts)? {
            return Ok(Some(index));
        }
    }
    Ok(None)
}

fn holds(condition: Option<&Condition>, key: Option<&KeyValue>, facts: &Facts<'_>) -> Result<bool, FormulaError> {
    match condition {
        None => Ok(false),
        Some(Condition::Matches(regex)) => Ok(key.is_some_and(|key| regex.is_match(key.text()))),
        Some(Condition::Formula(formula)) => formula.holds(facts),
    }
}
