//! The query parameters of a request.

use axum::extract::Query;
use http::Uri;

use super::refusal::Refusal;
use crate::document::nearest;

/// The query parameters of a request: each is one of those that its route knows, and stands there once.
#[derive(Debug)]
pub(super) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// Reads the query of a URI.
    ///
    /// # Errors
    ///
    /// 400 `RequestInvalid` for a parameter that is not `known`, with the nearest that is, or that stands there twice.
    pub(super) fn read(uri: &Uri, known: &[&str]) -> Result<Self, Refusal> {
        if uri.query().is_none() {
            return Ok(Self(Vec::new()));
        }
        let Query(parameters) = Query::<Vec<(String, String)>>::try_from_uri(uri)
            .map_err(|_| invalid("the query can't be read: it has to be ?NAME=VALUE&NAME=VALUE"))?;
        for (index, (name, _)) in parameters.iter().enumerate() {
            if !known.contains(&name.as_str()) {
                return Err(invalid(&unknown(name, known)));
            }
            if parameters[..index].iter().any(|(earlier, _)| earlier == name) {
                return Err(invalid(&format!("the query parameter `{name}` stands there twice")));
            }
        }
        Ok(Self(parameters))
    }

    /// The value of a parameter.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The value of a parameter as what `read` makes of it.
    ///
    /// # Errors
    ///
    /// 400 `RequestInvalid` with what was expected, when it makes nothing of it.
    pub(super) fn parse<T>(
        &self,
        name: &str,
        expected: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Refusal> {
        let Some(value) = self.get(name) else { return Ok(None) };
        match read(value) {
            Some(value) => Ok(Some(value)),
            None => Err(invalid(&format!("the query parameter `{name}` has to be {expected}"))),
        }
    }
}

/// 400 `RequestInvalid`.
pub(super) fn invalid(message: &str) -> Refusal {
    Refusal::new(400, "RequestInvalid", message)
}

fn unknown(name: &str, known: &[&str]) -> String {
    let hint = match nearest(name, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => "this path takes none".to_owned(),
        None => format!("there are {}", known.join(", ")),
    };
    format!("there is no query parameter `{name}` here; {hint}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Result<Parameters, Refusal> {
        Parameters::read(&format!("/x?{query}").parse().unwrap(), &["owner", "limit"])
    }

    #[test]
    fn parameters_are_read_by_name() {
        let parameters = read("limit=10&owner=a%20b").unwrap();
        assert_eq!((parameters.get("owner"), parameters.get("limit")), (Some("a b"), Some("10")));
        assert_eq!(parameters.parse("limit", "a number", |value| value.parse().ok()).unwrap(), Some(10));
        assert!(parameters.parse("owner", "a number", |value| value.parse::<u8>().ok()).is_err());
        assert!(read("").unwrap().get("owner").is_none());
    }

    #[test]
    fn what_the_route_does_not_know_is_refused_with_the_nearest_name() {
        for (query, why) in [
            ("onwer=a", "there is no query parameter `onwer` here; did you mean `owner`?"),
            ("x=1", "there is no query parameter `x` here; there are owner, limit"),
            ("owner=a&owner=b", "the query parameter `owner` stands there twice"),
        ] {
            let refusal = format!("{:?}", read(query).unwrap_err());
            assert!(refusal.contains(why), "{query}: {refusal}");
        }
    }
}
