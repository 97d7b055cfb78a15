//! `rejoin sessions URL show`

use super::ShowArguments;
use super::list::{moment, paint_of};
use super::remote::{Answered, Remote};
use super::table::{Cell, Paint, Table};
use crate::cli::style::Style;
use crate::document::{AttributeStatus, GrantedTimeout, SessionStatusDocument};

/// Answers whether the service did it.
pub(super) async fn run(remote: &Remote, wanted: &ShowArguments) -> anyhow::Result<bool> {
    let Answered::With(answer) = remote.show(&wanted.handle).await? else { return Ok(false) };
    if wanted.xml {
        say!("{}", answer.text.trim_end());
        return Ok(true);
    }
    let (session, style) = (answer.session()?, Style::of_stdout());
    for line in Table::new([false, false]).lines(&facts(&session), style) {
        say!("{line}");
    }
    if !session.attributes.list.is_empty() {
        say!("");
        let headings = ["ATTRIBUTE", "TYPE", "BYTES"].map(|heading| Cell::new(heading).painted(Paint::Heading));
        let rows: Vec<_> = std::iter::once(headings).chain(session.attributes.list.iter().map(attribute)).collect();
        for line in Table::new([false, false, true]).lines(&rows, style) {
            say!("{line}");
        }
    }
    Ok(true)
}

/// What there is to say of a session, and how it is called. Times are UTC.
fn facts(session: &SessionStatusDocument) -> Vec<[Cell; 2]> {
    let mut facts = Vec::new();
    let mut fact = |name: &str, value: Cell| facts.push([Cell::new(name).painted(Paint::Faint), value]);
    fact("handle", Cell::new(&session.handle));
    fact("state", Cell::new(session.state.name()).painted(paint_of(session.state)));
    fact("owner", Cell::new(session.owner.as_deref().unwrap_or("-")));
    fact("label", Cell::new(session.label.as_deref().unwrap_or("-")));
    fact("implicit", Cell::new(if session.implicit { "yes" } else { "no" }));
    fact("created", Cell::new(&moment(&session.created)));
    if let Some(released) = &session.released {
        fact("released", Cell::new(&moment(released)));
    }
    if let Some(timeout) = session.timeout {
        fact("time-out", Cell::new(&in_words(timeout)));
    }
    if let Some(expires) = &session.idle_expires {
        fact("idle end", Cell::new(&moment(expires)));
    }
    if let Some(expires) = &session.lifetime_expires {
        fact("lifetime end", Cell::new(&moment(expires)));
    }
    for request in &session.requests {
        fact("request", Cell::new(&request.id).painted(Paint::Bright));
        if let Some(since) = &request.since {
            fact("since", Cell::new(&moment(since)));
        }
        if let Some(progress) = &request.progress {
            fact("started", Cell::new(&moment(&progress.started)));
            if let Some(ended) = &progress.ended {
                fact("ended", Cell::new(&moment(ended)));
            }
            fact("status", Cell::new(progress.status.as_str()));
            for (activity, status) in &progress.results {
                fact("activity", Cell::new(&format!("{activity} {}", status.as_str())));
            }
            if let Some(error) = &progress.error {
                fact("error", Cell::new(&format!("{}: {}", error.code, error.message)));
            }
        }
    }
    for stream in &session.streams {
        let (direction, state) = (stream.direction.name(), stream.state.name());
        fact("stream", Cell::new(&format!("{} {direction} {state}", stream.name)));
    }
    fact("waiters", Cell::new(&session.waiters.to_string()));
    fact("readers", Cell::new(&session.readers.to_string()));
    fact("fence", Cell::new(&session.fence.to_string()));
    fact("bytes", Cell::new(&session.attributes.bytes.to_string()));
    facts
}

fn in_words(timeout: GrantedTimeout) -> String {
    match timeout {
        GrantedTimeout::Unbounded => "unbounded".to_owned(),
        GrantedTimeout::After(timeout) => format!("{timeout:?}"),
    }
}

fn attribute(attribute: &AttributeStatus) -> [Cell; 3] {
    let bytes = match attribute.bytes {
        Some(bytes) => Cell::new(&bytes.to_string()),
        None => Cell::new("static").painted(Paint::Faint),
    };
    [Cell::new(&attribute.name), Cell::new(&attribute.type_name), bytes]
}
