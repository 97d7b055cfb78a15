//! How many requests at a time, and in a time.

use crate::resource::web::BudgetSettings;
use crate::session::ManualClock;

use super::*;

const HELD: &str = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n";

#[tokio::test]
async fn a_request_waits_until_an_answer_was_read_or_dropped() {
    let server = Server::answering(vec![Answer::then_silent(HELD), Answer::ok("second")]).await;
    let mut settings = settings(&server);
    settings.web.connections.size = 1;
    let resource = open(&settings);
    let held = get(&resource, "/").await.unwrap();
    let (second, ()) = tokio::join!(get(&resource, "/"), async {
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        assert_eq!(server.requests().len(), 1);
        drop(held);
    });
    assert_eq!(text(&mut second.unwrap().body).await.unwrap(), "second");
    assert!(get(&resource, "/").await.is_ok());
}

#[tokio::test]
async fn a_request_does_not_wait_for_ever_for_its_turn() {
    let server = Server::answering(vec![Answer::then_silent(HELD)]).await;
    let clock = ManualClock::new();
    let mut settings = settings(&server);
    settings.web.connections.size = 1;
    settings.clock = Arc::new(clock.clone());
    let resource = open(&settings);
    let _held = get(&resource, "/").await.unwrap();
    let (refused, ()) = tokio::join!(get(&resource, "/"), async {
        until(|| clock.sleepers() > 0).await;
        clock.advance(settings.web.connections.wait);
    });
    let error = refused.unwrap_err();
    assert!(matches!(error, WebError::Busy { .. }) && error.never_sent(), "{error:?}");
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_budget_holds_for_all_who_send_together() {
    let server = Server::answering(vec![Answer::ok("")]).await;
    let clock = ManualClock::new();
    let mut settings = settings(&server);
    settings.clock = Arc::new(clock.clone());
    let second = Duration::from_secs(1);
    settings.web.budget = Some(BudgetSettings { requests: 2, per: second, burst: 3, wait: second });
    let resource = Arc::new(open(&settings));
    let sending: Vec<_> = (0..6)
        .map(|_| {
            let resource = Arc::clone(&resource);
            tokio::spawn(async move { get(&resource, "/").await })
        })
        .collect();
    // Three at once, two within the second that one waits at most, and one in vain.
    until(|| server.requests().len() == 3 && clock.sleepers() >= 2).await;
    clock.advance(second / 2);
    until(|| server.requests().len() == 4).await;
    clock.advance(second / 2);
    until(|| server.requests().len() == 5).await;
    let mut busy = 0;
    for sent in sending {
        match sent.await.unwrap() {
            Ok(answer) => assert_eq!(answer.status, 200),
            Err(error) => {
                assert!(matches!(error, WebError::Busy { .. }), "{error:?}");
                busy += 1;
            }
        }
    }
    assert_eq!((busy, server.requests().len()), (1, 5));
}
