//! Jobs that are not wanted any more.

use reqwest::Method;

use super::*;

#[tokio::test]
async fn a_job_that_has_failed_is_cleaned_up() {
    let script = Script::default()
        .at("POST /jobs", [created()])
        .at("GET /jobs/7", [state("Failed")])
        .at("DELETE /jobs/7", [status(204)]);
    let bench = Bench::over(script).await;
    let reply = bench.context.perform(&told(&job("", ""))).await;
    reply.says("HttpJobFailed").says("poll: the remote session has failed: the failCondition holds of `Failed`");
    bench.server.saw([CREATED, POLLED, CLEANED]);
}

#[tokio::test]
async fn a_job_that_has_failed_is_cancelled_first_if_the_document_says_so() {
    let script = Script::default()
        .at("POST /jobs", [created()])
        .at("GET /jobs/7", [state("Failed")])
        .at("PATCH /jobs/7", [state("Aborted")])
        .at("DELETE /jobs/7", [status(204)]);
    let bench = Bench::over(script).await;
    let document = told(&job("", "")).replace("<cancel>", "<cancel afterFailure=\"true\">");
    bench.context.perform(&document).await.says("HttpJobFailed").says("it was cancelled");
    bench.server.saw([CREATED, POLLED, CANCELLED, CLEANED]);
}

#[tokio::test]
async fn a_job_whose_time_is_over_is_cancelled() {
    let script = service().always("GET /jobs/7", state("InProgress"));
    let bench = Bench::over(script).await;
    let document = told(&job(" timeout=\"PT8S\"", "")).replace("JobComplete", "Never");
    let passing = async {
        pass(&bench.clock, Duration::from_secs(5)).await;
        bench.server.asked(3).await;
        pass(&bench.clock, Duration::from_secs(3)).await;
    };
    let (reply, ()) = tokio::join!(bench.context.perform(&document), passing);
    reply.says("HttpJobTimedOut").says("the job was not done 8 s after it was created (`timeout`); it was cancelled");
    bench.server.saw([CREATED, POLLED, POLLED, CANCELLED, CLEANED]);
}

#[tokio::test]
async fn the_time_of_the_poll_is_its_own_if_it_says_so() {
    let bench = Bench::over(service().always("GET /jobs/7", state("InProgress"))).await;
    let own = "<property key=\"ms.wait.timeout.seconds\">3</property></poll>";
    let document = told(&job("", "")).replace("JobComplete", "Never").replace("</poll>", own);
    bench.context.perform(&document).await.says("HttpJobTimedOut").says("`ms.wait.timeout.seconds`");
    bench.server.saw([CREATED, POLLED, CANCELLED, CLEANED]);
}

#[tokio::test]
async fn results_that_are_not_there_in_time_are_cleaned_up_and_not_cancelled() {
    let script = Script::default()
        .at("POST /jobs", [created()])
        .at("GET /jobs/7", [state("JobComplete")])
        .at("GET /jobs/7/results", [page("1", "null").never()])
        .at("DELETE /jobs/7", [status(204)]);
    let bench = Bench::over(script).await;
    let document = told(&job(" timeout=\"PT8S\"", ""));
    let passing = async {
        bench.server.asked(3).await;
        pass(&bench.clock, Duration::from_secs(8)).await;
    };
    let (reply, ()) = tokio::join!(bench.context.perform(&document), passing);
    reply.says("HttpJobTimedOut").says("fetch: the time is over");
    bench.server.saw([CREATED, POLLED, FETCHED, CLEANED]);
}

#[tokio::test]
async fn a_cancel_request_that_fails_is_told_in_the_error() {
    let script = Script::default()
        .at("POST /jobs", [created()])
        .at("GET /jobs/7", [status(500)])
        .at("PATCH /jobs/7", [status(409)]);
    let bench = Bench::over(script).await;
    let document = told(&job_of("", &[CREATE, POLL, CANCEL], ""));
    let reply = bench.context.perform(&document).await;
    reply.says("HttpJobFailed").says("poll: the answer is 500").says("`cancel` failed: the answer is 409 Conflict");
    bench.server.saw([CREATED, POLLED, CANCELLED]);
}

/// A request that waits for a job: its session, and its connection.
async fn waiting(bench: &Bench, state: &str) -> (String, tokio::task::JoinHandle<reqwest::Result<reqwest::Response>>) {
    let id = bench.context.create().await;
    let document = told(&format!("<session id=\"{id}\"/>{}", job("", state)));
    let running = tokio::spawn(bench.context.post(&document).send());
    bench.server.asked(2).await;
    (id, running)
}

fn polling() -> Script {
    Script::default()
        .at("POST /jobs", [created(), created()])
        .always("GET /jobs/7", state("InProgress"))
        .always("PATCH /jobs/7", state("Aborted"))
        .always("DELETE /jobs/7", status(204))
}

const DISMISSED: [&str; 4] = [CREATED, POLLED, CANCELLED, CLEANED];

