//! Data service resources and what is under them.
//!
//! A [`DataResource`] is a source of data that activities work on. It is opened from its URI by the
//! [`DataResourceFactory`] of the URI's scheme; the [`ResourceRegistry`] holds them by scheme, and this is where another
//! crate adds its own. What kind of work a resource can do, an activity asks of it: [`DataResource::as_relational`] gives
//! the SQL side where there is one, [`DataResource::as_files`] the folder.

mod data_resource;
mod data_resources;
mod error;
pub mod files;
mod registry;
pub mod relational;
mod uri;
pub mod web;

pub use data_resource::{DataResource, Product};
pub use data_resources::DataResources;
pub use error::{Blame, ResourceError};
pub use registry::{DataResourceFactory, ResourceRegistry, ResourceSettings};
