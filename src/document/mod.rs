//! The XML document kinds, in and out.

mod characters;
mod duration;
mod element;
mod error;
mod fields;
mod limits;
mod nearest;
mod perform;
mod reader;
mod root;
mod session_configuration;
mod value;
mod writer;

pub use element::{Attribute, Element, Name, Node, Text};
pub use error::{DocumentError, Position, Problem};
pub use fields::Fields;
pub use limits::Limits;
pub use nearest::nearest;
pub use perform::{ActivityElement, PerformDocument, SessionElement, SessionMode, Step, TYPES_NAMESPACE, TimeoutWish};
pub use reader::{StartTag, XmlEvent, XmlReader};
pub use session_configuration::{
    CarrierSettings, JoinSettings, SessionConfiguration, SessionLimits, StaticAttributeConfiguration, StoreSettings,
    TRANSIENT_FACTORY, TimeoutSettings,
};
pub use value::Value;
pub use writer::Unwritable;
