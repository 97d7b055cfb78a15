use http::HeaderName;

use super::{Template, TimePattern, TimeZone, ValuePath};
use crate::ingest::Json;

/// `ms.parameters`: a value that goes with the request, under a name.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// Its name. One that begins with `tmp` is there to be used by others, and is not sent by itself.
    pub name: Box<str>,
    /// What it is.
    pub value: ParameterValue,
    /// Where it goes, if not where the method says: `in` and `as` of the parameter, a form of our own.
    pub placement: Option<Placement>,
}

/// What a parameter is: its `type`.
#[derive(Debug, Clone, PartialEq)]
pub enum ParameterValue {
    /// `list`: a text.
    Text(Template),
    /// `primitive`, `jsonarray`, `jsonobject`: JSON. Variables inside of its texts are filled in.
    Json(Json),
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

impl ParameterValue {
    /// Whether the session key is sent back by it, or by a parameter inside of it.
    #[must_use]
    pub fn sends_key(&self) -> bool {
        match self {
            Self::Session => true,
            Self::Object(parameters) => parameters.iter().any(|parameter| parameter.value.sends_key()),
            _ => false,
        }
    }
}

/// Where a parameter goes: beyond DIL, which decides by the method alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Placement {
    /// Into the query of the URI, under this name.
    Query(Box<str>),
    /// Into a header.
    Header(HeaderName),
    /// Into the JSON body, at this place; into a form, under this name.
    Body(ValuePath),
    /// Into the URI where its template names it, and nowhere else.
    Path,
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
        pattern: TimePattern,
        /// The zone, such as `UTC`.
        zone: TimeZone,
    },
    /// `epoc-second`: seconds since 1970.
    EpochSeconds,
    /// Milliseconds since 1970.
    EpochMilliseconds,
}
