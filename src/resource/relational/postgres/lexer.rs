//! The tokens of PostgreSQL's SQL, as far as it matters where they begin and end.
//!
//! The rules are those of "Lexical Structure" in PostgreSQL's documentation. What is not closed goes on to the end of the text:
//! the server says what is wrong with it.

use std::ops::Range;

use memchr::memmem;

/// A token of a statement. Spaces and comments are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    /// `?`.
    Placeholder,
    /// `??`.
    QuestionMark,
    /// `$1`.
    Numbered,
    /// A key word or a name without quotes.
    Word,
    /// `(`.
    Open,
    /// `)`.
    Close,
    /// `;`.
    Semicolon,
    /// Anything else.
    Other,
}

/// Gives the tokens of a statement, each with its place in bytes.
#[derive(Debug)]
pub(super) struct Lexer<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text: text.as_bytes(), at: 0 }
    }

    fn byte(&self, offset: usize) -> u8 {
        self.text.get(self.at + offset).copied().unwrap_or(0)
    }

    fn skip_spaces_and_comments(&mut self) {
        loop {
            match (self.byte(0), self.byte(1)) {
                (b'-', b'-') => self.at = self.end_of_line(),
                (b'/', b'*') => self.skip_block_comment(),
                (byte, _) if byte.is_ascii_whitespace() || byte == 0x0B => self.at += 1,
                _ => return,
            }
        }
    }

    fn end_of_line(&self) -> usize {
        memchr::memchr2(b'\n', b'\r', &self.text[self.at..]).map_or(self.text.len(), |end| self.at + end)
    }

    /// Comments may stand in comments.
    fn skip_block_comment(&mut self) {
        let mut depth = 0_usize;
        while self.at < self.text.len() {
            match (self.byte(0), self.byte(1)) {
                (b'/', b'*') => {
                    depth += 1;
                    self.at += 2;
                }
                (b'*', b'/') => {
                    depth -= 1;
                    self.at += 2;
                    if depth == 0 {
                        return;
                    }
                }
                _ => self.at += 1,
            }
        }
    }

    /// Goes behind a quoted piece whose first quote is at this place. Two quotes stand for one.
    fn skip_quoted(&mut self, quote: u8, has_backslashes: bool) {
        self.at += 1;
        while self.at < self.text.len() {
            match self.byte(0) {
                b'\\' if has_backslashes => self.at += 2,
                byte if byte == quote => {
                    self.at += 1;
                    if self.byte(0) != quote {
                        return;
                    }
                    self.at += 1;
                }
                _ => self.at += 1,
            }
        }
        self.at = self.text.len();
    }

    /// Goes to the quote that goes on with the text before it, which it does in another line; comments to the end of a line may
    /// stand between.
    fn is_continued(&mut self) -> bool {
        let (mut at, mut has_line) = (self.at, false);
        loop {
            match self.text.get(at) {
                Some(b'\n' | b'\r') => (at, has_line) = (at + 1, true),
                Some(byte) if byte.is_ascii_whitespace() || *byte == 0x0B => at += 1,
                Some(b'-') if self.text.get(at + 1) == Some(&b'-') => {
                    at = memchr::memchr2(b'\n', b'\r', &self.text[at..]).map_or(self.text.len(), |end| at + end);
                }
                Some(b'\'') if has_line => {
                    self.at = at;
                    return true;
                }
                _ => return false,
            }
        }
    }

    fn word(&mut self) -> Token {
        let start = self.at;
        while is_in_word(self.byte(0)) {
            self.at += 1;
        }
        if self.byte(0) == b'\'' && self.at == start + 1 && matches!(self.text[start], b'e' | b'E') {
            self.skip_quoted(b'\'', true);
            while self.is_continued() {
                self.skip_quoted(b'\'', true);
            }
            return Token::Other;
        }
        Token::Word
    }

    /// `$1`, `$$…$$`, `$tag$…$tag$`, or a dollar.
    fn dollar(&mut self) -> Token {
        let rest = &self.text[self.at..];
        let tag = rest[1..].iter().take_while(|byte| is_in_word(**byte) && **byte != b'$').count();
        if self.byte(1).is_ascii_digit() {
            self.at += 1 + rest[1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
            return Token::Numbered;
        }
        let mark = &rest[..=tag];
        if rest.get(tag + 1) == Some(&b'$') {
            let mark = &rest[..=mark.len()];
            let end = memmem::find(&rest[mark.len()..], mark).map_or(rest.len(), |end| end + 2 * mark.len());
            self.at += end;
        } else {
            self.at += 1;
        }
        Token::Other
    }

    fn token(&mut self) -> Token {
        let one = |lexer: &mut Self, token| {
            lexer.at += 1;
            token
        };
        match self.byte(0) {
            b'\'' => self.skip_quoted(b'\'', false),
            b'"' => self.skip_quoted(b'"', false),
            b'$' => return self.dollar(),
            b'?' if self.byte(1) == b'?' => {
                self.at += 2;
                return Token::QuestionMark;
            }
            b'?' => return one(self, Token::Placeholder),
            b'(' => return one(self, Token::Open),
            b')' => return one(self, Token::Close),
            b';' => return one(self, Token::Semicolon),
            byte if begins_word(byte) => return self.word(),
            byte if byte.is_ascii_digit() => {
                // `1e5` and `0x1f` are numbers; a word can't begin with a digit.
                while is_in_word(self.byte(0)) && self.byte(0) != b'$' {
                    self.at += 1;
                }
            }
            _ => self.at += 1,
        }
        Token::Other
    }
}

impl Iterator for Lexer<'_> {
    type Item = (Token, Range<usize>);

    fn next(&mut self) -> Option<Self::Item> {
        self.skip_spaces_and_comments();
        let start = self.at;
        if start >= self.text.len() {
            return None;
        }
        let token = self.token();
        self.at = self.at.min(self.text.len());
        Some((token, start..self.at))
    }
}

fn begins_word(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80
}

fn is_in_word(byte: u8) -> bool {
    begins_word(byte) || byte.is_ascii_digit() || byte == b'$'
}
