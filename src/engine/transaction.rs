//! What a request has to do with a transaction, found in its plan: so what became of it can be told after the process has died.

use uuid::Uuid;

use super::document_answer::DocumentAnswer;
use super::plan::Plan;
use super::{Engine, PerformRequest};
use crate::activity::{Boundary, Effects, Ports, TransactionPart};
use crate::document::Status;
use crate::session::{
    Decision, KeptAnswer, KeptSession, SessionAttributes, SessionHandle, SessionId, SessionRequirement,
    TransactionManager, TransactionReport, TransactionState, Unfinished,
};

/// What a request does in one transaction.
#[derive(Debug, Clone, Copy)]
pub(super) struct TransactionWork {
    /// Whether one of its activities commits it.
    commits: bool,
    /// Whether all that it changes outside of its session is part of it.
    is_all: bool,
}

/// What is known of a request that worked in a transaction when the process died.
#[derive(Debug, Clone, PartialEq)]
pub enum TransactionOutcome {
    /// The transaction is committed, and the request was about nothing else: its answer.
    Answered(KeptAnswer),
    /// The transaction is committed.
    Committed {
        /// Its id.
        transaction: Uuid,
        /// Whether that is all that the request was to change outside of its session.
        is_all: bool,
    },
    /// Nothing of the transaction holds.
    RolledBack {
        /// Its id.
        transaction: Uuid,
        /// Whether nothing of the request does.
        is_all: bool,
    },
    /// Nobody knows, or not yet.
    Unknown,
}

impl Plan {
    /// Finds out what it does in a transaction.
    pub(super) fn find_transaction(&mut self, ports: &[Ports]) {
        self.transaction = self.transaction_work(ports);
    }

    /// `None` where that can't be said, because it ends several, say.
    fn transaction_work(&self, ports: &[Ports]) -> Option<TransactionWork> {
        let boundary = |part| if let TransactionPart::Boundary(boundary) = part { Some(boundary) } else { None };
        let those = |wanted: &[Boundary]| -> Vec<usize> {
            let is_wanted = |index: &usize| boundary(ports[*index].part).is_some_and(|found| wanted.contains(&found));
            (0..ports.len()).filter(is_wanted).collect()
        };
        let commit = match those(&[Boundary::Commit, Boundary::Rollback, Boundary::Unknown])[..] {
            [] => None,
            [commit] if boundary(ports[commit].part) == Some(Boundary::Commit) => Some(commit),
            _ => return None,
        };
        let (begins, earlier) = (those(&[Boundary::Begin]), self.earlier_steps());
        let is_part = |index: usize| {
            let may_be =
                matches!(ports[index].part, TransactionPart::Statements | TransactionPart::Boundary(Boundary::Within));
            may_be
                && commit.is_none_or(|commit| earlier[commit][index])
                && begins.iter().all(|&begin| earlier[index][begin])
        };
        let mut others = (0..self.activities.len()).filter(|&index| Some(index) != commit);
        let is_all = others.all(|index| self.activities[index].effects == Effects::Session || is_part(index));
        Some(TransactionWork { commits: commit.is_some(), is_all })
    }

    /// The transaction whose end will tell what became of the request: the one that goes on in the session, which is rolled back
    /// if the process dies; of one that the request commits, a log has to tell.
    pub(super) fn foresee(&self, session: &SessionAttributes) -> Option<Uuid> {
        let manager = TransactionManager::of(session);
        match self.transaction? {
            // Without an id none begins.
            TransactionWork { commits: true, .. } => manager.foresee(session).ok().flatten(),
            TransactionWork { commits: false, .. } => manager.current(session).ok().map(|current| current.id()),
        }
    }

    /// The answer of a request that was about nothing but its commit.
    fn answer_of_commit(
        &self,
        request: &PerformRequest,
        report: &TransactionReport,
        session: SessionHandle,
    ) -> Option<KeptAnswer> {
        let [activity] = &self.activities[..] else { return None };
        let session = KeptSession {
            id: named(&request.session)?.clone(),
            handle: session,
            created: false,
            implicit: false,
            // What held the transaction has ended with the process.
            ended_by_this: true,
            idle_expires: None,
            lifetime_expires: None,
        };
        let output = self.streams.first();
        let (content_type, body) = match (&request.only, output) {
            (Some(wanted), Some(output)) if **wanted == *output.name => {
                (output.content_type.unwrap_or_default(), report.to_xml().into())
            }
            (Some(_), _) => return None,
            (None, _) => {
                let request_id = request.participant.request_id.to_string();
                let info = session.clone().into_info();
                let mut document = DocumentAnswer::begin(&request_id, &info, request.conceal_id);
                document.begun_activity(&activity.name, Status::Completed);
                if let Some(output) = output {
                    let content_type = output.content_type.unwrap_or_default();
                    document.text_end_point(&output.name, content_type, &report.to_xml());
                }
                document.end(Status::Completed, None);
                (DocumentAnswer::CONTENT_TYPE, document.take())
            }
        };
        Some(KeptAnswer {
            status: 200,
            content_type: content_type.into(),
            body,
            accepted: false,
            session: Some(session),
        })
    }
}

