//! `mysql:` resources on a real MariaDB server.

mod queries;
mod stage;
mod transactions;
mod types;
