use super::{Login, Requester};
use crate::resource::ResourceError;

/// Which principal or role is which user of the database.
///
/// The first entry that fits decides, those of principals before those of roles.
///
/// ```
/// use rejoin::resource::relational::access::{Login, Otherwise, Requester, RoleMap, Who};
/// use rejoin::session::Principal;
///
/// let clerk = Login { user: Some("clerk".into()), password: None };
/// let map = RoleMap { entries: vec![(Who::Role("user".into()), clerk)], otherwise: Otherwise::Deny };
/// let ada = Requester { principal: Principal::new("ada"), role: "user".into() };
/// assert_eq!(map.login_of(&ada, &Login::default()).unwrap().user.as_deref(), Some("clerk"));
///
/// let boss = Requester { principal: Principal::new("boss"), role: "operator".into() };
/// assert!(map.login_of(&boss, &Login::default()).is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleMap {
    /// In the order of the document.
    pub entries: Vec<(Who, Login)>,
    /// Everybody else.
    pub otherwise: Otherwise,
}

/// Whom an entry of a [`RoleMap`] is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Who {
    /// The principal of that stable id.
    Principal(String),
    /// Everybody of that role.
    Role(String),
}

/// What becomes of those whom no entry fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Otherwise {
    /// They reach nothing.
    #[default]
    Deny,
    /// They are the user of the data resource.
    Default,
}

impl RoleMap {
    /// As whom the statements of a requester run.
    ///
    /// # Errors
    ///
    /// [`ResourceError::Denied`] when nothing fits him.
    pub fn login_of<'a>(&'a self, requester: &Requester, default: &'a Login) -> Result<&'a Login, ResourceError> {
        let is_principal = |who: &Who| matches!(who, Who::Principal(id) if requester.principal.id() == Some(&**id));
        let is_role = |who: &Who| matches!(who, Who::Role(role) if **role == *requester.role);
        let of = |fits: &dyn Fn(&Who) -> bool| self.entries.iter().find(|(who, _)| fits(who)).map(|(_, login)| login);
        match (of(&is_principal).or_else(|| of(&is_role)), self.otherwise) {
            (Some(login), _) => Ok(login),
            (None, Otherwise::Default) => Ok(default),
            (None, Otherwise::Deny) => Err(ResourceError::Denied {
                message: "you have no user in this data resource: its role map has no entry for you or your role"
                    .into(),
            }),
        }
    }
}
