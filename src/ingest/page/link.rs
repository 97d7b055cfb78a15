//! Where an answer says that the next page is.

use http::HeaderMap;

/// The target of the relation `next` in the headers `Link` (RFC 8288, section 3), as it is written there.
pub(super) fn next_of_headers(headers: &HeaderMap) -> Option<String> {
    headers.get_all("link").iter().filter_map(|value| value.to_str().ok()).find_map(next_of_header)
}

fn next_of_header(header: &str) -> Option<String> {
    let mut rest = header;
    while let Some((_, behind)) = rest.split_once('<') {
        let (target, behind) = behind.split_once('>')?;
        let (parameters, following) = parameters(behind);
        if parameters.iter().any(|(name, value)| name == "rel" && is_next(value)) {
            return Some(target.trim().to_owned());
        }
        rest = following;
    }
    None
}

fn is_next(relations: &str) -> bool {
    relations.split_ascii_whitespace().any(|relation| relation.eq_ignore_ascii_case("next"))
}

/// The parameters of a link, `;name="value"`, and what stands behind the comma after them.
fn parameters(text: &str) -> (Vec<(String, String)>, &str) {
    let mut parameters = Vec::new();
    let mut rest = text.trim_start();
    while let Some(behind) = rest.strip_prefix(';') {
        let end = behind.find(['=', ';', ',']).unwrap_or(behind.len());
        let name = behind[..end].trim().to_ascii_lowercase();
        rest = behind[end..].trim_start();
        let mut value = String::new();
        if let Some(written) = rest.strip_prefix('=') {
            (value, rest) = parameter_value(written.trim_start());
        }
        parameters.push((name, value));
        rest = rest.trim_start();
    }
    (parameters, rest.strip_prefix(',').unwrap_or(rest))
}

fn parameter_value(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([';', ',']).unwrap_or(text.len());
        return (text[..end].trim().to_owned(), &text[end..]);
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return (value, &quoted[at + 1..]),
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            other => value.push(other),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn the_link_with_the_relation_next_is_found() {
        for (header, expected) in [
            (
                "<https://api/x?page=2>; rel=\"next\", <https://api/x?page=9>; rel=\"last\"",
                Some("https://api/x?page=2"),
            ),
            ("</x?a=1,2>; rel=prev, <?page=3>;title=\"a, <b>\";rel=next", Some("?page=3")),
            ("<a>; rel=\"first NEXT\"", Some("a")),
            ("<a>; title=\"rel=next\"", None),
            ("<a>; rel=\"last", None),
            ("<a", None),
            ("", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.append("link", HeaderValue::from_static("<self>; rel=self"));
            headers.append("link", HeaderValue::from_str(header).unwrap());
            assert_eq!(next_of_headers(&headers).as_deref(), expected, "{header}");
        }
    }
}
