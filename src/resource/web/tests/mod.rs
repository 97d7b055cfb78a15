//! Requests to scripted servers on this machine.

mod allow_list;
mod credentials;
mod faults;
mod goodbye;
mod limits;
mod redirects;
mod server;
mod tls;
mod tokens;

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderValue, Method};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use self::server::{Answer, Server};
use super::{
    ClientPlace, Grant, HttpResource, OAuthSettings, Origin, OriginSettings, WebBody, WebError, WebRequest,
    WebResource, WebResponse,
};
use crate::resource::ResourceSettings;
use crate::resource::relational::access::PasswordSource;

pub(super) fn private(origin: &str) -> OriginSettings {
    OriginSettings { origin: Origin::parse(origin).unwrap(), is_private: true }
}

/// A client that asks for itself; its secret is where no test looks.
pub(super) fn oauth(token_uri: &str) -> OAuthSettings {
    OAuthSettings {
        token_uri: token_uri.to_owned(),
        client: "rejoin".to_owned(),
        secret: Some(PasswordSource::Environment("REJOIN_TEST_SECRET".to_owned())),
        client_in: ClientPlace::Header,
        grant: Grant::ClientCredentials,
        scope: None,
        parameters: Vec::new(),
        margin: Duration::from_mins(1),
    }
}

/// The settings of a resource at a server, which is marked as a private one.
fn settings(server: &Server) -> ResourceSettings {
    let mut settings = ResourceSettings::new(format!("{}/", server.origin()), ".");
    settings.web.origins.push(private(&server.origin()));
    settings
}

/// A secret in a file of its own.
fn secret(folder: &TempDir, name: &str, content: &str) -> PasswordSource {
    let path = folder.path().join(name);
    std::fs::write(&path, content).unwrap();
    PasswordSource::File(path)
}

fn open(settings: &ResourceSettings) -> HttpResource {
    HttpResource::open(settings).unwrap()
}

fn request(method: Method, uri: &str) -> WebRequest {
    WebRequest { method, uri: uri.to_owned(), headers: HeaderMap::new(), body: None }
}

fn with_header(mut request: WebRequest, name: &'static str, value: &'static str) -> WebRequest {
    request.headers.insert(name, HeaderValue::from_static(value));
    request
}

async fn send(resource: &HttpResource, request: WebRequest) -> Result<WebResponse, WebError> {
    resource.send(request, CancellationToken::new()).await
}

async fn get(resource: &HttpResource, uri: &str) -> Result<WebResponse, WebError> {
    send(resource, request(Method::GET, uri)).await
}

/// Waits until something is so, letting everything else run.
async fn until(is_so: impl Fn() -> bool) {
    while !is_so() {
        tokio::task::yield_now().await;
    }
}

async fn text(body: &mut WebBody) -> Result<String, WebError> {
    let mut bytes = Vec::new();
    while let Some(piece) = body.next().await? {
        bytes.extend_from_slice(&piece);
    }
    Ok(String::from_utf8(bytes).unwrap())
}

#[tokio::test]
async fn an_answer_is_given_as_it_was_sent() {
    let server = Server::answering(vec![Answer::raw(
        "HTTP/1.1 299 Quite Fine\r\nContent-Encoding: gzip\r\nX-Two: 1\r\nX-Two: 2\r\nContent-Length: 5\r\n\r\nhello",
    )])
    .await;
    let mut answer = get(&open(&settings(&server)), "orders?page=2").await.unwrap();
    assert_eq!((answer.status.as_u16(), answer.reason.as_str()), (299, "Quite Fine"));
    assert_eq!(answer.headers.get_all("x-two").iter().count(), 2);
    assert_eq!(answer.headers["content-encoding"], "gzip");
    assert_eq!(answer.uri, format!("{}/orders?page=2", server.origin()));
    assert_eq!(text(&mut answer.body).await.unwrap(), "hello");
    let heads = server.requests();
    assert!(heads[0].starts_with("GET /orders?page=2 HTTP/1.1\r\n"), "{heads:?}");
    assert!(heads[0].contains("user-agent: rejoin/"), "{heads:?}");
}

#[tokio::test]
async fn a_cancelled_request_ends_at_once_and_so_does_its_body() {
    let server = Server::answering(vec![Answer::silent()]).await;
    let resource = open(&settings(&server));
    let cancel = CancellationToken::new();
    let (sent, ()) = tokio::join!(resource.send(request(Method::GET, "/"), cancel.clone()), async {
        until(|| !server.requests().is_empty()).await;
        cancel.cancel();
    });
    assert_eq!(sent.unwrap_err(), WebError::Cancelled);

    let server = Server::answering(vec![Answer::then_silent("HTTP/1.1 200 OK\r\n\r\nhalf")]).await;
    let cancel = CancellationToken::new();
    let mut answer = open(&settings(&server)).send(request(Method::GET, "/"), cancel.clone()).await.unwrap();
    assert_eq!(answer.body.next().await.unwrap().unwrap(), "half");
    cancel.cancel();
    assert_eq!(answer.body.next().await, Err(WebError::Cancelled));
    assert_eq!(answer.body.next().await, Ok(None));
}
