use super::*;
use crate::resource::Blame;

async fn town() -> SqliteResource {
    prepared(
        memory(),
        &["CREATE TABLE town (id INTEGER PRIMARY KEY, name TEXT)", "INSERT INTO town VALUES (1, 'Perth')"],
    )
    .await
}

#[tokio::test]
async fn a_query_can_not_write_in_any_disguise() {
    let database = town().await;
    for sql in [
        "INSERT INTO town VALUES (2, 'Oban')",
        "INSERT INTO town VALUES (2, 'Oban') RETURNING id",
        "UPDATE town SET name = 'Oban' RETURNING name",
        "DELETE FROM town RETURNING *",
        "REPLACE INTO town VALUES (1, 'Oban') RETURNING id",
        "WITH t AS (SELECT 2 AS id) INSERT INTO town SELECT id, 'Oban' FROM t RETURNING id",
        "/* SELECT */ DELETE FROM town",
        "CREATE TABLE other (x)",
        "DROP TABLE town",
        "ALTER TABLE town RENAME TO city",
        "CREATE VIEW v AS SELECT 1",
        "CREATE INDEX i ON town (name)",
        "ANALYZE",
        "EXPLAIN DELETE FROM town",
    ] {
        let error = query_error(&database, sql).await;
        assert!(matches!(error, ResourceError::ReadOnly { .. }), "{sql}: {error:?}");
        assert_eq!(error.blame(), Blame::Client);
    }
    assert_eq!(lines(&database, "SELECT * FROM town").await, "1,Perth\n");
}

#[tokio::test]
async fn a_row_that_a_query_makes_up_has_a_size() {
    let database = town().await;
    let blobs = |count: usize| format!("SELECT {}", vec!["zeroblob(60000000)"; count].join(", "));
    let error = query_error(&database, &blobs(40)).await;
    assert!(error.to_string().contains("a row takes more than 128 MiB"), "{error}");
    assert_eq!(lines(&database, "SELECT * FROM town").await, "1,Perth\n");
}

#[tokio::test]
async fn neither_queries_nor_updates_reach_beyond_their_database() {
    let database = town().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("other.db");
    let attach = format!("ATTACH '{}' AS other", file.display());
    let vacuum = format!("VACUUM INTO '{}'", file.display());
    for sql in [
        &attach,
        &vacuum,
        "ATTACH ':memory:' AS other",
        "DETACH main",
        "VACUUM",
        "PRAGMA query_only = OFF",
        "PRAGMA journal_mode = DELETE",
        "PRAGMA journal_mode",
        "PRAGMA writable_schema = ON",
        "PRAGMA database_list",
        "PRAGMA user_version = 7",
        "PRAGMA wal_checkpoint",
        "PRAGMA table_info(town); DELETE FROM town",
        "SELECT load_extension('other')",
        "SELECT * FROM pragma_database_list",
        "BEGIN",
        "COMMIT",
        "ROLLBACK",
        "SAVEPOINT s",
        "RELEASE s",
        "CREATE TEMP TABLE t (x)",
        "CREATE TEMP VIEW v AS SELECT 1",
        "CREATE TEMP TRIGGER r AFTER INSERT ON town BEGIN DELETE FROM town; END",
    ] {
        let query = query_error(&database, sql).await;
        let update = update(&database, sql).await.expect_err(sql);
        for error in [query, update] {
            let refused = matches!(error, ResourceError::Sql { .. } | ResourceError::ReadOnly { .. });
            assert!(refused, "{sql}: {error:?}");
        }
    }
    assert!(!file.exists());
    assert_eq!(lines(&database, "SELECT * FROM town").await, "1,Perth\n");
}

#[tokio::test]
async fn what_tells_about_the_database_may_be_asked() {
    let database = town().await;
    assert_eq!(lines(&database, "PRAGMA table_info(town)").await, "0,id,INTEGER,0,-,1\n1,name,TEXT,0,-,0\n");
    assert_eq!(lines(&database, "SELECT name FROM pragma_table_info('town')").await, "id\nname\n");
    assert_eq!(lines(&database, "SELECT name FROM sqlite_schema").await, "town\n");
    assert_eq!(lines(&database, "PRAGMA user_version").await, "0\n");
    assert!(!lines(&database, "EXPLAIN QUERY PLAN SELECT * FROM town").await.is_empty());
}

