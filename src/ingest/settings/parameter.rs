use http::HeaderName;
use serde_json::Value;

use super::{Template, ValuePath};

/// `ms.parameters`: a value that goes with the request, under a name.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// Its name. One that begins with `tmp` is there to be used by others, and is not sent where it was.
    pub name: Box<str>,
    /// What it is.
    pub value: ParameterValue,
    /// Where it goes, if not where the method says: `in` of the parameter, a form of our own.
    pub placement: Option<Placement>,
}

/// What a parameter is: its `type`.
#[derive(Debug, Clone, PartialEq)]
pub enum ParameterValue {
    /// `list`: a text.
    Text(Template),
    /// `primitive`, `jsonarray`, `jsonobject`: JSON. Variables inside of its strings are filled in.
    Json(Value),
    /// `object`: an object of parameters.
    Object(Vec<Parameter>),
    /// `session`: the current value of the session key.
    Session,
    /// `pagestart`
    PageStart,
    /// `pagesize`
    PageSize,
    /// `pageno`
    PageNumber,
    /// `watermark`: an end of the window of time that the ingestion is about.
    Watermark {
        /// Which end.
        side: WatermarkSide,
        /// How it is written.
        form: WatermarkForm,
    },
}

/// Where a parameter goes: beyond DIL, which decides by the method alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Placement {
    /// Into the query of the URI.
    Query,
    /// Into a header.
    Header(HeaderName),
    /// Into the JSON body, at this place.
    Body(ValuePath),
}

/// An end of a window of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WatermarkSide {
    /// Where it begins.
    Low,
    /// Where it ends.
    High,
}

/// How a moment is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WatermarkForm {
    /// `datetime`: by a pattern, in a time zone.
    DateTime {
        /// The pattern, such as `yyyy-MM-dd'T'HH:mm:ss`.
        pattern: Box<str>,
        /// The name of the zone, such as `UTC`.
        zone: Box<str>,
    },
    /// `epoc-second`: seconds since 1970.
    EpochSeconds,
    /// Milliseconds since 1970.
    EpochMilliseconds,
}
