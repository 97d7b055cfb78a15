use super::Xid;
use crate::document::activities::Isolation;

/// How a transaction begins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TransactionOptions {
    /// The isolation; `None` leaves it to each data resource.
    pub isolation: Option<Isolation>,
    /// Whether it changes nothing.
    pub read_only: bool,
    /// The name of a branch that may be committed in two phases: each branch gets its own from the transaction. Where a
    /// database wants to know from the beginning (`XA START`), this is how it does. `None`: it is committed in one phase.
    pub xid: Option<Xid>,
}

/// How a transaction stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TransactionState {
    /// It goes on.
    Active,
    /// Its branches are being committed.
    Committing,
    /// All of it holds.
    Committed,
    /// Nothing of it holds.
    RolledBack,
    /// Some of it holds and some does not, or nobody knows: see what the commit answered, or the log.
    Failed,
}

impl TransactionState {
    /// All of them.
    pub(super) const ALL: [Self; 5] = [Self::Active, Self::Committing, Self::Committed, Self::RolledBack, Self::Failed];

    /// The name, as documents have it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Committing => "committing",
            Self::Committed => "committed",
            Self::RolledBack => "rolledBack",
            Self::Failed => "failed",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_are_read() {
        for (name, isolation) in Isolation::NAMES {
            assert_eq!(isolation.name(), name);
        }
    }
}
