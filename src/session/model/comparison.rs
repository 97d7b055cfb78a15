//! Whether a manager and the reference stand alike.

use std::collections::BTreeSet;

use proptest::test_runner::TestCaseError;
use proptest::{prop_assert, prop_assert_eq};

use super::cast::{Actual, Living, Names};
use super::driver::Driver;
use super::terms::{Reason, Standing, Value};
use super::{Event, NAMES};
use crate::block::Scalar;
use crate::session::{AttributeValue, EndReason, SessionError};

impl Driver {
    /// Compares how every request stands and what it sees, and what was closed.
    pub(super) fn compare(&mut self, event: &Event) -> Result<(), TestCaseError> {
        for request in 0..self.requests.len() {
            self.compare_request(request)?;
        }
        let closed = self.closed.lock();
        let once: BTreeSet<usize> = closed.iter().copied().collect();
        prop_assert_eq!(once.len(), closed.len(), "nothing is closed twice");
        if matches!(event, Event::Maintain) && self.maintained {
            // What is over is closed when somebody has looked; nothing else is.
            prop_assert_eq!(&once, &self.reference.closed, "what is closed");
        }
        Ok(())
    }

    fn compare_request(&mut self, request: usize) -> Result<(), TestCaseError> {
        let part = &self.reference.parts[request];
        let actual = match &self.requests[request] {
            Actual::Waiting(_) => Standing::Waiting,
            Actual::Joined(joined) if joined.info().fence == 0 => Standing::EndedAgain,
            Actual::Joined(_) => Standing::Joined,
            Actual::Gone if part.standing == Standing::Gone => Standing::Gone,
            Actual::Gone => part.standing,
            Actual::Refused(error) => standing(error),
        };
        prop_assert_eq!(actual, part.standing, "request {} in {:#?}", request, self.reference);
        let Actual::Joined(joined) = &self.requests[request] else { return Ok(()) };
        let Some(session) = part.session.filter(|_| part.standing == Standing::Joined) else { return Ok(()) };
        if self.names.len() == session {
            self.names.push(Names { ids: vec![joined.info().id.clone()], handle: joined.info().handle });
            self.last_holders.push((usize::MAX, 0));
        }
        prop_assert_eq!(joined.info().handle, self.names[session].handle);
        if !part.reads {
            let (last, fence) = (&mut self.last_holders[session], joined.info().fence);
            if fence > last.1 {
                *last = (request, fence);
            }
            prop_assert!(part.lost || *last == (request, fence), "who holds a session has its highest fence");
        }
        for (name, text) in NAMES.iter().enumerate() {
            let seen = joined.attributes().get(text).map(|value| match value {
                AttributeValue::Scalar(Scalar::Integer(value)) => Value::Integer(value),
                AttributeValue::Live(live) => Value::Live(live.downcast::<Living>().unwrap().number),
                other => panic!("unexpected {other:?}"),
            });
            let expected =
                part.view.get(&name).copied().filter(|value| !part.reads || matches!(value, Value::Integer(_)));
            prop_assert_eq!(seen, expected, "attribute {} of request {}", text, request);
        }
        Ok(())
    }
}

/// A reason in the terms of the reference.
pub(super) fn reason(reason: EndReason) -> Reason {
    match reason {
        EndReason::Completed => Reason::Completed,
        EndReason::Idle => Reason::Idle,
        EndReason::Lifetime => Reason::Lifetime,
        EndReason::Terminated => Reason::Terminated,
        EndReason::Killed => Reason::Killed,
        EndReason::OwnerLost => Reason::OwnerLost,
        EndReason::Drained => panic!("nobody has drained"),
    }
}

/// How a request that was refused with that stands.
fn standing(error: &SessionError) -> Standing {
    match error {
        SessionError::NotFound => Standing::NotFound,
        SessionError::Ended { reason: why, .. } => Standing::Ended(reason(*why)),
        SessionError::InUse { .. } => Standing::InUse,
        SessionError::QueueFull { .. } => Standing::QueueFull,
        SessionError::ServerFull { .. } => Standing::ServerFull,
        other => panic!("unexpected {other:?}"),
    }
}
