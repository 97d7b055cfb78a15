//! Exact requests: properties and values in, what is sent out.

use chrono::DateTime;
use proptest::prelude::*;

use super::*;
use crate::document::Position;
use crate::ingest::Json;
use crate::ingest::properties::{Property, PropertyPlace, SecondaryNames, read};
use crate::ingest::settings::{IngestSettings, PageValues, Window};

fn settings(properties: &[(&str, &str)]) -> IngestSettings {
    let place = PropertyPlace::Document(Position::START);
    let property =
        |(key, value): &(&str, &str)| Property { key: (*key).into(), value: (*value).into(), place: place.clone() };
    let own: Vec<Property> = properties.iter().map(property).collect();
    read(&[], &own, &SecondaryNames::Any).unwrap_or_else(|problems| panic!("{problems}"))
}

/// Values with a key, a page, a window, two columns and a secret.
fn values() -> Values {
    let moment = |text| DateTime::parse_from_rfc3339(text).unwrap().to_utc();
    Values {
        key: Some("MTAw==".into()),
        page: PageValues { start: Some(200), size: Some(100), number: Some(3) },
        window: Some(Window { low: moment("2026-03-01T08:00:00Z"), high: moment("2026-03-02T08:00:00.500Z") }),
        ..Values::default()
    }
}

fn with_fields(fields: &[(&str, Json)]) -> Values {
    Values { fields: fields.iter().map(|(name, value)| ((*name).into(), value.clone())).collect(), ..Values::default() }
}

/// The request as text: method and URI, headers in alphabetical order, an empty line and the body if there is one.
fn sent(properties: &[(&str, &str)], values: &Values) -> String {
    try_sent(properties, values).unwrap()
}

fn try_sent(properties: &[(&str, &str)], values: &Values) -> Result<String, ComposeError> {
    let settings = settings(properties);
    let request = compose(&settings.request, &settings.parameters, values)?;
    let mut text = format!("{} {}", request.method, request.uri);
    let mut headers: Vec<String> = request
        .headers
        .iter()
        .map(|(name, value)| format!("\n{name}: {}", String::from_utf8_lossy(value.as_bytes())))
        .collect();
    headers.sort();
    text.extend(headers);
    if let Some(body) = request.body {
        text = text + "\n\n" + std::str::from_utf8(&body).unwrap();
    }
    Ok(text)
}

