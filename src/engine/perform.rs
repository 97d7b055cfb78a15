//! Performing a request: admit, plan, join, and set it on its way.

use std::sync::Arc;

use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, Span, field};

use super::admission::Admitted;
use super::asynchronous::{Departing, set_off};
use super::attended::Attended;
use super::document_answer::DocumentAnswer;
use super::initialise::{Begun, Initialisation};
use super::participation::Participation;
use super::performance::Performance;
use super::recording::Recording;
use super::results::Form;
use super::{Admission, AdmissionError, Answer, AnswerBody, Catalogue, PerformError, Plan};
use crate::activity::{RequestInformation, Surroundings};
use crate::document::{PerformDocument, Status, nearest};
use crate::session::{Participant, SessionInfo, SessionManager, SessionRequirement};

/// What runs the requests of one data service resource.
#[derive(Clone)]
pub struct Engine {
    catalogue: Arc<Catalogue>,
    sessions: Arc<dyn SessionManager>,
    admission: Admission,
    initialisation: Initialisation,
    surroundings: Surroundings,
    /// Stops the requests that go on without a client.
    cut_off: CancellationToken,
}

/// A request that has been read.
#[derive(Debug)]
pub struct PerformRequest {
    /// Its place in the service, from before it was read ([`Engine::admit`]).
    pub admitted: Admitted,
    /// What to run.
    pub document: PerformDocument,
    /// Which session to join.
    pub session: SessionRequirement,
    /// Who asks, and under which request id.
    pub participant: Participant,
    /// The role of who asks, by the name that configuration documents give it.
    pub role: &'static str,
    /// When it is answered.
    pub answered: Answered,
    /// The one end-point whose bytes are the answer; without it the answer is a response document.
    pub only: Option<String>,
    /// Whether the response document leaves out the id of the session, because another carrier brings it.
    pub conceal_id: bool,
    /// If it may be sent again, where its answer is remembered.
    pub recording: Option<Recording>,
}

/// When a request is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Answered {
    /// When it is complete, unless somebody has to reach a stream of it while it runs.
    #[default]
    WhenComplete,
    /// When it has begun. Its end-points are streams of its session, which also tells how far it has got.
    AtOnce,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine")
            .field("catalogue", &self.catalogue)
            .field("admission", &self.admission)
            .finish_non_exhaustive()
    }
}

impl Engine {
    /// An engine over the activities and the sessions of one data service resource. Engines that share an [`Admission`]
    /// share its places.
    #[must_use]
    pub fn new(catalogue: Arc<Catalogue>, sessions: Arc<dyn SessionManager>, admission: Admission) -> Self {
        Self {
            catalogue,
            sessions,
            admission,
            initialisation: Initialisation::default(),
            surroundings: Surroundings::default(),
            cut_off: CancellationToken::new(),
        }
    }

    /// What runs in every new session, explicit and implicit alike, before the request that creates it.
    #[must_use]
    pub fn with_initialisation(mut self, initialisation: Initialisation) -> Self {
        self.initialisation = initialisation;
        self
    }

    /// What its activities are lent; the machine's clock without it.
    #[must_use]
    pub fn within(mut self, surroundings: Surroundings) -> Self {
        self.surroundings = surroundings;
        self
    }

    /// The activities that it offers.
    #[must_use]
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// The same, to be kept by somebody else as well.
    #[must_use]
    pub(crate) fn shared_catalogue(&self) -> Arc<Catalogue> {
        Arc::clone(&self.catalogue)
    }

    /// The sessions that its requests join.
    #[must_use]
    pub fn sessions(&self) -> &Arc<dyn SessionManager> {
        &self.sessions
    }

    /// Lets a request in. Ask before its body is read: what is not read takes no memory.
    ///
    /// # Errors
    ///
    /// [`AdmissionError`] when the service has as many requests as it takes.
    pub fn admit(&self) -> Result<Admitted, AdmissionError> {
        self.admission.enter()
    }

    /// The service ends and waits no longer: stops the requests that were answered at once. Those whose clients wait for the
    /// answer stop with their connections.
    pub fn cut_off(&self) {
        self.cut_off.cancel();
    }

    /// Performs a request.
    ///
    /// One that is [`Answered::AtOnce`], or has a stream that somebody outside has to reach, is answered when it has begun, and
    /// goes on whether its client stays or not. For all others:
    ///
    /// Answers as soon as the request is complete, or has more to say than is held back (64 KiB); then the rest streams.
    /// Dropping the future, or the stream of the answer, cancels the request: nothing that it changed in its session stays.
    /// Unless it is recorded: then it goes on to its end, for a client that asks again.
    ///
    /// # Errors
    ///
    /// [`PerformError`]; the session is as it was before.
    pub async fn perform(&self, request: PerformRequest) -> Result<Answer, PerformError> {
        if request.recording.is_none() {
            return self.perform_here(request).await;
        }
        let engine = self.clone();
        let work = async move { engine.perform_here(request).await };
        let broke_off = |error| Err(PerformError::Internal(format!("a recorded request broke off: {error}")));
        tokio::spawn(work.in_current_span()).await.unwrap_or_else(broke_off)
    }

