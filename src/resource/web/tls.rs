//! Whom the service trusts to be who they say.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

/// Whose certificates are trusted.
pub(super) enum Trust<'a> {
    /// Nobody's: there is no TLS.
    Nobody,
    /// Those that the system trusts.
    System,
    /// Those of a file (PEM).
    File(&'a Path),
}

/// What TLS connections are opened with; reads certificates, which blocks.
///
/// # Errors
///
/// What is wrong with the certificates.
pub(super) fn client_config(trust: &Trust<'_>) -> Result<ClientConfig, String> {
    let roots = match trust {
        Trust::Nobody => RootCertStore::empty(),
        Trust::System => roots_of_system()?,
        Trust::File(path) => {
            roots_of(path).map_err(|problem| format!("the certificates in {}: {problem}", path.display()))?
        }
    };
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("TLS can't be used: {error}"))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

fn roots_of(path: &Path) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(|error| error.to_string())? {
        let certificate = certificate.map_err(|error| error.to_string())?;
        roots.add(certificate).map_err(|error| error.to_string())?;
    }
    if roots.is_empty() { Err("there are none (PEM)".to_owned()) } else { Ok(roots) }
}

fn roots_of_system() -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        return Err(
            "the system has no certificates that are trusted; name a file of them (`tls`, `authority`)".to_owned()
        );
    }
    Ok(roots)
}
