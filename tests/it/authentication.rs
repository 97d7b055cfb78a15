//! Who sends a request, and whose sessions are whose.

use std::convert::Infallible;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use argon2::password_hash::PasswordHasher;
use argon2::{Algorithm, Argon2, Params, Version};
use async_trait::async_trait;
use futures_util::stream::{self, StreamExt};
use http::HeaderMap;
use rejoin::document::{DURABLE_FACTORY, Element, Limits, SessionConfiguration, StoreSettings};
use rejoin::service::{
    AuthenticationError, Authenticator, AuthenticatorError, Caller, ConfiguredResource, Role, Server,
};
use rejoin::session::Principal;
use reqwest::RequestBuilder;
use sha2::{Digest, Sha256};

use crate::context::{Context, Reply};

const BASIC: &str = "<authentication impl='basic'><users location='accounts'/></authentication>";
const BEARER: &str = "<authentication impl='bearer' realm='data'><tokens location='accounts'/></authentication>";

/// The cheapest argon2id hash there is.
fn argon2id(password: &str) -> String {
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(8, 1, 1, None).unwrap());
    argon2.hash_password_with_salt(password.as_bytes(), b"salt of a test").unwrap().to_string()
}

/// The cheapest bcrypt hash there is, as `htpasswd -B` writes it.
fn bcrypt(password: &str) -> String {
    bcrypt::hash(password, 4).unwrap().replacen("$2b$", "$2y$", 1)
}

fn token_hash(token: &str) -> String {
    Sha256::digest(token).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A server that authenticates by a file of accounts.
async fn serve(element: &str, accounts: &str) -> Context {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("accounts"), accounts).unwrap();
    let element = Element::parse(element.as_bytes(), &Limits::default()).unwrap();
    let builder = Server::builder()
        .listen("127.0.0.1:0")
        .authentication(element, folder.path())
        .resource(ConfiguredResource::new("data", folder.path()));
    Context::around(builder.build().unwrap().start().await.unwrap(), folder)
}

/// Changes the file of accounts and lets the server look at it.
async fn change(context: &Context, accounts: &str) {
    fs::write(context.folder().join("accounts"), accounts).unwrap();
    context.server.reload().await;
}

async fn send(request: RequestBuilder) -> Reply {
    Reply::of(request.send().await.unwrap()).await
}

/// What `name` gets for a perform document; the password of everybody is `secret`.
async fn by(context: &Context, name: &str, content: &str) -> Reply {
    send(context.post(content).basic_auth(name, Some("secret"))).await
}

/// A fault without what differs in every answer.
fn without_request_id(reply: &Reply) -> String {
    let (start, rest) = reply.text.split_once("requestId=\"").unwrap();
    format!("{start}{}", rest.split_once('"').unwrap().1)
}

fn join(id: &str) -> String {
    format!("<session id=\"{id}\"/>")
}

#[tokio::test]
async fn a_user_is_known_by_name_and_password() {
    let (first, second) = (argon2id("pass:wörd 😀"), bcrypt("secret"));
    let context = serve(BASIC, &format!("# people\nada:{first}:operator\n\nÖzge:{second}::u-2\n")).await;
    for (name, password) in [("ada", "pass:wörd 😀"), ("Özge", "secret")] {
        for _ in 0..2 {
            send(context.post("<session/>").basic_auth(name, Some(password))).await.is_completed();
        }
    }
    for (name, password) in [("ada", "secret"), ("Özge", "Secret"), ("u-2", "secret"), ("Ada", "pass:wörd 😀")] {
        let reply = send(context.post("<session/>").basic_auth(name, Some(password))).await;
        reply.is_fault(401, "Unauthenticated");
    }
}

