//! Creations that bring nothing, and documents that make no sense.

use super::*;

async fn created_by(answer: Answer) -> (Bench, String, Reply) {
    let bench = Bench::over(Script::default().always("POST /jobs", answer)).await;
    let id = bench.context.create().await;
    let document = told(&format!("<session id=\"{id}\"/>{}", job("", STATE)));
    let reply = bench.context.perform(&document).await;
    bench.server.saw([CREATED]);
    (bench, document, reply)
}

#[tokio::test]
async fn a_creation_that_is_refused_is_asked_for_again_by_the_next_request() {
    let (bench, document, reply) = created_by(status(400)).await;
    reply.says("HttpJobFailed").says("create: the answer is 400");
    bench.context.perform(&document).await.says("HttpJobFailed");
    bench.server.saw([CREATED, CREATED]);
}

#[tokio::test]
async fn an_answer_without_an_id_is_told_and_nothing_is_created_twice() {
    let (bench, document, reply) = created_by(json(r#"{"jobId": "7"}"#)).await;
    reply.says("HttpJobAnswer").says("create: the answer has no `id` at `id`");
    bench.context.perform(&document).await.says("HttpJobUnknown");
    bench.server.saw([CREATED]);
}

#[tokio::test]
async fn a_creation_that_is_not_answered_is_not_sent_again() {
    for answer in
        [created().reset(), created().reset_after(3), status(200).header("content-type", "text/html").body("<html>")]
    {
        let (bench, document, reply) = created_by(answer).await;
        reply.says("HttpJobUnknown").says("whether the remote service has created a job");
        bench.context.perform(&document).await.says("HttpJobUnknown");
        bench.server.saw([CREATED]);
    }
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_before_anything_is_sent() {
    let bench = Bench::over(Script::default()).await;
    let no_condition = r#"<poll><property key="ms.source.uri">/jobs/{{id}}</property></poll>"#;
    let polls =
        CREATE.replace("<variable", "<property key=\"ms.session.key.field\">{\"name\":\"a\"}</property><variable");
    let later = POLL.replace("</poll>", "<property key=\"rejoin.on.timeout\">continue</property></poll>");
    let cases = [
        (job_of("", &[CREATE, no_condition], ""), "nothing says when the job is done"),
        (job_of("", &[&polls, POLL], ""), "contradictory `create`: it is one request with one answer"),
        (job_of("", &[CREATE, &later], ""), "for which the job needs `sessionState`"),
        (
            job_of("", &[CREATE, &POLL.replace("{{id}}", "{{ld}}")], ""),
            "nothing defines `{{ld}}`; did you mean `{{id}}`?",
        ),
        (job_of(" timeout=\"P8D\"", &[CREATE, POLL], ""), "seven days at the most"),
        (
            job_of("", &[CREATE, POLL, &CLEAN_UP.replace("ms.source.uri", "ms.source.url")], ""),
            "did you mean `ms.source.uri`?",
        ),
    ];
    for (document, words) in cases {
        bench.context.perform(&told(&document)).await.is_fault(400, "DocumentInvalid").says(words);
    }
    bench.server.saw([""; 0]);
}

#[tokio::test]
async fn an_attribute_that_holds_something_else_is_not_taken_for_a_job() {
    let bench = Bench::over(service()).await;
    let id = bench.context.create().await;
    let set = "<sessionAttributeManagement name=\"set\"><setAttribute name=\"job\">x</setAttribute></sessionAttributeManagement>";
    bench.context.perform(&format!("<session id=\"{id}\"/>{set}")).await.is_completed();
    let document = told(&format!("<session id=\"{id}\"/>{}", job("", STATE)));
    bench.context.perform(&document).await.says("HttpJobState");
    bench.server.saw([""; 0]);
}
