//! What carries the session id of a request beside its document: a header, and where that is configured a cookie.

mod cookie;
mod requirement;

use chrono::{DateTime, SecondsFormat, Utc};
use http::header::SET_COOKIE;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue};

pub(super) use cookie::{FoundCookie, SessionCookie};
pub(super) use requirement::{requirement, sequence};

use super::cross_site::{check_cookie, is_of_browser};
use super::headers::SESSION_EXPIRES;
use super::refusal::Refusal;
use super::unavailable::session_header;
use crate::document::{CarrierSettings, Origin};
use crate::session::{SessionId, SessionInfo, SessionRequirement};

/// How the requests of a resource carry session ids, beside the session element, and which pages may send them.
///
/// Everything here follows from the session configuration and the name of the resource, so that it can be made anew when the
/// configuration changes.
#[derive(Debug)]
pub(super) struct Carrier {
    header: HeaderName,
    cookie: Option<SessionCookie>,
    /// Whether a request without any requirement gets an explicit session.
    automatic: bool,
    origins: Vec<Origin>,
}

/// The session ids that a request carries beside its document. Where there are two, they are the same.
#[derive(Debug)]
pub(super) struct Carried {
    header: Option<SessionId>,
    cookie: Option<SessionId>,
}

/// How the session of an answer is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Telling {
    /// The id stands in the cookie alone, where the scripts of a page don't see it.
    pub(super) conceal_id: bool,
    /// The request came with the cookie.
    came_with_cookie: bool,
}

impl Telling {
    /// The same for an implicit session: no cookie brings its id, so there is nothing to conceal.
    pub(super) fn without_cookie(self) -> Self {
        Self { conceal_id: false, ..self }
    }
}

impl Carrier {
    /// The carrier of the resource of that name; `None` where its header can't carry an id.
    pub(super) fn of(settings: &CarrierSettings, resource: &str) -> Option<Self> {
        let CarrierSettings { header, cookie, automatic, origins } = settings;
        let name = session_header(header).ok()?;
        let cookie = cookie.map(|settings| SessionCookie::new(header, resource, settings));
        Some(Self { header: name, cookie, automatic: *automatic, origins: origins.clone() })
    }

    /// Says in the log what an operator should not have forgotten. Once for each configuration that is taken.
    pub(super) fn warn(&self, resource: &str) {
        if self.cookie.as_ref().is_some_and(SessionCookie::is_insecure) {
            tracing::warn!(
                resource,
                "`insecureCookie`: session cookies go over plain HTTP, where anybody on the way can read them; this is for \
                 development only"
            );
        }
    }

    /// The header that carries an id.
    pub(super) fn header(&self) -> &HeaderName {
        &self.header
    }

    /// The cookie that carries one.
    pub(super) fn cookie(&self) -> Option<&SessionCookie> {
        self.cookie.as_ref()
    }

    /// The origins of the pages of others that may send requests and read the answers.
    pub(super) fn origins(&self) -> &[Origin] {
        &self.origins
    }

    /// The session ids that a request carries. A request that changes something and has its id by cookie alone has to prove
    /// that no page of somebody else made the browser send it.
    ///
    /// # Errors
    ///
    /// 400 `SessionRequirementInvalid` when what is carried can't be an id, or header and cookie name different sessions;
    /// 403 `Forbidden` without that proof.
    pub(super) fn carried(&self, head: &Parts) -> Result<Carried, Refusal> {
        self.carried_by(head, !head.method.is_safe())
    }

    /// The session that a request names beside its document, for routes that have none. GET and HEAD may only read then.
    ///
    /// # Errors
    ///
    /// As [`Carrier::carried`].
    pub(super) fn carried_id(&self, head: &Parts) -> Result<Option<SessionId>, Refusal> {
        self.carried_by(head, !head.method.is_safe()).map(|carried| carried.id().cloned())
    }

