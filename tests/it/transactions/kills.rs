//! The service is killed in the middle of a commit, at every step, and started again: both databases agree, and the client
//! is told what became of its transaction, by its id and to the commit that it sends again.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use reqwest::{Client, RequestBuilder};
use tempfile::TempDir;

use super::{in_order, join, manage, transaction_id};
use crate::command::Serving;
use crate::context::{Reply, create_database, perform};
use crate::databases::{MariaDbServer, PASSWORD, PostgresServer};

/// A database with an account of 100.
enum Place {
    MariaDb(String),
    Postgres(String),
    Sqlite(PathBuf),
}

const ACCOUNT: &str = "CREATE TABLE account (amount INTEGER NOT NULL); INSERT INTO account VALUES (100)";

impl Place {
    fn mariadb() -> Self {
        let database = MariaDbServer::shared().create_database();
        MariaDbServer::shared().run(&database, ACCOUNT);
        Self::MariaDb(database)
    }

    fn postgres() -> Self {
        let database = PostgresServer::shared().create_database();
        PostgresServer::shared().run(&database, ACCOUNT);
        Self::Postgres(database)
    }

    fn sqlite(folder: &Path) -> Self {
        let path = folder.join("account.db");
        create_database(&path, &format!("PRAGMA journal_mode = WAL; {ACCOUNT}"));
        Self::Sqlite(path)
    }

    /// The element of the configuration.
    fn element(&self, name: &str) -> String {
        match self {
            Self::MariaDb(database) => with_password(name, &MariaDbServer::shared().uri(database)),
            Self::Postgres(database) => with_password(name, &PostgresServer::shared().uri(database)),
            Self::Sqlite(path) => format!("<dataResource name=\"{name}\" uri=\"sqlite:{}\"/>", path.display()),
        }
    }

    fn amount(&self) -> String {
        let sql = "SELECT amount FROM account";
        match self {
            Self::MariaDb(database) => MariaDbServer::shared().run(database, sql),
            Self::Postgres(database) => PostgresServer::shared().run(database, sql),
            Self::Sqlite(path) => {
                let connection = rusqlite::Connection::open(path).unwrap();
                connection.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap().to_string()
            }
        }
    }
}

fn with_password(name: &str, uri: &str) -> String {
    format!("<dataResource name=\"{name}\" uri=\"{uri}\" passwordFile=\"password\"/>")
}

/// A folder with a configuration over two databases.
struct Stage {
    folder: TempDir,
    places: [Place; 2],
    client: Client,
}

impl Stage {
    fn new(make: impl FnOnce(&Path) -> [Place; 2]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let places = make(folder.path());
        let write = |name: &str, content: &str| fs::write(folder.path().join(name), content).unwrap();
        let namespace = "xmlns=\"http://ogsadai.org.uk/namespaces/2005/10/config\"";
        write("password", PASSWORD);
        write(
            "service.xml",
            &format!(
                "<dataServiceConfiguration {namespace}><listen address=\"127.0.0.1:0\"/>\
                 <dataServiceResource name=\"data\" location=\"resource.xml\"/></dataServiceConfiguration>"
            ),
        );
        write(
            "resource.xml",
            &format!(
                "<dataServiceResourceConfiguration {namespace}><sessionConfiguration location=\"session.xml\"/>{}{}\
                 </dataServiceResourceConfiguration>",
                places[0].element("one"),
                places[1].element("other")
            ),
        );
        write(
            "session.xml",
            &format!(
                "<sessionConfiguration {namespace}><sessionManagerFactory impl=\"rejoin.DurableSessionManagerFactory\">\
                 <store path=\"sessions/\"/><sessionAttribute name=\"transactionManager\" impl=\"rejoin.TransactionManager\"><log path=\"transactions/\"/>\
                 </sessionAttribute></sessionManagerFactory></sessionConfiguration>"
            ),
        );
        Self { folder, places, client: Client::new() }
    }

    /// The service, which dies at that point.
    fn start(&self, fault: &str) -> Serving {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rejoin"));
        command.args(["serve", "--config"]).arg(self.folder.path()).env("REJOIN_TRANSACTION_FAULT", fault);
        Serving::start(&mut command)
    }

    async fn perform(&self, serving: &Serving, content: &str) -> Result<Reply, reqwest::Error> {
        Ok(Reply::of(self.post(serving, content).send().await?).await)
    }

    fn post(&self, serving: &Serving, content: &str) -> RequestBuilder {
        let request = self.client.post(format!("{}/services/data", serving.url)).body(perform(content));
        request.header("content-type", "application/xml")
    }

    /// Performs under a name, so that it may be sent again.
    async fn perform_once(&self, serving: &Serving, content: &str) -> Result<Reply, reqwest::Error> {
        let request = self.post(serving, content).header("idempotency-key", "5d04ab3a-7a0e-4d0c-b7e5-5ba1a48c5f0c");
        Ok(Reply::of(request.send().await?).await)
    }

