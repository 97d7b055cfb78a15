//! `mysql:` resources on a real MariaDB server.

mod queries;
mod stage;
mod types;
