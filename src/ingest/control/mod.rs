//! What is done after each answer: the state machine of an ingestion.
//!
//! It sends nothing, reads no clock and draws no lots: a [`Progress`] is what has been so far, [`Seen`] is what came, an
//! [`Occasion`] is when and by what chance, and [`decide()`] says what to do next, and by which [`Rule`]. So every path can be
//! tested, and a progress that was kept goes on in another process as if nothing had been.
//!
//! The order in which the rules are asked, the first that holds decides:
//!
//! 1. of an answer that holds a page: the condition of the session key, `rejoin.stop.when` in its order, the `failCondition`,
//!    `rejoin.fail.when` in its order;
//! 2. the ends of pages: the total is reached, the cursor is blank, there is no next address, the page is blank;
//! 3. nothing asks for more: one answer was all;
//! 4. the time-out, then the most pages, then the guard against going round in circles.
//!
//! So an answer that ends the ingestion ends it well even when it comes late: the time-out is about going on.

mod decide;
mod key_value;
mod manner;
mod mark;
#[cfg(test)]
mod model;
mod pages;
mod progress;
mod rule;
#[cfg(test)]
mod rules;
mod seen;
mod verdict;
mod waiting;

pub use decide::decide;
pub use key_value::KeyValue;
pub use manner::{creates, polls};
pub use mark::{Mark, Occasion};
pub use progress::Progress;
pub use rule::{Action, Conflict, Decision, Outcome, Rule};
pub use seen::{LostSeen, PageSeen, RefusalSeen, Seen, UnreadableSeen, WarningSeen};
pub use verdict::{Verdict, verdict};
pub use waiting::wait_wished;
