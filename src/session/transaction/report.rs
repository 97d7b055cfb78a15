use uuid::Uuid;

use super::{Isolation, TransactionState};
use crate::document::{Element, Limits};

/// How a transaction stands, or has ended: what is told of it, and what the session keeps of one that is over.
///
/// ```
/// use rejoin::session::{Isolation, TransactionReport, TransactionState};
///
/// let report = TransactionReport {
///     id: uuid::Uuid::nil(),
///     state: TransactionState::Active,
///     isolation: Some(Isolation::Serializable),
///     read_only: false,
///     is_retryable: false,
/// };
/// let xml = "<transaction state=\"active\" isolation=\"serializable\" id=\"00000000-0000-0000-0000-000000000000\"/>";
/// assert_eq!(report.to_xml(), xml);
/// assert_eq!(TransactionReport::parse(xml), Some(report));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransactionReport {
    /// Its id.
    pub id: Uuid,
    /// How it stands.
    pub state: TransactionState,
    /// The isolation that was asked for.
    pub isolation: Option<Isolation>,
    /// Whether it changes nothing.
    pub read_only: bool,
    /// Whether a data resource has rolled it back and says that the same work may succeed in another one.
    pub is_retryable: bool,
}

impl TransactionReport {
    /// The element that tells it.
    #[must_use]
    pub fn to_xml(&self) -> String {
        let isolation = self.isolation.map(|isolation| format!(" isolation=\"{}\"", isolation.name()));
        format!(
            "<transaction state=\"{}\"{}{}{} id=\"{}\"/>",
            self.state.name(),
            isolation.unwrap_or_default(),
            if self.read_only { " readOnly=\"true\"" } else { "" },
            if self.is_retryable { " retryable=\"true\"" } else { "" },
            self.id
        )
    }

    /// Reads such an element; `None` when it is something else.
    #[must_use]
    pub fn parse(xml: &str) -> Option<Self> {
        let element = Element::parse(xml.as_bytes(), &Limits::default()).ok()?;
        let attribute = |name| element.attribute(name);
        (element.local_name() == "transaction").then_some(())?;
        let isolation = match attribute("isolation") {
            Some(name) => Some(Isolation::NAMES.into_iter().find(|(known, _)| *known == name)?.1),
            None => None,
        };
        Some(Self {
            id: attribute("id")?.parse().ok()?,
            state: TransactionState::ALL.into_iter().find(|state| Some(state.name()) == attribute("state"))?,
            isolation,
            read_only: attribute("readOnly") == Some("true"),
            is_retryable: attribute("retryable") == Some("true"),
        })
    }
}
