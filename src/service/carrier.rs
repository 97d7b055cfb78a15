//! Which session a request joins: what its document says and what its header carries, together.

use http::{HeaderMap, HeaderName};

use super::refusal::Refusal;
use super::unavailable::session_header;
use crate::document::{CarrierSettings, PerformDocument, Position, SessionElement, SessionMode};
use crate::session::{Access, SessionId, SessionRequirement};

/// How the requests of a resource carry session ids, beside the session element.
#[derive(Debug, Clone)]
pub(super) struct Carrier {
    /// The header that carries a session id.
    pub(super) header: HeaderName,
    /// Whether a request without any requirement gets an explicit session.
    pub(super) automatic: bool,
}

impl Carrier {
    /// The carrier of a configuration; `None` where its header can't carry an id.
    pub(super) fn of(settings: &CarrierSettings) -> Option<Self> {
        let header = session_header(&settings.header).ok()?;
        Some(Self { header, automatic: settings.automatic })
    }
}

/// The requirement of a request.
///
/// The id stands in the session element or in the header; where both name one, it has to be the same. A request without any
/// requirement gets an implicit session, or an explicit one where the carrier says so.
pub(super) fn requirement(
    document: &PerformDocument,
    headers: &HeaderMap,
    carrier: &Carrier,
) -> Result<SessionRequirement, Refusal> {
    let Carrier { header, automatic } = carrier;
    let carried = carried_id(headers, header)?;
    let Some(element) = &document.session else {
        return Ok(match carried {
            Some(id) => join(id, None, Access::Exclusive, false),
            None if *automatic => SessionRequirement::Create { timeout: None },
            None => SessionRequirement::Implicit,
        });
    };
    if element.sequence.is_some() {
        return Err(refuse(element.position, "`sequence` needs durable sessions, which this resource does not have"));
    }
    let written =
        element.id.as_deref().map(|id| parse_id(id).map_err(|refusal| refusal.at(element.position))).transpose()?;
    let mode = element.mode.unwrap_or(match (&written, &carried) {
        (None, None) => SessionMode::Create,
        _ => SessionMode::Join,
    });
    if mode == SessionMode::Create {
        if element.read || element.rotate {
            return Err(refuse(
                element.position,
                "`access=\"read\"` and `rotate` need a session that exists: name its id",
            ));
        }
        return Ok(SessionRequirement::Create { timeout: element.timeout });
    }
    let id = one_id(written, carried, element, header)?;
    Ok(match mode {
        SessionMode::Terminate => {
            SessionRequirement::Terminate { id, wait: element.wait, activities: !document.steps.is_empty() }
        }
        SessionMode::JoinOrCreate => {
            SessionRequirement::JoinOrCreate { id, wait: element.wait, timeout: element.timeout }
        }
        SessionMode::Join | SessionMode::Create => {
            let access = if element.read { Access::Read } else { Access::Exclusive };
            join(id, element.wait, access, element.rotate)
        }
    })
}

fn join(id: SessionId, wait: Option<std::time::Duration>, access: Access, rotate: bool) -> SessionRequirement {
    SessionRequirement::Join { id, wait, access, rotate }
}

fn one_id(
    written: Option<SessionId>,
    carried: Option<SessionId>,
    element: &SessionElement,
    header: &HeaderName,
) -> Result<SessionId, Refusal> {
    match (written, carried) {
        (Some(written), Some(carried)) if written != carried => Err(refuse(
            element.position,
            format!("the session element and the header `{header}` name different sessions: leave one out"),
        )),
        (Some(id), _) | (None, Some(id)) => Ok(id),
        (None, None) => Err(refuse(
            element.position,
            format!("to join a session its id is needed: in the attribute `id` or in the header `{header}`"),
        )),
    }
}

/// The id that the carrier of a request names.
pub(super) fn carried_id(headers: &HeaderMap, header: &HeaderName) -> Result<Option<SessionId>, Refusal> {
    let mut values = headers.get_all(header).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Refusal::new(
            400,
            "SessionRequirementInvalid",
            format!("the header `{header}` stands there twice"),
        ));
    }
    parse_id(value.to_str().unwrap_or_default()).map(Some)
}

fn parse_id(id: &str) -> Result<SessionId, Refusal> {
    SessionId::parse(id).map_err(|error| Refusal::new(400, "SessionRequirementInvalid", error.to_string()))
}

fn refuse(position: Position, message: impl Into<String>) -> Refusal {
    Refusal::new(400, "SessionRequirementInvalid", message).at(position)
}