    /// The same for a route that changes something whatever its method is, such as a GET that takes what it reads.
    ///
    /// # Errors
    ///
    /// As [`Carrier::carried`].
    pub(super) fn carried_id_for_change(&self, head: &Parts) -> Result<Option<SessionId>, Refusal> {
        self.carried_by(head, true).map(|carried| carried.id().cloned())
    }

    fn carried_by(&self, head: &Parts, changes: bool) -> Result<Carried, Refusal> {
        let header = header_id(&head.headers, &self.header)?;
        let Some(session_cookie) = &self.cookie else { return Ok(Carried { header, cookie: None }) };
        let cookie = session_cookie.id(&head.headers)?;
        match (&header, &cookie) {
            (Some(header), Some(cookie)) if header != cookie => Err(invalid(format!(
                "the header `{}` and the cookie `{}` name different sessions: leave one out",
                self.header,
                session_cookie.name()
            ))),
            (None, Some(_)) if changes => {
                check_cookie(head, &self.origins)?;
                Ok(Carried { header, cookie })
            }
            _ => Ok(Carried { header, cookie }),
        }
    }

    /// How the answer to a request with that requirement tells its session.
    ///
    /// An id that came by cookie, or that a browser is about to get by cookie, is told nowhere else: a script that runs in the
    /// page may be anybody's.
    pub(super) fn telling(&self, head: &Parts, carried: &Carried, requirement: &SessionRequirement) -> Telling {
        let may_create = match requirement {
            SessionRequirement::Implicit { .. }
            | SessionRequirement::Create { .. }
            | SessionRequirement::JoinOrCreate { .. } => true,
            SessionRequirement::Join { .. } | SessionRequirement::Terminate { .. } => false,
        };
        let came_with_cookie = carried.cookie.is_some();
        let gets_cookie = self.cookie.is_some() && may_create && is_of_browser(head);
        Telling { conceal_id: came_with_cookie || gets_cookie, came_with_cookie }
    }

    /// Writes the session of an answer into its headers.
    pub(super) fn describe(&self, session: &SessionInfo, telling: Telling, headers: &mut HeaderMap) {
        if !telling.conceal_id
            && let Some(id) = secret(session.id.expose().as_str())
        {
            headers.insert(&self.header, id);
        }
        if let Some(expires) = session.idle_expires
            && let Ok(expires) = HeaderValue::try_from(expires.to_rfc3339_opts(SecondsFormat::Millis, true))
        {
            headers.insert(&SESSION_EXPIRES, expires);
        }
    }

    /// Writes the cookie of an answer: for the session that the request created, or that it came to by cookie.
    pub(super) fn give_cookie(
        &self,
        session: &SessionInfo,
        telling: Telling,
        now: DateTime<Utc>,
        headers: &mut HeaderMap,
    ) {
        let is_wanted = !session.implicit && (session.created || telling.came_with_cookie);
        let Some(cookie) = self.cookie.as_ref().filter(|_| is_wanted) else { return };
        let written = if session.ended_by_this { cookie.cleared() } else { cookie.of(session, now) };
        if let Some(written) = secret(&written) {
            headers.append(SET_COOKIE, written);
        }
    }

    /// What may carry an id, as an error names it.
    pub(super) fn places(&self) -> String {
        let header = format!("the header `{}`", self.header);
        self.cookie
            .as_ref()
            .map_or_else(|| header.clone(), |cookie| format!("{header} or the cookie `{}`", cookie.name()))
    }

    /// What carries the id of that request.
    fn place_of(&self, carried: &Carried) -> String {
        match &self.cookie {
            Some(cookie) if carried.header.is_none() => format!("the cookie `{}`", cookie.name()),
            _ => format!("the header `{}`", self.header),
        }
    }

    /// Makes the browser forget the cookie.
    pub(super) fn take_cookie(&self, headers: &mut HeaderMap) {
        if let Some(cleared) = self.cookie.as_ref().and_then(|cookie| HeaderValue::try_from(cookie.cleared()).ok()) {
            headers.append(SET_COOKIE, cleared);
        }
    }
}

