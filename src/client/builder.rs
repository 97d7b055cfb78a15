//! How a data service resource is reached.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::HeaderName;
use reqwest::{Certificate, Client, Identity, Url, redirect};

use super::exchange::Exchange;
use super::{Credentials, DataService, Error};

/// How long a request is sent again, if nobody says otherwise.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long a connection may take.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);

/// After which silence a connection is asked whether it is still there.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// The largest answer that is gathered in memory.
const ANSWER_BYTES: usize = 256 * 1024 * 1024;

/// Settings of a [`DataService`], all with a default that is good for most.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use rejoin::client::{Credentials, DataService};
///
/// let service = DataService::builder("https://data.example.org", "orders")
///     .credentials(Credentials::basic("ada", std::fs::read_to_string("password")?.trim()))
///     .root_certificate(&std::fs::read("our-ca.pem")?)
///     .compression(true)
///     .patience(Duration::from_mins(2))
///     .connect()
///     .await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use = "settings do nothing by themselves: call `connect` or `build`"]
pub struct DataServiceBuilder {
    address: String,
    /// Below the address; `None` where that is the resource itself.
    resource: Option<String>,
    credentials: Option<Credentials>,
    roots: Vec<Vec<u8>>,
    identity: Option<Vec<u8>>,
    session_header: String,
    compression: bool,
    patience: Duration,
    connect_within: Duration,
    answer_within: Option<Duration>,
    answer_bytes: usize,
}

/// Certificates and their key are not shown.
impl fmt::Debug for DataServiceBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DataServiceBuilder")
            .field("address", &without_user(&self.address))
            .field("resource", &self.resource)
            .field("credentials", &self.credentials)
            .field("compression", &self.compression)
            .field("patience", &self.patience)
            .finish_non_exhaustive()
    }
}

impl DataServiceBuilder {
    pub(super) fn new(address: &str, resource: &str) -> Self {
        Self { resource: Some(resource.into()), ..Self::of(address) }
    }

    /// The same by the URL of the resource, such as `rejoin serve` prints.
    #[cfg(feature = "server")]
    pub(crate) fn at(url: &str) -> Self {
        Self::of(url)
    }

    fn of(address: &str) -> Self {
        Self {
            address: address.into(),
            resource: None,
            credentials: None,
            roots: Vec::new(),
            identity: None,
            session_header: "rejoin-session".into(),
            compression: false,
            patience: PATIENCE,
            connect_within: CONNECT_WITHIN,
            answer_within: None,
            answer_bytes: ANSWER_BYTES,
        }
    }

    /// Says who sends the requests. Without it the service is told nothing.
    ///
    /// ```
    /// use rejoin::client::{Credentials, DataService};
    ///
    /// let service = DataService::builder("https://data.example.org", "orders").credentials(Credentials::bearer("a-token")).build()?;
    /// # Ok::<(), rejoin::client::Error>(())
    /// ```
    pub fn credentials(mut self, credentials: Credentials) -> Self {
        self.credentials = Some(credentials);
        self
    }

