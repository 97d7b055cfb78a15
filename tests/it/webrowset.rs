//! What the service writes as WebRowSet, the reader that Java brings reads back, value by value.
//!
//! Needs `java` 17 or later on the path.

use std::process::Command;
use std::sync::Arc;

use arrow_array::{ArrayRef, BinaryArray, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use rejoin::block::ColumnOrigin;
use rejoin::format::{WebRowSetOptions, WebRowSetWriter};

/// What Java says about a column: name, type code, type name, table, nullable.
type Column = [String; 5];

/// Writes the blocks as a document and lets Java read it.
fn read_by_java(blocks: &[RecordBatch], options: WebRowSetOptions) -> (Vec<Column>, Vec<Vec<Option<String>>>) {
    let mut document = String::new();
    let mut writer = WebRowSetWriter::new(options);
    writer.begin(blocks[0].schema_ref(), &mut document).unwrap();
    for block in blocks {
        writer.rows(block, &mut document).unwrap();
    }
    writer.end(&mut document);

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.xml");
    std::fs::write(&path, &document).unwrap();
    let reader = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/java/ReadWebRowSet.java");
    let output = Command::new("java").arg(reader).arg(&path).output().expect("this test needs `java` on the path");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "Java can't read the document: {errors}\n{document}");
    understood(&String::from_utf8(output.stdout).unwrap())
}

fn understood(printed: &str) -> (Vec<Column>, Vec<Vec<Option<String>>>) {
    let mut columns = Vec::new();
    let mut rows: Vec<Vec<Option<String>>> = Vec::new();
    for line in printed.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        match fields.as_slice() {
            ["column", facts @ ..] => columns.push(std::array::from_fn(|index| facts[index].to_owned())),
            ["value", row, _, text] => {
                let row: usize = row.parse().unwrap();
                rows.resize(row.max(rows.len()), Vec::new());
                let value = (*text != "null").then(|| String::from_utf8(BASE64.decode(text).unwrap()).unwrap());
                rows[row - 1].push(value);
            }
            _ => panic!("unexpected line: {line}"),
        }
    }
    (columns, rows)
}

fn block(columns: Vec<(Field, ArrayRef)>) -> RecordBatch {
    let (fields, arrays): (Vec<Field>, Vec<ArrayRef>) = columns.into_iter().unzip();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).unwrap()
}

fn texts(values: &[Option<&str>]) -> (Field, ArrayRef) {
    (Field::new("text", DataType::Utf8, true), Arc::new(StringArray::from(values.to_vec())))
}

#[test]
fn java_reads_back_every_text_as_it_was() {
    let values = [
        Some("plain"),
        None,
        Some(""),
        Some("null"),
        Some("a & b < c > d \"e\" 'f'"),
        Some("]]> and <![CDATA[ x ]]>"),
        Some("  leading and trailing  "),
        Some("\tone\ntwo\r\nthree\rfour\n"),
        Some(" "),
        Some("\n"),
        Some("ünïcödé, 漢字, 𝄞🎼"),
        Some("\u{85}\u{2028}\u{FEFF}\u{7f}"),
        Some("&amp; &#13;"),
    ];
    let (_, rows) = read_by_java(&[block(vec![texts(&values)])], WebRowSetOptions::default());
    let expected: Vec<Vec<Option<String>>> = values.iter().map(|value| vec![value.map(str::to_owned)]).collect();
    assert_eq!(rows, expected);
}

#[test]
fn java_reads_back_long_texts_across_its_buffers() {
    let long: Vec<String> = (0..40).map(|length| "0123456789&<é𝄞".repeat(100 * length + 1)).collect();
    let values: Vec<Option<&str>> = long.iter().map(|text| Some(text.as_str())).collect();
    let (_, rows) = read_by_java(&[block(vec![texts(&values)])], WebRowSetOptions::default());
    let seen: Vec<&str> = rows.iter().map(|row| row[0].as_deref().unwrap()).collect();
    assert_eq!(seen, long);
}

