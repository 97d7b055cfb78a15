//! A plan in the making: the activities of a document, one after the other, and then the streams between them.

use std::collections::HashMap;

use super::plan::{PlannedActivity, PlannedStream};
use super::{Catalogue, PlanError, PlanProblem};
use crate::activity::{Ports, RunnableActivity};
use crate::block::StreamType;
use crate::document::{Step, WrittenActivity, nearest};

/// The most activities that one request may have.
const MAX_ACTIVITIES: usize = 1000;

/// A plan in the making.
#[derive(Default)]
pub(super) struct Draft {
    pub(super) activities: Vec<PlannedActivity>,
    /// Those of each activity.
    pub(super) ports: Vec<Ports>,
}

impl Draft {
    /// Adds the activities of some steps, each to start after those of `after`. Answers which were added.
    pub(super) fn add_steps(
        &mut self,
        steps: &[Step],
        after: &[usize],
        catalogue: &Catalogue,
    ) -> Result<Vec<usize>, PlanError> {
        let mut added = Vec::new();
        for step in steps {
            match step {
                Step::Activity(activity) => added.push(self.add(activity, after, catalogue)?),
                Step::Flow(steps) => added.extend(self.add_steps(steps, after, catalogue)?),
                Step::Sequence(steps) => {
                    let mut before = after.to_vec();
                    for step in steps {
                        let of_step = self.add_steps(std::slice::from_ref(step), &before, catalogue)?;
                        if !of_step.is_empty() {
                            added.extend_from_slice(&of_step);
                            before = of_step;
                        }
                    }
                }
            }
        }
        Ok(added)
    }

    fn add(&mut self, activity: &WrittenActivity, after: &[usize], catalogue: &Catalogue) -> Result<usize, PlanError> {
        let position = activity.element.position();
        if self.activities.len() == MAX_ACTIVITIES {
            return Err(PlanError::new(
                PlanProblem::TooLarge,
                position,
                format!("a request may have {MAX_ACTIVITIES} activities: split it into several"),
            ));
        }
        let RunnableActivity { ports, effects, run } = catalogue.build(activity)?;
        self.activities.push(PlannedActivity {
            name: activity.name.clone(),
            element: activity.element.local_name().into(),
            position,
            inputs: Vec::new(),
            outputs: Vec::new(),
            after: after.to_vec(),
            session_input: ports.session_input,
            effects,
            run,
        });
        self.ports.push(ports);
        Ok(self.activities.len() - 1)
    }

    /// Makes the streams and gives each its reader. Their types are not known yet.
    pub(super) fn connect(&mut self) -> Result<Vec<PlannedStream>, PlanError> {
        let mut streams = Vec::new();
        let mut by_name = HashMap::new();
        for (writer, ports) in self.ports.iter().enumerate() {
            for output in &ports.outputs {
                if by_name.insert(output.stream.clone(), streams.len()).is_some() {
                    return Err(PlanError::new(
                        PlanProblem::Stream,
                        output.position,
                        format!("a second stream of the name `{}`", output.stream),
                    ));
                }
                self.activities[writer].outputs.push(streams.len());
                streams.push(PlannedStream {
                    name: output.stream.clone(),
                    stream_type: StreamType::Any,
                    content_type: output.content_type,
                    writer,
                    reader: None,
                    in_session: output.in_session,
                    position: output.position,
                });
            }
        }
        for (reader, ports) in self.ports.iter().enumerate() {
            for input in &ports.inputs {
                let Some(&index) = by_name.get(&input.stream) else {
                    let hint = nearest(&input.stream, by_name.keys().map(AsRef::as_ref))
                        .map(|near| format!("; did you mean `{near}`?"))
                        .unwrap_or_default();
                    return Err(PlanError::new(
                        PlanProblem::Stream,
                        input.position,
                        format!("no output of this document has the name `{}`{hint}", input.stream),
                    ));
                };
                let stream: &mut PlannedStream = &mut streams[index];
                if stream.in_session {
                    return Err(PlanError::new(
                        PlanProblem::Stream,
                        input.position,
                        format!("`{}` is a stream of the session: a client reads it, and no activity", input.stream),
                    ));
                }
                if let Some(other) = stream.reader {
                    return Err(PlanError::new(
                        PlanProblem::Stream,
                        input.position,
                        format!(
                            "the stream `{}` is read by `{}` already; a stream has one reader",
                            input.stream, self.activities[other].name
                        ),
                    ));
                }
                stream.reader = Some(reader);
                self.activities[reader].inputs.push(index);
            }
        }
        Ok(streams)
    }
}
