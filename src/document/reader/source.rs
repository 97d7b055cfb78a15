//! The bytes of a document on their way to the tokenizer: bounded.

use std::io::{self, BufRead, Read};

/// A bound that the bytes went over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bound {
    /// The size of the document.
    Document,
    /// The size of one token: a tag, a text, a comment.
    Token,
}

/// Shows no byte over a bound: the tokenizer gathers a token in memory before anybody can look at it, so the bound has to
/// hold here.
#[derive(Debug)]
pub(super) struct Source<R> {
    inner: R,
    document_left: u64,
    token_left: u64,
    over: Option<Bound>,
}

impl<R: BufRead> Source<R> {
    pub(super) fn new(inner: R, document_bytes: u64) -> Self {
        Self { inner, document_left: document_bytes, token_left: 0, over: None }
    }

    /// The bound that made the last read fail.
    pub(super) fn over(&self) -> Option<Bound> {
        self.over
    }

    /// From here on, `bytes` and no more may be read before this is called again.
    pub(super) fn begin_token(&mut self, bytes: u64) {
        self.token_left = bytes;
    }

    /// Passes over a byte order mark, which is no character of the document. What begins with its first byte and is none
    /// can't begin a document either; then the answer is `false`.
    pub(super) fn skip_byte_order_mark(&mut self) -> io::Result<bool> {
        const MARK: [u8; 3] = [0xEF, 0xBB, 0xBF];
        if self.peek()? != Some(MARK[0]) {
            return Ok(true);
        }
        for byte in MARK {
            if self.peek()? != Some(byte) {
                return Ok(false);
            }
            self.inner.consume(1);
        }
        // The tokenizer would pass over a second mark without a word.
        Ok(self.peek()? != Some(MARK[0]))
    }

    /// Whether a stream looks like UTF-16, as far as its first bytes came at once.
    pub(super) fn looks_like_utf16(&mut self) -> io::Result<bool> {
        self.peek()?;
        let begin = self.inner.fill_buf()?;
        Ok([[0xFF, 0xFE], [0xFE, 0xFF], [b'<', 0], [0, b'<']].iter().any(|marks| begin.starts_with(marks)))
    }

    fn peek(&mut self) -> io::Result<Option<u8>> {
        loop {
            match self.inner.fill_buf() {
                Ok(available) => return Ok(available.first().copied()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl<R: BufRead> BufRead for Source<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let available = self.inner.fill_buf()?;
        let allowed = self.document_left.min(self.token_left);
        if allowed == 0 && !available.is_empty() {
            self.over = Some(if self.document_left == 0 { Bound::Document } else { Bound::Token });
            return Err(io::Error::other("over a bound"));
        }
        let allowed = usize::try_from(allowed).unwrap_or(usize::MAX).min(available.len());
        Ok(&available[..allowed])
    }

    fn consume(&mut self, amount: usize) {
        self.inner.consume(amount);
        self.document_left = self.document_left.saturating_sub(amount as u64);
        self.token_left = self.token_left.saturating_sub(amount as u64);
    }
}

impl<R: BufRead> Read for Source<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let amount = available.len().min(buffer.len());
        buffer[..amount].copy_from_slice(&available[..amount]);
        self.consume(amount);
        Ok(amount)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_byte_over_a_bound_is_shown() {
        let mut source = Source::new(&b"0123456789"[..], 8);
        source.begin_token(4);
        assert_eq!(source.fill_buf().unwrap(), b"0123");
        source.consume(4);
        assert!(source.fill_buf().is_err());
        assert_eq!(source.over(), Some(Bound::Token));
        source.begin_token(100);
        assert_eq!(source.fill_buf().unwrap(), b"4567");
        source.consume(4);
        assert!(source.fill_buf().is_err());
        assert_eq!(source.over(), Some(Bound::Document));
    }

    #[test]
    fn a_document_of_exactly_the_bound_is_read_to_its_end() {
        let mut source = Source::new(&b"0123"[..], 4);
        source.begin_token(4);
        source.consume(4);
        assert_eq!(source.fill_buf().unwrap(), b"");
    }

    #[test]
    fn one_byte_order_mark_is_passed_over_however_it_is_cut() {
        for (bytes, good) in [
            (&b"\xEF\xBB\xBF<a/>"[..], true),
            (b"<a/>", true),
            (b"\xEF\xBB<a/>", false),
            (b"\xEF\xBB\xBF\xEF\xBB\xBF<a/>", false),
        ] {
            let mut source = Source::new(io::BufReader::with_capacity(1, bytes), 100);
            assert_eq!(source.skip_byte_order_mark().unwrap(), good);
        }
    }
}
