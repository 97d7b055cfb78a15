//! Who connects, and how.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use arrow_array::cast::AsArray;
use rejoin::resource::relational::access::{
    Login, Otherwise, PasswordSource, Requester, RoleMap, TlsMode, TlsSettings, Who,
};
use rejoin::resource::{DataResource, ResourceError};
use rejoin::session::Principal;

use super::{Database, new_database, open, password, query, settings};
use crate::certificates::make_certificates;
use crate::databases::PostgresServer;

async fn user_of(resource: &Arc<dyn DataResource>) -> Result<String, ResourceError> {
    let blocks = query(resource.as_relational().unwrap(), "SELECT current_user::text", []).await?;
    Ok(blocks[0].column(0).as_string::<i32>().value(0).to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_password_is_read_for_each_connection() {
    let server = PostgresServer::shared();
    let mut settings = settings(server, &server.create_database());
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(b"wrong").unwrap();
    settings.access.login.password = Some(PasswordSource::File(file.path().to_owned()));
    let resource = open(&settings);
    let error = resource.health().await.unwrap_err();
    assert!(
        matches!(&error, ResourceError::Unavailable { message } if message.contains("password authentication")),
        "{error:?}"
    );
    fs::write(file.path(), format!("{}\n", crate::databases::PASSWORD)).unwrap();
    resource.health().await.unwrap();
    let product = resource.product();
    assert!(
        product.name == "PostgreSQL" && product.version.starts_with(|first: char| first.is_ascii_digit()),
        "{product:?}"
    );
    settings.access.login.password = Some(PasswordSource::File("/none/such".into()));
    let error = open(&settings).health().await.unwrap_err();
    assert!(matches!(&error, ResourceError::Unavailable { message } if message.contains("/none/such")), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_requester_is_the_user_that_the_role_map_makes_him() {
    let database = new_database();
    database.psql(
        "DROP ROLE IF EXISTS clerk_of_access; CREATE ROLE clerk_of_access LOGIN PASSWORD 'throw-away'; CREATE TABLE t (n integer)",
    );
    let clerk = Login { user: Some("clerk_of_access".into()), password: Some(password()) };
    let mut settings = settings(PostgresServer::shared(), &database.name);
    settings.access.role_map =
        Some(RoleMap { entries: vec![(Who::Role("user".into()), clerk)], otherwise: Otherwise::Deny });
    let resource = open(&settings);
    let requester = |role: &str| Requester { principal: Principal::new("ada"), role: role.into() };
    let as_clerk = resource.on_behalf_of(&requester("user")).unwrap().unwrap();
    assert_eq!(user_of(&as_clerk).await.unwrap(), "clerk_of_access");
    assert_eq!(user_of(&resource).await.unwrap(), "rejoin");
    let again = resource.on_behalf_of(&requester("user")).unwrap().unwrap();
    assert!(Arc::ptr_eq(&as_clerk, &again), "there is one pool of each user");
    assert!(matches!(resource.on_behalf_of(&requester("guest")), Err(ResourceError::Denied { .. })));
    let error = query(as_clerk.as_relational().unwrap(), "SELECT * FROM t", []).await.unwrap_err();
    assert!(matches!(error, ResourceError::Denied { .. }), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_can_connect_by_a_socket() {
    let server = PostgresServer::start();
    let folder = server.folder().display().to_string();
    let mut settings = settings(&server, "postgres");
    settings.uri = format!("postgresql:///postgres?host={folder}&port={}&user=rejoin", server.port());
    let resource = open(&settings);
    assert_eq!(user_of(&resource).await.unwrap(), "rejoin");
    // What was cancelled holds its lock no more.
    let running = query(resource.as_relational().unwrap(), "SELECT pg_advisory_xact_lock(7), pg_sleep(600)", []);
    assert!(tokio::time::timeout(Duration::from_millis(200), running).await.is_err());
    let waiting = query(resource.as_relational().unwrap(), "SELECT pg_advisory_xact_lock(7)", []);
    assert!(tokio::time::timeout(Duration::from_mins(1), waiting).await.unwrap().is_ok());
}

/// A certificate that vouches for others, and a server that has one for `localhost` from it.
fn with_certificate(server: &mut PostgresServer) -> PathBuf {
    let folder = server.folder().to_owned();
    let authority = make_certificates(&folder);
    install(&folder, server);
    authority
}

fn install(folder: &Path, server: &mut PostgresServer) {
    for name in ["server.crt", "server.key"] {
        let place = folder.join("data").join(name);
        fs::copy(folder.join(name), &place).unwrap();
        let owner =
            Command::new("chown").arg(format!("--reference={}", folder.join("data").display())).arg(&place).status();
        assert!(owner.unwrap().success());
        assert!(Command::new("chmod").arg("600").arg(&place).status().unwrap().success());
    }
    server.run("postgres", "ALTER SYSTEM SET ssl = on");
    server.stop();
    server.start_again();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_shows_a_certificate_that_is_trusted() {
    let mut server = PostgresServer::start();
    let authority = with_certificate(&mut server);
    let mut settings = settings(&server, "postgres");
    settings.uri = settings.uri.replace("127.0.0.1", "localhost");
    settings.access.tls = TlsSettings { mode: TlsMode::Verify, authority: Some(authority) };
    let database = Database { resource: open(&settings), name: "postgres".into() };
    let blocks = database.query("SELECT ssl, version FROM pg_stat_ssl WHERE pid = pg_backend_pid()", []).await.unwrap();
    assert!(blocks[0].column(0).as_boolean().value(0));
    // A cancel request goes the same way.
    {
        let running = database.query("SELECT pg_sleep(600)", []);
        tokio::select! {
            _ = running => panic!("it does not end"),
            () = tokio::time::sleep(std::time::Duration::from_millis(300)) => {}
        }
    }
    let active = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'rejoin' AND state = 'active'";
    while server.run("postgres", active) != "0" {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let refused = |settings: &rejoin::resource::ResourceSettings| {
        let resource = open(settings);
        async move {
            let error = resource.health().await.unwrap_err();
            assert!(matches!(error, ResourceError::Unavailable { .. }), "{error:?}");
            error.to_string()
        }
    };
    // Trusted by nobody that is known.
    let mut other = settings.clone();
    other.access.tls.authority = None;
    assert!(refused(&other).await.contains("certificate"));
    // For another name.
    let mut other = settings.clone();
    other.uri = other.uri.replace("localhost", "127.0.0.1");
    assert!(refused(&other).await.contains("certificate"));
    // This machine needs none.
    other.access.tls = TlsSettings::default();
    open(&other).health().await.unwrap();
    other.access.tls.authority = Some("/none/such".into());
    other.access.tls.mode = TlsMode::Verify;
    assert!(refused(&other).await.contains("/none/such"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_tls_is_refused_where_it_has_to_have_it() {
    let server = PostgresServer::shared();
    let mut settings = settings(server, "postgres");
    settings.access.tls.mode = TlsMode::Verify;
    let error = open(&settings).health().await.unwrap_err();
    assert!(matches!(&error, ResourceError::Unavailable { message } if message.contains("TLS")), "{error:?}");
}
