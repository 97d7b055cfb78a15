use crate::session::Principal;

/// On whose behalf a statement runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requester {
    /// Who asks.
    pub principal: Principal,
    /// His role, by the name that configuration documents give it.
    pub role: Box<str>,
}
