//! The plan of a request: its activities, the streams between them, and the order that `sequence` asks for.
//!
//! Everything that can be wrong with a pipeline is found here, before a session is joined and before anything runs.

use std::sync::Arc;

use super::draft::Draft;
use super::transaction::TransactionWork;
use super::{Catalogue, PlanError, PlanProblem};
use crate::activity::{Effects, PortType, Ports, RequestInformation, RequestedActivity, RunActivity, Surroundings};
use crate::block::StreamType;
use crate::document::{PerformDocument, Position};

/// A request that fits together.
///
/// ```
/// use rejoin::activity::ActivityRegistry;
/// use rejoin::document::PerformDocument;
/// use rejoin::engine::{Catalogue, Plan};
/// use rejoin::resource::DataResources;
///
/// let catalogue = Catalogue::of_resources(&ActivityRegistry::built_in(), DataResources::default());
/// let document = PerformDocument::parse(
///     br#"<perform xmlns="http://ogsadai.org.uk/namespaces/2005/10/types">
///           <echo name="say"><text>hello</text><output name="said"/></echo>
///         </perform>"#,
/// )?;
/// let plan = Plan::new(&document, &catalogue)?;
/// assert_eq!(plan.end_points().collect::<Vec<_>>(), ["said"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Plan {
    pub(super) activities: Vec<PlannedActivity>,
    pub(super) streams: Vec<PlannedStream>,
    /// What it does in a transaction, where that can be said.
    pub(super) transaction: Option<TransactionWork>,
    /// What its activities may know of the request.
    pub(super) request: Arc<RequestInformation>,
    /// What its activities are lent.
    pub(super) surroundings: Surroundings,
}

/// An activity in its place.
pub(super) struct PlannedActivity {
    pub(super) name: Box<str>,
    pub(super) element: Box<str>,
    pub(super) position: Position,
    /// The streams that it reads, in the order of its input ports.
    pub(super) inputs: Vec<usize>,
    /// The streams that it writes, in the order of its output ports.
    pub(super) outputs: Vec<usize>,
    /// The activities that have to complete before it starts.
    pub(super) after: Vec<usize>,
    /// Whether it takes in the stream of the session that has its name.
    pub(super) session_input: bool,
    /// What it may change.
    pub(super) effects: Effects,
    pub(super) run: RunActivity,
}

/// A stream between its writer and its reader.
#[derive(Debug)]
pub(super) struct PlannedStream {
    pub(super) name: Box<str>,
    pub(super) stream_type: StreamType,
    pub(super) content_type: Option<&'static str>,
    pub(super) writer: usize,
    /// `None` for an end-point.
    pub(super) reader: Option<usize>,
    /// Whether it is a stream of the session, which no activity reads.
    pub(super) in_session: bool,
    pub(super) position: Position,
}

impl std::fmt::Debug for PlannedActivity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PlannedActivity")
            .field("name", &self.name)
            .field("element", &self.element)
            .finish_non_exhaustive()
    }
}

impl Plan {
    /// Reads and connects the activities of a document.
    ///
    /// # Errors
    ///
    /// [`PlanError`], with its place, for the first of: an activity that is unknown or whose element is wrong; two streams
    /// of one name; an input that no output feeds; a stream that is read twice or has the wrong type; a cycle; a stream
    /// between two steps of a `sequence`; an end-point of rows.
    pub fn new(document: &PerformDocument, catalogue: &Catalogue) -> Result<Self, PlanError> {
        let mut draft = Draft::default();
        draft.add_steps(&document.steps, &[], catalogue)?;
        let streams = draft.connect()?;
        let mut plan = Self {
            activities: draft.activities,
            streams,
            transaction: None,
            request: Arc::default(),
            surroundings: Surroundings::default(),
        };
        let order = plan.topological_order()?;
        plan.resolve_types(&order, &draft.ports)?;
        plan.check_types(&draft.ports)?;
        plan.check_sequences()?;
        plan.check_boundaries(&draft.ports)?;
        plan.check_session_streams()?;
        plan.find_transaction(&draft.ports);
        Ok(plan)
    }

