//! The bytes of an answer as they come, decompressed.

use bytes::Bytes;
use reqwest::Response;
use reqwest::header::{CONTENT_ENCODING, HeaderMap, HeaderValue};
use zstd::stream::raw::{Decoder, InBuffer, Operation, OutBuffer};

use super::patience::chain;

/// How many bytes are decompressed at a time: few bytes may mean many.
const PIECE_BYTES: usize = 128 * 1024;

/// The body of an answer.
pub(super) struct Body {
    response: Response,
    /// How many bytes of it have yet to come, if that was said: when there are none, its end is not waited for.
    left: Option<u64>,
    decompression: Option<Decompression>,
}

/// Zstandard on its way out.
struct Decompression {
    decoder: Decoder<'static>,
    /// What came and was not decompressed yet.
    compressed: Bytes,
    /// Whether a frame is incomplete.
    is_within: bool,
    /// Whether the decoder may have more to give without being given more.
    has_more: bool,
}

impl Body {
    /// The body of that answer, which had those headers.
    ///
    /// # Errors
    ///
    /// What is wrong with it: an encoding that nobody asked for.
    pub(super) fn of(response: Response, headers: &HeaderMap) -> Result<Self, String> {
        let decompression = match headers.get(CONTENT_ENCODING).map(HeaderValue::as_bytes) {
            None | Some(b"identity") => None,
            Some(b"zstd") => Some(Decompression::new()?),
            Some(other) => {
                return Err(format!("the answer is compressed by `{}`; expected zstd", String::from_utf8_lossy(other)));
            }
        };
        Ok(Self { left: response.content_length(), response, decompression })
    }

    /// The next piece; `None` at the end.
    ///
    /// # Errors
    ///
    /// Why the answer is not whole.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, String> {
        let Self { response, left, decompression } = self;
        let Some(decompression) = decompression else { return received(response, left).await };
        loop {
            if let Some(piece) = decompression.next()? {
                return Ok(Some(piece));
            }
            match received(response, left).await? {
                Some(bytes) => decompression.compressed = bytes,
                None if decompression.is_within => return Err("the compressed answer ends within a frame".into()),
                None => return Ok(None),
            }
        }
    }

    /// All of it, if that is no more than `most` bytes, and otherwise its beginning; and whether it is all.
    ///
    /// # Errors
    ///
    /// Why the answer is not whole.
    pub(super) async fn gathered(mut self, most: usize) -> Result<(Bytes, bool), String> {
        let Some(first) = self.next().await? else { return Ok((Bytes::new(), true)) };
        if first.len() > most {
            return Ok((first, false));
        }
        let Some(second) = self.next().await? else { return Ok((first, true)) };
        let mut gathered = Vec::with_capacity(first.len() + second.len());
        let mut next = Some(second);
        gathered.extend_from_slice(&first);
        while let Some(piece) = next {
            gathered.extend_from_slice(&piece);
            if gathered.len() > most {
                return Ok((gathered.into(), false));
            }
            next = self.next().await?;
        }
        Ok((gathered.into(), true))
    }
}

async fn received(response: &mut Response, left: &mut Option<u64>) -> Result<Option<Bytes>, String> {
    if *left == Some(0) {
        return Ok(None);
    }
    let piece = response.chunk().await.map_err(|error| chain(&error))?;
    if let (Some(left), Some(piece)) = (left, &piece) {
        *left = left.saturating_sub(piece.len() as u64);
    }
    Ok(piece)
}

impl Decompression {
    fn new() -> Result<Self, String> {
        let decoder = Decoder::new().map_err(|error| error.to_string())?;
        Ok(Self { decoder, compressed: Bytes::new(), is_within: false, has_more: false })
    }

    /// The next piece of what is there; `None` when it takes more.
    fn next(&mut self) -> Result<Option<Bytes>, String> {
        while !self.compressed.is_empty() || self.has_more {
            let mut piece = vec![0; PIECE_BYTES];
            let mut input = InBuffer::around(&self.compressed);
            let mut output = OutBuffer::around(piece.as_mut_slice());
            let wanted = self
                .decoder
                .run(&mut input, &mut output)
                .map_err(|error| format!("the compressed answer can't be read: {error}"))?;
            let (read, written) = (input.pos(), output.pos());
            if read > 0 || written > 0 {
                // Where nothing moves, it is the next frame that is wanted.
                self.is_within = wanted > 0;
            }
            self.has_more = self.is_within && written == PIECE_BYTES;
            self.compressed = self.compressed.slice(read..);
            if written > 0 {
                piece.truncate(written);
                return Ok(Some(piece.into()));
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decompressed(bytes: &[u8], cut: usize) -> Result<Vec<u8>, String> {
        let mut decompression = Decompression::new().unwrap();
        let mut out = Vec::new();
        for piece in bytes.chunks(cut) {
            decompression.compressed = Bytes::copy_from_slice(piece);
            while let Some(piece) = decompression.next()? {
                assert!(piece.len() <= PIECE_BYTES);
                out.extend_from_slice(&piece);
            }
        }
        if decompression.is_within { Err("within".into()) } else { Ok(out) }
    }

    #[test]
    fn what_was_compressed_comes_back_however_it_is_cut() {
        let text: Vec<u8> = (0..400_000_u32).flat_map(|number| (number / 7).to_le_bytes()).collect();
        let compressed = zstd::encode_all(&text[..], 1).unwrap();
        for cut in [1, 7, 1000, compressed.len()] {
            assert!(decompressed(&compressed, cut).unwrap() == text, "{cut}");
        }
    }

    #[test]
    fn many_bytes_out_of_few_come_in_pieces() {
        let zeros = vec![0; 50 * PIECE_BYTES];
        let compressed = zstd::encode_all(&zeros[..], 19).unwrap();
        assert!(compressed.len() < 4096);
        assert_eq!(decompressed(&compressed, compressed.len()).unwrap().len(), zeros.len());
    }

    #[test]
    fn what_breaks_off_or_is_none_is_an_error() {
        let compressed = zstd::encode_all(&b"hello, hello, hello"[..], 1).unwrap();
        assert!(decompressed(&compressed[..compressed.len() - 1], 4).is_err());
        assert!(decompressed(b"no zstd at all", 4).is_err());
    }
}