    /// Moves 30 from one to the other, in four requests; gives the id of the transaction, and its commit.
    async fn transfer(&self, serving: &Serving) -> (String, String) {
        let session = self.perform(serving, "<session/>").await.unwrap().session_id();
        let begun = self.perform(serving, &(join(&session) + &manage("<begin/>"))).await.unwrap();
        let id = transaction_id(&begun.is_completed().text);
        for step in moves() {
            self.perform(serving, &(join(&session) + &step)).await.unwrap().is_completed();
        }
        let commit = join(&session) + &manage("<commit/>");
        let answer = self.perform_once(serving, &commit).await;
        assert!(answer.is_err(), "the service dies before it answers: {answer:?}");
        (id, commit)
    }

    /// The amounts, as soon as they can be changed by others, which is when nothing is prepared any more.
    async fn settled(&self, serving: &Serving) -> [String; 2] {
        let until = Instant::now() + Duration::from_mins(1);
        for name in ["one", "other"] {
            let touch = format!(
                "<sqlUpdateStatement name=\"u\" resource=\"{name}\"><expression>UPDATE account SET amount = amount + 0\
                 </expression></sqlUpdateStatement>"
            );
            while self.perform(serving, &touch).await.unwrap().status != 200 {
                assert!(Instant::now() < until, "it is not settled");
            }
        }
        [self.places[0].amount(), self.places[1].amount()]
    }

    async fn is_killed(&self, fault: &str, is_committed: bool) {
        let serving = self.start(fault);
        let (id, commit) = self.transfer(&serving).await;
        serving.wait();
        let serving = self.start("");
        let expected = if is_committed { ["70", "130"] } else { ["100", "100"] };
        assert_eq!(self.settled(&serving).await, expected, "killed at {fault}");
        let ask = manage(&format!("<state id=\"{id}\"/>"));
        let answer = self.perform(&serving, &ask).await.unwrap();
        answer.is_completed().says(if is_committed { "state=\"committed\"" } else { "state=\"rolledBack\"" });
        // Its session has ended; the commit that is sent again is answered all the same, however often.
        for _ in 0..2 {
            let again = self.perform_once(&serving, &commit).await.unwrap();
            if is_committed {
                again.is_completed().says(&format!("<transaction state=\"committed\" id=\"{id}\"/>"));
                assert_eq!((again.header("rejoin-replayed"), &*again.session_id()), ("true", named(&commit)));
            } else {
                again.is_fault(409, "TransactionRolledBack").says("retryable=\"true\"").says(&id);
            }
        }
        let other = self.perform(&serving, &commit).await.unwrap();
        other.is_fault(410, "SessionEnded").says("ownerLost");
    }

    /// The same of a transaction that is begun and committed by one request.
    async fn is_killed_at_once(&self, fault: &str, code: &str) {
        let serving = self.start(fault);
        let [take, give] = moves();
        let content = in_order(&[manage("<begin/>"), take, give, manage("<commit/>")]);
        let answer = self.perform_once(&serving, &content).await;
        assert!(answer.is_err(), "the service dies before it answers: {answer:?}");
        serving.wait();
        let serving = self.start("");
        let is_committed = self.settled(&serving).await == ["70", "130"];
        assert_eq!(is_committed, code == "TransactionCommitted", "killed at {fault}");
        for _ in 0..2 {
            self.perform_once(&serving, &content).await.unwrap().is_fault(409, code);
        }
    }
}

/// What moves 30 from one to the other.
fn moves() -> [String; 2] {
    [("one", "- 30"), ("other", "+ 30")].map(|(name, by)| {
        format!(
            "<sqlUpdateStatement name=\"{name}\" resource=\"{name}\"><expression>UPDATE account SET amount = amount {by}\
             </expression></sqlUpdateStatement>"
        )
    })
}

/// The session that a document names.
fn named(content: &str) -> &str {
    content.split('"').nth(1).unwrap()
}

#[tokio::test]
async fn two_databases_that_prepare_agree_wherever_the_service_is_killed() {
    for (fault, is_committed) in [
        ("begin", false),
        ("prepared-0", false),
        ("prepared-1", false),
        ("decided", true),
        ("committed-0", true),
        ("committed-1", true),
    ] {
        Stage::new(|_| [Place::postgres(), Place::mariadb()]).is_killed(fault, is_committed).await;
    }
}

#[tokio::test]
async fn one_that_cannot_prepare_agrees_with_the_other_wherever_the_service_is_killed() {
    for (fault, is_committed) in [
        ("begin", false),
        ("prepared-0", false),
        ("committing-last", false),
        ("committed-last", true),
        ("decided", true),
        ("committed-0", true),
    ] {
        Stage::new(|folder| [Place::sqlite(folder), Place::postgres()]).is_killed(fault, is_committed).await;
    }
}

#[tokio::test]
async fn a_transaction_of_one_request_that_is_sent_again_is_told() {
    for (fault, code) in [
        ("prepared-0", "TransactionRolledBack"),
        ("committing-last", "TransactionRolledBack"),
        ("committed-last", "TransactionCommitted"),
        ("decided", "TransactionCommitted"),
    ] {
        Stage::new(|folder| [Place::sqlite(folder), Place::postgres()]).is_killed_at_once(fault, code).await;
    }
}
