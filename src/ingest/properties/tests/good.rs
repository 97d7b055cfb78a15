//! What each property becomes.

use std::time::Duration;

use arrow_schema::{DataType, TimeUnit};

use super::*;
use crate::ingest::settings::{
    BlankPages, ColumnType, DerivedForm, DerivedSource, NextLink, OnTimeout, PageForm, PageValues, TimeZone, WindowEnd,
    WindowStep,
};

#[test]
fn without_properties_dils_defaults_hold() {
    let settings = settings(&[]);
    assert!(settings.key.is_none() && settings.parameters.is_empty() && !settings.paging.is_on);
    assert_eq!(settings.pace.timeout, None);
    assert_eq!(settings.pace.interval, Duration::ZERO);
    assert!(settings.answers.success.contains(202) && !settings.answers.success.contains(204));
    assert!(settings.answers.credentials.contains(401));
    assert_eq!(settings.answers.media_types, ["application/json".into()]);
    assert_eq!((settings.retry.times, settings.retry.credential_attempts), (0, 3));
    assert_eq!(settings.page.bytes, 64 << 20);
    assert_eq!(settings.units.parallelism, 10);
    assert!(settings.units.window.is_none() && settings.units.columns.activation.is_none());
    assert_eq!(settings.stop.loop_guard, 3);
}

#[test]
fn blank_values_and_empty_structures_are_as_if_they_were_not_there() {
    let settings = settings(&[
        ("ms.session.key.field", " {} "),
        ("ms.parameters", "[]"),
        ("ms.pagination", ""),
        ("ms.wait.timeout.seconds", "  "),
        ("ms.http.statuses", "{}"),
    ]);
    assert!(settings.key.is_none() && !settings.paging.is_on && settings.pace.timeout.is_none());
    assert!(settings.answers.success.contains(200));
}

