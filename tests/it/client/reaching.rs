//! Who sends requests, over what: credentials, TLS, compression, headers of other names.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use rejoin::client::{Credentials, DataService, Error};
use rejoin::document::{Element, Limits};
use rejoin::service::{ConfiguredResource, Server};
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

use super::breaking_proxy::{BreakingProxy, Fate};
use super::{code, service};
use crate::context::Context;

/// A server that asks who sends a request.
async fn guarded(element: &str, accounts: &str) -> Context {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("accounts"), accounts).unwrap();
    let element = Element::parse(element.as_bytes(), &Limits::default()).unwrap();
    let builder = Server::builder()
        .listen("127.0.0.1:0")
        .authentication(element, folder.path())
        .resource(ConfiguredResource::new("data", folder.path()));
    Context::around(builder.build().unwrap().start().await.unwrap(), folder)
}

#[tokio::test]
async fn a_user_says_who_he_is_by_password() {
    let hash = bcrypt::hash("pass:wörd", 4).unwrap().replacen("$2b$", "$2y$", 1);
    let element = "<authentication impl='basic'><users location='accounts'/></authentication>";
    let context = guarded(element, &format!("ada:{hash}\n")).await;
    let by = |name: &str, password: &str| {
        DataService::builder(&context.server.url(), "data").credentials(Credentials::basic(name, password)).connect()
    };
    let session = by("ada", "pass:wörd").await.unwrap().session().await.unwrap();
    session.set("town", "Oban").await.unwrap();
    assert_eq!(session.status().await.unwrap().owner.as_deref(), Some("ada"));
    assert_eq!(code(by("ada", "wrong").await), "Unauthenticated");
    assert_eq!(code(DataService::connect(&context.server.url(), "data").await), "Unauthenticated");
}

#[tokio::test]
async fn a_program_says_who_it_is_by_token() {
    let hash: String = Sha256::digest("a-token").iter().map(|byte| format!("{byte:02x}")).collect();
    let element = "<authentication impl='bearer'><tokens location='accounts'/></authentication>";
    let context = guarded(element, &format!("a:{hash}:user:ada\n")).await;
    let builder = DataService::builder(&context.server.url(), "data").credentials(Credentials::bearer("a-token"));
    assert!(builder.connect().await.is_ok());
}

/// Makes a certificate authority, and by it a certificate for `localhost`.
fn make_certificates(folder: &Path) {
    let run = |arguments: &str| {
        let done = Command::new("openssl").current_dir(folder).args(arguments.split(' ')).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    };
    run("req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.crt -days 2 -subj /CN=test-authority");
    run("req -newkey rsa:2048 -nodes -keyout server.key -out server.csr -subj /CN=localhost");
    fs::write(folder.join("san"), "subjectAltName=DNS:localhost").unwrap();
    run("x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -out server.crt -days 2 -extfile san");
    run("req -newkey rsa:2048 -nodes -keyout client.key -out client.csr -subj /CN=ada");
    run("x509 -req -in client.csr -CA ca.crt -CAkey ca.key -CAcreateserial -out client.crt -days 2 -extfile san");
}

/// A proxy that speaks TLS to clients and passes on what they say; to those alone that have a certificate, if they are asked for one.
async fn tls_proxy(folder: &TempDir, server: SocketAddr, asks_clients: bool) -> SocketAddr {
    let certificate = CertificateDer::from_pem_file(folder.path().join("server.crt")).unwrap();
    let key = PrivateKeyDer::from_pem_file(folder.path().join("server.key")).unwrap();
    let config = if asks_clients {
        let mut authorities = RootCertStore::empty();
        authorities.add(CertificateDer::from_pem_file(folder.path().join("ca.crt")).unwrap()).unwrap();
        let verifier = WebPkiClientVerifier::builder(Arc::new(authorities)).build().unwrap();
        ServerConfig::builder().with_client_cert_verifier(verifier)
    } else {
        ServerConfig::builder().with_no_client_auth()
    };
    let config = config.with_single_cert(vec![certificate], key).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (client, _) = listener.accept().await.unwrap();
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                // A client that does not trust the certificate goes away.
                let Ok(mut client) = acceptor.accept(client).await else { return };
                let mut server = TcpStream::connect(server).await.unwrap();
                let _ = copy_bidirectional(&mut client, &mut server).await;
            });
        }
    });
    address
}

