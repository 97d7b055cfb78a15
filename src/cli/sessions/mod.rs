//! `rejoin sessions`: looks at the sessions of a resource and ends them, and takes care of those that are stored.

mod care;
mod confirm;
mod harmless;
mod list;
mod remote;
mod show;
mod table;

use std::process::ExitCode;

use anyhow::{Context, ensure};
use clap::{Args, Subcommand, ValueEnum};
use reqwest::StatusCode;

use super::credentials::CredentialOptions;
use super::service;
use crate::document::{EndedSessions, SessionState};
use harmless::print_document;
use remote::{Answered, Remote};

/// The arguments of `rejoin sessions`.
#[derive(Debug, Args)]
pub(super) struct SessionsArguments {
    /// The data service resource, such as <http://127.0.0.1:8080/services/orders>; for `list`, `show` and `end`
    url: Option<String>,
    #[command(subcommand)]
    action: SessionsAction,
}

#[derive(Debug, Subcommand)]
enum SessionsAction {
    /// Lists sessions, the oldest first
    ///
    /// Operators see everybody's, users their own. Times are UTC; ENDS is when a session will end unless somebody joins it.
    /// Without --all-pages one page is printed, and on standard error how to get the next.
    #[command(override_usage = "rejoin sessions <URL> list [OPTIONS]")]
    #[command(after_help = "Examples:\n  rejoin sessions URL list --state busy\n  \
                      rejoin sessions URL list --owner u-17 --all-pages\n  \
                      rejoin sessions URL list --xml > page.xml")]
    List(ListArguments),
    /// Shows one session: how it stands, which attributes it has, which request holds it
    #[command(override_usage = "rejoin sessions <URL> show [OPTIONS] <HANDLE>")]
    #[command(after_help = "Example:\n  rejoin sessions URL show 0193fe2c-…")]
    Show(ShowArguments),
    /// Ends a session, those of an owner, those of a label, or all
    ///
    /// A session that a request holds is closing until that has stopped: it is told to, its changes are not kept, and
    /// requests that wait for the session are refused at once.
    #[command(
        override_usage = "rejoin sessions <URL> end [OPTIONS] <HANDLE|--owner <ID>|--anonymous|--label <LABEL>|--all>"
    )]
    #[command(after_help = "Examples:\n  rejoin sessions URL end 0193fe2c-…\n  \
                      rejoin sessions URL end --label nightly\n  \
                      rejoin sessions URL end --all --yes")]
    End(EndArguments),
    #[command(flatten)]
    Care(care::CareAction),
}

#[derive(Debug, Args)]
struct ListArguments {
    /// Only those of this owner
    #[arg(long, value_name = "ID", conflicts_with = "anonymous")]
    owner: Option<String>,
    /// Only those of clients that did not say who they are
    #[arg(long)]
    anonymous: bool,
    /// Only those that are doing this
    #[arg(long, value_enum, ignore_case = true)]
    state: Option<State>,
    /// Only those whose attribute `label` is this text
    #[arg(long)]
    label: Option<String>,
    /// How many to a page; 100 without it, 1000 at the most
    #[arg(long, value_name = "N")]
    limit: Option<u32>,
    /// Begin after this handle: where the last page ended
    #[arg(long, value_name = "HANDLE")]
    after: Option<String>,
    /// Print all pages
    #[arg(long)]
    all_pages: bool,
    /// Print the document as it came
    #[arg(long, conflicts_with = "all_pages")]
    xml: bool,
    #[command(flatten)]
    credentials: CredentialOptions,
}

#[derive(Debug, Args)]
struct ShowArguments {
    /// The handle, as `list` shows it
    handle: String,
    /// Print the document as it came
    #[arg(long)]
    xml: bool,
    #[command(flatten)]
    credentials: CredentialOptions,
}

#[derive(Debug, Args)]
struct EndArguments {
    #[command(flatten)]
    which: Which,
    /// Don't ask
    #[arg(long)]
    yes: bool,
    /// Print the document as it came
    #[arg(long)]
    xml: bool,
    #[command(flatten)]
    credentials: CredentialOptions,
}

/// Which sessions are to be ended: one of these.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Which {
    /// The handle, as `list` shows it
    handle: Option<String>,
    /// Those of this owner
    #[arg(long, value_name = "ID")]
    owner: Option<String>,
    /// Those of clients that did not say who they are
    #[arg(long)]
    anonymous: bool,
    /// Those whose attribute `label` is this text
    #[arg(long)]
    label: Option<String>,
    /// All that you may end; asks first
    #[arg(long)]
    all: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum State {
    /// No request holds it
    Available,
    /// A request holds it
    Busy,
    /// It was ended while a request held it
    Closing,
}

impl From<State> for SessionState {
    fn from(state: State) -> Self {
        match state {
            State::Available => Self::Available,
            State::Busy => Self::Busy,
            State::Closing => Self::Closing,
        }
    }
}

pub(super) async fn run(arguments: &SessionsArguments) -> anyhow::Result<ExitCode> {
    let remote = |credentials: &CredentialOptions| {
        let url = arguments.url.as_deref();
        let url =
            url.context("which sessions? Name the resource: rejoin sessions http://127.0.0.1:8080/services/demo …")?;
        service::at(url, credentials).map(Remote::new)
    };
    let done = match &arguments.action {
        SessionsAction::List(wanted) => list::run(&remote(&wanted.credentials)?, wanted).await?,
        SessionsAction::Show(wanted) => show::run(&remote(&wanted.credentials)?, wanted).await?,
        SessionsAction::End(wanted) => end(&remote(&wanted.credentials)?, wanted).await?,
        SessionsAction::Care(action) => {
            ensure!(arguments.url.is_none(), "this works on the files of a store: leave the URL out");
            tokio::task::block_in_place(|| care::run(action))?;
            true
        }
    };
    Ok(if done { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Answers whether the service did it.
async fn end(remote: &Remote, wanted: &EndArguments) -> anyhow::Result<bool> {
    if wanted.which.all && !wanted.yes && !confirm::confirm("End all sessions of this resource?")? {
        eprintln!("nothing was ended");
        return Ok(false);
    }
    let answered = match &wanted.which.handle {
        Some(handle) => remote.end(handle).await?,
        None => remote.end_many(&wanted.which).await?,
    };
    let Answered::With(answer) = answered else { return Ok(false) };
    if wanted.xml {
        print_document(&answer.text);
        return Ok(true);
    }
    let ended = match answer.status {
        StatusCode::NO_CONTENT => EndedSessions { closed: 1, closing: 0 },
        StatusCode::ACCEPTED => EndedSessions { closed: 0, closing: 1 },
        _ => answer.ended()?,
    };
    if ended.closed > 0 || ended.closing == 0 {
        say!("{} ended", ended.closed);
    }
    if ended.closing > 0 {
        say!("{} closing: requests hold them still and were told to stop", ended.closing);
    }
    Ok(true)
}
