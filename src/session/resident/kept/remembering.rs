//! Remembered answers in the store: found there, and written apart from any release.

use bytes::Bytes;
use futures_util::future::BoxFuture;
use tokio::sync::oneshot;

use super::Keeper;
use super::loading::off_the_runtime;
use crate::session::durable::{Errand, Outcome as Written};
use crate::session::{AnswerRecord, AnswerScope, Moment, SessionError, SessionWrite, StoreError};

impl Keeper {
    /// What the store remembers under a name.
    pub(in crate::session::resident) fn answer(
        &self,
        scope: AnswerScope,
    ) -> BoxFuture<'static, Result<Option<AnswerRecord>, SessionError>> {
        let store = std::sync::Arc::clone(&self.store);
        let (told, found) = oneshot::channel();
        // Whoever asks has the manager.
        if let Some(home) = self.home.upgrade() {
            off_the_runtime(&home, move || drop(told.send(store.answer(&scope))));
        }
        Box::pin(async move { Ok(found.await.unwrap_or_else(|_| Err(nobody("looked")))?) })
    }

    /// Has an answer written, and of those of its session so many kept. Whether anybody waits for that or not, it is.
    pub(in crate::session::resident) fn remember(
        &self,
        answer: AnswerRecord,
        answers_kept: u32,
    ) -> BoxFuture<'static, Result<(), SessionError>> {
        let (told, written) = oneshot::channel();
        self.scribe.submit(Box::new(Remembering { answer, answers_kept, told }));
        Box::pin(async move { Ok(written.await.unwrap_or_else(|_| Err(nobody("written it")))?) })
    }

    /// Has an answer forgotten that belongs to no session: what takes its place is swept at once.
    pub(in crate::session::resident) fn forget(&self, scope: AnswerScope) {
        let nothing =
            AnswerRecord { scope, session: None, numbered: false, until: Moment::ORIGIN, content: Bytes::new() };
        drop(self.remember(nothing, 0));
    }
}

/// An answer on its way to the store.
struct Remembering {
    answer: AnswerRecord,
    answers_kept: u32,
    told: oneshot::Sender<Result<(), StoreError>>,
}

impl Errand for Remembering {
    fn draft(&mut self) -> Option<SessionWrite> {
        Some(SessionWrite::RememberLatest { answer: self.answer.clone(), answers_kept: self.answers_kept })
    }

    fn settle(self: Box<Self>, outcome: &Written) -> Option<Box<dyn Errand>> {
        let result = match outcome {
            // Of a session that has ended nothing is remembered.
            Written::Written(_) | Written::Nothing => Ok(()),
            Written::Failed(error) | Written::Refused(error) => Err(error.clone()),
        };
        // Nobody may wait for it.
        let _ = self.told.send(result);
        None
    }
}

fn nobody(has: &str) -> StoreError {
    StoreError::Failed { reason: format!("nobody has {has}") }
}
