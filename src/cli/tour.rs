//! The guided tour: requests one after the other, each printed with its answer and with what it shows.

use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use reqwest::{Method, Url};

use super::style::Style;
use crate::client::{DataService, DataServiceBuilder};

/// Walks a newcomer through sessions on a running server. Every scene checks what it claims.
pub(super) async fn run(url: &str, style: Style) -> anyhow::Result<()> {
    let guide = Guide { service: DataServiceBuilder::at(url).build()?, style };
    guide.implicit_session().await?;
    let session = guide.create().await?;
    guide.state_across_requests(&session).await?;
    guide.the_lock(&session).await?;
    guide.a_stream(&session).await?;
    guide.end(&session).await?;
    say!("\n{}", style.heading("That was the tour. `rejoin demo` leaves the same server running for you."));
    Ok(())
}

struct Guide {
    service: DataService,
    style: Style,
}

struct Reply {
    status: u16,
    text: String,
}

const NAMESPACE: &str = "http://ogsadai.org.uk/namespaces/2005/10/types";

impl Guide {
    async fn implicit_session(&self) -> anyhow::Result<()> {
        self.scene(
            "1. A request without a session element",
            "It runs in an implicit session of its own, which ends with it. A query, its rows as CSV, the answer with both: \
             `csv` is read by nobody, so it is an end-point and comes back.",
        );
        let reply = self
            .post(
                "<sqlQueryStatement name=\"find\">\n    <sqlParameter position=\"1\">Oban</sqlParameter>\n    \
                 <expression>SELECT id, name, credit FROM customer WHERE town = ? ORDER BY credit DESC LIMIT 3</expression>\n    \
                 <resultStream name=\"rows\"/>\n  </sqlQueryStatement>\n  <sqlResultsToCSV name=\"format\">\n    \
                 <resultSet from=\"rows\"/><csvOutput name=\"csv\"/><includeHeader value=\"true\"/>\n  </sqlResultsToCSV>",
            )
            .await?;
        ensure!(reply.status == 200 && reply.text.contains("id,name,credit"), "the query should have been answered");
        Ok(())
    }

    async fn create(&self) -> anyhow::Result<String> {
        self.scene(
            "2. A session is created",
            "`<session/>` asks for one. The service issues the id: keep it, it is a secret. Here the idle time-out wished for \
             is ten minutes.",
        );
        let reply = self.post("<session timeout=\"PT10M\"/>").await?;
        ensure!(reply.status == 200, "the session should have been created");
        session_id(&reply.text).context("the answer should name the session")
    }

    async fn state_across_requests(&self, session: &str) -> anyhow::Result<()> {
        self.scene(
            "3. State is kept across three requests",
            "Each of these joins the session and counts a visit. The third also takes what the first two left.",
        );
        let count = |rest: &str| {
            format!(
                "<session id=\"{session}\"/>\n  <sessionAttributeManagement name=\"count\">\n    \
                 <incrementAttribute name=\"visits\"/><output name=\"visits\"/>\n  </sessionAttributeManagement>{rest}"
            )
        };
        let keep = "\n  <sqlQueryStatement name=\"find\">\n    <expression>SELECT name, town FROM customer WHERE credit &gt; \
                    4995 ORDER BY name</expression>\n    <resultStream name=\"rows\"/>\n  </sqlQueryStatement>\n  \
                    <deliverToSession name=\"keep\"><fromLocal from=\"rows\"/><toSession attribute=\"best\"/></deliverToSession>";
        let take = "\n  <deliverFromSession name=\"take\"><fromSession attribute=\"best\"/><toLocal name=\"rows\"/></deliverFromSession>\
                    \n  <sqlResultsToCSV name=\"format\"><resultSet from=\"rows\"/><csvOutput name=\"csv\"/></sqlResultsToCSV>";
        for (rest, visits) in [("", 1), (keep, 2), (take, 3)] {
            let reply = self.post(&count(rest)).await?;
            let counted = reply.text.contains(&format!("type=\"integer\">{visits}</attribute>"));
            ensure!(reply.status == 200 && counted, "this should have been visit {visits}");
        }
        Ok(())
    }

    async fn the_lock(&self, session: &str) -> anyhow::Result<()> {
        self.scene(
            "4. One request at a time",
            "The first request sleeps for a second and holds the session. The second, sent meanwhile, waits for its turn; a \
             third says wait=\"0\" and is told at once that the session is in use.",
        );
        let sleeper = format!("<session id=\"{session}\"/>\n  <sleep name=\"nap\" duration=\"PT1S\"/>");
        let waiter = format!(
            "<session id=\"{session}\" wait=\"5000\"/>\n  <echo name=\"say\"><text>my turn</text><output name=\"said\"/></echo>"
        );
        let impatient = format!("<session id=\"{session}\" wait=\"0\"/>");
        let begun = Instant::now();
        let holding = self.send(&sleeper);
        let queueing = async {
            self.until_held(session).await?;
            let turned_away = self.send(&impatient).await?;
            let waited = self.send(&waiter).await?;
            anyhow::Ok((turned_away, waited, begun.elapsed()))
        };
        let (slept, queued) = tokio::join!(holding, queueing);
        let (turned_away, waited, after) = queued?;
        self.show(&sleeper, &slept?);
        self.show(&impatient, &turned_away);
        self.show(&waiter, &waited);
        say!(
            "{}",
            self.style.note(&format!("The second was answered {} ms after the first was sent.", after.as_millis()))
        );
        ensure!(turned_away.status == 423, "the impatient request should have been told that the session is in use");
        ensure!(waited.status == 200 && after >= Duration::from_secs(1), "the second request should have waited");
        Ok(())
    }

