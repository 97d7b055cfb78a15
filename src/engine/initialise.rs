//! The first thing that happens in a new session: a document of the operator's, before the request that creates it.

use std::sync::Arc;

use futures_util::future::{Either, select};
use parking_lot::RwLock;
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tracing::Instrument;

use super::admission::Admitted;
use super::control::{Control, Stop};
use super::participation::Participation;
use super::run::Run;
use super::{Catalogue, PerformError, Plan, PlanError, PlanProblem};
use crate::activity::{RequestInformation, Surroundings};
use crate::document::{PerformDocument, Problem};

/// A perform document that can run in every new session: it names no session, and has no end-points, because nobody would get
/// what they give.
#[derive(Debug, PartialEq)]
pub struct InitialDocument(PerformDocument);

impl InitialDocument {
    /// Takes a document for sessions whose requests use these activities.
    ///
    /// # Errors
    ///
    /// [`PlanError`], with its place in the document, when it does not fit together, names a session, or has an end-point.
    pub fn new(document: PerformDocument, catalogue: &Catalogue) -> Result<Self, PlanError> {
        let invalid =
            |position, message: String| Err(PlanError::new(PlanProblem::Document(Problem::Invalid), position, message));
        if let Some(session) = &document.session {
            let message = "a document that runs in new sessions names none: leave `session` out";
            return invalid(session.position, message.into());
        }
        let plan = Plan::new(&document, catalogue)?;
        if let Some(activity) = plan.activities.iter().find(|activity| activity.session_input) {
            let message = format!("nobody can reach the stream `{}` while a session is being prepared", activity.name);
            return invalid(activity.position, message);
        }
        if let Some(end_point) = plan.streams.iter().find(|stream| stream.reader.is_none()) {
            let message = format!(
                "nobody reads the stream `{}`, and a document that runs in new sessions has no answer: leave the output out, \
                 or keep it with `deliverToSession`",
                end_point.name
            );
            return invalid(end_point.position, message);
        }
        Ok(Self(document))
    }
}

/// What runs in the new sessions of an engine, if anything does. Clones are the same: by one of them the document is changed
/// while the engine works.
#[derive(Debug, Clone, Default)]
pub struct Initialisation(Arc<RwLock<Option<Arc<InitialDocument>>>>);

impl Initialisation {
    /// That document.
    #[must_use]
    pub fn of(document: Option<InitialDocument>) -> Self {
        Self(Arc::new(RwLock::new(document.map(Arc::new))))
    }

    /// From now on that document, or none.
    pub fn replace(&self, document: Option<InitialDocument>) {
        let before = std::mem::replace(&mut *self.0.write(), document.map(Arc::new));
        drop(before);
    }

    /// Whether it is that document, or none.
    #[must_use]
    pub fn is(&self, document: Option<&InitialDocument>) -> bool {
        self.0.read().as_deref() == document
    }

    /// Whether what runs in new sessions may change more than those.
    pub(super) fn changes_outside(&self, catalogue: &Catalogue) -> bool {
        // One that does not fit together any more is not run.
        self.document()
            .is_some_and(|document| Plan::new(&document.0, catalogue).is_ok_and(|plan| plan.changes_outside()))
    }

    fn document(&self) -> Option<Arc<InitialDocument>> {
        self.0.read().clone()
    }
}

/// A request that has joined its session and has its place.
pub(super) struct Begun {
    pub(super) participation: Participation,
    pub(super) place: (Admitted, OwnedSemaphorePermit),
}

impl Initialisation {
    /// Prepares the session of a request, if the request has just created it. Dropping the future stops that, and the session
    /// ends.
    ///
    /// # Errors
    ///
    /// Why there is no session after all.
    pub(super) async fn prepare(
        &self,
        begun: Begun,
        catalogue: &Catalogue,
        (request, surroundings): (&Arc<RequestInformation>, &Surroundings),
    ) -> Result<Begun, PerformError> {
        let created = begun.participation.joined.info().created;
        let Some(document) = self.document().filter(|_| created) else { return Ok(begun) };
        let plan = match Plan::new(&document.0, catalogue) {
            Ok(plan) => plan.for_request(Arc::clone(request), surroundings),
            Err(error) => {
                begun.participation.abandon().await;
                return Err(PerformError::Internal(format!("the document for new sessions: {error}")));
            }
        };
        let (ready, prepared) = oneshot::channel();
        tokio::spawn(begun.prepare(plan, ready).in_current_span());
        prepared.await.unwrap_or_else(|_| Err(PerformError::Internal("the new session broke off".into())))
    }
}

impl Begun {
    /// A task of its own: it comes to its end in order when the client leaves.
    async fn prepare(mut self, plan: Plan, mut ready: oneshot::Sender<Result<Self, PerformError>>) {
        let done = self.participation.run(plan, ready.closed()).await;
        match done.map_err(|failure| self.participation.explain(failure)) {
            Ok(()) => {
                self.participation.is_prepared = true;
                if let Err(Ok(unwanted)) = ready.send(Ok(self)) {
                    unwanted.participation.abandon().await;
                }
            }
            Err(failure) => {
                tracing::info!(%failure, "a session was not begun");
                self.participation.abandon().await;
                // Nobody may be there any more to hear it.
                let _ = ready.send(Err(failure));
            }
        }
    }
}

impl Participation {
    /// Runs a document that has no answer.
    async fn run(&self, plan: Plan, gone: impl Future<Output = ()>) -> Result<(), PerformError> {
        let control = Control::default();
        let interrupted = self.joined.ended();
        let (mut run, _) = Run::start(plan, self.joined.attributes(), control.cancel.clone());
        let stop = async {
            tokio::select! {
                interruption = interrupted => Stop::Session(interruption),
                () = gone => Stop::ClientGone,
            }
        };
        let complete = std::pin::pin!(run.complete());
        let activities = match select(complete, std::pin::pin!(stop)).await {
            Either::Left((activities, _)) => activities,
            Either::Right((stop, complete)) => {
                control.stop(stop);
                complete.await
            }
        };
        if let Some(failure) = control.failure() {
            return Err(failure);
        }
        match activities.iter().find_map(super::run::ActivityRun::failure) {
            None => Ok(()),
            Some((activity, error)) => {
                Err(PerformError::Initialisation { name: activity.name.clone(), error: Arc::clone(error) })
            }
        }
    }
}
