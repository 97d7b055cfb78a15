//! Files of properties in the form of Java (`java.util.Properties`), such as the `.pull` files of DIL. They are UTF-8.

use std::iter::Peekable;
use std::path::Path;
use std::str::Chars;

use super::DefaultProperty;
use crate::document::read_whole;

/// The most bytes of a file.
const LONGEST: u64 = 1024 * 1024;

/// Reads a file; where it gives a key twice, both are told, in their order.
///
/// # Errors
///
/// What is wrong: `FILE:LINE: what`.
pub(super) fn read(path: &Path) -> Result<Vec<DefaultProperty>, String> {
    let shown = path.display();
    let bytes =
        read_whole(path, LONGEST).map_err(|error| format!("{shown}: the properties file can't be read: {error}"))?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let line =
            1 + error.as_bytes()[..error.utf8_error().valid_up_to()].iter().filter(|byte| **byte == b'\n').count();
        format!("{shown}:{line}: the file is not UTF-8; write other characters as `\\uXXXX`")
    })?;
    let entries = parse(&text).map_err(|Problem { line, message }| format!("{shown}:{line}: {message}"))?;
    // A client may see where a property stands, but not how the folders are called.
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    let property = |entry: Entry| DefaultProperty {
        key: entry.key.into(),
        value: entry.value.into(),
        place: format!("{name}:{}", entry.line).into(),
    };
    Ok(entries.into_iter().map(property).collect())
}

/// A key and its value.
#[derive(Debug, PartialEq, Eq)]
struct Entry {
    key: String,
    value: String,
    /// The line of the key, from 1.
    line: usize,
}

#[derive(Debug, PartialEq, Eq)]
struct Problem {
    line: usize,
    message: String,
}

fn parse(text: &str) -> Result<Vec<Entry>, Problem> {
    let mut reader = Reader { rest: text.strip_prefix('\u{feff}').unwrap_or(text).chars().peekable(), line: 1 };
    let mut entries = Vec::new();
    while reader.find_entry() {
        let line = reader.line;
        let key = reader.word(Part::Key)?;
        reader.skip_separator();
        entries.push(Entry { key, value: reader.word(Part::Value)?, line });
    }
    Ok(entries)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Key,
    Value,
}

struct Reader<'a> {
    rest: Peekable<Chars<'a>>,
    line: usize,
}

impl Reader<'_> {
    /// Goes to the first character of the next entry, past blank lines and comments.
    fn find_entry(&mut self) -> bool {
        loop {
            self.skip_blanks();
            match self.rest.peek() {
                None => return false,
                Some('#' | '!') => while !self.at_end_of_line() && self.rest.next().is_some() {},
                Some('\n' | '\r') => self.end_line(),
                Some(_) => return true,
            }
        }
    }

    fn at_end_of_line(&mut self) -> bool {
        matches!(self.rest.peek(), None | Some('\n' | '\r'))
    }

    /// Reads over one end of a line, in any of its three forms.
    fn end_line(&mut self) {
        if self.rest.next() == Some('\r') {
            self.rest.next_if_eq(&'\n');
        }
        self.line += 1;
    }

    fn skip_blanks(&mut self) {
        while self.rest.next_if(|next| is_blank(*next)).is_some() {}
    }

    /// Blanks, one `=` or `:`, blanks; blanks alone are a separator as well. An end of a line that is escaped is a blank.
    fn skip_separator(&mut self) {
        self.skip_blanks_and_ends();
        if self.rest.next_if(|next| matches!(next, '=' | ':')).is_some() {
            self.skip_blanks_and_ends();
        }
    }

    fn skip_blanks_and_ends(&mut self) {
        loop {
            self.skip_blanks();
            let mut ahead = self.rest.clone();
            if ahead.next() != Some('\\') || !matches!(ahead.peek(), Some('\n' | '\r')) {
                return;
            }
            self.rest.next();
            self.end_line();
        }
    }

    fn word(&mut self, part: Part) -> Result<String, Problem> {
        let mut word = String::new();
        while let Some(next) = self.rest.peek().copied() {
            match next {
                '\n' | '\r' => break,
                '=' | ':' if part == Part::Key => break,
                blank if part == Part::Key && is_blank(blank) => break,
                '\\' => {
                    self.rest.next();
                    self.escaped(&mut word)?;
                }
                plain => {
                    self.rest.next();
                    word.push(plain);
                }
            }
        }
        Ok(word)
    }

    /// What stands behind a backslash.
    fn escaped(&mut self, word: &mut String) -> Result<(), Problem> {
        match self.rest.peek() {
            // At the end of the file it means nothing.
            None => return Ok(()),
            Some('\n' | '\r') => {
                self.end_line();
                self.skip_blanks();
                return Ok(());
            }
            Some(_) => {}
        }
        match self.rest.next() {
            Some('t') => word.push('\t'),
            Some('n') => word.push('\n'),
            Some('r') => word.push('\r'),
            Some('f') => word.push('\u{c}'),
            Some('u') => word.push(self.unicode()?),
            other => word.extend(other),
        }
        Ok(())
    }

    /// The character of `\uXXXX`, or of two of them that are one (UTF-16).
    fn unicode(&mut self) -> Result<char, Problem> {
        let first = self.unit()?;
        let mut units = vec![first];
        if (0xd800..0xdc00).contains(&first) && self.rest.next_if_eq(&'\\').is_some() {
            self.rest.next_if_eq(&'u').ok_or_else(|| self.wrong_unicode())?;
            units.push(self.unit()?);
        }
        let character = char::decode_utf16(units).next();
        character.and_then(Result::ok).ok_or_else(|| self.wrong_unicode())
    }

    fn unit(&mut self) -> Result<u16, Problem> {
        let mut unit = 0;
        for _ in 0..4 {
            let digit = self.rest.next().and_then(|next| next.to_digit(16)).ok_or_else(|| self.wrong_unicode())?;
            unit = unit << 4 | digit;
        }
        u16::try_from(unit).map_err(|_| self.wrong_unicode())
    }

    fn wrong_unicode(&self) -> Problem {
        let message =
            "behind `\\u` four hexadecimal digits were expected, which are a character; a backslash is written `\\\\`";
        Problem { line: self.line, message: message.to_owned() }
    }
}

