use std::fmt;

use uuid::Uuid;

/// Which decision log a transaction belongs to. Every log has an id of its own, so that services that share a database leave
/// each other's transactions alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LogId(u64);

impl LogId {
    /// The id that a log has, or gets.
    #[must_use]
    pub fn new(id: u64) -> Self {
        Self(id)
    }

    /// What the names of all its transactions begin with: `rejoin-0123456789abcdef-`.
    #[must_use]
    pub fn prefix(self) -> String {
        format!("rejoin-{self}-")
    }
}

impl fmt::Display for LogId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// The name of a branch that is committed in two phases, as its database keeps it: the identifier of X/Open XA.
///
/// ```
/// use rejoin::session::{LogId, Xid};
///
/// let xid = Xid { log: LogId::new(0x2a), transaction: uuid::Uuid::nil(), branch: 1 };
/// assert_eq!(xid.to_string(), "rejoin-000000000000002a-00000000000000000000000000000000-1");
/// assert_eq!(xid.global(), "rejoin-000000000000002a-00000000000000000000000000000000");
/// assert_eq!(xid.qualifier(), "1");
/// assert_eq!(Xid::parse(&xid.to_string()), Some(xid));
/// assert!(xid.to_string().starts_with(&xid.log.prefix()));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Xid {
    /// The log that knows what became of the transaction.
    pub log: LogId,
    /// The transaction.
    pub transaction: Uuid,
    /// Which of its branches.
    pub branch: u16,
}

impl Xid {
    /// The part that all branches of the transaction have: 56 characters of `a` to `z`, digits and `-` (`gtrid` of XA).
    #[must_use]
    pub fn global(&self) -> String {
        format!("{}{}", self.log.prefix(), self.transaction.simple())
    }

    /// The part that tells the branches apart (`bqual` of XA).
    #[must_use]
    pub fn qualifier(&self) -> String {
        self.branch.to_string()
    }

    /// Reads the whole name, as a database lists it; `None` when it is not one of ours.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (global, qualifier) = text.rsplit_once('-')?;
        Self::parse_parts(global, qualifier)
    }

    /// Reads a name in its two parts.
    #[must_use]
    pub fn parse_parts(global: &str, qualifier: &str) -> Option<Self> {
        let (log, transaction) = global.strip_prefix("rejoin-")?.split_once('-')?;
        let xid = Self {
            log: LogId(u64::from_str_radix(log, 16).ok()?),
            transaction: Uuid::try_parse(transaction).ok()?,
            branch: qualifier.parse().ok()?,
        };
        // Only what is written exactly as we write it is ours.
        (xid.global() == global && xid.qualifier() == qualifier).then_some(xid)
    }
}

impl fmt::Display for Xid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.global(), self.branch)
    }
}

/// What becomes of a transaction whose branches are prepared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Decision {
    /// All of it holds.
    Commit,
    /// Nothing of it holds.
    Rollback,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_others_are_not_ours() {
        let xid = Xid { log: LogId::new(u64::MAX), transaction: Uuid::from_u128(7), branch: 12 };
        assert_eq!(Xid::parse_parts(&xid.global(), "12"), Some(xid));
        assert!(xid.global().len() <= 64, "XA takes no more");
        let name = xid.to_string();
        for other in [
            String::new(),
            "rejoin-1-2-3".to_owned(),
            name.to_uppercase(),
            name.replacen("rejoin", "other", 1),
            format!("{name}x"),
            format!("{}-012", xid.global()),
            format!("{}-70000", xid.global()),
            format!("{}-12", xid.global().replacen("-f", "-+", 1)),
        ] {
            assert_eq!(Xid::parse(&other), None, "{other}");
        }
    }
}
