//! The end-points of a request: gathered together while they are small, then read one after the other.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::end_point::EndPoint;
use super::spool::spool;
use crate::activity::ActivityError;
use crate::block::{Block, StreamType};

/// How much of an answer is held back, in bytes: a request that fails before has an HTTP status of its own.
pub(super) const HOLD_BACK: usize = 64 * 1024;

/// The end-points of a request with what has been read of them.
pub(super) struct Collection {
    pub(super) results: Vec<Collected>,
    bytes: usize,
}

/// One end-point and what has been read of it.
pub(super) struct Collected {
    pub(super) end_point: EndPoint,
    /// Blocks that were read and not yet taken.
    pub(super) blocks: VecDeque<Block>,
    pub(super) state: State,
    /// Why its data can't stand in an answer.
    problem: Option<Arc<ActivityError>>,
    /// Whether the answer holds it; where one end-point alone is asked for, the others are read and forgotten.
    pub(super) wanted: bool,
}

/// How far an end-point has been read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// There may be more.
    Open,
    /// To its end.
    Ended,
    /// It broke off: the writer failed or was stopped, or its data can't stand in an answer.
    Broken,
}

/// What became of gathering.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Gathered {
    /// Every end-point was read to its end, or to where it broke.
    All,
    /// They hold more than is held back.
    TooMuch,
    /// The data of one can't stand in an answer: the request is of no use any more.
    Refused,
}

impl Collection {
    /// A collection of all end-points, or of one whose data are wanted alone.
    pub(super) fn new(end_points: Vec<EndPoint>, only: Option<&str>) -> Self {
        let results = end_points
            .into_iter()
            .map(|end_point| Collected {
                wanted: only.is_none_or(|name| *end_point.name == *name),
                end_point,
                blocks: VecDeque::new(),
                state: State::Open,
                problem: None,
            })
            .collect();
        Self { results, bytes: 0 }
    }

    /// Reads all end-points side by side until they have ended or hold more than is held back.
    pub(super) async fn gather(&mut self) -> Gathered {
        poll_fn(|context| {
            let mut open = false;
            for result in &mut self.results {
                while result.state == State::Open && self.bytes <= HOLD_BACK {
                    match result.poll_read(context) {
                        Poll::Ready(bytes) => self.bytes += bytes,
                        Poll::Pending => break,
                    }
                }
                open |= result.state == State::Open;
            }
            if self.has_refused() {
                return Poll::Ready(Gathered::Refused);
            }
            match open {
                true if self.bytes > HOLD_BACK => Poll::Ready(Gathered::TooMuch),
                true => Poll::Pending,
                false => Poll::Ready(Gathered::All),
            }
        })
        .await
    }

    /// Puts a spool behind every open end-point that shares its source with another, so that one can be read after the other.
    pub(super) fn spool_kin(&mut self) {
        let kinds: Vec<usize> = self.results.iter().map(|result| result.end_point.kin).collect();
        for result in self.results.iter_mut().filter(|result| result.state == State::Open) {
            let has_kin = kinds.iter().filter(|&&kin| kin == result.end_point.kin).count() > 1;
            if has_kin && result.wanted {
                result.end_point.replace_reader(|reader| spool(reader, StreamType::Any));
            }
        }
    }

    /// The next end-point to put into the answer: one that has ended, else the first that has data. An end-point is never
    /// waited for while another has data, because what the other holds (a connection) may be what this one needs.
    pub(super) async fn next_result(&mut self, written: &[bool]) -> Option<usize> {
        let left = |index: &usize| !written[*index];
        if (0..self.results.len()).all(|index| !left(&index)) {
            return None;
        }
        let ended = (0..self.results.len()).filter(left).find(|&index| self.results[index].state != State::Open);
        let begun = || (0..self.results.len()).filter(left).find(|&index| !self.results[index].blocks.is_empty());
        if let Some(index) = ended.or_else(begun) {
            return Some(index);
        }
        poll_fn(|context| {
            for index in (0..self.results.len()).filter(left) {
                if self.results[index].poll_read(context).is_ready() {
                    return Poll::Ready(Some(index));
                }
            }
            Poll::Pending
        })
        .await
    }

    /// The next block of an end-point: one that was gathered, or a new one; `None` when it has ended, however it did. What
    /// nobody wants is read on the side and forgotten.
    pub(super) async fn next_block(&mut self, index: usize) -> Option<Block> {
        poll_fn(|context| {
            for other in self.results.iter_mut().filter(|result| !result.wanted) {
                while other.state == State::Open && other.poll_read(context).is_ready() {}
            }
            let result = &mut self.results[index];
            loop {
                if let Some(block) = result.blocks.pop_front() {
                    return Poll::Ready(Some(block));
                }
                if result.state != State::Open {
                    return Poll::Ready(None);
                }
                if result.poll_read(context).is_pending() {
                    return Poll::Pending;
                }
            }
        })
        .await
    }

    /// The media type of the one end-point that is wanted.
    pub(super) fn raw_content_type(&self) -> &'static str {
        let wanted = self.results.iter().find(|result| result.wanted);
        wanted.map_or("", |result| result.end_point.content_type(result.blocks.front()))
    }

    /// Whether the data of one can't stand in an answer.
    pub(super) fn has_refused(&self) -> bool {
        self.results.iter().any(|result| result.problem.is_some())
    }

    /// Reads to the end what is left, and forgets it.
    pub(super) async fn drain(&mut self) {
        poll_fn(|context| {
            let mut open = false;
            for result in &mut self.results {
                result.wanted = false;
                while result.state == State::Open && result.poll_read(context).is_ready() {}
                open |= result.state == State::Open;
            }
            if open { Poll::Pending } else { Poll::Ready(()) }
        })
        .await;
    }
}

impl Collected {
    /// Reads one block and answers with its size.
    fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<usize> {
        let read = match self.end_point.poll_next(context) {
            Poll::Ready(read) => read,
            Poll::Pending => return Poll::Pending,
        };
        match read {
            Ok(Some(Block::Rows(_))) => self.refuse(rows_in_an_answer(&self.end_point.name)),
            Ok(Some(block)) if self.wanted => {
                let bytes = block.byte_size();
                self.blocks.push_back(block);
                return Poll::Ready(bytes);
            }
            Ok(Some(_)) => {}
            Ok(None) => self.state = State::Ended,
            Err(_) => self.state = State::Broken,
        }
        Poll::Ready(0)
    }

    /// Reads no further: its data can't stand in an answer.
    pub(super) fn refuse(&mut self, problem: ActivityError) {
        self.state = State::Broken;
        self.problem = Some(Arc::new(problem));
        self.blocks.clear();
        self.end_point.close();
    }

    /// Why its data were refused.
    pub(super) fn problem(&self) -> Option<&Arc<ActivityError>> {
        self.problem.as_ref()
    }
}

fn rows_in_an_answer(name: &str) -> ActivityError {
    ActivityError::client(
        "WrongStreamType",
        format!(
            "nobody reads `{name}`, and it carries rows, which can't stand in an answer as they are: turn them into text \
             with `sqlResultsToXML` or `sqlResultsToCSV`"
        ),
    )
}
