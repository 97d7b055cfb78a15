use std::sync::Arc;

use arrow_array::types::UInt64Type;
use arrow_array::{ArrayRef, Float64Array, Int32Array, PrimitiveArray, StringArray};

use super::*;
use crate::block::BlockReader;
use crate::resource::relational::{BulkLoad, SchemaFilter, TableName};

fn rows(ids: &[i32]) -> RecordBatch {
    let texts: Vec<Option<String>> = ids.iter().map(|id| (id % 2 == 0).then(|| format!("t{id}"))).collect();
    let large: PrimitiveArray<UInt64Type> = ids.iter().map(|_| Some(u64::MAX)).collect();
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("id", Arc::new(Int32Array::from(ids.to_vec()))),
        ("name", Arc::new(StringArray::from(texts))),
        ("large", Arc::new(large)),
    ];
    RecordBatch::try_from_iter(columns).unwrap()
}

async fn stream(blocks: Vec<RecordBatch>) -> BlockReader {
    let (writer, reader) = pipe(StreamType::Rows);
    for block in blocks {
        writer.send(Block::Rows(block)).await.unwrap();
    }
    tokio::spawn(writer.finish());
    reader
}

fn into(table: &str, create: bool, transactionally: bool) -> BulkLoad {
    BulkLoad { table: TableName::parse(table), create, transactionally }
}

#[tokio::test]
async fn rows_are_loaded_into_a_new_table_with_their_values() {
    for transactionally in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let database = on_disk(&folder, SqliteMode::Create);
        let rows = stream(vec![rows(&[1, 2]), rows(&[3])]).await;
        let loaded = database.load(into("t", true, transactionally), rows, CancellationToken::new()).await;
        assert_eq!(loaded, Ok(3));
        let expected = format!("1,-,{0}\n2,t2,{0}\n3,-,{0}\n", u64::MAX);
        assert_eq!(lines(&database, "SELECT id, name, large FROM t ORDER BY id").await, expected);
    }
}

#[tokio::test]
async fn a_load_that_fails_leaves_all_or_nothing_as_it_was_asked() {
    for (transactionally, left) in [(false, "2\n"), (true, "0\n")] {
        let folder = tempfile::tempdir().unwrap();
        let table = ["CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, large TEXT)"];
        let database = prepared(on_disk(&folder, SqliteMode::Create), &table).await;
        let rows = stream(vec![rows(&[1, 2]), rows(&[3, 1])]).await;
        let failed = database.load(into("t", false, transactionally), rows, CancellationToken::new()).await;
        assert!(matches!(failed, Err(ResourceError::Sql { .. })), "{failed:?}");
        assert_eq!(lines(&database, "SELECT count(*) FROM t").await, left);
        assert_eq!(update(&database, "INSERT INTO t VALUES (9, 'x', 'y')").await, Ok(1), "others can write again");
    }
}

#[tokio::test]
async fn what_would_become_null_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let database = on_disk(&folder, SqliteMode::Create);
    let column: ArrayRef = Arc::new(Float64Array::from(vec![1.0, f64::NAN]));
    let rows = stream(vec![RecordBatch::try_from_iter([("x", column)]).unwrap()]).await;
    let failed = database.load(into("t", true, true), rows, CancellationToken::new()).await;
    assert!(matches!(failed, Err(ResourceError::Data { row: 2, .. })), "{failed:?}");
}

#[tokio::test]
async fn tables_tell_their_rows_sizes_and_indexes() {
    let folder = tempfile::tempdir().unwrap();
    let statements = [
        "CREATE TABLE town (id INTEGER PRIMARY KEY, name TEXT)",
        "CREATE UNIQUE INDEX by_name ON town (name, id)",
        "CREATE TABLE road (id INTEGER)",
        "INSERT INTO town VALUES (1, 'Perth'), (2, 'Oban')",
    ];
    let database = prepared(on_disk(&folder, SqliteMode::Create), &statements).await;
    let filter = SchemaFilter { table: Some("t%".to_owned()), ..SchemaFilter::default() };
    let [town] = &database.physical_schema(&filter).await.unwrap().tables[..] else { panic!("one table") };
    assert_eq!((&*town.name, town.rows), ("town", Some(2)));
    assert!(town.bytes.is_some_and(|bytes| bytes > 0) && town.index_bytes.is_some_and(|bytes| bytes > 0), "{town:?}");
    assert_eq!((&*town.indexes[0].name, town.indexes[0].unique), ("by_name", true));
    assert_eq!(town.indexes[0].columns, ["name", "id"]);
    assert_eq!(database.schema(&filter).await.unwrap().tables.len(), 1);
}

#[tokio::test]
async fn a_number_that_would_be_rounded_is_not_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let tables = ["CREATE TABLE t (d DECIMAL(20,2), u BIGINT, x TEXT)"];
    let database = prepared(on_disk(&folder, SqliteMode::Create), &tables).await;
    let decimals = |value: i128| -> ArrayRef {
        Arc::new(arrow_array::Decimal128Array::from(vec![10, value]).with_precision_and_scale(20, 2).unwrap())
    };
    let large = |value: u64| -> ArrayRef { Arc::new(PrimitiveArray::<UInt64Type>::from(vec![1, value])) };
    let load = async |name: &str, column: ArrayRef| {
        let rows = stream(vec![RecordBatch::try_from_iter([(name, column)]).unwrap()]).await;
        database.load(into("t", false, true), rows, CancellationToken::new()).await
    };
    for (name, column) in [("d", decimals(1_234_567_890_123_456_789)), ("U", large(u64::MAX))] {
        let error = load(name, column).await.unwrap_err();
        assert!(matches!(&error, ResourceError::Data { row: 2, .. }), "{error:?}");
    }
    assert_eq!(load("d", decimals(123_456_789_012_345)).await, Ok(2));
    assert_eq!(load("u", large(9_007_199_254_740_993)).await, Ok(2));
    assert_eq!(load("x", decimals(1_234_567_890_123_456_789)).await, Ok(2));
    let expected = "0.1\n1234567890123.45\n1\n9007199254740993\n0.10\n12345678901234567.89\n";
    assert_eq!(lines(&database, "SELECT CAST(coalesce(d, u, x) AS TEXT) FROM t").await, expected);
}
