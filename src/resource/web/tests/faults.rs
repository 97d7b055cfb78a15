//! Servers that do not work, or not fast enough. Time is driven by the test.

use crate::session::{Clock, ManualClock};

use super::*;

fn timed(server: &Server) -> (HttpResource, ManualClock) {
    let clock = ManualClock::new();
    let mut settings = settings(server);
    settings.clock = Arc::new(clock.clone());
    settings.web.timeouts.connect = Duration::from_secs(5);
    settings.web.timeouts.read = Duration::from_secs(20);
    settings.web.timeouts.total = Duration::from_secs(60);
    (open(&settings), clock)
}

/// Moves the clock when somebody waits until then, in seconds.
async fn pass(clock: &ManualClock, to: u64) {
    let moment = crate::session::Moment::ORIGIN.after(Duration::from_secs(to));
    until(|| clock.alarms().contains(&moment)).await;
    clock.advance(moment.since(clock.now()));
}

#[tokio::test]
async fn a_head_that_does_not_come_is_not_waited_for() {
    for head in ["", "HTTP/1.1 200 OK\r\nX-Slow: l"] {
        let server = Server::answering(vec![Answer::then_silent(head)]).await;
        let (resource, clock) = timed(&server);
        let (sent, ()) = tokio::join!(get(&resource, "/"), pass(&clock, 25));
        let error = sent.unwrap_err();
        assert!(matches!(error, WebError::TimedOut { .. }) && !error.never_sent(), "{error:?}");
        assert!(error.to_string().contains("the head of the answer"), "{error}");
    }
}

#[tokio::test]
async fn a_body_that_stops_coming_is_not_waited_for() {
    let server = Server::answering(vec![Answer::then_silent("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")]).await;
    let (resource, clock) = timed(&server);
    let mut answer = get(&resource, "/").await.unwrap();
    assert_eq!(answer.body.next().await.unwrap().unwrap(), "half");
    clock.advance(Duration::from_secs(10));
    let (read, ()) = tokio::join!(answer.body.next(), pass(&clock, 30));
    let error = read.unwrap_err();
    assert!(matches!(&error, WebError::TimedOut { message } if message.contains("for 20 s")), "{error:?}");
    assert_eq!(answer.body.next().await, Ok(None));
}

#[tokio::test]
async fn a_body_that_never_ends_is_cut_by_the_total_time() {
    let body = "x".repeat(1000);
    let server =
        Server::answering(vec![Answer::then_silent(format!("HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n{body}"))])
            .await;
    let (resource, clock) = timed(&server);
    let mut answer = get(&resource, "/").await.unwrap();
    clock.advance(Duration::from_secs(59));
    assert!(answer.body.next().await.unwrap().is_some());
    let (read, ()) = tokio::join!(answer.body.next(), pass(&clock, 60));
    let error = read.unwrap_err();
    assert!(matches!(&error, WebError::TimedOut { message } if message.contains("a whole exchange")), "{error:?}");
}

#[tokio::test]
async fn a_connection_that_breaks_is_told_by_whether_anything_was_sent() {
    let server = Server::answering(vec![Answer::then_reset("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")]).await;
    let mut answer = get(&open(&settings(&server)), "/").await.unwrap();
    let error = text(&mut answer.body).await.unwrap_err();
    assert!(matches!(error, WebError::Transport { never_sent: false, .. }), "{error:?}");

    let server = Server::answering(vec![Answer::then_reset("")]).await;
    let error = get(&open(&settings(&server)), "/x?secret").await.unwrap_err();
    assert!(matches!(error, WebError::Transport { never_sent: false, .. }), "{error:?}");
    assert!(!error.to_string().contains("secret"), "{error}");

    let closed = settings(&Server::answering(vec![Answer::silent()]).await);
    tokio::task::yield_now().await;
    let error = get(&open(&closed), "/x?secret").await.unwrap_err();
    assert!(matches!(error, WebError::Transport { never_sent: true, .. }), "{error:?}");
    assert!(error.to_string().contains("no connection") && !error.to_string().contains("secret"), "{error}");
}

#[tokio::test]
async fn what_is_not_http_or_too_much_is_refused() {
    let huge = format!("HTTP/1.1 200 OK\r\nX: {}\r\nContent-Length: 0\r\n\r\n", "x".repeat(300 * 1024));
    let endless = format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(2 * 1024 * 1024));
    let many = format!("HTTP/1.1 200 OK\r\n{}Content-Length: 0\r\n\r\n", "X: 1\r\n".repeat(300));
    for (head, said) in [
        (huge.as_str(), "at most 262144 are taken"),
        (&endless, "too large"),
        (&many, "too large"),
        ("SSH-2.0-OpenSSH_9.2\r\n\r\n", "not HTTP"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "not HTTP"),
    ] {
        let server = Server::answering(vec![Answer::raw(head)]).await;
        let error = get(&open(&settings(&server)), "/").await.unwrap_err();
        assert!(matches!(error, WebError::Malformed { .. }), "{error:?}");
        assert!(error.to_string().contains(said), "{error}");
    }
}
