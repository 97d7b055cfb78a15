//! Stored procedures and functions.

use rejoin::block::{Block, StreamType, pipe};
use rejoin::resource::ResourceError;
use rejoin::resource::relational::{Argument, CallEnd, OutParameter, Parameter, ProcedureCall, SqlExecutor, TableName};
use rejoin::session::{TransactionBranch, TransactionOptions};
use tokio_util::sync::CancellationToken;

use super::stage::{Stage, csv, update};

async fn call(
    executor: &dyn SqlExecutor,
    name: &str,
    arguments: impl IntoIterator<Item = Argument>,
) -> Result<(CallEnd, usize), ResourceError> {
    let (writer, mut reader) = pipe(StreamType::Rows);
    let reading = async {
        let mut columns = 0;
        while let Ok(Some(Block::Rows(rows))) = reader.next().await {
            columns = rows.num_columns();
        }
        columns
    };
    let call = ProcedureCall { name: TableName::parse(name), arguments: arguments.into_iter().collect() };
    let (end, columns) = tokio::join!(executor.call(call, writer, CancellationToken::new()), reading);
    end.map(|end| (end, columns))
}

async fn stage() -> Stage {
    let stage = Stage::new();
    for sql in [
        "CREATE TABLE t (id INT PRIMARY KEY)",
        "CREATE PROCEDURE p(IN a INT, OUT b VARCHAR(20), INOUT c DECIMAL(9,2), OUT d BLOB) \
         BEGIN SET b = CONCAT('got ', a), c = c + 1, d = x'00FF'; INSERT INTO t VALUES (a); END",
        "CREATE PROCEDURE q() BEGIN SELECT 1 AS x, 2 AS y UNION SELECT 3, 4; SELECT 5 AS x, 6 AS y; END",
        "CREATE PROCEDURE r() BEGIN INSERT INTO t VALUES (99); SELECT 1 AS x; SELECT 'a' AS z; END",
        "CREATE FUNCTION f(a INT) RETURNS INT RETURN a * 2",
    ] {
        update(stage.sql(), sql, []).await.unwrap();
    }
    stage
}

#[tokio::test]
async fn a_procedure_gives_back_its_out_parameters() {
    let stage = stage().await;
    let arguments =
        |a| [Argument::In(Parameter::Integer(a)), Argument::Out, Argument::InOut("1.50".into()), Argument::Out];
    let (end, columns) = call(stage.sql(), "p", arguments(7)).await.unwrap();
    let out = |position, name: &str, value| OutParameter { position, name: Some(name.into()), value };
    let bytes = Parameter::Bytes(bytes::Bytes::from_static(b"\x00\xFF"));
    assert_eq!(end.out, [out(2, "b", "got 7".into()), out(3, "c", "2.50".into()), out(4, "d", bytes)]);
    assert_eq!((end.rows, columns), (0, 0));
    assert_eq!(csv(stage.sql(), "SELECT id FROM t").await.unwrap(), "7");
    assert_eq!(csv(stage.sql(), "SELECT @rejoin_2").await.unwrap(), "NULL");

    let branch = stage.sql().begin(TransactionOptions::default()).await.unwrap();
    call(branch.executor(), "p", arguments(8)).await.unwrap();
    assert_eq!(call(branch.executor(), "p", arguments(8)).await.unwrap_err().code(), "SqlError");
    assert_eq!(csv(branch.executor(), "SELECT COUNT(*) FROM t").await.unwrap(), "2");
    branch.rollback().await.unwrap();
    assert_eq!(csv(stage.sql(), "SELECT COUNT(*) FROM t").await.unwrap(), "1");
}

#[tokio::test]
async fn the_rows_of_a_procedure_or_function_are_one_stream() {
    let stage = stage().await;
    let (end, columns) = call(stage.sql(), "q", []).await.unwrap();
    assert_eq!((end.rows, columns), (3, 2));
    let (end, columns) = call(stage.sql(), "f", [Argument::In("21".into())]).await.unwrap();
    assert_eq!((end.rows, columns), (1, 1));
    assert_eq!(call(stage.sql(), "r", []).await.unwrap_err().code(), "SqlUnsupported");
    assert_eq!(csv(stage.sql(), "SELECT COUNT(*) FROM t").await.unwrap(), "0");
    assert_eq!(call(stage.sql(), "nothing", []).await.unwrap_err().code(), "SqlError");
    assert_eq!(call(stage.sql(), "f", []).await.unwrap_err().code(), "SqlError");
}
