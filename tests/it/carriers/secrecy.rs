//! A session id is a secret: nothing that is logged shows one.

use super::{Browser, COOKIE, COUNT, serve};
use crate::caught_log::CaughtLog;
use crate::context::{Reply, perform};

/// Behaviours 46 and 49. Server and client run on the thread of this test, whose log is caught at the finest level.
#[tokio::test]
async fn no_log_and_no_fault_shows_an_id() {
    let log = CaughtLog::new();
    let context = serve("<carrier cookie=\"true\" insecureCookie=\"true\"/>").await;
    let cookie = COOKIE.trim_start_matches("__Host-");
    let http_2 = reqwest::Client::builder().http2_prior_knowledge().build().unwrap();
    let mut ids = Vec::new();
    let mut faults = String::new();

    let mut browser = Browser::at(&context);
    for content in ["<session/>", COUNT, "<session rotate=\"true\"/>", COUNT, "<session mode=\"joinOrCreate\"/>"] {
        browser.post("data", content).await.is_completed();
        ids.push(browser.cookie(cookie).to_owned());
    }
    for id in ids.clone() {
        let other = context.create().await;
        let documents = [
            format!("<session id=\"{id}\"/>{COUNT}"),
            format!("<session id=\"{id}\" mode=\"terminate\" timeout=\"1\"/>"),
            format!("<session id=\"{id}{id}\"/>"),
            format!("<session id=\"{id}\" nonsense=\"{id}\"/>"),
            format!("<session id=\"{id}\"/><nonsense/>"),
            format!("<session id=\"{id}\" mode=\"terminate\"/>"),
            format!("<session id=\"{id}\"/>"),
        ];
        for document in documents {
            for client in [&context.client, &http_2] {
                let post = || {
                    let request = client.post(context.url()).header("content-type", "application/xml");
                    request.header("x-requested-with", "test").body(perform(&document))
                };
                let by_all = post().header("rejoin-session", &other).header("cookie", format!("{cookie}={id}"));
                let by_cookie = post().header("cookie", format!("{cookie}={id}"));
                for request in [by_all, by_cookie, post()] {
                    faults.push_str(&Reply::of(request.send().await.unwrap()).await.text);
                }
            }
        }
        ids.push(other);
    }
    browser.post("data", COUNT).await.is_fault(410, "SessionEnded");
    context.server.shutdown().await;

    let log = log.text();
    assert!(log.contains("TRACE") && log.contains("perform"), "the log was caught: {}", log.len());
    assert!(log.contains("`insecureCookie`") && log.contains("WARN"), "behaviour 46");
    let faults: String = faults.lines().filter(|line| !line.contains("<session ")).collect();
    for id in &ids {
        assert_eq!(id.len(), 43);
        // Not even a good part of one.
        let part = &id[..12];
        assert!(!log.contains(part), "the log shows an id: {}", around(&log, part));
        assert!(!faults.contains(part), "a fault shows an id: {}", around(&faults, part));
    }
}

/// What stands around it.
fn around<'a>(text: &'a str, word: &str) -> &'a str {
    let at = text.find(word).unwrap_or_default();
    text.get(at.saturating_sub(300)..(at + 100).min(text.len())).unwrap_or(text)
}
