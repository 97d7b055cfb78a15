//! Pages as services answer with them.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{DataType, Field, Schema};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::*;
use crate::format::{CsvOptions, CsvWriter};
use crate::ingest::control::KeyValue;
use crate::ingest::settings::samples::{key, plain};
use crate::ingest::settings::{CsvPage, IngestSettings, NextLink, PageForm, PageValues, ValuePath};

const ALL: Wanted = Wanted { rows: true, documents: true };

fn with_data(data: &str) -> IngestSettings {
    let mut settings = plain();
    settings.page.form = PageForm::Json { data: ValuePath::parse(data) };
    settings
}

fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap());
    }
    headers
}

/// The pages of these bodies, read one after the other.
fn pages(settings: &IngestSettings, bodies: &[&str]) -> Result<Vec<Page>, PageError> {
    let mut reader = PageReader::new(settings, ALL)?;
    let body = |body: &&str| Bytes::copy_from_slice(body.as_bytes());
    let numbered = bodies.iter().map(body).zip(1..);
    numbered.map(|(body, page)| reader.read(page, &HeaderMap::new(), &body, &[])).collect()
}

fn page(settings: &IngestSettings, body: &str) -> Page {
    pages(settings, &[body]).unwrap().remove(0)
}

fn csv(rows: &[RecordBatch]) -> String {
    let mut writer = CsvWriter::new(CsvOptions { header: true, ..CsvOptions::default() }).unwrap();
    let mut text = String::new();
    for (index, rows) in rows.iter().enumerate() {
        if index == 0 {
            writer.begin(rows.schema_ref(), &mut text);
        }
        writer.rows(rows, &mut text).unwrap();
    }
    text
}

fn types(rows: &RecordBatch) -> Vec<DataType> {
    rows.schema_ref().fields().iter().map(|field| field.data_type().clone()).collect()
}

#[test]
fn what_a_page_says_is_found_beside_its_records() {
    let mut settings = with_data("result.items");
    settings.key = Some(key("result.cursor", None, None));
    settings.paging.total = ValuePath::parse("result.total");
    settings.paging.fields =
        PageValues { start: ValuePath::parse("offset"), size: ValuePath::parse("limit"), number: None };
    settings.paging.next = Some(NextLink::Body(ValuePath::parse("next").unwrap()));
    let body = r#"{"offset": "4", "limit": 2, "next": "/p2", "result": {"total": 9, "items": [{"a": 1}, {"a": 2}], "cursor": "c\u00e9"}}"#;
    let seen = page(&settings, body).seen;
    assert_eq!((seen.records, seen.total, seen.next.as_deref()), (2, Some(9), Some("/p2")));
    assert_eq!(seen.key, KeyValue::Text("cé".into()));
    assert_eq!(seen.values, PageValues { start: Some(4), size: Some(2), number: None });
}

