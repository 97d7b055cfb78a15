use std::fmt;

use bytes::Bytes;

use crate::session::{AnswerAccount, AnswerRecord, AnswerScope, Departure, Moment, SessionHandle};

/// The answer of a request that is to be remembered with its release: in the same write as its changes, or, if it has failed,
/// without any.
pub struct Remember {
    /// Under which name.
    pub scope: AnswerScope,
    /// The session that it is kept with; `None` is kept by itself.
    pub session: Option<SessionHandle>,
    /// On whose account it stands if it belongs to none.
    pub account: AnswerAccount,
    /// Until when.
    pub until: Moment,
    /// The number of the request in its session, if its client counts.
    pub sequence: Option<u64>,
    /// Makes the answer, once it is known how the session stands after the release.
    pub answer: Box<dyn FnOnce(&Departure) -> Bytes + Send>,
}

impl Remember {
    /// What is kept.
    ///
    /// An answer that is kept with a session goes with it. If the session ends with the release, whoever remembers its end
    /// keeps the answer as long as that (`until`).
    #[must_use]
    pub fn record(self, departure: &Departure) -> AnswerRecord {
        let Self { scope, session, until, sequence, answer, account: _ } = self;
        AnswerRecord { scope, session, numbered: sequence.is_some(), until, content: answer(departure) }
    }
}

impl fmt::Debug for Remember {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remember")
            .field("session", &self.session)
            .field("sequence", &self.sequence)
            .finish_non_exhaustive()
    }
}
