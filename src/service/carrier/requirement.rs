//! Which session a request joins: what its document says and what its header and its cookie carry, together.

use super::{Carried, Carrier, parse_id};
use crate::document::{PerformDocument, Position, SessionElement, SessionMode};
use crate::service::refusal::Refusal;
use crate::session::{Access, SessionId, SessionRequirement};

/// The requirement of a request.
///
/// The id stands in the session element, in the header or in the cookie; where several name one, it has to be the same. A
/// request without any requirement gets an implicit session, or an explicit one where the carrier says so.
pub(in crate::service) fn requirement(
    document: &PerformDocument,
    carried: &Carried,
    carrier: &Carrier,
) -> Result<SessionRequirement, Refusal> {
    let Some(element) = &document.session else {
        return Ok(match carried.id() {
            Some(id) => join(id.clone(), None, Access::Exclusive, false),
            None if carrier.automatic => SessionRequirement::Create { timeout: None },
            None => SessionRequirement::Implicit { reachable: false },
        });
    };
    if element.sequence.is_some() {
        return Err(refuse(element.position, "`sequence` needs durable sessions, which this resource does not have"));
    }
    let written =
        element.id.as_deref().map(|id| parse_id(id).map_err(|refusal| refusal.at(element.position))).transpose()?;
    let mode = element.mode.unwrap_or(match (&written, carried.id()) {
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
    let Some(id) = one_id(written, carried, element, carrier)? else {
        if mode == SessionMode::JoinOrCreate {
            // What reads its id nowhere, because a cookie carries it, can't leave the element out the first time alone.
            return Ok(SessionRequirement::Create { timeout: element.timeout });
        }
        let places = carrier.places();
        return Err(refuse(
            element.position,
            format!("to join a session its id is needed: in the attribute `id`, or in {places}"),
        ));
    };
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

/// The one id that a request names, if it names any.
fn one_id(
    written: Option<SessionId>,
    carried: &Carried,
    element: &SessionElement,
    carrier: &Carrier,
) -> Result<Option<SessionId>, Refusal> {
    match (written, carried.id()) {
        (Some(written), Some(carried_id)) if written != *carried_id => {
            let place = carrier.place_of(carried);
            Err(refuse(
                element.position,
                format!("the session element and {place} name different sessions: leave one out"),
            ))
        }
        (Some(id), _) => Ok(Some(id)),
        (None, carried) => Ok(carried.cloned()),
    }
}

fn refuse(position: Position, message: impl Into<String>) -> Refusal {
    Refusal::new(400, "SessionRequirementInvalid", message).at(position)
}
