//! Functions and procedures.

use rejoin::block::{StreamType, pipe};
use rejoin::resource::ResourceError;
use rejoin::resource::relational::{Argument, CallEnd, OutParameter, Parameter, ProcedureCall, TableName};
use tokio_util::sync::CancellationToken;

use super::{Database, new_database, read_all};

/// Calls it; gives what it came to, and the number of columns of its rows.
async fn call(database: &Database, name: &str, arguments: Vec<Argument>) -> Result<(CallEnd, usize), ResourceError> {
    let (writer, reader) = pipe(StreamType::Rows);
    let call = ProcedureCall { name: TableName::parse(name), arguments };
    let (end, blocks) = tokio::join!(database.sql().call(call, writer, CancellationToken::new()), read_all(reader));
    let end = end?;
    let blocks = blocks.unwrap();
    assert_eq!(end.rows, blocks.iter().map(|block| block.num_rows() as u64).sum::<u64>());
    Ok((end, blocks[0].num_columns()))
}

fn with(value: &str) -> Argument {
    Argument::In(Parameter::from(value))
}

fn out(position: u32, name: &str, value: Parameter) -> OutParameter {
    OutParameter { position, name: Some(name.to_owned()), value }
}

const ROUTINES: &str = "
    CREATE TABLE t (n integer);
    CREATE FUNCTION plus(a integer, b integer) RETURNS integer LANGUAGE sql AS 'SELECT a + b';
    CREATE FUNCTION rows_to(last integer) RETURNS TABLE (n integer, at inet) LANGUAGE sql AS $$ SELECT g, '10.0.0.1'::inet FROM generate_series(1, last) g $$;
    CREATE FUNCTION write_it(n integer) RETURNS void LANGUAGE sql AS 'INSERT INTO t VALUES (n)';
    CREATE FUNCTION split(whole numeric, OUT part numeric(10,2), OUT rest text, INOUT flag boolean) LANGUAGE sql AS $$ SELECT whole / 2, 'rest', NOT flag $$;
    CREATE PROCEDURE work(a integer, INOUT b integer, OUT c date, OUT d float8, OUT e bytea) LANGUAGE plpgsql AS
        $$ BEGIN INSERT INTO t VALUES (a); b := a + b; c := '2026-11-21'; d := 1.5; e := '\\x00ff'; END $$;
    CREATE PROCEDURE quiet(a integer) LANGUAGE sql AS 'INSERT INTO t VALUES (a)';
    CREATE PROCEDURE committing() LANGUAGE plpgsql AS $$ BEGIN COMMIT; END $$;";

#[tokio::test(flavor = "multi_thread")]
async fn a_function_gives_rows_or_what_it_gives_back() {
    let database = new_database();
    database.psql(ROUTINES);
    let rows = |rows| CallEnd { rows, ..CallEnd::default() };
    assert_eq!(call(&database, "plus", vec![with("1"), with("2")]).await, Ok((rows(1), 1)));
    assert_eq!(call(&database, "public.rows_to", vec![with("3")]).await, Ok((rows(3), 2)));
    assert_eq!(call(&database, "write_it", vec![with("3")]).await, Ok((rows(0), 0)));
    let arguments = vec![with("3"), Argument::Out, Argument::Out, Argument::InOut(Parameter::Boolean(true))];
    let (end, columns) = call(&database, "split", arguments).await.unwrap();
    assert_eq!((end.rows, columns), (0, 0));
    let [part, rest, flag] = &end.out[..] else { panic!("{:?}", end.out) };
    assert!(matches!(&part.value, Parameter::Text(text) if text.starts_with("1.5")), "{part:?}");
    assert_eq!(*rest, out(3, "rest", Parameter::from("rest")));
    assert_eq!(*flag, out(4, "flag", Parameter::Boolean(false)));
    assert_eq!(database.psql("SELECT n FROM t"), "3");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_procedure_gives_back_what_it_was_asked_for() {
    let database = new_database();
    database.psql(ROUTINES);
    let arguments =
        vec![with("1"), Argument::InOut(Parameter::Integer(2)), Argument::Out, Argument::Out, Argument::Out];
    let (end, columns) = call(&database, "work", arguments).await.unwrap();
    assert_eq!((end.rows, columns), (0, 0));
    assert_eq!(
        end.out,
        [
            out(2, "b", Parameter::Integer(3)),
            out(3, "c", Parameter::from("2026-11-21")),
            out(4, "d", Parameter::Real(1.5)),
            out(5, "e", Parameter::Bytes(vec![0, 255].into())),
        ]
    );
    assert_eq!(call(&database, "quiet", vec![with("5")]).await, Ok((CallEnd::default(), 0)));
    assert_eq!(database.psql("SELECT sum(n) FROM t"), "6");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_can_not_be_says_why() {
    let database = new_database();
    database.psql(ROUTINES);
    for (name, arguments, code, part) in [
        ("nothing", vec![], "SqlError", "no function or procedure `nothing`"),
        ("plus", vec![with("1")], "SqlError", "does not exist"),
        ("plus", vec![with("one"), with("2")], "SqlError", "one"),
        ("committing", vec![], "SqlUnsupported", "can't commit"),
        ("plus\"; DROP TABLE t; --", vec![], "SqlError", "no function"),
    ] {
        let error = call(&database, name, arguments).await.unwrap_err();
        assert!(error.code() == code && error.to_string().contains(part), "{name}: {error:?}");
    }
}
