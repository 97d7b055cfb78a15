//! `rejoin sessions URL list`

use anyhow::bail;
use chrono::{DateTime, Utc};

use super::ListArguments;
use super::harmless::{harmless, print_document};
use super::remote::{Answered, Remote};
use super::table::{Cell, Paint, Table};
use crate::cli::style::Style;
use crate::document::{SessionState, SessionStatusDocument};

const HEADINGS: [&str; 8] = ["HANDLE", "STATE", "OWNER", "LABEL", "CREATED", "ENDS", "ATTRIBUTES", "BYTES"];

/// Answers whether the service did it.
pub(super) async fn run(remote: &Remote, wanted: &ListArguments) -> anyhow::Result<bool> {
    let style = Style::of_stdout();
    let mut table = Table::new([false, false, false, false, false, false, true, true]);
    let mut rows = vec![HEADINGS.map(|heading| Cell::new(heading).painted(Paint::Heading))];
    let mut after = wanted.after.clone();
    loop {
        let Answered::With(answer) = remote.list(wanted, after.as_deref()).await? else { return Ok(false) };
        if wanted.xml {
            print_document(&answer.text);
            return Ok(true);
        }
        let page = answer.list()?;
        rows.extend(page.sessions.iter().map(row));
        for line in table.lines(&rows, style) {
            say!("{line}");
        }
        rows.clear();
        match page.next {
            // Or it would go on for ever.
            Some(next) if after.as_ref() == Some(&next) => {
                bail!("the service says of a page that it is the next to itself")
            }
            Some(next) if wanted.all_pages => after = Some(next),
            Some(next) => {
                eprintln!("there are more: --after {}, or --all-pages", harmless(&next));
                return Ok(true);
            }
            None => return Ok(true),
        }
    }
}

fn row(session: &SessionStatusDocument) -> [Cell; 8] {
    [
        Cell::new(&session.handle),
        Cell::new(session.state.name()).painted(paint_of(session.state)),
        or_nothing(session.owner.as_deref()),
        or_nothing(session.label.as_deref()),
        Cell::new(&moment(&session.created)),
        or_nothing(ends(session).map(|ends| moment(&ends)).as_deref()),
        Cell::new(&session.attributes.count.to_string()),
        Cell::new(&session.attributes.bytes.to_string()),
    ]
}

/// What is not there is a dash.
pub(super) fn or_nothing(text: Option<&str>) -> Cell {
    text.map_or_else(|| Cell::new("-").painted(Paint::Faint), Cell::new)
}

pub(super) fn paint_of(state: SessionState) -> Paint {
    match state {
        SessionState::Available => Paint::Plain,
        SessionState::Busy => Paint::Bright,
        SessionState::Closing => Paint::Alarm,
    }
}

/// When the session will end unless somebody joins it.
fn ends(session: &SessionStatusDocument) -> Option<DateTime<Utc>> {
    [session.idle_expires, session.lifetime_expires].into_iter().flatten().min()
}

/// A moment to the second, in UTC.
pub(super) fn moment(moment: &DateTime<Utc>) -> String {
    moment.format("%F %T").to_string()
}
