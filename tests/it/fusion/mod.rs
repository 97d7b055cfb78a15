//! A query whose rows its database writes as CSV itself, beside one of a database that can't: clients see no difference.

mod scribe;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures_util::StreamExt;
use rejoin::service::ConfiguredResource;

use crate::caught_log::CaughtLog;
use crate::context::{Context, Reply};
use scribe::{Counts, ScribeFactory};

/// A server over a database that writes CSV itself, `data`, and its twin that can't, `plain`.
struct Twins {
    context: Context,
    counts: Arc<Counts>,
}

impl Twins {
    async fn new() -> Self {
        let counts = Arc::new(Counts::default());
        let of = |scheme, writes_csv| ScribeFactory { scheme, writes_csv, counts: Arc::clone(&counts) };
        let (scribe, plain) = (of("writes-csv", true), of("writes-rows", false));
        let resource = |name: &str, uri: &str| ConfiguredResource::new(name, ".").data_resource(uri);
        let context = Context::with(|builder, _| {
            builder
                .data_resource_factory(scribe)
                .data_resource_factory(plain)
                .resource(resource("data", "writes-csv:"))
                .resource(resource("plain", "writes-rows:"))
        })
        .await;
        Self { context, counts }
    }

    /// Performs the same on both; answers with what the first says, after checking that the other says the same.
    async fn perform(&self, content: &str, only: Option<&str>) -> Reply {
        let mut replies = Vec::new();
        for name in ["data", "plain"] {
            let mut request = self.context.post(content).build().unwrap();
            let url = format!("{}/services/{name}", self.context.server.url());
            request.url_mut().clone_from(&url.parse().unwrap());
            if let Some(end_point) = only {
                request.url_mut().set_query(Some(&format!("return={end_point}")));
            }
            replies.push(Reply::of(self.context.client.execute(request).await.unwrap()).await);
        }
        let plain = replies.pop().unwrap();
        let fused = replies.pop().unwrap();
        assert_eq!(fused.status, plain.status);
        assert_eq!(comparable(&fused.text), comparable(&plain.text));
        assert_eq!(fused.header("content-type"), plain.header("content-type"));
        fused
    }

    fn asked(&self) -> u32 {
        self.counts.csv_asked.load(Ordering::SeqCst)
    }

    fn written(&self) -> u32 {
        self.counts.csv_written.load(Ordering::SeqCst)
    }
}

/// An answer without what differs from request to request.
fn comparable(text: &str) -> String {
    let mut comparable = text.to_owned();
    for attribute in ["requestId=\"", "request=\"", "reference=\"", "session id=\""] {
        if let Some((before, after)) = text.split_once(attribute)
            && let Some((_, after)) = after.split_once('"')
        {
            comparable = format!("{before}{after}");
            return self::comparable(&comparable);
        }
    }
    comparable
}

fn query(word: &str) -> String {
    format!(
        r#"<sqlQueryStatement name="find"><expression>{word}</expression><resultStream name="rows"/></sqlQueryStatement>"#
    )
}

fn csv(options: &str) -> String {
    format!(
        r#"<sqlResultsToCSV name="format"><resultSet from="rows"/><csvOutput name="csv"/>{options}</sqlResultsToCSV>"#
    )
}

fn fused(word: &str) -> String {
    query(word) + &csv("")
}

#[tokio::test]
async fn a_database_that_writes_csv_itself_is_asked_to() {
    let log = CaughtLog::new();
    let twins = Twins::new().await;
    let reply = twins.perform(&fused("some"), None).await;
    reply.is_completed().says("<![CDATA[1,\"a;b,c\"\n,\"say \"\"hi\"\"\"\n3,\n1,\"a;b,c\"\n");
    for status in [r#"<result name="find" status="COMPLETED"/>"#, r#"<result name="format" status="COMPLETED"/>"#] {
        reply.says(status);
    }
    assert_eq!((twins.asked(), twins.written()), (2, 1));
    // The other database was queried as ever.
    assert_eq!(twins.counts.queries.load(Ordering::SeqCst), 1);
    assert_eq!(log.text().matches("event=\"engine.fused\" formatter=format").count(), 1);
}

#[tokio::test]
async fn the_bytes_are_the_same_either_way() {
    let twins = Twins::new().await;
    for word in ["nothing", "some", "many"] {
        for options in [
            "",
            r#"<delimiter value=";"/>"#,
            r#"<nullDataStr value="\N"/>"#,
            r#"<includeHeader value="true"/>"#,
            r#"<delimiter value="|"/><nullDataStr value="NULL"/><includeHeader value="true"/>"#,
        ] {
            let (asked, written) = (twins.asked(), twins.written());
            for only in [None, Some("csv")] {
                assert_eq!(twins.perform(&(query(word) + &csv(options)), only).await.status, 200);
            }
            assert_eq!((twins.asked() - asked, twins.written() - written), (4, 2), "{word} {options}");
        }
    }
}

