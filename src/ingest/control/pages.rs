//! Which page is asked for next.

use super::{PageSeen, Progress};
use crate::ingest::settings::{IngestSettings, PageValues};

/// What is sent after a page that the progress counts already: what the answer says, and where it says nothing, what follows from the pages so far. It never
/// goes back to the beginning.
pub(super) fn next_values(settings: &IngestSettings, progress: &Progress, page: &PageSeen) -> PageValues<u64> {
    let (sent, said) = (progress.values, page.values);
    let start = match (said.start, said.size) {
        (Some(start), Some(size)) => start.saturating_add(size),
        (Some(start), None) => start.saturating_add(page.records),
        (None, _) => sent.start.unwrap_or(0).saturating_add(page.records),
    };
    let number = said.number.or(sent.number).map_or(progress.pages, |number| number.saturating_add(1));
    let size = said.size.or(sent.size).or(settings.paging.initial.size);
    PageValues { start: Some(start), size, number: Some(number) }
}