const URI: &str = "ms.source.uri";
const METHOD: &str = "ms.http.request.method";
const HEADERS: &str = "ms.http.request.headers";
const PARAMETERS: &str = "ms.parameters";
const KEY: (&str, &str) = ("ms.session.key.field", r#"{"name": "cursor", "initValue": ""}"#);
const FORM: (&str, &str) = (HEADERS, r#"{"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}"#);

/// A parameter of every type: its definition without the name, its text in a query or form, its JSON.
const EVERY_TYPE: [(&str, &str, &str); 14] = [
    (r#""value": "a b/é""#, "a+b%2F%C3%A9", r#""a b/é""#),
    (r#""type": "LIST", "value": 12.50"#, "12.50", r#""12.50""#),
    (r#""value": ["full", "part"]"#, "part", r#""part""#),
    (
        r#""type": "primitive", "value": 123456789012345678901.10"#,
        "123456789012345678901.10",
        "123456789012345678901.10",
    ),
    (r#""type": "primitive", "value": true"#, "true", "true"),
    (
        r#""type": "object", "value": [{"name": "x", "value": "1"}, {"name": "y", "type": "primitive", "value": 2}]"#,
        "%7B%22x%22%3A%221%22%2C%22y%22%3A2%7D",
        r#"{"x":"1","y":2}"#,
    ),
    (r#""type": "jsonarray", "value": [1, {"z": null}]"#, "%5B1%2C%7B%22z%22%3Anull%7D%5D", r#"[1,{"z":null}]"#),
    (r#""type": "jsonobject", "value": {"b": 1, "a": 2.0}"#, "%7B%22b%22%3A1%2C%22a%22%3A2.0%7D", r#"{"b":1,"a":2.0}"#),
    (r#""type": "session""#, "MTAw%3D%3D", r#""MTAw==""#),
    (r#""type": "pagestart""#, "200", "200"),
    (r#""type": "pagesize""#, "100", "100"),
    (r#""type": "pageno""#, "3", "3"),
    (
        r#""type": "watermark", "value": "low", "format": "datetime", "pattern": "yyyy-MM-dd HH:mm""#,
        "2026-03-01+00%3A00",
        r#""2026-03-01 00:00""#,
    ),
    (r#""type": "watermark", "value": "high", "format": "epoc-second""#, "1772438400", "1772438400"),
];

#[test]
fn every_type_goes_where_every_method_says() {
    for (definition, text, json) in EVERY_TYPE {
        let parameters = format!(r#"[{{"name": "p", {definition}}}]"#);
        let request = |method: &str, extra: &[(&str, &str)]| {
            let mut properties = vec![(URI, "/r?a=1"), (METHOD, method), (PARAMETERS, &parameters), KEY];
            properties.extend(extra);
            sent(&properties, &values())
        };
        for method in ["GET", "GET_XE", "HEAD"] {
            let name = method.trim_end_matches("_XE");
            assert_eq!(request(method, &[]), format!("{name} /r?a=1&p={text}"), "{definition}");
        }
        for method in ["POST", "PUT", "PATCH", "DELETE"] {
            let expected = format!("{method} /r?a=1\ncontent-type: application/json\n\n{{\"p\":{json}}}");
            assert_eq!(request(method, &[]), expected, "{definition}");
            let expected =
                format!("{method} /r?a=1\ncontent-type: application/x-www-form-urlencoded; charset=utf-8\n\np={text}");
            assert_eq!(request(method, &[FORM]), expected, "{definition}");
        }
    }
}

#[test]
fn every_type_goes_where_its_own_placement_says() {
    let places = [
        (r#""in": "query", "as": "page[after]""#, "POST /r?page%5Bafter%5D=TEXT\ncontent-type: application/json\n\n{}"),
        (
            r#""in": "body", "as": "page.after""#,
            "POST /r\ncontent-type: application/json\n\n{\"page\":{\"after\":JSON}}",
        ),
        (r#""in": "body""#, "POST /r\ncontent-type: application/json\n\n{\"p\":JSON}"),
    ];
    for (definition, text, json) in EVERY_TYPE {
        for (place, expected) in places {
            let parameters = format!(r#"[{{"name": "p", {definition}, {place}}}]"#);
            let properties = [(URI, "/r"), (METHOD, "post"), (PARAMETERS, &parameters), KEY];
            let expected = expected.replace("TEXT", text).replace("JSON", json);
            assert_eq!(sent(&properties, &values()), expected, "{definition}");
        }
    }
    let parameters = r#"[{"name": "X-Cursor", "type": "session", "in": "header"}, {"name": "n", "type": "pageno",
        "in": "header", "as": "Page"}, {"name": "s", "type": "pagesize", "in": "path"}, {"name": "b", "in": "body"}]"#;
    let properties =
        [(URI, "/r/{{s}}"), (PARAMETERS, parameters), KEY, ("ms.pagination", r#"{"initialvalues": [0, 1]}"#)];
    let expected = "GET /r/100\ncontent-type: application/json\npage: 3\nx-cursor: MTAw==\n\n{\"b\":\"\"}";
    assert_eq!(sent(&properties, &values()), expected);
}

#[test]
fn objects_for_a_body_meet_where_their_paths_do() {
    let parameters = r#"[{"name": "page", "type": "jsonobject", "value": {"size": 5, "after": "x"}},
        {"name": "cursor", "type": "session", "in": "body", "as": "page.after"},
        {"name": "no", "type": "pageno", "in": "body", "as": "meta.page.no"}]"#;
    let properties = [(URI, "/r"), (METHOD, "POST"), (PARAMETERS, parameters), KEY];
    let expected = "POST /r\ncontent-type: application/json\n\n\
                    {\"page\":{\"size\":5,\"after\":\"MTAw==\"},\"meta\":{\"page\":{\"no\":3}}}";
    assert_eq!(sent(&properties, &values()), expected);

    let parameters = r#"[{"name": "a", "value": "text"}, {"name": "b", "in": "body", "as": "a.b"}]"#;
    let error = try_sent(&[(URI, "/r"), (METHOD, "POST"), (PARAMETERS, parameters)], &values()).unwrap_err();
    assert_eq!(error, ComposeError::Body { parameter: "b".into(), path: "a.b".into() });
}

#[test]
fn what_templates_take_is_not_sent_again() {
    let parameters =
        r#"[{"name": "id", "value": "a b/c"}, {"name": "token", "value": "t"}, {"name": "left", "value": "l"}]"#;
    let headers = r#"{"X-Token": "T {{token}}", "X-Both": "{{token}}{{id}}"}"#;
    for (method, uri) in [("GET", "/jobs/a%20b%2Fc?x=a+b%2Fc&y=1"), ("GET_XE", "/jobs/a%20b/c?x=a%20b/c&y=1")] {
        let properties =
            [(URI, "/jobs/{{id}}?x={{id}}&y=1"), (METHOD, method), (HEADERS, headers), (PARAMETERS, parameters)];
        let expected = format!("GET {uri}&left=l\nx-both: ta b/c\nx-token: T t");
        assert_eq!(sent(&properties, &values()), expected);
    }
}

#[test]
fn what_begins_with_tmp_is_for_templates_only() {
    let parameters =
        r#"[{"name": "tmpFrom", "value": "2026"}, {"name": "q", "value": "since {{tmpFrom}}"}, {"name": "tmpUnused"}]"#;
    for (method, expected) in
        [("GET", "GET /r?q=since+2026"), ("POST", "POST /r\ncontent-type: application/json\n\n{\"q\":\"since 2026\"}")]
    {
        assert_eq!(sent(&[(URI, "/r"), (METHOD, method), (PARAMETERS, parameters)], &values()), expected);
    }
}

#[test]
fn null_first_what_has_no_value_yet_is_left_out_with_all_that_is_made_of_it() {
    let parameters = r#"[{"name": "cursor", "type": "session"},
        {"name": "after", "value": "id > {{cursor}}"},
        {"name": "filter", "type": "jsonobject", "value": {"cursor": "{{cursor}}", "limit": 10, "ids": ["{{cursor}}", "1"]}},
        {"name": "o", "type": "object", "value": [{"name": "c", "type": "session"}, {"name": "d", "value": "e"}]},
        {"name": "start", "type": "pagestart"}, {"name": "again", "type": "session", "in": "header"}]"#;
    let key = ("ms.session.key.field", r#"{"name": "cursor"}"#);
    let properties =
        [(URI, "/r"), (METHOD, "POST"), (HEADERS, r#"{"X-C": "c={{cursor}}"}"#), (PARAMETERS, parameters), key];
    let expected = "POST /r\ncontent-type: application/json\n\n\
                    {\"filter\":{\"limit\":10,\"ids\":[\"1\"]},\"o\":{\"d\":\"e\"}}";
    assert_eq!(sent(&properties, &Values::default()), expected);

    let properties = [(URI, "/r"), (PARAMETERS, r#"[{"name": "cursor", "type": "session"}]"#), key];
    assert_eq!(sent(&properties, &Values::default()), "GET /r");
    assert_eq!(sent(&properties, &values()), "GET /r?cursor=MTAw%3D%3D");
}

#[test]
fn r14_an_empty_initial_value_fills_templates_and_is_not_sent_elsewhere() {
    let parameters = r#"[{"name": "cursor", "type": "session"}]"#;
    let empty = Values { key: Some("".into()), ..Values::default() };
    let properties = [(URI, "/r?next_page={{cursor}}"), (METHOD, "POST"), (PARAMETERS, parameters), KEY];
    assert_eq!(sent(&properties, &empty), "POST /r?next_page=\ncontent-type: application/json\n\n{}");
    assert_eq!(
        sent(&properties, &Values { key: Some("c1".into()), ..Values::default() }),
        "POST /r?next_page=c1\ncontent-type: application/json\n\n{}"
    );
    let inner = r#"[{"name": "o", "type": "object", "value": [{"name": "cursor", "type": "session"}]}]"#;
    for method in ["GET", "POST"] {
        for parameters in [parameters, inner] {
            let properties = [(URI, "/r"), (METHOD, method), (PARAMETERS, parameters), KEY];
            assert!(!sent(&properties, &empty).contains("cursor"));
        }
    }
    let key = ("ms.session.key.field", r#"{"name": "cursor", "initValue": "abc"}"#);
    assert_eq!(settings(&[(URI, "/r"), (PARAMETERS, parameters), key]).key.unwrap().initial.as_deref(), Some("abc"));
}

#[test]
fn r15_methods_have_any_case_and_blank_is_get() {
    for (method, expected) in
        [("", "GET /r"), ("get", "GET /r"), ("Get_Xe", "GET /r"), ("head", "HEAD /r"), ("delete", "DELETE /r")]
    {
        assert_eq!(sent(&[(URI, "/r"), (METHOD, method)], &Values::default()), expected);
    }
    let body = "\ncontent-type: application/json\n\n{}";
    for method in ["post", "PUT", "Patch"] {
        let expected = format!("{} /r{body}", method.to_uppercase());
        assert_eq!(sent(&[(URI, "/r"), (METHOD, method)], &Values::default()), expected);
    }
}

#[test]
fn r16_delete_has_its_parameters_in_the_body() {
    let properties = [
        (URI, "/r/{{id}}"),
        (METHOD, "DELETE"),
        (PARAMETERS, r#"[{"name": "id", "value": "7"}, {"name": "why", "value": "old"}]"#),
    ];
    let expected = "DELETE /r/7\ncontent-type: application/json\n\n{\"why\":\"old\"}";
    assert_eq!(sent(&properties, &Values::default()), expected);
}

#[test]
fn r17_bodies_are_utf_8_and_json_unless_a_content_type_is_said() {
    let parameters = (PARAMETERS, r#"[{"name": "ü", "value": "日本 é"}]"#);
    let post = |extra: (&'static str, &'static str)| {
        sent(&[(URI, "/r"), (METHOD, "POST"), parameters, extra], &Values::default())
    };
    assert_eq!(post((HEADERS, "{}")), "POST /r\ncontent-type: application/json\n\n{\"ü\":\"日本 é\"}");
    assert_eq!(
        post((HEADERS, r#"{"content-type": "application/vnd.api+json"}"#)),
        "POST /r\ncontent-type: application/vnd.api+json\n\n{\"ü\":\"日本 é\"}"
    );
    let form = "%C3%BC=%E6%97%A5%E6%9C%AC+%C3%A9";
    assert_eq!(
        post(FORM),
        format!("POST /r\ncontent-type: application/x-www-form-urlencoded; charset=utf-8\n\n{form}")
    );
    assert_eq!(
        post((HEADERS, r#"{"CONTENT-TYPE": "Application/X-WWW-Form-Urlencoded"}"#)),
        format!("POST /r\ncontent-type: Application/X-WWW-Form-Urlencoded\n\n{form}")
    );
}

#[test]
fn r25_columns_are_sent_and_secrets_only_where_a_template_names_them() {
    let mut values = with_fields(&[("id", Json::from(7_u64)), ("state", Json::text("a b")), ("none", Json::Null)]);
    values.secrets = vec![("access_token".into(), Json::text("s3cret"))];
    let headers = (HEADERS, r#"{"Authorization": "Bearer {{access_token}}"}"#);
    assert_eq!(sent(&[(URI, "/r"), headers], &values), "GET /r?id=7&state=a+b\nauthorization: Bearer s3cret");
    assert_eq!(sent(&[(URI, "/r/{{id}}")], &values), "GET /r/7?state=a+b");
    assert_eq!(
        sent(&[(URI, "/r"), (METHOD, "POST")], &values),
        "POST /r\ncontent-type: application/json\n\n{\"id\":7,\"state\":\"a b\",\"none\":null}"
    );
    assert!(!format!("{values:?}").contains("s3cret"));
}

#[test]
fn columns_take_the_place_of_parameters_of_the_same_name() {
    let values = with_fields(&[("id", Json::from(7_u64)), ("tmpDay", Json::text("d"))]);
    let parameters = r#"[{"name": "id", "value": "1"}, {"name": "day", "value": "{{tmpDay}}"}]"#;
    assert_eq!(sent(&[(URI, "/r"), (PARAMETERS, parameters)], &values), "GET /r?id=7&day=d");
}

#[test]
fn a_parameter_made_of_its_own_name_is_made_of_the_column() {
    let values = Values { secrets: vec![("refresh_token".into(), Json::text("r&t"))], ..Values::default() };
    let parameters = r#"[{"name": "refresh_token", "value": "{{refresh_token}}"}]"#;
    let properties = [(URI, "/token"), (METHOD, "POST"), FORM, (PARAMETERS, parameters)];
    let expected = "POST /token\ncontent-type: application/x-www-form-urlencoded; charset=utf-8\n\nrefresh_token=r%26t";
    assert_eq!(sent(&properties, &values), expected);
}

#[test]
fn r28_values_stay_values_whatever_they_hold() {
    let values = with_fields(&[
        ("quote", Json::text(r#"a"b\c{{cursor}}"#)),
        ("list", Json::parse("[1,\"x\"]").unwrap()),
        ("number", Json::Number("1.50".into())),
    ]);
    let parameters = r#"[{"name": "body", "type": "jsonobject", "value":
        {"t": "<{{quote}}>", "l": "{{list}}", "n": "{{number}}", "s": "={{list}}", "o": {"o": ["{{quote}}"]}}},
        {"name": "o", "type": "object", "value": [{"name": "o2", "type": "object", "value": [{"name": "x", "value": "{{quote}}"}]}]},
        {"name": "one", "type": "object", "value": {"name": "x", "type": "list", "value": "y"}},
        {"name": "tmp", "value": "{{quote}}{{list}}{{number}}"}]"#;
    let key = ("ms.secondary.input", r#"[{"fields": ["quote", "list", "number"]}]"#);
    let expected = concat!(
        "PUT /r\ncontent-type: application/json\n\n",
        r#"{"body":{"t":"<a\"b\\c{{cursor}}>","l":[1,"x"],"n":"1.50","s":"=[1,\"x\"]","o":{"o":["a\"b\\c{{cursor}}"]}},"#,
        r#""o":{"o2":{"x":"a\"b\\c{{cursor}}"}},"one":{"x":"y"},"#,
        r#""quote":"a\"b\\c{{cursor}}","list":[1,"x"],"number":1.50}"#,
    );
    assert_eq!(sent(&[(URI, "/r"), (METHOD, "PUT"), (PARAMETERS, parameters), key], &values), expected);
}

#[test]
fn a_chain_of_parameters_is_followed_in_any_order() {
    let parameters = r#"[{"name": "c", "value": "<{{tmpB}}>"}, {"name": "tmpB", "value": "b{{tmpA}}"}, {"name": "tmpA", "value": "a"}]"#;
    assert_eq!(sent(&[(URI, "/r"), (PARAMETERS, parameters)], &Values::default()), "GET /r?c=%3Cba%3E");
}

#[test]
fn payload_is_the_body_and_wins_over_parameters() {
    let mut values = with_fields(&[("id", Json::from(7_u64))]);
    values.payload = vec![("name".into(), Json::text("Zoë")), ("id".into(), Json::from(8_u64))];
    let parameters = (PARAMETERS, r#"[{"name": "kind", "value": "x"}]"#);
    let properties = [(URI, "/r"), (METHOD, "POST"), parameters];
    let expected = "POST /r\ncontent-type: application/json\n\n{\"kind\":\"x\",\"id\":8,\"name\":\"Zoë\"}";
    assert_eq!(sent(&properties, &values), expected);
    let form = [(URI, "/r"), (METHOD, "POST"), parameters, FORM];
    assert!(sent(&form, &values).ends_with("\n\nkind=x&id=8&name=Zo%C3%AB"));
}

#[test]
fn authentication_is_made_after_its_variables_are_filled_in() {
    let secrets = vec![("u".into(), Json::text("Aladdin")), ("p".into(), Json::text("open sesame"))];
    let values = Values { secrets, ..Values::default() };
    for (authentication, expected) in [
        (
            r#"{"method": "basic", "encryption": "base64", "token": "{{u}}:{{p}}"}"#,
            "authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
        ),
        (r#"{"method": "bearer", "encryption": "none", "token": "{{u}}"}"#, "authorization: Bearer Aladdin"),
        (r#"{"method": "OAUTH", "encryption": "none", "token": "{{u}}"}"#, "authorization: OAuth Aladdin"),
        (
            r#"{"method": "custom", "encryption": "none", "header": "X-Key", "token": "{{u}}"}"#,
            "authorization: old\nx-key: Aladdin",
        ),
    ] {
        let properties = [(URI, "/r"), (HEADERS, r#"{"Authorization": "old"}"#), ("ms.authentication", authentication)];
        assert_eq!(sent(&properties, &values), format!("GET /r\n{expected}"));
        let settings = settings(&properties);
        let request = compose(&settings.request, &settings.parameters, &values).unwrap();
        assert!(!format!("{request:?}").contains("Aladdin"));
    }
}

#[test]
fn addresses_are_written_so_that_they_stay_addresses() {
    let values = with_fields(&[
        ("url", Json::text("https://h.example/a b?x=1#top")),
        ("tmpName", Json::text("dir/file name#1?.txt")),
    ]);
    for (uri, method, expected) in [
        ("{{url}}", "GET", "GET https://h.example/a%20b?x=1"),
        ("{{url}}&y={{tmpName}}", "GET_XE", "GET https://h.example/a%20b?x=1"),
        (
            "/files/{{tmpName}}?n={{tmpName}}",
            "GET",
            "GET /files/dir%2Ffile%20name%231%3F.txt?n=dir%2Ffile+name%231%3F.txt&url=https%3A%2F%2Fh.example%2Fa+b%3Fx%3D1%23top",
        ),
        (
            "/files/{{tmpName}}",
            "GET_XE",
            "GET /files/dir/file%20name%231?.txt&url=https%3A%2F%2Fh.example%2Fa+b%3Fx%3D1%23top",
        ),
        (
            "/é|{{tmpName}}?",
            "GET_XE",
            "GET /%C3%A9%7Cdir/file%20name%231?.txt?&url=https%3A%2F%2Fh.example%2Fa+b%3Fx%3D1%23top",
        ),
        ("/r?", "GET", "GET /r?url=https%3A%2F%2Fh.example%2Fa+b%3Fx%3D1%23top"),
    ] {
        assert_eq!(sent(&[(URI, uri), (METHOD, method)], &values), expected, "{uri}");
    }
}

#[test]
fn what_has_no_value_where_one_is_needed_is_said_without_any_value() {
    let values = with_fields(&[("id", Json::Null), ("secret", Json::text("s3cret"))]);
    let error = |properties: &[(&str, &str)]| try_sent(properties, &values).unwrap_err();
    assert_eq!(error(&[(URI, "/r/{{id}}")]).to_string(), "the variable `id` has no value, and the URI needs one");
    assert_eq!(
        error(&[(URI, "/r"), (HEADERS, r#"{"X-Id": "{{id}}"}"#)]).to_string(),
        "the variable `id` has no value, and the header `x-id` needs one"
    );
    assert_eq!(
        error(&[(URI, "/r"), (PARAMETERS, r#"[{"name": "p", "value": "{{other}}{{secret}}"}]"#)]).to_string(),
        "the variable `other` has no value, and the parameter `p` needs one"
    );
    let values = with_fields(&[("id", Json::text("a\r\nX-Evil: 1"))]);
    let error = try_sent(&[(URI, "/r"), (HEADERS, r#"{"X-Id": "{{id}}"}"#)], &values).unwrap_err();
    assert!(matches!(error, ComposeError::Header { .. }) && !error.to_string().contains("Evil"));
}

/// Any JSON, not too deep.
fn any_json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::Bool),
        any::<i64>().prop_map(Json::from),
        "[0-9]{1,30}\\.[0-9]{1,20}"
            .prop_filter("leading zeros", |text| !text.starts_with('0'))
            .prop_map(|text| Json::Number(text.into())),
        ".*".prop_map(Json::text),
    ];
    leaf.prop_recursive(3, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Json::Array),
            prop::collection::btree_map(".{0,8}", inner, 0..5).prop_map(|members| Json::Object(
                members.into_iter().map(|(name, value)| (name.into(), value)).collect()
            )),
        ]
    })
}

/// `application/x-www-form-urlencoded` read back, by the rules of the URL Standard.
fn decoded(form: &str) -> Vec<(String, String)> {
    let text =
        |part: &str| percent_encoding::percent_decode_str(&part.replace('+', " ")).decode_utf8().unwrap().into_owned();
    let pairs = form.split('&').filter(|pair| !pair.is_empty());
    pairs.map(|pair| pair.split_once('=').unwrap()).map(|(name, value)| (text(name), text(value))).collect()
}

proptest! {
    #[test]
    fn any_json_is_read_back_as_it_was_written(json in any_json()) {
        prop_assert_eq!(Json::parse(&json.to_string()).unwrap(), json);
    }

    #[test]
    fn any_column_arrives_in_a_body_as_it_was(json in any_json()) {
        let text = sent(&[(URI, "/r"), (METHOD, "POST")], &with_fields(&[("v", json.clone())]));
        let body = Json::parse(text.split_once("\n\n").unwrap().1).unwrap();
        prop_assert_eq!(body.member("v"), Some(&json));
    }

    #[test]
    fn any_text_arrives_inside_of_json_as_it_was(text in ".*", before in "[a-z\"\\\\]{0,4}") {
        let parameter = Json::Object(vec![("a".into(), Json::Array(vec![Json::text(format!("{before}{{{{v}}}}"))]))]);
        let parameters = format!(r#"[{{"name": "p", "type": "jsonobject", "value": {parameter}}}]"#);
        let sent = sent(&[(URI, "/r"), (METHOD, "POST"), (PARAMETERS, &parameters)], &with_fields(&[("v", Json::text(text.clone()))]));
        let body = Json::parse(sent.split_once("\n\n").unwrap().1).unwrap();
        let Some(Json::Array(elements)) = body.member("p").and_then(|p| p.member("a")) else { panic!("{sent}") };
        prop_assert_eq!(&elements[0], &Json::text(format!("{before}{text}")));
    }

    #[test]
    fn any_text_arrives_in_queries_forms_and_paths_as_it_was(name in ".{1,8}", value in ".*") {
        prop_assume!(!name.starts_with("tmp"));
        let values = with_fields(&[(&name, Json::text(value.clone()))]);
        let expected = vec![(name.clone(), value.clone())];
        let get = sent(&[(URI, "/r")], &values);
        prop_assert_eq!(decoded(get.split_once('?').unwrap().1), expected.clone());
        let post = sent(&[(URI, "/r"), (METHOD, "POST"), FORM], &values);
        prop_assert_eq!(decoded(post.split_once("\n\n").unwrap().1), expected);

        // These two are no text in a path, but a way.
        prop_assume!(!matches!(&*value, "." | ".."));
        let path = sent(&[(URI, "/r/{{v}}")], &with_fields(&[("v", Json::text(value.clone()))]));
        let segment = path.strip_prefix("GET /r/").unwrap();
        prop_assert_eq!(percent_encoding::percent_decode_str(segment).decode_utf8().unwrap(), value);
    }
}

#[test]
fn values_that_double_with_every_step_are_stopped() {
    let doubling = |n: usize, kind: &str, value: &dyn Fn(usize) -> String| {
        format!(r#"{{"name":"p{n}","type":"{kind}","value":{}}}"#, value(n))
    };
    let of = |kind: &str, first: &str, value: &dyn Fn(usize) -> String| {
        let parameters: Vec<String> = (1..60).map(|n| doubling(n, kind, value)).collect();
        format!(r#"[{{"name":"p0","type":"{kind}","value":{first}}},{}]"#, parameters.join(","))
    };
    let texts = of("list", "\"laugh\"", &|n| format!(r#""{{{{p{0}}}}}{{{{p{0}}}}}""#, n - 1));
    let arrays = of("jsonarray", "[\"laugh\"]", &|n| format!(r#"["{{{{p{0}}}}}","{{{{p{0}}}}}"]"#, n - 1));
    for parameters in [texts, arrays] {
        let error = try_sent(&[(URI, "/x"), (PARAMETERS, &parameters)], &Values::default()).unwrap_err();
        assert!(matches!(error, ComposeError::TooLong { .. }), "{error:?}");
    }
}

#[test]
fn a_variable_leads_nowhere_but_where_its_template_says() {
    for (template, method, value) in [
        ("/jobs/{{id}}/results", "GET", ".."),
        ("/jobs/{{id}}", "GET", "."),
        ("/jobs/.{{id}}", "GET", "."),
        ("/jobs/{{id}}{{id}}/results", "GET", "."),
        ("/files/{{id}}", "GET_XE", "a/../../admin"),
        ("/files/{{id}}", "GET_XE", "%2E%2e/admin"),
        ("/files/{{id}}", "GET_XE", ".."),
    ] {
        let values = with_fields(&[("id", Json::text(value))]);
        assert_eq!(
            try_sent(&[(URI, template), (METHOD, method)], &values),
            Err(ComposeError::Path),
            "{template} {value}"
        );
    }
    for (template, method, value, uri) in [
        ("/jobs/{{id}}", "GET", "...", "/jobs/..."),
        ("../jobs/{{id}}", "GET", "a/../b", "../jobs/a%2F..%2Fb"),
        ("/jobs?id={{id}}", "GET", "..", "/jobs?id=.."),
        ("/files/{{id}}", "GET_XE", "a/b.txt", "/files/a/b.txt"),
        ("{{id}}", "GET", "https://api.example/a/../b", "https://api.example/a/../b"),
    ] {
        let values = with_fields(&[("id", Json::text(value))]);
        assert_eq!(sent(&[(URI, template), (METHOD, method)], &values), format!("GET {uri}"), "{template} {value}");
    }
}
