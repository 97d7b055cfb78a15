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
    /// How many steps before each have not completed yet.
    missing: Vec<usize>,
    /// Which activities wait for each to complete.
    followers: Vec<Vec<usize>>,
    tasks: JoinSet<Result<(), ActivityError>>,
    cancel: CancellationToken,
}

/// How far one activity has got.
pub(super) struct ActivityRun {
    pub(super) name: Box<str>,
    pub(super) position: Position,
    pub(super) status: Status,
    pub(super) error: Option<Arc<ActivityError>>,
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
        let Plan { activities, streams, request } = plan;
        let mut writers: Vec<Option<BlockWriter>> = Vec::with_capacity(streams.len());
        let mut readers: Vec<Option<BlockReader>> = Vec::with_capacity(streams.len());
        for stream in &streams {
            let (writer, reader) = pipe(stream.stream_type);
            writers.push(Some(writer));
            readers.push(Some(reader));
        }
        let kinships = kinships(&activities, &streams);
        let missing: Vec<usize> = activities.iter().map(|activity| activity.after.len()).collect();
        let mut followers = vec![Vec::new(); activities.len()];
        for (index, activity) in activities.iter().enumerate() {
            activity.after.iter().for_each(|&before| followers[before].push(index));
        }
        let mut run =
            Self { activities: Vec::new(), waiting: Vec::new(), missing, followers, tasks: JoinSet::new(), cancel };
        for activity in activities {
            let inputs = activity.inputs.iter().filter_map(|&stream| readers[stream].take()).collect();
            let outputs = activity.outputs.iter().filter_map(|&stream| writers[stream].take()).collect();
            let context = ActivityContext::new(inputs, outputs, session.clone(), run.cancel.clone())
                .for_request(Arc::clone(&request));
            run.activities.push(ActivityRun {
                name: activity.name.clone(),
                position: activity.position,
                status: Status::Unstarted,
                error: None,
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
        for index in 0..run.activities.len() {
            run.start_if_ready(index);
        }
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
        let failed = self.cancel.is_cancelled();
        for activity in &mut self.activities {
            match (activity.error.as_deref(), failed) {
                (Some(ActivityError::ReaderGone), false) => activity.error = None,
                (Some(ActivityError::ReaderGone), true) => activity.status = Status::Terminated,
                // Nobody failed, and yet a stream broke off: an activity completed without ending its output.
                (Some(_), false) => {
                    activity.status = Status::Error;
                    let error = ActivityError::server("OutputNotFinished", "an input broke off, and nobody failed");
                    activity.error = Some(Arc::new(error));
                }
                (Some(_), true) | (None, _) => {}
            }
        }
    }

    /// Starts an activity that has nothing to wait for any more.
    fn start_if_ready(&mut self, index: usize) {
        if self.missing[index] == 0
            && !self.cancel.is_cancelled()
            && let Some(waiting) = self.waiting[index].take()
        {
            let task = self.spawn(waiting);
            self.activities[index].task = Some(task);
            self.activities[index].status = Status::Processing;
        }
    }

    fn completed(&mut self, index: usize) {
        self.activities[index].status = Status::Completed;
        for follower in std::mem::take(&mut self.followers[index]) {
            self.missing[follower] -= 1;
            self.start_if_ready(follower);
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
        match result {
            Ok(()) => self.completed(index),
            // Whoever read its output completed without the rest, unless it failed: then that is noted as well.
            Err(error @ ActivityError::ReaderGone) if !self.cancel.is_cancelled() => {
                self.activities[index].error = Some(Arc::new(error));
                self.completed(index);
            }
            Err(error @ (ActivityError::ReaderGone | ActivityError::InputBroken | ActivityError::Cancelled)) => {
                self.activities[index].status = Status::Terminated;
                self.activities[index].error = Some(Arc::new(error));
            }
            Err(error) => {
                self.activities[index].status = Status::Error;
                self.activities[index].error = Some(Arc::new(error));
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