#[tokio::test]
async fn whatever_is_wrong_with_a_login_the_answer_is_the_same() {
    let hash = bcrypt("secret");
    let context = serve(BASIC, &format!("ada:{hash}\nold:!{hash}\n")).await;
    let header = |value: &str| context.post("").header("authorization", value);
    let nobody = send(context.post("")).await;
    nobody.is_fault(401, "Unauthenticated");
    assert_eq!(nobody.header("www-authenticate"), "Basic realm=\"Rejoin\", charset=\"UTF-8\"");
    for request in [
        context.post("").basic_auth("ada", Some("wrong")),
        context.post("").basic_auth("ada", None::<&str>),
        context.post("").basic_auth("carl", Some("secret")),
        context.post("").basic_auth("old", Some("secret")),
        context.post("").basic_auth("old", Some("!secret")),
        context.post("").basic_auth("ada\0", Some("secret")),
        context.post("").basic_auth("ada", Some("secret\n")),
        context.post("").bearer_auth("YWRhOnNlY3JldA=="),
        context.post("").basic_auth("ada", Some("secret")).basic_auth("ada", Some("secret")),
        header("Basic"),
        header("Basic YWRhOnNlY3JldA"),
        header("Basic YWRhOnNlY3JldA== x"),
        header("Basic YWRhc2VjcmV0"),
        header("Basic YWRhOv8="),
        header("Basic ????"),
        header("ada:secret"),
    ] {
        let reply = send(request).await;
        assert_eq!(reply.status, 401);
        assert_eq!(without_request_id(&reply), without_request_id(&nobody));
        assert_eq!(reply.header("www-authenticate"), nobody.header("www-authenticate"));
    }
    let json = send(context.post("").header("accept", "application/problem+json")).await;
    assert_eq!((json.status, json.header("content-type")), (401, "application/problem+json"));
    assert!(json.text.contains("\"code\":\"Unauthenticated\""), "{}", json.text);
    assert!(!json.header("www-authenticate").is_empty());
}

#[tokio::test]
async fn a_bearer_is_known_by_a_token() {
    let (first, second) = (token_hash("first-token"), token_hash("second-token"));
    let accounts = format!("laptop:{first}:user:ada\nnew-laptop:{second}:user:ada\nold:!{}\n", token_hash("old-token"));
    let context = serve(BEARER, &accounts).await;
    let id = send(context.post("<session/>").bearer_auth("first-token")).await.is_completed().session_id();
    send(context.post(&join(&id)).bearer_auth("second-token")).await.is_completed();
    let nobody = send(context.post("")).await;
    assert_eq!((nobody.status, nobody.header("www-authenticate")), (401, "Bearer realm=\"data\""));
    for request in [
        context.post("").bearer_auth("old-token"),
        context.post("").bearer_auth(&first),
        context.post("").bearer_auth("FIRST-TOKEN"),
        context.post("").bearer_auth(""),
        context.post("").bearer_auth("first-token").bearer_auth("first-token"),
        context.post("").basic_auth("laptop", Some("first-token")),
        context.post("").query(&[("access_token", "first-token")]),
        context.post("").header("cookie", "access_token=first-token"),
    ] {
        let reply = send(request).await;
        assert_eq!(without_request_id(&reply), without_request_id(&nobody));
    }
}

