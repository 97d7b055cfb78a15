//! A database is killed in the middle of a commit, at every step: both databases agree when it is back.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use reqwest::{Client, RequestBuilder};
use tempfile::TempDir;

use super::{join, manage, transaction_id};
use crate::command::Serving;
use crate::context::{Reply, perform};
use crate::databases::{MariaDbServer, PASSWORD, PostgresServer};

const PATIENCE: Duration = Duration::from_mins(1);

/// A folder with a configuration over two servers, which only this test uses: PostgreSQL, `one`, and MariaDB, `other`.
struct Stage {
    folder: TempDir,
    postgres: (PostgresServer, String),
    mariadb: (MariaDbServer, String),
    client: Client,
}

impl Stage {
    fn new() -> Self {
        let (postgres, mariadb) = (PostgresServer::start(), MariaDbServer::start());
        let databases = (postgres.create_database(), mariadb.create_database());
        let account = "CREATE TABLE account (amount INTEGER NOT NULL); INSERT INTO account VALUES (100)";
        postgres.run(&databases.0, account);
        mariadb.run(&databases.1, account);
        let folder = tempfile::tempdir().unwrap();
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
        let resource =
            |name: &str, uri: &str| format!("<dataResource name=\"{name}\" uri=\"{uri}\" passwordFile=\"password\"/>");
        write(
            "resource.xml",
            &format!(
                "<dataServiceResourceConfiguration {namespace}><sessionConfiguration location=\"session.xml\"/>{}{}\
                 </dataServiceResourceConfiguration>",
                resource("one", &postgres.uri(&databases.0)),
                resource("other", &mariadb.uri(&databases.1))
            ),
        );
        write(
            "session.xml",
            &format!(
                "<sessionConfiguration {namespace}><sessionManagerFactory impl=\"rejoin.TransientSessionManagerFactory\">\
                 <sessionAttribute name=\"transactionManager\" impl=\"rejoin.TransactionManager\"><log path=\"transactions/\"/>\
                 </sessionAttribute></sessionManagerFactory></sessionConfiguration>"
            ),
        );
        let client = Client::new();
        Self { folder, postgres: (postgres, databases.0), mariadb: (mariadb, databases.1), client }
    }

    fn run(&self, sql: &str) -> [String; 2] {
        [self.postgres.0.run(&self.postgres.1, sql), self.mariadb.0.run(&self.mariadb.1, sql)]
    }

    fn kill(&mut self, name: &str) {
        if name == "one" { self.postgres.0.kill() } else { self.mariadb.0.kill() }
    }

    fn start_again(&mut self, name: &str) {
        if name == "one" { self.postgres.0.start_again() } else { self.mariadb.0.start_again() }
    }

    fn post(&self, serving: &Serving, content: &str) -> RequestBuilder {
        let request = self.client.post(format!("{}/services/data", serving.url)).body(perform(content));
        request.header("content-type", "application/xml")
    }

    async fn perform(&self, serving: &Serving, content: &str) -> Reply {
        Reply::of(self.post(serving, content).send().await.unwrap()).await
    }

    /// A database is killed when a commit has come to that point, and comes back after the commit.
    async fn is_killed(&mut self, name: &str, point: &str, is_committed: bool) {
        self.run("UPDATE account SET amount = 100");
        let mut command = Command::new(env!("CARGO_BIN_EXE_rejoin"));
        let fault = format!("stop:{point}");
        command.args(["serve", "--config"]).arg(self.folder.path()).env("REJOIN_TRANSACTION_FAULT", fault);
        let serving = Serving::start(&mut command);
        let session = self.perform(&serving, "<session/>").await.session_id();
        let begun = self.perform(&serving, &(join(&session) + &manage("<begin/>"))).await;
        let id = transaction_id(&begun.is_completed().text);
        for (resource, by) in [("one", "- 30"), ("other", "+ 30")] {
            let step = update(resource, &format!("UPDATE account SET amount = amount {by}"));
            self.perform(&serving, &(join(&session) + &step)).await.is_completed();
        }
        let commit = tokio::spawn(self.post(&serving, &(join(&session) + &manage("<commit/>"))).send());
        let until = Instant::now() + PATIENCE;
        while !serving.stands_still() {
            assert!(Instant::now() < until, "it does not come to {point}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        self.kill(name);
        serving.signal("-CONT");
        let told = Reply::of(tokio::time::timeout(PATIENCE, commit).await.unwrap().unwrap().unwrap()).await;
        let what = format!("{name} was killed at {point}: {}", told.text);
        assert_eq!(told.status == 200, is_committed, "{what}");
        self.start_again(name);
        // Both can be changed by others as soon as nothing is prepared any more.
        for resource in ["one", "other"] {
            let touch = update(resource, "UPDATE account SET amount = amount + 0");
            while self.perform(&serving, &touch).await.status != 200 {
                assert!(Instant::now() < until + PATIENCE, "it is not settled: {what}");
            }
        }
        let expected = if is_committed { ["70", "130"] } else { ["100", "100"] };
        assert_eq!(self.run("SELECT amount FROM account"), expected, "{what}");
        let state = self.perform(&serving, &manage(&format!("<state id=\"{id}\"/>"))).await;
        state.is_completed().says(if is_committed { "state=\"committed\"" } else { "state=\"rolledBack\"" });
    }
}

fn update(resource: &str, sql: &str) -> String {
    format!(
        "<sqlUpdateStatement name=\"u\" resource=\"{resource}\"><expression>{sql}</expression></sqlUpdateStatement>"
    )
}

#[tokio::test]
async fn both_databases_agree_wherever_one_of_them_is_killed() {
    let mut stage = Stage::new();
    for (name, point, is_committed) in [
        ("one", "begin", false),
        ("other", "begin", false),
        // It has prepared what it was to do, and keeps that.
        ("one", "prepared-0", true),
        ("other", "prepared-0", false),
        ("one", "prepared-1", true),
        ("other", "prepared-1", true),
        ("one", "decided", true),
        ("other", "decided", true),
        ("one", "committed-0", true),
        ("other", "committed-0", true),
    ] {
        stage.is_killed(name, point, is_committed).await;
    }
}
