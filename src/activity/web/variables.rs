//! What an answer tells the phases after it: the id of a job, say.

use std::str::FromStr;

use http::{HeaderMap, HeaderName};
use regex::Regex;

use crate::document::{DocumentError, Element, Fields, Value};
use crate::ingest::Json;
use crate::ingest::settings::ValuePath;

/// `<variable name="id" path="job.id"/>`, `<variable name="id" header="Location" match="/jobs/([0-9]+)$"/>`
#[derive(Debug)]
pub(in crate::activity::web) struct Variable {
    pub(in crate::activity::web) name: Box<str>,
    source: Source,
    /// The first group of it, or all that it matches, is the value.
    pattern: Option<Regex>,
}

#[derive(Debug)]
enum Source {
    /// A value of the body, which is JSON.
    Path(ValuePath),
    /// A header.
    Header(Box<str>),
}

/// A name and its value.
pub(in crate::activity::web) type Named = (Box<str>, Json);

/// The `variable` children that come next.
pub(in crate::activity::web) fn variables(fields: &mut Fields<'_>) -> Result<Vec<Variable>, DocumentError> {
    let mut variables: Vec<Variable> = Vec::new();
    for element in fields.children("variable") {
        let variable = variable(element)?;
        if variables.iter().any(|other| other.name == variable.name) {
            let message = format!("there is another variable `{}`", variable.name);
            return Err(DocumentError::invalid(element.position(), message));
        }
        variables.push(variable);
    }
    Ok(variables)
}

fn variable(element: &Element) -> Result<Variable, DocumentError> {
    let mut fields = element.fields();
    let name = name(&fields.required_attribute("name")?)?;
    let (path, header) = (fields.attribute("path"), fields.attribute("header"));
    let written = fields.attribute("match");
    fields.finish()?;
    let source = match (path, header) {
        (Some(path), None) => {
            let parsed = ValuePath::parse(&path.one_word()?.value);
            Source::Path(parsed.ok_or_else(|| path.error("expected a path such as `job.id`, without empty parts"))?)
        }
        (None, Some(header)) => {
            let name = header.one_word()?.value;
            HeaderName::from_str(&name).map_err(|_| header.error("expected the name of a header"))?;
            Source::Header(name.into())
        }
        _ => {
            let message =
                "contradictory `variable`: expected `path` (into the JSON of the answer) or `header`, and not both";
            return Err(DocumentError::invalid(element.position(), message));
        }
    };
    let pattern = written
        .map(|written| {
            Regex::new(written.as_str()).map_err(|error| written.error(format!("no regular expression: {error}")))
        })
        .transpose()?;
    Ok(Variable { name, source, pattern })
}

/// A name that templates can say.
fn name(written: &Value<'_>) -> Result<Box<str>, DocumentError> {
    let name = written.one_word()?.value;
    let is_of_name = |byte: u8| byte.is_ascii_alphanumeric() || b"_.$-".contains(&byte);
    if name.bytes().all(is_of_name) {
        return Ok(name.into());
    }
    Err(written.error("expected a name of letters, digits, `_`, `.`, `$` and `-`"))
}

impl Variable {
    /// Whether it stands in the body.
    pub(in crate::activity::web) fn is_of_body(&self) -> bool {
        matches!(self.source, Source::Path(_))
    }

    /// Finds it in an answer.
    fn find(&self, headers: &HeaderMap, body: Option<&Json>) -> Result<Json, String> {
        let (found, place) = match &self.source {
            Source::Path(path) => (body.and_then(|body| at(body, path)).cloned(), format!("at `{path}`")),
            Source::Header(name) => {
                let header = headers.get(&**name).and_then(|value| value.to_str().ok());
                (header.map(Json::text), format!("in the header `{name}`"))
            }
        };
        let blank = |value: &Json| matches!(value, Json::Null) || value.to_text().trim().is_empty();
        let Some(value) = found.filter(|value| !blank(value)) else {
            return Err(format!("the answer has no `{}` {place}", self.name));
        };
        let Some(pattern) = &self.pattern else { return Ok(value) };
        let text = value.to_text();
        let taken = pattern.captures(&text).and_then(|groups| groups.get(1).or_else(|| groups.get(0)));
        taken.map(|taken| Json::text(taken.as_str())).ok_or_else(|| {
            format!("the answer has `{}` {place}, and it does not match `{}`", self.name, pattern.as_str())
        })
    }
}