#[test]
fn java_reads_back_values_of_every_type() {
    let integers = [Some(i64::MIN), Some(0), None, Some(i64::MAX)];
    let reals = [Some(0.1), Some(-1e300), Some(f64::INFINITY), None];
    let flags = [Some(true), Some(false), None, Some(true)];
    let blobs: Vec<Option<&[u8]>> = vec![Some(b"\x00\xff"), Some(b""), None, Some(b"abc")];
    let rows = block(vec![
        (Field::new("i", DataType::Int64, true), Arc::new(Int64Array::from(integers.to_vec())) as _),
        (Field::new("r", DataType::Float64, true), Arc::new(Float64Array::from(reals.to_vec())) as _),
        (Field::new("b", DataType::Boolean, true), Arc::new(BooleanArray::from(flags.to_vec())) as _),
        (Field::new("x", DataType::Binary, true), Arc::new(BinaryArray::from(blobs)) as _),
    ]);
    let (columns, seen) = read_by_java(&[rows], WebRowSetOptions::default());
    let codes: Vec<&str> = columns.iter().map(|column| column[1].as_str()).collect();
    assert_eq!(codes, ["-5", "8", "16", "-3"]);
    let column = |index: usize| -> Vec<Option<String>> { seen.iter().map(|row| row[index].clone()).collect() };
    assert_eq!(column(0), integers.map(|value| value.map(|value| value.to_string())));
    let reals_seen =
        column(1).into_iter().map(|value| value.map(|value| value.replace("Infinity", "inf").parse().unwrap()));
    assert_eq!(reals_seen.collect::<Vec<Option<f64>>>(), reals);
    assert_eq!(column(2), flags.map(|value| value.map(|value| value.to_string())));
    // The reader gives the text of the document; base64 is for the program that asked.
    assert_eq!(column(3), [Some("AP8=".to_owned()), Some(String::new()), None, Some("YWJj".to_owned())]);
}

#[test]
fn java_understands_what_the_columns_are() {
    let field =
        |name: &str, origin: ColumnOrigin| Field::new(name, DataType::Utf8, true).with_metadata(origin.to_metadata());
    let created = ColumnOrigin {
        type_name: Some("TIMESTAMP".into()),
        table: Some("orders & returns".into()),
        column: Some("created".into()),
        nullable: Some(false),
        auto_increment: false,
    };
    let nullable =
        ColumnOrigin { type_name: Some("VARCHAR(40)".into()), nullable: Some(true), ..ColumnOrigin::default() };
    let values: ArrayRef = Arc::new(StringArray::from(vec!["2026-11-21 21:40:00"]));
    let rows = block(vec![
        (field("made & sold <on>", created), values.clone()),
        (field("to \"whom\"", nullable), values.clone()),
        (field("count(*)", ColumnOrigin::default()), values),
    ]);
    let options =
        WebRowSetOptions { command: Some("SELECT 'a' < 'b' AND 1 & 1".into()), ..WebRowSetOptions::default() };
    let (columns, _) = read_by_java(&[rows], options);
    let expected = [
        ["made & sold <on>", "12", "TIMESTAMP", "orders & returns", "0"],
        ["to \"whom\"", "12", "VARCHAR(40)", "", "1"],
        ["count(*)", "12", "VARCHAR", "", "2"],
    ];
    assert_eq!(columns, expected.map(|column| column.map(str::to_owned)));
}

#[test]
fn java_reads_an_empty_result() {
    let (columns, rows) = read_by_java(&[block(vec![texts(&[])])], WebRowSetOptions::default());
    assert_eq!((columns.len(), rows.len()), (1, 0));
}

#[test]
fn java_reads_numbers_that_came_as_text_in_a_later_block() {
    let integers: ArrayRef = Arc::new(Int64Array::from(vec![1]));
    let mixed: ArrayRef = Arc::new(StringArray::from(vec![Some("2"), None]));
    let first = block(vec![(Field::new("n", DataType::Int64, true), integers)]);
    let later = block(vec![(Field::new("n", DataType::Utf8, true), mixed)]);
    let (_, rows) = read_by_java(&[first, later], WebRowSetOptions::default());
    assert_eq!(rows, [vec![Some("1".to_owned())], vec![Some("2".to_owned())], vec![None]]);
}

#[test]
fn java_understands_very_many_columns() {
    let values: ArrayRef = Arc::new(Int64Array::from(vec![7]));
    let name = |index: usize| format!("a_rather_long_name_of_column_number_{index}");
    let columns: Vec<(Field, ArrayRef)> =
        (0..500).map(|index| (Field::new(name(index), DataType::Int64, true), values.clone())).collect();
    let (columns, _) = read_by_java(&[block(columns)], WebRowSetOptions::default());
    for (index, column) in columns.iter().enumerate() {
        assert_eq!(column[..3], [name(index), "-5".to_owned(), "BIGINT".to_owned()]);
    }
}
