//! Who the service is to an origin.

use std::time::Duration;

use super::{PasswordSource, milliseconds};
use crate::document::configuration::contradictory;
use crate::document::writer::XmlWriter;
use crate::document::{DocumentError, Element, Fields, Located};

/// `<credentials origin>` with one of `<basic/> <bearer/> <clientCredentials/> <refreshToken/>`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialsConfiguration {
    /// To whom they are sent; without it, to the origin of the resource.
    pub origin: Option<Located<String>>,
    /// What is sent.
    pub method: CredentialMethodConfiguration,
}

/// What proves who the service is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CredentialMethodConfiguration {
    /// `<basic user passwordFile passwordEnv/>`
    Basic {
        /// The user.
        user: String,
        /// His password.
        password: PasswordSource,
    },
    /// `<bearer tokenFile tokenEnv/>`
    Bearer(PasswordSource),
    /// `<clientCredentials …/>` or `<refreshToken …/>`
    OAuth(OAuthConfiguration),
}

/// `<clientCredentials tokenUri client passwordFile passwordEnv clientIn scope margin><parameter/></clientCredentials>`, or
/// `<refreshToken …>`, which has `tokenFile` or `tokenEnv`, and `keep`, in addition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OAuthConfiguration {
    /// The token end-point, absolute, or relative to the URI of the resource.
    pub token_uri: Located<String>,
    /// The id of the client.
    pub client: String,
    /// The secret of the client.
    pub secret: Option<PasswordSource>,
    /// Where the client and its secret stand in the request.
    pub client_in: ClientPlaceConfiguration,
    /// What the token is got for.
    pub grant: GrantConfiguration,
    /// What the token is to be good for.
    pub scope: Option<String>,
    /// How long before its end a token is replaced.
    pub margin: Option<Duration>,
    /// `<parameter name value/>`: what this token end-point wants in addition.
    pub parameters: Vec<(String, String)>,
}

/// What a token is got for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GrantConfiguration {
    /// For the client itself.
    ClientCredentials,
    /// For a refresh token.
    RefreshToken {
        /// Where it is.
        token: PasswordSource,
        /// Whether a new one that comes with an answer is written into its file.
        keep: bool,
    },
}

/// `clientIn`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ClientPlaceConfiguration {
    /// `header`: HTTP Basic.
    #[default]
    Header,
    /// `form`: `client_id` and `client_secret`.
    Form,
}

const PASSWORD: (&str, &str) = ("passwordFile", "passwordEnv");
const TOKEN: (&str, &str) = ("tokenFile", "tokenEnv");
const PLACES: [(&str, ClientPlaceConfiguration); 2] =
    [("header", ClientPlaceConfiguration::Header), ("form", ClientPlaceConfiguration::Form)];

impl CredentialsConfiguration {
    pub(super) fn read(element: &Element) -> Result<Located<Self>, DocumentError> {
        let mut fields = element.fields();
        let origin = fields.attribute("origin").map(|value| value.one_word()).transpose()?;
        let method = fields.one_of(&["basic", "bearer", "clientCredentials", "refreshToken"])?;
        fields.finish()?;
        Ok(Located::new(Self { origin, method: CredentialMethodConfiguration::read(method)? }, element.position()))
    }

    pub(super) fn write(&self, writer: &mut XmlWriter) {
        writer.start("credentials");
        writer.optional("origin", self.origin.as_ref().map(|origin| &origin.value));
        self.method.write(writer);
        writer.end();
    }
}

impl CredentialMethodConfiguration {
    fn read(element: &Element) -> Result<Self, DocumentError> {
        let mut fields = element.fields();
        let read = match element.local_name() {
            "basic" => {
                let user = fields.required_attribute("user")?.non_empty()?.value;
                Self::Basic { user, password: required(&mut fields, PASSWORD, "the password")? }
            }
            "bearer" => Self::Bearer(required(&mut fields, TOKEN, "the token")?),
            _ => Self::OAuth(OAuthConfiguration::read(&mut fields)?),
        };
        fields.finish()?;
        Ok(read)
    }

