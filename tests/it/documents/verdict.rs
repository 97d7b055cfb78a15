//! What our readers say, and where they may say something else than the schemas.

use std::sync::{Arc, LazyLock};

use rejoin::activity::ActivityRegistry;
use rejoin::document::{
    ActivityConfiguration, DocumentError, Element, EndedSessions, Fault, Limits, PerformDocument, Problem,
    ResourceConfiguration, ResponseEvent, ResponseReader, ServiceConfiguration, SessionConfiguration, SessionList,
    SessionStatusDocument,
};
use rejoin::engine::{Catalogue, Plan, PlanProblem};
use rejoin::resource::{DataResources, ResourceRegistry, ResourceSettings};

use super::corpus::Kind;

/// What is said of a document, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    Valid,
    /// Well-formed, but not a document of its kind.
    Invalid(String),
    /// Not well-formed.
    Malformed(String),
}

/// What our readers say: of a perform document, that of the document and those of its activities.
pub(super) fn our_verdict(kind: Kind, bytes: &[u8]) -> Verdict {
    let limits = Limits::default();
    let outcome = match kind {
        Kind::Perform => return perform_verdict(bytes),
        Kind::Response => read_response(bytes),
        Kind::Fault => Fault::parse(bytes, &limits).map(drop),
        Kind::Service => ServiceConfiguration::parse(bytes, &limits).map(drop),
        Kind::Resource => ResourceConfiguration::parse(bytes, &limits).map(drop),
        Kind::Activity => ActivityConfiguration::parse(bytes, &limits).map(drop),
        Kind::Session => SessionConfiguration::parse(bytes, &limits).map(drop),
        Kind::SessionStatus => read_session_status(bytes, &limits),
    };
    outcome.map_or_else(|error| verdict_of(&error), |()| Verdict::Valid)
}

fn verdict_of(error: &DocumentError) -> Verdict {
    match error.problem() {
        Problem::Malformed => Verdict::Malformed(error.to_string()),
        _ => Verdict::Invalid(error.to_string()),
    }
}

/// Whether the streams of the activities fit together, a schema can't say: that is looked at when everything has been read.
fn perform_verdict(bytes: &[u8]) -> Verdict {
    let document = match PerformDocument::parse(bytes) {
        Ok(document) => document,
        Err(error) => return verdict_of(&error),
    };
    match Plan::new(&document, &CATALOGUE) {
        Ok(_) => Verdict::Valid,
        Err(error) if error.problem() == PlanProblem::Stream => Verdict::Valid,
        Err(error) => Verdict::Invalid(error.to_string()),
    }
}

/// Every activity of ours, over an empty database with the name that the corpus uses.
static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| {
    let database = ResourceRegistry::with_defaults().open(&ResourceSettings::new("sqlite::memory:", ".")).unwrap();
    let mut resources = DataResources::default();
    resources.add("", Arc::clone(&database));
    resources.add("ledger", database);
    let service =
        ResourceRegistry::with_defaults().open(&ResourceSettings::new("http://service.example", ".")).unwrap();
    resources.add("service", service);
    let registry = ActivityRegistry::built_in();
    // Those that have to be granted, too.
    let map: String = registry.names().map(|name| format!("<activity name=\"{name}\"/>")).collect();
    let granted = format!(
        "<activityConfiguration xmlns=\"http://ogsadai.org.uk/namespaces/2005/10/config\"><activityMap>{map}</activityMap></activityConfiguration>"
    );
    let granted = ActivityConfiguration::parse(granted.as_bytes(), &Limits::default()).unwrap();
    Catalogue::configured(&registry, &granted, resources).unwrap()
});

fn read_response(bytes: &[u8]) -> Result<(), DocumentError> {
    let mut reader = ResponseReader::new(bytes)?;
    while reader.next()? != ResponseEvent::End {}
    Ok(())
}

/// One schema has the three session documents.
fn read_session_status(bytes: &[u8], limits: &Limits) -> Result<(), DocumentError> {
    match Element::parse(bytes, limits)?.local_name() {
        "sessions" => SessionList::parse(bytes, limits).map(drop),
        "ended" => EndedSessions::parse(bytes, limits).map(drop),
        _ => SessionStatusDocument::parse(bytes, limits).map(drop),
    }
}

