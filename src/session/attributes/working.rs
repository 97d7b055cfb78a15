//! The attributes of a session as one request works on them.

use std::fmt;
use std::sync::{Arc, OnceLock};

use parking_lot::{Mutex, MutexGuard};
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};

use super::overlay::{Begun, Overlay};
use super::summary::summaries;
use super::transactions::Transactions;
use super::{
    AttributeError, AttributeRules, AttributeSnapshot, AttributeSummary, AttributeValue, Checkpoint, Checkpoints,
    LiveAttribute, StagedAttributes, StaticSessionAttribute, StoredStream,
};
use crate::block::Scalar;
use crate::session::{Access, SessionError};

/// The attributes of the session that a request has joined, with the request's own changes.
///
/// Cheap to clone; the activities of a request use it side by side. What one sets the others see at once, other requests
/// only after the release. After the release it holds nothing, and nothing can be changed through it.
///
/// ```
/// use rejoin::block::Scalar;
/// use rejoin::session::{Access, AttributeSnapshot, SessionAttributes};
///
/// let attributes = SessionAttributes::new(AttributeSnapshot::default(), Access::Exclusive, Default::default());
/// attributes.set("town", Scalar::Text("Perth".into()))?;
/// assert_eq!(attributes.increment("visits", 1)?, 1);
/// assert_eq!(attributes.count(), 2);
/// # Ok::<(), rejoin::session::AttributeError>(())
/// ```
#[derive(Debug, Clone)]
pub struct SessionAttributes {
    shared: Arc<Shared>,
}

struct Shared {
    access: Access,
    rules: Arc<AttributeRules>,
    working: Mutex<Overlay>,
    /// What makes checkpoints until the release, if anything does.
    checkpoints: Mutex<Option<Arc<dyn Checkpoints>>>,
    /// One checkpoint is made after the other. Most requests make none.
    turns: OnceLock<Arc<Semaphore>>,
    transactions: Mutex<Transactions>,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { access, rules, working, .. } = self;
        let shared = &mut f.debug_struct("Shared");
        shared.field("access", access).field("rules", rules).field("working", working).finish_non_exhaustive()
    }
}

impl SessionAttributes {
    /// The attributes of `base`, for one request to work on: what a session manager makes at a join.
    #[must_use]
    pub fn new(base: AttributeSnapshot, access: Access, rules: Arc<AttributeRules>) -> Self {
        let working = Mutex::new(Overlay::new(base));
        let (checkpoints, turns, transactions) = (Mutex::default(), OnceLock::new(), Mutex::default());
        Self { shared: Arc::new(Shared { access, rules, working, checkpoints, turns, transactions }) }
    }

    /// Whether the request may change anything.
    #[must_use]
    pub fn access(&self) -> Access {
        self.shared.access
    }

