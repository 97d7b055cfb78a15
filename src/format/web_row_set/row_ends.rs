//! Where rows end in a `WebRowSet` that has not come as a whole.

/// Looks for the ends of rows, in text that comes piece by piece. It understands no more of XML than it takes to tell tags
/// from what looks like them: comments, CDATA sections, quoted values.
#[derive(Debug, Default)]
pub(super) struct RowEnds {
    state: State,
    /// The local name of the tag, as far as it has come, and is not longer than any that matters.
    name: String,
    /// Whether the element `data` has begun, in which the rows are.
    is_in_data: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum State {
    #[default]
    Text,
    /// Behind a `<`.
    Open,
    /// Behind `<!`, and how much of `[CDATA[` has come.
    Declaration(usize),
    /// Behind `<!-`.
    Dash,
    /// How many of the two characters have come that its end begins with.
    Comment(u8),
    CharacterData(u8),
    Instruction(u8),
    /// In the name of a tag.
    Name {
        is_end: bool,
    },
    /// Behind the name. A value is passed over up to its quote.
    Tag {
        is_end: bool,
        is_empty: bool,
        quote: Option<u8>,
    },
}

/// The elements that are rows.
const ROWS: [&str; 4] = ["currentRow", "insertRow", "modifyRow", "deleteRow"];

/// What a CDATA section begins with, behind the `<!`.
const CHARACTER_DATA: &[u8] = b"[CDATA[";

/// The longest name that is of interest.
const LONGEST_NAME: usize = 16;

impl RowEnds {
    /// Looks at the next piece. Answers how many rows end in it, and how much of it belongs to them.
    pub(super) fn look(&mut self, text: &str) -> (usize, usize) {
        let bytes = text.as_bytes();
        let (mut rows, mut end, mut at) = (0, 0, 0);
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            if self.state == State::Text {
                let Some(length) = memchr::memchr(b'<', rest) else { break };
                self.state = State::Open;
                at += length + 1;
                continue;
            }
            at += 1;
            if self.step(rest[0]) {
                rows += 1;
                end = at;
            }
        }
        (rows, end)
    }

    /// Goes on by one byte that is not plain text; says whether a row ends with it.
    fn step(&mut self, byte: u8) -> bool {
        self.state = match self.state {
            State::Text | State::Open => match byte {
                b'!' => State::Declaration(0),
                b'?' => State::Instruction(0),
                b'/' => self.begin_name(true),
                _ => {
                    self.begin_name(false);
                    return self.in_name(byte, false);
                }
            },
            State::Declaration(0) if byte == b'-' => State::Dash,
            State::Declaration(come) if CHARACTER_DATA.get(come) == Some(&byte) => match come + 1 {
                come if come == CHARACTER_DATA.len() => State::CharacterData(0),
                come => State::Declaration(come),
            },
            State::Declaration(_) => State::Tag { is_end: true, is_empty: false, quote: None },
            State::Dash => State::Comment(0),
            State::Comment(come) => after(byte, b'-', come, State::Comment),
            State::CharacterData(come) => after(byte, b']', come, State::CharacterData),
            State::Instruction(come) if byte == b'>' && come > 0 => State::Text,
            State::Instruction(_) => State::Instruction(u8::from(byte == b'?')),
            State::Name { is_end } => return self.in_name(byte, is_end),
            State::Tag { is_end, is_empty, quote } => return self.in_tag(byte, is_end, is_empty, quote),
        };
        false
    }

    fn begin_name(&mut self, is_end: bool) -> State {
        self.name.clear();
        State::Name { is_end }
    }

    fn in_name(&mut self, byte: u8, is_end: bool) -> bool {
        match byte {
            b'>' | b'/' | b' ' | b'\t' | b'\r' | b'\n' => return self.in_tag(byte, is_end, false, None),
            // What came was a prefix.
            b':' => self.name.clear(),
            _ if self.name.len() <= LONGEST_NAME => self.name.push(char::from(byte)),
            _ => {}
        }
        self.state = State::Name { is_end };
        false
    }

    fn in_tag(&mut self, byte: u8, is_end: bool, is_empty: bool, quote: Option<u8>) -> bool {
        let quote = match (quote, byte) {
            (Some(open), _) => Some(open).filter(|open| *open != byte),
            (None, b'>') => {
                self.state = State::Text;
                self.is_in_data |= !is_end && !is_empty && self.name == "data";
                return self.is_in_data && (is_end || is_empty) && ROWS.contains(&&*self.name);
            }
            (None, b'"' | b'\'') => Some(byte),
            (None, _) => None,
        };
        self.state = State::Tag { is_end, is_empty: byte == b'/' && quote.is_none(), quote };
        false
    }
}

/// Goes on where something ends with two characters and a `>`.
fn after(byte: u8, twice: u8, come: u8, state: impl FnOnce(u8) -> State) -> State {
    match byte {
        b'>' if come == 2 => State::Text,
        _ if byte == twice => state((come + 1).min(2)),
        _ => state(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many rows end in a text, whatever the pieces are that it comes in, and what is behind the last of them.
    fn rows(text: &str) -> (usize, &str) {
        let (whole, end) = RowEnds::default().look(text);
        for size in 1..4 {
            let mut ends = RowEnds::default();
            let (mut rows, mut last, mut at) = (0, 0, 0);
            for piece in text.as_bytes().chunks(size) {
                let (more, end) = ends.look(std::str::from_utf8(piece).unwrap());
                rows += more;
                last = if more > 0 { at + end } else { last };
                at += piece.len();
            }
            assert_eq!((rows, last), (whole, end), "{text} by {size}");
        }
        (whole, &text[end..])
    }

    #[test]
    fn rows_are_told_from_what_looks_like_them() {
        assert_eq!(rows("<data><currentRow><columnValue>1</columnValue></currentRow> <inse"), (1, " <inse"));
        assert_eq!(rows("<w:data><w:deleteRow a='/>' ></w:deleteRow ><w:insertRow b=\">\"/>x"), (2, "x"));
        for text in [
            "<currentRow></currentRow><data>",
            "<data><![CDATA[</currentRow>]] ></currentRow>]]",
            "<data><!-- </currentRow> -- > </currentRow>",
            "<data><?x </currentRow> > ? > </currentRow>",
            "<data a=\"</currentRow>\" b='</currentRow>'",
            "<data><currentRows></currentRows></data>",
            "<data/><currentRow></currentRow>",
        ] {
            assert_eq!(rows(text), (0, text));
        }
        assert_eq!(rows("<data><!--->--><!----><![CDATA[]]]]><?x ??></modifyRow>.").0, 1);
    }
}
