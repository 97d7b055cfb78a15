//! Which authenticators there are, by the name that `impl` gives.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use super::Authenticator;
use super::basic::BasicAuthentication;
use super::bearer::BearerAuthentication;
use super::none::NoAuthentication;
use crate::document::{AuthenticationConfiguration, DocumentError, Element, nearest};
use crate::service::{ConfigurationError, ConfigurationErrors};

/// Why an authenticator can't be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuthenticatorError {
    /// The element in the service document can't be read, or what it names can't be found.
    #[error(transparent)]
    Element(#[from] DocumentError),
    /// A file that the element names says something wrong.
    #[error(transparent)]
    Files(#[from] ConfigurationErrors),
}

impl AuthenticatorError {
    /// All that is wrong, with the file where it is; `service` is the file of the element.
    pub(crate) fn into_errors(self, service: &Path) -> Vec<ConfigurationError> {
        match self {
            Self::Element(error) => vec![ConfigurationError::of_document(service, &error)],
            Self::Files(ConfigurationErrors(errors)) => errors,
        }
    }
}

/// Makes the authenticator of an implementation. A function of the same form is one, too.
pub trait AuthenticatorFactory: Send + Sync {
    /// Makes the authenticator that an `authentication` element describes. The whole element is handed over; its attribute
    /// `impl` has been read. Locations in it are relative to `folder`, where the service document stands.
    ///
    /// It may block. `rejoin check` makes an authenticator too, only to see whether it can be made.
    ///
    /// # Errors
    ///
    /// [`AuthenticatorError`] with the place of everything that is wrong; a [`DocumentError`] of the element becomes one by `?`.
    fn make(&self, element: &Element, folder: &Path) -> Result<Arc<dyn Authenticator>, AuthenticatorError>;
}

impl<F> AuthenticatorFactory for F
where
    F: Fn(&Element, &Path) -> Result<Arc<dyn Authenticator>, AuthenticatorError> + Send + Sync,
{
    fn make(&self, element: &Element, folder: &Path) -> Result<Arc<dyn Authenticator>, AuthenticatorError> {
        self(element, folder)
    }
}

/// The implementations of authenticators, by the name that `impl` gives.
///
/// ```
/// use rejoin::service::AuthenticatorRegistry;
///
/// let registry = AuthenticatorRegistry::built_in();
/// assert_eq!(registry.implementations().collect::<Vec<_>>(), ["basic", "bearer", "none"]);
/// ```
#[derive(Clone)]
pub struct AuthenticatorRegistry {
    factories: BTreeMap<Box<str>, Arc<dyn AuthenticatorFactory>>,
}

impl AuthenticatorRegistry {
    /// A registry of nothing.
    #[must_use]
    pub fn empty() -> Self {
        Self { factories: BTreeMap::new() }
    }

    /// All authenticators of this crate.
    #[must_use]
    pub fn built_in() -> Self {
        let mut registry = Self::empty();
        registry.register("none", NoAuthentication::make);
        registry.register("basic", BasicAuthentication::make);
        registry.register("bearer", BearerAuthentication::make);
        registry
    }

    /// Adds an implementation, or replaces the one of that name.
    pub fn register(&mut self, implementation: &str, factory: impl AuthenticatorFactory + 'static) {
        self.factories.insert(implementation.into(), Arc::new(factory));
    }

    /// The names of the implementations.
    pub fn implementations(&self) -> impl Iterator<Item = &str> {
        self.factories.keys().map(|name| &**name)
    }

    /// Makes the configured authenticator. Locations in its element are relative to `folder`.
    ///
    /// # Errors
    ///
    /// [`AuthenticatorError`] where the implementation is unknown, or refuses its element or a file that it names.
    pub fn make(
        &self,
        configuration: &AuthenticationConfiguration,
        folder: &Path,
    ) -> Result<Arc<dyn Authenticator>, AuthenticatorError> {
        match self.factories.get(&*configuration.implementation.value) {
            Some(factory) => factory.make(&configuration.element, folder),
            None => Err(self.unknown(configuration).into()),
        }
    }

    fn unknown(&self, configuration: &AuthenticationConfiguration) -> DocumentError {
        let wrong = &configuration.implementation;
        let known: Vec<&str> = self.implementations().collect();
        let hint = nearest(&wrong.value, known.iter().copied()).map(|name| format!("; did you mean `{name}`?"));
        let (hint, known) = (hint.unwrap_or_default(), known.join(", "));
        let message = format!("there is no authenticator `{}`{hint}; there are {known}", wrong.value);
        DocumentError::invalid(wrong.position, message)
    }
}

impl fmt::Debug for AuthenticatorRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.implementations()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Limits;

    fn refused(element: &str) -> String {
        let element = Element::parse(element.as_bytes(), &Limits::default()).unwrap();
        let configuration = AuthenticationConfiguration::of(element).unwrap();
        AuthenticatorRegistry::built_in().make(&configuration, Path::new("/nowhere")).unwrap_err().to_string()
    }

    #[test]
    fn an_unknown_implementation_is_refused_with_the_nearest_name_and_the_list() {
        let message = refused("<authentication impl='baisc'/>");
        let expected = "1:17: there is no authenticator `baisc`; did you mean `basic`?; there are basic, bearer, none";
        assert_eq!(message, expected);
        assert!(refused("<authentication impl='zebra'/>").ends_with("`zebra`; there are basic, bearer, none"));
    }

    #[test]
    fn what_is_wrong_in_the_element_is_said_where_it_stands() {
        for (element, message) in [
            ("<authentication impl='none' role='king'/>", "1:29: "),
            ("<authentication impl='none' realm='x'/>", "1:29: unknown attribute `realm`"),
            ("<authentication impl='none'><users/></authentication>", "1:29: unexpected element `users`"),
            ("<authentication impl='basic'/>", "1:1: `authentication` is not complete; expected `users`"),
            ("<authentication impl='basic'><user location='u'/></authentication>", "1:30: "),
            ("<authentication impl='basic'><users/></authentication>", "1:30: `users` needs the attribute `location`"),
            ("<authentication impl='basic'><users location='u'/></authentication>", "1:37: /nowhere/u can't be read: "),
            (
                "<authentication impl='basic' realm='é'><users location='u'/></authentication>",
                "1:30: the attribute `realm`",
            ),
            ("<authentication impl='bearer'><tokens location='t'/></authentication>", "1:39: /nowhere/t can't be read"),
        ] {
            assert!(refused(element).starts_with(message), "{element}: {}", refused(element));
        }
    }
}
