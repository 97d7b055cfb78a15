//! Servers that stop, come back, stand still and die, in the middle of what they do.

use std::time::{Duration, Instant};

use super::Kind;
use super::stage::{Options, Session, data_resource, query, serve, transaction, until, update};
use crate::context::{Context, Reply};
use crate::databases::{MariaDbServer, PostgresServer};

in_every_database!(;
    servers: a_database_that_is_gone_is_told_apart_from_a_wrong_statement,
    after_a_restart_the_next_request_works,
    a_query_whose_server_dies_is_told_so,
    an_update_whose_server_dies_is_all_or_nothing,
    a_transaction_that_lost_its_connection_is_never_continued_outside,
    a_commit_that_finds_the_server_gone_tells_what_is_known,
    a_server_that_stands_still_holds_nobody_up_for_long,
    a_transaction_on_a_server_that_stands_still_stays_one,
);

/// How long an answer may take, whatever the database does.
const PATIENCE: Duration = Duration::from_mins(1);

/// A server of one test.
enum Server {
    Postgres(PostgresServer),
    MariaDb(MariaDbServer),
}

macro_rules! each {
    ($server:expr, $inner:ident => $does:expr) => {
        match $server {
            Server::Postgres($inner) => $does,
            Server::MariaDb($inner) => $does,
        }
    };
}

/// A service over a server that only it uses.
struct Stage {
    kind: Kind,
    context: Context,
    server: Server,
    database: String,
}

impl Stage {
    async fn new(kind: Kind, resource: &str) -> Self {
        let server = match kind {
            Kind::Postgres => Server::Postgres(PostgresServer::start()),
            _ => Server::MariaDb(MariaDbServer::start()),
        };
        let database = each!(&server, it => it.create_database());
        let uri = each!(&server, it => it.uri(&database));
        let resources = vec![data_resource("", &uri, resource)];
        let context = serve(&Options { resources, ..Options::default() }).await;
        let stage = Self { kind, context, server, database };
        stage.run("CREATE TABLE note (n INTEGER PRIMARY KEY)");
        stage.run("INSERT INTO note VALUES (1)");
        stage
    }

    /// Runs a statement without the service.
    fn run(&self, sql: &str) -> String {
        each!(&self.server, it => it.run(&self.database, sql))
    }

    fn kill(&mut self) {
        each!(&mut self.server, it => it.kill());
    }

    fn stop(&mut self) {
        each!(&mut self.server, it => it.stop());
    }

    fn start_again(&mut self) {
        each!(&mut self.server, it => it.start_again());
    }

    fn freeze(&self) {
        each!(&self.server, it => it.freeze());
    }

    fn thaw(&self) {
        each!(&self.server, it => it.thaw());
    }

    async fn perform(&self, content: &str) -> Reply {
        bounded(self.context.perform(content)).await
    }

    async fn session(&self) -> Session<'_> {
        Session { context: &self.context, id: self.context.create().await }
    }

    fn notes(&self) -> String {
        self.run("SELECT n FROM note ORDER BY n").replace('\n', " ")
    }

    /// The query works, and has the notes in it.
    async fn works(&self) {
        let reply = bounded(self.context.raw(&query("SELECT count(*) FROM note WHERE n = 1"), "csv")).await;
        assert_eq!((reply.status, &*reply.text), (200, "1\n"));
    }

    fn sleeping(&self, what: &str) -> String {
        self.kind
            .pick("", &format!("SELECT pg_sleep(3000), '{what}'"), &format!("SELECT sleep(3000), '{what}'"))
            .to_owned()
    }

    /// Waits until the server runs a statement with that in it.
    async fn until_running(&self, what: &str) {
        let look = self.kind.pick(
            "",
            "SELECT query FROM pg_stat_activity WHERE state = 'active' AND pid <> pg_backend_pid()",
            "SELECT info FROM information_schema.processlist WHERE command <> 'Sleep' AND info IS NOT NULL \
             AND id <> CONNECTION_ID()",
        );
        until("the statement runs", || self.run(look).contains(what)).await;
    }
}

async fn bounded<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what).await.expect("there is no answer")
}

fn insert(number: u32) -> String {
    update("u", &format!("INSERT INTO note VALUES ({number})"))
}

/// The database is not there, and that is not the client's affair.
fn is_unavailable(reply: &Reply) {
    reply.is_fault(502, "DataResourceUnavailable");
    assert!(!reply.text.contains("127.0.0.1"), "where the database is, is not the client's business: {}", reply.text);
}

