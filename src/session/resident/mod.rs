//! Sessions in the memory of the process: the heart of both session managers.
//!
//! Those of the transient manager end with the process; those of the durable one are kept by a store as well (`kept`).
//!
//! `lock` is the join lock, a plain state machine; `slot` is a session around it; `table` (of `sorted` lists) and `tombstones` are the maps.
//! `join`, `create`, `waiting`, `participation` and `sweep` are what happens: each takes the mutex of one slot, asks it to do
//! something, and settles what is left to do when the mutex is free (`aftermath`, `shared`).

mod aftermath;
mod checkpoints;
mod create;
mod face;
mod factory;
#[cfg(all(test, feature = "shuttle"))]
mod interleavings;
mod join;
mod kept;
mod keys;
mod lock;
mod notices;
mod operate;
mod participation;
mod policy;
mod remains;
mod replay;
mod shared;
mod slot;
mod sorted;
mod start;
mod sweep;
mod sync;
mod table;
#[cfg(test)]
mod tests;
mod tombstones;
mod transient;
mod waiting;
mod watchers;

pub(in crate::session) use aftermath::Ended;
pub(in crate::session) use face::manages_sessions;
pub use factory::TransientSessionManagerFactory;
pub(in crate::session) use kept::{ended_record, stored_attributes};
pub(in crate::session) use keys::MOST_KEYS;
pub(in crate::session) use shared::Shared;
pub(in crate::session) use start::{Ingredients, Inheritance};
pub use transient::{TransientSessionManager, TransientSessionManagerBuilder};

/// How many ended explicit sessions are remembered at the most.
const TOMBSTONES: usize = 100_000;

/// How many ended sessions a store remembers at the most, but for those since it was last tidied up: the next process would
/// remember no more of them.
const STORED_ENDS: u64 = TOMBSTONES as u64;

/// How many ended implicit sessions are remembered at the most.
const IMPLICIT_TOMBSTONES: usize = 10_000;
