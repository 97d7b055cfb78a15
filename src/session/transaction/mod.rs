//! Transactions that span the requests of a session.
//!
//! A [`TransactionManager`] is a static attribute: every session of the resource has it. It begins a [`Transaction`], which is
//! a live attribute of the one session: the requests that follow find it there, no other session can, and when the session
//! ends, however it ends, it is rolled back. Data resources take part by a [`TransactionBranch`] each; one commit goes through
//! all of them.
//!
//! ```text
//!               commit            all branches committed
//!   Active ───────────▶ Committing ──────────────────────▶ Committed
//!     │                     │  └── some did, or nobody knows ─▶ Failed
//!     │ rollback, close,    └── the first was refused ┐
//!     │ a branch that fails                           ▼
//!     └───────────────────────────────────────▶ RolledBack
//! ```
//!
//! What changes the state runs to its end on a task of its own: a request that is cancelled meanwhile leaves nothing half done.

mod branch;
#[cfg(test)]
mod crash_tests;
mod error;
mod fault;
mod handle;
mod log;
mod manager;
mod options;
mod recovery;
mod report;
mod savepoints;
#[cfg(test)]
mod tests;
mod two_phase;
mod work;
mod xid;

pub use crate::document::activities::Isolation;
pub use branch::{BranchError, TransactionBranch};
pub use error::TransactionError;
pub use handle::Transaction;
pub use log::LogError;
pub use manager::TransactionManager;
pub use options::{TransactionOptions, TransactionState};
pub use recovery::Recoverable;
pub use report::TransactionReport;
pub use xid::{Decision, LogId, Xid};