    /// Trusts a certificate authority beside those of the system: one or several certificates as PEM.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// use rejoin::client::DataService;
    ///
    /// let authority = std::fs::read("our-ca.pem")?;
    /// let service = DataService::builder("https://data.example.org", "orders").root_certificate(&authority).connect().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn root_certificate(mut self, pem: &[u8]) -> Self {
        self.roots.push(pem.to_vec());
        self
    }

    /// Shows a certificate to whoever asks for one when a connection is made (a proxy with mutual TLS): as PEM, the key and behind it
    /// the certificate with those between it and its authority.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// use rejoin::client::DataService;
    ///
    /// let identity = std::fs::read("key-and-certificate.pem")?;
    /// let service = DataService::builder("https://data.example.org", "orders").client_certificate(&identity).connect().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn client_certificate(mut self, pem: &[u8]) -> Self {
        self.identity = Some(pem.into());
        self
    }

    /// Whether answers travel compressed (Zstandard). Without it they don't: on a fast network that only costs time.
    ///
    /// ```
    /// use rejoin::client::DataService;
    ///
    /// let service = DataService::builder("https://data.example.org", "orders").compression(true).build()?;
    /// # Ok::<(), rejoin::client::Error>(())
    /// ```
    pub fn compression(mut self, compression: bool) -> Self {
        self.compression = compression;
        self
    }

    /// How long a request is sent again whose answer was lost, or that was refused for a while; 30 seconds without it. The time
    /// runs from the first mishap, not from the first sending. Zero: nothing is sent again.
    ///
    /// ```
    /// use std::time::Duration;
    /// use rejoin::client::DataService;
    ///
    /// let service = DataService::builder("https://data.example.org", "orders").patience(Duration::from_mins(2)).build()?;
    /// # Ok::<(), rejoin::client::Error>(())
    /// ```
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// How long a connection may take; ten seconds without it.
    ///
    /// ```
    /// use std::time::Duration;
    /// use rejoin::client::DataService;
    ///
    /// let service = DataService::builder("https://data.example.org", "orders").connect_within(Duration::from_secs(2)).build()?;
    /// # Ok::<(), rejoin::client::Error>(())
    /// ```
    pub fn connect_within(mut self, time: Duration) -> Self {
        self.connect_within = time;
        self
    }

    /// How long an answer may take to begin, before it counts as lost and the request is sent again. Without it a request is
    /// waited for as long as its connection stands: the service itself bounds how long one may run.
    ///
    /// ```
    /// use std::time::Duration;
    /// use rejoin::client::DataService;
    ///
    /// let service = DataService::builder("https://data.example.org", "orders").answer_within(Duration::from_mins(1)).build()?;
    /// # Ok::<(), rejoin::client::Error>(())
    /// ```
    pub fn answer_within(mut self, time: Duration) -> Self {
        self.answer_within = Some(time);
        self
    }

    /// The largest answer that is gathered in memory; 256 MiB without it. What streams has no such bound.
    ///
    /// ```
    /// use rejoin::client::DataService;
    ///
    /// let service = DataService::builder("https://data.example.org", "orders").answer_bytes(16 * 1024 * 1024).build()?;
    /// # Ok::<(), rejoin::client::Error>(())
    /// ```
    pub fn answer_bytes(mut self, most: usize) -> Self {
        self.answer_bytes = most;
        self
    }

    /// The header that carries sessions, where the operator has given it another name than `Rejoin-Session`.
    ///
    /// ```
    /// use rejoin::client::DataService;
    ///
    /// let service = DataService::builder("https://data.example.org", "orders").session_header("Jarvis-SessionID").build()?;
    /// # Ok::<(), rejoin::client::Error>(())
    /// ```
    pub fn session_header(mut self, name: &str) -> Self {
        self.session_header = name.into();
        self
    }

    /// Makes the service of these settings and asks it whether it is there.
    ///
    /// # Errors
    ///
    /// As [`build`](Self::build), and [`Error::Unreachable`], [`Error::Refused`] (no such resource, or it wants to know who you
    /// are) or [`Error::Unexpected`] where something else answers.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), rejoin::client::Error> {
    /// use rejoin::client::{Code, DataService};
    ///
    /// let connected = DataService::builder("http://127.0.0.1:8080", "nothing").connect().await;
    /// assert_eq!(connected.unwrap_err().code(), Some(&Code::ResourceNotFound));
    /// # Ok(())
    /// # }
    /// ```
    pub async fn connect(self) -> Result<DataService, Error> {
        let service = self.build()?;
        service.properties().await?;
        Ok(service)
    }

    /// Makes the service of these settings. Nothing is sent.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] for an address, a certificate, a header or credentials that can't be used.
    ///
    /// ```
    /// use rejoin::client::{DataService, Error};
    ///
    /// assert!(DataService::builder("http://127.0.0.1:8080", "demo").build().is_ok());
    /// let wrong = DataService::builder("127.0.0.1:8080", "demo").build();
    /// assert!(matches!(wrong, Err(Error::Setting(_))));
    /// ```
    pub fn build(self) -> Result<DataService, Error> {
        let url = self.url()?;
        let authorization = self.credentials.as_ref().map(Credentials::header).transpose()?;
        let session_header = HeaderName::try_from(&self.session_header)
            .map_err(|_| Error::Setting(format!("`{}` is not the name of a header", self.session_header)))?;
        let exchange = Exchange {
            http: self.http(url.scheme() == "https")?,
            url,
            authorization,
            session_header,
            compression: self.compression,
            patience: self.patience,
            answer_within: self.answer_within,
            answer_bytes: self.answer_bytes,
        };
        Ok(DataService::of(Arc::new(exchange)))
    }

    /// `{address}/services/{resource}`.
    fn url(&self) -> Result<Url, Error> {
        let expected = match self.resource {
            Some(_) => "the address of a service, such as http://127.0.0.1:8080",
            None => "the URL of a data service resource, such as http://127.0.0.1:8080/services/orders",
        };
        let shown = without_user(&self.address);
        let wrong = |why: &str| Error::Setting(format!("`{shown}` is not {expected}: {why}"));
        let mut url = Url::parse(&self.address).map_err(|error| wrong(&error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(wrong("expected http or https"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(wrong("there is something behind its path"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong("say who you are by `credentials`"));
        }
        let Some(resource) = &self.resource else { return Ok(url) };
        // An address leaves such steps out, and would mean something else.
        if matches!(&**resource, "" | "." | "..") {
            return Err(Error::Setting(format!("`{resource}` is not the name of a resource")));
        }
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().push("services").push(resource);
        }
        Ok(url)
    }

    fn http(&self, is_secure: bool) -> Result<Client, Error> {
        let mut builder = Client::builder()
            .connect_timeout(self.connect_within)
            .tcp_keepalive(KEEP_ALIVE)
            .tcp_nodelay(true)
            // No data service sends a client elsewhere, and what goes with a request is for this one alone.
            .redirect(redirect::Policy::none());
        // Where nothing is encrypted no certificates are read, and none have to be there.
        builder = if is_secure { builder.tls_certs_merge(self.certificates()?) } else { builder.tls_certs_only([]) };
        if let Some(pem) = &self.identity {
            let unreadable = |error| {
                Error::Setting(format!(
                    "the client certificate can't be read: expected a key and certificates as PEM: {error}"
                ))
            };
            builder = builder.identity(Identity::from_pem(pem).map_err(unreadable)?);
        }
        builder.build().map_err(|error| Error::Setting(format!("no request can be sent from here: {error}")))
    }

    fn certificates(&self) -> Result<Vec<Certificate>, Error> {
        let mut certificates = Vec::new();
        for pem in &self.roots {
            let bundle = Certificate::from_pem_bundle(pem)
                .map_err(|error| Error::Setting(format!("a root certificate can't be read: {error}")))?;
            if bundle.is_empty() {
                return Err(Error::Setting("a root certificate can't be read: expected PEM".into()));
            }
            certificates.extend(bundle);
        }
        Ok(certificates)
    }
}

/// An address without what stands before its host: that may be a name and a password.
fn without_user(address: &str) -> String {
    let (scheme, rest) = address.split_once("://").map_or(("", address), |(scheme, rest)| (scheme, rest));
    let separator = if scheme.is_empty() { "" } else { "://" };
    let place = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
    format!("{scheme}{separator}{place}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(address: &str, resource: &str) -> Result<String, Error> {
        DataServiceBuilder::new(address, resource).url().map(String::from)
    }

    #[test]
    fn the_resource_stands_below_the_address() {
        assert_eq!(url("http://h:1", "orders").unwrap(), "http://h:1/services/orders");
        assert_eq!(url("https://h/data/", "a b/c").unwrap(), "https://h/data/services/a%20b%2Fc");
    }

    #[test]
    fn what_is_no_address_is_told() {
        for address in ["h:1", "ftp://h", "http://h?x", "http://h#x", "http://ada:secret@h", ""] {
            let error = url(address, "orders").unwrap_err();
            assert!(matches!(&error, Error::Setting(_)), "{address}: {error}");
        }
        for address in ["http://ada:secret@h", "http://ada:secret@h:port", "ada:secret@h"] {
            let builder = DataServiceBuilder::new(address, "orders");
            let told = format!("{} {builder:?}", builder.url().unwrap_err());
            assert!(!told.contains("secret"), "{told}");
        }
        for resource in ["", ".", ".."] {
            assert!(matches!(url("http://h", resource), Err(Error::Setting(_))), "{resource}");
        }
    }

    #[test]
    fn what_can_not_be_used_is_told_before_anything_is_sent() {
        let builder = || DataServiceBuilder::new("https://h", "orders");
        assert!(matches!(builder().root_certificate(b"no PEM").build(), Err(Error::Setting(_))));
        assert!(matches!(builder().client_certificate(b"no PEM").build(), Err(Error::Setting(_))));
        assert!(matches!(builder().session_header("no header").build(), Err(Error::Setting(_))));
        assert!(matches!(builder().credentials(Credentials::basic("a:b", "c")).build(), Err(Error::Setting(_))));
    }
}
