//! A run: the activities, started in the order that the plan asks for, all cancelled when one fails.
//!
//! Many never wait for anything (an attribute is counted up, a text is said): those have ended when they have been started. The
//! others are looked after by the task of the request, or get tasks of their own ([`Crew`]).

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, Span, debug_span};

use super::crew::Crew;
use super::end_point::EndPoint;
use super::plan::{Plan, PlannedActivity};
use crate::activity::{ActivityContext, ActivityError};
use crate::block::{BlockReader, BlockWriter, StreamType, pipe};
use crate::document::{Position, Status};
use crate::session::{NewStream, RequestProgress, SessionAttributes};

/// The activities of a request at work.
pub(super) struct Run {
    activities: Vec<ActivityRun>,
    /// What is needed to start each; taken then.
    waiting: Vec<Option<Box<Waiting>>>,
    /// How many steps before each have not completed yet.
    missing: Vec<usize>,
    /// Which activities wait for each to complete.
    followers: Vec<Vec<usize>>,
    crew: Crew,
    cancel: CancellationToken,
    /// Where to tell how far the activities have got, if somebody wants to know while they run.
    progress: Option<Arc<RequestProgress>>,
}

/// How far one activity has got.
pub(super) struct ActivityRun {
    pub(super) name: Box<str>,
    pub(super) position: Position,
    pub(super) status: Status,
    pub(super) error: Option<Arc<ActivityError>>,
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
        // Without session inputs: a request that has some is answered at once.
        let (mut run, end_points, _) = Self::lay(plan, session, cancel);
        run.begin();
        (run, end_points)
    }

    /// Lays the pipes. What leads out of the request and into it is made streams of the session; nothing runs yet.
    pub(super) fn lay_with_session(
        plan: Plan,
        session: &SessionAttributes,
        cancel: CancellationToken,
    ) -> (Self, Vec<NewStream>) {
        let (run, end_points, inputs) = Self::lay(plan, session, cancel);
        let outputs = end_points.into_iter().map(EndPoint::into_stream);
        let streams = outputs.chain(inputs).collect();
        (run, streams)
    }

    /// Starts every activity that has nothing to wait for.
    pub(super) fn begin(&mut self) {
        self.start_all((0..self.activities.len()).collect());
    }

    /// Whether an activity waits for others to complete.
    pub(super) fn has_to_wait(&self, index: usize) -> bool {
        self.missing[index] > 0
    }

    /// From now on tells how far the activities have got.
    pub(super) fn report_to(&mut self, progress: Arc<RequestProgress>) {
        self.progress = Some(progress);
    }

    /// How far the activities have got, in the order of the document.
    pub(super) fn activities(&self) -> &[ActivityRun] {
        &self.activities
    }

    fn lay(
        plan: Plan,
        session: &SessionAttributes,
        cancel: CancellationToken,
    ) -> (Self, Vec<EndPoint>, Vec<NewStream>) {
        let Plan { activities, streams, request, surroundings, .. } = plan;
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
        let mut session_inputs = Vec::new();
        let mut run = Self {
            activities: Vec::with_capacity(activities.len()),
            waiting: Vec::with_capacity(activities.len()),
            missing,
            followers,
            crew: Crew::default(),
            cancel,
            progress: None,
        };
        for activity in activities {
            let inputs = activity.inputs.iter().filter_map(|&stream| readers[stream].take()).collect();
            let outputs = activity.outputs.iter().filter_map(|&stream| writers[stream].take()).collect();
            let session_input = activity.session_input.then(|| {
                let (writer, reader) = pipe(StreamType::Any);
                session_inputs.push(NewStream::input(activity.name.clone(), writer));
                reader
            });
            let context = ActivityContext::new(inputs, outputs, session.clone(), run.cancel.clone())
                .for_request(Arc::clone(&request))
                .within(surroundings.clone())
                .with_session_input(session_input);
            run.activities.push(ActivityRun {
                name: activity.name.clone(),
                position: activity.position,
                status: Status::Unstarted,
                error: None,
            });
            run.waiting.push(Some(Box::new(Waiting { activity, context })));
        }
        let end_points = streams
            .into_iter()
            .zip(readers)
            .zip(kinships)
            .filter_map(|((stream, reader), kin)| Some(EndPoint::new(stream, reader?, kin)))
            .collect();
        (run, end_points, session_inputs)
    }

    /// Drives the activities until all have ended; answers what became of them, in the order of the document.
    pub(super) async fn complete(&mut self) -> Vec<ActivityRun> {
        while let Some((index, result)) = self.crew.next().await {
            let followers = self.note(index, result);
            self.start_all(followers);
        }
        self.settle();
        self.report_all();
        std::mem::take(&mut self.activities)
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

    /// Starts those activities that have nothing to wait for any more, and what follows when they have ended already.
    fn start_all(&mut self, mut ready: Vec<usize>) {
        while !ready.is_empty() {
            // All are started before it is looked at what became of each: the failure of one does not keep another from
            // starting that stands beside it.
            let ended: Vec<_> = ready.into_iter().filter_map(|index| Some((index, self.start_one(index)?))).collect();
            ready = Vec::new();
            for (index, result) in ended {
                ready.extend(self.note(index, result));
            }
        }
    }

    /// Starts an activity if it has nothing to wait for. Answers with what became of it if it ended without waiting.
    fn start_one(&mut self, index: usize) -> Option<Result<(), ActivityError>> {
        if self.missing[index] > 0 || self.cancel.is_cancelled() {
            return None;
        }
        let waiting = self.waiting[index].take()?;
        self.set_status(index, Status::Processing);
        let mut work = Box::pin(self.work(*waiting));
        let ended = (&mut work).now_or_never();
        if ended.is_none() {
            self.crew.add(index, work);
        }
        ended
    }

    /// Answers with the activities that waited for this one and have one less to wait for.
    fn completed(&mut self, index: usize) -> Vec<usize> {
        self.set_status(index, Status::Completed);
        let followers = std::mem::take(&mut self.followers[index]);
        for &follower in &followers {
            self.missing[follower] -= 1;
        }
        followers
    }

    fn set_status(&mut self, index: usize, status: Status) {
        self.activities[index].status = status;
        if let Some(progress) = &self.progress {
            progress.activity(index, status);
        }
    }

    /// What the account came to in the end.
    fn report_all(&self) {
        if let Some(progress) = &self.progress {
            for (index, activity) in self.activities.iter().enumerate() {
                progress.activity(index, activity.status);
            }
        }
    }

    fn work(&self, waiting: Waiting) -> impl Future<Output = Result<(), ActivityError>> + Send + use<> {
        let Waiting { activity, context } = waiting;
        let span = debug_span!(parent: Span::current(), "activity", name = %activity.name, element = %activity.element);
        let cancel = self.cancel.clone();
        let work = async move {
            tokio::select! {
                // A completed activity counts, even when the word to stop came in the same moment.
                biased;
                result = AssertUnwindSafe(async move { (activity.run)(context).await }).catch_unwind() => match result {
                    Ok(result) => result,
                    Err(_) => Err(ActivityError::server("Panicked", "the activity panicked")),
                },
                () = cancel.cancelled() => Err(ActivityError::Cancelled),
            }
        };
        work.instrument(span)
    }

    /// Takes down how an activity ended. Answers with those that may have waited for that.
    fn note(&mut self, index: usize, result: Result<(), ActivityError>) -> Vec<usize> {
        match result {
            Ok(()) => return self.completed(index),
            // Whoever read its output completed without the rest, unless it failed: then that is noted as well.
            Err(error @ ActivityError::ReaderGone) if !self.cancel.is_cancelled() => {
                self.activities[index].error = Some(Arc::new(error));
                return self.completed(index);
            }
            Err(error @ (ActivityError::ReaderGone | ActivityError::InputBroken | ActivityError::Cancelled)) => {
                self.set_status(index, Status::Terminated);
                self.activities[index].error = Some(Arc::new(error));
            }
            Err(error) => {
                self.set_status(index, Status::Error);
                self.activities[index].error = Some(Arc::new(error));
                self.cancel.cancel();
            }
        }
        Vec::new()
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
