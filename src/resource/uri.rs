//! What data resources have in common in reading their URIs, and what an error may say of one.

/// The scheme of a URI, without the colon, if it has one.
pub(super) fn scheme_of(uri: &str) -> Option<&str> {
    let (scheme, _) = uri.split_once(':')?;
    let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    is_scheme.then_some(scheme)
}

/// The URI as an error shows it: what may hold a password is left out, which is all before the last `@` but the scheme,
/// and all behind `?`.
///
/// A password that should have been escaped may hold any character, so this takes rather more than too little.
pub(super) fn without_secrets(uri: &str) -> String {
    let scheme_end = scheme_of(uri).map_or(0, |scheme| scheme.len() + 1);
    let (scheme, rest) = uri.split_at(scheme_end);
    let (slashes, rest) = rest.split_at(if rest.starts_with("//") { 2 } else { 0 });
    let (hidden, rest) = rest.rsplit_once('@').map_or(("", rest), |(_, rest)| ("…@", rest));
    let (rest, query) = rest.split_once('?').map_or((rest, ""), |(rest, _)| (rest, "?…"));
    format!("{scheme}{slashes}{hidden}{rest}{query}")
}

/// The text with each `%XX` as the byte it stands for, if that is UTF-8.
pub(super) fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte == b'%' {
            let digits = std::str::from_utf8(after.get(..2)?).ok()?;
            if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                return None;
            }
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &after[2..];
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_hold_a_password_is_left_out() {
        for (uri, shown) in [
            ("sqlite:orders.db", "sqlite:orders.db"),
            ("postgres://user:secret@host/orders", "postgres://…@host/orders"),
            ("postgres://user:se@cret/?#@host/orders", "postgres://…@host/orders"),
            ("postgres://host/orders?user=me&password=secret", "postgres://host/orders?…"),
            ("user:secret@host", "user:…@host"),
            ("//user:secret@host", "//…@host"),
            ("secret@host", "…@host"),
        ] {
            assert_eq!(without_secrets(uri), shown);
        }
    }

    #[test]
    fn a_scheme_has_letters_first() {
        assert_eq!(scheme_of("sqlite::memory:"), Some("sqlite"));
        assert_eq!(scheme_of("a+b-c.2:x"), Some("a+b-c.2"));
        for none in ["", ":x", "orders.db", "//host:1/", "2x:y", "a b:c"] {
            assert_eq!(scheme_of(none), None, "{none}");
        }
    }
}
