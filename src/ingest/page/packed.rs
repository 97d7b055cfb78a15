use std::io::Write;

use bytes::Bytes;
use flate2::write::MultiGzDecoder;

use super::PageError;

/// The body of an answer while it comes, unpacked if it is gzip, up to a bound.
///
/// ```
/// use rejoin::ingest::page::Packed;
///
/// let mut body = Packed::new(1, 10, false);
/// body.push(b"0123")?;
/// body.push(b"456789")?;
/// assert!(body.push(b"x").unwrap_err().to_string().contains("page 1 is longer than 10 bytes"));
/// # Ok::<(), rejoin::ingest::page::PageError>(())
/// ```
#[derive(Debug)]
pub struct Packed {
    page: u64,
    limit: u64,
    body: Body,
    /// Whether nothing came so far.
    is_empty: bool,
}

#[derive(Debug)]
enum Body {
    Plain(Vec<u8>),
    Gzip(Box<MultiGzDecoder<Bounded>>),
}

impl Packed {
    /// A body of page `page` that may be `limit` bytes long.
    #[must_use]
    pub fn new(page: u64, limit: u64, is_gzip: bool) -> Self {
        let body = if is_gzip {
            Body::Gzip(Box::new(MultiGzDecoder::new(Bounded { bytes: Vec::new(), limit })))
        } else {
            Body::Plain(Vec::new())
        };
        Self { page, limit, body, is_empty: true }
    }

    /// Makes room for as many bytes as the answer says that it has.
    pub fn expect(&mut self, bytes: u64) {
        // What it says may be wrong: no more than a usual page is taken for granted.
        const MOST: u64 = 1 << 20;
        if let Body::Plain(body) = &mut self.body {
            body.reserve_exact(usize::try_from(bytes.min(MOST).min(self.limit)).unwrap_or(0));
        }
    }

    /// Adds a piece.
    ///
    /// # Errors
    ///
    /// [`PageError::TooLong`] when it becomes longer than it may, [`PageError::Packed`] when it can't be unpacked.
    pub fn push(&mut self, piece: &[u8]) -> Result<(), PageError> {
        self.is_empty = self.is_empty && piece.is_empty();
        match &mut self.body {
            Body::Plain(body) => {
                if body.len() as u64 + piece.len() as u64 > self.limit {
                    return Err(self.too_long());
                }
                body.extend_from_slice(piece);
                Ok(())
            }
            Body::Gzip(decoder) => {
                let written = decoder.write_all(piece);
                written.map_err(|error| self.problem(&error))
            }
        }
    }

    /// The whole body.
    ///
    /// # Errors
    ///
    /// As [`Packed::push`].
    pub fn finish(self) -> Result<Bytes, PageError> {
        let Self { page, limit, body, is_empty } = self;
        match body {
            // An answer without a body may say that it would have been packed.
            _ if is_empty => Ok(Bytes::new()),
            Body::Plain(body) => Ok(body.into()),
            Body::Gzip(decoder) => {
                let empty = Self { page, limit, body: Body::Plain(Vec::new()), is_empty };
                decoder.finish().map(|bounded| bounded.bytes.into()).map_err(|error| empty.problem(&error))
            }
        }
    }

    fn too_long(&self) -> PageError {
        PageError::TooLong { page: self.page, limit: self.limit }
    }

    fn problem(&self, error: &std::io::Error) -> PageError {
        if error.kind() == std::io::ErrorKind::QuotaExceeded {
            return self.too_long();
        }
        PageError::Packed { page: self.page, problem: error.to_string() }
    }
}

/// Takes bytes up to a limit.
#[derive(Debug)]
struct Bounded {
    bytes: Vec<u8>,
    limit: u64,
}

impl Write for Bounded {
    fn write(&mut self, piece: &[u8]) -> std::io::Result<usize> {
        if self.bytes.len() as u64 + piece.len() as u64 > self.limit {
            return Err(std::io::ErrorKind::QuotaExceeded.into());
        }
        self.bytes.extend_from_slice(piece);
        Ok(piece.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn gzip_is_unpacked_in_pieces_of_any_size() {
        let packed = gzip(b"hello");
        for size in 1..packed.len() {
            let mut body = Packed::new(1, 5, true);
            packed.chunks(size).for_each(|piece| body.push(piece).unwrap());
            assert_eq!(body.finish().unwrap(), "hello");
        }
    }

    #[test]
    fn a_gzip_bomb_is_stopped_at_the_bound() {
        let bomb = gzip(&vec![0; 10 << 20]);
        assert!(bomb.len() < 20_000);
        let mut body = Packed::new(3, 1 << 20, true);
        let error = body.push(&bomb).unwrap_err();
        assert_eq!(error, PageError::TooLong { page: 3, limit: 1 << 20 });
    }

    #[test]
    fn what_is_no_gzip_or_ends_too_early_is_refused() {
        let mut body = Packed::new(1, 100, true);
        assert!(matches!(body.push(b"plain text, no gzip"), Err(PageError::Packed { page: 1, .. })));
        let packed = gzip(b"hello");
        let mut body = Packed::new(1, 100, true);
        body.push(&packed[..packed.len() - 3]).unwrap();
        assert!(matches!(body.finish(), Err(PageError::Packed { .. })));
    }
}
