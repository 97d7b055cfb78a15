//! An authenticator of one's own: a proxy in front has found out who sends a request, and says so in a header.
//!
//! Whoever reaches the service past the proxy could send that header, too. So the proxy shows with every request a secret that
//! it shares with the service. The secret stands in no configuration document: that names the file with it.
//!
//! Who is an operator, and who may not come in any more, stands in the program here; it might be a directory that is asked.
//!
//! Run it with `cargo run --example own_authenticator`.

use std::collections::BTreeSet;
use std::error::Error;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use http::HeaderMap;
use rejoin::document::{Element, Limits};
use rejoin::service::{
    AuthenticationError, Authenticator, AuthenticatorError, Caller, ConfiguredResource, Refreshed, Role, Server,
};
use rejoin::session::Principal;
use sha2::{Digest, Sha256};

/// Believes what the proxy says.
#[derive(Debug)]
struct Proxy {
    /// The hash of the secret: comparing it tells nothing of the secret by its time.
    secret: [u8; 32],
    people: Arc<People>,
}

/// Who is known, by a stable id.
#[derive(Debug, Default)]
struct People {
    barred: Mutex<BTreeSet<String>>,
    /// Those of them whose sessions have not been ended yet.
    gone: Mutex<Vec<Principal>>,
}

impl People {
    fn bar(&self, id: &str) {
        self.barred.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned());
        self.gone.lock().unwrap_or_else(PoisonError::into_inner).push(Principal::new(id));
    }

    fn is_barred(&self, id: &str) -> bool {
        self.barred.lock().unwrap_or_else(PoisonError::into_inner).contains(id)
    }
}

impl Proxy {
    /// Makes one from its element in the service document. What is wrong there is said with line and column.
    fn from_element(
        element: &Element,
        folder: &Path,
        people: Arc<People>,
    ) -> Result<Arc<dyn Authenticator>, AuthenticatorError> {
        let mut fields = element.fields();
        // It has been read already.
        fields.attribute("impl");
        let mut secret = fields.required_child("secret")?.fields();
        let location = secret.required_attribute("location")?;
        secret.finish()?;
        fields.finish()?;
        let secret = fs::read_to_string(folder.join(location.as_str()))
            .map_err(|error| location.error(format!("{} can't be read: {error}", location.as_str())))?;
        let secret = secret.trim();
        Ok(Arc::new(Self { secret: Sha256::digest(secret).into(), people }))
    }
}

#[async_trait]
impl Authenticator for Proxy {
    async fn authenticate(&self, headers: &HeaderMap) -> Result<Caller, AuthenticationError> {
        let unauthenticated = || AuthenticationError::Unauthenticated { challenge: "Proxy".into() };
        let secret = headers.get("proxy-secret").ok_or_else(unauthenticated)?;
        if Sha256::digest(secret.as_bytes())[..] != self.secret {
            return Err(unauthenticated());
        }
        let id = headers.get("proxy-user").and_then(|id| id.to_str().ok()).filter(|id| !id.is_empty());
        let id = id.filter(|id| !self.people.is_barred(id)).ok_or_else(unauthenticated)?;
        let role = if id == "root" { Role::Operator } else { Role::User };
        Ok(Caller { principal: Principal::new(id), role })
    }

    fn refresh(&self) -> Refreshed {
        let mut gone = self.people.gone.lock().unwrap_or_else(PoisonError::into_inner);
        Refreshed { gone: std::mem::take(&mut gone) }
    }
}

/// As it stands in `service.xml`. A program that reads a folder with `Configuration::load` registers the factory, and no more.
const AUTHENTICATION: &str = r#"<authentication xmlns="http://ogsadai.org.uk/namespaces/2005/10/config" impl="example.Proxy">
  <secret location="proxy-secret"/>
</authentication>"#;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    fs::write(folder.path().join("proxy-secret"), SECRET)?;
    let people = Arc::new(People::default());
    let known = Arc::clone(&people);
    let factory = move |element: &Element, folder: &Path| Proxy::from_element(element, folder, Arc::clone(&known));
    let server = Server::builder()
        .listen("127.0.0.1:0")
        .authenticator("example.Proxy", factory)
        .authentication(Element::parse(AUTHENTICATION.as_bytes(), &Limits::default())?, folder.path())
        .resource(ConfiguredResource::new("books", folder.path()))
        .build()?
        .start()
        .await?;
    let url = format!("{}/services/books", server.url());

    println!("Past the proxy: {}", post(&url, "guessed", "ada", "<session/>").await?.0);
    let (status, id) = post(&url, SECRET, "ada", "<session/>").await?;
    println!("Ada has a session: {status}");
    let join = format!("<session id=\"{id}\"/>");
    println!("Carl has its id: {}", post(&url, SECRET, "carl", &join).await?.0);
    people.bar("ada");
    println!("Ada may not come in any more: {}", post(&url, SECRET, "ada", &join).await?.0);
    // The service does this by itself, about once a second. Her sessions are ended then.
    server.reload().await;

    server.shutdown().await;
    Ok(())
}

/// In an example everybody may know it.
const SECRET: &str = "no longer a secret";

/// The status, and the id of the session.
async fn post(url: &str, secret: &str, user: &str, content: &str) -> reqwest::Result<(u16, String)> {
    let document = format!("<perform xmlns=\"http://ogsadai.org.uk/namespaces/2005/10/types\">{content}</perform>");
    let request = reqwest::Client::new().post(url).header("proxy-secret", secret).header("proxy-user", user);
    let response = request.header("content-type", "application/xml").body(document).send().await?;
    let (status, text) = (response.status().as_u16(), response.text().await?);
    let id = text.split_once("<session id=\"").and_then(|(_, rest)| rest.split('"').next()).unwrap_or_default();
    Ok((status, id.to_owned()))
}
