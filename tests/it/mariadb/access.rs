//! Who is at the other end of a connection.

use rejoin::resource::ResourceError;
use rejoin::resource::relational::access::{AccessSettings, Login, TlsMode, TlsSettings};

use super::stage::{csv, open, password_file};
use crate::certificates::make_certificates;
use crate::databases::MariaDbServer;

fn access(tls: TlsSettings) -> (tempfile::TempDir, AccessSettings) {
    let (folder, password) = password_file();
    (folder, AccessSettings { login: Login { user: None, password: Some(password) }, tls, ..Default::default() })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_shows_a_certificate_that_is_trusted() {
    let mut authority = None;
    let server = MariaDbServer::start_with(|folder| {
        authority = Some(make_certificates(folder));
        let option = |name: &str, file: &str| format!("--{name}={}", folder.join(file).display());
        vec![option("ssl-cert", "server.crt"), option("ssl-key", "server.key")]
    });
    let by_address = server.uri("mysql");
    let by_name = by_address.replace("127.0.0.1", "localhost");

    let trusting = TlsSettings { mode: TlsMode::Verify, authority };
    let (_folder, settings) = access(trusting.clone());
    let resource = open(&by_name, settings);
    let cipher =
        "SELECT VARIABLE_VALUE <> '' FROM information_schema.SESSION_STATUS WHERE VARIABLE_NAME = 'SSL_CIPHER'";
    assert_eq!(csv(resource.as_relational().unwrap(), cipher).await.unwrap(), "1");

    let of_nobody = TlsSettings { authority: None, ..trusting.clone() };
    let of_none_such = TlsSettings { authority: Some("/none/such".into()), ..trusting.clone() };
    for (uri, tls, told) in [
        (&by_name, of_nobody, "certificate"),
        (&by_address, trusting, "certificate"),
        (&by_name, of_none_such, "/none/such"),
    ] {
        let (_folder, settings) = access(tls);
        let error = open(uri, settings).health().await.unwrap_err();
        assert!(matches!(error, ResourceError::Unavailable { .. }), "{error:?}");
        assert!(error.to_string().contains(told), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_tls_is_refused_where_it_has_to_have_it() {
    let (_folder, settings) = access(TlsSettings { mode: TlsMode::Verify, authority: None });
    let error = open(&MariaDbServer::shared().uri("mysql"), settings).health().await.unwrap_err();
    assert!(matches!(error, ResourceError::Unavailable { .. }), "{error:?}");
    assert!(error.to_string().contains("SSL"), "{error}");
}
