//! Servers with TLS.

use std::path::{Path, PathBuf};
use std::process::Command;

use axum::Router;
use axum::routing::get as on_get;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;

/// A certificate for `localhost`, which vouches for itself.
pub(super) fn certificate(folder: &Path) -> PathBuf {
    let arguments = "req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=localhost -addext \
                     subjectAltName=DNS:localhost -addext basicConstraints=critical,CA:FALSE";
    let done = Command::new("openssl").current_dir(folder).args(arguments.split_whitespace()).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    folder.join("cert.pem")
}

/// Who speaks TLS with the certificate of a folder, and such protocols on top.
pub(super) fn acceptor(folder: &Path, protocols: &[&str]) -> TlsAcceptor {
    let chain = vec![CertificateDer::from_pem_file(folder.join("cert.pem")).unwrap()];
    let key = PrivateKeyDer::from_pem_file(folder.join("key.pem")).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut config = config.with_no_client_auth().with_single_cert(chain, key).unwrap();
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    TlsAcceptor::from(Arc::new(config))
}

/// Tells the version of HTTP that it is asked by.
async fn serve(folder: &Path, protocols: &[&str]) -> u16 {
    let acceptor = acceptor(folder, protocols);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let version = async |request: axum::extract::Request| format!("{:?}", request.version());
    let router = Router::new().route("/", on_get(version));
    tokio::spawn(async move {
        loop {
            let (connection, _) = listener.accept().await.unwrap();
            // Whoever does not like the certificate hangs up.
            let Ok(connection) = acceptor.accept(connection).await else { continue };
            let service = TowerToHyperService::new(router.clone());
            tokio::spawn(async move {
                let _ = Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(connection), service).await;
            });
        }
    });
    port
}

pub(super) fn at(host: &str, port: u16, authority: Option<PathBuf>) -> HttpResource {
    let origin = format!("https://{host}:{port}");
    let mut settings = ResourceSettings::new(&origin, ".");
    settings.web.origins.push(private(&origin));
    settings.access.tls.authority = authority;
    open(&settings)
}

#[tokio::test]
async fn a_certificate_has_to_be_trusted_and_have_the_name() {
    let folder = tempfile::tempdir().unwrap();
    let authority = certificate(folder.path());
    let port = serve(folder.path(), &["http/1.1"]).await;
    assert_eq!(get(&at("localhost", port, Some(authority.clone())), "/").await.unwrap().status, 200);
    for resource in [at("localhost", port, None), at("127.0.0.1", port, Some(authority))] {
        let error = get(&resource, "/?secret").await.unwrap_err();
        assert!(matches!(error, WebError::Transport { never_sent: true, .. }), "{error:?}");
        assert!(error.to_string().contains("certificate") && !error.to_string().contains("secret"), "{error}");
    }
}

#[tokio::test]
async fn the_second_version_of_http_is_spoken_where_it_is_known() {
    let folder = tempfile::tempdir().unwrap();
    let authority = certificate(folder.path());
    for (protocols, version) in [(&["h2", "http/1.1"][..], "HTTP/2.0"), (&["http/1.1"], "HTTP/1.1"), (&[], "HTTP/1.1")]
    {
        let port = serve(folder.path(), protocols).await;
        let mut answer = get(&at("localhost", port, Some(authority.clone())), "/").await.unwrap();
        assert_eq!((answer.status.as_u16(), answer.reason.as_str()), (200, "OK"));
        assert_eq!(text(&mut answer.body).await.unwrap(), version);
    }
}

#[test]
fn a_file_of_certificates_that_is_none_is_told_of_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty.pem");
    std::fs::write(&empty, "nothing").unwrap();
    for path in [empty, folder.path().join("none.pem")] {
        let mut settings = ResourceSettings::new("https://api.example.com", ".");
        settings.access.tls.authority = Some(path.clone());
        let error = HttpResource::open(&settings).unwrap_err().to_string();
        assert!(error.contains(path.to_str().unwrap()), "{error}");
    }
}