    /// Returns when the sleeper has joined.
    async fn until_held(&self, session: &str) -> anyhow::Result<()> {
        let probe = format!("<session id=\"{session}\" wait=\"0\"/>");
        for _ in 0..100 {
            if self.send(&probe).await?.status == 423 {
                return Ok(());
            }
        }
        bail!("the first request should hold the session")
    }

    async fn a_stream(&self, session: &str) -> anyhow::Result<()> {
        self.scene(
            "5. A stream of the session",
            "A request with an `outputStream` is answered at once and goes on. What it makes is read from the session, as fast \
             as the reader likes; the session tells how far the request has got.",
        );
        let accepted = self
            .post(&format!(
                "<session id=\"{session}\"/>\n  <sqlQueryStatement name=\"find\">\n    \
                 <expression>SELECT town, count(*) FROM customer GROUP BY town ORDER BY 2 DESC LIMIT 3</expression>\n    \
                 <resultStream name=\"rows\"/>\n  </sqlQueryStatement>\n  <sqlResultsToCSV name=\"format\"><resultSet \
                 from=\"rows\"/><csvOutput name=\"csv\"/></sqlResultsToCSV>\n  <outputStream name=\"towns\"><fromLocal \
                 from=\"csv\"/></outputStream>"
            ))
            .await?;
        ensure!(accepted.status == 202, "the request should have been answered at once");
        let towns = self.get("session/streams/towns", session).await?;
        self.show_get("session/streams/towns", &towns);
        ensure!(towns.status == 200 && towns.text.lines().count() == 3, "the stream should have three lines");
        let status = self.until_completed(session).await?;
        self.show_get("session", &status);
        Ok(())
    }

    /// How the session stands when its request is complete.
    async fn until_completed(&self, session: &str) -> anyhow::Result<Reply> {
        for _ in 0..100 {
            let status = self.get("session", session).await?;
            if status.text.contains("status=\"COMPLETED\" started") {
                return Ok(status);
            }
        }
        bail!("the request should be complete")
    }

    async fn end(&self, session: &str) -> anyhow::Result<()> {
        self.scene(
            "6. The session ends",
            "A request may end the session that it joins. Whoever comes later is told that it has ended, when and why: not \
             \"unknown\", and never an empty session under the old id.",
        );
        let ended = self.post(&format!("<session id=\"{session}\" mode=\"terminate\"/>")).await?;
        ensure!(ended.status == 200, "the session should have ended");
        let gone = self.post(&format!("<session id=\"{session}\"/>")).await?;
        ensure!(gone.status == 410 && gone.text.contains("SessionEnded"), "the session should be gone");
        Ok(())
    }

    fn scene(&self, title: &str, shows: &str) {
        say!("\n{}\n{}", self.style.heading(title), self.style.note(shows));
    }

    async fn post(&self, content: &str) -> anyhow::Result<Reply> {
        let reply = self.send(content).await?;
        self.show(content, &reply);
        Ok(reply)
    }

    fn show(&self, content: &str, reply: &Reply) {
        say!("\n{}\n{}", self.style.arrow("→ POST /services/demo"), document(content));
        self.show_reply(reply);
    }

    fn show_get(&self, path: &str, reply: &Reply) {
        say!("\n{}", self.style.arrow(&format!("→ GET /services/demo/{path}")));
        self.show_reply(reply);
    }

    fn show_reply(&self, reply: &Reply) {
        say!("{}\n{}", self.style.arrow(&format!("← {}", reply.status)), reply.text.trim_end());
    }

    async fn send(&self, content: &str) -> anyhow::Result<Reply> {
        let request = self.service.bare(Method::POST, self.service.address().clone());
        let request = request.header("content-type", "application/xml").body(document(content));
        Reply::of(request.send().await.context("the demo server does not answer")?).await
    }

    /// Something of the session, which the header names.
    async fn get(&self, path: &str, session: &str) -> anyhow::Result<Reply> {
        let url = Url::parse(&format!("{}/{path}", self.service.url()))?;
        let request = self.service.bare(Method::GET, url).header("rejoin-session", session);
        Reply::of(request.send().await.context("the demo server does not answer")?).await
    }
}

impl Reply {
    async fn of(response: reqwest::Response) -> anyhow::Result<Self> {
        Ok(Self { status: response.status().as_u16(), text: response.text().await? })
    }
}

fn document(content: &str) -> String {
    format!("<perform xmlns=\"{NAMESPACE}\">\n  {content}\n</perform>")
}

fn session_id(answer: &str) -> Option<String> {
    let (_, rest) = answer.split_once("<session id=\"")?;
    Some(rest.split_once('"')?.0.to_owned())
}
