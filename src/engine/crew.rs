//! The activities of a request that are at work.
//!
//! At first the task of the request does the work of all of them: to hand something over between two tasks takes longer than
//! most of what small requests do in between. The activities of a request that goes on get a task each, so that all processors
//! work for it.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::task::{Id, JoinSet};

use crate::activity::ActivityError;

/// How often the task of the request looks after its activities before each gets a task of its own. A query of few rows needs
/// two or three looks: when it has a connection, when it is answered, when the answer was formatted.
const LOOKS: u32 = 16;

/// How many activities share the task of the request, each of which it looks after whenever one of them can go on.
const SHARING: usize = 8;

type Work = Pin<Box<dyn Future<Output = Result<(), ActivityError>> + Send>>;

/// Activities at work, by their index.
#[derive(Default)]
pub(super) struct Crew {
    /// Those in the task of the request.
    here: Vec<(usize, Work)>,
    looks: u32,
    /// Those in tasks of their own.
    tasks: JoinSet<Result<(), ActivityError>>,
    ids: Vec<(Id, usize)>,
}

impl Crew {
    /// Takes on an activity, which has begun.
    pub(super) fn add(&mut self, index: usize, work: Work) {
        if self.looks < LOOKS && self.here.len() < SHARING {
            self.here.push((index, work));
        } else {
            self.send_away(index, work);
        }
    }

    /// Looks after the activities until one has ended; `None` when all have.
    pub(super) async fn next(&mut self) -> Option<(usize, Result<(), ActivityError>)> {
        poll_fn(|context| self.poll_next(context)).await
    }

    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<(usize, Result<(), ActivityError>)>> {
        if !self.here.is_empty() {
            self.looks += 1;
            if self.looks > LOOKS {
                for (index, work) in std::mem::take(&mut self.here) {
                    self.send_away(index, work);
                }
            }
        }
        for place in 0..self.here.len() {
            let (index, work) = &mut self.here[place];
            if let Poll::Ready(result) = work.as_mut().poll(context) {
                let index = *index;
                // In their order: most of them read what those before them write.
                drop(self.here.remove(place));
                return Poll::Ready(Some((index, result)));
            }
        }
        match self.tasks.poll_join_next_with_id(context) {
            Poll::Ready(Some(ended)) => {
                let (id, result) = ended
                    .unwrap_or_else(|error| (error.id(), Err(ActivityError::server("Panicked", error.to_string()))));
                let index = self.ids.iter().find(|(known, _)| *known == id).map(|(_, index)| *index);
                // Every task has an index.
                index.map_or(Poll::Pending, |index| Poll::Ready(Some((index, result))))
            }
            Poll::Ready(None) if self.here.is_empty() => Poll::Ready(None),
            Poll::Ready(None) | Poll::Pending => Poll::Pending,
        }
    }

    fn send_away(&mut self, index: usize, work: Work) {
        self.ids.push((self.tasks.spawn(work).id(), index));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::task::yield_now;

    use super::*;

    async fn yielding(times: usize) -> Result<(), ActivityError> {
        for _ in 0..times {
            yield_now().await;
        }
        Ok(())
    }

    #[tokio::test]
    async fn short_work_is_done_in_the_task_of_the_request() {
        let mut crew = Crew::default();
        let here = tokio::task::try_id();
        let work = async move {
            yield_now().await;
            assert_eq!(tokio::task::try_id(), here);
            Ok(())
        };
        crew.add(7, Box::pin(work));
        assert!(matches!(crew.next().await, Some((7, Ok(())))));
        assert!(crew.next().await.is_none());
    }

    #[tokio::test]
    async fn work_that_goes_on_and_work_in_great_number_gets_tasks() {
        let mut crew = Crew::default();
        let count = Arc::new(AtomicUsize::new(0));
        for index in 0..3 * SHARING {
            let count = Arc::clone(&count);
            let work = async move {
                yielding(3 * LOOKS as usize).await?;
                assert!(tokio::task::try_id().is_some());
                count.fetch_add(1, Ordering::Relaxed);
                Ok(())
            };
            crew.add(index, Box::pin(work));
        }
        let mut ended: Vec<usize> = Vec::new();
        while let Some((index, result)) = crew.next().await {
            result.unwrap();
            ended.push(index);
        }
        ended.sort_unstable();
        assert_eq!(ended, (0..3 * SHARING).collect::<Vec<_>>());
        assert_eq!(count.load(Ordering::Relaxed), 3 * SHARING);
    }
}
