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
    /// The beginning of an *executable comment* (`/*! … */`, `/*M! … */`). The version of the server decides whether what
    /// stands in it belongs to the statement.
    ExecutableComment,
    /// Anything else: a number, a text, an operator.
    Other,
}

/// Reads the words of a statement of MariaDB or MySQL, in their modes without `ANSI_QUOTES` and `NO_BACKSLASH_ESCAPES`.
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

    /// Whether a query locks the rows that it reads.
    pub(super) fn lock_rows(self) -> bool {
        let mut before = "";
        for word in self {
            let name = if let Word::Name(name) = word { name } else { "" };
            let is =
                |first: &str, second: &str| before.eq_ignore_ascii_case(first) && name.eq_ignore_ascii_case(second);
            if is("FOR", "UPDATE") || is("FOR", "SHARE") || is("LOCK", "IN") {
                return true;
            }
            before = name;
        }
        false
    }

    fn rest(&self) -> &'a [u8] {
        &self.text.as_bytes()[self.at..]
    }

    /// Skips blanks and comments.
    fn skip(&mut self) {
        loop {
            let rest = self.rest();
            match rest {
                [blank, ..] if is_blank(*blank) => self.at += 1,
                [b'#', ..] => self.skip_line(),
                [b'-', b'-', blank, ..] if is_blank(*blank) || blank.is_ascii_control() => self.skip_line(),
                [b'/', b'*', b'!', ..] | [b'/', b'*', b'M', b'!', ..] => return,
                [b'/', b'*', ..] => {
                    let end = rest[2..].windows(2).position(|pair| pair == b"*/");
                    self.at += end.map_or(rest.len(), |end| end + 4);
                }
                // A comment that nothing follows.
                [b'-', b'-'] => self.at += 2,
                _ => return,
            }
        }
    }

    fn skip_line(&mut self) {
        let rest = self.rest();
        self.at += memchr::memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
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

/// What the server takes for a blank: the vertical tab as well.
fn is_blank(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == b'\x0B'
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
            [b'/', b'*', ..] => (2, Word::ExecutableComment),
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
        assert_eq!(names("a\u{b}b --\u{b}c"), ["a", "b"]);
    }

    #[test]
    fn executable_comments_are_told_from_others() {
        let has = |text| Words::of(text).any(|word| word == Word::ExecutableComment);
        for text in ["/*!a*/", "a /*!50000 b */", "/*M!100100 a */", "/* a *//*! b */", "/*! /* a */ */"] {
            assert!(has(text), "{text}");
        }
        for text in ["/* ! a */", "/* /*! a */", "'/*! a */'", "-- /*! a */", "`/*!`", "/*+ a */", "/*m! a */"] {
            assert!(!has(text), "{text}");
        }
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