#[tokio::test]
async fn a_connection_is_encrypted_and_its_certificate_checked() {
    let context = Context::new().await;
    let folder = tempfile::tempdir().unwrap();
    make_certificates(folder.path());
    let port = tls_proxy(&folder, context.server.address(), false).await.port();
    let authority = fs::read(folder.path().join("ca.crt")).unwrap();
    let builder = |host: &str| DataService::builder(&format!("https://{host}:{port}"), "data");

    let service = builder("localhost").root_certificate(&authority).connect().await.unwrap();
    assert_eq!(service.query("SELECT count(*) FROM customer").one::<u8>().await.unwrap(), 3);
    // An authority that nobody vouches for, and a name that the certificate does not have.
    let error = builder("localhost").connect().await.unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error}");
    let error = builder("127.0.0.1").root_certificate(&authority).connect().await.unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error}");
}

#[tokio::test]
async fn a_program_shows_its_certificate_where_one_is_asked_for() {
    let context = Context::new().await;
    let folder = tempfile::tempdir().unwrap();
    make_certificates(folder.path());
    let port = tls_proxy(&folder, context.server.address(), true).await.port();
    let read = |name: &str| fs::read(folder.path().join(name)).unwrap();
    let builder = || {
        let builder =
            DataService::builder(&format!("https://localhost:{port}"), "data").root_certificate(&read("ca.crt"));
        builder.patience(Duration::ZERO)
    };
    let identity = [read("client.key"), read("client.crt")].concat();
    let shown = format!("{:?}", builder().client_certificate(&identity));
    assert!(!shown.contains("[45, "), "{shown}");
    let service = builder().client_certificate(&identity).connect().await.unwrap();
    assert_eq!(service.query("SELECT count(*) FROM customer").one::<u8>().await.unwrap(), 3);
    assert!(builder().connect().await.is_err());
}

#[tokio::test]
async fn answers_travel_compressed_where_that_is_wished() {
    let context = Context::new().await;
    let numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50000)
                   SELECT i, 'always the same text' FROM n";
    let mut sizes = Vec::new();
    for compression in [false, true] {
        let proxy = BreakingProxy::before(context.server.address(), |_| Fate::Passed).await;
        let service = DataService::builder(&proxy.url(), "data").compression(compression).build().unwrap();
        let all: Vec<(u32, String)> = service.query(numbers).all().await.unwrap();
        assert_eq!(all.len(), 50_000);
        let streamed: Vec<(u32, String)> = service.query(numbers).rows().await.unwrap().all().await.unwrap();
        assert!(streamed == all);
        sizes.push(proxy.bytes_heard());
    }
    assert!(sizes[1] * 2 < sizes[0], "{sizes:?}");
}

#[tokio::test]
async fn the_header_of_the_session_may_have_another_name() {
    let context = Context::with(|builder, mut resource| {
        let mut sessions = rejoin::document::SessionConfiguration::default();
        sessions.carrier.header = "Jarvis-SessionID".into();
        resource = resource.session(sessions);
        builder.resource(resource)
    })
    .await;
    let builder = DataService::builder(&context.server.url(), "data").session_header("jarvis-sessionid");
    let session = builder.connect().await.unwrap().session().await.unwrap();
    session.set("town", "Oban").await.unwrap();
    assert_eq!(session.status().await.unwrap().attributes.count, 1);
}

#[tokio::test]
async fn a_thing_that_is_no_data_service_is_told_apart() {
    let context = Context::new().await;
    let error = DataService::connect(&format!("{}/health/live?", context.server.url()), "data").await.unwrap_err();
    assert!(matches!(error, Error::Setting(_)), "{error}");
    assert!(service(&context).await.properties().await.unwrap().elements().count() > 1);
}
