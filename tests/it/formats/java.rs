//! Java's own WebRowSet reads every type that we write, and we read what it writes.

use std::path::Path;
use std::process::Command;

use arrow_array::RecordBatch;
use arrow_schema::DataType;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use rejoin::format::TemporalColumns;

use super::samples::every_type;
use super::written;

fn java(program: &str, arguments: &[&Path]) -> String {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/java").join(program);
    let output = Command::new("java").arg("-Duser.timezone=UTC").arg(program).args(arguments).output();
    let output = output.expect("this test needs `java` on the path");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The type code and the value of each column of the first row, as Java has understood them.
fn first_row(document: &str) -> (Vec<String>, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rows.xml");
    std::fs::write(&file, document).unwrap();
    let (mut codes, mut values) = (Vec::new(), Vec::new());
    for line in java("ReadWebRowSet.java", &[&file]).lines() {
        match line.split('\t').collect::<Vec<_>>().as_slice() {
            ["column", _, code, ..] => codes.push((*code).to_owned()),
            ["value", "1", _, text] => values.push(String::from_utf8(BASE64.decode(text).unwrap()).unwrap()),
            ["value", _, _, text] => assert_eq!(*text, "null"),
            _ => panic!("unexpected line: {line}"),
        }
    }
    (codes, values)
}

#[test]
fn java_reads_every_type_as_a_value_or_as_text() {
    let (codes, values) = first_row(&written::web_row_set(&[every_type()], TemporalColumns::Text));
    let expected = [
        ("16", "true"),
        ("-6", "-8"),
        ("5", "-16"),
        ("4", "-32"),
        ("-5", "-9223372036854775808"),
        ("5", "255"),
        ("4", "65535"),
        ("-5", "4294967295"),
        ("3", "18446744073709551615"),
        ("7", "0.1"),
        ("8", "1.0E20"),
        ("3", "123.40"),
        ("3", "9999999999999999999999999999999999999999.9999999999"),
        ("12", "say \"é\" & <go>"),
        ("-3", "AP8="),
        ("12", "2026-11-21"),
        ("12", "08:00:00.5"),
        ("12", "2026-11-21T08:00:00.5"),
        ("12", "2026-11-21T08:00:00.5Z"),
        ("12", "P1Y2M3DT4H"),
        ("12", "{1,NULL,-3}"),
        ("12", "{\"a b\",\"null\",NULL,\"say \\\"hi\\\\\\\"\",\"\",plain}"),
    ];
    assert_eq!(codes, expected.map(|(code, _)| code));
    assert_eq!(values, expected.map(|(_, value)| value));
}

#[test]
fn java_reads_milliseconds_as_dates_and_times() {
    let (codes, values) = first_row(&written::web_row_set(&[every_type()], TemporalColumns::Milliseconds));
    assert_eq!(codes[15..19], ["91", "92", "93", "93"]);
    assert_eq!(values[15..19], ["2026-11-21", "08:00:00", "2026-11-21 08:00:00.5", "2026-11-21 08:00:00.5"]);
}

#[test]
fn we_read_what_java_writes() {
    let rows = every_type();
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (folder.path().join("from.xml"), folder.path().join("to.xml"));
    std::fs::write(&from, written::web_row_set(std::slice::from_ref(&rows), TemporalColumns::Milliseconds)).unwrap();
    java("CopyWebRowSet.java", &[&from, &to]);
    let by_java = written::from_web_row_set(&std::fs::read_to_string(&to).unwrap()).unwrap();
    let by_us = written::from_web_row_set(&std::fs::read_to_string(&from).unwrap()).unwrap();
    let (by_java, by_us): (&RecordBatch, &RecordBatch) = (&by_java[0], &by_us[0]);
    for (index, field) in by_us.schema_ref().fields().iter().enumerate() {
        // Java's writer leaves out bytes.
        if *field.data_type() != DataType::Binary {
            assert_eq!(by_java.column(index), by_us.column(index), "{field}");
        }
    }
}
