//! From what a resource configuration document says of an HTTP service to its settings.

use std::path::Path;
use std::time::Duration;

use super::data_resource::password;
use super::unavailable::Refused;
use crate::document::{
    BudgetConfiguration, ClientPlaceConfiguration, CredentialMethodConfiguration, CredentialsConfiguration,
    DataResourceConfiguration, GrantConfiguration, Located, OAuthConfiguration, PoolConfiguration, Position,
    PropertyConfiguration, TimeoutsConfiguration, WebConfiguration,
};
use crate::resource::relational::access::TlsSettings;
use crate::resource::web::{
    BudgetSettings, ClientPlace, ConnectionSettings, CredentialMethod, CredentialSettings, DefaultProperty, Grant,
    OAuthSettings, Origin, OriginSettings, TimeoutSettings, WebPart, WebSettings, problems,
};

/// How long before its end a token is replaced, if nothing is said.
const MARGIN: Duration = Duration::from_mins(1);

/// How long a request waits for the budget, if nothing is said.
const BUDGET_WAIT: Duration = Duration::from_mins(10);

/// The settings of an HTTP service whose document is `file`; those of another data resource are empty.
///
/// # Errors
///
/// Everything that is wrong with them, as far as it can be judged by itself.
pub(super) fn web_settings(
    configured: &DataResourceConfiguration,
    file: &Path,
    tls: &TlsSettings,
) -> Result<WebSettings, Vec<Refused>> {
    let scheme = configured.uri.value.split(':').next().unwrap_or_default();
    if !["http", "https"].iter().any(|http| http.eq_ignore_ascii_case(scheme)) {
        return Ok(WebSettings::default());
    }
    let (web, folder) = (&configured.web, file.parent().unwrap_or(Path::new("")));
    let mut refused = Vec::new();
    let settings = WebSettings {
        origins: origins(web, &mut refused),
        credentials: credentials(web, folder, &mut refused),
        timeouts: timeouts(web.timeouts.as_ref().map(|timeouts| timeouts.value).unwrap_or_default()),
        connections: connections(web.connections.as_ref().map(|connections| connections.value).unwrap_or_default()),
        budget: web.budget.as_ref().map(|budget| self::budget(budget.value)),
        property_files: web.property_files.iter().map(|file| folder.join(&file.value)).collect(),
        properties: properties(web, file),
    };
    // What refers to an origin that can't be read would be refused for that as well.
    if refused.is_empty() {
        let found = problems(&configured.uri.value, &settings, tls).into_iter();
        refused.extend(found.map(|problem| Refused::new(place(configured, problem.part), problem.message)));
    }
    if refused.is_empty() { Ok(settings) } else { Err(refused) }
}

/// Where a part of the settings stands in the document.
fn place(configured: &DataResourceConfiguration, part: WebPart) -> Position {
    let uri = configured.uri.position;
    match part {
        WebPart::Uri => uri,
        WebPart::Tls => configured.tls.as_ref().map_or(uri, |tls| tls.position),
        WebPart::Origin(index) => configured.web.origins.get(index).map_or(uri, |origin| origin.uri.position),
        WebPart::Credentials(index) => configured.web.credentials.get(index).map_or(uri, |found| found.position),
    }
}

fn origins(web: &WebConfiguration, refused: &mut Vec<Refused>) -> Vec<OriginSettings> {
    let mut origins = Vec::new();
    for configured in &web.origins {
        let origin = origin(&configured.uri, refused);
        origins.extend(origin.map(|origin| OriginSettings { origin, is_private: configured.is_private }));
    }
    origins
}

fn origin(uri: &Located<String>, refused: &mut Vec<Refused>) -> Option<Origin> {
    Origin::parse(&uri.value).map_err(|error| refused.push(Refused::new(uri.position, error.to_string()))).ok()
}

fn credentials(web: &WebConfiguration, folder: &Path, refused: &mut Vec<Refused>) -> Vec<CredentialSettings> {
    let mut all = Vec::new();
    for Located { value: CredentialsConfiguration { origin: to, method }, .. } in &web.credentials {
        let method = match method {
            CredentialMethodConfiguration::Basic { user, password: source } => {
                CredentialMethod::Basic { user: user.clone(), password: password(source, folder) }
            }
            CredentialMethodConfiguration::Bearer(source) => {
                CredentialMethod::Bearer { token: password(source, folder) }
            }
            CredentialMethodConfiguration::OAuth(configured) => CredentialMethod::OAuth(oauth(configured, folder)),
        };
        let origin = to.as_ref().and_then(|uri| origin(uri, refused));
        all.push(CredentialSettings { origin, method });
    }
    all
}

fn oauth(configured: &OAuthConfiguration, folder: &Path) -> OAuthSettings {
    let grant = match &configured.grant {
        GrantConfiguration::ClientCredentials => Grant::ClientCredentials,
        GrantConfiguration::RefreshToken { token, keep } => {
            Grant::RefreshToken { token: password(token, folder), keeps_new: *keep }
        }
    };
    let client_in = match configured.client_in {
        ClientPlaceConfiguration::Header => ClientPlace::Header,
        ClientPlaceConfiguration::Form => ClientPlace::Form,
    };
    OAuthSettings {
        token_uri: configured.token_uri.value.clone(),
        client: configured.client.clone(),
        secret: configured.secret.as_ref().map(|source| password(source, folder)),
        client_in,
        grant,
        scope: configured.scope.clone(),
        parameters: configured.parameters.clone(),
        margin: configured.margin.unwrap_or(MARGIN),
    }
}

fn connections(configured: PoolConfiguration) -> ConnectionSettings {
    let default = ConnectionSettings::default();
    ConnectionSettings {
        size: configured.size.map_or(default.size, |size| size as usize),
        wait: configured.wait.unwrap_or(default.wait),
        idle: configured.idle.unwrap_or(default.idle),
    }
}

fn timeouts(configured: TimeoutsConfiguration) -> TimeoutSettings {
    let default = TimeoutSettings::default();
    TimeoutSettings {
        connect: configured.connect.unwrap_or(default.connect),
        read: configured.read.unwrap_or(default.read),
        total: configured.total.unwrap_or(default.total),
    }
}

fn budget(configured: BudgetConfiguration) -> BudgetSettings {
    let BudgetConfiguration { requests, per, burst, wait } = configured;
    BudgetSettings { requests, per, burst: burst.unwrap_or(requests), wait: wait.unwrap_or(BUDGET_WAIT) }
}

/// A client may see where a property stands, but not how the folders are called.
fn properties(web: &WebConfiguration, file: &Path) -> Vec<DefaultProperty> {
    let name = file.file_name().unwrap_or(file.as_os_str()).to_string_lossy();
    let property = |configured: &PropertyConfiguration| DefaultProperty {
        key: configured.key.value.as_str().into(),
        value: configured.value.as_str().into(),
        place: format!("{name}:{}", configured.key.position).into(),
    };
    web.properties.iter().map(property).collect()
}
