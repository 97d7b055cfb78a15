//! From what a resource configuration document says of a data resource to what opens it.

use std::path::Path;
use std::sync::Arc;

use super::unavailable::Refused;
use super::web_resource::web_settings;
use crate::document::{
    DataResourceConfiguration, FolderConfiguration, LoginConfiguration, MappedTo, PasswordSource, PoolConfiguration,
    RoleMapConfiguration, TlsConfiguration, TlsModeConfiguration,
};
use crate::resource::ResourceSettings;
use crate::resource::files::FolderSettings;
use crate::resource::relational::access::{self, Login, Otherwise, PoolSettings, RoleMap, TlsMode, TlsSettings, Who};
use crate::session::Clock;

/// The settings of a data resource whose document is `file`.
///
/// # Errors
///
/// Everything that is wrong with what it says of an HTTP service, as far as it can be judged by itself.
pub(crate) fn resource_settings(
    configured: &DataResourceConfiguration,
    file: &Path,
    clock: &Arc<dyn Clock>,
) -> Result<ResourceSettings, Vec<Refused>> {
    let folder = file.parent().unwrap_or(Path::new(""));
    let mut settings = ResourceSettings::new(&configured.uri.value, folder);
    settings.access = access::AccessSettings {
        login: login(&configured.login, folder),
        role_map: configured.role_map.as_ref().map(|map| role_map(&map.value, folder)),
        pool: pool(configured.pool.as_ref().map(|pool| pool.value).unwrap_or_default()),
        tls: configured.tls.as_ref().map(|tls| tls_settings(&tls.value, folder)).unwrap_or_default(),
        statement_timeout: configured.statement_timeout,
    };
    settings.clock = Arc::clone(clock);
    settings.web = web_settings(configured, file, &settings.access.tls)?;
    settings.folder = configured.folder.as_ref().map(|folder| folder_settings(folder.value)).unwrap_or_default();
    Ok(settings)
}

fn folder_settings(configured: FolderConfiguration) -> FolderSettings {
    let default = FolderSettings::default();
    FolderSettings {
        is_writable: configured.write,
        creates: configured.create,
        file_bytes: configured.file_bytes,
        keeps_unfinished: configured.unfinished.unwrap_or(default.keeps_unfinished),
    }
}

fn login(configured: &LoginConfiguration, folder: &Path) -> Login {
    let password = configured.password.as_ref().map(|source| password(source, folder));
    Login { user: configured.user.as_ref().map(|user| user.value.clone()), password }
}

/// Where a secret is; a file is relative to the document.
pub(super) fn password(configured: &PasswordSource, folder: &Path) -> access::PasswordSource {
    match configured {
        PasswordSource::File(file) => access::PasswordSource::File(folder.join(&file.value)),
        PasswordSource::Environment(variable) => access::PasswordSource::Environment(variable.value.clone()),
    }
}

fn role_map(configured: &RoleMapConfiguration, folder: &Path) -> RoleMap {
    let entries = configured.entries.iter().map(|entry| {
        let who = match &entry.who {
            MappedTo::Principal(id) => Who::Principal(id.clone()),
            MappedTo::Role(role) => Who::Role(role.clone()),
        };
        (who, login(&entry.login, folder))
    });
    let otherwise = if configured.otherwise_default { Otherwise::Default } else { Otherwise::Deny };
    RoleMap { entries: entries.collect(), otherwise }
}

fn pool(configured: PoolConfiguration) -> PoolSettings {
    let default = PoolSettings::default();
    PoolSettings {
        size: configured.size.map_or(default.size, |size| size as usize),
        wait: configured.wait.unwrap_or(default.wait),
        idle: configured.idle.unwrap_or(default.idle),
    }
}

fn tls_settings(configured: &TlsConfiguration, folder: &Path) -> TlsSettings {
    let mode = match configured.mode {
        TlsModeConfiguration::Automatic => TlsMode::Automatic,
        TlsModeConfiguration::Verify => TlsMode::Verify,
        TlsModeConfiguration::Off => TlsMode::Off,
    };
    TlsSettings { mode, authority: configured.authority.as_ref().map(|file| folder.join(&file.value)) }
}
