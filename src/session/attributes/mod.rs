//! Session attributes: what a session remembers from request to request.
//!
//! A request sees the attributes as they were last released ([`AttributeSnapshot`]) and its own changes over them
//! ([`StagedAttributes`]). They become the session's when the request releases it with a commit, all or none; until then
//! nobody else sees them, and if the request fails nobody ever does.

mod builtin;
mod checkpoint;
mod error;
mod live;
mod overlay;
mod rules;
mod settings;
mod snapshot;
mod staged;
mod statics;
mod stream;
mod summary;
mod transactions;
mod value;
mod working;

pub use builtin::Counter;
pub use checkpoint::{Checkpoint, Checkpoints};
pub use error::AttributeError;
pub use live::{CloseError, LiveAttribute};
pub use rules::AttributeRules;
pub use settings::StaticAttributeSettings;
pub use snapshot::AttributeSnapshot;
pub use staged::{Dropped, StagedAttributes};
pub(crate) use statics::WeakStaticAttributes;
pub use statics::{StaticAttributeFactory, StaticAttributeRegistry, StaticAttributes, StaticSessionAttribute};
pub(in crate::session) use stream::StreamPiece;
pub use stream::{StoredStream, WrongBlock};
pub use summary::AttributeSummary;
pub use value::AttributeValue;
pub use working::SessionAttributes;

use staged::Change;