#[test]
fn r13_a_key_is_the_text_of_its_value() {
    let mut settings = plain();
    settings.key = Some(key("k", None, None));
    for (body, expected) in [
        (r#"{"k": true}"#, KeyValue::Text("true".into())),
        (r#"{"k": 1.50}"#, KeyValue::Text("1.50".into())),
        (r#"{"k": {"a": [1]}}"#, KeyValue::Text(r#"{"a": [1]}"#.into())),
        (r#"{"k": null}"#, KeyValue::Null),
        (r#"{"x": {"k": 1}}"#, KeyValue::Absent),
        (r#"[{"k": "a"}, {}, {"k": "b"}]"#, KeyValue::Text("a|null|b".into())),
        ("[]", KeyValue::Absent),
    ] {
        assert_eq!(page(&settings, body).seen.key, expected, "{body}");
    }
}

#[test]
fn r12_a_header_is_looked_at_where_the_body_has_no_key() {
    let mut settings = plain();
    settings.key = Some(key("X-State", None, None));
    let mut reader = PageReader::new(&settings, ALL).unwrap();
    let headers = headers(&[("x-state", "old"), ("x-state", "new")]);
    let mut key =
        |body: &'static str| reader.read(1, &headers, &Bytes::from_static(body.as_bytes()), &[]).unwrap().seen.key;
    assert_eq!(key("[]"), KeyValue::Text("new".into()));
    assert_eq!(key(r#"{"X-State": "body"}"#), KeyValue::Text("body".into()));
}

#[test]
fn r23_records_are_missing_where_the_path_leads_nowhere() {
    let settings = with_data("items");
    for (body, missing, records) in [
        (r#"{"item": []}"#, true, 0),
        (r#"{"items": []}"#, false, 0),
        (r#"{"items": null}"#, false, 0),
        (r#"{"items": {"a": 1}}"#, false, 1),
        (r#"{"items": [1, 2]}"#, false, 2),
        ("", true, 0),
    ] {
        let seen = page(&settings, body).seen;
        assert_eq!((seen.is_data_missing, seen.records), (missing, records), "{body}");
    }
    for (body, records) in [("null", 0), ("7", 0), ("[]", 0), ("{}", 1), (r#"[{"a":1}]"#, 1)] {
        assert_eq!(page(&plain(), body).seen.records, records, "{body}");
    }
}

#[test]
fn numbers_are_the_digits_that_were_written() {
    let body = r#"[{"id": 9007199254740993, "price": 12345678901234567890.10, "ratio": 0.1},
                   {"id": -1, "price": 0.5, "ratio": 2}]"#;
    let page = page(&plain(), body);
    assert_eq!(types(&page.rows[0]), [DataType::Int64, DataType::Decimal128(22, 2), DataType::Float64]);
    assert_eq!(csv(&page.rows), "id,price,ratio\n9007199254740993,12345678901234567890.10,0.1\n-1,0.50,2\n");
    assert_eq!(page.documents[0], r#"{"id": 9007199254740993, "price": 12345678901234567890.10, "ratio": 0.1}"#);
}

#[test]
fn members_come_in_any_order_and_may_be_missing() {
    let body = r#"[{"a": 1, "b": "x\n"}, {"b": null}, {"b": "é", "a": 2, "c": [1, {"d": 2}]}]"#;
    assert_eq!(csv(&page(&plain(), body).rows), "a,b,c\n1,\"x\n\",\n,,\n2,é,\"[1, {\"\"d\"\": 2}]\"\n");
}

#[test]
fn declared_columns_take_what_can_be_read_as_their_type() {
    let mut settings = plain();
    let list = DataType::List(Arc::new(Field::new_list_field(DataType::Int64, true)));
    settings.page.schema = Some(Arc::new(Schema::new(vec![
        Field::new("id", DataType::Int32, true),
        Field::new("day", DataType::Date32, true),
        Field::new("tags", list, true),
        Field::new("name", DataType::Utf8, true),
    ])));
    let body = r#"[{"name": 1.50, "id": "7", "day": "2026-01-02", "tags": [1, null, 3], "more": 1}, {"id": 8.0}]"#;
    let rows = page(&settings, body).rows;
    assert_eq!(csv(&rows), "id,day,tags,name\n7,2026-01-02,\"{1,NULL,3}\",1.50\n8,,,\n");
    settings.page.leaves_out_unknown = false;
    let error = pages(&settings, &[body]).unwrap_err().to_string();
    assert_eq!(error, "page 1, record 1, field `more`: `ms.output.schema` does not name it");
    let error = pages(&settings, &[r#"[{"id": 7.5}]"#]).unwrap_err().to_string();
    assert_eq!(error, "page 1, record 1, field `id`: `7.5`, a number, is no value of the type int32");
}

#[test]
fn what_does_not_fit_the_first_page_is_named_by_its_place() {
    let first = r#"[{"n": 1, "r": 0.5}]"#;
    for (second, field) in [
        (r#"[{"n": 2}, {"n": "x"}]"#, "n"),
        (r#"[{"n": 2}, {"n": 2.5}]"#, "n"),
        (r#"[{"n": 2}, {"r": 0.12345678901234567891}]"#, "r"),
        (r#"[{"n": 2}, {"m": 1}]"#, "m"),
        (r#"[{"n": 2}, {"n": 1, "n": 2}]"#, "n"),
    ] {
        let error = pages(&plain(), &[first, second]).unwrap_err();
        let PageError::Misfit { page: 2, record: 2, field: found, .. } = &error else { panic!("{error}") };
        assert_eq!(found, field, "{error}");
    }
    let blank_first = pages(&plain(), &["[]", first, r#"[{"n": 3}]"#]).unwrap();
    assert_eq!(blank_first.iter().map(|page| page.rows.len()).collect::<Vec<_>>(), [0, 1, 1]);
}

#[test]
fn pages_are_told_from_each_other_by_their_records() {
    let mut settings = with_data("items");
    settings.paging.is_on = true;
    settings.stop.loop_guard = 3;
    let bodies = [r#"{"at": 1, "items": [1]}"#, r#"{"at": 2, "items": [1]}"#, r#"{"items": [2]}"#, r#"{"items": []}"#];
    let prints: Vec<_> = pages(&settings, &bodies).unwrap().into_iter().map(|page| page.seen.fingerprint).collect();
    assert!(prints[0].is_some() && prints[0] == prints[1] && prints[1] != prints[2] && prints[3].is_none());
}

#[test]
fn what_is_not_json_is_refused() {
    for body in ["[1", "{\"a\": 1} x", "\u{FEFF}[]", "[01]", "{\"a\": NaN}"] {
        assert!(matches!(pages(&plain(), &[body]), Err(PageError::Malformed { page: 1, .. })), "{body}");
    }
    let mut reader = PageReader::new(&plain(), ALL).unwrap();
    let error = reader.read(1, &HeaderMap::new(), &Bytes::from_static(b"[\"\xff\"]"), &[]).unwrap_err();
    assert_eq!(error.to_string(), "page 1 can't be read: it is no UTF-8, at byte 3");
}

#[test]
fn a_large_page_is_cut_into_blocks() {
    let records: Vec<String> = (0..2500).map(|n| format!("{{\"n\":{n}}}")).collect();
    let page = page(&plain(), &format!("[{}]", records.join(",")));
    assert_eq!(page.rows.iter().map(RecordBatch::num_rows).collect::<Vec<_>>(), [1024, 1024, 452]);
}

#[test]
fn columns_of_csv_are_chosen_by_their_place() {
    let mut settings = plain();
    let dialect = CsvPage { skip_lines: 1, header_line: Some(0), columns: vec![2, 0], ..CsvPage::default() };
    settings.page.form = PageForm::Csv(dialect);
    let made = pages(&settings, &["a,b,c\n1,2,3\n", "a,b,c\n", "a,b,c\n4,5,6"]).unwrap();
    let rows: Vec<RecordBatch> = made.into_iter().flat_map(|page| page.rows).collect();
    assert_eq!(csv(&rows), "c,a\n3,1\n6,4\n");
}

#[test]
fn a_text_is_one_record() {
    let mut settings = plain();
    settings.page.form = PageForm::Text;
    let page = page(&settings, "job-7\n");
    assert_eq!((page.seen.records, csv(&page.rows).as_str()), (1, "text\n\"job-7\n\"\n"));
}

#[test]
fn records_that_differ_too_much_make_no_table_without_end() {
    let members = |count: usize| (0..count).map(|n| format!("\"m{n}\":1")).collect::<Vec<_>>().join(",");
    let many = format!("[{{{}}}]", members(20_000));
    let error = pages(&plain(), &[&many]).unwrap_err().to_string();
    assert!(error.contains("more than 16384 different members"), "{error}");
    // 50 KB that would be 40 MB of rows.
    let sparse = format!("[{{{}}}{}]", members(1000), ",{\"m0\":1}".repeat(5000));
    let mut settings = plain();
    settings.page.bytes = 100_000;
    let error = pages(&settings, &[&sparse]).unwrap_err().to_string();
    assert!(error.contains("more than 16 times as many bytes"), "{error}");
}
