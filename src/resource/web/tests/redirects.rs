//! Where answers lead.

use super::*;

#[tokio::test]
async fn a_get_is_followed_to_listed_origins() {
    let other = Server::answering(vec![Answer::ok("there")]).await;
    let there = format!("{}/there?b=2", other.origin());
    let server =
        Server::scripted(
            move |index, _| {
                if index == 0 { Answer::redirect(302, "next?a=1") } else { Answer::redirect(307, &there) }
            },
        )
        .await;
    let mut settings = settings(&server);
    settings.web.origins.push(private(&other.origin()));
    let mut answer = get(&open(&settings), "/start").await.unwrap();
    assert_eq!(answer.uri, format!("{}/there?b=2", other.origin()));
    assert_eq!(text(&mut answer.body).await.unwrap(), "there");
    assert!(server.requests()[1].starts_with("GET /next?a=1 "), "{:?}", server.requests());
}

#[tokio::test]
async fn an_answer_that_leads_to_an_origin_that_is_not_listed_is_refused() {
    let other = Server::answering(vec![Answer::ok("")]).await;
    for location in
        [format!("{}/secret?q", other.origin()), "http://169.254.169.254/latest/".into(), "file:///etc".into()]
    {
        let server = Server::answering(vec![Answer::redirect(302, &location)]).await;
        let error = get(&open(&settings(&server)), "/").await.unwrap_err();
        assert!(matches!(error, WebError::NotAllowed { .. } | WebError::Redirected { .. }), "{error:?}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
    assert!(other.requests().is_empty());
}

#[tokio::test]
async fn what_could_be_a_credential_stays_with_the_origin_that_it_is_for() {
    let other = Server::answering(vec![Answer::ok("")]).await;
    let there = other.origin();
    let server = Server::scripted(move |index, _| match index {
        0 => Answer::redirect(302, "/here"),
        _ => Answer::redirect(302, &there),
    })
    .await;
    let mut settings = settings(&server);
    settings.web.origins.push(private(&other.origin()));
    let mut sent = request(Method::GET, "/");
    for (name, value) in [("authorization", "Bearer a"), ("cookie", "b"), ("x-api-key", "c"), ("accept", "text/csv")] {
        sent = with_header(sent, name, value);
    }
    send(&open(&settings), sent).await.unwrap();
    let (here, there) = (&server.requests()[1], &other.requests()[0]);
    for header in ["authorization: Bearer a", "cookie: b", "x-api-key: c"] {
        assert!(here.contains(header) && !there.contains(header), "{here}\n{there}");
    }
    assert!(there.contains("accept: text/csv"), "{there}");
}

#[tokio::test]
async fn a_request_that_changes_something_is_not_sent_on() {
    let server = Server::answering(vec![Answer::redirect(307, "/elsewhere")]).await;
    let resource = open(&settings(&server));
    for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
        assert_eq!(send(&resource, request(method, "/")).await.unwrap().status, 307);
    }
    assert_eq!(server.requests().len(), 4);
}

#[tokio::test]
async fn a_circle_ends_and_so_does_a_way_that_is_too_long() {
    let server = Server::scripted(|index, _| Answer::redirect(302, ["/b", "/c", "/b"][index.min(2)])).await;
    let error = get(&open(&settings(&server)), "/a").await.unwrap_err();
    assert!(matches!(&error, WebError::Redirected { message } if message.contains("in a circle")), "{error:?}");
    assert_eq!(server.requests().len(), 3);

    let server = Server::scripted(|index, _| Answer::redirect(302, &format!("/{index}"))).await;
    let error = get(&open(&settings(&server)), "/a").await.unwrap_err();
    assert!(matches!(&error, WebError::Redirected { message } if message.contains("more than 10 times")), "{error:?}");
    assert_eq!(server.requests().len(), 11);
}