    /// The value of an attribute, static ones included. With read access there is nothing alive: that belongs to the request
    /// that holds the session.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<AttributeValue> {
        if let Some(value) = self.shared.rules.statics.get(name) {
            return Some(AttributeValue::Static(Arc::clone(value)));
        }
        let working = self.shared.working.lock();
        match working.get(name)? {
            AttributeValue::Live(_) if self.shared.access == Access::Read => None,
            value => Some(value.clone()),
        }
    }

    /// The static attribute of that name, as the type that it is: for an activity that is configured to work with one.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use rejoin::session::{
    ///     Access, AttributeRules, AttributeSnapshot, Counter, SessionAttributes, StaticAttributes, StaticSessionAttribute,
    /// };
    ///
    /// let tickets: Arc<dyn StaticSessionAttribute> = Arc::new(Counter::new(100));
    /// let rules = AttributeRules { statics: StaticAttributes::new([("tickets", tickets)]), ..Default::default() };
    /// let session = SessionAttributes::new(AttributeSnapshot::default(), Access::Exclusive, Arc::new(rules));
    /// assert_eq!(session.static_attribute::<Counter>("tickets")?.next(), 101);
    /// # Ok::<(), rejoin::session::AttributeError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`AttributeError::NotConfigured`] when the configuration has none of that name, [`AttributeError::OtherType`] when it is
    /// something else.
    pub fn static_attribute<T: StaticSessionAttribute>(&self, name: &str) -> Result<Arc<T>, AttributeError> {
        let Some(value) = self.shared.rules.statics.get(name) else {
            return Err(AttributeError::NotConfigured { name: name.into() });
        };
        Arc::clone(value).downcast().ok_or_else(|| AttributeError::OtherType {
            name: name.into(),
            found: value.type_name(),
            needed: short_type_name::<T>(),
        })
    }

    /// The first static attribute of that type, in the order of the configuration; `None` when there is none.
    #[must_use]
    pub fn first_static<T: StaticSessionAttribute>(&self) -> Option<Arc<T>> {
        self.shared.rules.statics.iter().find_map(|(_, value)| Arc::clone(value).downcast())
    }

    /// Whether there is such an attribute.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.shared.rules.statics.get(name).is_some() || self.shared.working.lock().get(name).is_some()
    }

    /// How many attributes there are, static ones included.
    #[must_use]
    pub fn count(&self) -> usize {
        let (statics, working) = (&self.shared.rules.statics, self.shared.working.lock());
        statics.iter().count() + working.count() - working.hidden_by(statics)
    }

    /// The attributes by name, static ones included.
    #[must_use]
    pub fn list(&self) -> Vec<AttributeSummary> {
        let working = self.shared.working.lock();
        summaries(&self.shared.rules.statics, working.iter())
    }

    /// Sets an attribute, whatever it was before.
    ///
    /// # Errors
    ///
    /// [`AttributeError`] when it can't be changed or the value is too large; the attribute is as it was.
    pub fn set(&self, name: &str, value: impl Into<AttributeValue>) -> Result<(), AttributeError> {
        let value = value.into();
        if matches!(value, AttributeValue::Static(_)) {
            return Err(AttributeError::NotStorable { name: name.into() });
        }
        self.change(name)?.set(name, value, &self.shared.rules)
    }

    /// Whether a value of that many bytes may become an attribute at all: for whoever gathers it piece by piece.
    ///
    /// # Errors
    ///
    /// [`AttributeError::TooLarge`] when it is more than an attribute may have.
    pub fn check_size(&self, name: &str, bytes: u64) -> Result<(), AttributeError> {
        self.shared.rules.check_size(name, bytes)
    }

    /// Appends the blocks of a stream to the stream that the attribute holds, or makes it from them when there is none.
    ///
    /// # Errors
    ///
    /// [`AttributeError::WrongType`] when the attribute is no stream or one of another type; otherwise as for
    /// [`SessionAttributes::set`].
    pub fn append(&self, name: &str, stream: &StoredStream) -> Result<(), AttributeError> {
        let mut working = self.change(name)?;
        let value = match working.get(name) {
            None => stream.clone(),
            Some(value) => {
                let wrong_type = AttributeError::WrongType {
                    name: name.into(),
                    found: value.type_name(),
                    needed: "a stream of the same type",
                };
                let AttributeValue::Stream(whole) = value else { return Err(wrong_type) };
                let mut whole = whole.clone();
                whole.append(stream).map_err(|_| wrong_type)?;
                whole
            }
        };
        working.set(name, value.into(), &self.shared.rules)
    }

    /// Removes an attribute. Answers whether there was one.
    ///
    /// # Errors
    ///
    /// [`AttributeError`] when it can't be changed.
    pub fn remove(&self, name: &str) -> Result<bool, AttributeError> {
        let mut working = self.change(name)?;
        let (was_there, replaced) = working.remove(name);
        drop(working);
        drop(replaced);
        Ok(was_there)
    }

    /// Sets a value in the place of something alive, or removes it: for whoever ends it, also where
    /// [others may not](LiveAttribute::ended_by). Answers whether it was there still.
    ///
    /// # Errors
    ///
    /// As for [`SessionAttributes::set`].
    pub fn replace_live(
        &self,
        name: &str,
        live: &Arc<dyn LiveAttribute>,
        instead: Option<AttributeValue>,
    ) -> Result<bool, AttributeError> {
        let mut working = self.open(name)?;
        if !working.get(name).is_some_and(|value| value.is_same_live(live)) {
            return Ok(false);
        }
        match instead {
            Some(value) => working.set(name, value, &self.shared.rules)?,
            None => {
                let (_, replaced) = working.remove(name);
                drop(working);
                drop(replaced);
            }
        }
        Ok(true)
    }

    /// Adds to an attribute that is an integer and answers with the sum. One that is not there counts from 0. Activities of
    /// one request may do this side by side: nothing is lost.
    ///
    /// # Errors
    ///
    /// [`AttributeError::WrongType`] when the attribute is something else, [`AttributeError::Overflow`] when the sum is out of
    /// range; otherwise as for [`SessionAttributes::set`].
    pub fn increment(&self, name: &str, by: i64) -> Result<i64, AttributeError> {
        let mut working = self.change(name)?;
        let old = match working.get(name) {
            None => 0,
            Some(AttributeValue::Scalar(Scalar::Integer(old))) => *old,
            Some(other) => {
                let found = other.type_name();
                return Err(AttributeError::WrongType { name: name.into(), found, needed: "an integer" });
            }
        };
        let sum = old.checked_add(by).ok_or_else(|| AttributeError::Overflow { name: name.into() })?;
        working.set(name, Scalar::Integer(sum).into(), &self.shared.rules)?;
        Ok(sum)
    }

    /// Makes one attribute the session's at once, whatever becomes of the request: as if it was last released with it. A request
    /// that reads the session sees it from now on, and so does whoever follows if this one fails. When that is said, the value is
    /// as safe as a release would make it.
    ///
    /// It takes the place of what the request changed of the attribute before; what it changes of it afterwards waits for the
    /// release. In a session that ends with its request it is a change like any other.
    ///
    /// ```
    /// # use rejoin::block::Scalar;
    /// # use rejoin::session::{SessionAttributes, SessionError};
    /// async fn next_page(session: &SessionAttributes, page: i64) -> Result<(), SessionError> {
    ///     // Should the process be lost from here on, it goes on with this page.
    ///     session.checkpoint("page", Scalar::Integer(page)).await
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// [`SessionError::Attribute`] when the attribute can't be changed, is or becomes something alive, or there is no room for it;
    /// otherwise as for a release: the session has ended, was lost, the request is to stop, or the store fails. Nothing has
    /// changed then.
    pub async fn checkpoint(&self, name: &str, value: impl Into<AttributeValue> + Send) -> Result<(), SessionError> {
        let value = value.into();
        if matches!(value, AttributeValue::Static(_)) {
            return Err(AttributeError::NotStorable { name: name.into() }.into());
        }
        let checkpoints = self.shared.checkpoints.lock().clone();
        let Some(checkpoints) = checkpoints else { return Ok(self.set(name, value)?) };
        // What can't be changed at all need not wait to hear so.
        drop(self.change(name)?);
        let turn = self.turn().await.map_err(|_| AttributeError::Released { name: name.into() })?;
        let checkpoint = Checkpoint::begin(self, name, value, turn)?;
        checkpoints.make(checkpoint).await
    }

    /// The turn to make a checkpoint. There is none any more after the release.
    pub(super) async fn turn(&self) -> Result<OwnedSemaphorePermit, AcquireError> {
        let turns = self.shared.turns.get_or_init(|| Arc::new(Semaphore::new(1)));
        Arc::clone(turns).acquire_owned().await
    }

    /// From now on checkpoints are made there.
    pub(in crate::session) fn keep_checkpoints_in(&self, checkpoints: Arc<dyn Checkpoints>) {
        *self.shared.checkpoints.lock() = Some(checkpoints);
    }

    /// A checkpoint is made.
    pub(super) fn rebase(&self, name: &str, begun: &Begun, released: AttributeSnapshot) {
        let before = self.shared.working.lock().rebase(name, begun, released);
        drop(before);
    }

    /// A checkpoint is not made.
    pub(super) fn take_back(&self, name: &str, begun: Begun) {
        self.shared.working.lock().take_back(name, begun);
    }

    pub(super) fn rules(&self) -> &AttributeRules {
        &self.shared.rules
    }

    /// Ends the work on the attributes and hands over what was changed: what [`Joined`](crate::session::Joined) does at the
    /// release. Afterwards there is nothing in it, whoever still has a clone.
    pub(in crate::session) fn finish(&self) -> StagedAttributes {
        let (staged, base) = self.shared.working.lock().finish();
        let checkpoints = self.shared.checkpoints.lock().take();
        if let Some(turns) = self.shared.turns.get() {
            turns.close();
        }
        drop((base, checkpoints));
        staged
    }

    /// What the request has to do with transactions.
    pub(super) fn transactions(&self) -> MutexGuard<'_, Transactions> {
        self.shared.transactions.lock()
    }

    /// The working copy, if the attribute may be changed by whoever knows its name.
    pub(super) fn change(&self, name: &str) -> Result<MutexGuard<'_, Overlay>, AttributeError> {
        let working = self.open(name)?;
        if let Some(AttributeValue::Live(live)) = working.get(name)
            && let Some(ended_by) = live.ended_by()
        {
            return Err(AttributeError::Held { name: name.into(), found: live.type_name(), ended_by });
        }
        Ok(working)
    }

    /// The working copy, if the attribute may be changed at all.
    fn open(&self, name: &str) -> Result<MutexGuard<'_, Overlay>, AttributeError> {
        if self.shared.rules.statics.get(name).is_some() {
            return Err(AttributeError::Static { name: name.into() });
        }
        if self.shared.access == Access::Read {
            return Err(AttributeError::ReadAccess { name: name.into() });
        }
        let working = self.shared.working.lock();
        if working.is_released() {
            return Err(AttributeError::Released { name: name.into() });
        }
        Ok(working)
    }
}

