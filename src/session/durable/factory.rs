use std::sync::Arc;
use std::time::Instant;

use super::{DurableSessionManager, DurableSessionManagerBuilder};
use crate::document::{DURABLE_FACTORY, DocumentError, SessionConfiguration, StoreSettings, TRANSIENT_FACTORY};
use crate::session::{Durability, SessionManager, SessionManagerFactory, SessionManagerSettings, SqliteStore};

/// `rejoin.DurableSessionManagerFactory`: makes managers that keep sessions in a folder.
///
/// One that keeps them elsewhere makes a [`DurableSessionManager`] over a [`SessionStore`](crate::session::SessionStore) of its
/// own.
#[derive(Debug, Clone, Copy, Default)]
pub struct DurableSessionManagerFactory;

impl SessionManagerFactory for DurableSessionManagerFactory {
    fn problems(&self, configuration: &SessionConfiguration) -> Vec<DocumentError> {
        let places = &configuration.places;
        let (position, messages) = match &configuration.store {
            Some(store) => (places.store, [without_explicit(configuration), address(store)]),
            None => (places.factory, [without_explicit(configuration).or_else(|| Some(missing())), None]),
        };
        messages.into_iter().flatten().map(|message| DocumentError::invalid(position, message)).collect()
    }

    fn make(&self, settings: SessionManagerSettings) -> Result<Arc<dyn SessionManager>, DocumentError> {
        let SessionManagerSettings { configuration, statics, clock, ids, listeners, folder } = settings;
        let begun = Instant::now();
        let Some(settings) = &configuration.store else {
            return Err(DocumentError::invalid(configuration.places.factory, missing()));
        };
        let place = configuration.places.store;
        let refused = |error: crate::session::StoreError| DocumentError::invalid(place, error.to_string());
        let durability = if settings.full { Durability::Full } else { Durability::Os };
        let store = SqliteStore::open(&folder.join(&settings.path), durability).map_err(refused)?;
        let builder = DurableSessionManager::builder(configuration, Arc::new(store)).begun(begun);
        let builder = builder.statics(statics).clock(clock).ids(ids);
        let manager = listeners.into_iter().fold(builder, DurableSessionManagerBuilder::listener).open();
        Ok(Arc::new(manager.map_err(refused)?))
    }
}

fn missing() -> String {
    format!("`{DURABLE_FACTORY}` keeps sessions in a folder: name it, as in `<store path=\"sessions/\"/>`")
}

/// Implicit sessions end with their requests: there would be nothing to keep.
fn without_explicit(configuration: &SessionConfiguration) -> Option<String> {
    let message = || {
        format!(
            "with `explicit=\"disabled\"` no session is ever stored: leave `store` out and name `{TRANSIENT_FACTORY}`, or \
             leave `explicit` out"
        )
    };
    (!configuration.explicit).then(message)
}

/// Whoever writes an address expects something else than a folder of that strange name.
fn address(store: &StoreSettings) -> Option<String> {
    let path = &store.path;
    let message = |scheme| {
        format!(
            "sessions are kept in a folder of this machine, and `{scheme}:` begins an address: name a folder, as in \
             `path=\"sessions/\"` (`path=\"./{path}\"` if it is called that)"
        )
    };
    scheme(path).map(message)
}

/// What stands in front of the `:` of a URI (RFC 3986, section 3.1); a single letter too.
fn scheme(path: &str) -> Option<&str> {
    let (scheme, _) = path.split_once(':')?;
    let is_of_scheme = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    (scheme.starts_with(|first: char| first.is_ascii_alphabetic()) && scheme.bytes().all(is_of_scheme))
        .then_some(scheme)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{CONFIGURATION_NAMESPACE, Limits};

    fn problems(attributes: &str, content: &str) -> Vec<String> {
        let document = format!(
            "<sessionConfiguration xmlns='{CONFIGURATION_NAMESPACE}'>\n\
             <sessionManagerFactory impl='{DURABLE_FACTORY}'{attributes}>\n{content}</sessionManagerFactory>\
             </sessionConfiguration>"
        );
        let configuration = SessionConfiguration::parse(document.as_bytes(), &Limits::default()).unwrap();
        DurableSessionManagerFactory.problems(&configuration).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_path_that_is_an_address_is_refused_with_its_place() {
        for path in
            ["http://store/sessions", "s3://bucket", "sqlite:sessions.db", "file:/var/lib/sessions", "C:/sessions"]
        {
            let problems = problems("", &format!("<store path='{path}'/>"));
            assert_eq!(problems.len(), 1, "{path}");
            let scheme = path.split(':').next().unwrap();
            assert!(
                problems[0].starts_with("3:8: ") && problems[0].contains(&format!("`{scheme}:`")),
                "{}",
                problems[0]
            );
        }
        for path in
            ["sessions/", "/var/lib/sessions", "./s3:bucket", "/srv/a:b", "2:sessions", ":", "ü:sessions", "../a b:c"]
        {
            assert_eq!(problems("", &format!("<store path='{path}'/>")), [""; 0], "{path}");
        }
    }

    #[test]
    fn a_store_that_nothing_would_be_in_is_refused() {
        let disabled = " explicit='disabled'";
        for (content, place) in [("<store path='sessions/'/>", "3:8: "), ("", "2:24: ")] {
            let problems = problems(disabled, content);
            assert_eq!(problems.len(), 1);
            assert!(problems[0].starts_with(place) && problems[0].contains(TRANSIENT_FACTORY), "{}", problems[0]);
        }
        assert_eq!(problems(disabled, "<store path='s3://bucket'/>").len(), 2, "everything at once");
    }
}
