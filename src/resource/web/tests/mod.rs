//! Requests to scripted servers on this machine.

mod allow_list;
mod server;

use std::sync::Arc;

use http::{HeaderMap, Method};
use tokio_util::sync::CancellationToken;

use self::server::{Answer, Server};
use super::{HttpResource, Origin, OriginSettings, WebBody, WebError, WebRequest, WebResource, WebResponse};
use crate::resource::ResourceSettings;

fn private(origin: &str) -> OriginSettings {
    OriginSettings { origin: Origin::parse(origin).unwrap(), is_private: true }
}

/// The settings of a resource at a server, which is marked as a private one.
fn settings(server: &Server) -> ResourceSettings {
    let mut settings = ResourceSettings::new(format!("{}/", server.origin()), ".");
    settings.web.origins.push(private(&server.origin()));
    settings
}

fn open(settings: &ResourceSettings) -> HttpResource {
    HttpResource::open(settings).unwrap()
}

fn request(method: Method, uri: &str) -> WebRequest {
    WebRequest { method, uri: uri.to_owned(), headers: HeaderMap::new(), body: None }
}

async fn get(resource: &HttpResource, uri: &str) -> Result<WebResponse, WebError> {
    resource.send(request(Method::GET, uri), CancellationToken::new()).await
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
    let server = Server::answering(vec![Answer::silent(), Answer::then_silent("HTTP/1.1 200 OK\r\n\r\nhalf")]).await;
    let resource = open(&settings(&server));
    let cancel = CancellationToken::new();
    let waiting = resource.send(request(Method::GET, "/"), cancel.clone());
    cancel.cancel();
    assert_eq!(waiting.await.unwrap_err(), WebError::Cancelled);

    let server = Server::answering(vec![Answer::then_silent("HTTP/1.1 200 OK\r\n\r\nhalf")]).await;
    let cancel = CancellationToken::new();
    let mut answer = open(&settings(&server)).send(request(Method::GET, "/"), cancel.clone()).await.unwrap();
    assert_eq!(answer.body.next().await.unwrap().unwrap(), "half");
    cancel.cancel();
    assert_eq!(answer.body.next().await, Err(WebError::Cancelled));
    assert_eq!(answer.body.next().await, Ok(None));
}
