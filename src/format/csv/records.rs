//! Comma-separated values cut into records and fields, text by text.

use super::CsvReaderOptions;
use crate::format::{FormatError, MOST_COLUMNS};

/// The longest record that is read, in bytes. What is longer is not CSV, or its last quote is missing.
pub(super) const RECORD_BYTES: usize = 16 * 1024 * 1024;

/// Cuts text into records. It goes on where it stopped, whatever the pieces are that the text comes in, and looks at every
/// byte once.
pub(super) struct Records {
    delimiter: [u8; 4],
    delimiter_length: usize,
    /// Whether quotes mean something.
    escape: bool,
    /// Which bytes may end a field without quotes, or have no place in it.
    special: [bool; 256],
    /// What has not been taken yet; the present record begins at `start`.
    text: String,
    start: usize,
    /// Where to look next.
    at: usize,
    state: State,
    fields: Vec<Field>,
    /// The line of the record, and the one that is looked at.
    line: u64,
    next_line: u64,
    /// Whether a line feed belongs to the carriage return before it.
    after_return: bool,
    is_first: bool,
}

/// Where in a field it stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before the first character of a field.
    Start,
    Plain,
    Quoted,
    /// Behind a quote in a quoted field: its end, or the first of two.
    Quote,
}

/// Where the content of a field stands.
#[derive(Debug, Clone, Copy)]
struct Field {
    start: usize,
    end: usize,
    is_quoted: bool,
    /// Whether there are doubled quotes in it.
    has_quotes: bool,
}

/// A record: its fields, and the line on which it begins.
pub(super) struct Record<'a> {
    text: &'a str,
    fields: &'a [Field],
    pub(super) line: u64,
}

impl Record<'_> {
    pub(super) fn len(&self) -> usize {
        self.fields.len()
    }

    /// Whether nothing stands on the line.
    pub(super) fn is_blank(&self) -> bool {
        matches!(self.fields, [field] if !field.is_quoted && field.start == field.end)
    }

    /// Shows a field to `visit`: its text, and whether it was quoted.
    pub(super) fn field<T>(&self, index: usize, visit: impl FnOnce(&str, bool) -> T) -> T {
        let field = self.fields[index];
        let text = &self.text[field.start..field.end];
        if field.has_quotes { visit(&text.replace("\"\"", "\""), true) } else { visit(text, field.is_quoted) }
    }
}

impl Records {
    pub(super) fn new(options: &CsvReaderOptions) -> Self {
        let mut delimiter = [0; 4];
        let delimiter_length = options.delimiter.encode_utf8(&mut delimiter).len();
        let mut special = [false; 256];
        for byte in [delimiter[0], b'\r', b'\n'] {
            special[usize::from(byte)] = true;
        }
        special[usize::from(b'"')] = options.escape;
        Self {
            delimiter,
            delimiter_length,
            escape: options.escape,
            special,
            text: String::new(),
            start: 0,
            at: 0,
            state: State::Start,
            fields: Vec::new(),
            line: 1,
            next_line: 1,
            after_return: false,
            is_first: true,
        }
    }

    /// Adds a piece of the text.
    pub(super) fn add(&mut self, text: &str) {
        if self.is_between() {
            self.fields.clear();
        }
        self.text.drain(..self.start);
        for field in &mut self.fields {
            field.start -= self.start;
            field.end -= self.start;
        }
        self.at -= self.start;
        self.start = 0;
        let mut text = text;
        if self.is_first && !text.is_empty() {
            text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
            self.is_first = false;
        }
        self.text.push_str(text);
    }