#[tokio::test]
async fn a_text_holds_one_statement() {
    let database = town().await;
    for sql in ["SELECT 1; SELECT 2", "SELECT 1; DELETE FROM town", "SELECT 1;;;SELECT 2"] {
        let error = query_error(&database, sql).await;
        assert!(matches!(error, ResourceError::Sql { .. } | ResourceError::ReadOnly { .. }), "{sql}: {error:?}");
        update(&database, sql).await.expect_err(sql);
    }
    assert_eq!(lines(&database, "SELECT 1; -- and no more\n /* at all */ ").await, "1\n");
    assert_eq!(lines(&database, "\n  SELECT 1;\n").await, "1\n");
    for sql in ["", "  ", ";", "-- nothing", "SELECT 1\0; DELETE FROM town"] {
        let error = query_error(&database, sql).await;
        assert!(matches!(error, ResourceError::Sql { .. }), "{sql}: {error:?}");
        let error = update(&database, sql).await.expect_err(sql);
        assert!(matches!(error, ResourceError::Sql { .. }), "{sql}: {error:?}");
    }
}

#[tokio::test]
async fn a_wrong_statement_is_the_clients_and_says_where() {
    let database = town().await;
    let ResourceError::Sql { message, code, offset } = query_error(&database, "\n SELECT 'é', nme FROM town").await
    else {
        panic!("expected an SQL error");
    };
    assert_eq!((message.as_str(), code.as_ref(), offset), ("no such column: nme", "SQLITE_ERROR", Some(14)));
    let error = query_error(&database, "SELECT * FROM twon").await;
    assert_eq!(error.to_string(), "no such table: twon");
    let error = query_error(&database, "SELEC 1").await;
    assert_eq!(error.to_string(), "near \"SELEC\": syntax error (at character 1 of the statement)");
    // A name in double quotes is never taken for a text.
    let error = query_error(&database, "SELECT * FROM town WHERE name = \"Perth\"").await;
    assert!(error.to_string().starts_with("no such column: \"Perth\""), "{error}");
}

#[tokio::test]
async fn the_number_of_parameters_must_be_right() {
    let database = town().await;
    for (sql, given, message) in [
        ("SELECT ?, ?", 1, "the statement has 2 parameters, but 1 was given"),
        ("SELECT ?", 2, "the statement has 1 parameter, but 2 were given"),
        ("SELECT 1", 1, "the statement has 0 parameters, but 1 was given"),
        ("SELECT ?3", 0, "the statement has 3 parameters, but 0 were given"),
    ] {
        let error = blocks(&database, sql, vec![Parameter::Null; given]).await.unwrap_err();
        assert_eq!(error.to_string(), message);
    }
    // Nothing is left bound for the next one.
    assert_eq!(lines_with(&database, "SELECT ?", ["kept".into()]).await, "kept\n");
    assert!(blocks(&database, "SELECT ?", []).await.is_err());
}

#[tokio::test]
async fn statements_and_values_are_bounded() {
    let database = memory();
    let long = format!("SELECT '{}'", "x".repeat(1_100_000));
    let deep = format!("SELECT {}1{}", "(".repeat(5000), ")".repeat(5000));
    for sql in [long.as_str(), &deep, "SELECT zeroblob(100000000)", "SELECT printf('%.100000000c', 'x')"] {
        let error = query_error(&database, sql).await;
        assert!(matches!(error, ResourceError::Sql { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn a_statement_without_rows_is_no_query_and_one_that_reads_no_update() {
    let database = town().await;
    let error = update(&database, "SELECT * FROM town").await.unwrap_err();
    assert_eq!(error.to_string(), "the statement only reads; use a query statement");
}

#[tokio::test]
async fn a_query_beyond_the_limit_is_busy_when_none_makes_way_in_time() {
    let address = SqliteAddress { location: SqliteLocation::Memory, mode: SqliteMode::Create };
    let database =
        SqliteResource::new(address, &SqliteSettings { open_queries: OpenQueries::at_most(1), ..one_place() });
    let (writer, reader) = pipe(StreamType::Rows);
    let mut first = Box::pin(database.query(Statement::new(ENDLESS, []), writer, CancellationToken::new()));
    assert!(futures_util::poll!(&mut first).is_pending());
    let error = query_error(&database, "SELECT 1").await;
    assert!(matches!(error, ResourceError::Busy { .. }) && error.is_retryable());
    drop(reader);
    assert_eq!(first.await, Err(ResourceError::Cancelled));
    assert_eq!(lines(&database, "SELECT 1").await, "1\n");
}
