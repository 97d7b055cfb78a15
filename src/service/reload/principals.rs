//! Who is known to the service, watched.

use std::fmt;
use std::sync::Arc;

use tokio::runtime::Handle;

use super::{Occasion, Watch};
use crate::service::Authenticator;
use crate::service::authentication::Departures;
use crate::session::{EndReason, Principal, SessionFilter, SessionManager};

/// Lets the authenticator look for changes, and ends the sessions of those who are gone.
pub(in crate::service) struct PrincipalsWatch {
    authenticator: Arc<dyn Authenticator>,
    departures: Departures,
    /// The sessions of all resources.
    managers: Vec<Arc<dyn SessionManager>>,
}

impl PrincipalsWatch {
    pub(in crate::service) fn new(
        authenticator: Arc<dyn Authenticator>,
        departures: Departures,
        managers: Vec<Arc<dyn SessionManager>>,
    ) -> Self {
        Self { authenticator, departures, managers }
    }
}

impl Watch for PrincipalsWatch {
    fn look(&self, _: Occasion) {
        let gone = self.authenticator.refresh().gone;
        if gone.is_empty() {
            return;
        }
        // Before their sessions are ended, so that none is created behind.
        self.departures.add();
        let Ok(runtime) = Handle::try_current() else {
            tracing::error!("sessions of principals that are gone go on: nothing here can end them");
            return;
        };
        for principal in gone {
            let ended = runtime.block_on(end_sessions(&self.managers, &principal));
            tracing::info!(%principal, sessions = ended, "a principal is gone: its sessions were ended");
        }
    }
}

/// Ends all sessions of a principal. Requests that hold one are told to stop.
async fn end_sessions(managers: &[Arc<dyn SessionManager>], owner: &Principal) -> usize {
    let mut ended = 0;
    for manager in managers {
        let filter = SessionFilter { owner: Some(owner.clone()), ..SessionFilter::default() };
        let sessions = manager.list(&filter).await.unwrap_or_else(|error| {
            tracing::error!(principal = %owner, %error, "sessions of a principal that is gone go on");
            Vec::new()
        });
        for session in sessions {
            match manager.end(session.handle, EndReason::Killed).await {
                Ok(_) => ended += 1,
                // It has ended by itself.
                Err(error) => tracing::debug!(handle = %session.handle, %error, "a session was not ended"),
            }
        }
    }
    ended
}

impl fmt::Debug for PrincipalsWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrincipalsWatch").field("authenticator", &self.authenticator).finish_non_exhaustive()
    }
}