#[test]
fn a_property_of_the_activity_replaces_the_one_of_the_resource_whole() {
    let place = |line: u32| PropertyPlace::Resource(format!("api.pull:{line}").into());
    let default = |line, (key, value)| Property { place: place(line), ..property(1, (key, value)) };
    let defaults = [
        default(1, ("ms.source.uri", "/default")),
        default(2, ("ms.http.statuses", r#"{"success": [200], "warning": [404]}"#)),
        default(3, ("ms.call.interval.millis", "x")),
    ];
    let own = list(&[("ms.http.statuses", r#"{"success": [206]}"#), ("ms.call.interval.millis", "5")]);
    let settings = read(&defaults, &own, &SecondaryNames::None).unwrap();
    assert!(settings.answers.success.contains(206) && !settings.answers.warning.contains(404));
    assert_eq!(settings.request.uri.parts().len(), 1);

    let problems = read(&defaults, &[], &SecondaryNames::None).unwrap_err();
    assert_eq!(
        problems.to_string(),
        "api.pull:3: ms.call.interval.millis: expected a whole number from 0 to 86400000, found `x`"
    );
}

#[test]
fn pages_totals_and_next_links() {
    let settings = settings(&[
        ("ms.pagination", r#"{"fields": ["", "page.size"], "initialvalues": [0, 100, 1]}"#),
        ("ms.total.count.field", "page.total"),
        ("rejoin.next", "links.next"),
        ("rejoin.blank.pages", "3"),
        ("rejoin.pages.max", "10"),
    ]);
    let paging = settings.paging;
    assert!(paging.is_on);
    assert_eq!(paging.initial, PageValues { start: Some(0), size: Some(100), number: Some(1) });
    assert_eq!(
        (paging.fields.start, paging.fields.size.map(|path| path.to_string())),
        (None, Some("page.size".into()))
    );
    assert_eq!(paging.total.map(|path| path.to_string()).as_deref(), Some("page.total"));
    assert!(matches!(paging.next, Some(NextLink::Body(path)) if path.to_string() == "links.next"));
    assert_eq!(settings.page.blank, BlankPages::StopAfter(3));
    assert_eq!(settings.stop.pages, Some(10));
    assert_eq!(super::settings(&[("rejoin.next", "link")]).paging.next, Some(NextLink::LinkHeader));
    assert_eq!(super::settings(&[("rejoin.blank.pages", "Continue")]).page.blank, BlankPages::Continue);
}

#[test]
fn answers_and_what_is_tried_again() {
    let settings = settings(&[
        (
            "ms.http.statuses",
            r#"{"success": ["2xx"], "warning": [404], "error": ["300-303", 410], "pagination_error": []}"#,
        ),
        ("ms.http.status.reasons", r#"{"error": ["not found"]}"#),
        ("ms.http.response.type", r#"{"Content-Type": "Application/Hal+JSON; charset=utf-8", "other": ["text/json"]}"#),
        (
            "rejoin.retry",
            r#"{"statuses": [429, "5xx"], "transport": false, "times": 2, "longestWait": "PT1M",
            "backoff": {"first": 250, "factor": 1.5, "longest": "PT5S", "jitter": 0}}"#,
        ),
        ("rejoin.poll.errors", "4"),
    ]);
    assert!(settings.answers.success.contains(299) && settings.answers.error.contains(302));
    assert!(!settings.answers.credentials.contains(401));
    assert_eq!(settings.answers.error_reasons, ["not found".into()]);
    assert_eq!(settings.answers.media_types, ["application/json", "application/hal+json", "text/json"].map(Into::into));
    let retry = settings.retry;
    assert!(retry.statuses.contains(503) && !retry.on_transport_errors);
    assert_eq!((retry.times, retry.poll_errors, retry.longest_wait), (2, 4, Duration::from_mins(1)));
    assert_eq!(retry.backoff.first, Duration::from_millis(250));
    assert_eq!(retry.backoff.longest, Duration::from_secs(5));

    let retry = super::settings(&[("rejoin.retry", r#"{"times": 1}"#)]).retry;
    assert!(retry.statuses.contains(429) && retry.statuses.contains(504) && retry.on_transport_errors);
}

#[test]
fn pace_and_ends() {
    let settings = settings(&[
        ("ms.call.interval.millis", "1500"),
        ("ms.work.unit.pacing.seconds", "2"),
        ("ms.work.unit.min.records", "7"),
        ("rejoin.on.timeout", "PARTIAL"),
        ("rejoin.loop.guard", "0"),
        ("rejoin.stop.when", r#"["rows < 100", {"formula": "page > 3"}]"#),
        ("rejoin.fail.when", r#"["status == 202"]"#),
        ("rejoin.unit.failure", "stop"),
    ]);
    assert_eq!(settings.pace.interval, Duration::from_millis(1500));
    assert_eq!(settings.pace.unit_interval, Duration::from_secs(2));
    assert_eq!((settings.stop.least_records, settings.stop.loop_guard), (7, 0));
    assert_eq!(settings.stop.on_timeout, OnTimeout::Partial);
    assert_eq!((settings.stop.when.len(), settings.stop.fail_when.len()), (2, 1));
    assert!(settings.units.stops_at_failure);
}

#[test]
fn csv_by_its_lines_and_characters() {
    let csv = r#"{"columnHeaderIndex": 1, "fieldSeparator": "u0009", "quoteCharacter": "'", "escapeCharacter": "u005C",
        "columnProjection": "0,2-4", "defaultFieldType": "string", "recordSeparator": "u000A"}"#;
    let settings = settings(&[
        ("ms.extractor.class", "com.linkedin.cdi.extractor.CsvExtractor"),
        ("ms.csv", csv),
        ("ms.extract.preprocessors", "com.linkedin.cdi.preprocessor.GunzipProcessor"),
    ]);
    let PageForm::Csv(page) = settings.page.form else { panic!() };
    assert_eq!((page.separator, page.quote, page.escape), (b'\t', b'\'', Some(b'\\')));
    assert_eq!((page.skip_lines, page.header_line), (2, Some(1)));
    assert_eq!((page.columns, page.is_text), (vec![0, 2, 3, 4], true));
    assert!(settings.page.is_gzip);
    assert_eq!(settings.answers.media_types, ["text/csv".into(), "application/gzip".into()]);
}

#[test]
fn schemas_in_dils_words_and_in_ours() {
    let schema = r#"[{"columnName": "id", "isNullable": "false", "dataType": {"type": "long"}},
        {"columnName": "at", "dataType": {"type": "timestamp"}}, {"columnName": "tags", "dataType": {"type": "array", "items": "string"}},
        {"columnName": "price", "dataType": {"type": "decimal", "precision": 20, "scale": 4}},
        {"columnName": "n", "dataType": {"type": "uint8"}}, {"columnName": "m", "dataType": {"type": "int|null"}}]"#;
    let schema = settings(&[("ms.output.schema", schema)]).page.schema.unwrap();
    let types: Vec<&DataType> = schema.fields().iter().map(|field| field.data_type()).collect();
    let timestamp = DataType::Timestamp(TimeUnit::Microsecond, None);
    let decimal = DataType::Decimal128(20, 4);
    assert_eq!(types, [&DataType::Int64, &timestamp, &DataType::Utf8, &decimal, &DataType::UInt8, &DataType::Int32]);
    assert!(!schema.field(0).is_nullable() && schema.field(1).is_nullable());
}

#[test]
fn derived_fields_of_records_variables_and_the_time() {
    let derived = r#"[{"name": "id", "formula": {"type": "regexp", "source": "links.self", "format": "/syncs/([0-9]+)$"}},
        {"name": "size", "formula": {"type": "integer", "source": "{{pagesize}}"}},
        {"name": "day", "formula": {"type": "epoc", "source": "started", "format": "yyyy-MM-dd", "timezone": "UTC"}},
        {"name": "now", "formula": {"type": "epoc", "source": "CURRENTDATE"}},
        {"name": "ago", "formula": {"type": "epoc", "source": "P1D", "format": "ISO"}}]"#;
    let derived = settings(&[("ms.derived.fields", derived)]).page.derived;
    assert!(matches!(&derived[0].form, DerivedForm::Matches(regex) if regex.is_match("x/syncs/6")));
    assert!(matches!(&derived[0].source, DerivedSource::Field(path) if path.to_string() == "links.self"));
    assert!(matches!(derived[1].source, DerivedSource::Variables(_)));
    assert!(matches!(derived[1].form, DerivedForm::Value(ColumnType::Integer)));
    assert!(matches!(&derived[2].form, DerivedForm::Epoch { pattern: Some(_), zone: TimeZone::UTC }));
    assert_eq!(derived[3].source, DerivedSource::Time(WindowEnd::Now));
    assert!(matches!(derived[4].source, DerivedSource::Time(WindowEnd::Before { days: 1, .. })));
    assert!(matches!(derived[4].form, DerivedForm::Epoch { pattern: None, zone: TimeZone::LOS_ANGELES }));
}

#[test]
fn units_of_rows_windows_and_lists() {
    let settings = settings(&[
        (
            "ms.secondary.input",
            r#"[{"path": "/x", "fields": ["id"], "filters": {"state": "OK|DONE"}},
            {"fields": ["token"], "category": "authentication", "retry": {"delayInSec": 5, "retryCount": 0}}]"#,
        ),
        (
            "ms.watermark",
            r#"[{"name": "w", "type": "datetime", "range": {"from": "2026-01-01", "to": "P1DT2H.UTC"}},
            {"name": "site", "type": "unit", "units": "a, b"}]"#,
        ),
        ("ms.work.unit.partition", "Daily"),
        ("ms.work.unit.partial.partition", "false"),
        ("ms.work.unit.parallelism.max", "3"),
        ("ms.work.unit.min.units", "1"),
        (
            "ms.parameters",
            r#"[{"name": "from", "type": "watermark", "watermark": "w", "value": "low"}, {"name": "s", "value": "{{site}}"}]"#,
        ),
    ]);
    let units = settings.units;
    assert_eq!(units.columns.activation, Some(vec!["id".into()]));
    assert_eq!(units.columns.authentication, ["token".into()]);
    assert!(units.filters[0].1.is_match("DONE") && !units.filters[0].1.is_match("OKAY"));
    assert_eq!((settings.retry.credential_attempts, settings.retry.credential_delay), (1, Duration::from_secs(5)));
    assert_eq!(units.list.unwrap().values, ["a".into(), "b".into()]);
    let window = units.window.unwrap();
    assert!(matches!(window.from, WindowEnd::Fixed(from) if from.to_rfc3339() == "2026-01-01T08:00:00+00:00"));
    assert_eq!(window.to, WindowEnd::Before { days: 1, hours: Some(2), minutes: None, zone: TimeZone::UTC });
    assert_eq!((window.step, window.is_last_partial), (Some(WindowStep::Day), false));
    assert_eq!((units.parallelism, units.least), (3, 1));
    for units in [r#"["a", "b"]"#, r#"[{"site": "a"}, {"site": "b"}]"#, r#""[{\"site\": \"a\"}, {\"site\": \"b\"}]""#] {
        let watermark = format!(r#"[{{"name": "site", "type": "unit", "units": {units}}}]"#);
        let list = super::settings(&[("ms.watermark", &watermark)]).units.list.unwrap();
        assert_eq!(list.values, ["a".into(), "b".into()]);
    }
}

#[test]
fn a_watermark_parameter_alone_has_dils_window() {
    let parameters = r#"[{"name": "from", "type": "watermark", "value": "low", "watermark": "system"}]"#;
    let window = settings(&[("ms.parameters", parameters)]).units.window.unwrap();
    assert!(matches!(window.from, WindowEnd::Fixed(from) if from.to_rfc3339() == "2019-01-01T08:00:00+00:00"));
    assert_eq!(window.to, WindowEnd::Now);
}

#[test]
fn files_and_their_names() {
    let file = ("rejoin.format", "file");
    let name = ("ms.extractor.target.file.name", "{{id}}.bin");
    let download = settings(&[file, name]).download.unwrap();
    assert!(download.uses_etag && download.resumes && download.checksum.is_none());
    let object = r#"{"file": "{{id}}.bin", "etag": false, "checksum": {"algorithm": "sha256", "value": "{{sum}}"}}"#;
    let settings = settings(&[file, ("rejoin.download", object)]);
    let download = settings.download.unwrap();
    assert!(!download.uses_etag && download.resumes && download.checksum.is_some());
    assert!(settings.answers.media_types.is_empty());
    assert!(super::settings(&[file]).download.is_none());
}

#[test]
fn books_of_the_framework_change_nothing() {
    settings(&[
        ("job.name", "x"),
        ("extract.namespace", "y"),
        ("extract.table.name", "z"),
        ("source.class", "com.linkedin.cdi.source.HttpSource"),
        ("converter.classes", "a,b"),
        ("ms.enable.cleansing", "false"),
        ("ms.grace.period.days", "0"),
        ("ms.secret.manager.class", ""),
        ("task.maxretries", "0"),
    ]);
}

#[test]
fn of_two_texts_of_a_list_the_load_takes_one() {
    let parameters = ("ms.parameters", r#"[{"name": "p", "value": ["full", "part"]}]"#);
    let text = |properties: &[(&str, &str)]| format!("{:?}", settings(properties).parameters[0].value);
    assert!(text(&[parameters]).contains("part"));
    assert!(text(&[parameters, ("extract.is.full", "TRUE")]).contains("full"));
}
