//! What others wrote, for a terminal.

use std::io::{self, IsTerminal};

/// A text without the characters that a terminal obeys: control characters, and those that turn the direction of writing.
pub(super) fn harmless(text: &str) -> String {
    text.chars().map(|character| if is_obeyed(character) { char::REPLACEMENT_CHARACTER } else { character }).collect()
}

/// The same of a text of several lines, which stay apart.
pub(super) fn harmless_lines(text: &str) -> String {
    text.lines().map(harmless).collect::<Vec<_>>().join("\n")
}

/// Prints a document as it came; without what a terminal obeys, where standard output is one.
pub(super) fn print_document(text: &str) {
    let text = text.trim_end();
    if io::stdout().is_terminal() {
        say!("{}", harmless_lines(text));
    } else {
        say!("{text}");
    }
}

fn is_obeyed(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_obeys_nothing_that_others_wrote() {
        assert_eq!(harmless("a\u{1b}[31m\u{9b}2J\u{202e}b\n"), "a\u{FFFD}[31m\u{FFFD}2J\u{FFFD}b\u{FFFD}");
        assert_eq!(harmless_lines("a\r\n\u{1b}b\rc\n"), "a\n\u{FFFD}b\u{FFFD}c");
    }
}