/// How the verdicts differ, unless they don't, or it is known why.
pub(super) fn difference(bytes: &[u8], ours: &Verdict, theirs: &Verdict) -> Option<&'static str> {
    match (ours, theirs) {
        // Of an invalid document we say the first thing that is wrong, and they may find it malformed further on.
        (Verdict::Valid, Verdict::Valid)
        | (Verdict::Malformed(_), Verdict::Malformed(_))
        | (Verdict::Invalid(_), Verdict::Invalid(_) | Verdict::Malformed(_)) => None,
        (Verdict::Valid, Verdict::Malformed(why)) if is_about_a_namespace_name(why) => None,
        (Verdict::Valid, Verdict::Malformed(_)) => Some("only they say it is not well-formed"),
        (Verdict::Valid, Verdict::Invalid(why)) if is_blank_cdata(bytes, why) => None,
        (Verdict::Valid, Verdict::Invalid(why)) if is_name_of_the_fifth_edition(why) => None,
        (Verdict::Valid, Verdict::Invalid(_)) => Some("only they say it is invalid"),
        (Verdict::Invalid(why), Verdict::Valid)
            if is_contradiction(why)
                || is_type_attribute(why)
                || is_about_the_resource(why)
                || is_about_a_property(why) =>
        {
            None
        }
        (Verdict::Invalid(_), Verdict::Valid) => Some("only we say it is invalid"),
        (Verdict::Malformed(why), _) if is_refused_by_us_alone(why) || is_not_seen_by_them(bytes, why) => None,
        (Verdict::Malformed(_), _) => Some("only we say it is not well-formed"),
    }
}

/// XML Schema 1.0 can't say what goes together with what. Such checks have a word of their own, and stand in the
/// documentation of the schema.
fn is_contradiction(why: &str) -> bool {
    why.contains("contradictory")
}

/// Which data resources there are, no schema knows.
fn is_about_the_resource(why: &str) -> bool {
    why.contains("this data service resource has no data resource")
}

/// What properties there are, and what their values mean, no schema says; nor what is a regular expression.
fn is_about_a_property(why: &str) -> bool {
    [": ms.", ": rejoin.", "there is no such property", "no regular expression"].iter().any(|words| why.contains(words))
}

/// `xsi:type` may name the type that an element has anyway; no schema can forbid it.
fn is_type_attribute(why: &str) -> bool {
    why.contains("unknown attribute `type` on") || why.contains("unknown attribute `nil` on")
}

/// What is XML and refused nevertheless: a DTD, encodings other than UTF-8 and UTF-16 that says so, and a declaration of
/// US-ASCII that doesn't hold, which they pass over where a byte order mark says UTF-8.
fn is_refused_by_us_alone(why: &str) -> bool {
    ["a DTD is refused", "send UTF-8", "UTF-16 has to begin with", "the declaration says US-ASCII"]
        .iter()
        .any(|reason| why.contains(reason))
}

/// They stop at a NUL behind the root and at what is not in the encoding that was declared, and pass over half a character at
/// the end.
fn is_not_seen_by_them(bytes: &[u8], why: &str) -> bool {
    let declares_ascii = || String::from_utf8_lossy(bytes).contains("US-ASCII");
    why.contains("cut in two") || why.contains("outside of the root") && (bytes.contains(&0) || declares_ascii())
}

/// To Namespaces in XML the name of a namespace is a text; they want it to be a URI.
fn is_about_a_namespace_name(why: &str) -> bool {
    // The name is quoted before it is said what it is not, and may go over several lines.
    why.contains("namespace error : xmlns") && why.contains(": '") || why.contains("is not absolute")
}

/// A name may have more characters since the fifth edition of XML 1.0; to their types, though not to their parser, the fourth
/// holds.
fn is_name_of_the_fifth_edition(why: &str) -> bool {
    why.contains("'xs:NCName'") && !why.is_ascii()
}

/// White space is allowed between elements. They make an exception of white space in a CDATA section; XML Schema, which
/// knows characters and no sections, makes none.
fn is_blank_cdata(bytes: &[u8], why: &str) -> bool {
    let text = String::from_utf8_lossy(bytes).replace('\0', "");
    let mut sections = text.split("<![CDATA[").skip(1).filter_map(|rest| rest.split("]]>").next());
    why.contains("Character content") && sections.any(|section| section.trim().is_empty())
}