    /// The next record that is there as a whole.
    pub(super) fn next(&mut self) -> Result<Option<Record<'_>>, FormatError> {
        self.begin_record();
        while let Some(&byte) = self.text.as_bytes().get(self.at) {
            match self.state {
                State::Start => self.begin_field(byte)?,
                State::Quoted => self.pass_quoted(),
                State::Quote if byte == b'"' => {
                    if let Some(field) = self.fields.last_mut() {
                        field.has_quotes = true;
                    }
                    self.state = State::Quoted;
                    self.at += 1;
                }
                State::Plain | State::Quote => {
                    if self.end_field(byte)? {
                        return Ok(Some(Record { text: &self.text, fields: &self.fields, line: self.line }));
                    }
                }
            }
        }
        if self.text.len() - self.start > RECORD_BYTES {
            return Err(FormatError::malformed(
                "CSV",
                format!("the record at line {} is longer than 16 MiB; is a closing quote missing?", self.line),
            ));
        }
        Ok(None)
    }

    /// Whether nothing of a record has been looked at.
    fn is_between(&self) -> bool {
        self.state == State::Start && self.at == self.start
    }

    fn begin_record(&mut self) {
        if !self.is_between() {
            return;
        }
        if self.after_return
            && let Some(byte) = self.text.as_bytes().get(self.at)
        {
            self.after_return = false;
            self.at += usize::from(*byte == b'\n');
            self.start = self.at;
        }
        self.fields.clear();
        self.line = self.next_line;
    }

    fn begin_field(&mut self, byte: u8) -> Result<(), FormatError> {
        let is_quoted = byte == b'"' && self.escape;
        if self.fields.len() == MOST_COLUMNS {
            let problem = format!("the record at line {} has more than {MOST_COLUMNS} fields", self.line);
            return Err(FormatError::malformed("CSV", problem));
        }
        self.state = if is_quoted { State::Quoted } else { State::Plain };
        self.at += usize::from(is_quoted);
        self.fields.push(Field { start: self.at, end: self.at, is_quoted, has_quotes: false });
        Ok(())
    }

    /// Goes on to the next quote, or line by line.
    fn pass_quoted(&mut self) {
        let rest = &self.text.as_bytes()[self.at..];
        match memchr::memchr2(b'"', b'\n', rest) {
            Some(length) => {
                if rest[length] == b'"' {
                    self.state = State::Quote;
                } else {
                    self.next_line += 1;
                }
                self.at += length + 1;
            }
            None => self.at = self.text.len(),
        }
    }

    /// Goes on in a field without quotes, or ends a field; says whether the record has ended with it.
    #[inline]
    fn end_field(&mut self, byte: u8) -> Result<bool, FormatError> {
        let rest = &self.text.as_bytes()[self.at..];
        let is_end = matches!(byte, b'\n' | b'\r');
        if !is_end && !rest.starts_with(&self.delimiter[..self.delimiter_length]) {
            if self.state == State::Quote || (byte == b'"' && self.escape) {
                return Err(self.stray_quote());
            }
            let rest = &rest[1..];
            self.at += 1 + rest.iter().position(|byte| self.special[usize::from(*byte)]).unwrap_or(rest.len());
            return Ok(false);
        }
        if let Some(field) = self.fields.last_mut() {
            field.end = self.at - usize::from(field.is_quoted);
        }
        self.state = State::Start;
        if !is_end {
            self.at += self.delimiter_length;
            return Ok(false);
        }
        self.after_return = byte == b'\r';
        self.at += 1;
        self.next_line += 1;
        self.start = self.at;
        Ok(true)
    }

    /// The last record, if the text does not end with a line break.
    pub(super) fn end(&mut self) -> Result<Option<Record<'_>>, FormatError> {
        match self.state {
            State::Quoted => Err(FormatError::malformed(
                "CSV",
                format!(
                    "the text ends within quotes, in field {} of the record at line {}",
                    self.fields.len(),
                    self.line
                ),
            )),
            _ if self.is_between() => Ok(None),
            _ => {
                self.add("\n");
                self.next()
            }
        }
    }

    fn stray_quote(&self) -> FormatError {
        let what = if self.state == State::Quote {
            "text behind the closing quote"
        } else {
            "a quote in a field without quotes"
        };
        FormatError::malformed(
            "CSV",
            format!(
                "{what}, in field {} of the record at line {}; quotes in a field are doubled, and the field is put in quotes",
                self.fields.len(),
                self.line
            ),
        )
    }
}
