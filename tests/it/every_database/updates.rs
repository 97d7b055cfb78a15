//! Statements that write.

use super::Kind;
use super::stage::{Stage, parameters, query, query_with, stream, update, update_with};

in_every_database!(
    an_update_takes_parameters_and_tells_how_many_rows_it_changed,
    rows_from_streams_are_written_all_or_none,
    parameters_say_their_types_and_what_stands_for_null,
    a_violated_constraint_is_the_clients_mistake,
    tables_come_and_go,
    nothing_of_one_request_is_left_for_the_next,
);

async fn an_update_takes_parameters_and_tells_how_many_rows_it_changed(kind: Kind) {
    let stage = Stage::new(kind).await;
    let content =
        update_with("u", &parameters(&["2.5", "Perth"]), "UPDATE person SET credit = credit + ? WHERE town = ?");
    stage.perform(&content).await.is_completed().says("<updateCount>2</updateCount>");
    assert_eq!(stage.rows("SELECT id, credit FROM person WHERE town = 'Perth' ORDER BY id").await, "1,13\n3,-0.5\n");
    stage
        .perform(&update("u", "DELETE FROM person WHERE id = 77"))
        .await
        .is_completed()
        .says("<updateCount>0</updateCount>");
}

/// An insertion of rows from two streams.
fn insertion(ids: &[&str], names: &[&str]) -> String {
    let from = "<sqlParameter position=\"1\" from=\"ids\"/><sqlParameter position=\"2\" from=\"names\"/>";
    stream("ids", ids)
        + &stream("names", names)
        + &update_with("u", from, "INSERT INTO person (id, name) VALUES (?, ?)")
}

async fn rows_from_streams_are_written_all_or_none(kind: Kind) {
    let stage = Stage::new(kind).await;
    let done = stage.perform(&insertion(&["5", "6", "7"], &["E", "F", "G"])).await;
    done.is_completed().says("<updateCount>3</updateCount>");
    assert_eq!(stage.people(), "1 2 3 4 5 6 7");
    // The last of many is there already.
    let mut ids: Vec<String> = (100..1100).map(|id| id.to_string()).collect();
    ids.push("1".into());
    let (ids, names): (Vec<&str>, Vec<&str>) = ids.iter().map(|id| (&**id, "x")).unzip();
    stage.perform(&insertion(&ids, &names)).await.is_fault(422, "ActivityFailed");
    // One is not a number.
    stage.perform(&insertion(&["8", "nine", "10"], &["H", "I", "K"])).await.is_fault(422, "ActivityFailed");
    assert_eq!(stage.people(), "1 2 3 4 5 6 7");
}

async fn parameters_say_their_types_and_what_stands_for_null(kind: Kind) {
    let stage = Stage::new(kind).await;
    let bytes = kind.pick("BLOB", "bytea", "BLOB");
    let table = format!("CREATE TABLE typed (id INTEGER, ratio DOUBLE PRECISION, data {bytes}, note VARCHAR(20))");
    stage.perform(&update("u", &table)).await.is_completed();
    let given = "<sqlParameter position=\"1\" type=\"integer\">1</sqlParameter>\
                 <sqlParameter position=\"2\" type=\"real\">0.5</sqlParameter>\
                 <sqlParameter position=\"3\" type=\"binary\">AP8=</sqlParameter>\
                 <sqlParameter position=\"4\" nullDataStr=\"none\">none</sqlParameter>";
    let insert = "INSERT INTO typed VALUES (?, ?, ?, ?)";
    stage.perform(&update_with("u", given, insert)).await.is_completed();
    let streamed = "<sqlParameter position=\"1\" type=\"integer\" from=\"values\"/>\
                    <sqlParameter position=\"2\" type=\"real\" nullDataStr=\"\\N\" from=\"values\"/>\
                    <sqlParameter position=\"3\" type=\"binary\" nullDataStr=\"\\N\" from=\"values\"/>\
                    <sqlParameter position=\"4\" nullDataStr=\"\\N\" from=\"values\"/>";
    let values = stream("values", &["2", "1.5", "\\N", "", "3", "\\N", "AQI=", "\\N"]);
    let done = stage.perform(&(values + &update_with("u", streamed, insert))).await;
    done.is_completed().says("<updateCount>2</updateCount>");
    let all = "SELECT id, ratio, data, note FROM typed ORDER BY id";
    assert_eq!(stage.rows(all).await, "1,0.5,AP8=,NULL\n2,1.5,NULL,\n3,NULL,AQI=,NULL\n");

    // Neither side has a column's type: as texts, they would not be equal in SQLite.
    let typed = "<sqlParameter position=\"1\" type=\"integer\">3</sqlParameter>";
    let counted = "SELECT count(*) FROM typed WHERE id + 0 = ?";
    assert_eq!(stage.context.raw(&query_with(typed, counted), "csv").await.text, "1\n");

    let wrong = "<sqlParameter position=\"1\" type=\"integer\">three</sqlParameter>";
    stage.perform(&query_with(wrong, counted)).await.is_fault(400, "DocumentInvalid").says("of the type `integer`");
    let wrong = "<sqlParameter position=\"1\" type=\"integer\" from=\"values\"/>";
    let wrong = stream("values", &["1", "three"]) + &update_with("u", wrong, "DELETE FROM typed WHERE id = ?");
    stage.perform(&wrong).await.is_fault(422, "ActivityFailed").says("ValueInvalid").says("position 1");
    assert_eq!(stage.rows("SELECT count(*) FROM typed").await, "3\n");
}

