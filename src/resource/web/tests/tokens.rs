//! Tokens that are asked for: OAuth 2.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::resource::web::{CredentialMethod, CredentialSettings};
use crate::session::ManualClock;

use super::*;

/// A service and its token end-point `/token` at one origin, with a folder for secrets.
struct Stage {
    server: Server,
    settings: ResourceSettings,
    clock: ManualClock,
    folder: TempDir,
}

impl Stage {
    /// Answers requests for a token by the first function, given how many came before, and the others by the second.
    async fn new(
        token: impl Fn(usize, &str) -> Answer + Send + Sync + 'static,
        other: impl Fn(&str) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let asked = AtomicUsize::new(0);
        let server = Server::scripted(move |_, request| {
            if request.starts_with("POST /token") {
                token(asked.fetch_add(1, Ordering::SeqCst), request)
            } else {
                other(request)
            }
        })
        .await;
        let (folder, clock) = (tempfile::tempdir().unwrap(), ManualClock::new());
        let mut settings = settings(&server);
        settings.clock = Arc::new(clock.clone());
        let mut stage = Self { server, settings, clock, folder };
        stage.credentials(Grant::ClientCredentials);
        stage
    }

    fn credentials(&mut self, grant: Grant) {
        let secret = secret(&self.folder, "secret", "s3cret");
        let oauth = OAuthSettings { grant, secret: Some(secret), ..oauth("/token") };
        self.settings.web.credentials =
            vec![CredentialSettings { origin: None, method: CredentialMethod::OAuth(oauth) }];
    }

    /// The requests that begin so.
    fn sent(&self, beginning: &str) -> Vec<String> {
        self.server.requests().into_iter().filter(|request| request.starts_with(beginning)).collect()
    }
}

