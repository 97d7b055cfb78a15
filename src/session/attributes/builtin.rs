//! The static attributes that are built in.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use super::{StaticAttributeRegistry, StaticSessionAttribute};
use crate::block::Scalar;
use crate::document::{DocumentError, Element, Fields};

/// The one place where built-in implementations get their names.
pub(super) fn register(registry: &mut StaticAttributeRegistry) {
    registry.register("rejoin.Text", text);
    registry.register("rejoin.Counter", counter);
}

/// The fields of a `sessionAttribute`, its name and its implementation read.
fn content(element: &Element) -> Fields<'_> {
    let mut fields = element.fields();
    fields.attribute("name");
    fields.attribute("impl");
    fields
}

/// A value that never changes.
#[derive(Debug)]
struct Constant(Scalar);

impl StaticSessionAttribute for Constant {
    fn type_name(&self) -> &'static str {
        self.0.scalar_type().name()
    }

    fn scalar(&self) -> Option<Scalar> {
        Some(self.0.clone())
    }
}

/// `rejoin.Text`: `<text>hello</text>`
fn text(element: &Element) -> Result<Arc<dyn StaticSessionAttribute>, DocumentError> {
    let mut fields = content(element);
    let text = fields.required_child("text")?.text()?;
    fields.finish()?;
    Ok(Arc::new(Constant(Scalar::Text((&*text).into()))))
}

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

/// `rejoin.Counter`: nothing, or `<start>100</start>`
fn counter(element: &Element) -> Result<Arc<dyn StaticSessionAttribute>, DocumentError> {
    let mut fields = content(element);
    let start = match fields.child("start") {
        Some(start) => start.value()?.integer(i64::MIN..=i64::MAX)?,
        None => 0,
    };
    fields.finish()?;
    Ok(Arc::new(Counter::new(start)))
}
