//! A session id is a secret: nothing that is logged shows one.

use std::io;
use std::sync::Arc;

use parking_lot::Mutex;
use tracing::Level;

use super::{Browser, COOKIE, COUNT, serve};
use crate::context::{Reply, perform};

/// Everything that is logged.
#[derive(Debug, Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Behaviours 46 and 49. Server and client run on the thread of this test, whose log is caught at the finest level.
#[tokio::test]
async fn no_log_and_no_fault_shows_an_id() {
    let log = Log::default();
    let sink = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(Level::TRACE)
        .with_ansi(false)
        .with_writer(move || sink.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
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
            let request = http_2.post(context.url()).header("content-type", "application/xml").body(perform(&document));
            for request in [context.post(&document), request] {
                let request = request.header("rejoin-session", &other).header("cookie", format!("{cookie}={id}"));
                faults.push_str(&Reply::of(request.send().await.unwrap()).await.text);
            }
            faults.push_str(&context.perform(&document.replace("nonsense=", "timeout=")).await.text);
        }
        ids.push(other);
    }
    browser.post("data", COUNT).await.is_fault(410, "SessionEnded");
    context.server.shutdown().await;

    let log = String::from_utf8_lossy(&log.0.lock()).into_owned();
    assert!(log.contains("TRACE") && log.contains("perform"), "the log was caught: {}", log.len());
    assert!(log.contains("`insecureCookie`") && log.contains("WARN"), "behaviour 46");
    let faults: String = faults.lines().filter(|line| !line.contains("<session ")).collect();
    for id in &ids {
        assert_eq!(id.len(), 43);
        assert!(!log.contains(id.as_str()), "the log shows an id: {}", around(&log, id));
        assert!(!faults.contains(id.as_str()), "a fault shows an id: {}", around(&faults, id));
    }
}

/// What stands around it.
fn around<'a>(text: &'a str, word: &str) -> &'a str {
    let at = text.find(word).unwrap_or_default();
    text.get(at.saturating_sub(300)..(at + 100).min(text.len())).unwrap_or(text)
}
