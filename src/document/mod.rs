//! The XML document kinds, in and out.
//!
//! | document | type | schema |
//! |---|---|---|
//! | perform: what a client asks for | [`PerformDocument`] | `perform.xsd`, `activities.xsd` |
//! | response: what it gets, streaming | [`ResponseWriter`], [`ResponseReader`] | `response.xsd` |
//! | fault: why it gets nothing | [`Fault`] | `fault.xsd` |
//! | how sessions stand | [`SessionStatusDocument`], [`SessionList`], [`EndedSessions`] | `session-status.xsd` |
//! | configuration of the service | [`ServiceConfiguration`] | `service.xsd` |
//! | of a data service resource | [`ResourceConfiguration`] | `resource.xsd` |
//! | of its activities | [`ActivityConfiguration`] | `activity.xsd` |
//! | of its sessions | [`SessionConfiguration`] | `session.xsd` |
//!
//! Bytes go through one reader, [`XmlReader`], which knows XML and bounds everything, to [`Element`]s, in which every node has
//! its place. What an element means is read with [`Fields`] and [`Value`]: what was asked for is what is allowed, so a
//! misspelt name is found where it stands, and the error names the nearest that is known. Activities and whatever else can be
//! plugged in read their own elements in the same way.
//!
//! Readers and schemas accept the same documents. Where XML Schema 1.0 has no way to say something, the schema's documentation
//! says it, and the error begins with "contradictory". A differential test holds the two together.

pub mod activities;
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
mod schemas;
mod session_status;
mod time;
mod value;
mod vocabulary;
mod watched_file;
mod whole_file;
mod writer;

pub use configuration::{
    ActivityConfiguration, AuthenticationConfiguration, BudgetConfiguration, CONFIGURATION_NAMESPACE, CarrierSettings,
    ClientPlaceConfiguration, ConfiguredActivity, CookieSettings, CredentialMethodConfiguration,
    CredentialsConfiguration, DURABLE_FACTORY, DataResourceConfiguration, FolderConfiguration, GrantConfiguration,
    JoinSettings, LoginConfiguration, MappedTo, OAuthConfiguration, Origin, OriginConfiguration, OriginError,
    PasswordSource, PoolConfiguration, Property, PropertyConfiguration, ReplaySettings, ResourceConfiguration,
    ResourceReference, RoleMapConfiguration, RoleMapEntry, SameSite, ServiceConfiguration, ServiceLimits,
    SessionConfiguration, SessionConfigurationPlaces, SessionLimits, StaticAttributeConfiguration, StoreSettings,
    TRANSIENT_FACTORY, TimeoutSettings, TimeoutsConfiguration, TlsConfiguration, TlsModeConfiguration,
    WebConfiguration,
};
#[cfg(feature = "server")]
pub(crate) use duration::parse as parse_duration;
pub use element::{Attribute, Element, Name, Node, Text};
pub use error::{DocumentError, Position, Problem};
pub use fault::{EndReason, Fault};
pub use fields::Fields;
pub use limits::Limits;
pub use located::Located;
pub use nearest::nearest;
#[cfg(feature = "server")]
pub(crate) use nearest::unknown_name;
pub use perform::{PerformDocument, SessionElement, SessionMode, Step, TYPES_NAMESPACE, TimeoutWish, WrittenActivity};
pub use reader::{StartTag, XmlEvent, XmlReader};
pub use response::{
    DataEncoding, ErrorKind, GrantedTimeout, ResponseError, ResponseEvent, ResponseReader, ResponseSession,
    ResponseWriter, ResultStart, Status,
};
pub use schemas::{SCHEMAS, schema};
pub use session_status::{
    AttributeStatus, AttributesStatus, EndedSessions, ProgressStatus, RequestStatus, SessionList, SessionState,
    SessionStatusDocument, StreamDescription, StreamDirection, StreamState,
};
pub use value::Value;
pub use watched_file::WatchedFile;
pub(crate) use whole_file::read_whole;
pub use writer::Unwritable;
