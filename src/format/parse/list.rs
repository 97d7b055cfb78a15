//! Lists, in the form in which PostgreSQL writes arrays: `{1,2,NULL,"a b"}`.

use std::borrow::Cow;

/// Shows the items of a list to `visit`, NULL as `None`; `None` when the text is no list, or an item is refused.
pub(super) fn parse_list(text: &str, mut visit: impl FnMut(Option<&str>) -> Option<()>) -> Option<()> {
    let inside = text.strip_prefix('{')?.strip_suffix('}')?;
    if inside.trim().is_empty() {
        return Some(());
    }
    let mut rest = inside;
    loop {
        let (item, after) = next_item(rest)?;
        visit(item.as_deref())?;
        match after.strip_prefix(',') {
            Some(after) => rest = after,
            None => return after.is_empty().then_some(()),
        }
    }
}

/// The first item, and what follows it: nothing, or a comma and more.
fn next_item(text: &str) -> Option<(Option<Cow<'_, str>>, &str)> {
    let text = text.trim_start();
    if let Some(quoted) = text.strip_prefix('"') {
        let (item, after) = quoted_item(quoted)?;
        return Some((Some(item), after.trim_start()));
    }
    let end = text.find(',').unwrap_or(text.len());
    let (item, after) = text.split_at(end);
    let item = item.trim_end();
    if item.is_empty() || item.contains(['{', '}', '"', '\\']) {
        return None;
    }
    let item = (!item.eq_ignore_ascii_case("NULL")).then_some(Cow::Borrowed(item));
    Some((item, after))
}

/// An item whose opening quote has been read.
fn quoted_item(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let mut unescaped = String::new();
    let mut rest = text;
    loop {
        let end = rest.find(['"', '\\'])?;
        let (before, special) = rest.split_at(end);
        if let Some(after) = special.strip_prefix('"') {
            let item = if unescaped.is_empty() { Cow::Borrowed(before) } else { Cow::Owned(unescaped + before) };
            return Some((item, after));
        }
        let escaped = special[1..].chars().next()?;
        unescaped.push_str(before);
        unescaped.push(escaped);
        rest = &special[1 + escaped.len_utf8()..];
    }
}

/// Reads bytes as PostgreSQL writes them: `\x00ff`.
pub(super) fn parse_hexadecimal(text: &str) -> Option<Vec<u8>> {
    let digits = text.strip_prefix("\\x")?.as_bytes();
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pairs = digits.chunks(2).map(|pair| match pair {
        [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    });
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(text: &str) -> Option<Vec<Option<String>>> {
        let mut items = Vec::new();
        parse_list(text, |item| {
            items.push(item.map(str::to_owned));
            Some(())
        })?;
        Some(items)
    }

    #[test]
    fn items_are_told_from_what_quotes_them() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(items("{}"), Some(vec![]));
        assert_eq!(items("{1,null, 3 }"), Some(vec![some("1"), None, some("3")]));
        assert_eq!(
            items(r#"{"a b","null",NULL,"say \"hi\\\"","",plain}"#),
            Some(vec![some("a b"), some("null"), None, some("say \"hi\\\""), some(""), some("plain")])
        );
        for text in ["", "{", "1", "{1,}", "{,}", "{\"a}", "{\"a\"b}", "{{1}}", "{\"\\", "{a\\b}"] {
            assert_eq!(items(text), None, "{text}");
        }
    }

    #[test]
    fn bytes_are_pairs_of_digits() {
        assert_eq!(parse_hexadecimal("\\x00fF"), Some(vec![0, 255]));
        assert_eq!(parse_hexadecimal("\\x"), Some(vec![]));
        for text in ["00", "\\x0", "\\x0g", "\\xé"] {
            assert_eq!(parse_hexadecimal(text), None);
        }
    }
}