#[tokio::test]
async fn a_client_that_leaves_takes_its_job_along() {
    for kept in ["", STATE] {
        let bench = Bench::over(polling()).await;
        let (_, running) = waiting(&bench, kept).await;
        running.abort();
        bench.server.asked(4).await;
        bench.server.saw(DISMISSED);
    }
}

#[tokio::test]
async fn the_end_of_a_session_is_that_of_its_job() {
    for kept in ["", STATE] {
        let bench = Bench::over(polling()).await;
        let (id, running) = waiting(&bench, kept).await;
        end(&bench, &id).await;
        bench.server.asked(4).await;
        assert!(!running.await.unwrap().unwrap().status().is_success());
        bench.context.stop().await;
        bench.server.saw(DISMISSED);
    }
}

async fn end(bench: &Bench, id: &str) {
    let url = format!("{}/session", bench.context.url());
    let ended = bench.context.client.request(Method::DELETE, url).header("rejoin-session", id).send().await.unwrap();
    assert!(ended.status().is_success(), "{}", ended.status());
}

#[tokio::test]
async fn a_service_that_stops_cancels_what_it_cuts_off() {
    let bench = Bench::with(polling(), |builder| builder.drain_timeout(Duration::from_millis(50))).await;
    let (_, running) = waiting(&bench, STATE).await;
    bench.context.stop().await;
    // It has waited for that.
    bench.server.saw(DISMISSED);
    drop(running);
}

#[tokio::test]
async fn the_next_request_of_who_has_left_begins_a_new_job() {
    let bench = Bench::over(polling()).await;
    let (id, running) = waiting(&bench, STATE).await;
    running.abort();
    bench.server.asked(4).await;
    let document = told(&format!("<session id=\"{id}\"/>{}", job("", STATE)));
    let running = tokio::spawn(bench.context.post(&document).send());
    bench.server.asked(6).await;
    running.abort();
    bench.server.asked(8).await;
    bench.server.saw([DISMISSED, DISMISSED].concat());
}

#[tokio::test]
async fn a_client_that_leaves_while_the_job_is_created_has_it_cancelled_when_it_is() {
    let slow = created().drip(4, Duration::from_millis(30));
    let script = Script::default().at("POST /jobs", [slow]).always("/jobs/7", status(204));
    let bench = Bench::over(script).await;
    let running = tokio::spawn(bench.context.post(&told(&job("", ""))).send());
    bench.server.asked(1).await;
    running.abort();
    bench.server.asked(3).await;
    bench.server.saw([CREATED, CANCELLED, CLEANED]);
}

#[tokio::test]
async fn a_job_that_waits_for_a_later_request_is_cancelled_with_its_session() {
    let bench = Bench::over(polling()).await;
    let id = bench.context.create().await;
    let own = "<property key=\"ms.wait.timeout.seconds\">3</property>\
               <property key=\"rejoin.on.timeout\">continue</property></poll>";
    let document = told(&format!("<session id=\"{id}\"/>{}", job("", STATE))).replace("</poll>", own);
    // The next poll would be too late for this request, and for the next.
    for _ in 0..2 {
        bench.context.perform(&document).await.is_completed();
    }
    bench.server.saw([CREATED, POLLED, POLLED]);
    end(&bench, &id).await;
    bench.server.asked(5).await;
    bench.server.saw([CREATED, POLLED, POLLED, CANCELLED, CLEANED]);
}

#[tokio::test]
async fn a_poll_that_fails_by_one_answer_leaves_the_job_to_the_next_request() {
    let script = Script::default()
        .at("POST /jobs", [created()])
        .at("GET /jobs/7", [status(502), state("JobComplete")])
        .at("GET /jobs/7/results", [page("1", "null")])
        .at("DELETE /jobs/7", [status(204)]);
    let bench = Bench::over(script).await;
    let id = bench.context.create().await;
    let document = told(&format!("<session id=\"{id}\"/>{}", job("", STATE)));
    bench.context.perform(&document).await.says("poll: the answer is 502");
    let reply = bench.context.perform(&document).await;
    assert_eq!(lines(&reply, "table"), ["1"], "{}", reply.text);
    bench.server.saw([CREATED, POLLED, POLLED, FETCHED, CLEANED]);
}

#[tokio::test]
async fn a_job_that_is_not_there_any_more_is_forgotten() {
    let script = Script::default()
        .at("POST /jobs", [created(), created()])
        .at("GET /jobs/7", [status(404), state("JobComplete")])
        .at("GET /jobs/7/results", [page("1", "null")])
        .at("DELETE /jobs/7", [status(204)]);
    let bench = Bench::over(script).await;
    let id = bench.context.create().await;
    let document = told(&format!("<session id=\"{id}\"/>{}", job("", STATE)));
    bench.context.perform(&document).await.says("poll: the answer is 404");
    bench.server.saw([CREATED, POLLED]);
    bench.context.perform(&document).await.is_completed();
    bench.server.saw([CREATED, POLLED, CREATED, POLLED, FETCHED, CLEANED]);
}