    async fn perform_here(&self, request: PerformRequest) -> Result<Answer, PerformError> {
        let plan = Plan::new(&request.document, &self.catalogue)?;
        // It may be long, and so may the request take.
        drop(request.document);
        let at_once = plan.is_asynchronous() || (request.answered == Answered::AtOnce && !plan.is_empty());
        if at_once && request.only.is_some() {
            return Err(PerformError::NothingToReturn);
        }
        let form = form_of(&plan, request.only, request.conceal_id)?;
        let admitted = request.admitted;
        let session = if at_once { request.session.made_reachable() } else { request.session };
        let joined = self.sessions.join(session, &request.participant).await?;
        // Whoever logs the request names its session, by the handle.
        Span::current().record("session", field::display(joined.info().handle));
        let participation = Participation::new(joined, Arc::clone(&self.sessions));
        let (place, participation) = participation.wait_for_place(&admitted).await?;
        let information = Arc::new(information(&request.participant, request.role, &plan));
        let begun = Begun { participation, place: (admitted, place) };
        let Begun { participation, place } = self.prepare(begun, &information, request.recording.as_ref()).await?;
        let plan = plan.for_request(information, &self.surroundings);
        if at_once {
            let request_id = request.participant.request_id;
            let cut_off = self.cut_off.clone();
            let conceal_id = form.conceals_id();
            let recording = request.recording;
            let departing = Departing { plan, participation, request_id, conceal_id, recording, cut_off, place };
            return Box::pin(set_off(departing)).await;
        }
        let request_id = request.participant.request_id.to_string();
        if plan.is_empty() {
            let conceal_id = form.conceals_id();
            let make = move |session| nothing_done(&request_id, session, conceal_id);
            return match request.recording {
                None => Ok(make(participation.commit().await?.info)),
                Some(recording) => recording.commit(participation, &form, make).await,
            };
        }
        if let Some(recording) = request.recording.as_ref().filter(|_| plan.changes_outside())
            && let Err(error) = recording.begins(plan.foresee(participation.joined.attributes())).await
        {
            participation.withdraw().await;
            return Err(error.into());
        }
        let recorded = request.recording.map(|recording| (recording, self.cut_off.clone()));
        let performance = Performance { plan, form, participation, request_id, recorded, place };
        let (head, mut answer) = oneshot::channel();
        // Whoever waits for the answer does the work as well: a request has a task of its own only once it is answered, or
        // its client has gone, and it is not done.
        let work = Attended::new(performance.perform(head).in_current_span());
        let answer = tokio::select! {
            biased;
            // What is answered was sent before.
            () = work => answer.await,
            answer = &mut answer => answer,
        };
        answer.unwrap_or_else(|_| Err(PerformError::Internal("the request broke off without an answer".into())))
    }

    /// Prepares the session of a request, if that is new. What prepares it may change more than the session, too: then that is
    /// noted before, and a failure is the answer of the request.
    async fn prepare(
        &self,
        begun: Begun,
        information: &Arc<RequestInformation>,
        recording: Option<&Recording>,
    ) -> Result<Begun, PerformError> {
        let created = begun.participation.joined.info().created;
        let recording = recording.filter(|_| created && self.initialisation.changes_outside(&self.catalogue));
        let Some(recording) = recording else {
            return self.initialisation.prepare(begun, &self.catalogue, (information, &self.surroundings)).await;
        };
        if let Err(error) = recording.begins(None).await {
            begun.participation.withdraw().await;
            return Err(error.into());
        }
        match self.initialisation.prepare(begun, &self.catalogue, (information, &self.surroundings)).await {
            Ok(begun) => Ok(begun),
            Err(failure) => Err(recording.keep_fault(failure).await),
        }
    }
}

fn form_of(plan: &Plan, only: Option<String>, conceal_id: bool) -> Result<Form, PerformError> {
    let Some(name) = only else { return Ok(Form::Document { conceal_id }) };
    if plan.end_points().any(|end_point| end_point == name) {
        return Ok(Form::Raw(name.into()));
    }
    let hint = match nearest(&name, plan.end_points()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => match plan.end_points().collect::<Vec<_>>() {
            end_points if end_points.is_empty() => "it has none".into(),
            end_points => format!("it has {}", end_points.join(", ")),
        },
    };
    Err(PerformError::NoSuchEndPoint(format!("the document has no end-point `{name}` to return; {hint}")))
}

/// The answer to a request without activities.
fn nothing_done(request_id: &str, session: SessionInfo, conceal_id: bool) -> Answer {
    let mut document = DocumentAnswer::begin(request_id, &session, conceal_id);
    document.end(Status::Completed, None);
    let body = AnswerBody::Whole(document.take());
    Answer { session, accepted: false, content_type: DocumentAnswer::CONTENT_TYPE, body }
}

/// What activities may know of a request.
fn information(participant: &Participant, role: &str, plan: &Plan) -> RequestInformation {
    RequestInformation {
        principal: participant.principal.clone(),
        role: role.into(),
        request_id: participant.request_id,
        activities: plan.requested(),
    }
}
