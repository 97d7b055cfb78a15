//! One attribute on its way to being the session's before its request is complete.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::OwnedSemaphorePermit;

use super::overlay::Begun;
use super::{AttributeError, AttributeSnapshot, AttributeValue, SessionAttributes, StagedAttributes};
use crate::session::SessionError;

/// Makes checkpoints of a session, for the request that holds it: what a manager gives it at the join
/// ([`Participation::checkpoints`](crate::session::Participation::checkpoints)).
#[async_trait]
pub trait Checkpoints: Send + Sync {
    /// Makes the change of a checkpoint to the attributes as last released, and says so ([`Checkpoint::made`]): durably, if the
    /// session is. One that is dropped without that was not made. Dropping the future does not take it back.
    ///
    /// # Errors
    ///
    /// As for a commit; then nothing was changed.
    async fn make(self: Arc<Self>, checkpoint: Checkpoint) -> Result<(), SessionError>;
}

/// The change of one attribute that does not wait for the release.
///
/// The request sees it already, as a change of its own. There is one at a time in each request.
#[must_use = "dropped, it is taken back"]
pub struct Checkpoint {
    attributes: SessionAttributes,
    name: Arc<str>,
    /// `None` once it is made, or taken back.
    begun: Option<Begun>,
    _turn: OwnedSemaphorePermit,
}

impl Checkpoint {
    /// Stages the change, if it may be made at all.
    ///
    /// # Errors
    ///
    /// [`AttributeError`] when it may not.
    pub(super) fn begin(
        attributes: &SessionAttributes,
        name: &str,
        value: AttributeValue,
        turn: OwnedSemaphorePermit,
    ) -> Result<Self, AttributeError> {
        let begun = attributes.change(name)?.begin_checkpoint(name, value, attributes.rules())?;
        Ok(Self { attributes: attributes.clone(), name: name.into(), begun: Some(begun), _turn: turn })
    }

    /// Takes the change, to be made to the attributes as last released. Taken a second time it changes nothing.
    #[must_use]
    pub fn take_change(&mut self) -> StagedAttributes {
        self.begun.as_mut().map(|begun| std::mem::take(&mut begun.alone)).unwrap_or_default()
    }

    /// It is made: those are the attributes as last released from now on.
    pub fn made(mut self, released: AttributeSnapshot) {
        if let Some(begun) = self.begun.take() {
            self.attributes.rebase(&self.name, &begun, released);
        }
    }
}

impl Drop for Checkpoint {
    fn drop(&mut self) {
        if let Some(begun) = self.begun.take() {
            self.attributes.take_back(&self.name, begun);
        }
    }
}

