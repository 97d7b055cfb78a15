//! The streams of one request: they share its fate.

use std::pin::pin;
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::{End, Entry, SessionStreams};

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Fate {
    #[default]
    Running,
    Completed,
    Failed,
}

/// What the streams of one request share.
#[derive(Debug, Default)]
pub(super) struct Group {
    fate: Mutex<Fate>,
    /// The first output whose reader went away midway.
    abandoned: OnceLock<Box<str>>,
    changed: Notify,
}

impl Group {
    pub(super) fn fate(&self) -> Fate {
        *self.fate.lock()
    }

    /// The reader of an output went away with data that nobody has seen.
    pub(super) fn abandon(&self, name: &str) {
        self.abandoned.get_or_init(|| name.into());
        self.told();
    }

    /// Something about the streams has changed.
    pub(super) fn told(&self) {
        self.changed.notify_waiters();
    }
}

/// The streams that one request has opened: what that request holds of them. Dropped without
/// [`OpenedStreams::complete`], the request has failed.
#[derive(Debug)]
pub struct OpenedStreams {
    streams: Arc<SessionStreams>,
    group: Arc<Group>,
}

impl OpenedStreams {
    pub(super) fn new(streams: Arc<SessionStreams>, group: Arc<Group>) -> Self {
        Self { streams, group }
    }

    /// Returns when every output has been read to its end, or was deleted.
    pub async fn read_out(&self) {
        self.when(|| {
            let table = self.streams.table.lock();
            let mut entries = table.entries.values();
            let left = entries.any(|entry| self.is_ours(entry) && matches!(entry.end, End::Output(_)));
            (!left).then_some(())
        })
        .await;
    }

    /// Returns when the reader of an output went away midway, with the name of the output. What it had taken is lost, so the
    /// request has to fail.
    pub async fn abandoned(&self) -> Box<str> {
        self.when(|| self.abandoned_yet().map(Into::into)).await
    }

    /// [`OpenedStreams::abandoned`] as far as it has happened by now.
    #[must_use]
    pub fn abandoned_yet(&self) -> Option<&str> {
        self.group.abandoned.get().map(AsRef::as_ref)
    }

    /// Nothing reads the inputs any more: they go.
    pub fn close_inputs(&self) {
        let mut table = self.streams.table.lock();
        let inputs: Vec<Entry> = table
            .entries
            .extract_if(.., |_, entry| self.is_ours(entry) && matches!(entry.end, End::Input(_)))
            .map(|(_, entry)| *entry)
            .collect();
        drop(table);
        if !inputs.is_empty() {
            drop(inputs);
            self.streams.tell_if_empty();
        }
    }

    /// The request has completed. What has not been read of its outputs stays.
    pub fn complete(&self) {
        self.settle(Fate::Completed);
    }

    /// The request has failed. What has not been read of its outputs stays, and breaks off behind that.
    pub fn fail(&self) {
        self.settle(Fate::Failed);
    }

    /// The first word counts.
    fn settle(&self, fate: Fate) {
        {
            let mut known = self.group.fate.lock();
            if *known == Fate::Running {
                *known = fate;
            }
        }
        self.close_inputs();
    }

    fn is_ours(&self, entry: &Entry) -> bool {
        Arc::ptr_eq(&entry.group, &self.group)
    }

    /// Waits until a look at the streams finds something.
    async fn when<T>(&self, mut look: impl FnMut() -> Option<T>) -> T {
        loop {
            let mut changed = pin!(self.group.changed.notified());
            changed.as_mut().enable();
            if let Some(found) = look() {
                return found;
            }
            changed.await;
        }
    }
}

impl Drop for OpenedStreams {
    fn drop(&mut self) {
        self.settle(Fate::Failed);
    }
}
