//! A session as its record in the store says it.

use std::time::Duration;

use bytestring::ByteString;

use super::Ledger;
use crate::session::lifetime::after;
use crate::session::resident::aftermath::Ended;
use crate::session::resident::operate::label;
use crate::session::resident::slot::{Slot, State};
use crate::session::{
    AttributeSnapshot, AttributeValue, EndedSession, LABEL, Moment, SessionKey, SessionRecord, StagedAttributes,
};

/// What a record says of the attributes.
#[derive(Debug, Clone, Default)]
pub(super) struct Totals {
    count: u32,
    bytes: u64,
    next_order: u64,
    label: Option<ByteString>,
    has_live: bool,
}

impl Totals {
    /// Of the attributes as last released.
    pub(super) fn of(attributes: &AttributeSnapshot) -> Self {
        Self {
            count: attributes.count().try_into().unwrap_or(u32::MAX),
            bytes: attributes.byte_size(),
            next_order: attributes.next_order(),
            label: label(attributes.get(LABEL)),
            has_live: attributes.has_live(),
        }
    }

    /// Of the attributes with the changes made.
    pub(super) fn with(base: &AttributeSnapshot, staged: &StagedAttributes) -> Self {
        let (count, bytes, next_order) = staged.totals();
        let is_live = |value: &AttributeValue| matches!(value, AttributeValue::Live(_));
        let mut changes = staged.changes();
        let changed_label = changes.find(|(name, _)| *name == LABEL);
        let is_changed = |name: &str| staged.changes().any(|(changed, _)| changed == name);
        let set_live = staged.changes().any(|(_, value)| value.is_some_and(is_live));
        Self {
            count: count.try_into().unwrap_or(u32::MAX),
            bytes,
            next_order,
            label: changed_label.map_or_else(|| label(base.get(LABEL)), |(_, value)| label(value)),
            has_live: set_live
                || (base.has_live() && base.iter().any(|(name, value)| is_live(value) && !is_changed(name))),
        }
    }
}

/// What a record says that the session itself does not know yet.
pub(super) struct Draft<'a> {
    pub(super) totals: &'a Totals,
    pub(super) released: Moment,
    pub(super) now: Moment,
    /// So many of the requests whose clients were told that they run are done with this.
    pub(super) done: u32,
}

/// The record of a session, under its next version.
pub(super) fn record(slot: &Slot, state: &mut State, draft: &Draft<'_>) -> Option<SessionRecord> {
    let streams = state.remains.as_ref().is_some_and(|remains| !remains.streams.is_empty());
    let ledger = state.ledger.as_deref_mut()?;
    let Draft { totals, released, now, done } = draft;
    let anchored = ledger.anchors > *done;
    if !ledger.is_known() || ledger.due <= *now {
        // Later releases only move the end away: it is looked up again when this has come.
        ledger.due = next_look(slot, *released, *now);
    }
    ledger.drafted += 1;
    Some(SessionRecord {
        handle: slot.handle,
        owner: slot.owner.clone(),
        timeout: slot.timeout,
        lifetime: slot.lifetime,
        keys: state.keys.stored(),
        released: *released,
        fence: state.lock.fence(),
        version: ledger.drafted,
        sequence: ledger.sequence,
        due: ledger.due,
        perishable: totals.has_live || streams || anchored,
        label: totals.label.clone(),
        attributes: totals.count,
        bytes: totals.bytes,
        next_order: totals.next_order,
    })
}

/// When to look whether the session is over: after `now`.
fn next_look(slot: &Slot, released: Moment, now: Moment) -> Moment {
    let idle = match after(released, slot.timeout) {
        // It is held all the while.
        idle if idle <= now => after(now, slot.timeout),
        idle => idle,
    };
    if slot.lifetime <= now { idle } else { idle.min(slot.lifetime) }
}

/// The end of a session, for the store.
pub(super) fn ended_session(slot: &Slot, ended: Ended, keys: Vec<SessionKey>) -> EndedSession {
    EndedSession {
        handle: slot.handle,
        owner: slot.owner.clone(),
        keys,
        reason: ended.reason,
        moment: ended.moment,
        at: ended.at,
        until: ended.moment.after(slot.policy.settings.retention),
    }
}

/// The end of a session of which there is the record alone.
pub(in crate::session) fn ended_record(record: &SessionRecord, ended: Ended, retention: Duration) -> EndedSession {
    EndedSession {
        handle: record.handle,
        owner: record.owner.clone(),
        keys: record.keys.iter().map(|key| key.key).collect(),
        reason: ended.reason,
        moment: ended.moment,
        at: ended.at,
        until: ended.moment.after(retention),
    }
}

impl Ledger {
    /// What a record that is written says of what is lost with the process.
    pub(super) fn wrote(&mut self, record: &SessionRecord) {
        self.confirm(record.version);
        self.perishable = record.perishable;
        self.sequence = record.sequence;
    }
}
