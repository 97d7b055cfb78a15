use std::cell::OnceCell;
use std::collections::HashMap;

use cel::Value;
use http::HeaderMap;

use super::body::Body;
use super::size::Size;

/// What a [`Formula`](super::Formula) sees of an answer.
#[derive(Debug)]
pub struct Facts<'a> {
    body: Option<&'a str>,
    /// The body as a value: made when a formula asks for it, once.
    value: OnceCell<Option<Body>>,
    headers: &'a HeaderMap,
    status: u16,
    rows: u64,
    total: u64,
    page: u64,
    key: &'a str,
}

impl<'a> Facts<'a> {
    /// Of an answer with this body, if it is JSON; otherwise it is `null` in formulas.
    #[must_use]
    pub fn new(body: Option<&'a str>, headers: &'a HeaderMap, status: u16) -> Self {
        Self { body, value: OnceCell::new(), headers, status, rows: 0, total: 0, page: 0, key: "" }
    }

    /// How many records it holds, how many came altogether, and which page it is, from 1.
    #[must_use]
    pub fn with_counts(self, rows: u64, total: u64, page: u64) -> Self {
        Self { rows, total, page, ..self }
    }

    /// The value of the session key.
    #[must_use]
    pub fn with_key(self, key: &'a str) -> Self {
        Self { key, ..self }
    }

    pub(super) fn variable(&self, name: &str) -> Value {
        match name {
            "body" => self.body().cloned().unwrap_or(Value::Null),
            "headers" => self.headers().into(),
            "status" => Value::Int(self.status.into()),
            "rows" => number(self.rows),
            "total" => number(self.total),
            "page" => number(self.page),
            _ => self.key.into(),
        }
    }

    /// The body; `None` if it is JSON that no value can hold: numbers beyond the reals, more than 128 levels.
    pub(super) fn body(&self) -> Option<&Value> {
        self.made().map(|body| &body.value)
    }

    /// How large the body is; nothing if no formula has asked for it.
    pub(super) fn size(&self) -> Size {
        self.value.get().and_then(Option::as_ref).map_or_else(Size::default, |body| body.size)
    }

    /// How large a variable is.
    pub(super) fn size_of(&self, name: &str) -> Size {
        match name {
            "body" => self.size(),
            "key" => Size::of_text(self.key),
            "headers" => {
                let mut size = Size::SCALAR;
                for (name, value) in self.headers {
                    size.insert(Size::of_text(name.as_str()));
                    // What is not UTF-8 becomes marks of three bytes.
                    size.insert(Size::of_text(&String::from_utf8_lossy(value.as_bytes())));
                }
                size.of_length(self.headers.len())
            }
            _ => Size::SCALAR,
        }
    }

    fn made(&self) -> Option<&Body> {
        let value = self.value.get_or_init(|| match self.body.filter(|body| !body.trim().is_empty()) {
            None => Some(Body::from(Value::Null)),
            Some(body) => serde_json::from_str(body).ok(),
        });
        value.as_ref()
    }

    /// By their names in lower case. Of several of one name the last counts, as with the session key.
    fn headers(&self) -> HashMap<String, String> {
        let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        self.headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect()
    }
}

/// What is written in a formula without a suffix is signed, and so are the counts.
fn number(count: u64) -> Value {
    Value::Int(i64::try_from(count).unwrap_or(i64::MAX))
}
