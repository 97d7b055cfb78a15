//! The XML document kinds, in and out.

mod characters;
mod configuration;
mod duration;
mod element;
mod error;
mod escape;
mod fault;
mod fields;
mod limits;
mod located;
mod nearest;
mod perform;
mod reader;
mod response;
mod root;
mod time;
mod value;
mod vocabulary;
mod writer;

pub use configuration::{
    ActivityConfiguration, AuthenticationConfiguration, CONFIGURATION_NAMESPACE, CarrierSettings, ConfiguredActivity,
    DataResourceConfiguration, JoinSettings, PasswordSource, Property, ResourceConfiguration, ResourceReference,
    ServiceConfiguration, ServiceLimits, SessionConfiguration, SessionConfigurationPlaces, SessionLimits,
    StaticAttributeConfiguration, StoreSettings, TRANSIENT_FACTORY, TimeoutSettings,
};
pub use element::{Attribute, Element, Name, Node, Text};
pub use error::{DocumentError, Position, Problem};
pub use fault::{EndReason, Fault};
pub use fields::Fields;
pub use limits::Limits;
pub use located::Located;
pub use nearest::nearest;
pub use perform::{ActivityElement, PerformDocument, SessionElement, SessionMode, Step, TYPES_NAMESPACE, TimeoutWish};
pub use reader::{StartTag, XmlEvent, XmlReader};
pub use response::{
    DataEncoding, ErrorKind, GrantedTimeout, ResponseError, ResponseEvent, ResponseReader, ResponseSession,
    ResponseWriter, ResultStart, Status,
};
pub use value::Value;
pub use writer::Unwritable;
