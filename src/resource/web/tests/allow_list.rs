//! Nothing is reachable that the operator has not listed.

use super::*;
use crate::resource::web::names::NameResolver;
use futures_util::future::BoxFuture;
use std::io;
use std::net::IpAddr;

/// Every name is this machine.
#[derive(Debug)]
struct ThisMachine;

impl NameResolver for ThisMachine {
    fn addresses(&self, _: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        Box::pin(async { Ok(vec![IpAddr::from([127, 0, 0, 1])]) })
    }
}

fn open_by_name(server: &Server, is_private: bool) -> HttpResource {
    let origin = format!("http://api.example.com:{}", server.port());
    let mut settings = ResourceSettings::new(&origin, ".");
    settings.web.origins.push(OriginSettings { origin: Origin::parse(&origin).unwrap(), is_private });
    HttpResource::open_with(&settings, &(Arc::new(ThisMachine) as _)).unwrap()
}

#[tokio::test]
async fn another_origin_is_refused_before_anything_is_sent() {
    let (server, other) =
        (Server::answering(vec![Answer::ok("")]).await, Server::answering(vec![Answer::ok("")]).await);
    let resource = open(&settings(&server));
    for uri in [format!("{}/secret?q", other.origin()), format!("//127.0.0.1:{}/secret?q", other.port())] {
        let error = get(&resource, &uri).await.unwrap_err();
        assert!(matches!(error, WebError::NotAllowed { .. }) && error.never_sent(), "{error}");
        assert!(error.to_string().contains(&format!("<origin uri=\"{}\"/>", other.origin())), "{error}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
    assert!(other.requests().is_empty());
}

#[tokio::test]
async fn a_name_that_leads_into_a_private_network_is_refused_unless_its_origin_is_marked() {
    let server = Server::answering(vec![Answer::ok("{}")]).await;
    let error = get(&open_by_name(&server, false), "/").await.unwrap_err();
    assert!(matches!(error, WebError::NotAllowed { .. }), "{error:?}");
    assert!(error.to_string().contains("private=\"true\""), "{error}");
    assert!(server.requests().is_empty());
    assert_eq!(get(&open_by_name(&server, true), "/").await.unwrap().status, 200);
}
