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

/// The number of a request that its client counts.
///
/// Only who holds a session that is there can be counted in it: numbers begin anew in each.
pub(in crate::service) fn sequence(
    document: &PerformDocument,
    requirement: &SessionRequirement,
    has_key: bool,
) -> Result<Option<u64>, Refusal> {
    let Some(element) = &document.session else { return Ok(None) };
    let Some(number) = element.sequence else { return Ok(None) };
    let problem = match requirement {
        _ if has_key => "`sequence` and the header `Idempotency-Key` both name the request: leave one out",
        SessionRequirement::Join { access: Access::Read, .. } => {
            "a request that only reads is not counted: leave `sequence` out, and send it again as often as you like"
        }
        SessionRequirement::Join { .. } | SessionRequirement::Terminate { .. } if number == 0 => {
            "the first `sequence` of a session is 1"
        }
        SessionRequirement::Join { .. } | SessionRequirement::Terminate { .. } => return Ok(Some(number)),
        SessionRequirement::Implicit { .. }
        | SessionRequirement::Create { .. }
        | SessionRequirement::JoinOrCreate { .. } => {
            "`sequence` counts the requests in a session that exists: make the session with an `Idempotency-Key`, and count \
             from 1 in it"
        }
    };
    Err(refuse(element.position, problem))
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
