//! A job, from its creation to its end.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::book::{Book, Open, Stage};
use super::error::{answer, late, of_failure, unknown, with};
use super::{HttpJob, Job, Phase};
use crate::activity::web::http_ingest::keep::Keep;
use crate::activity::web::http_ingest::outputs::Outputs;
use crate::activity::web::http_ingest::run::Ended;
use crate::activity::web::http_ingest::shared::occasion;
use crate::activity::web::phase::{KeepsNothing, Line};
use crate::activity::web::variables::{Named, find_all};
use crate::activity::{ActivityContext, ActivityError};
use crate::ingest::control::{Mark, Rule};
use crate::session::Moment;

/// How much longer the answer to a create request is waited for when nobody wants the job any more: it names what is to be
/// cancelled.
const GRACE: Duration = Duration::from_secs(10);

/// Runs it, in a task of its own. `stop`: the request is over.
pub(super) async fn run(
    activity: HttpJob,
    mut context: ActivityContext,
    stop: CancellationToken,
) -> Result<(), ActivityError> {
    let HttpJob { job, state, ports } = activity;
    let outputs = Outputs::take(&mut context, ports);
    let book = Book::open(state.as_deref(), &context)?;
    let clock = Arc::clone(context.clock());
    let line = Line { resource: job.source.resource()?, clock: &clock, outputs: &outputs };
    let course = Course { job: &job, context: &context, book: &book, line, stop };
    let end = course.go().await?;
    outputs.finish(job.fetch.as_ref().unwrap_or(&job.poll.settings)).await?;
    match end {
        End::Done => book.close(),
        End::Later => Ok(()),
    }
}

/// How a job has ended well.
enum End {
    Done,
    /// It goes on in a later request.
    Later,
}

/// Why a job does not go on.
enum Trouble {
    /// Nobody wants it any more.
    Stopped,
    /// Its time is over.
    Late,
    /// A phase has failed.
    Failed { rule: Rule, reason: String },
    /// The phase could not go on.
    Broken(ActivityError),
}

/// What the job is to be told, and whether it is done with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Parting {
    /// A later request goes on.
    Open,
    /// The remote service does not know it any more.
    Gone,
    /// It is to be cleaned up.
    CleanUp,
    /// It is to be cancelled first.
    Cancel,
}

/// A job on its way.
struct Course<'a> {
    job: &'a Job,
    context: &'a ActivityContext,
    book: &'a Book<'a>,
    line: Line<'a>,
    stop: CancellationToken,
}

