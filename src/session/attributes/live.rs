//! Attribute values that are alive: a cursor, an open transaction.

use std::any::Any;
use std::error::Error;
use std::fmt;
use std::sync::Arc;

/// What can go wrong when something is closed: logged, with the session's handle, and never lost.
pub type CloseError = Box<dyn Error + Send + Sync>;

/// A value that holds something of the outside world: an open transaction, a cursor.
///
/// It lives in the memory of one process. When the session ends, however it ends, or when the attribute is replaced or
/// removed by a request that commits, or was set by a request that does not, it is closed: once, after everything that was
/// created later in the session.
///
/// Only the request that holds the session sees it; a request with read access does not.
pub trait LiveAttribute: Any + Send + Sync + fmt::Debug {
    /// The name of its type, as lists of attributes show it: `transaction`, `cursor`.
    fn type_name(&self) -> &'static str;

    /// Lets go of what it holds. Whatever takes long goes on elsewhere: this may be called on a thread of the async runtime
    /// and does not block.
    ///
    /// # Errors
    ///
    /// Whatever went wrong; it is logged, and closing goes on with the next attribute.
    fn close(&self) -> Result<(), CloseError>;

    /// The activity that alone ends it, if there is one. Then no other sets a value in its place or removes it, whatever name a
    /// client gives: only whoever has it does, by [`SessionAttributes::replace_live`](super::SessionAttributes::replace_live).
    fn ended_by(&self) -> Option<&'static str> {
        None
    }
}

impl dyn LiveAttribute {
    /// The value as the type that it is; `None` when it is another.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// use rejoin::session::{CloseError, LiveAttribute};
    ///
    /// #[derive(Debug)]
    /// struct Cursor { next_row: u64 }
    ///
    /// impl LiveAttribute for Cursor {
    ///     fn type_name(&self) -> &'static str { "cursor" }
    ///     fn close(&self) -> Result<(), CloseError> { Ok(()) }
    /// }
    ///
    /// let live: Arc<dyn LiveAttribute> = Arc::new(Cursor { next_row: 7 });
    /// let cursor: Arc<Cursor> = live.downcast().unwrap();
    /// assert_eq!(cursor.next_row, 7);
    /// ```
    #[must_use]
    pub fn downcast<T: LiveAttribute>(self: Arc<Self>) -> Option<Arc<T>> {
        let any: Arc<dyn Any + Send + Sync> = self;
        any.downcast().ok()
    }
}