/// The name of a type without its path.
fn short_type_name<T>() -> &'static str {
    let name = std::any::type_name::<T>();
    name.rsplit("::").next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block::{Block, StreamType};
    use crate::session::{Counter, SessionHandle, StaticSessionAttribute};

    fn fresh() -> SessionAttributes {
        over(AttributeSnapshot::default())
    }

    fn over(base: AttributeSnapshot) -> SessionAttributes {
        SessionAttributes::new(base, Access::Exclusive, Arc::default())
    }

    /// Commits, and answers with what the next request sees.
    fn next(attributes: &SessionAttributes, mut base: AttributeSnapshot) -> AttributeSnapshot {
        base.apply(attributes.finish()).close(SessionHandle::new(uuid::Uuid::nil()));
        base
    }

    fn names(attributes: &SessionAttributes) -> Vec<(Box<str>, &'static str)> {
        attributes.list().into_iter().map(|attribute| (attribute.name, attribute.type_name)).collect()
    }

    fn text(texts: &[&'static str]) -> StoredStream {
        let mut stream = StoredStream::new(StreamType::Text);
        for text in texts {
            stream.push(Block::Text((*text).into())).unwrap();
        }
        stream
    }

    #[test]
    fn a_request_sees_its_own_changes_over_what_was_there() {
        // Behaviour 39.
        let first = fresh();
        first.set("b", Scalar::Boolean(true)).unwrap();
        first.set("d", Scalar::Real(0.5)).unwrap();
        first.set("a", Scalar::Xml("<x/>".into())).unwrap();
        let base = next(&first, AttributeSnapshot::default());
        let second = over(base.clone());
        second.set("c", text(&["x"])).unwrap();
        assert!(second.remove("b").unwrap());
        assert!(!second.remove("b").unwrap());
        second.set("a", Scalar::Text("y".into())).unwrap();
        second.set("e", Scalar::Integer(1)).unwrap();
        assert!(second.remove("e").unwrap());
        let expected = [("a".into(), "text"), ("c".into(), "text"), ("d".into(), "real")];
        assert_eq!(names(&second), expected);
        assert_eq!((second.count(), second.contains("b"), second.contains("c")), (3, false, true));
        let third = over(next(&second, base.clone()));
        assert_eq!(names(&third), expected);
        assert_eq!(names(&over(base)).len(), 3, "a snapshot that somebody has does not change");
    }

    #[test]
    fn bytes_and_count_follow_every_change() {
        let mut base = AttributeSnapshot::default();
        for (text, bytes, count) in [(Some("four"), 5, 1), (Some("seven"), 6, 1), (None, 0, 0), (None, 0, 0)] {
            let request = over(base.clone());
            match text {
                Some(text) => request.set("a", Scalar::Text(text.into())).unwrap(),
                None => drop(request.remove("a").unwrap()),
            }
            base = next(&request, base);
            assert_eq!((base.byte_size(), base.count()), (bytes, count), "{text:?}");
        }
    }

    #[test]
    fn an_increment_needs_an_integer_and_room_for_the_sum() {
        let attributes = fresh();
        assert_eq!(attributes.increment("n", 5), Ok(5));
        assert_eq!(attributes.increment("n", -7), Ok(-2));
        attributes.set("n", Scalar::Integer(i64::MAX)).unwrap();
        assert_eq!(attributes.increment("n", 1), Err(AttributeError::Overflow { name: "n".into() }));
        assert_eq!(attributes.increment("n", 0), Ok(i64::MAX));
        attributes.set("n", Scalar::Text("3".into())).unwrap();
        let wrong = AttributeError::WrongType { name: "n".into(), found: "text", needed: "an integer" };
        assert_eq!(attributes.increment("n", 1), Err(wrong));
    }

    #[test]
    fn a_stream_is_appended_to_a_stream_of_its_type() {
        let attributes = fresh();
        attributes.append("s", &text(&["a"])).unwrap();
        attributes.append("s", &text(&["b", "c"])).unwrap();
        let Some(AttributeValue::Stream(whole)) = attributes.get("s") else { panic!("no stream") };
        assert_eq!(whole.block_count(), 3);
        attributes.append("s", &StoredStream::new(StreamType::Text)).unwrap();
        let wrong = |found| AttributeError::WrongType { name: "s".into(), found, needed: "a stream of the same type" };
        let mut bytes = StoredStream::new(StreamType::Bytes);
        bytes.push(Block::Bytes(bytes::Bytes::from_static(b"x"))).unwrap();
        assert_eq!(attributes.append("s", &bytes), Err(wrong("text")));
        attributes.set("s", Scalar::Text("a".into())).unwrap();
        assert_eq!(attributes.append("s", &text(&["a"])), Err(wrong("text")));
    }

    #[test]
    fn a_static_value_is_not_kept_under_another_name() {
        let counter: Arc<dyn StaticSessionAttribute> = Arc::new(Counter::new(0));
        let refused = AttributeError::NotStorable { name: "mine".into() };
        assert_eq!(fresh().set("mine", AttributeValue::Static(counter)), Err(refused));
    }

    #[test]
    fn what_does_not_fit_leaves_everything_as_it_was() {
        // Behaviour 40.
        let rules = AttributeRules { attribute_bytes: Some(40), ..AttributeRules::default() };
        let attributes = SessionAttributes::new(AttributeSnapshot::default(), Access::Exclusive, Arc::new(rules));
        attributes.set("n", Scalar::Integer(1)).unwrap();
        assert!(matches!(
            attributes.set("n", Scalar::Text("x".repeat(40).into())),
            Err(AttributeError::TooLarge { .. })
        ));
        assert!(matches!(attributes.append("s", &text(&["x"])), Err(AttributeError::TooLarge { .. })));
        assert_eq!(attributes.increment("n", 1), Ok(2));
        assert_eq!(attributes.count(), 1);
    }
}
