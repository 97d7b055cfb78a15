//! The rules of the specification that are found when properties are read.

use std::time::Duration;

use super::*;
use crate::ingest::settings::Condition;

const SESSION: (&str, &str) = ("ms.parameters", r#"[{"name": "cursor", "type": "session"}]"#);
const FAILURE: (&str, &str) = ("ms.session.key.field", r#"{"name": "s", "failCondition": {"regexp": "bad"}}"#);

#[test]
fn r01_a_fail_condition_alone_is_taken_where_something_else_ends_the_ingestion() {
    assert!(problems(&[FAILURE]).starts_with("ms.session.key.field: `failCondition` alone ends nothing well"));
    for other in [
        SESSION,
        ("ms.pagination", r#"{"initialvalues": [0, 10]}"#),
        ("ms.total.count.field", "total"),
        ("rejoin.next", "link"),
        ("rejoin.stop.when", r#"["rows == 0"]"#),
    ] {
        assert!(settings(&[FAILURE, other]).key.unwrap().failure.is_some());
    }
}

#[test]
fn r03_a_key_without_a_condition_asks_for_pages() {
    let settings = settings(&[("ms.session.key.field", r#"{"name": "records.cursor"}"#), SESSION]);
    assert!(settings.paging.is_on && settings.key.unwrap().is_sent_back);
    let poll = super::settings(&[("ms.session.key.field", r#"{"name": "s", "condition": {"regexp": "done"}}"#)]);
    assert!(!poll.paging.is_on && !poll.key.unwrap().is_sent_back);
}

#[test]
fn as_5_conditions_match_the_whole_of_a_value() {
    let condition = |text: &str| {
        let key = format!(r#"{{"name": "s", "condition": {{"regexp": "{text}"}}}}"#);
        let Some(Condition::Matches(regex)) = settings(&[("ms.session.key.field", &key)]).key.unwrap().condition else {
            panic!("{text}")
        };
        regex
    };
    let complete = condition("complete|done");
    assert!(complete.is_match("done") && !complete.is_match("completed") && !complete.is_match("not done"));
    assert!(condition("").is_match("") && !condition("").is_match("x"));
    assert!(condition("(?i)false").is_match("False") && !condition("a$").is_match("a\\n"));
    assert!(condition("^complete$").is_match("complete"));
}

#[test]
fn r09_a_session_with_a_condition_has_ten_minutes_unless_it_is_said() {
    let key = ("ms.session.key.field", r#"{"name": "s", "condition": {"regexp": "done"}}"#);
    assert_eq!(settings(&[key]).pace.timeout, Some(Duration::from_mins(10)));
    assert_eq!(settings(&[key, ("ms.wait.timeout.seconds", "0")]).pace.timeout, Some(Duration::ZERO));
}

#[test]
fn r10_pages_alone_have_no_time_out_unless_it_is_said() {
    let pages = ("ms.pagination", r#"{"initialvalues": [0, 10]}"#);
    let cursor = ("ms.session.key.field", r#"{"name": "cursor"}"#);
    assert_eq!(settings(&[pages]).pace.timeout, None);
    assert_eq!(settings(&[cursor, SESSION]).pace.timeout, None);
    assert_eq!(settings(&[pages, ("ms.wait.timeout.seconds", "60")]).pace.timeout, Some(Duration::from_mins(1)));
}

#[test]
fn r12_the_name_of_the_key_is_a_path_and_a_header() {
    let key = settings(&[("ms.session.key.field", r#"{"name": " Sforce-Locator "}"#), SESSION]).key.unwrap();
    assert_eq!((key.path.to_string().as_str(), &*key.header), ("Sforce-Locator", "Sforce-Locator"));
}

#[test]
fn r13_paths_are_strict_and_know_places_in_arrays() {
    let key = settings(&[("ms.session.key.field", r#"{"name": "items.0.state"}"#), SESSION]).key.unwrap();
    assert_eq!(key.path.segments()[1].index, Some(0));
    assert!(problems(&[("ms.data.field", ".a")]).starts_with("ms.data.field: expected a path"));
}

#[test]
fn r14_an_initial_value_is_a_text_and_may_be_empty() {
    let initial = |value: &str| {
        let key = format!(r#"{{"name": "s", "initValue": {value}}}"#);
        settings(&[("ms.session.key.field", &key), SESSION]).key.unwrap().initial
    };
    assert_eq!(initial(r#""abc""#).as_deref(), Some("abc"));
    assert_eq!(initial(r#""""#).as_deref(), Some(""));
    assert_eq!(initial("12").as_deref(), Some("12"));
    assert_eq!(initial("null"), None);
}

#[test]
fn r18_pagination_has_three_entries_at_the_most() {
    for name in ["fields", "initialvalues"] {
        let entries = if name == "fields" { r#"["a", "b", "c", "d"]"# } else { "[1, 2, 3, 4]" };
        let said = problems(&[("ms.pagination", &format!(r#"{{"{name}": {entries}}}"#))]);
        assert_eq!(said, format!("ms.pagination.{name}: 4 entries are too many: start, size and number of the page"));
    }
}

#[test]
fn r20_a_status_has_one_meaning_and_the_lists_replace_the_default() {
    let said = problems(&[(
        "ms.http.statuses",
        r#"{"success": [200, 404], "warning": ["400-404"], "error": [503], "pagination_error": ["5xx"]}"#,
    )]);
    assert_eq!(
        said,
        "ms.http.statuses: 404 is in `success` and in `warning`: an answer has one meaning\n\
         ms.http.statuses: 503 is in `error` and in `pagination_error`: an answer has one meaning"
    );
    let answers = settings(&[("ms.http.statuses", r#"{"success": [200], "warning": [404], "error": [206]}"#)]).answers;
    assert!(!answers.success.contains(201) && !answers.credentials.contains(401) && answers.error.contains(206));
}

#[test]
fn r24_a_variable_that_nothing_defines_is_refused_wherever_it_stands() {
    let none = |properties: &[(&str, &str)]| {
        let problems = read(&[], &list(properties), &SecondaryNames::None).unwrap_err();
        problems.0.into_iter().map(|problem| PropertyProblem { place: None, ..problem }.to_string()).collect::<Vec<_>>()
    };
    let uri = ("ms.source.uri", "/r/{{id}}");
    assert_eq!(
        none(&[uri, ("ms.parameters", r#"[{"name": "idd", "value": "1"}]"#)]),
        ["ms.source.uri: nothing defines `{{id}}`; did you mean `{{idd}}`?"]
    );
    let said = "nothing defines `{{x}}`; parameters, the secondary input and `ms.watermark` define variables";
    assert_eq!(
        none(&[URI, ("ms.http.request.headers", r#"{"A": "{{x}}"}"#)]),
        [format!("ms.http.request.headers: {said}")]
    );
    let parameters = r#"[{"name": "a"}, {"name": "o", "type": "jsonobject", "value": {"deep": ["{{a}}", "{{x}}"]}}]"#;
    assert_eq!(none(&[URI, ("ms.parameters", parameters)]), [format!("ms.parameters[1]: {said}")]);
    let token = r#"{"method": "bearer", "encryption": "none", "token": "{{x}}"}"#;
    assert_eq!(none(&[URI, ("ms.authentication", token)]), [format!("ms.authentication: {said}")]);
    let derived = r#"[{"name": "a", "formula": {"type": "string", "source": "{{x}}"}}]"#;
    assert_eq!(none(&[URI, ("ms.derived.fields", derived)]), [format!("ms.derived.fields: {said}")]);
}

#[test]
fn r24_columns_of_the_secondary_input_define_variables() {
    let own = list(&[("ms.source.uri", "/r/{{id}}")]);
    assert!(read(&[], &own, &SecondaryNames::Any).is_ok());
    assert!(read(&[], &own, &SecondaryNames::Known(vec!["id".into()])).is_ok());
    assert!(read(&[], &own, &SecondaryNames::Known(vec!["other".into()])).is_err());

    let own = list(&[("ms.source.uri", "/r/{{id}}"), ("ms.secondary.input", r#"[{"fields": ["idd"]}]"#)]);
    let said = |names| read(&[], &own, &names).unwrap_err().to_string();
    assert_eq!(said(SecondaryNames::Any), "1:1: ms.source.uri: nothing defines `{{id}}`; did you mean `{{idd}}`?");
    assert!(
        said(SecondaryNames::Known(vec!["id".into()]))
            .contains("the secondary input has no column `idd`; did you mean `id`?")
    );
    assert!(said(SecondaryNames::None).contains("there is no secondary input to take rows from"));
}

#[test]
fn r24_what_has_no_value_in_the_first_request_cant_stand_in_the_uri() {
    let uri = ("ms.source.uri", "/r?c={{cursor}}&p={{p}}&q={{q}}");
    let parameters = (
        "ms.parameters",
        r#"[{"name": "cursor", "type": "session"}, {"name": "p", "type": "pageno"},
        {"name": "q", "value": "<{{cursor}}>"}]"#,
    );
    let key = ("ms.session.key.field", r#"{"name": "cursor"}"#);
    assert_eq!(
        problems(&[uri, parameters, key]),
        "ms.source.uri: `{{cursor}}` has no value in the first request: give the session key an `initValue`, which may be empty\n\
         ms.source.uri: `{{p}}` has no value in the first request: give the page's first values, `initialvalues` of `ms.pagination`\n\
         ms.source.uri: `{{q}}` has no value in the first request: give the session key an `initValue`, which may be empty"
    );
    let key = ("ms.session.key.field", r#"{"name": "cursor", "initValue": ""}"#);
    let own = list(&[uri, parameters, key, ("ms.pagination", r#"{"initialvalues": [0, 10, 1]}"#)]);
    assert!(read(&[], &own, &SecondaryNames::None).is_ok());
}

#[test]
fn a_session_parameter_needs_a_session_key() {
    assert_eq!(
        problems(&[SESSION]),
        "ms.parameters: `cursor` is the session key, and there is none: `ms.session.key.field`"
    );
}

#[test]
fn a_parameter_that_is_made_of_itself_is_refused() {
    let said = |parameters: &str| {
        let own = list(&[URI, ("ms.parameters", parameters)]);
        read(&[], &own, &SecondaryNames::None).unwrap_err().to_string()
    };
    assert_eq!(said(r#"[{"name": "a", "value": "{{a}}"}]"#), "2:1: ms.parameters[0]: `a` is made of itself");
    assert_eq!(
        said(r#"[{"name": "a", "value": "{{b}}"}, {"name": "b", "value": "{{c}}"}, {"name": "c", "value": "{{a}}"}]"#),
        "2:1: ms.parameters[0]: `a` is made of itself, by way of `c`\n\
         2:1: ms.parameters[1]: `b` is made of itself, by way of `a`\n\
         2:1: ms.parameters[2]: `c` is made of itself, by way of `b`"
    );
}

#[test]
fn r27_unknown_names_are_refused_with_the_nearest() {
    assert_eq!(
        problems(&[("ms.parameter", r#"[{"name": "id"}]"#), ("ms.source.uri", "/r/{{id}}")]),
        "ms.parameter: there is no such property; did you mean `ms.parameters`?"
    );
    assert_eq!(
        problems(&[("MS.Session.Key.Field", "")]),
        "MS.Session.Key.Field: there is no such property; did you mean `ms.session.key.field`?"
    );
    assert_eq!(
        problems(&[("rejoin.retries", "")]),
        "rejoin.retries: there is no such property; did you mean `rejoin.retry`?"
    );
    assert_eq!(problems(&[("colour", "")]), "colour: there is no such property");
}

#[test]
fn r30_a_formula_is_read_and_never_passed_over() {
    let key =
        ("ms.session.key.field", r#"{"name": "s", "condition": {"formula": "body.state == 'done' && rows > 0"}}"#);
    assert!(matches!(settings(&[key]).key.unwrap().condition, Some(Condition::Formula(_))));
}

#[test]
fn what_a_resource_says_of_the_bytes_of_a_page_is_the_most_that_an_activity_may_say() {
    const BYTES: &str = "rejoin.page.bytes";
    let of_resource = |value: &str| {
        let place = PropertyPlace::Resource("api.xml:7".into());
        [Property { key: BYTES.into(), value: value.into(), place }]
    };
    let read = |most: &str, own: &[(&str, &str)]| {
        let own: Vec<(&str, &str)> = [URI].iter().chain(own).copied().collect();
        read(&of_resource(most), &list(&own), &SecondaryNames::None)
    };
    for (own, bytes) in [(&[][..], 1000), (&[(BYTES, "999")], 999), (&[(BYTES, "1000")], 1000), (&[(BYTES, "")], 1000)]
    {
        assert_eq!(read("1000", own).unwrap().page.bytes, bytes, "{own:?}");
    }
    let problem = read("1000", &[(BYTES, "1001")]).unwrap_err().to_string();
    assert_eq!(
        problem,
        "2:1: rejoin.page.bytes: expected at most 1000, as the web resource says at api.xml:7, found `1001`"
    );
    // What the operator has written wrongly does not mean that there is no limit.
    let problem = read("1 MB", &[(BYTES, "1001")]).unwrap_err().to_string();
    assert!(problem.starts_with("api.xml:7: rejoin.page.bytes: expected a whole number"), "{problem}");
}
