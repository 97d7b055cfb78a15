//! What is refused, and what is said of it.

use super::*;

/// A property, a value, and the beginning of what is said.
const BAD: &[(&str, &str, &str)] = &[
    ("ms.source.uri", "", "ms.source.uri: it is missing"),
    ("ms.source.uri", "/a#b", "ms.source.uri: what stands behind `#` is never sent"),
    ("ms.source.uri", "/a\nb", "ms.source.uri: a URI holds no line break"),
    ("ms.http.request.method", "PSOT", "ms.http.request.method: there is no value `PSOT`; did you mean `POST`?"),
    ("ms.http.request.headers", "[1]", "ms.http.request.headers: expected an object, found an array"),
    ("ms.http.request.headers", r#"{"a b": "x"}"#, "ms.http.request.headers.a b: `a b` can't be the name of a header"),
    ("ms.http.request.headers", r#"{"Host": "x"}"#, "ms.http.request.headers.Host: the header `host` is made when"),
    ("ms.http.request.headers", r#"{"A": "x", "a": "y"}"#, "ms.http.request.headers.a: the header stands there twice"),
    ("ms.http.request.headers", r#"{"A": "x\r\nB: y"}"#, "ms.http.request.headers.A: a header holds no line break"),
    ("ms.http.request.headers", r#"{"A": {}}"#, "ms.http.request.headers.A: expected a text, found an object"),
    ("ms.parameters", "{}x", "ms.parameters (line 1, column 3 of its value): trailing characters"),
    (
        "ms.parameters",
        "[{'name': 'a'}]",
        "ms.parameters (line 1, column 3 of its value): key must be a string; texts stand in double quotes",
    ),
    (
        "ms.parameters",
        "[\n {\"name\": \"a\",\n  \"name\": \"b\"}]",
        "ms.parameters (line 3, column 11 of its value): the member `name` stands there twice",
    ),
    ("ms.parameters", r#"{"name": "a"}"#, "ms.parameters: expected an array, found an object"),
    ("ms.parameters", r#"[{"value": "a"}]"#, "ms.parameters[0]: `name` is missing"),
    (
        "ms.parameters",
        r#"[{"name": "a", "type": "sesion"}]"#,
        "ms.parameters[0].type: there is no value `sesion`; did you mean `session`?",
    ),
    (
        "ms.parameters",
        r#"[{"name": "a", "typ": "list"}]"#,
        "ms.parameters[0]: there is no member `typ`; did you mean `type`?",
    ),
    ("ms.parameters", r#"[{"name": "a"}, {"name": "a"}]"#, "ms.parameters[1]: there is another parameter `a`"),
    ("ms.parameters", r#"[{"name": "a", "value": {}}]"#, "ms.parameters[0].value: expected a text, found an object"),
    (
        "ms.parameters",
        r#"[{"name": "a", "value": ["1", "2", "3"]}]"#,
        "ms.parameters[0].value: expected two texts at the most",
    ),
    ("ms.parameters", r#"[{"name": "a", "value": "ENC(abc)"}]"#, "ms.parameters: encrypted values are not read"),
    (
        "ms.parameters",
        r#"[{"name": "a", "type": "primitive", "value": [1]}]"#,
        "ms.parameters[0].value: expected a number, a text, true or false, found an array",
    ),
    ("ms.parameters", r#"[{"name": "a", "type": "primitive"}]"#, "ms.parameters[0]: `value` is missing"),
    (
        "ms.parameters",
        r#"[{"name": "a", "type": "jsonarray", "value": "[]"}]"#,
        "ms.parameters[0].value: expected an array, found a text",
    ),
    (
        "ms.parameters",
        r#"[{"name": "a", "type": "jsonobject", "value": []}]"#,
        "ms.parameters[0].value: expected an object, found an array",
    ),
    (
        "ms.parameters",
        r#"[{"name": "a", "type": "object", "value": {"name": "b"}}]"#,
        "ms.parameters[0].value: `type` is missing",
    ),
    (
        "ms.parameters",
        r#"[{"name": "a", "type": "object", "value": [{"name": "b", "in": "query"}]}]"#,
        "ms.parameters[0].value[0]: what is inside of an object goes with it",
    ),
    (
        "ms.parameters",
        r#"[{"name": "a", "type": "pageno", "value": 1}]"#,
        "ms.parameters[0].value: a parameter of the type `pageno` has no `value`",
    ),
    ("ms.parameters", r#"[{"name": "a", "type": "watermark"}]"#, "ms.parameters[0]: `value` is missing"),
    (
        "ms.parameters",
        r#"[{"name": "a", "type": "watermark", "value": "hihg"}]"#,
        "ms.parameters[0].value: there is no value `hihg`; did you mean `high`?",
    ),
    (
        "ms.parameters",
        r#"[{"name": "a", "type": "watermark", "value": "low", "watermark": "sytem"}]"#,
        "ms.parameters[0].watermark: there is no window of time `sytem`; did you mean `system`?",
    ),
    (
        "ms.parameters",
        r#"[{"name": "a", "type": "watermark", "value": "low", "format": "datetime"}]"#,
        "ms.parameters[0]: `pattern` is missing",
    ),
    (
        "ms.parameters",
        r#"[{"name": "a", "type": "watermark", "value": "low", "format": "datetime", "pattern": "yyyy-MM-ddTHH"}]"#,
        "ms.parameters[0].pattern: `T` stands for nothing in a pattern",
    ),
    (
        "ms.parameters",
        r#"[{"name": "a", "type": "watermark", "value": "low", "format": "datetime", "pattern": "yyyy", "timezone": "Europe/Viena"}]"#,
        "ms.parameters[0].timezone: there is no time zone `Europe/Viena`; did you mean `Europe/Vienna`?",
    ),
    ("ms.parameters", r#"[{"name": "a", "in": "cookie"}]"#, "ms.parameters[0].in: there is no value `cookie`"),
    ("ms.parameters", r#"[{"name": "a", "as": "b"}]"#, "ms.parameters[0].as: `as` says under which name `in` is meant"),
    (
        "ms.parameters",
        r#"[{"name": "a", "in": "path"}]"#,
        "ms.parameters: `a` is to go into the path, and the URI has no `{{a}}`",
    ),
    (
        "ms.parameters",
        r#"[{"name": "a b", "in": "header"}]"#,
        "ms.parameters[0].in: `a b` can't be the name of a header",
    ),
    (
        "ms.parameters",
        r#"[{"name": "a", "type": "jsonarray", "value": [], "in": "header"}]"#,
        "ms.parameters: `a` is to go into the header `a`, and is no text",
    ),
    (
        "ms.authentication",
        r#"{"method": "digest", "encryption": "none", "token": "x"}"#,
        "ms.authentication.method: there is no value `digest`; expected one of `basic`",
    ),
    (
        "ms.authentication",
        r#"{"method": "basic", "encryption": "base64"}"#,
        "ms.authentication: `token` is missing; a user and a password belong",
    ),
    ("ms.session.key.field", r#"{"condition": {"regexp": "a"}}"#, "ms.session.key.field: `name` is missing"),
    ("ms.session.key.field", r#"{"name": "a..b"}"#, "ms.session.key.field.name: expected a path"),
    (
        "ms.session.key.field",
        r#"{"name": "a", "condition": "done"}"#,
        "ms.session.key.field.condition: expected an object, found a text",
    ),
    (
        "ms.session.key.field",
        r#"{"name": "a", "condition": {}}"#,
        "ms.session.key.field.condition: `regexp` or `formula` is missing",
    ),
    (
        "ms.session.key.field",
        r#"{"name": "a", "condition": {"regexp": "a", "formula": "true"}}"#,
        "ms.session.key.field.condition: `regexp` and `formula` stand side by side",
    ),
    (
        "ms.session.key.field",
        r#"{"name": "a", "condition": {"regexp": "a("}}"#,
        "ms.session.key.field.condition.regexp: no regular expression: unclosed group",
    ),
    (
        "ms.session.key.field",
        r#"{"name": "a", "condition": {"regexp": "a)|(b"}}"#,
        "ms.session.key.field.condition.regexp: no regular expression",
    ),
    (
        "ms.session.key.field",
        r#"{"name": "a", "condition": {"regexp": "(?!a)"}}"#,
        "ms.session.key.field.condition.regexp: no regular expression: look-around",
    ),
    (
        "ms.session.key.field",
        r#"{"name": "a", "condition": {"regexp": "(a{1000}){1000}"}}"#,
        "ms.session.key.field.condition.regexp: the expression takes more than",
    ),
    (
        "ms.session.key.field",
        r#"{"name": "a", "condition": {"formula": "boddy.x"}}"#,
        "ms.session.key.field.condition.formula: no formula: there is no `boddy`; did you mean `body`?",
    ),
    (
        "ms.session.key.field",
        r#"{"name": "a", "initialValue": "x"}"#,
        "ms.session.key.field: there is no member `initialValue`",
    ),
    ("ms.pagination", r#"{"fields": "offset"}"#, "ms.pagination.fields: expected an array, found a text"),
    (
        "ms.pagination",
        r#"{"initialValues": [0]}"#,
        "ms.pagination: there is no member `initialValues`; did you mean `initialvalues`?",
    ),
    (
        "ms.pagination",
        r#"{"initialvalues": [-1]}"#,
        "ms.pagination.initialvalues[0]: expected a whole number, found a number",
    ),
    ("ms.total.count.field", "a..b", "ms.total.count.field: expected a path"),
    (
        "ms.wait.timeout.seconds",
        "86401",
        "ms.wait.timeout.seconds: expected a whole number from 0 to 86400, found `86401`",
    ),
    ("ms.wait.timeout.seconds", "-1", "ms.wait.timeout.seconds: expected a whole number from 0 to 86400, found `-1`"),
    (
        "ms.call.interval.millis",
        "1s",
        "ms.call.interval.millis: expected a whole number from 0 to 86400000, found `1s`",
    ),
    (
        "ms.http.statuses",
        r#"{"success": [200], "pagination_errors": [401]}"#,
        "ms.http.statuses: there is no member `pagination_errors`; did you mean `pagination_error`?",
    ),
    (
        "ms.http.statuses",
        r#"{"warning": [404]}"#,
        "ms.http.statuses: `success` is missing: what is said here replaces the default whole",
    ),
    ("ms.http.statuses", r#"{"success": [99]}"#, "ms.http.statuses.success[0]: expected a status from 100 to 599"),
    ("ms.http.statuses", r#"{"success": "200"}"#, "ms.http.statuses.success: expected an array, found a text"),
    ("ms.http.status.reasons", r#"{"warning": ["x"]}"#, "ms.http.status.reasons: there is no member `warning`"),
    ("ms.http.response.type", r#"{"type": "text/x"}"#, "ms.http.response.type: `Content-Type` is missing"),
    (
        "ms.http.response.type",
        r#"{"Content-Type": "json"}"#,
        "ms.http.response.type.Content-Type: expected a media type",
    ),
    (
        "ms.extractor.class",
        "com.linkedin.cdi.extractor.AvroExtractor",
        "ms.extractor.class: there is no extractor `AvroExtractor`",
    ),
    ("ms.csv", "{\"fieldSeparator\": \",\"}", "ms.csv: it is for answers in CSV, and these are not"),
    (
        "ms.extract.preprocessors",
        "com.linkedin.cdi.preprocessor.GpgProcessor",
        "ms.extract.preprocessors: answers are not decrypted",
    ),
    (
        "ms.output.schema",
        r#"[{"columnName": "a", "dataType": {"type": "strnig"}}]"#,
        "ms.output.schema[0].dataType.type: there is no type `strnig`; did you mean `string`?",
    ),
    (
        "ms.output.schema",
        r#"[{"columnName": "a", "dataType": {"type": "int"}, "nullable": true}]"#,
        "ms.output.schema[0]: there is no member `nullable`; did you mean `isNullable`?",
    ),
    (
        "ms.derived.fields",
        r#"[{"name": "a", "formula": {"type": "regexp", "source": "b"}}]"#,
        "ms.derived.fields[0].formula: `format` is missing",
    ),
    (
        "ms.derived.fields",
        r#"[{"name": "a", "formula": {"type": "string", "source": "b", "format": "c"}}]"#,
        "ms.derived.fields[0].formula.format: a field that is a value as it stands has no `format`",
    ),
    (
        "ms.secondary.input",
        r#"[{"fields": ["a"], "category": "validation"}]"#,
        "ms.secondary.input[0].category: rows are not validated",
    ),
    ("ms.secondary.input", r#"[{"category": "payload"}]"#, "ms.secondary.input[0]: `fields` is missing"),
    (
        "ms.secondary.input",
        r#"[{"fields": ["a"], "retry": {"retryCount": 1}}]"#,
        "ms.secondary.input[0].retry: it is for the category `authentication`",
    ),
    (
        "ms.secondary.input",
        r#"[{"fields": ["a"], "category": "payload"}]"#,
        "ms.secondary.input: `payload` is for a body, and GET has none",
    ),
    (
        "ms.watermark",
        r#"[{"name": "a", "type": "datetime", "range": {"from": "2026-13-01", "to": "-"}}]"#,
        "ms.watermark[0].range.from: expected a time such as",
    ),
    (
        "ms.watermark",
        r#"[{"name": "a", "type": "datetime", "range": {"from": "2026-02-01", "to": "2026-01-01"}}]"#,
        "ms.watermark[0].range: it ends before it begins",
    ),
    (
        "ms.watermark",
        r#"[{"name": "a", "type": "unit", "units": "x"}, {"name": "b", "type": "unit", "units": "y"}]"#,
        "ms.watermark[1]: there is another watermark of this type",
    ),
    ("ms.work.unit.partition", "dayly", "ms.work.unit.partition: there is no value `dayly`; did you mean `daily`?"),
    (
        "ms.work.unit.partition",
        r#"{"daily": ["2026-01-01", "-"]}"#,
        "ms.work.unit.partition: one step for the whole window",
    ),
    (
        "ms.work.unit.parallelism.max",
        "0",
        "ms.work.unit.parallelism.max: expected a whole number from 1 to 5000, found `0`",
    ),
    ("rejoin.retry", r#"{"statuses": [200]}"#, "rejoin.retry.statuses: 200 is in `success` of `ms.http.statuses` too"),
    (
        "rejoin.retry",
        r#"{"backoff": {"first": 2000, "longest": 1000}}"#,
        "rejoin.retry.backoff: `longest` is shorter than `first`",
    ),
    (
        "rejoin.retry",
        r#"{"backoff": {"factor": 0.5}}"#,
        "rejoin.retry.backoff.factor: expected a number from 1 to 100, found a number",
    ),
    ("rejoin.retry", r#"{"longestWait": "5 minutes"}"#, "rejoin.retry.longestWait: expected a time"),
    (
        "rejoin.stop.when",
        r#"[{"regexp": "a"}]"#,
        "rejoin.stop.when[0]: `regexp` looks at the session key, and there is none",
    ),
    ("rejoin.stop.when", r#"["rows <"]"#, "rejoin.stop.when[0]: no formula: 1:7: Syntax error"),
    (
        "rejoin.on.timeout",
        "ignore",
        "rejoin.on.timeout: there is no value `ignore`; expected one of `fail`, `partial`, `continue`",
    ),
    ("rejoin.blank.pages", "0", "rejoin.blank.pages: expected a whole number from 1 to"),
    ("rejoin.page.bytes", "0", "rejoin.page.bytes: expected a whole number from 1 to"),
    ("rejoin.pages.max", "0", "rejoin.pages.max: expected a whole number from 1, found `0`"),
    ("rejoin.next", "a..b", "rejoin.next: expected a path"),
    ("rejoin.download", r#"{"file": "x"}"#, "rejoin.download: it is for answers that are files"),
    ("ms.enable.cleansing", "true", "ms.enable.cleansing: only `false` may be said: columns keep their names"),
    ("ms.ssl", "{\"a\": 1}", "ms.ssl: TLS belongs to the web resource"),
    ("source.conn.password", "x", "source.conn.password: credentials and addresses belong to the web resource"),
    ("job.commit.policy", "x", "job.commit.policy: `rejoin.unit.failure` says"),
    ("ms.csv.separator", ",", "ms.csv.separator: `ms.csv` has it, as a member"),
    (
        "ms.source.data.character.set",
        "UTF-16",
        "ms.source.data.character.set: only `UTF-8`, `utf-8` may be said: answers are read as UTF-8",
    ),
];

#[test]
fn every_bad_value_is_refused_with_its_place_and_what_was_expected() {
    let mut failures = Vec::new();
    for (key, value, expected) in BAD {
        let said = problems(&[(key, value)]);
        if !said.starts_with(expected) || said.lines().count() != 1 {
            failures.push(format!("{key} = {value}\nexpected {expected}\nsaid     {said}\n"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn every_property_that_is_read_has_a_bad_value_or_takes_any() {
    let tried: Vec<&str> = BAD.iter().map(|(key, ..)| *key).collect();
    let others = [
        "extract.is.full",
        "ms.data.field",
        "ms.data.explicit.eof",
        "ms.enable.schema.based.filtering",
        "ms.extractor.target.file.name",
        "ms.work.unit.min.records",
        "ms.work.unit.min.units",
        "ms.work.unit.pacing.seconds",
        "ms.work.unit.partial.partition",
        "rejoin.fail.when",
        "rejoin.format",
        "rejoin.loop.guard",
        "rejoin.poll.errors",
        "rejoin.unit.failure",
    ];
    for description in PROPERTIES.iter().filter(|description| description.treatment == PropertyUse::Read) {
        let is_tried = tried.contains(&description.name);
        let bad = if is_tried { continue } else { "a..b" };
        assert!(others.contains(&description.name), "{}", description.name);
        assert!(problems(&[(description.name, bad)]).starts_with(description.name), "{}", description.name);
    }
}

#[test]
fn everything_that_is_wrong_is_said_at_once_with_its_places() {
    let own = list(&[
        ("ms.source.uri", "/r/{{x}}"),
        ("ms.wait.timeout.seconds", "soon"),
        ("ms.http.request.method", "FETCH"),
        ("ms.http.request.method", "GET"),
        ("ms.colour", "red"),
        ("rejoin.retry", r#"{"times": 0, "time": 1}"#),
    ]);
    let problems = read(&[], &own, &SecondaryNames::None).unwrap_err();
    let lines: Vec<String> = problems.to_string().lines().map(str::to_owned).collect();
    assert_eq!(
        lines,
        [
            "4:1: ms.http.request.method: it stands at 3:1 already",
            "5:1: ms.colour: there is no such property",
            "2:1: ms.wait.timeout.seconds: expected a whole number from 0 to 86400, found `soon`",
            "6:1: rejoin.retry: there is no member `time`; did you mean `times`?",
            "6:1: rejoin.retry.times: expected a whole number from 1 to 1000, found a number",
            "1:1: ms.source.uri: nothing defines `{{x}}`; parameters, the secondary input and `ms.watermark` define variables",
        ]
    );
}

#[test]
fn what_can_not_become_a_file_is_refused() {
    let file = ("rejoin.format", "file");
    let plain = ("rejoin.download", r#"{"file": "x"}"#);
    let download = |object| [file, ("rejoin.download", object)];
    for (properties, expected) in [
        (&download(r#"{"etag": true}"#)[..], "rejoin.download: `file` is missing"),
        (&download(r#"{"file": "../x"}"#), "rejoin.download: `../x` can't be the name of a file: it holds `.` or `..`"),
        (&download(r#"{"file": "x", "bytes": 0}"#), "rejoin.download.bytes: expected a whole number from 1"),
        (&download(r#"{"file": "x", "sum": 1}"#), "rejoin.download: there is no member `sum`"),
        (
            &download(r#"{"file": "x", "checksum": {"algorithm": "crc32", "value": "x"}}"#),
            "rejoin.download.checksum.algorithm: there is no value `crc32`",
        ),
        (
            &download(r#"{"file": "x", "checksum": {"algorithm": "md5"}}"#),
            "rejoin.download.checksum: expected `value`, the digest, or `header`, which has it: one of the two",
        ),
        (
            &download(r#"{"file": "x", "checksum": {"algorithm": "md5", "header": "a b"}}"#),
            "rejoin.download.checksum.header: expected the name of a header",
        ),
        (
            &download(r#"{"file": "x", "checksum": {"algorithm": "md5", "value": "abc"}}"#),
            "rejoin.download.checksum.value: expected a digest of 16 bytes in hexadecimal or base64",
        ),
        (
            &[file, plain, ("ms.pagination", r#"{"initialvalues": [0, 1]}"#)],
            "rejoin.download: a download is one answer",
        ),
        (&[file, plain, ("rejoin.next", "link")], "rejoin.download: a download is one answer"),
        (&[file, plain, ("ms.http.request.method", "HEAD")], "rejoin.download: HEAD has no body"),
        (
            &[file, plain, ("ms.http.request.headers", r#"{"Range": "bytes=0-"}"#)],
            "ms.http.request.headers: the header `range` is said by `rejoin.download` itself",
        ),
        (
            &[file, ("ms.extract.preprocessors", "GunzipProcessor")],
            "ms.extract.preprocessors: files are given as they come",
        ),
        (
            &[file, plain, ("ms.extractor.target.file.name", "y")],
            "rejoin.download.file: `ms.extractor.target.file.name` says",
        ),
    ] {
        let said = problems(properties);
        assert!(said.starts_with(expected) && said.lines().count() == 1, "{properties:?}: {said}");
    }
}

#[test]
fn no_problem_and_no_debug_text_holds_a_value_that_may_be_a_secret() {
    let secret = "s3cret";
    let own = list(&[
        ("ms.http.request.headers", r#"{"Authorization": ["s3cret"], "X": "s3cret\n"}"#),
        ("ms.authentication", r#"{"method": "bearer", "encryption": "none", "token": {"s3cret": 1}, "x": "s3cret"}"#),
        (
            "ms.parameters",
            r#"[{"name": "a", "type": "primitive", "value": ["s3cret"]}, "s3cret", {"name": 1, "value": "s3cret" "#,
        ),
        ("ms.source.uri", "/r"),
    ]);
    let problems = read(&[], &own, &SecondaryNames::None).unwrap_err();
    assert!(problems.0.len() >= 4);
    assert!(!problems.to_string().contains(secret) && !format!("{own:?}").contains(secret));
}

#[test]
fn what_is_listed_without_end_is_refused() {
    let list = |element: &dyn Fn(usize) -> String, count: usize| {
        format!("[{}]", (0..count).map(element).collect::<Vec<_>>().join(","))
    };
    // Each is made of the one before: a chain as deep as it is long.
    let chain = list(&|n| format!(r#"{{"name":"p{n}","value":"{{{{p{}}}}}"}}"#, n + 1), 20_000);
    let formulas = list(&|_| "\"rows == 0\"".to_owned(), 65);
    let derived =
        list(&|n| format!(r#"{{"name":"d{n}","formula":{{"type":"regexp","source":"a","format":"x"}}}}"#), 257);
    let filters: Vec<String> = (0..65).map(|n| format!("\"c{n}\":\"x\"")).collect();
    let secondary = format!(r#"[{{"filters":{{{}}}}}]"#, filters.join(","));
    for (key, value, said) in [
        ("ms.parameters", &chain, "ms.parameters: it has 20000 elements, and at most 256 may be"),
        ("rejoin.stop.when", &formulas, "rejoin.stop.when: it has 65 elements, and at most 64 may be"),
        ("rejoin.fail.when", &formulas, "rejoin.fail.when: it has 65 elements"),
        ("ms.derived.fields", &derived, "ms.derived.fields: it has 257 elements"),
        ("ms.secondary.input", &secondary, "at most 64 columns may be filtered"),
    ] {
        let said_of_it = problems(&[(key, value)]);
        assert!(said_of_it.contains(said), "{said_of_it}");
    }
}
