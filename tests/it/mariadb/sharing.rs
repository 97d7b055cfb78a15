//! What requests share, and what they do not: connections, variables, locks, users.

use rejoin::resource::relational::TableKind;
use std::time::Duration;

use rejoin::resource::ResourceError;
use rejoin::resource::relational::Statement;
use rejoin::resource::relational::access::{Login, Otherwise, PoolSettings, Requester, RoleMap, Who};
use rejoin::session::{Principal, TransactionOptions};
use tokio_util::sync::CancellationToken;

use super::stage::{Stage, blocks, csv, open, password_file, update};
use crate::databases::{MariaDbServer, PASSWORD};

fn alone() -> Stage {
    Stage::with(|access| access.pool = PoolSettings { size: 1, ..PoolSettings::default() })
}

#[tokio::test]
async fn nothing_that_a_statement_left_behind_is_there_for_the_next() {
    let stage = alone();
    let sql = stage.sql();
    assert_eq!(csv(sql, "SELECT @secret := 7").await.unwrap(), "7");
    assert_eq!(csv(sql, "SELECT @secret").await.unwrap(), "NULL");
    assert_eq!(csv(sql, "SELECT GET_LOCK('rejoin', 0)").await.unwrap(), "1");
    assert_eq!(csv(sql, "SELECT IS_USED_LOCK('rejoin')").await.unwrap(), "NULL");
    update(sql, "CREATE TEMPORARY TABLE temporary (id INT)", []).await.unwrap();
    assert_eq!(csv(sql, "SELECT * FROM temporary").await.unwrap_err().code(), "SqlError");

    update(sql, "CREATE TABLE t (id INT)", []).await.unwrap();
    let function = "CREATE FUNCTION leak() RETURNS INT BEGIN SET @secret = 8; SET SESSION sql_mode = ''; RETURN 1; END";
    update(sql, function, []).await.unwrap();
    assert_eq!(csv(sql, "SELECT leak()").await.unwrap(), "1");
    assert_eq!(csv(sql, "SELECT @secret").await.unwrap(), "NULL");
    assert!(csv(sql, "SELECT @@sql_mode").await.unwrap().contains("STRICT_ALL_TABLES"));
    // A view hides the function: what it left can't be seen by a statement that looks for it.
    stage.run("CREATE VIEW v AS SELECT leak() AS l");
    assert_eq!(csv(sql, "SELECT l FROM v").await.unwrap(), "1");
    assert_eq!(csv(sql, "SELECT @secret").await.unwrap(), "NULL");

    let branch = sql.begin(TransactionOptions::default()).await.unwrap();
    assert_eq!(csv(branch.executor(), "SELECT @secret := 9").await.unwrap(), "9");
    assert_eq!(csv(branch.executor(), "SELECT @secret").await.unwrap(), "9");
    drop(branch);
    assert_eq!(csv(sql, "SELECT @secret").await.unwrap(), "NULL");
}

#[tokio::test]
async fn plain_statements_use_the_same_session_again() {
    let stage = alone();
    stage.run("CREATE TABLE t (id INT); INSERT INTO t VALUES (1)");
    for _ in 0..3 {
        assert_eq!(csv(stage.sql(), "SELECT COUNT(*), UPPER('a') FROM t WHERE id IN (1, 2)").await.unwrap(), "1,A");
    }
    assert_eq!(stage.connections(), 1);
}

#[tokio::test]
async fn who_finds_no_connection_free_is_told_that_all_are_busy() {
    let stage = Stage::with(|access| {
        access.pool = PoolSettings { size: 1, wait: Duration::from_millis(50), ..PoolSettings::default() };
    });
    let branch = stage.sql().begin(TransactionOptions::default()).await.unwrap();
    let error = csv(stage.sql(), "SELECT 1").await.unwrap_err();
    assert!(matches!(&error, ResourceError::Busy { .. }) && error.is_retryable(), "{error:?}");
    drop(branch);
    // It is wiped before it is free.
    while csv(stage.sql(), "SELECT 1").await.is_err() {}
}

