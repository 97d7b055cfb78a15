//! From a perform document to its answer: plan, join, run, release.
//!
//! - [`Plan`] connects the activities of a document and refuses what does not fit, before anything runs.
//! - [`Admission`] bounds how many requests run and how many wait.
//! - A run drives the activities, in the task of the request as long as they are quick and then in one for each, and cancels them
//!   all when one fails, the client goes away or the session ends.
//! - [`Initialisation`] is what runs in a new session before the request that creates it.
//! - [`Engine::perform`] joins the session, runs the plan and gives an [`Answer`] that streams.

mod admission;
mod answer;
mod asynchronous;
mod attended;
mod boundaries;
mod catalogue;
mod collect;
mod control;
mod crew;
mod document_answer;
mod draft;
mod end_point;
mod error;
mod initialise;
mod participation;
mod perform;
mod performance;
mod plan;
mod recording;
mod results;
mod run;
mod spool;
mod streaming;
mod transaction;

pub use admission::{Admission, AdmissionCounts, AdmissionError, Admitted};
pub use answer::{Answer, AnswerBody, AnswerStream, BrokenAnswer, Frame};
pub use catalogue::Catalogue;
pub use error::{PerformError, PlanError, PlanProblem};
pub use initialise::{InitialDocument, Initialisation};
pub use perform::{Answered, Engine, PerformRequest};
pub use plan::Plan;
pub use recording::{RecordedFault, Recording};
pub use transaction::TransactionOutcome;