impl fmt::Debug for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Checkpoint").field("name", &self.name).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use parking_lot::Mutex;

    use super::*;
    use crate::block::Scalar;
    use crate::session::{Access, AttributeRules, CloseError, LiveAttribute, SessionHandle};

    /// What a session holds as it was last released.
    struct Released {
        attributes: Mutex<AttributeSnapshot>,
        /// Nothing can be made at the moment.
        is_broken: Mutex<bool>,
    }

    #[async_trait]
    impl Checkpoints for Released {
        async fn make(self: Arc<Self>, mut checkpoint: Checkpoint) -> Result<(), SessionError> {
            if *self.is_broken.lock() {
                return Err(SessionError::Conflict);
            }
            let mut attributes = self.attributes.lock();
            attributes.apply(checkpoint.take_change()).close(SessionHandle::new(uuid::Uuid::nil()));
            checkpoint.made(attributes.clone());
            Ok(())
        }
    }

    /// A request, and the session that it holds.
    fn request(rules: AttributeRules) -> (SessionAttributes, Arc<Released>) {
        let attributes = SessionAttributes::new(AttributeSnapshot::default(), Access::Exclusive, Arc::new(rules));
        let released = Arc::new(Released { attributes: Mutex::default(), is_broken: Mutex::new(false) });
        attributes.keep_checkpoints_in(Arc::clone(&released) as _);
        (attributes, released)
    }

    fn value(number: i64) -> AttributeValue {
        Scalar::Integer(number).into()
    }

    impl Released {
        fn get(&self, name: &str) -> Option<Scalar> {
            self.attributes.lock().get(name).and_then(AttributeValue::scalar)
        }

        /// What the session holds once the request has committed.
        fn commit(&self, request: &SessionAttributes) -> Vec<(String, Option<Scalar>)> {
            let mut attributes = self.attributes.lock();
            let staged = request.finish();
            let totals = staged.totals();
            attributes.apply(staged).close(SessionHandle::new(uuid::Uuid::nil()));
            let counted = (attributes.count(), attributes.byte_size(), attributes.next_order());
            assert_eq!((totals.0, totals.1), (counted.0, counted.1), "the account holds");
            assert!(totals.2 >= counted.2);
            attributes.iter().map(|(name, value)| (name.to_owned(), value.scalar())).collect()
        }
    }

    #[tokio::test]
    async fn a_checkpoint_takes_the_place_of_what_the_request_changed_before() {
        let (request, released) = request(AttributeRules::default());
        request.set("page", Scalar::Integer(1)).unwrap();
        request.set("rows", Scalar::Integer(100)).unwrap();
        request.checkpoint("page", value(2)).await.unwrap();
        assert_eq!((released.get("page"), released.get("rows")), (Some(Scalar::Integer(2)), None));
        assert_eq!(request.get("page").unwrap().scalar(), Some(Scalar::Integer(2)));
        let all = released.commit(&request);
        assert_eq!(all, [("page".into(), Some(Scalar::Integer(2))), ("rows".into(), Some(Scalar::Integer(100)))]);
    }

    #[tokio::test]
    async fn what_the_request_changes_after_it_waits_for_the_release() {
        let (request, released) = request(AttributeRules::default());
        for name in ["set", "removed", "summed"] {
            request.checkpoint(name, value(1)).await.unwrap();
        }
        request.set("set", Scalar::Integer(2)).unwrap();
        assert!(request.remove("removed").unwrap());
        assert_eq!(request.increment("summed", 1), Ok(2));
        assert_eq!(request.count(), 2);
        for name in ["set", "removed", "summed"] {
            assert_eq!(released.get(name), Some(Scalar::Integer(1)), "{name}");
        }
        let all = released.commit(&request);
        assert_eq!(all, [("set".into(), Some(Scalar::Integer(2))), ("summed".into(), Some(Scalar::Integer(2)))]);
    }

    #[tokio::test]
    async fn one_that_is_not_made_leaves_the_request_as_it_was() {
        let (request, released) = request(AttributeRules::default());
        request.checkpoint("released", value(1)).await.unwrap();
        request.checkpoint("removed", value(1)).await.unwrap();
        request.set("staged", Scalar::Integer(1)).unwrap();
        assert!(request.remove("removed").unwrap());
        *released.is_broken.lock() = true;
        for name in ["released", "staged", "removed", "new"] {
            assert_eq!(request.checkpoint(name, value(7)).await, Err(SessionError::Conflict));
        }
        let seen = ["released", "staged", "removed", "new"].map(|name| request.get(name).and_then(|it| it.scalar()));
        assert_eq!(seen, [Some(Scalar::Integer(1)), Some(Scalar::Integer(1)), None, None]);
        assert_eq!(request.count(), 2);
        assert_eq!(released.commit(&request).len(), 2);
    }

    #[tokio::test]
    async fn a_removal_while_it_is_made_is_not_lost() {
        let (request, released) = request(AttributeRules::default());
        let turn = request.turn().await.unwrap();
        let mut checkpoint = Checkpoint::begin(&request, "page", value(1), turn).unwrap();
        assert!(request.remove("page").unwrap());
        released.attributes.lock().apply(checkpoint.take_change()).close(SessionHandle::new(uuid::Uuid::nil()));
        let now = released.attributes.lock().clone();
        checkpoint.made(now);
        assert_eq!((request.get("page").is_none(), request.count()), (true, 0));
        assert_eq!(released.get("page"), Some(Scalar::Integer(1)));
        assert!(released.commit(&request).is_empty());
    }

    #[tokio::test]
    async fn there_has_to_be_room_with_the_changes_of_the_request_and_without() {
        let rules = AttributeRules {
            attributes: Some(2),
            attribute_bytes: Some(20),
            session_bytes: Some(44),
            ..AttributeRules::default()
        };
        let (request, released) = request(rules);
        let refused = |result: Result<(), SessionError>| match result {
            Err(SessionError::Attribute(error)) => error.code(),
            other => panic!("{other:?}"),
        };
        let text = |length: usize| Scalar::Text("x".repeat(length).into());
        assert_eq!(refused(request.checkpoint("a", text(20)).await), "AttributeTooLarge");
        request.checkpoint("a", text(19)).await.unwrap();
        request.checkpoint("b", text(19)).await.unwrap();
        // Those that it removes are there still.
        request.remove("a").unwrap();
        assert_eq!(refused(request.checkpoint("c", text(1)).await), "TooManyAttributes");
        request.checkpoint("b", text(3)).await.unwrap();
        // And those that it adds will be.
        request.set("c", text(1)).unwrap();
        assert_eq!(refused(request.checkpoint("a", text(1)).await), "TooManyAttributes");
        assert_eq!((request.count(), released.attributes.lock().byte_size()), (2, 24));
        released.commit(&request);
    }

    #[tokio::test]
    async fn what_is_alive_is_not_kept_and_not_replaced() {
        #[derive(Debug)]
        struct Cursor;

        impl LiveAttribute for Cursor {
            fn type_name(&self) -> &'static str {
                "cursor"
            }

            fn close(&self) -> Result<(), CloseError> {
                Ok(())
            }
        }

        let (_, released) = request(AttributeRules::default());
        let cursor = || AttributeValue::Live(Arc::new(Cursor));
        *released.attributes.lock() = [("rows", cursor())].into_iter().collect();
        let base = released.attributes.lock().clone();
        let request = SessionAttributes::new(base, Access::Exclusive, Arc::default());
        request.keep_checkpoints_in(Arc::clone(&released) as _);
        for (name, value) in [("rows", value(1)), ("other", cursor())] {
            let needed = "a value that can be stored";
            let refused = AttributeError::WrongType { name: name.into(), found: "cursor", needed };
            assert_eq!(request.checkpoint(name, value).await, Err(refused.into()));
        }
        assert_eq!(request.count(), 1);
    }

    #[tokio::test]
    async fn without_anybody_to_keep_it_a_checkpoint_is_a_change() {
        let request = SessionAttributes::new(AttributeSnapshot::default(), Access::Exclusive, Arc::default());
        request.checkpoint("page", value(1)).await.unwrap();
        assert_eq!(request.finish().changes().count(), 1);
        let released = AttributeError::Released { name: "page".into() };
        assert_eq!(request.checkpoint("page", value(1)).await, Err(released.into()));
    }

    #[tokio::test]
    async fn after_the_release_there_is_none() {
        let (request, _) = request(AttributeRules::default());
        let turn = request.turn().await.unwrap();
        let other = request.clone();
        let waiting = tokio::spawn(async move { other.checkpoint("page", value(1)).await });
        tokio::task::yield_now().await;
        request.finish();
        drop(turn);
        let released = AttributeError::Released { name: "page".into() };
        assert_eq!(waiting.await.unwrap(), Err(released.clone().into()));
        assert_eq!(request.checkpoint("page", value(1)).await, Err(released.into()));
    }
}