impl Course<'_> {
    async fn go(&self) -> Result<End, ActivityError> {
        let (open, mut variables) = match self.book.stage() {
            Stage::Over => self.create().await?,
            Stage::Creating => return Err(unknown("the service, or the request, came to its end meanwhile")),
            Stage::Open(mut open) => {
                open.deadline.resume(occasion(&**self.line.clock));
                let variables = open.variables();
                self.book.note(Stage::Open(open.clone())).await?;
                (open, variables)
            }
        };
        let deadline = open.deadline.moment();
        match self.ask("poll", &self.job.poll, (&variables, self.book), deadline).await {
            Ok((true, brought)) => variables.extend(brought),
            Ok((false, _)) => return Ok(End::Later),
            Err(trouble) => return Err(self.part("poll", trouble, &variables).await),
        }
        if let Err(trouble) = self.fetch(&variables, deadline).await {
            return Err(self.part("fetch", trouble, &variables).await);
        }
        self.line.farewell(&self.job.farewell, &variables, false).await;
        Ok(End::Done)
    }

    /// Creates the job, and finds out its name.
    async fn create(&self) -> Result<(Box<Open>, Vec<Named>), ActivityError> {
        let deadline = Mark::after(self.job.timeout, occasion(&**self.line.clock));
        self.book.note(Stage::Creating).await?;
        let create = &self.job.create;
        let phase = self.line.phase(("create", false), &create.settings, &[], &KeepsNothing);
        let mut phase = Box::pin(phase);
        let (ended, trouble) = match self.cut(&mut phase, deadline.moment()).await {
            Ok(ended) => (ended, None),
            Err(trouble) => {
                self.line.outputs.tell_whoever_listens();
                let grace = self.line.clock.now().after(GRACE);
                tokio::select! {
                    biased;
                    ended = &mut phase => (ended, Some(trouble)),
                    () = self.line.clock.sleep_until(grace) => return Err(unknown("no answer came in time")),
                }
            }
        };
        drop(phase);
        let variables = self.created(ended).await?;
        let open = Box::new(Open::new(self.job.source.name(), deadline, &variables.0, &self.job.farewell));
        // It is there from now on. If that can't be written, nobody would know.
        let noted = self.book.note(Stage::Open(open.clone())).await;
        let trouble = trouble.or(variables.1.map(Trouble::Broken)).or(noted.err().map(Trouble::Broken));
        match trouble {
            None => Ok((open, variables.0)),
            Some(trouble) => Err(self.part("create", trouble, &variables.0).await),
        }
    }

    /// What the creation has brought, and what keeps the request from going on all the same.
    async fn created(
        &self,
        ended: Result<Ended, ActivityError>,
    ) -> Result<(Vec<Named>, Option<ActivityError>), ActivityError> {
        let came = self.line.outputs.last_answer();
        let error = match ended {
            Ok(Ended::Well | Ended::Later) => None,
            Ok(Ended::Failed { rule, reason }) => {
                if !(came.never_sent || is_refusal(rule, came.status)) {
                    return Err(unknown(&reason));
                }
                self.book.note(Stage::Over).await?;
                return Err(of_failure("create", rule, &reason));
            }
            Err(error) if came.status.is_none() => {
                if !came.never_sent && !matches!(error, ActivityError::Authorization { .. }) {
                    return Err(with(error, "whether the job was created is not known"));
                }
                self.book.note(Stage::Over).await?;
                return Err(error);
            }
            Err(error) => Some(error),
        };
        let found = find_all(&self.job.create.variables, &came.headers, &came.body);
        let variables = found.map_err(|problem| {
            let left = "the remote service may have created a job, which nobody can cancel without that; it is not created a \
                        second time before the session attribute of `sessionState` is removed";
            answer("create", &format!("{problem}; {left}"))
        })?;
        Ok((variables, error))
    }

    /// Goes through a phase that brings variables. Answers whether it is complete, or goes on in a later request.
    async fn ask(
        &self,
        name: &'static str,
        phase: &Phase,
        (variables, keep): (&[Named], &dyn Keep),
        deadline: Moment,
    ) -> Result<(bool, Vec<Named>), Trouble> {
        match self.cut(self.line.phase((name, false), &phase.settings, variables, keep), deadline).await? {
            Ok(Ended::Well) => {}
            Ok(Ended::Later) => return Ok((false, Vec::new())),
            Ok(Ended::Failed { rule, reason }) => return Err(Trouble::Failed { rule, reason }),
            Err(error) => return Err(Trouble::Broken(error)),
        }
        let came = self.line.outputs.last_answer();
        let brought = find_all(&phase.variables, &came.headers, &came.body);
        brought.map(|brought| (true, brought)).map_err(|problem| Trouble::Broken(answer(name, &problem)))
    }

    async fn fetch(&self, variables: &[Named], deadline: Moment) -> Result<(), Trouble> {
        let Some(settings) = &self.job.fetch else { return Ok(()) };
        // What was fetched before is lost with the request that has fetched it: the next one fetches it again.
        let fetching = self.line.phase(("fetch", true), settings, variables, &KeepsNothing);
        match self.cut(fetching, deadline).await? {
            Ok(Ended::Well | Ended::Later) => Ok(()),
            Ok(Ended::Failed { rule, reason }) => Err(Trouble::Failed { rule, reason }),
            Err(error) => Err(Trouble::Broken(error)),
        }
    }

    /// Does work until it is done, nobody wants it any more, or the time is over.
    async fn cut<T>(&self, work: impl Future<Output = T>, deadline: Moment) -> Result<T, Trouble> {
        if deadline <= self.line.clock.now() {
            return Err(Trouble::Late);
        }
        tokio::select! {
            biased;
            () = self.stop.cancelled() => Err(Trouble::Stopped),
            done = work => Ok(done),
            () = self.line.clock.sleep_until(deadline) => Err(Trouble::Late),
        }
    }

    /// The job does not go on, at least not in this request. Answers with what is said about it.
    async fn part(&self, phase: &'static str, trouble: Trouble, variables: &[Named]) -> ActivityError {
        let parting = self.parting(phase, &trouble);
        let error = match trouble {
            Trouble::Stopped => ActivityError::Cancelled,
            Trouble::Late => late(phase, self.job.timeout.as_secs_f64()),
            Trouble::Failed { rule, reason } => of_failure(phase, rule, &reason),
            Trouble::Broken(error) => error,
        };
        if parting == Parting::Open {
            return error;
        }
        // The end of the session may have come before, and have told it.
        if !self.context.aftercare().settle(self.book.job()) {
            return error;
        }
        let note = if parting == Parting::Gone {
            String::new()
        } else {
            self.line.farewell(&self.job.farewell, variables, parting == Parting::Cancel).await
        };
        // A session that has been released, or has ended, takes no word of it any more: that it is settled is known all the same.
        if let Err(error) = self.book.note(Stage::Over).await {
            tracing::debug!(%error, "that a job is over could not be noted");
        }
        with(error, &note)
    }

    /// What the job is to be told.
    fn parting(&self, phase: &str, trouble: &Trouble) -> Parting {
        let is_complete = phase == "fetch";
        let dismissal = if is_complete { Parting::CleanUp } else { Parting::Cancel };
        let Trouble::Failed { rule, .. } = trouble else { return dismissal };
        match rule {
            Rule::FailCondition | Rule::FailWhen(_) => {
                let is_told = self.job.farewell.cancel.as_ref().is_some_and(|cancel| cancel.after_failure);
                if is_told { dismissal } else { Parting::CleanUp }
            }
            _ if matches!(self.line.outputs.last_answer().status, Some(404 | 410)) => Parting::Gone,
            rule if rule.is_of_one_answer() && self.book.is_on() => Parting::Open,
            _ => dismissal,
        }
    }
}

/// Whether an answer says that there is no job: it has failed with a status, or as the document says.
fn is_refusal(rule: Rule, status: Option<u16>) -> bool {
    match rule {
        Rule::ErrorStatus | Rule::ErrorReason | Rule::Credentials | Rule::WaitTooLong | Rule::FailWhen(_) => true,
        Rule::Timeout => status.is_some_and(|status| status >= 400),
        _ => false,
    }
}
