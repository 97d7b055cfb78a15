//! The static attributes that are built in.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use super::{StaticAttributeRegistry, StaticSessionAttribute};
use crate::block::Scalar;
use crate::document::{DocumentError, Element, Fields};

/// The one place where built-in implementations get their names.
pub(super) fn register(registry: &mut StaticAttributeRegistry) {
    registry.register("rejoin.Text", text);
    registry.register("rejoin.Xml", xml);
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

/// `rejoin.Xml`: any one element, as it stands
fn xml(element: &Element) -> Result<Arc<dyn StaticSessionAttribute>, DocumentError> {
    let mut fields = content(element);
    let Some(child) = fields.any_child() else {
        return Err(DocumentError::invalid(element.position(), "`rejoin.Xml` needs an element inside"));
    };
    fields.finish()?;
    let text = child.to_xml().map_err(|error| DocumentError::invalid(child.position(), error.to_string()))?;
    Ok(Arc::new(Constant(Scalar::Xml(text.into()))))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Limits, StaticAttributeConfiguration};
    use crate::session::StaticAttributes;

    const NAMESPACE: &str = "xmlns='http://ogsadai.org.uk/namespaces/2005/10/config'";

    /// What a registry makes of an element that stands in the third line.
    fn made(implementation: &str, content: &str) -> Result<StaticAttributes, DocumentError> {
        let text =
            format!("\n\n<sessionAttribute {NAMESPACE} name='a' impl='{implementation}'>{content}</sessionAttribute>");
        let element = Element::parse(text.as_bytes(), &Limits::default())?;
        let position = element.position();
        let (name, implementation) = ("a".into(), implementation.into());
        let configured = StaticAttributeConfiguration { name, implementation, element, position };
        StaticAttributeRegistry::default().make(&[configured])
    }

    fn value(implementation: &str, content: &str) -> (&'static str, Option<Scalar>) {
        let statics = made(implementation, content).unwrap();
        let value = statics.get("a").unwrap();
        (value.type_name(), value.scalar())
    }

    #[test]
    fn built_in_attributes_are_what_their_elements_say() {
        // Behaviour 38: values come from the configuration.
        assert_eq!(value("rejoin.Text", "<text>hello</text>"), ("text", Some(Scalar::Text("hello".into()))));
        assert_eq!(value("rejoin.Counter", ""), ("counter", Some(Scalar::Integer(0))));
        assert_eq!(value("rejoin.Counter", "<start>-7</start>"), ("counter", Some(Scalar::Integer(-7))));
        let (type_name, Some(Scalar::Xml(xml))) = value("rejoin.Xml", "<menu><item price='3'>tea</item></menu>") else {
            panic!("no XML");
        };
        assert_eq!(type_name, "xml");
        assert!(xml.contains("<item price=\"3\">tea</item>"), "{xml}");
        Element::parse(xml.as_bytes(), &Limits::default()).unwrap();
    }

    #[test]
    fn what_an_implementation_cannot_read_is_refused_with_its_place() {
        for (implementation, content, message) in [
            ("rejoin.Text", "<txt>hello</txt>", "text"),
            ("rejoin.Text", "", "text"),
            ("rejoin.Counter", "<start>three</start>", "three"),
            ("rejoin.Counter", "<stop/>", "stop"),
            ("rejoin.Xml", "", "element inside"),
            ("rejoin.Xml", "<a/><b/>", "`b`"),
            ("rejoin.Txt", "", "did you mean `rejoin.Text`?; there are rejoin.Counter, rejoin.Text, rejoin.Xml"),
        ] {
            let error = made(implementation, content).unwrap_err();
            assert_eq!(error.position().line, 3, "{error}");
            assert!(error.message().contains(message), "{error}");
        }
    }
}
