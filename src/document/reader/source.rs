//! The bytes of a document on their way to the tokens: bounded, and gathered where a token does not come at once.

use std::io::{self, BufRead, ErrorKind};

/// Gives the bytes that come next. What the underlying reader holds is shown as it is; only a token that is cut over two of
/// its buffers is gathered in memory here.
#[derive(Debug)]
pub(super) struct Source<R> {
    inner: R,
    /// What was gathered, from `start` on.
    gathered: Vec<u8>,
    start: usize,
    /// How many more bytes may be taken from the reader.
    left: u64,
}

/// Why no more bytes come.
#[derive(Debug)]
pub(super) enum Stop {
    /// There are no more.
    End,
    /// The document is larger than it may be.
    TooLarge,
    /// They could not be read.
    Broken(io::Error),
}

impl<R: BufRead> Source<R> {
    pub(super) fn new(inner: R, document_bytes: u64) -> Self {
        Self { inner, gathered: Vec::new(), start: 0, left: document_bytes }
    }

    /// The underlying reader.
    pub(super) fn inner_mut(&mut self) -> &mut R {
        &mut self.inner
    }

    /// The bytes that are there; none at the end of the document.
    pub(super) fn bytes(&mut self) -> Result<&[u8], Stop> {
        if self.start < self.gathered.len() {
            return Ok(&self.gathered[self.start..]);
        }
        match shown(&mut self.inner, self.left) {
            Ok(bytes) => Ok(bytes),
            Err(Stop::End) => Ok(&[]),
            Err(stop) => Err(stop),
        }
    }

    /// Gathers more behind the bytes that are there: as many as come at once.
    pub(super) fn gather(&mut self) -> Result<(), Stop> {
        self.gathered.drain(..self.start);
        self.start = 0;
        if self.gathered.is_empty() {
            self.take()?;
        }
        self.take()
    }

    /// Takes over what the reader holds.
    fn take(&mut self) -> Result<(), Stop> {
        let bytes = shown(&mut self.inner, self.left)?;
        self.gathered.extend_from_slice(bytes);
        let taken = bytes.len();
        self.inner.consume(taken);
        self.left -= taken as u64;
        Ok(())
    }

    /// How much memory is used for what was gathered.
    #[cfg(test)]
    pub(super) fn memory(&self) -> usize {
        self.gathered.capacity()
    }

    /// Passes over bytes that were shown.
    pub(super) fn consume(&mut self, amount: usize) {
        if self.start < self.gathered.len() {
            self.start += amount;
            if self.start == self.gathered.len() {
                self.gathered.clear();
                self.start = 0;
            }
        } else {
            self.inner.consume(amount);
            self.left -= amount as u64;
        }
    }
}

/// What a reader holds, as far as it may be looked at; at least one byte.
fn shown<R: BufRead>(inner: &mut R, left: u64) -> Result<&[u8], Stop> {
    // A loop can't lend what it finds: this waits until there is something, and the next look shows it.
    loop {
        match inner.fill_buf() {
            Ok([]) => return Err(Stop::End),
            Ok(_) if left == 0 => return Err(Stop::TooLarge),
            Ok(_) => break,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(Stop::Broken(error)),
        }
    }
    let bytes = inner.fill_buf().map_err(Stop::Broken)?;
    let allowed = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
    Ok(&bytes[..allowed])
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;

    fn all<R: BufRead>(source: &mut Source<R>) -> Vec<u8> {
        let mut bytes = Vec::new();
        loop {
            match source.bytes().unwrap() {
                [] => return bytes,
                shown => {
                    let shown = shown.len();
                    bytes.extend_from_slice(&source.bytes().unwrap()[..shown]);
                    source.consume(shown);
                }
            }
        }
    }

    #[test]
    fn what_is_gathered_comes_before_the_rest() {
        let mut source = Source::new(BufReader::with_capacity(3, &b"0123456789"[..]), 100);
        assert_eq!(source.bytes().unwrap(), b"012");
        source.consume(1);
        source.gather().unwrap();
        assert_eq!(source.bytes().unwrap(), b"12345");
        source.consume(2);
        source.gather().unwrap();
        assert_eq!(source.bytes().unwrap(), b"345678");
        source.gather().unwrap();
        assert!(matches!(source.gather(), Err(Stop::End)));
        source.consume(2);
        assert_eq!(all(&mut source), b"56789");
    }

    #[test]
    fn no_byte_over_the_bound_is_shown() {
        for gathers in [0, 1] {
            let mut source = Source::new(&b"0123456789"[..], 8);
            for _ in 0..gathers {
                source.gather().unwrap_err();
            }
            assert_eq!(source.bytes().unwrap(), b"01234567");
            source.consume(8);
            assert!(matches!(source.bytes(), Err(Stop::TooLarge)));
        }
    }

    #[test]
    fn a_document_of_exactly_the_bound_is_read_to_its_end() {
        assert_eq!(all(&mut Source::new(&b"0123"[..], 4)), b"0123");
    }
}