    fn write(&self, writer: &mut XmlWriter) {
        match self {
            Self::Basic { user, password } => {
                writer.start("basic");
                writer.attribute("user", user);
                password.write(writer, PASSWORD);
                writer.end();
            }
            Self::Bearer(token) => {
                writer.start("bearer");
                token.write(writer, TOKEN);
                writer.end();
            }
            Self::OAuth(oauth) => oauth.write(writer),
        }
    }
}

impl OAuthConfiguration {
    fn read(fields: &mut Fields<'_>) -> Result<Self, DocumentError> {
        let token_uri = fields.required_attribute("tokenUri")?.one_word()?;
        let client = fields.required_attribute("client")?.non_empty()?.value;
        let grant = match fields.element().local_name() {
            "refreshToken" => GrantConfiguration::read_refresh_token(fields)?,
            _ => GrantConfiguration::ClientCredentials,
        };
        let secret = match grant {
            GrantConfiguration::ClientCredentials => Some(required(fields, PASSWORD, "the secret of the client")?),
            GrantConfiguration::RefreshToken { .. } => PasswordSource::read(fields)?,
        };
        let client_in =
            fields.attribute("clientIn").map(|value| value.choice(&PLACES)).transpose()?.unwrap_or_default();
        let scope = fields.attribute("scope").map(|value| value.non_empty()).transpose()?.map(|scope| scope.value);
        let margin = fields.attribute("margin").map(|value| value.duration_or_zero()).transpose()?;
        let parameters = fields.children("parameter").into_iter().map(read_parameter).collect::<Result<_, _>>()?;
        Ok(Self { token_uri, client, secret, client_in, grant, scope, margin, parameters })
    }

    fn write(&self, writer: &mut XmlWriter) {
        writer.start(match self.grant {
            GrantConfiguration::ClientCredentials => "clientCredentials",
            GrantConfiguration::RefreshToken { .. } => "refreshToken",
        });
        writer.attribute("tokenUri", &self.token_uri.value);
        writer.attribute("client", &self.client);
        if let GrantConfiguration::RefreshToken { token, keep } = &self.grant {
            token.write(writer, TOKEN);
            writer.attribute("keep", keep);
        }
        if let Some(secret) = &self.secret {
            secret.write(writer, PASSWORD);
        }
        let place = PLACES.into_iter().find_map(|(name, place)| (place == self.client_in).then_some(name));
        writer.optional("clientIn", place);
        writer.optional("scope", self.scope.as_ref());
        writer.optional("margin", self.margin.map(milliseconds));
        for (name, value) in &self.parameters {
            writer.start("parameter");
            writer.attribute("name", name);
            writer.attribute("value", value);
            writer.end();
        }
        writer.end();
    }
}

impl GrantConfiguration {
    fn read_refresh_token(fields: &mut Fields<'_>) -> Result<Self, DocumentError> {
        let token = required(fields, TOKEN, "the refresh token")?;
        let keep = fields.attribute("keep");
        let keeps = keep.as_ref().map(|value| value.boolean()).transpose()?.unwrap_or(false);
        match (&token, keep) {
            (PasswordSource::Environment(_), Some(keep)) if keeps => Err(contradictory(
                keep.position(),
                "a new refresh token can be kept in a file only: name a `tokenFile`, or leave `keep` out",
            )),
            _ => Ok(Self::RefreshToken { token, keep: keeps }),
        }
    }
}

/// One of two attributes, which has to be there.
fn required(
    fields: &mut Fields<'_>,
    names: (&'static str, &'static str),
    what: &str,
) -> Result<PasswordSource, DocumentError> {
    let position = fields.element().position();
    let name = fields.element().local_name();
    PasswordSource::read_from(fields, names, what)?.ok_or_else(|| {
        contradictory(position, &format!("`{name}` needs `{}` or `{}`: where {what} is", names.0, names.1))
    })
}

fn read_parameter(element: &Element) -> Result<(String, String), DocumentError> {
    let mut fields = element.fields();
    let name = fields.required_attribute("name")?.non_empty()?.value;
    let value = fields.required_attribute("value")?.into_text().into_owned();
    fields.finish()?;
    Ok((name, value))
}
