use std::sync::Arc;
use std::time::Instant;

use super::{DurableSessionManager, DurableSessionManagerBuilder};
use crate::document::{DURABLE_FACTORY, DocumentError, SessionConfiguration};
use crate::session::{Durability, SessionManager, SessionManagerFactory, SessionManagerSettings, SqliteStore};

/// `rejoin.DurableSessionManagerFactory`: makes managers that keep sessions in a folder.
///
/// One that keeps them elsewhere makes a [`DurableSessionManager`] over a [`SessionStore`](crate::session::SessionStore) of its
/// own.
#[derive(Debug, Clone, Copy, Default)]
pub struct DurableSessionManagerFactory;

impl SessionManagerFactory for DurableSessionManagerFactory {
    fn problems(&self, configuration: &SessionConfiguration) -> Vec<DocumentError> {
        if configuration.store.is_some() {
            return Vec::new();
        }
        let message =
            format!("`{DURABLE_FACTORY}` keeps sessions in a folder: name it, as in `<store path=\"sessions/\"/>`");
        vec![DocumentError::invalid(configuration.places.factory, message)]
    }

    fn make(&self, settings: SessionManagerSettings) -> Result<Arc<dyn SessionManager>, DocumentError> {
        let SessionManagerSettings { configuration, statics, clock, ids, listeners, folder } = settings;
        let begun = Instant::now();
        let Some(settings) = &configuration.store else {
            let problems = self.problems(&configuration);
            let missing = || DocumentError::invalid(configuration.places.factory, "`store` is missing");
            return Err(problems.into_iter().next().unwrap_or_else(missing));
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