/// The answer with the token `a0`, or another number, that lives for so many seconds.
fn granted(number: usize, lifetime: u32) -> Answer {
    Answer::ok(&format!(r#"{{"access_token":"a{number}","token_type":"Bearer","expires_in":{lifetime}}}"#))
}

fn token_of(request: &str) -> &str {
    request.lines().find_map(|line| line.strip_prefix("authorization: Bearer ")).unwrap_or_default()
}

#[tokio::test]
async fn one_token_is_asked_for_however_many_want_it() {
    let stage = Stage::new(|number, _| granted(number, 3600), |_| Answer::ok("")).await;
    let resource = Arc::new(open(&stage.settings));
    let sending: Vec<_> = (0..20)
        .map(|_| {
            let resource = Arc::clone(&resource);
            tokio::spawn(async move { get(&resource, "/x").await.map(|answer| answer.status) })
        })
        .collect();
    for sent in sending {
        assert_eq!(sent.await.unwrap().unwrap(), 200);
    }
    assert_eq!(stage.sent("POST /token").len(), 1);
    assert!(stage.sent("GET").iter().all(|request| token_of(request) == "a0"));
    let asked = &stage.sent("POST /token")[0];
    assert!(asked.contains("authorization: Basic cmVqb2luOnMzY3JldA=="), "{asked}");
    assert!(asked.ends_with("\r\n\r\ngrant_type=client_credentials"), "{asked}");
}

#[tokio::test]
async fn a_token_is_replaced_before_its_end() {
    let stage = Stage::new(|number, _| granted(number, 600), |_| Answer::ok("")).await;
    let resource = open(&stage.settings);
    let mut tokens = Vec::new();
    for seconds in [0, 539, 1, 539, 1] {
        stage.clock.advance(Duration::from_secs(seconds));
        get(&resource, "/x").await.unwrap();
        tokens.push(token_of(stage.sent("GET").last().unwrap()).to_owned());
    }
    assert_eq!(tokens, ["a0", "a0", "a1", "a1", "a2"]);
}

#[tokio::test]
async fn a_short_lived_token_is_used_for_half_of_its_time() {
    let stage = Stage::new(|number, _| granted(number, 10), |_| Answer::ok("")).await;
    let resource = open(&stage.settings);
    for seconds in [0, 4, 1] {
        stage.clock.advance(Duration::from_secs(seconds));
        get(&resource, "/x").await.unwrap();
    }
    assert_eq!(stage.sent("POST /token").len(), 2);
}

#[tokio::test]
async fn a_token_is_good_until_its_end_when_it_can_not_be_replaced() {
    let answer = |number, _: &str| if number == 0 { granted(0, 600) } else { Answer::of("503 Busy", &[], "") };
    let stage = Stage::new(answer, |_| Answer::ok("")).await;
    let resource = open(&stage.settings);
    for seconds in [0, 540, 1] {
        stage.clock.advance(Duration::from_secs(seconds));
        assert_eq!(get(&resource, "/x").await.unwrap().status, 200);
    }
    // It is not tried for every request.
    assert_eq!(stage.sent("POST /token").len(), 2);
    stage.clock.advance(Duration::from_secs(60));
    let error = get(&resource, "/x").await.unwrap_err();
    assert!(matches!(error, WebError::Transport { never_sent: true, .. }), "{error:?}");
    assert!(error.to_string().contains("503"), "{error}");
}

#[tokio::test]
async fn a_refused_token_is_replaced_once_and_by_one() {
    let good = |request: &str| token_of(request) == "a1";
    let refuse = move |request: &str| if good(request) { Answer::ok("") } else { Answer::of("401 No", &[], "") };
    let mut stage = Stage::new(|number, _| granted(number, 3600), refuse).await;
    // The token end-point is behind the same turns: whoever asks for a token may hold none.
    stage.settings.web.connections.size = 4;
    let resource = Arc::new(open(&stage.settings));
    let sending: Vec<_> = (0..8)
        .map(|_| {
            let resource = Arc::clone(&resource);
            let sent = WebRequest { body: Some("order".into()), ..request(Method::POST, "/x") };
            tokio::spawn(async move { send(&resource, sent).await.map(|answer| answer.status) })
        })
        .collect();
    for sent in sending {
        assert_eq!(sent.await.unwrap().unwrap(), 200);
    }
    assert_eq!(stage.sent("POST /token").len(), 2);
    assert!(stage.sent("POST /x").iter().all(|request| request.ends_with("order")));

    let stage = Stage::new(|number, _| granted(number, 3600), |_| Answer::of("401 No", &[], "")).await;
    assert_eq!(get(&open(&stage.settings), "/x").await.unwrap().status, 401);
    assert_eq!((stage.sent("POST /token").len(), stage.sent("GET").len()), (2, 2));
}

#[tokio::test]
async fn all_who_wait_for_a_token_take_the_same_error() {
    let answer = Answer::of("400 Bad Request", &[], r#"{"error":"invalid_client","error_description":"s3cret"}"#);
    let stage = Stage::new(move |_, _| answer.clone(), |_| Answer::ok("")).await;
    let resource = open(&stage.settings);
    let (one, other) = tokio::join!(get(&resource, "/x"), get(&resource, "/x"));
    for sent in [one, other] {
        let error = sent.unwrap_err();
        assert!(matches!(error, WebError::Credentials { .. }), "{error:?}");
        assert!(error.to_string().contains("`invalid_client`") && !error.to_string().contains("s3cret"), "{error}");
    }
    assert_eq!(stage.sent("POST /token").len(), 1);
    // The next one tries again.
    get(&resource, "/x").await.unwrap_err();
    assert_eq!(stage.sent("POST /token").len(), 2);
}

/// Grants `r1` for `r0`, `r2` for `r1`, and nothing for one that was used.
fn single_use(number: usize, request: &str) -> Answer {
    if !request.contains(&format!("refresh_token=r{number}&"))
        && !request.ends_with(&format!("refresh_token=r{number}"))
    {
        return Answer::of("400 Bad Request", &[], r#"{"error":"invalid_grant"}"#);
    }
    let next = number + 1;
    Answer::ok(&format!(r#"{{"access_token":"a{number}","expires_in":600,"refresh_token":"r{next}"}}"#))
}

#[tokio::test]
async fn a_refresh_token_for_one_time_is_kept_over_a_restart() {
    let mut stage = Stage::new(single_use, |_| Answer::ok("")).await;
    let token = secret(&stage.folder, "refresh", "r0\n");
    stage.credentials(Grant::RefreshToken { token, keeps_new: true });
    for _ in 0..2 {
        let resource = open(&stage.settings);
        get(&resource, "/x").await.unwrap();
        stage.clock.advance(Duration::from_secs(600));
        get(&resource, "/x").await.unwrap();
    }
    assert_eq!(stage.sent("GET").iter().map(|request| token_of(request)).collect::<Vec<_>>(), ["a0", "a1", "a2", "a3"]);
    assert_eq!(std::fs::read_to_string(stage.folder.path().join("refresh")).unwrap(), "r4\n");
}

#[tokio::test]
async fn a_refresh_token_is_kept_though_nobody_waits_for_it_any_more() {
    let mut stage = Stage::new(single_use, |_| Answer::ok("")).await;
    let token = secret(&stage.folder, "refresh", "r0");
    stage.credentials(Grant::RefreshToken { token, keeps_new: true });
    let resource = open(&stage.settings);
    let cancel = CancellationToken::new();
    let (sent, ()) = tokio::join!(resource.send(request(Method::GET, "/x"), cancel.clone()), async {
        until(|| !stage.server.requests().is_empty()).await;
        cancel.cancel();
    });
    assert_eq!(sent.unwrap_err(), WebError::Cancelled);
    let file = stage.folder.path().join("refresh");
    until(|| std::fs::read_to_string(&file).unwrap() == "r1\n").await;
    get(&resource, "/x").await.unwrap();
    assert_eq!(stage.sent("POST /token").len(), 1);
}
