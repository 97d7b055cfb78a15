//! Python's own modules and pyarrow read what we write, and the other way round.
//!
//! `scripts/test tools` puts a Python with pyarrow into `target/tools`.

use std::path::{Path, PathBuf};
use std::process::Command;

use arrow_array::cast::AsArray;
use arrow_array::{Array, Int16Array, RecordBatch};
use rejoin::format::{ArrowCompression, CsvOptions, FormatError, JsonForm, ParquetCompression};
use serde_json::{Value, json};

use super::samples::{every_type, many};
use super::written;

/// Reads a document.
type ReadBytes = fn(&[u8]) -> Result<Vec<RecordBatch>, FormatError>;

fn run(script: &str, form: &str, file: &Path) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python: PathBuf = root.join("target/tools/bin/python");
    assert!(python.exists(), "this test needs {}: run `scripts/test tools`", python.display());
    let output = Command::new(python).arg(root.join("tests/python").join(script)).arg(form).arg(file).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script} {form}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// What Python has understood of a document: the types of the columns, then the rows.
fn understood(form: &str, content: impl AsRef<[u8]>) -> Vec<Value> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rows");
    std::fs::write(&file, content).unwrap();
    run("read_format.py", form, &file).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The first row of [`every_type`], as Python shows it.
fn first_row(interval: &str) -> Value {
    json!([
        "true",
        "-8",
        "-16",
        "-32",
        "-9223372036854775808",
        "255",
        "65535",
        "4294967295",
        "18446744073709551615",
        "0.10000000149011612",
        "1e+20",
        "123.40",
        "9999999999999999999999999999999999999999.9999999999",
        "say \"é\" & <go>",
        "00ff",
        "2026-11-21",
        "08:00:00.500000",
        "2026-11-21T08:00:00.500000",
        "2026-11-21T08:00:00.500000+00:00",
        interval,
        ["1", null, "-3"],
        ["a b", "null", null, "say \"hi\\\"", "", "plain"],
    ])
}

fn all_null() -> Value {
    Value::Array(vec![Value::Null; every_type().num_columns()])
}

#[test]
fn pyarrow_reads_our_arrow_streams() {
    for compression in [ArrowCompression::None, ArrowCompression::Zstd] {
        let seen = understood("arrow", written::arrow(&[every_type(), every_type().slice(1, 1)], compression));
        let types = json!([
            "bool",
            "int8",
            "int16",
            "int32",
            "int64",
            "uint8",
            "uint16",
            "uint32",
            "uint64",
            "float",
            "double",
            "decimal128(10, 2)",
            "decimal256(60, 10)",
            "string",
            "binary",
            "date32[day]",
            "time64[us]",
            "timestamp[us]",
            "timestamp[us, tz=UTC]",
            "month_day_nano_interval",
            "list<item: int32>",
            "list<item: string>",
        ]);
        assert_eq!(seen, [types, first_row("14 3 14400000000000"), all_null(), all_null()]);
    }
}

#[test]
fn pyarrow_reads_our_parquet_files() {
    for (_, compression) in ParquetCompression::NAMES {
        let seen = understood("parquet", written::parquet(&[every_type()], compression));
        assert_eq!(seen[1..], [first_row("P1Y2M3DT4H"), all_null()]);
        let types = seen[0].as_array().unwrap();
        assert_eq!(
            (&types[11], &types[16], &types[18]),
            (&json!("decimal128(10, 2)"), &json!("time64[us]"), &json!("timestamp[us, tz=UTC]"))
        );
    }
}

#[test]
fn python_reads_our_csv_strictly() {
    let rows = every_type();
    let options = || CsvOptions { null: "NULL".into(), header: true, ..CsvOptions::default() };
    let seen = understood("csv", written::csv(std::slice::from_ref(&rows), options()));
    let names: Vec<&str> = rows.schema_ref().fields().iter().map(|field| field.name().as_str()).collect();
    assert_eq!(seen[1], json!(names));
    assert_eq!(seen[2][13], json!("say \"é\" & <go>"));
    assert_eq!(seen[2][21], json!("{\"a b\",\"null\",NULL,\"say \\\"hi\\\\\\\"\",\"\",plain}"));
    assert_eq!(seen[3], json!(vec!["NULL"; names.len()]));
    assert_eq!(understood("csv", written::csv(&[many(3000)], options())).len(), 3002);
}

#[test]
fn python_reads_our_json() {
    for (form, name) in [(JsonForm::Array, "json"), (JsonForm::Lines, "lines")] {
        let seen = understood(name, written::json(&[every_type()], form));
        let expected = json!([
            "true",
            "-8",
            "-16",
            "-32",
            "-9223372036854775808",
            "255",
            "65535",
            "4294967295",
            "18446744073709551615",
            "0.1",
            "1E+20",
            "123.40",
            "9999999999999999999999999999999999999999.9999999999",
            "say \"é\" & <go>",
            "AP8=",
            "2026-11-21",
            "08:00:00.5",
            "2026-11-21T08:00:00.5",
            "2026-11-21T08:00:00.5Z",
            "P1Y2M3DT4H",
            ["1", null, "-3"],
            ["a b", "null", null, "say \"hi\\\"", "", "plain"],
        ]);
        assert_eq!(seen[1..], [expected, all_null()]);
    }
}

#[test]
fn we_read_what_pyarrow_writes() {
    let folder = tempfile::tempdir().unwrap();
    let read: [(&str, ReadBytes); 2] = [("arrow", written::from_arrow), ("parquet", written::from_parquet)];
    for (form, read) in read {
        let file = folder.path().join(form);
        run("write_format.py", form, &file);
        let blocks: Vec<RecordBatch> = read(&std::fs::read(&file).unwrap()).unwrap();
        assert_eq!(blocks.len(), 1);
        let block = &blocks[0];
        let csv = written::csv(&blocks, CsvOptions { header: true, null: "-".into(), ..CsvOptions::default() });
        let expected = "large_text,dictionary,bytes,fixed,nanoseconds,seconds,milliseconds,decimal,large_list,nothing\n\
            a,x,AP8=,YWI=,2026-11-21 08:00:00.5+00,2026-11-21 08:00:00,08:00:00.5,1.10,\"{1,NULL}\",-\n\
            -,y,-,-,-,-,-,-,{},-\n\
            ü,x,,Y2Q=,2026-11-21 08:00:00.5+00,-,-,-2.00,-,-\n";
        assert_eq!(csv, expected);
        let lists = block.column_by_name("large_list").unwrap().as_list::<i32>();
        assert_eq!(lists.value(0).as_ref(), &Int16Array::from(vec![Some(1), None]) as &dyn Array);
    }
}
