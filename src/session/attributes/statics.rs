//! Static attributes: read-only values of the configuration that every session has.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, Weak};

use super::{StaticAttributeSettings, builtin};
use crate::block::Scalar;
use crate::document::{DocumentError, StaticAttributeConfiguration, unknown_name};

/// A value that stands in the configuration and that every session of a resource has, implicit sessions included: a text, a
/// counter, a transaction manager.
///
/// There is one instance for all sessions of the resource, used by many requests at once. The attribute can't be replaced;
/// what its methods do is its own affair.
pub trait StaticSessionAttribute: Any + Send + Sync + fmt::Debug {
    /// The name of its type, as lists of attributes show it.
    fn type_name(&self) -> &'static str;

    /// What it reads as, where it reads as anything.
    fn scalar(&self) -> Option<Scalar> {
        None
    }

    /// Looks whether something outside that it was made from has changed: a file, say. A running service asks about once a
    /// second, on a thread that may block; one call at a time.
    fn refresh(&self) {}

    /// Lets go of what it holds. Called once, when the manager and the last session that had it are gone, after everything that
    /// stands below it in the configuration. It must not block.
    fn close(&self) {}
}

impl dyn StaticSessionAttribute {
    /// The value as the type that it is; `None` when it is another.
    #[must_use]
    pub fn downcast<T: StaticSessionAttribute>(self: Arc<Self>) -> Option<Arc<T>> {
        let any: Arc<dyn Any + Send + Sync> = self;
        any.downcast().ok()
    }
}

/// Makes static attributes of one implementation. A function of the same form is one, too.
pub trait StaticAttributeFactory: Send + Sync {
    /// Makes the value that a `sessionAttribute` element describes. On a thread that may block.
    ///
    /// # Errors
    ///
    /// [`DocumentError`] with the place of what can't be read.
    fn make(&self, settings: &StaticAttributeSettings<'_>) -> Result<Arc<dyn StaticSessionAttribute>, DocumentError>;
}

impl<F> StaticAttributeFactory for F
where
    F: Fn(&StaticAttributeSettings<'_>) -> Result<Arc<dyn StaticSessionAttribute>, DocumentError> + Send + Sync,
{
    fn make(&self, settings: &StaticAttributeSettings<'_>) -> Result<Arc<dyn StaticSessionAttribute>, DocumentError> {
        self(settings)
    }
}

/// The implementations of static attributes, by the name that `impl` gives.
#[derive(Clone)]
pub struct StaticAttributeRegistry {
    factories: BTreeMap<Box<str>, Arc<dyn StaticAttributeFactory>>,
}

impl StaticAttributeRegistry {
    /// A registry of nothing.
    #[must_use]
    pub fn empty() -> Self {
        Self { factories: BTreeMap::new() }
    }

    /// Adds an implementation, or replaces the one of that name.
    pub fn register(&mut self, implementation: &str, factory: impl StaticAttributeFactory + 'static) {
        self.factories.insert(implementation.into(), Arc::new(factory));
    }

    /// The names of the implementations.
    pub fn implementations(&self) -> impl Iterator<Item = &str> {
        self.factories.keys().map(|name| &**name)
    }

    /// Makes the configured attributes, in their order. Locations in them are relative to `folder`.
    ///
    /// # Errors
    ///
    /// One [`DocumentError`] for each attribute whose implementation is unknown, whose name stands twice, or whose
    /// implementation refuses its element.
    pub fn make(
        &self,
        configured: &[StaticAttributeConfiguration],
        folder: &Path,
    ) -> Result<StaticAttributes, Vec<DocumentError>> {
        self.make_again(configured, folder, &StaticAttributes::default())
    }

    /// Makes the attributes of a changed configuration. One that stands in it as before (name, implementation and element)
    /// is taken over from `before`: it is the same instance.
    ///
    /// # Errors
    ///
    /// As for [`StaticAttributeRegistry::make`].
    pub fn make_again(
        &self,
        configured: &[StaticAttributeConfiguration],
        folder: &Path,
        before: &StaticAttributes,
    ) -> Result<StaticAttributes, Vec<DocumentError>> {
        let mut made = Made::default();
        let mut errors = Vec::new();
        for attribute in configured {
            match self.instance(attribute, folder, before, &made) {
                Ok(instance) => made.add(&attribute.name, instance),
                Err(error) => errors.push(error),
            }
        }
        if errors.is_empty() { Ok(StaticAttributes(Arc::new(made))) } else { Err(errors) }
    }

    fn instance(
        &self,
        attribute: &StaticAttributeConfiguration,
        folder: &Path,
        before: &StaticAttributes,
        above: &Made,
    ) -> Result<Arc<Instance>, DocumentError> {
        if above.by_name.contains_key(&*attribute.name) {
            let message = format!("a static session attribute `{}` stands above already", attribute.name);
            return Err(DocumentError::invalid(attribute.position, message));
        }
        if let Some(instance) = before.instance_of(attribute) {
            return Ok(instance);
        }
        let factory = self.factories.get(&*attribute.implementation).ok_or_else(|| {
            let what = "implementation of static session attributes";
            let position =
                attribute.element.attribute_value("impl").map_or(attribute.position, |value| value.position());
            DocumentError::invalid(position, unknown_name(what, &attribute.implementation, self.implementations()))
        })?;
        let value = factory.make(&StaticAttributeSettings::new(&attribute.element, folder))?;
        Ok(Arc::new(Instance { value, configured: Some(attribute.clone()) }))
    }
}

impl Default for StaticAttributeRegistry {
    /// The registry of the built-in implementations.
    fn default() -> Self {
        let mut registry = Self::empty();
        builtin::register(&mut registry);
        registry
    }
}

impl fmt::Debug for StaticAttributeRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.implementations()).finish()
    }
}

