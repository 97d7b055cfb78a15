use super::Xid;

/// What a transaction may see of others that run beside it: the levels of SQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Isolation {
    /// Also what others have not committed.
    ReadUncommitted,
    /// What others have committed, at each statement.
    ReadCommitted,
    /// Rows that were read once stay as they are.
    RepeatableRead,
    /// As if nobody else were there.
    Serializable,
}

impl Isolation {
    /// The names, as documents have them.
    pub const NAMES: [(&'static str, Self); 4] = [
        ("readUncommitted", Self::ReadUncommitted),
        ("readCommitted", Self::ReadCommitted),
        ("repeatableRead", Self::RepeatableRead),
        ("serializable", Self::Serializable),
    ];

    /// The name, as documents have it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ReadUncommitted => "readUncommitted",
            Self::ReadCommitted => "readCommitted",
            Self::RepeatableRead => "repeatableRead",
            Self::Serializable => "serializable",
        }
    }
}

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
