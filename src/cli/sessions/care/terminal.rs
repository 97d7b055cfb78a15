//! Lines for a terminal.

use std::io::{self, Write};

use crate::cli::sessions::harmless::harmless;

/// Passes lines on without what a terminal obeys: they hold what clients wrote.
pub(super) struct Harmless<W> {
    to: W,
    line: Vec<u8>,
}

impl<W: Write> Harmless<W> {
    pub(super) fn new(to: W) -> Self {
        Self { to, line: Vec::new() }
    }
}

impl<W: Write> Write for Harmless<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.line.extend_from_slice(part);
            if let Some(line) = self.line.strip_suffix(b"\n") {
                writeln!(self.to, "{}", harmless(&String::from_utf8_lossy(line)))?;
                self.line.clear();
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_gets_whole_lines_that_it_does_not_obey() {
        let mut written = Vec::new();
        let mut to = Harmless::new(&mut written);
        to.write_all(b"a\x1b[").unwrap();
        to.write_all("31m\nü\u{202e}\nrest".as_bytes()).unwrap();
        assert_eq!(String::from_utf8(written).unwrap(), "a\u{FFFD}[31m\nü\u{FFFD}\n");
    }
}
