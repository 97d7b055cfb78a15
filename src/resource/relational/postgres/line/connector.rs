//! How lines are laid.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};

use tokio_postgres::Socket;
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{DriverEnd, Line};

/// What the driver lays lines with, encrypted or not.
///
/// Where the driver encrypts nothing it asks nobody either: so it is told to encrypt, without to negotiate
/// ([`SslNegotiation::Direct`](tokio_postgres::config::SslNegotiation::Direct)), and this does not.
#[derive(Clone)]
pub(in super::super) struct LineConnector {
    tls: Option<MakeRustlsConnect>,
    laid: Arc<OnceLock<Arc<Line>>>,
}

impl LineConnector {
    /// For one line.
    pub(in super::super) fn new(tls: Option<MakeRustlsConnect>) -> Self {
        Self { tls, laid: Arc::default() }
    }

    /// The line, once it was laid.
    pub(in super::super) fn line(&self) -> Option<Arc<Line>> {
        self.laid.get().cloned()
    }

    /// Makes a line of a stream that needs no encryption.
    pub(in super::super) fn lay<S>(&self, stream: S, binding: ChannelBinding) -> DriverEnd
    where
        S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin + 'static,
    {
        let (line, end) = Line::new(stream, binding);
        // A connector lays one line.
        let _ = self.laid.set(line);
        end
    }
}

impl MakeTlsConnect<Socket> for LineConnector {
    type Stream = DriverEnd;
    type TlsConnect = LineConnect;
    type Error = io::Error;

    fn make_tls_connect(&mut self, domain: &str) -> Result<LineConnect, io::Error> {
        let tls = self.tls.as_mut().map(|tls| MakeTlsConnect::<Socket>::make_tls_connect(tls, domain));
        let tls = tls.transpose().map_err(io::Error::other)?;
        Ok(LineConnect { connector: self.clone(), tls })
    }
}

/// Lays one line.
pub(in super::super) struct LineConnect {
    connector: LineConnector,
    tls: Option<<MakeRustlsConnect as MakeTlsConnect<Socket>>::TlsConnect>,
}

impl TlsConnect<Socket> for LineConnect {
    type Stream = DriverEnd;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<DriverEnd>> + Send>>;

    fn connect(self, socket: Socket) -> Self::Future {
        let Self { connector, tls } = self;
        Box::pin(async move {
            match tls {
                None => Ok(connector.lay(socket, ChannelBinding::none())),
                Some(tls) => {
                    let encrypted = tls.connect(socket).await?;
                    let binding = encrypted.channel_binding();
                    Ok(connector.lay(encrypted, binding))
                }
            }
        })
    }
}
