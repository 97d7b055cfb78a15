//! Answers that are remembered, so that a request that is sent again gets its answer and has no second effect.
//!
//! A client makes a request *repeatable* by naming it ([`RepeatName`]): with a key of its own, or with a number in its session.
//! Before such a request runs, its session manager is asked what is known of it ([`SessionManager::recall`]). The first time
//! that is nothing, and the request gets a [`Repetition`]: while that is there, whoever sends the same is told to wait. What the
//! request is answered with ([`KeptAnswer`]) is remembered by its release, in the same step as its changes
//! ([`Joined::release_with`]), so that there is never the one without the other.
//!
//! ```text
//!  Asked ──▶ recall ─┬▶ Recalled::Answered                    replay it, whoever holds the session
//!  (name,            ├▶ Recalled::InFlight | Reused | …       refuse it
//!   fingerprint)     └▶ Recalled::New(Repetition) ──▶ run ──▶ release_with(…, Repetition::remember) ─▶ remembered
//! ```
//!
//! What is remembered holds no session id: where one stood is a hole, and a new one is sealed with what only its client has
//! (`seal`).
//!
//! [`SessionManager::recall`]: super::SessionManager::recall
//! [`Joined::release_with`]: super::Joined::release_with

mod account;
mod answer_book;
mod asked;
mod content;
mod fingerprint;
mod in_flight;
mod kept_answer;
mod ledger;
mod remember;
mod repetition;
mod replays;
mod seal;

pub use account::{AnswerAccount, ClientNetwork};
pub use answer_book::AnswerBook;
pub use asked::{Asked, IdempotencyKey, MalformedKey, RepeatName};
pub use fingerprint::Fingerprint;
pub use kept_answer::{KeptAnswer, KeptSession};
pub use remember::Remember;
pub use repetition::{AnswerShelf, Repetition};
pub use replays::{NamedSession, Recalled, Replays, Unfinished};
