//! `rejoin sessions export`, `import` and `backup`: the care of stored sessions.

mod backup;
mod export;
mod import;
mod parent;
mod progress;
mod terminal;

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use uuid::Uuid;

use crate::session::archive::{Existing, LONGEST_LINE};

#[derive(Debug, Subcommand)]
pub(super) enum CareAction {
    /// Writes stored sessions into a file, whether a service is using them or not
    ///
    /// All of the store as it is at one moment, or the sessions of an owner, or some: one line of JSON each, with attributes,
    /// lifetimes, remembered ends and answers. To move sessions to another store or machine, to look at one, to compare two.
    /// docs/session-store.md, "Exported sessions", describes the lines.
    ///
    /// The file holds what clients have put into their sessions: it is made with mode 0600. Ids are not in it, only hashes of
    /// them; clients go on with the ids that they have.
    #[command(override_usage = "rejoin sessions export --store <DIR> [OPTIONS]")]
    #[command(after_help = "Examples:\n  rejoin sessions export --store orders/data/sessions --to sessions.jsonl\n  \
                      rejoin sessions export --store orders/data/sessions --owner u-17 --to u-17.jsonl\n  \
                      rejoin sessions export --store orders/data/sessions --handle 0193fe2c-… | jq .session")]
    Export(ExportArguments),
    /// Reads sessions that were exported into a store that no service is using
    ///
    /// All of the file or nothing: it is checked whole before the store is touched. The store is made if it is not there, in a
    /// folder that is.
    /// Sessions keep their handles, and clients their ids. Time went on since the export: what had an hour left then has what
    /// remains of it.
    ///
    /// Stop the service first; `rejoin serve` on the store afterwards finds the sessions.
    #[command(override_usage = "rejoin sessions import --store <DIR> [OPTIONS] <FILE>")]
    #[command(after_help = "Examples:\n  rejoin sessions import --store orders/data/sessions sessions.jsonl\n  \
                      rejoin sessions import --store orders/data/sessions --existing keep sessions.jsonl")]
    Import(ImportArguments),
    /// Copies a whole store, whether a service is using it or not
    ///
    /// The copy is a store itself, as the one that is copied was at one moment; nobody waits meanwhile. To go back to it, stop
    /// the service, move the folder of its store away, and put the copy there.
    #[command(override_usage = "rejoin sessions backup --store <DIR> <TO>")]
    #[command(
        after_help = "Example:\n  rejoin sessions backup --store orders/data/sessions /mnt/backup/sessions-$(date +%F)"
    )]
    Backup(BackupArguments),
}

/// Which store.
#[derive(Debug, Args)]
struct Store {
    /// The folder of the store: `path` of `store` in the session configuration
    #[arg(long = "store", value_name = "DIR")]
    path: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct ExportArguments {
    #[command(flatten)]
    store: Store,
    /// The file, which is not there yet; standard output without it
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
    /// Only the sessions of this owner
    #[arg(long, value_name = "ID", conflicts_with = "anonymous")]
    owner: Option<String>,
    /// Only the sessions of clients that did not say who they are
    #[arg(long)]
    anonymous: bool,
    /// Only the session with this handle; may be repeated
    #[arg(long = "handle", value_name = "HANDLE")]
    handles: Vec<Uuid>,
}

#[derive(Debug, Args)]
pub(super) struct ImportArguments {
    #[command(flatten)]
    store: Store,
    /// The file that `export` has written
    file: PathBuf,
    /// What to do when the store has a session of the file's already
    #[arg(long, value_enum, default_value = "refuse")]
    existing: OnExisting,
    /// The longest line that is read: a session is one. More than this is for sessions of a service whose `sessionBytes` are
    /// far more than the default; reading a line takes some times its bytes of memory
    #[arg(long, value_name = "BYTES", default_value_t = LONGEST_LINE)]
    line_bytes: u64,
}

#[derive(Debug, Args)]
pub(super) struct BackupArguments {
    #[command(flatten)]
    store: Store,
    /// The folder of the copy, which is not there yet, in one that is
    to: PathBuf,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum OnExisting {
    /// Import nothing at all
    Refuse,
    /// Leave the store's, and import the others
    Keep,
    /// Put the file's in its place
    Replace,
}

impl From<OnExisting> for Existing {
    fn from(existing: OnExisting) -> Self {
        match existing {
            OnExisting::Refuse => Self::Refuse,
            OnExisting::Keep => Self::Keep,
            OnExisting::Replace => Self::Replace,
        }
    }
}

pub(super) fn run(action: &CareAction) -> anyhow::Result<()> {
    match action {
        CareAction::Export(arguments) => export::run(arguments),
        CareAction::Import(arguments) => import::run(arguments),
        CareAction::Backup(arguments) => backup::run(arguments),
    }
}

/// So many of something, in words.
fn count(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// What there was of everything.
fn counts(counts: crate::session::archive::Counts) -> String {
    let sessions = count(counts.sessions, "session", "sessions");
    let ended = count(counts.ended, "remembered end", "remembered ends");
    format!("{sessions}, {ended}, {}", count(counts.answers, "remembered answer", "remembered answers"))
}
