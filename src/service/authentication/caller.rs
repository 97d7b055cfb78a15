use crate::session::Principal;

/// What somebody may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Role {
    /// Perform documents in sessions of one's own.
    #[default]
    User,
    /// See and end the sessions of everybody, too.
    Operator,
}

impl Role {
    /// Every role, with the name that configuration documents and files of accounts give it.
    pub(crate) const NAMED: [(&'static str, Self); 2] = [("user", Self::User), ("operator", Self::Operator)];

    /// The name, as configuration documents and files of accounts give it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Operator => "operator",
        }
    }

    /// The role of that name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Self::NAMED.into_iter().find_map(|(known, role)| (known == name).then_some(role))
    }
}

/// Who sends a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Whom the sessions belong to.
    pub principal: Principal,
    /// What the caller may do.
    pub role: Role,
}

impl Caller {
    /// Whether the caller may use what is there for operators.
    #[must_use]
    pub fn is_operator(&self) -> bool {
        self.role >= Role::Operator
    }
}