/// The static attributes of a resource. A clone shares them.
///
/// An instance may be in several sets: one that a changed configuration leaves as it is goes over into the new one. It is
/// closed when the last set that has it is gone; those of one set in reverse order.
#[derive(Debug, Clone, Default)]
pub struct StaticAttributes(Arc<Made>);

/// Static attributes that may be gone.
#[derive(Debug, Clone)]
pub(crate) struct WeakStaticAttributes(Weak<Made>);

#[derive(Debug, Default)]
struct Made {
    by_name: BTreeMap<Box<str>, Arc<dyn StaticSessionAttribute>>,
    in_order: Vec<Arc<Instance>>,
}

/// One value, for all the sets that it is in.
#[derive(Debug)]
struct Instance {
    value: Arc<dyn StaticSessionAttribute>,
    /// What it was made from, if that was a document.
    configured: Option<StaticAttributeConfiguration>,
}

impl Made {
    fn add(&mut self, name: &str, instance: Arc<Instance>) {
        self.by_name.insert(name.into(), Arc::clone(&instance.value));
        self.in_order.push(instance);
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        while let Some(instance) = self.in_order.pop() {
            drop(instance);
        }
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        if catch_unwind(AssertUnwindSafe(|| self.value.close())).is_err() {
            tracing::error!(attribute = self.value.type_name(), "closing a static session attribute panicked");
        }
    }
}

impl WeakStaticAttributes {
    /// The attributes, if anybody still has them.
    pub(crate) fn upgrade(&self) -> Option<StaticAttributes> {
        self.0.upgrade().map(StaticAttributes)
    }
}

impl StaticAttributes {
    /// The attributes of a program that configures them without a document.
    ///
    /// A later one of the same name takes the place of an earlier one.
    #[must_use]
    pub fn new<'a>(values: impl IntoIterator<Item = (&'a str, Arc<dyn StaticSessionAttribute>)>) -> Self {
        let mut made = Made::default();
        for (name, value) in values {
            made.add(name, Arc::new(Instance { value, configured: None }));
        }
        Self(Arc::new(made))
    }

    fn instance_of(&self, configured: &StaticAttributeConfiguration) -> Option<Arc<Instance>> {
        self.0.in_order.iter().find(|instance| instance.configured.as_ref() == Some(configured)).cloned()
    }

    pub(crate) fn downgrade(&self) -> WeakStaticAttributes {
        WeakStaticAttributes(Arc::downgrade(&self.0))
    }

    /// Lets every attribute look whether what it was made from has changed: see [`StaticSessionAttribute::refresh`].
    pub fn refresh(&self) {
        for instance in &self.0.in_order {
            if catch_unwind(AssertUnwindSafe(|| instance.value.refresh())).is_err() {
                tracing::error!(
                    attribute = instance.value.type_name(),
                    "refreshing a static session attribute panicked"
                );
            }
        }
    }

    /// The value of an attribute.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Arc<dyn StaticSessionAttribute>> {
        self.0.by_name.get(name)
    }

    /// All attributes, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Arc<dyn StaticSessionAttribute>)> {
        self.0.by_name.iter().map(|(name, value)| (&**name, value))
    }
}

#[cfg(test)]
mod tests {
    use parking_lot::Mutex;

    use super::*;

    #[derive(Debug)]
    struct Service(u8, Arc<Mutex<Vec<u8>>>);

    impl StaticSessionAttribute for Service {
        fn type_name(&self) -> &'static str {
            "service"
        }

        fn close(&self) {
            self.1.lock().push(self.0);
        }
    }

    #[test]
    fn static_attributes_are_closed_in_reverse_order_when_the_last_user_is_gone() {
        let closed = Arc::new(Mutex::new(Vec::new()));
        let service = |number| -> Arc<dyn StaticSessionAttribute> { Arc::new(Service(number, Arc::clone(&closed))) };
        let statics = StaticAttributes::new([("b", service(1)), ("c", service(2)), ("a", service(3))]);
        let user = statics.clone();
        drop(statics);
        assert!(closed.lock().is_empty());
        drop(user);
        assert_eq!(*closed.lock(), [3, 2, 1]);
    }

    #[test]
    fn a_value_is_reached_by_name_and_type() {
        let service: Arc<dyn StaticSessionAttribute> = Arc::new(Service(7, Arc::default()));
        let statics = StaticAttributes::new([("service", service)]);
        let value = Arc::clone(statics.get("service").unwrap());
        assert_eq!(value.downcast::<Service>().unwrap().0, 7);
        assert!(Arc::clone(statics.get("service").unwrap()).downcast::<super::super::Counter>().is_none());
        assert!(statics.get("other").is_none());
    }

    #[test]
    fn a_program_adds_implementations_of_its_own() {
        let mut registry = StaticAttributeRegistry::default();
        registry.register(
            "example.Service",
            |_: &StaticAttributeSettings<'_>| -> Result<Arc<dyn StaticSessionAttribute>, DocumentError> {
                Ok(Arc::new(Service(1, Arc::default())))
            },
        );
        let known: Vec<_> = registry.implementations().collect();
        assert_eq!(known[..2], ["example.Service", "rejoin.Counter"]);
    }
}