#[tokio::test]
async fn all_but_the_health_of_the_service_asks_who_it_is() {
    let context = serve(BASIC, &format!("ada:{}", bcrypt("secret"))).await;
    let url = context.server.url();
    for path in ["/services", "/services/data", "/services/none", "/schemas/perform.xsd", "/nothing"] {
        let reply = send(context.client.get(format!("{url}{path}"))).await;
        assert_eq!(reply.status, 401, "{path}");
        let known = send(context.client.get(format!("{url}{path}")).basic_auth("ada", Some("secret"))).await;
        assert_ne!(known.status, 401, "{path}");
    }
    for path in ["/health/live", "/health/ready"] {
        assert_eq!(send(context.client.get(format!("{url}{path}"))).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn to_others_a_session_is_one_that_never_existed() {
    // Behaviours 35 and 53.
    let context = serve(BASIC, &format!("ada:{}\ncarl:{}\n", argon2id("secret"), bcrypt("secret"))).await;
    let (living, ended) = (by(&context, "ada", "<session/>").await, by(&context, "ada", "<session/>").await);
    let (living, ended) = (living.session_id(), ended.session_id());
    by(&context, "ada", &format!("<session id=\"{ended}\" mode=\"terminate\"/>")).await.is_completed();
    by(&context, "ada", &join(&ended)).await.is_fault(410, "SessionEnded");
    let unknown = by(&context, "carl", &join(&"A".repeat(43))).await;
    unknown.is_fault(404, "SessionNotFound");
    for id in [&living, &ended] {
        for content in [join(id), format!("<session id=\"{id}\" access=\"read\"/>")] {
            let reply = by(&context, "carl", &content).await;
            assert_eq!((reply.status, without_request_id(&reply)), (404, without_request_id(&unknown)), "{content}");
        }
        let carried = send(context.post("").basic_auth("carl", Some("secret")).header("rejoin-session", id)).await;
        assert_eq!(without_request_id(&carried), without_request_id(&unknown));
        // An id that somebody else planted is never his.
        let created = by(&context, "carl", &format!("<session id=\"{id}\" mode=\"joinOrCreate\"/>")).await;
        assert_ne!(&created.is_completed().session_id(), id);
    }
    by(&context, "ada", &join(&living)).await.is_completed();
}

#[tokio::test]
async fn a_user_who_is_renamed_keeps_the_sessions() {
    // Behaviour 53.
    let hash = bcrypt("secret");
    let context = serve(BASIC, &format!("ada:{hash}:user:u-17\n")).await;
    let id = by(&context, "ada", "<session/>").await.session_id();
    // The old name goes to somebody else at once.
    change(&context, &format!("countess:{hash}:user:u-17\nada:{hash}:user:u-18\n")).await;
    by(&context, "countess", &join(&id)).await.is_completed();
    by(&context, "ada", &join(&id)).await.is_fault(404, "SessionNotFound");
}

#[tokio::test]
async fn who_is_disabled_or_removed_loses_the_sessions() {
    // Behaviour 55.
    let hash = bcrypt("secret");
    let all = format!("ada:{hash}\ncarl:{hash}\nzoe:{hash}\n");
    let context = serve(BASIC, &all).await;
    let mut ids = Vec::new();
    for name in ["ada", "carl", "zoe"] {
        ids.push(by(&context, name, "<session/>").await.session_id());
    }
    let held = by(&context, "ada", "<session/>").await.session_id();
    let nap = format!("{}<sleep name=\"nap\" duration=\"PT5M\"/>", join(&held));
    let holding = tokio::spawn(context.post(&nap).basic_auth("ada", Some("secret")).send());
    while by(&context, "ada", &format!("<session id=\"{held}\" wait=\"0\"/>")).await.status != 423 {}

    change(&context, &format!("ada:!{hash}\nzoe:{hash}\n")).await;
    let stopped = Reply::of(holding.await.unwrap().unwrap()).await;
    assert!(stopped.is_fault(410, "SessionEnded").text.contains("reason=\"killed\""), "{}", stopped.text);
    by(&context, "ada", &join(&ids[0])).await.is_fault(401, "Unauthenticated");
    by(&context, "carl", &join(&ids[1])).await.is_fault(401, "Unauthenticated");
    by(&context, "zoe", &join(&ids[2])).await.is_completed();

    change(&context, &all).await;
    for (name, id) in [("ada", &ids[0]), ("ada", &held), ("carl", &ids[1])] {
        let reply = by(&context, name, &join(id)).await;
        assert!(reply.is_fault(410, "SessionEnded").text.contains("reason=\"killed\""), "{}", reply.text);
    }
}

#[tokio::test]
async fn who_goes_while_the_request_is_on_its_way_begins_nothing() {
    // Behaviour 55.
    let hash = bcrypt("secret");
    let context = serve(BASIC, &format!("ada:{hash}:operator\ncarl:{hash}\n")).await;
    let slow = |name: &str| {
        let (rest, coming) = tokio::sync::oneshot::channel();
        let body = stream::once(async { "<perform xmlns='http://ogsadai.org.uk/namespaces/2005/10/types'>" })
            .chain(stream::once(async { coming.await.unwrap() }))
            .map(Ok::<_, Infallible>);
        let request = context.client.post(context.url()).basic_auth(name, Some("secret"));
        let request = request.header("content-type", "application/xml").body(reqwest::Body::wrap_stream(body));
        (rest, tokio::spawn(send(request)))
    };
    let (to_carl, of_carl) = slow("carl");
    let (to_ada, of_ada) = slow("ada");
    let metrics = format!("{}/metrics", context.server.url());
    let are_let_in = async || {
        let shown = send(context.client.get(&metrics).basic_auth("ada", Some("secret"))).await.text;
        shown.lines().any(|line| line.starts_with("rejoin_requests_waiting") && line.ends_with(" 2"))
    };
    while !are_let_in().await {
        tokio::task::yield_now().await;
    }
    change(&context, &format!("ada:{hash}:operator\n")).await;
    for rest in [to_carl, to_ada] {
        rest.send("<session/></perform>").unwrap();
    }
    of_carl.await.unwrap().is_fault(401, "Unauthenticated");
    of_ada.await.unwrap().is_completed();
}

#[tokio::test]
async fn sessions_of_a_token_end_with_the_last_token_of_their_owner() {
    // Behaviour 55.
    let (first, second) = (token_hash("first"), token_hash("second"));
    let context = serve(BEARER, &format!("a:{first}:user:ada\n")).await;
    let id = send(context.post("<session/>").bearer_auth("first")).await.session_id();
    change(&context, &format!("a:!{first}:user:ada\nb:{second}:user:ada\n")).await;
    send(context.post(&join(&id)).bearer_auth("first")).await.is_fault(401, "Unauthenticated");
    send(context.post(&join(&id)).bearer_auth("second")).await.is_completed();
    change(&context, "").await;
    change(&context, &format!("a:{first}:user:ada\n")).await;
    send(context.post(&join(&id)).bearer_auth("first")).await.is_fault(410, "SessionEnded");
}

/// The same, with sessions on disk, over the files of a folder.
async fn serve_durable(folder: tempfile::TempDir, element: &str, accounts: &str) -> Context {
    fs::write(folder.path().join("accounts"), accounts).unwrap();
    let element = Element::parse(element.as_bytes(), &Limits::default()).unwrap();
    let store = Some(StoreSettings { path: "sessions".into(), full: false });
    let session = SessionConfiguration { factory: DURABLE_FACTORY.into(), store, ..Default::default() };
    let resource = ConfiguredResource::new("data", folder.path()).session(session);
    let build = || {
        let builder = Server::builder().listen("127.0.0.1:0").authentication(element.clone(), folder.path());
        builder.resource(resource.clone()).build()
    };
    // The one before may be closing its store still.
    let server = loop {
        match build() {
            Err(errors) if errors.to_string().contains("is in use by another process") => {
                tokio::task::yield_now().await;
            }
            built => break built.unwrap(),
        }
    };
    Context::around(server.start().await.unwrap(), folder)
}

#[tokio::test]
async fn who_is_removed_while_the_service_does_not_run_loses_the_stored_sessions() {
    // Behaviour 55.
    let hash = bcrypt("secret");
    let all = format!("ada:{hash}:operator\ncarl:{hash}\nzoe:{hash}\n");
    let context = serve_durable(tempfile::tempdir().unwrap(), BASIC, &all).await;
    let mut ids = Vec::new();
    for name in ["ada", "carl", "carl", "zoe"] {
        ids.push(by(&context, name, "<session/>").await.session_id());
    }
    let remaining = format!("ada:{hash}:operator\nzoe:!{hash}\n");
    let context = serve_durable(context.stop().await, BASIC, &remaining).await;
    // It is done with the first look at the files, which is under way or comes now.
    context.server.reload().await;
    let list = context.client.get(format!("{}/sessions", context.url())).basic_auth("ada", Some("secret"));
    let listed = send(list).await.text;
    assert!(listed.matches("<sessionStatus ").count() == 1 && listed.contains("owner=\"ada\""), "{listed}");
    let context = serve_durable(context.stop().await, BASIC, &all).await;
    by(&context, "ada", &join(&ids[0])).await.is_completed();
    for (name, id) in [("carl", &ids[1]), ("carl", &ids[2]), ("zoe", &ids[3])] {
        by(&context, name, &join(id)).await.is_fault(410, "SessionEnded").says("reason=\"killed\"");
    }
}

#[tokio::test]
async fn where_nobody_is_known_nobody_has_gone() {
    let hash = bcrypt("secret");
    let accounts = format!("ada:{hash}\n");
    let none = "<authentication impl='none' role='operator'/>";
    let context = serve_durable(tempfile::tempdir().unwrap(), BASIC, &accounts).await;
    let of_ada = by(&context, "ada", "<session/>").await.session_id();
    let context = serve_durable(context.stop().await, none, "").await;
    context.server.reload().await;
    let of_nobody = context.create().await;
    let context = serve_durable(context.stop().await, BASIC, &accounts).await;
    context.server.reload().await;
    by(&context, "ada", &join(&of_ada)).await.is_completed();
    let context = serve_durable(context.stop().await, none, "").await;
    context.perform(&join(&of_nobody)).await.is_completed();
}

#[tokio::test]
async fn a_changed_password_counts_at_once_and_a_broken_file_not_at_all() {
    let (old, new) = (bcrypt("old"), bcrypt("new"));
    let context = serve(BASIC, &format!("ada:{old}\n")).await;
    let login = async |password| send(context.post("").basic_auth("ada", Some(password))).await.status;
    assert_eq!((login("old").await, login("new").await), (200, 401));
    change(&context, &format!("ada:{new}\ncarl\n")).await;
    assert_eq!((login("old").await, login("new").await), (200, 401), "a line is wrong: nothing has changed");
    fs::remove_file(context.folder().join("accounts")).unwrap();
    context.server.reload().await;
    assert_eq!((login("old").await, login("new").await), (200, 401), "there is no file: nothing has changed");
    change(&context, &format!("ada:{new}\n")).await;
    assert_eq!((login("old").await, login("new").await), (401, 200), "what was remembered is forgotten");
}

#[tokio::test]
async fn a_role_is_that_of_the_file_as_it_stands() {
    let hash = bcrypt("secret");
    let context = serve(BASIC, &format!("ada:{hash}:operator\ncarl:{hash}\n")).await;
    let metrics = async |name| {
        let request = context.client.get(format!("{}/metrics", context.server.url()));
        send(request.basic_auth(name, Some("secret"))).await.status
    };
    let id = by(&context, "ada", "<session/>").await.session_id();
    assert_eq!((metrics("ada").await, metrics("carl").await), (200, 403));
    change(&context, &format!("ada:{hash}\ncarl:{hash}:operator\n")).await;
    assert_eq!((metrics("ada").await, metrics("carl").await), (403, 200));
    by(&context, "ada", &join(&id)).await.is_completed();
}

/// Who says `Ticket NAME` is that one, who says nothing is nobody in particular.
#[derive(Debug)]
struct Tickets;

impl Tickets {
    fn make(element: &Element, _: &Path) -> Result<Arc<dyn Authenticator>, AuthenticatorError> {
        let mut fields = element.fields();
        fields.attribute("impl");
        fields.required_attribute("office")?.one_word()?;
        fields.finish()?;
        Ok(Arc::new(Self))
    }
}

#[async_trait]
impl Authenticator for Tickets {
    async fn authenticate(&self, headers: &HeaderMap) -> Result<Caller, AuthenticationError> {
        let ticket = headers.get("ticket").map(|ticket| ticket.to_str().unwrap());
        match ticket {
            None => Ok(Caller { principal: Principal::anonymous(), role: Role::User }),
            Some("closed") => Err(AuthenticationError::Unavailable),
            Some("") => Err(AuthenticationError::Unauthenticated { challenge: "Ticket".into() }),
            Some(name) => Ok(Caller { principal: Principal::new(name), role: Role::User }),
        }
    }
}

async fn serve_tickets() -> Context {
    let element = Element::parse(b"<authentication impl='example.Tickets' office='1'/>", &Limits::default()).unwrap();
    Context::with(|builder, resource| {
        builder.authenticator("example.Tickets", Tickets::make).authentication(element, ".").resource(resource)
    })
    .await
}

#[tokio::test]
async fn an_authenticator_of_ones_own_is_asked() {
    let context = serve_tickets().await;
    let by = async |ticket, content: &str| send(context.post(content).header("ticket", ticket)).await;
    let id = by("ada", "<session/>").await.is_completed().session_id();
    by("ada", &join(&id)).await.is_completed();
    by("carl", &join(&id)).await.is_fault(404, "SessionNotFound");
    let nobody = by("", &join(&id)).await;
    assert_eq!(nobody.is_fault(401, "Unauthenticated").header("www-authenticate"), "Ticket");
    let busy = by("closed", "").await;
    assert_eq!(busy.is_fault(503, "ServerBusy").header("retry-after"), "1");
}

#[tokio::test]
async fn nobody_takes_a_session_along_into_a_log_in_or_out_of_it() {
    // Behaviours 53 and 54: an id that was obtained before a log-in, or planted, is worth nothing after it.
    let context = serve_tickets().await;
    let anonymous = context.create().await;
    let login = send(context.post(&join(&anonymous)).header("ticket", "ada")).await;
    login.is_fault(404, "SessionNotFound");
    let id = send(context.post("<session/>").header("ticket", "ada")).await.session_id();
    context.perform(&join(&id)).await.is_fault(404, "SessionNotFound");
    context.perform(&join(&anonymous)).await.is_completed();
}
