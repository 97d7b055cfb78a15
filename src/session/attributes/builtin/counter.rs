use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use crate::block::Scalar;
use crate::document::DocumentError;
use crate::session::{StaticAttributeSettings, StaticSessionAttribute};

/// `rejoin.Counter`: one number for all sessions of a resource, counted up by any number of requests at once. It is the
/// simplest attribute that is a service: it can't be replaced, but it can be used.
///
/// ```
/// use rejoin::session::Counter;
///
/// let counter = Counter::new(0);
/// assert_eq!((counter.next(), counter.next(), counter.current()), (1, 2, 2));
/// ```
#[derive(Debug)]
pub struct Counter(AtomicI64);

impl Counter {
    /// A counter that stands at `start`.
    #[must_use]
    pub fn new(start: i64) -> Self {
        Self(AtomicI64::new(start))
    }

    /// Counts up by one and answers with the new number, which nobody else gets. After the largest it goes on with the
    /// smallest.
    pub fn next(&self) -> i64 {
        self.0.fetch_add(1, Ordering::Relaxed).wrapping_add(1)
    }

    /// The number that it stands at.
    #[must_use]
    pub fn current(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl StaticSessionAttribute for Counter {
    fn type_name(&self) -> &'static str {
        "counter"
    }

    fn scalar(&self) -> Option<Scalar> {
        Some(Scalar::Integer(self.current()))
    }
}

/// Nothing, or `<start>100</start>`
pub(super) fn make(settings: &StaticAttributeSettings<'_>) -> Result<Arc<dyn StaticSessionAttribute>, DocumentError> {
    let mut fields = settings.fields();
    let start = match fields.child("start") {
        Some(start) => start.value()?.integer(i64::MIN..=i64::MAX)?,
        None => 0,
    };
    fields.finish()?;
    Ok(Arc::new(Counter::new(start)))
}
