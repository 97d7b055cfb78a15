//! A run: one task per activity, started in the order that the plan asks for, all cancelled when one fails.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use tokio::task::{Id, JoinError, JoinSet};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, Span, debug_span};

use super::end_point::EndPoint;
use super::plan::{Plan, PlannedActivity};
use crate::activity::{ActivityContext, ActivityError};
use crate::block::{BlockReader, BlockWriter, pipe};
use crate::document::{Position, Status};
use crate::session::SessionAttributes;

/// The activities of a request at work.
pub(super) struct Run {
    activities: Vec<ActivityRun>,
    /// What is needed to start each; taken then.
    waiting: Vec<Option<Waiting>>,
    tasks: JoinSet<Result<(), ActivityError>>,
    cancel: CancellationToken,
}

/// How far one activity has got.
pub(super) struct ActivityRun {
    pub(super) name: Box<str>,
    pub(super) position: Position,
    pub(super) status: Status,
    pub(super) error: Option<Arc<ActivityError>>,
    /// What has to complete before this one starts.
    after: Vec<usize>,
    task: Option<Id>,
}

impl ActivityRun {
    /// Why it failed, if it did by itself.
    pub(super) fn failure(&self) -> Option<(&Self, &Arc<ActivityError>)> {
        match self.status {
            Status::Error => Some((self, self.error.as_ref()?)),
            _ => None,
        }
    }
}

struct Waiting {
    activity: PlannedActivity,
    context: ActivityContext,
}

impl Run {
    /// Lays the pipes and starts every activity that has nothing to wait for.
    pub(super) fn start(plan: Plan, session: &SessionAttributes, cancel: CancellationToken) -> (Self, Vec<EndPoint>) {
        let Plan { activities, streams } = plan;
        let mut writers: Vec<Option<BlockWriter>> = Vec::with_capacity(streams.len());
        let mut readers: Vec<Option<BlockReader>> = Vec::with_capacity(streams.len());
        for stream in &streams {
            let (writer, reader) = pipe(stream.stream_type);
            writers.push(Some(writer));
            readers.push(Some(reader));
        }
        let mut run = Self { activities: Vec::new(), waiting: Vec::new(), tasks: JoinSet::new(), cancel };
        let kinships = kinships(&activities, &streams);
        for mut activity in activities {
            let inputs = activity.inputs.iter().filter_map(|&stream| readers[stream].take()).collect();
            let outputs = activity.outputs.iter().filter_map(|&stream| writers[stream].take()).collect();
            let context = ActivityContext::new(inputs, outputs, session.clone(), run.cancel.clone());
            run.activities.push(ActivityRun {
                name: activity.name.clone(),
                position: activity.position,
                status: Status::Unstarted,
                error: None,
                after: std::mem::take(&mut activity.after),
                task: None,
            });
            run.waiting.push(Some(Waiting { activity, context }));
        }
        let end_points = streams
            .into_iter()
            .zip(readers)
            .zip(kinships)
            .filter_map(|((stream, reader), kin)| Some(EndPoint::new(stream, reader?, kin)))
            .collect();
        run.start_ready();
        (run, end_points)
    }

    /// Drives the activities until all have ended; answers what became of them, in the order of the document.
    pub(super) async fn complete(mut self) -> Vec<ActivityRun> {
        while let Some(ended) = self.tasks.join_next_with_id().await {
            self.note(ended);
        }
        self.settle();
        self.activities
    }

    /// Makes up the account when everything has stopped.
    fn settle(&mut self) {
        // What never started, because what it waited for failed.
        self.waiting.clear();
        if self.cancel.is_cancelled() || self.activities.iter().any(|activity| activity.status == Status::Error) {
            return;
        }
        for activity in &mut self.activities {
            match activity.error.as_deref() {
                // Whoever read its output completed without the rest.
                Some(ActivityError::ReaderGone) => {
                    activity.status = Status::Completed;
                    activity.error = None;
                }
                // Nobody failed, and yet a stream broke off: an activity completed without ending its output.
                Some(_) => {
                    activity.status = Status::Error;
                    let error = ActivityError::server("OutputNotFinished", "an input broke off, and nobody failed");
                    activity.error = Some(Arc::new(error));
                }
                None => {}
            }
        }
    }

    fn start_ready(&mut self) {
        if self.cancel.is_cancelled() {
            return;
        }
        for index in 0..self.activities.len() {
            let is_completed = |&before: &usize| self.activities[before].status == Status::Completed;
            if self.activities[index].after.iter().all(is_completed)
                && let Some(waiting) = self.waiting[index].take()
            {
                let task = self.spawn(waiting);
                self.activities[index].task = Some(task);
                self.activities[index].status = Status::Processing;
            }
        }
    }

    fn spawn(&mut self, Waiting { activity, context }: Waiting) -> Id {
        let span = debug_span!(parent: Span::current(), "activity", name = %activity.name, element = %activity.element);
        let cancel = self.cancel.clone();
        let work = async move {
            tokio::select! {
                // A completed activity counts, even when the word to stop came in the same moment.
                biased;
                result = AssertUnwindSafe((activity.run)(context)).catch_unwind() => match result {
                    Ok(result) => result,
                    Err(_) => Err(ActivityError::server("Panicked", "the activity panicked")),
                },
                () = cancel.cancelled() => Err(ActivityError::Cancelled),
            }
        };
        self.tasks.spawn(work.instrument(span)).id()
    }

    fn note(&mut self, ended: Result<(Id, Result<(), ActivityError>), JoinError>) {
        let (id, result) = match ended {
            Ok((id, result)) => (id, result),
            Err(error) => (error.id(), Err(ActivityError::server("Panicked", error.to_string()))),
        };
        let Some(index) = self.activities.iter().position(|activity| activity.task == Some(id)) else { return };
        let activity = &mut self.activities[index];
        match result {
            Ok(()) => {
                activity.status = Status::Completed;
                self.start_ready();
            }
            Err(error @ (ActivityError::ReaderGone | ActivityError::InputBroken | ActivityError::Cancelled)) => {
                activity.status = Status::Terminated;
                activity.error = Some(Arc::new(error));
            }
            Err(error) => {
                activity.status = Status::Error;
                activity.error = Some(Arc::new(error));
                self.cancel.cancel();
            }
        }
    }
}

/// For every stream a number that it shares with those whose data come from a common source: of such streams the one can't
/// be left standing while the other is read.
fn kinships(activities: &[PlannedActivity], streams: &[super::plan::PlannedStream]) -> Vec<usize> {
    let mut group: Vec<usize> = (0..activities.len()).collect();
    for stream in streams {
        if let Some(reader) = stream.reader {
            let (from, to) = (group[stream.writer], group[reader]);
            if from != to {
                group.iter_mut().filter(|member| **member == to).for_each(|member| *member = from);
            }
        }
    }
    streams.iter().map(|stream| group[stream.writer]).collect()
}