    /// Whether any activity may change more than the session, such as a database.
    #[must_use]
    pub fn changes_outside(&self) -> bool {
        self.activities.iter().any(|activity| activity.effects == Effects::Outside)
    }

    /// Whether there is nothing to run.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.activities.is_empty()
    }

    /// The same, to run for that request, with what it is lent.
    pub(super) fn for_request(mut self, request: Arc<RequestInformation>, surroundings: &Surroundings) -> Self {
        self.request = request;
        self.surroundings = surroundings.clone();
        self
    }

    /// The activities, for those who want to know what is asked for.
    pub(super) fn requested(&self) -> Box<[RequestedActivity]> {
        let requested = |activity: &PlannedActivity| RequestedActivity {
            name: activity.name.clone(),
            activity: activity.element.clone(),
        };
        self.activities.iter().map(requested).collect()
    }

    /// The names of the outputs that nobody reads: their data are the answer.
    pub fn end_points(&self) -> impl Iterator<Item = &str> {
        self.streams.iter().filter(|stream| stream.reader.is_none()).map(|stream| &*stream.name)
    }

    /// The activities in an order in which every one stands behind those that it reads from.
    fn topological_order(&self) -> Result<Vec<usize>, PlanError> {
        let mut unread: Vec<usize> = self.activities.iter().map(|activity| activity.inputs.len()).collect();
        let mut order: Vec<usize> = (0..unread.len()).filter(|&index| unread[index] == 0).collect();
        let mut next = 0;
        while let Some(&index) = order.get(next) {
            next += 1;
            for &stream in &self.activities[index].outputs {
                if let Some(reader) = self.streams[stream].reader {
                    unread[reader] -= 1;
                    if unread[reader] == 0 {
                        order.push(reader);
                    }
                }
            }
        }
        match (0..unread.len()).find(|&index| unread[index] > 0) {
            Some(stuck) => Err(self.cycle_through(stuck, &unread)),
            None => Ok(order),
        }
    }

    /// Names a cycle: from an activity that was never reached, back along what it waits for.
    fn cycle_through(&self, start: usize, unread: &[usize]) -> PlanError {
        let mut path = vec![start];
        let repeated = loop {
            let last = path[path.len() - 1];
            let waits_for = self.activities[last].inputs.iter().map(|&stream| self.streams[stream].writer);
            let Some(previous) = waits_for.into_iter().find(|&writer| unread[writer] > 0) else {
                break last;
            };
            if path.contains(&previous) {
                break previous;
            }
            path.push(previous);
        };
        let first = path.iter().position(|&index| index == repeated).unwrap_or(0);
        let mut names: Vec<&str> = path[first..].iter().rev().map(|&index| &*self.activities[index].name).collect();
        names.push(names[0]);
        PlanError::new(
            PlanProblem::Stream,
            self.activities[repeated].position,
            format!("the streams make a cycle: {}", names.join(" → ")),
        )
    }

    fn resolve_types(&mut self, order: &[usize], ports: &[Ports]) -> Result<(), PlanError> {
        for &index in order {
            for (port, &stream) in self.activities[index].outputs.iter().enumerate() {
                self.streams[stream].stream_type = match ports[index].outputs[port].port_type {
                    PortType::Is(stream_type) => stream_type,
                    PortType::SameAs(input) => {
                        let source = &self.streams[self.activities[index].inputs[input.index()]];
                        let (stream_type, content_type) = (source.stream_type, source.content_type);
                        if self.streams[stream].in_session {
                            self.streams[stream].content_type = content_type;
                        }
                        stream_type
                    }
                };
            }
        }
        match self.streams.iter().find(|stream| stream.reader.is_none() && stream.stream_type == StreamType::Rows) {
            Some(rows) => Err(PlanError::new(
                PlanProblem::Stream,
                rows.position,
                format!(
                    "nobody reads the stream `{}`, and rows can't leave the service as they are: \
                     turn them into text with `sqlResultsToXML` or `sqlResultsToCSV`",
                    rows.name
                ),
            )),
            None => Ok(()),
        }
    }

    fn check_types(&self, ports: &[Ports]) -> Result<(), PlanError> {
        for (activity, declared) in self.activities.iter().zip(ports) {
            for (input, &stream) in declared.inputs.iter().zip(&activity.inputs) {
                let stream = &self.streams[stream];
                if !stream.stream_type.fits(input.accepts) {
                    return Err(PlanError::new(
                        PlanProblem::Stream,
                        input.position,
                        format!(
                            "the stream `{}` carries {}, but `{}` reads {}",
                            stream.name, stream.stream_type, activity.element, input.accepts
                        ),
                    ));
                }
            }
        }
        Ok(())
    }

    /// A later step of a `sequence` starts when the earlier one is complete, so no data can flow between them, not by way of
    /// other activities either: the one would wait for the other for ever.
    fn check_sequences(&self) -> Result<(), PlanError> {
        if self.activities.iter().all(|activity| activity.after.is_empty()) {
            return Ok(());
        }
        let reached: Vec<Vec<bool>> = (0..self.activities.len()).map(|index| self.reached_from(index)).collect();
        let earlier_than = self.earlier_steps();
        for (later, activity) in self.activities.iter().enumerate() {
            for earlier in (0..later).filter(|&earlier| earlier_than[later][earlier]) {
                for (from, to) in [(earlier, later), (later, earlier)] {
                    if reached[from][to] {
                        return Err(PlanError::new(
                            PlanProblem::Stream,
                            activity.position,
                            format!(
                                "data flow from `{}` to `{}`, but in a `sequence` the one starts when the other is \
                                 complete: put them into a `flow`, or keep the data in the session in between",
                                self.activities[from].name, self.activities[to].name
                            ),
                        ));
                    }
                }
            }
        }
        Ok(())
    }

    /// For every activity those that have to be complete before it starts, directly or by way of others.
    pub(super) fn earlier_steps(&self) -> Vec<Vec<bool>> {
        let mut earlier: Vec<Vec<bool>> = Vec::with_capacity(self.activities.len());
        for activity in &self.activities {
            let mut of_this = vec![false; self.activities.len()];
            // Steps stand in document order, so what is waited for has been looked at.
            for &before in &activity.after {
                of_this[before] = true;
                for (mine, theirs) in of_this.iter_mut().zip(&earlier[before]) {
                    *mine |= theirs;
                }
            }
            earlier.push(of_this);
        }
        earlier
    }

    /// Which activities the data of one reach.
    fn reached_from(&self, start: usize) -> Vec<bool> {
        let mut reached = vec![false; self.activities.len()];
        let mut stack = vec![start];
        while let Some(index) = stack.pop() {
            for &stream in &self.activities[index].outputs {
                if let Some(reader) = self.streams[stream].reader
                    && !std::mem::replace(&mut reached[reader], true)
                {
                    stack.push(reader);
                }
            }
        }
        reached
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::activity::ActivityRegistry;
    use crate::resource::{DataResources, ResourceRegistry, ResourceSettings};

    fn changes_outside(content: &str) -> bool {
        let mut resources = DataResources::default();
        let memory = ResourceRegistry::with_defaults().open(&ResourceSettings::new("sqlite::memory:", "."));
        resources.add("", memory.unwrap());
        let catalogue = Catalogue::of_resources(&ActivityRegistry::built_in(), resources);
        let document =
            format!(r#"<perform xmlns="http://ogsadai.org.uk/namespaces/2005/10/types">{content}</perform>"#);
        Plan::new(&PerformDocument::parse(document.as_bytes()).unwrap(), &catalogue).unwrap().changes_outside()
    }

    #[test]
    fn what_makes_nothing_hold_and_takes_nothing_back_changes_nothing_outside() {
        for (step, expected) in [
            ("begin", false),
            ("savepoint name='a'", false),
            ("state", false),
            ("commit", true),
            ("rollback", true),
            ("rollbackTo name='a'", true),
            ("releaseSavepoint name='a'", true),
        ] {
            let content = format!("<transactionManagement name='t'><{step}/></transactionManagement>");
            assert_eq!(changes_outside(&content), expected, "{step}");
        }
        assert!(!changes_outside("<openCursor name='c'><expression>SELECT 1</expression></openCursor>"));
        assert!(changes_outside(
            "<sqlUpdateStatement name='u'><expression>DELETE FROM t</expression></sqlUpdateStatement>"
        ));
    }
}
