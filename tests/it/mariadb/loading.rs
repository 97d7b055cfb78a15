//! Values that a load must not change, and servers that take no files.

use std::sync::Arc;

use arrow_array::builder::{Int32Builder, ListBuilder};
use arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Int16Array, Int32Array, RecordBatch,
    StringArray, Time64MicrosecondArray, TimestampMicrosecondArray,
};
use rejoin::block::{Block, StreamType, pipe};
use rejoin::resource::ResourceError;
use rejoin::resource::relational::access::{AccessSettings, Login};
use rejoin::resource::relational::{BulkLoad, SqlExecutor, TableName};
use rejoin::session::{TransactionBranch, TransactionOptions};
use tokio_util::sync::CancellationToken;

use super::stage::{Stage, open, password_file, update};
use crate::databases::MariaDbServer;

async fn load(
    executor: &dyn SqlExecutor,
    table: &str,
    create: bool,
    columns: &[(&str, ArrayRef)],
) -> Result<u64, ResourceError> {
    let (writer, reader) = pipe(StreamType::Rows);
    let rows = RecordBatch::try_from_iter(columns.iter().cloned()).unwrap();
    writer.send(Block::Rows(rows)).await.unwrap();
    writer.finish().await;
    let load = BulkLoad { table: TableName::parse(table), create, transactionally: true };
    executor.load(load, reader, CancellationToken::new()).await
}

#[tokio::test]
async fn values_that_the_server_does_not_have_are_not_changed_into_others() {
    let stage = Stage::new();
    let times: ArrayRef = Arc::new(Time64MicrosecondArray::from(vec![86_400_000_000, 86_399_999_999, 0]));
    load(stage.sql(), "times", true, &[("v", times)]).await.unwrap();
    assert_eq!(stage.run("SELECT v FROM times"), "24:00:00.000000\n23:59:59.999999\n00:00:00.000000");

    let (early, late, far) = (-735_000, 4_000_000, i64::MAX);
    let columns: [ArrayRef; 5] = [
        Arc::new(Date32Array::from(vec![0, early])),
        Arc::new(Date32Array::from(vec![0, late])),
        Arc::new(TimestampMicrosecondArray::from(vec![0, far])),
        Arc::new(TimestampMicrosecondArray::from(vec![0, i64::from(early) * 86_400_000_000])),
        Arc::new(TimestampMicrosecondArray::from(vec![0, i64::MIN])),
    ];
    stage.run("CREATE TABLE texts (v VARCHAR(40))");
    for column in columns {
        let error = load(stage.sql(), "texts", false, &[("v", column)]).await.unwrap_err();
        assert!(matches!(&error, ResourceError::Data { row: 2, column, .. } if column == "v"), "{error:?}");
    }
    assert_eq!(stage.run("SELECT COUNT(*) FROM texts"), "0");

    let mut lists = ListBuilder::new(Int32Builder::new());
    lists.append_value([Some(1), None]);
    let wide: ArrayRef = Arc::new(Decimal128Array::from(vec![5]).with_precision_and_scale(5, -2).unwrap());
    let lists: ArrayRef = Arc::new(lists.finish());
    load(stage.sql(), "texts", false, &[("v", lists)]).await.unwrap();
    load(stage.sql(), "texts", false, &[("v", wide)]).await.unwrap();
    assert_eq!(stage.run("SELECT v FROM texts"), "{1,NULL}\n500");
}

fn all_kinds(count: i32) -> Vec<(&'static str, ArrayRef)> {
    let numbers = || 0..count;
    vec![
        ("id", Arc::new(Int32Array::from_iter_values(numbers())) as ArrayRef),
        ("t", Arc::new(numbers().map(|n| (n != 1).then(|| format!("a\tb'\\N{n}"))).collect::<StringArray>())),
        ("b", Arc::new(numbers().map(|n| (n != 1).then_some(b"\x00\xFF")).collect::<BinaryArray>())),
        ("y", Arc::new(numbers().map(|n| (n != 1).then_some(69)).collect::<Int16Array>())),
        ("q", Arc::new(numbers().map(|n| (n != 1).then_some(n == 2)).collect::<BooleanArray>())),
    ]
}

#[tokio::test]
async fn a_server_that_takes_no_files_is_loaded_by_inserts() {
    let server = MariaDbServer::start();
    server.run("mysql", "SET GLOBAL local_infile = 0");
    let database = server.create_database();
    let (_folder, password) = password_file();
    let access = AccessSettings { login: Login { user: None, password: Some(password) }, ..Default::default() };
    let resource = open(&server.uri(&database), access);
    let sql = resource.as_relational().unwrap();
    update(sql, "CREATE TABLE t (id INT PRIMARY KEY, t VARCHAR(30), b BLOB, y YEAR, q BIT(1))", []).await.unwrap();
    let mut short = all_kinds(3);
    short[3].1 = Arc::new(Int16Array::from(vec![Some(1969), None, Some(0)]));
    assert_eq!(load(sql, "t", false, &short).await, Ok(3));
    let shown = "SELECT id, HEX(t), HEX(b), y, q + 0 FROM t ORDER BY id";
    let expected = "0\t610962275C4E30\t00FF\t1969\t0\n1\tNULL\tNULL\tNULL\tNULL\n2\t610962275C4E32\t00FF\t0000\t1";
    assert_eq!(server.run(&database, shown), expected);
    // More rows than one statement takes, of which one does not fit: nothing stays.
    server.run(&database, "DELETE FROM t WHERE id < 2");
    let error = load(sql, "t", false, &all_kinds(1000)[..2]).await.unwrap_err();
    assert!(error.code() == "SqlError" && error.to_string().contains("Duplicate"), "{error}");
    assert_eq!(server.run(&database, "SELECT COUNT(*) FROM t"), "1");
    server.run(&database, "DELETE FROM t");
    let branch = sql.begin(TransactionOptions::default()).await.unwrap();
    assert_eq!(load(branch.executor(), "t", false, &all_kinds(1000)[..3]).await, Ok(1000));
    branch.commit().await.unwrap();
    assert_eq!(server.run(&database, "SELECT COUNT(*), SUM(id), COUNT(t) FROM t"), "1000\t499500\t999");
    // Too long for the column.
    let long: ArrayRef = Arc::new(StringArray::from(vec!["x".repeat(31)]));
    let key: ArrayRef = Arc::new(Int32Array::from(vec![-1]));
    assert_eq!(load(sql, "t", false, &[("id", key), ("t", long)]).await.unwrap_err().code(), "SqlError");
}

#[tokio::test]
async fn a_load_that_is_cancelled_leaves_no_table_behind() {
    let stage = Stage::new();
    let (writer, reader) = pipe(StreamType::Rows);
    let rows: ArrayRef = Arc::new(Int32Array::from(vec![1, 2]));
    writer.send(Block::Rows(RecordBatch::try_from_iter([("v", rows)]).unwrap())).await.unwrap();
    let load = BulkLoad { table: TableName::parse("t"), create: true, transactionally: true };
    let cancel = CancellationToken::new();
    let cancelling = async {
        while !stage.running().contains("LOAD DATA") {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        cancel.cancel();
    };
    let (done, ()) = tokio::join!(stage.sql().load(load, reader, cancel.clone()), cancelling);
    assert_eq!(done, Err(ResourceError::Cancelled));
    drop(writer);
    assert_eq!(stage.run("SHOW TABLES"), "");
}
