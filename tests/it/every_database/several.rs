//! Several data resources of one data service resource.

use super::Kind;
use super::database::Database;
use super::stage::{Stage, data_resource, query, update};

in_every_database!(an_activity_chooses_its_data_resource, rows_of_one_database_go_into_another);

/// A stage with a second database, of the next kind, as `other`.
async fn with_other(kind: Kind) -> (Stage, Database) {
    let other = Database::new(kind.pick(Kind::Postgres, Kind::MariaDb, Kind::Sqlite));
    other.run("CREATE TABLE person (id INTEGER PRIMARY KEY, name VARCHAR(40))");
    let stage = Stage::with(kind, |database, options| {
        options.resources = vec![data_resource("first", &database.uri(), ""), data_resource("other", &other.uri(), "")];
    });
    (stage.await, other)
}

fn in_other(content: &str) -> String {
    content
        .replace("<sqlQueryStatement ", "<sqlQueryStatement resource=\"other\" ")
        .replace("<sqlUpdateStatement ", "<sqlUpdateStatement resource=\"other\" ")
}

async fn an_activity_chooses_its_data_resource(kind: Kind) {
    let (stage, other) = with_other(kind).await;
    stage.perform(&in_other(&update("u", "INSERT INTO person VALUES (77, 'Other')"))).await.is_completed();
    assert_eq!((other.run("SELECT id FROM person"), stage.people()), ("77".into(), "1 2 3 4".into()));
    assert_eq!(stage.rows("SELECT count(*) FROM person").await, "4\n");
    assert_eq!(stage.context.raw(&in_other(&query("SELECT id FROM person")), "csv").await.text, "77\n");
    let unknown = query("SELECT 1").replace("<sqlQueryStatement ", "<sqlQueryStatement resource=\"othr\" ");
    stage.perform(&unknown).await.is_fault(400, "DocumentInvalid").says("other");
}

async fn rows_of_one_database_go_into_another(kind: Kind) {
    let (stage, other) = with_other(kind).await;
    let column = |name: &str, rows: &str| {
        format!(
            "<sqlQueryStatement name=\"q-{name}\"><expression>SELECT {name} FROM person ORDER BY id</expression>\
             <resultStream name=\"{rows}\"/></sqlQueryStatement><resultsetProjection name=\"p-{name}\">\
             <resultsetInput from=\"{rows}\"/><attributeName>{name}</attributeName><attributeValuesOutput name=\"{name}s\"/>\
             </resultsetProjection>"
        )
    };
    let insert = "<sqlUpdateStatement name=\"u\" resource=\"other\"><sqlParameter position=\"1\" from=\"ids\"/>\
                  <sqlParameter position=\"2\" from=\"names\"/><expression>INSERT INTO person VALUES (?, ?)</expression>\
                  <resultStream name=\"c\"/></sqlUpdateStatement>";
    let content = column("id", "r1") + &column("name", "r2") + insert;
    stage.perform(&content).await.is_completed().says("<updateCount>4</updateCount>");
    assert_eq!(other.run("SELECT name FROM person WHERE id = 3"), "<Grace>");
}