impl Carried {
    fn id(&self) -> Option<&SessionId> {
        self.header.as_ref().or(self.cookie.as_ref())
    }
}

fn header_id(headers: &HeaderMap, header: &HeaderName) -> Result<Option<SessionId>, Refusal> {
    let mut values = headers.get_all(header).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(invalid(format!("the header `{header}` stands there twice")));
    }
    parse_id(value.to_str().unwrap_or_default()).map(Some)
}

fn parse_id(id: &str) -> Result<SessionId, Refusal> {
    SessionId::parse(id).map_err(|error| invalid(error.to_string()))
}

fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new(400, "SessionRequirementInvalid", message)
}

/// A header value that no log shows.
fn secret(value: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(value).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests {
    use http::{Method, Request};

    use super::*;
    use crate::document::CookieSettings;

    const ID: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
    const OTHER: &str = "BBECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

    fn carrier(cookie: bool) -> Carrier {
        let cookie = cookie.then(CookieSettings::default);
        Carrier::of(&CarrierSettings { cookie, ..CarrierSettings::default() }, "data").unwrap()
    }

    fn head(method: Method, headers: &[(&str, &str)]) -> Parts {
        let request = Request::builder().method(method).uri("/services/data/session").header("host", "a.example");
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        request.body(()).unwrap().into_parts().0
    }

    fn by_cookie(id: &str) -> String {
        format!("__Host-Rejoin-Session-data={id}")
    }

    #[test]
    fn an_id_comes_by_header_or_by_cookie() {
        // Behaviour 44.
        let id = SessionId::parse(ID).unwrap();
        let (carrier, cookie) = (carrier(true), by_cookie(ID));
        for headers in
            [&[("rejoin-session", ID)][..], &[("cookie", &cookie)], &[("cookie", &cookie), ("REJOIN-SESSION", ID)]]
        {
            assert_eq!(carrier.carried_id(&head(Method::GET, headers)), Ok(Some(id.clone())), "{headers:?}");
        }
        assert_eq!(carrier.carried_id(&head(Method::GET, &[])), Ok(None));
    }

    #[test]
    fn header_and_cookie_that_differ_are_refused() {
        // Behaviour 8.
        let cookie = by_cookie(OTHER);
        let error = carrier(true).carried_id(&head(Method::GET, &[("rejoin-session", ID), ("cookie", &cookie)]));
        let shown = format!("{error:?}");
        assert!(shown.contains("the header `rejoin-session` and the cookie `__Host-Rejoin-Session-data`"), "{shown}");
    }

    #[test]
    fn by_cookie_alone_it_is_read_and_by_anything_else_changed() {
        // Behaviour 47.
        let (carrier, cookie) = (carrier(true), by_cookie(ID));
        let bare = [("cookie", &*cookie)];
        let proved = [("cookie", &*cookie), ("x-requested-with", "script")];
        let named = [("cookie", &*cookie), ("rejoin-session", ID)];
        assert!(carrier.carried_id(&head(Method::GET, &bare)).is_ok());
        assert!(carrier.carried_id_for_change(&head(Method::GET, &bare)).is_err());
        for method in [Method::POST, Method::PUT, Method::DELETE] {
            assert!(carrier.carried_id(&head(method.clone(), &bare)).is_err(), "{method}");
            assert!(carrier.carried_id(&head(method.clone(), &proved)).is_ok(), "{method}");
            assert!(carrier.carried_id(&head(method.clone(), &named)).is_ok(), "{method}");
        }
    }

    #[test]
    fn without_the_setting_cookies_are_ignored() {
        let cookie = by_cookie("nonsense");
        assert_eq!(carrier(false).carried_id(&head(Method::POST, &[("cookie", &cookie)])), Ok(None));
    }
}