async fn a_database_that_is_gone_is_told_apart_from_a_wrong_statement(kind: Kind) {
    let mut stage = Stage::new(kind, "").await;
    stage.works().await;
    let health = format!("{}/health/ready", stage.context.server.url());
    let ready =
        async |stage: &Stage| bounded(stage.context.client.get(&health).send()).await.unwrap().status().as_u16();
    assert_eq!(ready(&stage).await, 200);
    stage.kill();
    for content in [query("SELECT count(*) FROM note"), query("SELECT wrong"), insert(2)] {
        is_unavailable(&stage.perform(&content).await);
    }
    assert_eq!(ready(&stage).await, 503);
    stage.start_again();
    stage.works().await;
    stage.perform(&query("SELECT wrong FROM note")).await.is_fault(422, "ActivityFailed");
    stage.perform(&insert(2)).await.is_completed();
    until("the service is ready", || stage.notes() == "1 2").await;
    assert_eq!(ready(&stage).await, 200);
}

async fn after_a_restart_the_next_request_works(kind: Kind) {
    let mut stage = Stage::new(kind, "").await;
    let session = stage.context.create().await;
    let in_session = |content: &str| format!("<session id=\"{session}\"/>{content}");
    // Several connections lie in the pool, and none of them is good after it.
    let some = query(kind.pick("", "SELECT pg_sleep(0.2)", "SELECT sleep(0.2)"));
    tokio::join!(stage.perform(&some), stage.perform(&some), stage.perform(&some));
    for (round, in_order) in [(10, true), (20, false)] {
        if in_order {
            stage.stop();
        } else {
            stage.kill();
        }
        stage.start_again();
        stage.perform(&insert(round)).await.is_completed();
        stage.works().await;
        stage.perform(&in_session(&insert(round + 1))).await.is_completed();
    }
    assert_eq!(stage.notes(), "1 10 11 20 21");
}

async fn a_query_whose_server_dies_is_told_so(kind: Kind) {
    let mut stage = Stage::new(kind, "").await;
    let sleep = query(&stage.sleeping("until death"));
    let request = tokio::spawn(stage.context.post(&sleep).send());
    stage.until_running("until death").await;
    stage.kill();
    is_unavailable(&Reply::of(bounded(request).await.unwrap().unwrap()).await);
    stage.start_again();
    stage.works().await;
    // In the middle of its rows: the transfer breaks off and does not end as if it were whole.
    let endless = kind.pick(
        "",
        "SELECT repeat('x', 1000) FROM generate_series(1, 100000) a, generate_series(1, 100000) b",
        "SELECT repeat('x', 1000) FROM seq_1_to_1000000 a, seq_1_to_1000000 b",
    );
    let request = stage.context.post(&query(endless)).query(&[("return", "csv")]);
    let mut response = bounded(request.send()).await.unwrap();
    assert!(response.chunk().await.unwrap().is_some());
    stage.kill();
    let broken = async {
        loop {
            match response.chunk().await {
                Ok(Some(_)) => {}
                other => break other,
            }
        }
    };
    assert!(bounded(broken).await.is_err(), "the transfer ends as if it were whole");
    stage.start_again();
    stage.works().await;
}

async fn an_update_whose_server_dies_is_all_or_nothing(kind: Kind) {
    let mut stage = Stage::new(kind, "").await;
    let slow = kind.pick(
        "",
        "INSERT INTO note SELECT n FROM generate_series(100, 200) AS s(n), pg_sleep(3000)",
        "INSERT INTO note SELECT seq + sleep(30) FROM seq_100_to_200",
    );
    let request = tokio::spawn(stage.context.post(&update("u", slow)).send());
    stage.until_running("100").await;
    stage.kill();
    let reply = Reply::of(bounded(request).await.unwrap().unwrap()).await;
    is_unavailable(&reply);
    // What was done is not known: to try again without looking would be wrong.
    reply.says("not known").says("retryable=\"false\"");
    stage.start_again();
    stage.works().await;
    assert_eq!(stage.notes(), "1");
}

