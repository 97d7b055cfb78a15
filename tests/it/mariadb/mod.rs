//! `mysql:` resources on a real MariaDB server.

mod access;
mod cursors;
mod faults;
mod hostile;
mod loading;
mod procedures;
mod queries;
mod sharing;
mod stage;
mod transactions;
mod types;
