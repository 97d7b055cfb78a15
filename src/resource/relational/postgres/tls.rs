//! How connections are protected.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::address::{PostgresAddress, PostgresHost};
use super::line::LineConnector;
use crate::resource::ResourceError;
use crate::resource::relational::access::{TlsMode, TlsSettings};

/// What connections, and the requests to cancel something on them, are opened with.
#[derive(Clone)]
pub(super) enum Connector {
    /// By this file.
    Socket(PathBuf),
    Plain,
    Encrypted(MakeRustlsConnect),
}

impl Connector {
    /// What lays one line.
    pub(super) fn layer(&self) -> LineConnector {
        LineConnector::new(match self {
            Self::Socket(_) | Self::Plain => None,
            Self::Encrypted(tls) => Some(tls.clone()),
        })
    }
}

impl std::fmt::Debug for Connector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Socket(_) => "Socket",
            Self::Plain => "Plain",
            Self::Encrypted(_) => "Encrypted",
        })
    }
}

/// Whether connections to that address are encrypted.
pub(super) fn is_encrypted(settings: &TlsSettings, address: &PostgresAddress) -> bool {
    match settings.mode {
        TlsMode::Automatic => !address.is_local(),
        TlsMode::Verify => true,
        TlsMode::Off => false,
    }
}

/// Makes the connector for these settings; reads certificates, which blocks.
pub(super) fn connector(settings: &TlsSettings, address: &PostgresAddress) -> Result<Connector, ResourceError> {
    if !is_encrypted(settings, address) {
        return Ok(match &address.host {
            PostgresHost::Socket(folder) => Connector::Socket(folder.join(format!(".s.PGSQL.{}", address.port))),
            PostgresHost::Network(_) => Connector::Plain,
        });
    }
    let roots = match &settings.authority {
        Some(path) => roots_of(path)?,
        None => roots_of_system()?,
    };
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| unavailable(format!("TLS can't be used: {error}")))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Connector::Encrypted(MakeRustlsConnect::new(config)))
}

fn roots_of(path: &Path) -> Result<RootCertStore, ResourceError> {
    let refused = |problem: String| unavailable(format!("the certificates in {}: {problem}", path.display()));
    let certificates = CertificateDer::pem_file_iter(path).map_err(|error| refused(error.to_string()))?;
    let mut roots = RootCertStore::empty();
    for certificate in certificates {
        let certificate = certificate.map_err(|error| refused(error.to_string()))?;
        roots.add(certificate).map_err(|error| refused(error.to_string()))?;
    }
    if roots.is_empty() { Err(refused("there are none (PEM)".into())) } else { Ok(roots) }
}

fn roots_of_system() -> Result<RootCertStore, ResourceError> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        return Err(unavailable("the system has no certificates that are trusted; name a file of them".into()));
    }
    Ok(roots)
}

fn unavailable(message: String) -> ResourceError {
    ResourceError::Unavailable { message }
}
