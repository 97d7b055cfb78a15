//! Lists of sessions, wherever they are.

use std::sync::Arc;

use uuid::Uuid;

use crate::session::clock::Time;
use crate::session::lifetime::{after, over};
use crate::session::resident::operate::PAGE;
use crate::session::resident::shared::Shared;
use crate::session::resident::slot::Slot;
use crate::session::{
    SessionError, SessionFilter, SessionHandle, SessionRecord, SessionState, SessionStatus, StoreOperation,
};

/// Some sessions in the order of their handles, those in memory and those in the store.
pub(in crate::session::resident) struct Page {
    pub(in crate::session::resident) sessions: Vec<Listed>,
    /// After which the next page begins, if there is one.
    pub(in crate::session::resident) next: Option<SessionHandle>,
}

/// A session of a list.
pub(in crate::session::resident) enum Listed {
    Here(Arc<Slot>),
    Stored(Box<SessionRecord>),
}

impl Listed {
    fn handle(&self) -> SessionHandle {
        match self {
            Self::Here(slot) => slot.handle,
            Self::Stored(record) => record.handle,
        }
    }
}

impl Shared {
    /// Some sessions after a handle, or the one that is asked for.
    pub(in crate::session::resident) async fn some_listed(
        self: &Arc<Self>,
        filter: &SessionFilter,
        last: Option<SessionHandle>,
    ) -> Result<Page, SessionError> {
        // In this order: what leaves the memory in between is found twice, and not never.
        let here = self.page(filter, last);
        let stored = self.some_stored(filter, last).await?;
        let mut bound = None;
        for end in [here.last().filter(|_| here.len() == PAGE).map(|slot| slot.handle), full_end(&stored)] {
            bound = match (bound, end) {
                (Some(bound), Some(end)) => Some(end.min(bound)),
                (bound, end) => bound.or(end),
            };
        }
        let is_on_page = |handle: SessionHandle| bound.is_none_or(|bound: SessionHandle| handle <= bound);
        let here_handles: Vec<SessionHandle> = here.iter().map(|slot| slot.handle).collect();
        let is_here = |record: &SessionRecord| here_handles.binary_search(&record.handle).is_ok();
        let stored = stored.into_iter().filter(|record| !is_here(record)).map(|it| Listed::Stored(Box::new(it)));
        let mut sessions: Vec<Listed> = here.into_iter().map(Listed::Here).chain(stored).collect();
        sessions.retain(|session| is_on_page(session.handle()));
        sessions.sort_by_key(Listed::handle);
        Ok(Page { sessions, next: bound.filter(|_| filter.handle.is_none()) })
    }

    /// Some sessions of the store that have not ended.
    async fn some_stored(
        self: &Arc<Self>,
        filter: &SessionFilter,
        last: Option<SessionHandle>,
    ) -> Result<Vec<SessionRecord>, SessionError> {
        let is_excluded =
            filter.implicit == Some(true) || filter.state.is_some_and(|state| state != SessionState::Available);
        if self.keeper.is_none() || is_excluded {
            return Ok(Vec::new());
        }
        let (after, limit) = match filter.handle {
            Some(handle) => (predecessor(handle), 1),
            None => (last, PAGE),
        };
        let stored = self.ask(StoreOperation::Read, move |store| store.list(after, limit)).await?;
        let Some(keeper) = &self.keeper else { return Ok(Vec::new()) };
        let residency = keeper.residency.lock();
        let is_meant = |record: &SessionRecord| filter.handle.is_none_or(|handle| handle == record.handle);
        let stored = stored.into_iter().filter(|record| is_meant(record) && !residency.has_ended(record.handle));
        Ok(stored.collect())
    }

    /// How a session stands that is in the store; `None` if it is over.
    pub(in crate::session::resident) fn status_of_stored(
        &self,
        record: SessionRecord,
        time: Time,
    ) -> Option<SessionStatus> {
        let idle = after(record.released, record.timeout);
        if over(idle, record.lifetime, time.now).is_some() {
            return None;
        }
        let statics = self.policy().rules.statics.iter().count();
        Some(SessionStatus {
            handle: record.handle,
            owner: record.owner,
            state: SessionState::Available,
            implicit: false,
            label: record.label,
            created: record.handle.created(),
            released: time.wall_at(record.released),
            timeout: record.timeout,
            idle_expires: time.wall_at(idle),
            lifetime_expires: time.wall_at(record.lifetime),
            fence: record.fence,
            waiters: 0,
            readers: 0,
            request: None,
            held_since: None,
            attributes: usize::try_from(record.attributes).unwrap_or(usize::MAX) + statics,
            bytes: record.bytes,
        })
    }
}

/// The last of a full page: there may be more.
fn full_end(records: &[SessionRecord]) -> Option<SessionHandle> {
    records.last().filter(|_| records.len() == PAGE).map(|record| record.handle)
}

/// The handle just before another; `None` if there is none.
fn predecessor(handle: SessionHandle) -> Option<SessionHandle> {
    let number = handle.uuid().as_u128().checked_sub(1)?;
    Some(SessionHandle::new(Uuid::from_u128(number)))
}
