//! Who is known to the service, watched.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::stream;
use parking_lot::Mutex;
use tokio::runtime::Handle;

use super::{Occasion, Watch};
use crate::service::Authenticator;
use crate::service::authentication::Departures;
use crate::session::{EndReason, Principal, SessionError, SessionFilter, SessionManager};

/// How many sessions are looked at at a time.
const BATCH: usize = 1000;

/// How many sessions are ended side by side: where ends are written, they are written together. A stored session is loaded for
/// it, so this bounds the memory.
const SIDE_BY_SIDE: usize = 64;

/// Lets the authenticator look for changes, and ends the sessions of those who are gone. With the first look, of those too who
/// went before the service was started.
pub(in crate::service) struct PrincipalsWatch {
    authenticator: Arc<dyn Authenticator>,
    departures: Departures,
    /// The sessions of all resources.
    managers: Vec<Arc<dyn SessionManager>>,
    state: Mutex<State>,
}

/// What is left to do.
#[derive(Default)]
struct State {
    /// Whether it was asked who went before the service was started.
    has_begun: bool,
    /// Those of whose sessions some could not be ended: it is tried again with every look.
    remaining: HashSet<Principal>,
}

impl PrincipalsWatch {
    pub(in crate::service) fn new(
        authenticator: Arc<dyn Authenticator>,
        departures: Departures,
        managers: Vec<Arc<dyn SessionManager>>,
    ) -> Self {
        Self { authenticator, departures, managers, state: Mutex::default() }
    }

    /// Of those who have sessions, who is known no more.
    fn departed(&self) -> Vec<Principal> {
        let owners: HashSet<Principal> = self.managers.iter().flat_map(|manager| manager.owners()).collect();
        let owners: Vec<Principal> = owners.into_iter().collect();
        self.authenticator.departed(&owners)
    }
}

impl Watch for PrincipalsWatch {
    fn look(&self, _: Occasion) {
        let gone = self.authenticator.refresh().gone;
        if !gone.is_empty() {
            // Before their sessions are ended, so that none is created behind.
            self.departures.add();
        }
        let mut state = self.state.lock();
        state.remaining.extend(gone);
        if !std::mem::replace(&mut state.has_begun, true) {
            state.remaining.extend(self.departed());
        }
        if state.remaining.is_empty() {
            return;
        }
        let Ok(runtime) = Handle::try_current() else {
            tracing::error!("sessions of principals that are gone go on: nothing here can end them");
            return;
        };
        for (principal, Ended { ended, failed }) in runtime.block_on(end_sessions(&self.managers, &state.remaining)) {
            tracing::info!(%principal, sessions = ended, "a principal is gone: its sessions were ended");
            match failed {
                None => drop(state.remaining.remove(&principal)),
                Some(error) => {
                    tracing::error!(%principal, %error, "sessions of a principal that is gone could not be ended: it is tried again");
                }
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

/// Ends all sessions of some principals. Requests that hold one are told to stop. However many principals they are, each list of
/// sessions is gone through once.
async fn end_sessions(managers: &[Arc<dyn SessionManager>], owners: &HashSet<Principal>) -> HashMap<Principal, Ended> {
    let mut all: HashMap<Principal, Ended> = owners.iter().map(|owner| (owner.clone(), Ended::default())).collect();
    for manager in managers {
        if let Err(error) = end_in(&**manager, owners, &mut all).await {
            for ended in all.values_mut() {
                ended.failed = Some(error.clone());
            }
        }
    }
    all
}

/// Ends those of one manager.
///
/// # Errors
///
/// When not all sessions could be looked at. That one could not be ended is noted with its owner.
async fn end_in(
    manager: &dyn SessionManager,
    owners: &HashSet<Principal>,
    all: &mut HashMap<Principal, Ended>,
) -> Result<(), SessionError> {
    let owner = owners.iter().next().filter(|_| owners.len() == 1).cloned();
    let mut filter = SessionFilter { owner, limit: Some(BATCH), ..SessionFilter::default() };
    loop {
        let found = manager.list(&filter).await?;
        let theirs: Vec<_> = found.iter().filter(|session| owners.contains(&session.owner)).collect();
        let ends = theirs.into_iter().map(async |session| {
            let ended = manager.end(session.handle, EndReason::Killed).await;
            (&session.owner, ended)
        });
        let mut ends = stream::iter(ends).buffer_unordered(SIDE_BY_SIDE);
        while let Some((owner, ended)) = ends.next().await {
            let noted = all.entry(owner.clone()).or_default();
            match ended {
                Ok(_) => noted.ended += 1,
                // It has ended by itself.
                Err(SessionError::NotFound) => {}
                // None can be ended any more.
                Err(error @ SessionError::Draining) => return Err(error),
                Err(error) => noted.failed = Some(error),
            }
        }
        match found.last() {
            Some(last) if found.len() == BATCH => filter.after = Some(last.handle),
            _ => return Ok(()),
        }
    }
}

impl fmt::Debug for PrincipalsWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrincipalsWatch").field("authenticator", &self.authenticator).finish_non_exhaustive()
    }
}