fn is_blank(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\u{c}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(text: &str) -> Vec<(String, String, usize)> {
        parse(text).unwrap().into_iter().map(|entry| (entry.key, entry.value, entry.line)).collect()
    }

    fn pairs(text: &str) -> Vec<(String, String)> {
        entries(text).into_iter().map(|(key, value, _)| (key, value)).collect()
    }

    #[track_caller]
    fn is(text: &str, key: &str, value: &str) {
        assert_eq!(pairs(text), [(key.to_owned(), value.to_owned())], "{text:?}");
    }

    #[test]
    fn every_separator_separates() {
        for text in ["k=v", "k:v", "k v", "  k = v", "k\t:\u{c}v", "\u{feff}k=v\r\n", "k   v\r"] {
            is(text, "k", "v");
        }
        is("k==v", "k", "=v");
        is("k : = v", "k", "= v");
        is("k", "k", "");
        is("k =", "k", "");
        is("=v", "", "v");
        is("k=v ", "k", "v ");
    }

    #[test]
    fn a_backslash_takes_the_meaning_away_or_gives_one() {
        is("a\\ b\\=\\:c=v", "a b=:c", "v");
        is("k=\\t\\n\\r\\f\\\\\\x\\\"", "k", "\t\n\r\u{c}\\x\"");
        is("k=\\u00e9\\uD83D\\uDE00é", "k", "é😀é");
        is("\\#k=v", "#k", "v");
        is("k=\\  v", "k", "  v");
        is("k=v\\", "k", "v");
    }

    #[test]
    fn a_line_goes_on_behind_a_backslash_at_its_end() {
        is("fruits   apple, banana, \\\n         pear, \\\r\n  #plum", "fruits", "apple, banana, pear, #plum");
        is("k=a\\\\\\\n  b", "k", "a\\b");
        is("k\\\n  = v", "k", "v");
        is("k \\\n  = \\\n v", "k", "v");
        assert_eq!(pairs("k=a\\\\\nb=c"), [("k".into(), "a\\".into()), ("b".into(), "c".into())]);
        assert_eq!(pairs("k=a\\\n\nb=c"), [("k".into(), "a".into()), ("b".into(), "c".into())]);
    }

    #[test]
    fn comments_and_blank_lines_are_nothing_and_lines_are_counted() {
        let text = "# one \\\n ! two\r\n\n \t \na=1\rb=2\\\n 3\n\nc=4";
        let found = [("a", "1", 5), ("b", "23", 6), ("c", "4", 9)];
        assert_eq!(entries(text), found.map(|(key, value, line)| (key.to_owned(), value.to_owned(), line)));
    }

    #[test]
    fn a_json_value_is_kept_as_it_is() {
        let json = r#"{"name": "result.status", "condition": {"regexp": "^done$"}}"#;
        is(&format!("ms.session.key.field={json}"), "ms.session.key.field", json);
    }

    #[test]
    fn a_character_that_is_none_is_refused_with_its_line() {
        for wrong in ["\\u12", "\\u12g4", "\\uD83D", "\\uD83D\\n", "\\uDE00", "\\uD83D\\u0041", "\\u+123"] {
            assert_eq!(parse(&format!("a=b\nk={wrong}\n")).expect_err(wrong).line, 2);
        }
    }

    #[test]
    fn a_file_is_read_with_its_places_or_told_what_is_wrong() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("salesforce.pull");
        std::fs::write(&path, "# Salesforce\nms.call.interval.millis=5000\n").unwrap();
        let found = read(&path).unwrap();
        assert_eq!((&*found[0].key, &*found[0].value), ("ms.call.interval.millis", "5000"));
        assert_eq!(&*found[0].place, "salesforce.pull:2");
        for (content, told) in [
            (b"a=b\nk=\\u00\n".to_vec(), "salesforce.pull:2: behind `\\u`"),
            (b"a=b\n\nk=\xff".to_vec(), "salesforce.pull:3: the file is not UTF-8"),
            (vec![b'#'; 1024 * 1024 + 1], "it has more than 1048576 bytes"),
        ] {
            std::fs::write(&path, content).unwrap();
            let error = read(&path).unwrap_err();
            assert!(error.contains(told), "{error}");
        }
        assert!(read(&folder.path().join("none")).unwrap_err().contains("none: the properties file can't be read"));
    }
}