/// All of them, or the first that is not there.
pub(in crate::activity::web) fn find_all(
    variables: &[Variable],
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Vec<Named>, String> {
    let needs_body = variables.iter().any(Variable::is_of_body);
    let body = if needs_body { Some(read(body)?) } else { None };
    let find = |variable: &Variable| Ok((variable.name.clone(), variable.find(headers, body.as_ref())?));
    variables.iter().map(find).collect()
}

fn read(body: &[u8]) -> Result<Json, String> {
    let text = std::str::from_utf8(body).map_err(|_| "the answer is no UTF-8".to_owned())?;
    if text.trim().is_empty() {
        return Ok(Json::Null);
    }
    Json::parse(text).map_err(|error| format!("the answer is no JSON: {error}"))
}

fn at<'a>(json: &'a Json, path: &ValuePath) -> Option<&'a Json> {
    path.segments().iter().try_fold(json, |json, segment| match json {
        Json::Array(elements) => elements.get(segment.index?),
        other => other.member(&segment.name),
    })
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;
    use crate::document::Limits;

    fn found(written: &str, body: &str) -> Result<String, String> {
        let element = Element::parse(format!("<create>{written}</create>").as_bytes(), &Limits::default()).unwrap();
        let variables = variables(&mut element.fields()).map_err(|error| error.to_string())?;
        let mut headers = HeaderMap::new();
        headers.insert("location", HeaderValue::from_static("https://api/syncs/6"));
        let all = find_all(&variables, &headers, body.as_bytes())?;
        Ok(all.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn a_value_is_found_in_the_body_and_in_headers() {
        let body = r#"{"job": {"ids": [12345678901234567890, "b"]}, "uri": "/syncs/7"}"#;
        let both = r#"<variable name="a" path="job.ids.0"/><variable name="b" header="Location" match="[0-9]+$"/>"#;
        assert_eq!(found(both, body).unwrap(), r#"a=12345678901234567890 b="6""#);
        assert_eq!(found(r#"<variable name="s" path="uri" match="/syncs/(\d+)$"/>"#, body).unwrap(), r#"s="7""#);
    }

    #[test]
    fn what_is_not_there_is_told_with_its_place() {
        let id = r#"<variable name="id" path="job.id"/>"#;
        for body in ["{}", "", r#"{"job":{"id":null}}"#, r#"{"job":{"id":" "}}"#] {
            assert_eq!(found(id, body).unwrap_err(), "the answer has no `id` at `job.id`");
        }
        assert!(found(id, "<html>").unwrap_err().starts_with("the answer is no JSON: "));
        let other = r#"<variable name="id" path="id" match="^[0-9]+$"/>"#;
        assert!(found(other, r#"{"id":"x"}"#).unwrap_err().ends_with("it does not match `^[0-9]+$`"));
    }

    #[test]
    fn a_variable_has_one_place() {
        for written in [r#"<variable name="a"/>"#, r#"<variable name="a" path="b" header="c"/>"#] {
            assert!(found(written, "{}").unwrap_err().contains("contradictory `variable`"));
        }
        let twice = r#"<variable name="a" path="b"/><variable name="a" path="c"/>"#;
        assert!(found(twice, "{}").unwrap_err().contains("another variable `a`"));
        assert!(
            found(r#"<variable name="a" path="b" match="("/>"#, "{}").unwrap_err().contains("no regular expression")
        );
    }
}
