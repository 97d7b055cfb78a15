//! The repeatable requests that run just now.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use parking_lot::Mutex;

use super::Fingerprint;
use crate::session::AnswerScope;

/// The repeatable requests that run just now, by the name of their answers. A clone is the same table.
#[derive(Debug, Clone, Default)]
pub(super) struct InFlight(Arc<Mutex<HashMap<AnswerScope, Running>>>);

/// One of them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Running {
    pub(super) fingerprint: Fingerprint,
    /// Its number, if its client counts.
    pub(super) sequence: Option<u64>,
}

impl InFlight {
    /// Enters a request, until the mark is dropped.
    ///
    /// # Errors
    ///
    /// The one that runs under that name.
    pub(super) fn enter(&self, scope: AnswerScope, request: Running) -> Result<InFlightMark, Running> {
        match self.0.lock().entry(scope) {
            Entry::Occupied(running) => Err(*running.get()),
            Entry::Vacant(place) => {
                place.insert(request);
                Ok(InFlightMark { table: self.clone(), scope })
            }
        }
    }
}

/// A repeatable request runs as long as this is there.
#[derive(Debug)]
pub(super) struct InFlightMark {
    table: InFlight,
    scope: AnswerScope,
}

impl Drop for InFlightMark {
    fn drop(&mut self) {
        self.table.0.lock().remove(&self.scope);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_equal_requests_one_runs_until_it_is_done() {
        // Behaviour 57.
        let table = InFlight::default();
        let request = Running { fingerprint: Fingerprint::of(&[b"a"]), sequence: Some(3) };
        let scope = AnswerScope([1; 32]);
        let mark = table.enter(scope, request).unwrap();
        assert_eq!(table.enter(scope, request).unwrap_err().sequence, Some(3));
        assert!(table.enter(AnswerScope([2; 32]), request).is_ok());
        drop(mark);
        assert!(table.enter(scope, request).is_ok());
    }
}
