//! The words of a statement, without its comments.

/// A part of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word<'a> {
    /// A keyword or a name.
    Name(&'a str),
    /// A name in quotes.
    Quoted,
    /// `.`.
    Dot,
    /// `;`.
    End,
    /// `(`.
    Open,
    /// `)`.
    Close,
    /// A variable, of a user or of the system: `@name`, `@@name`.
    Variable,
    /// `:name`.
    NamedParameter,
    /// Anything else: a number, a text, an operator.
    Other,
}

/// Reads the words of a statement of MariaDB or MySQL, in their modes without `ANSI_QUOTES` and `NO_BACKSLASH_ESCAPES`.
///
/// What stands in an *executable comment* (`/*! … */`, `/*M! … */`) is read as the server may read it: as part of the
/// statement.
#[derive(Debug)]
pub(super) struct Words<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Words<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// Whether anything follows a `;`.
    pub(super) fn are_several(mut self) -> bool {
        self.any(|word| word == Word::End) && self.any(|word| word != Word::End)
    }

    fn rest(&self) -> &'a [u8] {
        &self.text.as_bytes()[self.at..]
    }

    /// Skips blanks and comments.
    fn skip(&mut self) {
        loop {
            let rest = self.rest();
            match rest {
                [blank, ..] if blank.is_ascii_whitespace() => self.at += 1,
                [b'#', ..] => self.skip_line(),
                [b'-', b'-', blank, ..] if blank.is_ascii_whitespace() || blank.is_ascii_control() => self.skip_line(),
                [b'/', b'*', b'!', ..] => self.skip_mark(3),
                [b'/', b'*', b'M', b'!', ..] => self.skip_mark(4),
                [b'/', b'*', ..] => {
                    let end = rest[2..].windows(2).position(|pair| pair == b"*/");
                    self.at += end.map_or(rest.len(), |end| end + 4);
                }
                // A comment that nothing follows; the end of an executable one.
                [b'-', b'-'] | [b'*', b'/', ..] => self.at += 2,
                _ => return,
            }
        }
    }

    fn skip_line(&mut self) {
        let rest = self.rest();
        self.at += memchr::memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
    }

    /// The beginning of an executable comment, with the version that it is for.
    fn skip_mark(&mut self, length: usize) {
        self.at += length;
        self.at += self.rest().iter().take_while(|byte| byte.is_ascii_digit()).count();
    }

    /// The end of a quoted text or name that begins here.
    fn quoted(&self, quote: u8) -> usize {
        let rest = self.rest();
        let mut end = 1;
        while end < rest.len() {
            match rest[end] {
                b'\\' if quote != b'`' => end += 2,
                byte if byte == quote && rest.get(end + 1) == Some(&quote) => end += 2,
                byte if byte == quote => return end + 1,
                _ => end += 1,
            }
        }
        rest.len()
    }

    fn name_length(&self, from: usize) -> usize {
        self.rest()[from..].iter().take_while(|byte| is_name(**byte)).count()
    }
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || !byte.is_ascii()
}

impl<'a> Iterator for Words<'a> {
    type Item = Word<'a>;

    fn next(&mut self) -> Option<Word<'a>> {
        self.skip();
        let begin = self.at;
        let (length, word) = match *self.rest() {
            [] => return None,
            [b'(', ..] => (1, Word::Open),
            [b')', ..] => (1, Word::Close),
            [quote @ (b'\'' | b'"'), ..] => (self.quoted(quote), Word::Other),
            [b'`', ..] => (self.quoted(b'`'), Word::Quoted),
            [b'.', ..] => (1, Word::Dot),
            [b';', ..] => (1, Word::End),
            [b'@', ..] => (1, Word::Variable),
            [b':', b'a'..=b'z' | b'_', ..] => (1 + self.name_length(1), Word::NamedParameter),
            [byte, ..] if is_name(byte) => {
                let length = self.name_length(0);
                (length, Word::Name(&self.text[begin..begin + length]))
            }
            _ => (1, Word::Other),
        };
        self.at = begin + length;
        Some(word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<&str> {
        Words::of(text).filter_map(|word| if let Word::Name(name) = word { Some(name) } else { None }).collect()
    }

    #[test]
    fn comments_and_texts_have_no_words() {
        assert_eq!(names("a /* b */ c -- d\n'e' \"f\" # g\nh `i`"), ["a", "c", "h"]);
        assert_eq!(names("'it''s' a 'b\\' c' d"), ["a", "d"]);
        assert_eq!(names("a--b"), ["a", "b"], "that is no comment");
        assert_eq!(names("a /*!50000 b */ c /*M! d */"), ["a", "b", "c", "d"]);
    }

    #[test]
    fn a_text_that_is_cut_off_ends_with_it() {
        for text in ["'a", "`a", "/* a", "a --", "'a\\", "/*!", "\"", ":"] {
            assert!(Words::of(text).count() <= 2, "{text}");
        }
    }

    #[test]
    fn several_statements_are_told_from_one() {
        assert!(Words::of("a; b").are_several());
        for one in ["a", "a;", "a; -- b", "'a; b'", ";;"] {
            assert!(!Words::of(one).are_several(), "{one}");
        }
    }

    #[test]
    fn variables_and_named_parameters_are_told_from_names() {
        let words: Vec<_> = Words::of("@a :b := (1)").collect();
        assert_eq!(words[..3], [Word::Variable, Word::Name("a"), Word::NamedParameter]);
        assert!(words[3..].iter().all(|word| !matches!(word, Word::Variable | Word::NamedParameter)));
    }
}
