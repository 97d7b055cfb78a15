//! The checksum of a row: CRC-32 (that of gzip) over its values.

use flate2::Crc;
use smallvec::SmallVec;

/// Adds up the values of a row, in the order of its columns.
#[derive(Debug, Default)]
pub(super) struct Checksum {
    bytes: SmallVec<[u8; 256]>,
}

impl Checksum {
    /// An integer: its eight bytes, the lowest first.
    pub(super) fn integer(&mut self, value: i64) -> &mut Self {
        self.bytes.extend_from_slice(&value.to_le_bytes());
        self
    }

    /// An integer that may be missing, which is told by the byte before it.
    pub(super) fn optional_integer(&mut self, value: Option<i64>) -> &mut Self {
        self.bytes.push(u8::from(value.is_some()));
        self.integer(value.unwrap_or(0))
    }

    /// Text or bytes, after their length.
    pub(super) fn bytes(&mut self, value: &[u8]) -> &mut Self {
        self.integer(length(value)).bytes.extend_from_slice(value);
        self
    }

    /// Text or bytes that may be missing: their length is -1 then.
    pub(super) fn optional_bytes(&mut self, value: Option<&[u8]>) -> &mut Self {
        match value {
            Some(value) => self.bytes(value),
            None => self.integer(-1),
        }
    }

    /// The sum.
    pub(super) fn finish(&self) -> u32 {
        crc(&self.bytes)
    }
}

/// The checksum of pieces, with one more. That of no piece is 0.
pub(super) fn chained(chain: u32, piece: &[u8]) -> u32 {
    Checksum::default().integer(chain.into()).integer(length(piece)).integer(crc(piece).into()).finish()
}

fn length(bytes: &[u8]) -> i64 {
    i64::try_from(bytes.len()).unwrap_or(i64::MAX)
}

fn crc(bytes: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_crc_of_gzip() {
        assert_eq!(crc(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn what_is_missing_is_not_what_is_empty_or_zero() {
        let sums = [
            Checksum::default().optional_integer(None).finish(),
            Checksum::default().optional_integer(Some(0)).finish(),
            Checksum::default().optional_bytes(None).finish(),
            Checksum::default().optional_bytes(Some(b"")).finish(),
        ];
        for (index, sum) in sums.iter().enumerate() {
            assert!(!sums[..index].contains(sum), "{index}");
        }
    }

    #[test]
    fn pieces_that_are_cut_elsewhere_have_another_sum() {
        assert_ne!(chained(chained(0, b"ab"), b"c"), chained(chained(0, b"a"), b"bc"));
        assert_ne!(chained(0, b""), 0);
    }
}
