//! Fusion: a formatter whose work the source of its rows may do, because nobody else reads them.
//!
//! What is fused is decided with the plan, from what the activities declare ([`Setup::pushes_down`], [`Setup::formats`]);
//! whether the source then can do it, it finds out when it runs, and it may decline. Nothing else knows of it: the two have
//! their tasks, statuses and errors as ever, and what reads the output of the formatter sees the same bytes.
//!
//! [`Setup::pushes_down`]: crate::activity::Setup::pushes_down
//! [`Setup::formats`]: crate::activity::Setup::formats

use super::plan::{Plan, PlannedActivity};
use crate::activity::{AwaitedOutput, Formatting, Ports, Pushdown};
use crate::block::BlockWriter;

/// A source of rows with the formatter that alone reads them.
#[derive(Debug)]
pub(super) struct Fusion {
    source: usize,
    formatter: usize,
    /// The stream that the formatter writes.
    output: usize,
    formatting: Formatting,
}

impl Plan {
    /// The fused activities: the name of each source, and of the formatter whose work it may do.
    pub fn fusions(&self) -> impl Iterator<Item = (&str, &str)> {
        let name = |index: usize| &*self.activities[index].name;
        self.fusions.iter().map(move |fusion| (name(fusion.source), name(fusion.formatter)))
    }

    /// Finds what can be fused.
    pub(super) fn fuse(&mut self, ports: &[Ports]) {
        self.fusions = (0..self.streams.len()).filter_map(|stream| self.fusion_by(stream, ports)).collect();
    }

    /// The fusion of the two activities that a stream connects. It has to be all that the one writes and all that the other
    /// reads, and both have to start at the same time: the source would otherwise write what is not to be written yet.
    fn fusion_by(&self, stream: usize, ports: &[Ports]) -> Option<Fusion> {
        let source = self.streams[stream].writer;
        let formatter = self.streams[stream].reader?;
        let formatting = ports[formatter].formatting.clone().filter(|_| ports[source].pushes_down)?;
        let (writes, reads) = (&self.activities[source], &self.activities[formatter]);
        let &[output] = reads.outputs.as_slice() else { return None };
        let is_alone = writes.outputs == [stream] && reads.inputs == [stream];
        (is_alone && writes.after == reads.after).then_some(Fusion { source, formatter, output, formatting })
    }
}

/// What each activity of a fusion is given when it runs.
#[derive(Debug, Default)]
pub(super) struct FusedParts {
    pub(super) pushdown: Option<Pushdown>,
    pub(super) awaited: Option<AwaitedOutput>,
}

/// Hands the outputs of the fused formatters to their sources. Answers with what each activity is given, in the order of the
/// plan.
pub(super) fn hand_over(
    fusions: Vec<Fusion>,
    activities: &[PlannedActivity],
    writers: &mut [Option<BlockWriter>],
) -> Vec<FusedParts> {
    let mut parts: Vec<FusedParts> = Vec::new();
    parts.resize_with(activities.len(), FusedParts::default);
    for Fusion { source, formatter, output, formatting } in fusions {
        if let Some(writer) = writers[output].take() {
            let (pushdown, awaited) = Pushdown::new(formatting, activities[formatter].name.clone(), writer);
            parts[source].pushdown = Some(pushdown);
            parts[formatter].awaited = Some(awaited);
        }
    }
    parts
}
