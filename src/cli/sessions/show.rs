//! `rejoin sessions URL show`

use super::ShowArguments;
use super::harmless::{harmless, print_document};
use super::list::{moment, or_nothing, paint_of};
use super::remote::{Answered, Remote};
use super::table::{Cell, Paint, Table};
use crate::cli::style::Style;
use crate::document::{
    AttributeStatus, GrantedTimeout, RequestStatus, SessionStatusDocument, Status, StreamDescription,
};

/// Answers whether the service did it.
pub(super) async fn run(remote: &Remote, wanted: &ShowArguments) -> anyhow::Result<bool> {
    let Answered::With(answer) = remote.show(&wanted.handle).await? else { return Ok(false) };
    if wanted.xml {
        print_document(&answer.text);
        return Ok(true);
    }
    let session = answer.session()?;
    for line in Table::new([false, false]).lines(&facts(&session), Style::of_stdout()) {
        say!("{line}");
    }
    section(["ATTRIBUTE", "TYPE", "BYTES"], [false, false, true], session.attributes.list.iter().map(attribute));
    section(["STREAM", "DIRECTION", "STATE", "CONTENT TYPE"], [false; 4], session.streams.iter().map(stream));
    section(
        ["REQUEST", "HOLDS IT SINCE", "STATUS", "STARTED", "ENDED"],
        [false; 5],
        session.requests.iter().map(request),
    );
    for progress in session.requests.iter().filter_map(|request| request.progress.as_ref()) {
        section(["ACTIVITY", "STATUS"], [false; 2], progress.results.iter().map(result));
        if let Some(error) = &progress.error {
            say!("\n{} ({})", harmless(&error.message), harmless(&error.code));
        }
    }
    Ok(true)
}

/// A table of its own, if there is anything in it.
fn section<const COLUMNS: usize>(
    headings: [&str; COLUMNS],
    is_to_the_right: [bool; COLUMNS],
    rows: impl Iterator<Item = [Cell; COLUMNS]>,
) {
    let headings = headings.map(|heading| Cell::new(heading).painted(Paint::Heading));
    let rows: Vec<_> = std::iter::once(headings).chain(rows).collect();
    if rows.len() > 1 {
        say!("");
        for line in Table::new(is_to_the_right).lines(&rows, Style::of_stdout()) {
            say!("{line}");
        }
    }
}

/// What there is to say of a session, and how it is called. Times are UTC.
fn facts(session: &SessionStatusDocument) -> Vec<[Cell; 2]> {
    let mut facts = Vec::new();
    let mut fact = |name: &str, value: Cell| facts.push([Cell::new(name).painted(Paint::Faint), value]);
    fact("handle", Cell::new(&session.handle));
    fact("state", Cell::new(session.state.name()).painted(paint_of(session.state)));
    fact("owner", or_nothing(session.owner.as_deref()));
    fact("label", or_nothing(session.label.as_deref()));
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

fn stream(stream: &StreamDescription) -> [Cell; 4] {
    [
        Cell::new(&stream.name),
        Cell::new(stream.direction.name()),
        Cell::new(stream.state.name()),
        or_nothing(stream.content_type.as_deref()),
    ]
}

fn request(request: &RequestStatus) -> [Cell; 5] {
    let progress = request.progress.as_ref();
    [
        Cell::new(&request.id),
        or_nothing(request.since.as_ref().map(moment).as_deref()),
        or_nothing(progress.map(|progress| progress.status.as_str())),
        or_nothing(progress.map(|progress| moment(&progress.started)).as_deref()),
        or_nothing(progress.and_then(|progress| progress.ended.as_ref().map(moment)).as_deref()),
    ]
}

fn result((activity, status): &(String, Status)) -> [Cell; 2] {
    [Cell::new(activity), Cell::new(status.as_str())]
}
