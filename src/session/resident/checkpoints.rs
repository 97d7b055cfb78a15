//! Checkpoints: changes of a request that are made before it releases its session.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::Either;
use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::lock::Fence;
use super::participation::Part;
use super::shared::Shared;
use super::slot::Slot;
use crate::session::{Checkpoint, Checkpoints, Leaving, Releasing, SessionError};

/// Makes the checkpoints of the request that holds a session under a fence. There is one at a time.
pub(super) struct Holding {
    pub(super) shared: Arc<Shared>,
    pub(super) slot: Arc<Slot>,
    pub(super) fence: Fence,
    course: Mutex<Course>,
}

/// How far the request is, as its checkpoints see it.
enum Course {
    /// It works.
    Working,
    /// A checkpoint is being written.
    Writing,
    /// The same, and the request is released as soon as it is.
    Leaving(Box<Departing>),
    /// It has been released.
    Gone,
}

/// A request that leaves when its checkpoint is written.
struct Departing {
    part: Box<Part>,
    leaving: Leaving,
    told: oneshot::Sender<Releasing>,
}

impl Holding {
    pub(super) fn new(shared: &Arc<Shared>, slot: &Arc<Slot>, fence: Fence) -> Self {
        let (shared, slot) = (Arc::clone(shared), Arc::clone(slot));
        Self { shared, slot, fence, course: Mutex::new(Course::Working) }
    }

    /// Releases the session: now, or as soon as the checkpoint is written that is under way.
    pub(super) fn release(&self, part: Box<Part>, leaving: Leaving) -> Releasing {
        let mut course = self.course.lock();
        if !matches!(*course, Course::Writing) {
            *course = Course::Gone;
            drop(course);
            return part.release_now_or_written(leaving);
        }
        let (told, releasing) = oneshot::channel::<Releasing>();
        *course = Course::Leaving(Box::new(Departing { part, leaving, told }));
        Either::Right(Box::pin(async move {
            match releasing.await {
                Ok(releasing) => releasing.await,
                Err(_) => Err(SessionError::Conflict),
            }
        }))
    }

    /// A checkpoint is about to be written. Answers whether that may be: not when the request has left.
    pub(super) fn begin(&self) -> bool {
        let mut course = self.course.lock();
        let may_be = matches!(*course, Course::Working);
        if may_be {
            *course = Course::Writing;
        }
        may_be
    }

    /// The checkpoint is written, or could not be: lets the request go if it waits for that.
    pub(super) fn end(&self) {
        let mut course = self.course.lock();
        let was = std::mem::replace(&mut *course, Course::Working);
        if !matches!(was, Course::Writing) {
            *course = Course::Gone;
        }
        drop(course);
        if let Course::Leaving(departing) = was {
            let Departing { part, leaving, told } = *departing;
            // Nobody may wait for it.
            drop(told.send(part.release_now_or_written(leaving)));
        }
    }

    /// Makes the change in memory, where nothing is kept beyond it.
    fn make_at_once(&self, mut checkpoint: Checkpoint) -> Result<(), SessionError> {
        let (made, dropped) = self.slot.make_checkpoint(self.fence, checkpoint.take_change());
        dropped.close(self.slot.handle);
        checkpoint.made(made?);
        Ok(())
    }
}

#[async_trait]
impl Checkpoints for Holding {
    async fn make(self: Arc<Self>, checkpoint: Checkpoint) -> Result<(), SessionError> {
        if self.shared.keeper.is_some() { self.write(checkpoint).await } else { self.make_at_once(checkpoint) }
    }
}