#[tokio::test]
async fn what_a_database_would_write_otherwise_it_is_not_asked_for() {
    let twins = Twins::new().await;
    for options in [r#"<lineBreak value="CRLF"/>"#, r#"<escapeFields value="false"/>"#, "<delimiter value=\"\u{a7}\"/>"]
    {
        twins.perform(&(query("some") + &csv(options)), None).await.is_completed();
    }
    let as_xml =
        r#"<sqlResultsToXML name="format"><resultSet from="rows"/><webRowSet name="table"/></sqlResultsToXML>"#;
    twins.perform(&(query("some") + as_xml), None).await.is_completed();
    // Each of these values runs the query once more: the rows are not those of one statement.
    let streamed = r#"<dataStore name="d"><item>1</item><item>2</item><itemCursor name="n"/></dataStore>
        <sqlQueryStatement name="find"><sqlParameter position="1" from="n"/><expression>some</expression><resultStream name="rows"/></sqlQueryStatement>"#;
    twins.perform(&(streamed.to_owned() + &csv("")), None).await.is_completed();
    assert_eq!(twins.asked(), 0);
}

#[tokio::test]
async fn an_error_is_the_querys_either_way() {
    let twins = Twins::new().await;
    for only in [None, Some("csv")] {
        let reply = twins.perform(&fused("fails"), only).await;
        reply.is_fault(422, "ActivityFailed").at(2, 1).says("there is no such word");
    }
    let reply = twins.perform(&fused("fails late"), None).await;
    assert_eq!(reply.status, 200);
    reply
        .says("]]><error code=\"SqlError\" kind=\"client\"")
        .says("<result name=\"find\" status=\"ERROR\"><error code=\"SqlError\" kind=\"client\"")
        .says("<result name=\"format\" status=\"TERMINATED\"/>")
        .says("<request status=\"ERROR\">");
    let request = twins.context.post(&fused("fails late")).query(&[("return", "csv")]);
    let response = request.send().await.unwrap();
    assert!(response.bytes().await.is_err(), "half of the data must not look like all of them");
}

#[tokio::test]
async fn a_statement_stops_when_its_client_leaves() {
    let twins = Twins::new().await;
    let id = twins.context.create().await;
    for only in [None, Some("csv")] {
        let mut request = twins.context.post(&format!("<session id=\"{id}\"/>{}", fused("endless")));
        if let Some(name) = only {
            request = request.query(&[("return", name)]);
        }
        let mut body = request.send().await.unwrap().bytes_stream();
        assert!(!body.next().await.unwrap().unwrap().is_empty());
        drop(body);
        twins.context.perform(&format!("<session id=\"{id}\" wait=\"60000\"/>")).await.is_completed();
        assert_eq!(twins.counts.running.load(Ordering::SeqCst), 0);
    }
}

#[tokio::test]
async fn what_is_written_by_the_database_may_be_read_from_the_session() {
    let twins = Twins::new().await;
    let tap = r#"<outputStream name="tap"><fromLocal from="csv"/></outputStream>"#;
    let asynchronous = async |word: &str| {
        let request = twins.context.post(&format!("<session/>{}{tap}", fused(word))).header("prefer", "respond-async");
        Reply::of(request.send().await.unwrap()).await.session_id()
    };
    let stream = |id: &str, method: reqwest::Method| {
        let url = format!("{}/session/streams/tap", twins.context.url());
        twins.context.client.request(method, url).header("rejoin-session", id)
    };
    let id = asynchronous("some").await;
    let all = Reply::of(stream(&id, reqwest::Method::GET).send().await.unwrap()).await.text;
    assert_eq!(all, "1,\"a;b,c\"\n,\"say \"\"hi\"\"\"\n3,\n".repeat(3));
    // A reader that wants no more is no failure of anybody.
    let id = asynchronous("endless").await;
    let closed = stream(&id, reqwest::Method::DELETE).send().await.unwrap();
    assert_eq!(closed.status(), 204);
    let status = loop {
        let url = format!("{}/session", twins.context.url());
        let request = twins.context.client.get(url).header("rejoin-session", &id);
        let status = Reply::of(request.send().await.unwrap()).await.text;
        if !status.contains("PROCESSING") {
            break status;
        }
    };
    assert_eq!(status.matches("status=\"COMPLETED\"").count(), status.matches("status=\"").count(), "{status}");
    assert_eq!(twins.counts.running.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_database_writes_nothing_before_its_turn() {
    let twins = Twins::new().await;
    let say = r#"<echo name="say"><text>first</text><output name="said"/></echo>"#;
    let turn = format!("<sequence>{say}<flow>{}</flow></sequence>", fused("some"));
    let reply = twins.perform(&turn, None).await;
    reply.is_completed();
    assert!(reply.text.find("first") < reply.text.find("CDATA[1,"), "{}", reply.text);
    assert_eq!((twins.asked(), twins.written()), (2, 1));
    // What the formatter would have to wait for, while the query need not, keeps them apart.
    let apart = format!("<flow>{}<sequence>{say}{}</sequence></flow>", query("some"), csv(""));
    twins.perform(&apart, None).await.is_completed();
    assert_eq!(twins.asked(), 2);
}
