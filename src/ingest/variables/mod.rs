//! From settings and values to a request.
//!
//! A *variable* has a name and a value: a parameter, a column of the secondary input, a value of the page. Templates name them,
//! `{{id}}`, and parameters go with the request by themselves. [`compose()`] knows no clock and sends nothing: equal settings and
//! values make equal requests.
//!
//! # What becomes of a parameter
//!
//! 1. Variables inside of its value are filled in, in the tree of its JSON: what a value holds can't end a text or begin a
//!    member. Values that come from outside are never looked through for variables.
//! 2. Headers take what their templates name, then the URI does. What was taken is not sent again.
//! 3. The rest goes where its own `in` says, or else where the method does: GET and HEAD into the query, POST, PUT, PATCH and
//!    DELETE into the body, as a form if the content type is that of one, else as JSON.
//!
//! What has no value *yet* (the session key before the first answer, a page's values that nobody gave) is left out, with
//! everything that is made of it: the null-first rule. Parameters whose name begins with `tmp` are there for templates only, and
//! so are columns of the category `authentication`.

mod body;
mod compose;
mod error;
mod pool;
#[cfg(test)]
mod tests;
mod uri;
mod values;

pub use compose::{compose, fill};
pub use error::ComposeError;
pub(crate) use uri::spellings;
pub use values::Values;
