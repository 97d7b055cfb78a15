//! Which answer belongs to which request.

use std::collections::{HashMap, VecDeque};

use super::{Answer, Recorded, status};

type WorksOut = Box<dyn FnMut(&Recorded) -> Answer + Send>;

/// What a server answers: first what was written down for the method and path, then for the path, then what comes in order,
/// then what is worked out.
#[derive(Default)]
pub(crate) struct Script {
    in_order: VecDeque<Answer>,
    /// By `/path` or `METHOD /path`.
    by_path: HashMap<String, Answers>,
    worked_out: Option<WorksOut>,
}

#[derive(Default)]
struct Answers {
    once: VecDeque<Answer>,
    always: Option<Answer>,
}

impl Script {
    /// One answer after the other, whatever is asked.
    pub(crate) fn of(answers: impl IntoIterator<Item = Answer>) -> Self {
        Self { in_order: answers.into_iter().collect(), ..Self::default() }
    }

    /// Each answer is worked out from its request, if nothing else is written down for it.
    pub(crate) fn by(work_out: impl FnMut(&Recorded) -> Answer + Send + 'static) -> Self {
        Self { worked_out: Some(Box::new(work_out)), ..Self::default() }
    }

    /// One answer after the other for a path without query (`/jobs`), or a method and a path (`POST /jobs`).
    pub(crate) fn at(mut self, place: &str, answers: impl IntoIterator<Item = Answer>) -> Self {
        self.by_path.entry(place.into()).or_default().once.extend(answers);
        self
    }

    /// The same answer for a path again and again, after those that were written down for it.
    pub(crate) fn always(mut self, place: &str, answer: Answer) -> Self {
        self.by_path.entry(place.into()).or_default().always = Some(answer);
        self
    }

    pub(super) fn answer(&mut self, request: &Recorded) -> Answer {
        let places = [format!("{} {}", request.method, request.path()), request.path().to_owned()];
        for place in places {
            if let Some(answers) = self.by_path.get_mut(&place)
                && let Some(answer) = answers.once.pop_front().or_else(|| answers.always.clone())
            {
                return answer;
            }
        }
        if let Some(answer) = self.in_order.pop_front() {
            return answer;
        }
        match &mut self.worked_out {
            Some(work_out) => work_out(request),
            None => status(500).reason("Not In The Script"),
        }
    }
}