async fn a_transaction_that_lost_its_connection_is_never_continued_outside(kind: Kind) {
    let mut stage = Stage::new(kind, "").await;
    let id = stage.context.create().await;
    let set = "<sessionAttributeManagement name=\"s\"><setAttribute name=\"kept\">still here</setAttribute></sessionAttributeManagement>";
    let get = "<sessionAttributeManagement name=\"g\"><getAttribute name=\"kept\"/><output name=\"value\"/></sessionAttributeManagement>";
    let join = |content: &str| format!("<session id=\"{id}\"/>{content}");
    stage.perform(&join(set)).await.is_completed();
    for in_order in [true, false] {
        stage.perform(&join(&transaction("<begin/>"))).await.is_completed();
        stage.perform(&join(&insert(2))).await.is_completed();
        if in_order {
            stage.stop();
        } else {
            stage.kill();
        }
        stage.start_again();
        for content in [insert(3), query("SELECT n FROM note"), insert(4), transaction("<savepoint name=\"s\"/>")] {
            let reply = stage.perform(&join(&content)).await;
            assert!(matches!(reply.status, 409 | 422 | 502), "{}", reply.text);
        }
        let commit = stage.perform(&join(&transaction("<commit/>"))).await;
        assert!(matches!(commit.status, 409 | 422 | 502), "{}", commit.text);
        assert_eq!(stage.notes(), "1");
        // What it asks for is so already.
        stage.perform(&join(&transaction("<rollback/>"))).await;
        stage.perform(&join(get)).await.is_completed().says("still here");
        stage.perform(&join(&transaction("<begin/>"))).await.is_completed();
        stage.perform(&join(&insert(5))).await.is_completed();
        stage.perform(&join(&transaction("<commit/>"))).await.is_completed();
        assert_eq!(stage.notes(), "1 5");
        stage.perform(&update("u", "DELETE FROM note WHERE n = 5")).await.is_completed();
    }
    stage.works().await;
}

async fn a_commit_that_finds_the_server_gone_tells_what_is_known(kind: Kind) {
    let mut stage = Stage::new(kind, "").await;
    let id = stage.context.create().await;
    let join = |content: &str| format!("<session id=\"{id}\"/>{content}");
    stage.perform(&join(&transaction("<begin/>"))).await.is_completed();
    stage.perform(&join(&insert(2))).await.is_completed();
    stage.kill();
    let commit = stage.perform(&join(&transaction("<commit/>"))).await;
    assert!(matches!(commit.status, 409 | 422 | 502), "{}", commit.text);
    stage.start_again();
    assert_eq!(stage.notes(), "1");
    stage.perform(&join(&transaction("<begin/>"))).await.is_completed();
    stage.perform(&join(&insert(3))).await.is_completed();
    stage.perform(&join(&transaction("<commit/>"))).await.is_completed();
    assert_eq!(stage.notes(), "1 3");
}

async fn a_server_that_stands_still_holds_nobody_up_for_long(kind: Kind) {
    let stage = Stage::new(kind, "<pool size=\"2\" wait=\"300\"/><statement timeout=\"500\"/>").await;
    let session = stage.session().await;
    stage.works().await;
    stage.freeze();
    let begun = Instant::now();
    for content in [query("SELECT 1"), query("SELECT 2"), insert(2), query("SELECT 3"), query("SELECT 4")] {
        let reply = stage.perform(&content).await;
        assert!(matches!(reply.status, 502..=504), "{}", reply.text);
    }
    // What does not need the database goes its way.
    session.perform("<echo name=\"e\"><text>here</text><output name=\"o\"/></echo>").await.is_completed();
    let took = begun.elapsed();
    stage.thaw();
    stage.works().await;
    session.perform(&insert(3)).await.is_completed();
    assert!(took < PATIENCE, "{took:?}");
    assert!(stage.notes().ends_with('3'), "{}", stage.notes());
}

async fn a_transaction_on_a_server_that_stands_still_stays_one(kind: Kind) {
    let stage = Stage::new(kind, "<statement timeout=\"500\"/>").await;
    let session = stage.session().await;
    session.transaction("<begin/>").await;
    session.perform(&insert(2)).await.is_completed();
    stage.freeze();
    let reply = bounded(session.perform(&insert(3))).await;
    stage.thaw();
    assert!(matches!(reply.status, 502..=504), "{}", reply.text);
    // Whether it goes on or not: all that is said of it is so.
    let next = bounded(session.perform(&insert(4))).await;
    let commit = bounded(session.perform(&transaction("<commit/>"))).await;
    let notes = stage.notes();
    match (next.status, commit.status) {
        (200, 200) => assert_eq!(notes.replace(" 3", ""), "1 2 4"),
        (200, _) => panic!("the last statement was done, and the commit was not: {}", commit.text),
        (_, 200) => assert!(notes.starts_with("1 2") && !notes.contains('4'), "{notes}"),
        _ => assert_eq!(notes, "1", "{}", commit.text),
    }
    stage.works().await;
}