impl Engine {
    /// What became of a request that is sent again and had begun when the process died, as far as the end of its transaction tells.
    pub async fn outcome(&self, request: &PerformRequest, unfinished: Unfinished) -> TransactionOutcome {
        let Some(transaction) = unfinished.transaction else { return TransactionOutcome::Unknown };
        let Ok(plan) = Plan::new(&request.document, self.catalogue()) else { return TransactionOutcome::Unknown };
        let Some(TransactionWork { commits, is_all }) = plan.transaction else { return TransactionOutcome::Unknown };
        if !commits {
            // It is lost with its session.
            let is_lost = unfinished.session.is_some_and(|session| session.ended);
            return if is_lost {
                TransactionOutcome::RolledBack { transaction, is_all }
            } else {
                TransactionOutcome::Unknown
            };
        }
        let Some(manager) = self.sessions().transactions() else { return TransactionOutcome::Unknown };
        match manager.outcome(transaction, &request.participant.principal).await {
            Ok(Some(Decision::Commit)) => {
                let state = TransactionState::Committed;
                let report = TransactionReport {
                    id: transaction,
                    state,
                    isolation: None,
                    read_only: false,
                    is_retryable: false,
                };
                let answer =
                    unfinished.session.and_then(|session| plan.answer_of_commit(request, &report, session.handle));
                answer.map_or(TransactionOutcome::Committed { transaction, is_all }, TransactionOutcome::Answered)
            }
            Ok(Some(Decision::Rollback)) => TransactionOutcome::RolledBack { transaction, is_all },
            Ok(None) => TransactionOutcome::Unknown,
            Err(error) => {
                tracing::error!(%error, "what became of a transaction can't be looked up");
                TransactionOutcome::Unknown
            }
        }
    }
}

/// The id of the session that a request names.
fn named(session: &SessionRequirement) -> Option<&SessionId> {
    match session {
        SessionRequirement::Join { id, .. } | SessionRequirement::Terminate { id, .. } => Some(id),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::activity::ActivityRegistry;
    use crate::document::PerformDocument;
    use crate::engine::{Catalogue, Plan};
    use crate::resource::{DataResources, ResourceRegistry, ResourceSettings};

    /// Whether a document commits, and whether that is all that it does.
    fn commits(content: &str) -> Option<bool> {
        let mut resources = DataResources::default();
        let memory = ResourceRegistry::with_defaults().open(&ResourceSettings::new("sqlite::memory:", "."));
        resources.add("", memory.unwrap());
        let catalogue = Catalogue::of_resources(&ActivityRegistry::built_in(), resources);
        let document = format!(
            "<perform xmlns=\"http://ogsadai.org.uk/namespaces/2005/10/types\"><sequence>{content}</sequence></perform>"
        );
        let plan = Plan::new(&PerformDocument::parse(document.as_bytes()).unwrap(), &catalogue).unwrap();
        plan.transaction.filter(|work| work.commits).map(|work| work.is_all)
    }

    #[test]
    fn a_commit_is_found_with_what_it_is_about() {
        let manage =
            |name: &str, what: &str| format!("<transactionManagement name=\"{name}\">{what}</transactionManagement>");
        let (begin, end, back) = (manage("b", "<begin/>"), manage("e", "<commit/>"), manage("r", "<rollback/>"));
        let mark = manage("m", "<savepoint name=\"a\"/>") + &manage("n", "<rollbackTo name=\"a\"/>");
        let update =
            |name: &str| format!("<sqlUpdateStatement name=\"{name}\"><expression>x</expression></sqlUpdateStatement>");
        let say = "<echo name=\"say\"><text>x</text><output name=\"said\"/></echo>";
        for (content, expected) in [
            (end.clone(), Some(true)),
            (format!("{}{mark}{end}{say}", update("u")), Some(true)),
            (format!("{begin}{}{end}", update("u")), Some(true)),
            (format!("{}{begin}{end}", update("u")), Some(false)),
            (format!("{end}{}", update("u")), Some(false)),
            (format!("{begin}{}", update("u")), None),
            (format!("{back}{begin}{end}"), None),
            (format!("{end}{begin}{}", manage("f", "<commit/>")), None),
        ] {
            assert_eq!(commits(&content), expected, "{content}");
        }
    }
}
