//! Who is known to the service, watched.

use std::fmt;
use std::sync::Arc;

use futures_util::future::join_all;
use parking_lot::Mutex;
use tokio::runtime::Handle;

use super::{Occasion, Watch};
use crate::service::Authenticator;
use crate::service::authentication::Departures;
use crate::session::{EndReason, Principal, SessionError, SessionFilter, SessionManager};

/// How many sessions are ended side by side.
const BATCH: usize = 1000;

/// Lets the authenticator look for changes, and ends the sessions of those who are gone.
pub(in crate::service) struct PrincipalsWatch {
    authenticator: Arc<dyn Authenticator>,
    departures: Departures,
    /// The sessions of all resources.
    managers: Vec<Arc<dyn SessionManager>>,
    /// Those of whose sessions some could not be ended: it is tried again with every look.
    remaining: Mutex<Vec<Principal>>,
}

impl PrincipalsWatch {
    pub(in crate::service) fn new(
        authenticator: Arc<dyn Authenticator>,
        departures: Departures,
        managers: Vec<Arc<dyn SessionManager>>,
    ) -> Self {
        Self { authenticator, departures, managers, remaining: Mutex::default() }
    }
}

impl Watch for PrincipalsWatch {
    fn look(&self, _: Occasion) {
        let gone = self.authenticator.refresh().gone;
        if !gone.is_empty() {
            // Before their sessions are ended, so that none is created behind.
            self.departures.add();
        }
        let mut remaining = self.remaining.lock();
        if gone.is_empty() && remaining.is_empty() {
            return;
        }
        let Ok(runtime) = Handle::try_current() else {
            tracing::error!("sessions of principals that are gone go on: nothing here can end them");
            return;
        };
        let again = std::mem::take(&mut *remaining);
        let is_new = |principal: &Principal| !again.contains(principal);
        for principal in gone.iter().filter(|principal| is_new(principal)).chain(&again) {
            let Ended { ended, failed } = runtime.block_on(end_sessions(&self.managers, principal));
            tracing::info!(%principal, sessions = ended, "a principal is gone: its sessions were ended");
            if let Some(error) = failed {
                tracing::error!(%principal, %error, "sessions of a principal that is gone could not be ended: it is tried again");
                remaining.push(principal.clone());
            }
        }
    }
}

/// What became of the sessions of a principal.
#[derive(Default)]
struct Ended {
    ended: usize,
    /// Why some go on.
    failed: Option<SessionError>,
}

/// Ends all sessions of a principal. Requests that hold one are told to stop.
async fn end_sessions(managers: &[Arc<dyn SessionManager>], owner: &Principal) -> Ended {
    let mut all = Ended::default();
    for manager in managers {
        let mut filter = SessionFilter { owner: Some(owner.clone()), limit: Some(BATCH), ..SessionFilter::default() };
        loop {
            let found = match manager.list(&filter).await {
                Ok(found) => found,
                Err(error) => {
                    all.failed = Some(error);
                    break;
                }
            };
            // Side by side: where ends are written, they are written together.
            for ended in join_all(found.iter().map(|session| manager.end(session.handle, EndReason::Killed))).await {
                match ended {
                    Ok(_) => all.ended += 1,
                    // It has ended by itself.
                    Err(SessionError::NotFound) => {}
                    Err(error) => all.failed = Some(error),
                }
            }
            match found.last() {
                Some(last) if found.len() == BATCH => filter.after = Some(last.handle),
                _ => break,
            }
        }
    }
    all
}

impl fmt::Debug for PrincipalsWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrincipalsWatch").field("authenticator", &self.authenticator).finish_non_exhaustive()
    }
}
