//! CSV in other people's dialects, turned into the one that is read: double quotes, doubled inside of a field.

use std::borrow::Cow;

use crate::ingest::settings::CsvPage;

/// The text without the lines that are left out, and the line that names the columns if there is one.
pub(super) fn cut<'a>(text: &'a str, dialect: &CsvPage) -> (Option<&'a str>, &'a str) {
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    let mut rest = text;
    let mut header = None;
    for line in 0..dialect.skip_lines {
        let (first, behind) = rest.split_once('\n').unwrap_or((rest, ""));
        if dialect.header_line == Some(line) {
            header = Some(first.strip_suffix('\r').unwrap_or(first));
        }
        rest = behind;
    }
    (header, rest)
}

/// The text with its quotes as they are expected.
pub(super) fn with_usual_quotes<'a>(text: &'a str, dialect: &CsvPage) -> Cow<'a, str> {
    let (quote, escape) = (char::from(dialect.quote), dialect.escape.map(char::from));
    let escape = escape.filter(|escape| *escape != quote);
    if quote == '"' && !escape.is_some_and(|escape| text.contains(escape)) {
        return Cow::Borrowed(text);
    }
    let mut usual = String::with_capacity(text.len() + text.len() / 8);
    let separator = char::from(dialect.separator);
    let mut characters = text.chars().peekable();
    let mut is_quoted = false;
    let mut is_start = true;
    while let Some(character) = characters.next() {
        if is_start && character == quote && !is_quoted {
            is_quoted = true;
            usual.push('"');
        } else if is_quoted && character == quote {
            if characters.next_if_eq(&quote).is_some() {
                usual.push(quote);
                if quote == '"' {
                    usual.push('"');
                }
            } else {
                is_quoted = false;
                usual.push('"');
            }
        } else if Some(character) == escape && is_quoted {
            let escaped = characters.next().unwrap_or(character);
            usual.push(escaped);
            if escaped == '"' {
                usual.push('"');
            }
        } else {
            usual.push(character);
            if character == '"' && is_quoted {
                usual.push('"');
            }
        }
        is_start = !is_quoted && (character == separator || character == '\n');
    }
    Cow::Owned(usual)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_left_out_and_one_of_them_names_the_columns() {
        let dialect = CsvPage { skip_lines: 2, header_line: Some(1), ..CsvPage::default() };
        assert_eq!(cut("\u{FEFF}# made\r\na,b\r\n1,2\r\n", &dialect), (Some("a,b"), "1,2\r\n"));
        assert_eq!(cut("# made\na,b", &dialect), (Some("a,b"), ""));
        assert_eq!(cut("", &dialect), (Some(""), ""));
    }

    #[test]
    fn other_quotes_become_the_usual_ones() {
        let single = CsvPage { quote: b'\'', ..CsvPage::default() };
        assert_eq!(
            with_usual_quotes("'a,b',c\n'say ''hi'' \"x\"',\n", &single),
            "\"a,b\",c\n\"say 'hi' \"\"x\"\"\",\n"
        );
        let escaped = CsvPage { escape: Some(b'\\'), ..CsvPage::default() };
        assert_eq!(with_usual_quotes("\"a \\\" b\\\\\",c\n", &escaped), "\"a \"\" b\\\",c\n");
        assert!(matches!(with_usual_quotes("\"a\"\"\"\n", &CsvPage::default()), Cow::Borrowed(_)));
    }
}
