//! Who connects, and as whom.

use super::Kind;
use super::database::Database;
use super::stage::{Options, Stage, data_resource, escape, query, serve, update};
use crate::context::{Context, Reply};

in_every_database!(; servers: the_password_comes_from_a_file_or_the_environment, who_asks_is_a_user_of_the_database);

/// Makes a user of the database who may read the people; his name is the database's own, because users are the server's.
fn reader(database: &Database, password: &str) -> String {
    match database {
        Database::Sqlite(_) => panic!("a file has no users"),
        Database::Postgres(_, name) => {
            let user = format!("reader_{name}");
            database.run(&format!("CREATE USER {user} PASSWORD '{password}'"));
            database.run(&format!("GRANT SELECT ON person TO {user}"));
            user
        }
        Database::MariaDb(_, name) => {
            let user = format!("reader_{name}");
            database.run(&format!("CREATE USER {user}@'%' IDENTIFIED BY '{password}'"));
            database.run(&format!("GRANT SELECT ON {name}.person TO {user}@'%'"));
            user
        }
    }
}

async fn the_password_comes_from_a_file_or_the_environment(kind: Kind) {
    // A variable that is there wherever tests run.
    let variable = "PATH";
    let stage = Stage::with(kind, |database, options| {
        let user = reader(database, &std::env::var(variable).unwrap());
        let by = |name: &str, source: &str| {
            format!("<dataResource name=\"{name}\" user=\"{user}\" uri=\"{}\" {source}/>", escape(&database.uri()))
        };
        options.files.push(("by-file", format!("{}\n", std::env::var(variable).unwrap())));
        options.resources = vec![
            by("file", "passwordFile=\"by-file\""),
            by("environment", &format!("passwordEnv=\"{variable}\"")),
            by("wrong", "passwordFile=\"password\""),
            by("none", "passwordEnv=\"REJOIN_NO_SUCH_VARIABLE\""),
        ];
    })
    .await;
    let on =
        |name: &str| query("SELECT count(*) FROM person").replacen("name=", &format!("resource=\"{name}\" name="), 1);
    for name in ["file", "environment"] {
        assert_eq!(stage.context.raw(&on(name), "csv").await.text, "4\n");
    }
    for name in ["wrong", "none"] {
        let reply = stage.perform(&on(name)).await;
        reply.is_fault(502, "DataResourceUnavailable");
        assert!(!reply.text.contains("REJOIN_NO_SUCH_VARIABLE") && !reply.text.contains("reader_"), "{}", reply.text);
    }
    // A password that has changed counts from the next connection on.
    std::fs::write(stage.context.folder().join("password"), std::env::var(variable).unwrap()).unwrap();
    assert_eq!(stage.context.raw(&on("wrong"), "csv").await.text, "4\n");
}

/// What a user of the service gets; the password of everybody is `secret`.
async fn by(context: &Context, name: &str, content: &str) -> Reply {
    Reply::of(context.post(content).basic_auth(name, Some("secret")).send().await.unwrap()).await
}

async fn who_asks_is_a_user_of_the_database(kind: Kind) {
    let database = Database::new(kind);
    database.run("CREATE TABLE person (id INTEGER PRIMARY KEY)");
    database.run("INSERT INTO person VALUES (1)");
    let user = reader(&database, "reading");
    let map = format!(
        "<roleMap><map principal=\"ada\" user=\"{}\" passwordFile=\"password\"/>\
         <map role=\"user\" user=\"{user}\" passwordFile=\"reading\"/></roleMap>",
        crate::databases::USER
    );
    let hash = bcrypt::hash("secret", 4).unwrap().replacen("$2b$", "$2y$", 1);
    let options = Options {
        service: "<authentication impl=\"basic\"><users location=\"users\"/></authentication>".into(),
        resources: vec![data_resource("", &database.uri(), &map)],
        files: vec![
            ("reading", "reading".into()),
            ("users", format!("ada:{hash}\ncarl:{hash}\nboss:{hash}:operator\n")),
        ],
        ..Options::default()
    };
    let context = serve(&options).await;
    let insert = |id: u32| update("u", &format!("INSERT INTO person VALUES ({id})"));
    by(&context, "ada", &insert(2)).await.is_completed();
    by(&context, "carl", &query("SELECT count(*) FROM person")).await.is_completed().says("[2\n]");
    by(&context, "carl", &insert(3)).await.is_fault(403, "Forbidden");
    by(&context, "boss", &query("SELECT 1")).await.is_fault(403, "Forbidden");
    // In a transaction, too: and of it nothing is left to the next.
    let step = |step: &str| format!("<transactionManagement name=\"t-{step}\"><{step}/></transactionManagement>");
    let query = query("SELECT count(*) FROM person");
    let content = format!("<session/><sequence>{}<flow>{query}</flow></sequence>", step("begin"));
    let begun = by(&context, "carl", &content).await;
    begun.is_completed();
    let join = format!("<session id=\"{}\"/>", begun.session_id());
    by(&context, "carl", &(join.clone() + &insert(4))).await.is_fault(403, "Forbidden");
    by(&context, "ada", &(join.clone() + &insert(5))).await.is_fault(404, "SessionNotFound");
    by(&context, "carl", &(join + &step("commit"))).await.is_completed();
    assert_eq!(database.run("SELECT count(*) FROM person"), "2");
}
