use std::sync::Arc;

use super::{TransientSessionManager, TransientSessionManagerBuilder};
use crate::document::{DocumentError, SessionConfiguration, TRANSIENT_FACTORY};
use crate::session::{SessionManager, SessionManagerFactory, SessionManagerSettings};

/// `rejoin.TransientSessionManagerFactory`: makes managers that keep sessions in the memory of the process.
#[derive(Debug, Clone, Copy, Default)]
pub struct TransientSessionManagerFactory;

impl SessionManagerFactory for TransientSessionManagerFactory {
    fn problems(&self, configuration: &SessionConfiguration) -> Vec<DocumentError> {
        if configuration.store.is_none() {
            return Vec::new();
        }
        let message = format!("`{TRANSIENT_FACTORY}` keeps sessions in memory: leave `store` out");
        vec![DocumentError::invalid(configuration.places.store, message)]
    }

    fn make(&self, settings: SessionManagerSettings) -> Result<Arc<dyn SessionManager>, DocumentError> {
        let SessionManagerSettings { configuration, statics, clock, ids, listeners, folder: _ } = settings;
        let manager = TransientSessionManager::builder(configuration).statics(statics).clock(clock).ids(ids);
        Ok(Arc::new(listeners.into_iter().fold(manager, TransientSessionManagerBuilder::listener).build()))
    }
}