async fn a_violated_constraint_is_the_clients_mistake(kind: Kind) {
    let stage = Stage::new(kind).await;
    let checked = "CREATE TABLE account (id INTEGER PRIMARY KEY, owner INTEGER NOT NULL REFERENCES person (id), \
                   balance INTEGER, CHECK (balance >= 0))";
    stage.perform(&update("u", checked)).await.is_completed();
    for violation in [
        "INSERT INTO person VALUES (1, 'Again', NULL, NULL)",
        "INSERT INTO person VALUES (9, NULL, NULL, NULL)",
        "INSERT INTO account VALUES (1, 1, -5)",
    ] {
        let reply = stage.perform(&update("u", violation)).await;
        reply.is_fault(422, "ActivityFailed").says("SqlError").says("retryable=\"false\"");
    }
    // MariaDB takes no notice of a reference that stands with its column.
    if kind != Kind::MariaDb {
        stage.perform(&update("u", "INSERT INTO account VALUES (1, 99, 5)")).await.is_fault(422, "ActivityFailed");
    }
    assert_eq!(stage.people(), "1 2 3 4");
    assert_eq!(stage.database.run("SELECT count(*) FROM account"), "0");
}

async fn tables_come_and_go(kind: Kind) {
    let stage = Stage::new(kind).await;
    for round in 0..3 {
        stage.perform(&update("u", "CREATE TABLE note (n INTEGER)")).await.is_completed();
        stage.perform(&update("u", &format!("INSERT INTO note VALUES ({round})"))).await.is_completed();
        // The same text, of another table each time.
        assert_eq!(stage.rows("SELECT * FROM note").await, format!("{round}\n"));
        stage.perform(&update("u", "ALTER TABLE note ADD COLUMN more INTEGER")).await.is_completed();
        assert_eq!(stage.rows("SELECT * FROM note").await, format!("{round},NULL\n"));
        stage.perform(&update("u", "DROP TABLE note")).await.is_completed();
        stage.perform(&query("SELECT * FROM note")).await.is_fault(422, "ActivityFailed");
    }
}

async fn nothing_of_one_request_is_left_for_the_next(kind: Kind) {
    // One connection alone, so that the next request has it.
    let pool = kind.pick("", "<pool size=\"1\"/>", "<pool size=\"1\"/>");
    let stage = Stage::with(kind, |_, options| options.resource = pool.into()).await;
    let setting = |value: &str| match kind {
        Kind::Sqlite => format!("PRAGMA user_version = {value}"),
        Kind::Postgres => format!("SET search_path = {value}"),
        Kind::MariaDb => format!("SET sql_mode = {value}"),
    };
    let look = kind.pick("PRAGMA user_version", "SELECT current_setting('search_path')", "SELECT @@sql_mode, @leaked");
    let before = stage.rows(look).await;
    // Whether they are refused or done, nobody else sees them.
    stage.perform(&update("u", &setting("''"))).await;
    stage.perform(&update("u", "CREATE TEMPORARY TABLE leaked (n INTEGER)")).await;
    stage.perform(&update("u", kind.pick("BEGIN", "BEGIN", "START TRANSACTION"))).await;
    stage.perform(&update("u", kind.pick("SAVEPOINT s", "SELECT pg_advisory_lock(77)", "SET @leaked = 1"))).await;
    assert_eq!(stage.rows(look).await, before);
    stage.perform(&query("SELECT * FROM leaked")).await.is_fault(422, "ActivityFailed");
    stage.perform(&update("u", "INSERT INTO person (id, name) VALUES (5, 'E')")).await.is_completed();
    assert_eq!(stage.people(), "1 2 3 4 5");
    if kind == Kind::Postgres {
        assert_eq!(stage.database.run("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"), "0");
    }
}