#[tokio::test]
async fn a_cancelled_statement_stops_in_the_server() {
    let stage = alone();
    stage.run("CREATE TABLE t (id INT)");
    for sql in ["SELECT SLEEP(60)", "SELECT seq, REPEAT('x', 100) FROM seq_1_to_100000000"] {
        let (writer, reader) = rejoin::block::pipe(rejoin::block::StreamType::Rows);
        let query = stage.sql().query(Statement::new(sql, []), writer, CancellationToken::new());
        let leaving = async {
            while !stage.running().contains(sql) {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
            drop(reader);
        };
        assert_eq!(tokio::join!(query, leaving).0, Err(ResourceError::Cancelled));
        assert_eq!(csv(stage.sql(), "SELECT 1").await.unwrap(), "1", "the place is free only when it has stopped");
        assert_eq!(stage.running(), "");
    }
    let cancel = CancellationToken::new();
    let sql = "INSERT INTO t SELECT SLEEP(60)";
    let rows = rejoin::resource::relational::ParameterRows::one([]);
    let cancelling = async {
        while !stage.running().contains(sql) {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        cancel.cancel();
    };
    let (done, ()) = tokio::join!(stage.sql().update(sql.into(), rows, cancel.clone()), cancelling);
    assert_eq!(done, Err(ResourceError::Cancelled));
    assert_eq!(csv(stage.sql(), "SELECT COUNT(*) FROM t").await.unwrap(), "0");
    assert_eq!(stage.running(), "");
}

#[tokio::test]
async fn a_statement_that_takes_too_long_is_stopped() {
    let stage = Stage::with(|access| access.statement_timeout = Some(Duration::from_millis(100)));
    let error = csv(stage.sql(), "SELECT SLEEP(60)").await.unwrap_err();
    assert_eq!(error.code(), "SqlTimedOut");
    let branch = stage.sql().begin(TransactionOptions::default()).await.unwrap();
    let error = csv(branch.executor(), "SELECT SLEEP(60)").await.unwrap_err();
    assert_eq!(error.code(), "SqlTimedOut");
    assert_eq!(csv(branch.executor(), "SELECT 1").await.unwrap(), "1");
}

#[tokio::test]
async fn each_requester_is_the_user_that_the_role_map_makes_him() {
    let stage = Stage::new();
    let server = MariaDbServer::shared();
    let (clerk, other) = (format!("clerk_{}", stage.database), format!("other_{}", stage.database));
    stage.run(&format!(
        "CREATE TABLE t (id INT); CREATE USER {clerk} IDENTIFIED BY '{PASSWORD}'; GRANT SELECT ON t TO {clerk};
         CREATE USER {other} IDENTIFIED BY 'another'"
    ));
    let (_folder, password) = password_file();
    let login = |user: &str| Login { user: Some(user.into()), password: Some(password.clone()) };
    let entries = vec![(Who::Role("user".into()), login(&clerk)), (Who::Principal("eve".into()), login(&other))];
    let access = rejoin::resource::relational::access::AccessSettings {
        login: Login { user: None, password: Some(password.clone()) },
        role_map: Some(RoleMap { entries, otherwise: Otherwise::Deny }),
        ..Default::default()
    };
    let resource = open(&server.uri(&stage.database), access);
    let of =
        |id: &str, role: &str| resource.on_behalf_of(&Requester { principal: Principal::new(id), role: role.into() });

    let ada = of("ada", "user").unwrap().unwrap();
    let sql = ada.as_relational().unwrap();
    assert_eq!(csv(sql, "SELECT SUBSTRING_INDEX(CURRENT_USER(), '@', 1)").await.unwrap(), clerk);
    assert_eq!(update(sql, "INSERT INTO t VALUES (1)", []).await.unwrap_err().code(), "SqlDenied");
    assert!(matches!(of("boss", "operator"), Err(ResourceError::Denied { .. })));

    let eve = of("eve", "user").unwrap().unwrap();
    let error = csv(eve.as_relational().unwrap(), "SELECT 1").await.unwrap_err();
    assert_eq!(error.code(), "DataResourceUnavailable");
    assert!(!error.to_string().contains(PASSWORD));
}

#[tokio::test]
async fn a_schema_tells_of_tables_views_and_indexes() {
    let stage = Stage::new();
    stage.run(
        "CREATE TABLE a (x INT, y VARCHAR(9) DEFAULT 'q', PRIMARY KEY (y, x), UNIQUE u (x), KEY k (y(3)));
         CREATE VIEW b AS SELECT x FROM a; CREATE SEQUENCE s",
    );
    let filter = rejoin::resource::relational::SchemaFilter::default();
    let schema = stage.sql().schema(&filter).await.unwrap();
    let names: Vec<_> = schema.tables.iter().map(|table| (&*table.name, table.kind, table.columns.len())).collect();
    assert_eq!(names, [("a", TableKind::Table, 2), ("b", TableKind::View, 1)]);
    let column = &schema.tables[0].columns[1];
    assert_eq!((&*column.type_name, column.nullable, column.primary_key), ("varchar(9)", false, Some(1)));
    let filter =
        rejoin::resource::relational::SchemaFilter { table: Some("_".into()), tables_only: true, schema: None };
    assert_eq!(stage.sql().schema(&filter).await.unwrap().tables.len(), 1);
    let physical = stage.sql().physical_schema(&filter).await.unwrap();
    let indexes: Vec<_> = physical.tables[0].indexes.iter().map(|index| (&*index.name, index.unique)).collect();
    assert_eq!(indexes, [("k", false), ("PRIMARY", true), ("u", true)]);
    assert_eq!(physical.tables[0].indexes[0].columns, ["y(3)"]);
    assert_eq!(physical.tables[0].indexes[1].columns, ["y", "x"]);
    assert_eq!(blocks(stage.sql(), "SHOW TABLES", []).await.unwrap()[0].num_rows(), 3);
}
