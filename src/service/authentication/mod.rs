//! On whose behalf a request comes, and what the one may do.
//!
//! ```text
//!  service.xml: <authentication impl="…">  ──▶ registry ──▶ Authenticator ──▶ Caller: principal and role
//!                                                            none · basic · bearer · your own
//! ```
//!
//! The entrance asks the [`Authenticator`] of the service about every request; the [`Caller`] goes with the request from then on.
//! `basic` and `bearer` read a file of accounts ([`account`]), which is looked at again while the service runs
//! ([`account_book`]). What is secret stands in that file as a hash only ([`password`], [`token`]).

pub(crate) mod account;
mod account_book;
mod authenticator;
mod authorization;
mod basic;
mod bearer;
mod caller;
mod departures;
mod none;
pub(crate) mod password;
mod random;
mod registry;
mod remembered;
pub(crate) mod token;

pub use authenticator::{AuthenticationError, Authenticator, Refreshed};
pub use caller::{Caller, Role};
pub(super) use departures::{Departures, LetIn};
pub use registry::{AuthenticatorError, AuthenticatorFactory, AuthenticatorRegistry};
