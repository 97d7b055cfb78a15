//! Who the service is to which origin.

use crate::resource::web::{CredentialMethod, CredentialSettings};

use super::*;

fn credentials(origin: Option<&str>, method: CredentialMethod) -> CredentialSettings {
    CredentialSettings { origin: origin.map(|uri| Origin::parse(uri).unwrap()), method }
}

#[tokio::test]
async fn each_origin_gets_its_own_credentials_and_no_others() {
    let folder = tempfile::tempdir().unwrap();
    let other = Server::answering(vec![Answer::ok("")]).await;
    let third = Server::answering(vec![Answer::ok("")]).await;
    let there = other.origin();
    let server = Server::answering(vec![Answer::redirect(302, &there)]).await;
    let mut settings = settings(&server);
    settings.web.origins.extend([private(&other.origin()), private(&third.origin())]);
    let password = secret(&folder, "password", "open sesame\n");
    let token = secret(&folder, "token", "t-1\n");
    settings.web.credentials = vec![
        credentials(None, CredentialMethod::Basic { user: "Aladdin".into(), password }),
        credentials(Some(&other.origin()), CredentialMethod::Bearer { token }),
    ];
    let resource = open(&settings);
    get(&resource, "/").await.unwrap();
    get(&resource, &third.origin()).await.unwrap();
    // The example of RFC 7617.
    assert!(
        server.requests()[0].contains("authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n"),
        "{:?}",
        server.requests()
    );
    assert!(other.requests()[0].contains("authorization: Bearer t-1\r\n"), "{:?}", other.requests());
    assert!(!third.requests()[0].contains("authorization"), "{:?}", third.requests());
    assert!(!format!("{resource:?}{settings:?}").contains("sesame"));
}

#[tokio::test]
async fn a_request_with_credentials_of_its_own_gets_no_others() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::answering(vec![Answer::of("401 Unauthorized", &[], "")]).await;
    let mut settings = settings(&server);
    let token = secret(&folder, "token", "t-1");
    settings.web.credentials = vec![credentials(None, CredentialMethod::Bearer { token })];
    let sent = with_header(request(Method::GET, "/"), "authorization", "OAuth mine");
    assert_eq!(send(&open(&settings), sent).await.unwrap().status, 401);
    assert_eq!(server.requests().len(), 1);
    assert!(server.requests()[0].contains("authorization: OAuth mine\r\n"), "{:?}", server.requests());
}

#[tokio::test]
async fn a_token_that_was_changed_in_its_file_is_found_when_the_old_one_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::scripted(|_, request| {
        if request.contains("Bearer new") { Answer::ok("") } else { Answer::of("401 Unauthorized", &[], "") }
    })
    .await;
    let mut settings = settings(&server);
    let token = secret(&folder, "token", "old");
    settings.web.credentials = vec![credentials(None, CredentialMethod::Bearer { token })];
    let resource = open(&settings);
    // The same token is not sent twice.
    assert_eq!(get(&resource, "/").await.unwrap().status, 401);
    assert_eq!(server.requests().len(), 1);
    secret(&folder, "token", "new");
    assert_eq!(get(&resource, "/").await.unwrap().status, 200);
    assert_eq!(get(&resource, "/").await.unwrap().status, 200);
    assert_eq!(server.requests().len(), 4);
}

#[tokio::test]
async fn a_request_that_is_sent_once_more_waits_for_no_turn_that_it_has_itself() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::scripted(|_, request| {
        if request.contains("Bearer new") { Answer::ok("") } else { Answer::of("401 Unauthorized", &[], "no") }
    })
    .await;
    let mut settings = settings(&server);
    settings.web.connections.size = 1;
    settings.clock = Arc::new(crate::session::ManualClock::new());
    settings.web.credentials =
        vec![credentials(None, CredentialMethod::Bearer { token: secret(&folder, "token", "old") })];
    let resource = open(&settings);
    drop(get(&resource, "/").await.unwrap());
    secret(&folder, "token", "new");
    // Time stands still: who waits for a turn waits for ever.
    let answered = tokio::time::timeout(Duration::from_secs(20), get(&resource, "/")).await;
    assert_eq!(answered.unwrap().unwrap().status, 200);
}

#[tokio::test]
async fn a_uri_that_is_too_long_is_a_mistake_in_the_request_and_not_a_broken_connection() {
    let server = Server::answering(vec![Answer::ok("")]).await;
    let uri = format!("/?secret{}", "x".repeat(100_000));
    let error = get(&open(&settings(&server)), &uri).await.unwrap_err();
    assert!(matches!(error, WebError::Request { .. }) && error.never_sent(), "{error:?}");
    assert!(!error.to_string().contains("secret"), "{error}");
}

#[tokio::test]
async fn a_secret_that_is_not_there_or_no_header_is_told_of_by_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::answering(vec![Answer::ok("")]).await;
    for (token, said) in [
        (PasswordSource::File(folder.path().join("none")), "none"),
        (secret(&folder, "lines", "se\ncret"), "line break"),
    ] {
        let mut settings = settings(&server);
        settings.web.credentials = vec![credentials(None, CredentialMethod::Bearer { token })];
        let error = get(&open(&settings), "/").await.unwrap_err();
        assert!(matches!(error, WebError::Credentials { .. }) && error.never_sent(), "{error:?}");
        assert!(error.to_string().contains(said) && !error.to_string().contains("cret"), "{error}");
    }
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_request_can_not_say_what_the_client_says_itself() {
    let server = Server::answering(vec![Answer::ok("")]).await;
    let sent = with_header(request(Method::GET, "/"), "host", "other.example");
    let error = send(&open(&settings(&server)), sent).await.unwrap_err();
    assert!(matches!(error, WebError::Request { .. }), "{error:?}");
    assert!(server.requests().is_empty());
}
