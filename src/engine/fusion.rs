//! Fusion: a formatter whose work the source of its rows may do, because nobody else reads them.
//!
//! What is fused is decided with the plan, from what the activities declare ([`Setup::pushes_down`], [`Setup::formats`]);
//! whether the source then can do it, it finds out when it runs, and it may decline. Nothing else knows of it: the two have
//! their work, statuses and errors as ever, and what reads the output of the formatter sees the same bytes.
//!
//! [`Setup::pushes_down`]: crate::activity::Setup::pushes_down
//! [`Setup::formats`]: crate::activity::Setup::formats

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

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
    /// Where it is counted when the source has done it.
    count: Arc<AtomicU64>,
}

impl Plan {
    /// The fused activities: the name of each source, and of the formatter whose work it may do.
    pub fn fusions(&self) -> impl Iterator<Item = (&str, &str)> {
        let name = |index: usize| &*self.activities[index].name;
        self.fusions.iter().map(move |fusion| (name(fusion.source), name(fusion.formatter)))
    }

    /// Finds what can be fused.
    pub(super) fn fuse(&mut self, ports: &[Ports], count: &Arc<AtomicU64>) {
        self.fusions = (0..self.streams.len()).filter_map(|stream| self.fusion_by(stream, ports, count)).collect();
    }

    /// The fusion of the two activities that a stream connects. It has to be all that the one writes and all that the other
    /// reads, and both have to start at the same time: the source would otherwise write what is not to be written yet.
    fn fusion_by(&self, stream: usize, ports: &[Ports], count: &Arc<AtomicU64>) -> Option<Fusion> {
        let source = self.streams[stream].writer;
        let formatter = self.streams[stream].reader?;
        let formatting = ports[formatter].formatting.clone().filter(|_| ports[source].pushes_down)?;
        let (writes, reads) = (&self.activities[source], &self.activities[formatter]);
        let &[output] = reads.outputs.as_slice() else { return None };
        let is_alone = writes.outputs == [stream] && reads.inputs == [stream];
        (is_alone && writes.after == reads.after).then(|| Fusion {
            source,
            formatter,
            output,
            formatting,
            count: Arc::clone(count),
        })
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
    for Fusion { source, formatter, output, formatting, count } in fusions {
        if let Some(writer) = writers[output].take() {
            let (pushdown, awaited) = Pushdown::new(formatting, activities[formatter].name.clone(), writer, count);
            parts[source].pushdown = Some(pushdown);
            parts[formatter].awaited = Some(awaited);
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use crate::activity::ActivityRegistry;
    use crate::document::PerformDocument;
    use crate::engine::{Catalogue, Plan};
    use crate::resource::{DataResources, ResourceRegistry, ResourceSettings};

    const QUERY: &str = r#"<sqlQueryStatement name="find"><expression>SELECT 1</expression><resultStream name="r"/></sqlQueryStatement>"#;
    const CSV: &str =
        r#"<sqlResultsToCSV name="format"><resultSet from="r"/><csvOutput name="csv"/></sqlResultsToCSV>"#;
    const SAY: &str = r#"<echo name="say"><text>x</text><output name="said"/></echo>"#;

    fn fusions(content: &str) -> Vec<(String, String)> {
        let mut resources = DataResources::default();
        let memory = ResourceRegistry::with_defaults().open(&ResourceSettings::new("sqlite::memory:", "."));
        resources.add("", memory.unwrap());
        let catalogue = Catalogue::of_resources(&ActivityRegistry::built_in(), resources);
        let document =
            format!(r#"<perform xmlns="http://ogsadai.org.uk/namespaces/2005/10/types">{content}</perform>"#);
        let plan = Plan::new(&PerformDocument::parse(document.as_bytes()).unwrap(), &catalogue).unwrap();
        plan.fusions().map(|(source, formatter)| (source.to_owned(), formatter.to_owned())).collect()
    }

    #[test]
    fn a_query_is_fused_with_the_formatter_that_reads_it() {
        let both = [("find".to_owned(), "format".to_owned())];
        assert_eq!(fusions(&format!("{QUERY}{CSV}")), both);
        assert_eq!(fusions(&format!("{CSV}{QUERY}")), both);
        assert_eq!(fusions(&format!("<sequence>{SAY}<flow>{QUERY}{CSV}</flow></sequence>")), both);
    }

    #[test]
    fn activities_that_begin_at_different_times_are_not_fused() {
        assert!(fusions(&format!("{QUERY}<sequence>{SAY}{CSV}</sequence>")).is_empty());
        assert!(fusions(&format!("<sequence>{SAY}{QUERY}</sequence>{CSV}")).is_empty());
    }

    #[test]
    fn what_no_database_writes_is_not_fused() {
        let odd = CSV.replace("</sql", r#"<lineBreak value="CR"/></sql"#);
        assert!(fusions(&format!("{QUERY}{odd}")).is_empty());
        let xml = r#"<sqlResultsToXML name="format"><resultSet from="r"/><webRowSet name="w"/></sqlResultsToXML>"#;
        assert!(fusions(&format!("{QUERY}{xml}")).is_empty());
    }
}
