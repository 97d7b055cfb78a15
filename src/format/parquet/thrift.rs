//! As much of Thrift's compact protocol as the header of a page takes.

use std::io::{self, Read};

/// How deep structures may stand in each other.
const MOST_DEPTH: u8 = 8;

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A truth value, which stands in the kind itself.
    Boolean,
    Byte,
    /// An integer of any size.
    Integer,
    Double,
    /// A text, or bytes.
    Binary,
    List,
    Map,
    Struct,
}

impl Kind {
    fn of(code: u8) -> io::Result<Self> {
        Ok(match code {
            1 | 2 => Self::Boolean,
            3 => Self::Byte,
            4..=6 => Self::Integer,
            7 => Self::Double,
            8 => Self::Binary,
            9 | 10 => Self::List,
            11 => Self::Map,
            12 => Self::Struct,
            _ => return Err(io::Error::other("a page has no header")),
        })
    }
}

/// Reads values, and counts their bytes.
pub(super) struct CompactReader<R> {
    source: R,
    read: u64,
}

impl<R: Read> CompactReader<R> {
    pub(super) fn new(source: R) -> Self {
        Self { source, read: 0 }
    }

    /// How many bytes have been read.
    pub(super) fn read(&self) -> u64 {
        self.read
    }

    /// The next field of a structure, by its number; `None` at its end. Its value is to be read or passed over.
    pub(super) fn field(&mut self, last: &mut i64) -> io::Result<Option<(i64, Kind)>> {
        let byte = self.byte()?;
        if byte == 0 {
            return Ok(None);
        }
        *last = match byte >> 4 {
            0 => self.integer()?,
            more => last.saturating_add(i64::from(more)),
        };
        Ok(Some((*last, Kind::of(byte & 0x0F)?)))
    }

    /// An integer.
    pub(super) fn integer(&mut self) -> io::Result<i64> {
        let zigzag = self.length()?;
        Ok((zigzag >> 1).cast_signed() ^ -((zigzag & 1).cast_signed()))
    }

    /// Passes over a value.
    pub(super) fn skip(&mut self, kind: Kind) -> io::Result<()> {
        self.skip_within(kind, MOST_DEPTH)
    }

    fn skip_within(&mut self, kind: Kind, depth: u8) -> io::Result<()> {
        let depth = depth.checked_sub(1).ok_or_else(|| io::Error::other("the header of a page is too deep"))?;
        match kind {
            Kind::Boolean => Ok(()),
            Kind::Byte => self.pass(1),
            Kind::Integer => self.length().map(drop),
            Kind::Double => self.pass(8),
            Kind::Binary => {
                let length = self.length()?;
                self.pass(length)
            }
            Kind::List => {
                let head = self.byte()?;
                let length = if head >> 4 == 15 { self.length()? } else { u64::from(head >> 4) };
                self.skip_items(length, &[Kind::of(head & 0x0F)?], depth)
            }
            Kind::Map => match self.length()? {
                0 => Ok(()),
                length => {
                    let kinds = self.byte()?;
                    self.skip_items(length, &[Kind::of(kinds >> 4)?, Kind::of(kinds & 0x0F)?], depth)
                }
            },
            Kind::Struct => {
                let mut last = 0;
                while let Some((_, kind)) = self.field(&mut last)? {
                    self.skip_within(kind, depth)?;
                }
                Ok(())
            }
        }
    }

    fn skip_items(&mut self, length: u64, kinds: &[Kind], depth: u8) -> io::Result<()> {
        for _ in 0..length {
            for kind in kinds {
                // In a list, a truth value is a byte.
                self.skip_within(if *kind == Kind::Boolean { Kind::Byte } else { *kind }, depth)?;
            }
        }
        Ok(())
    }

    fn length(&mut self) -> io::Result<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7F) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(io::Error::other("a number in the header of a page does not end"))
    }

    fn byte(&mut self) -> io::Result<u8> {
        let mut byte = [0];
        self.source.read_exact(&mut byte)?;
        self.read += 1;
        Ok(byte[0])
    }

    fn pass(&mut self, length: u64) -> io::Result<()> {
        let passed = io::copy(&mut self.source.by_ref().take(length), &mut io::sink())?;
        self.read += passed;
        if passed == length { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_looked_for_is_passed_over() {
        // 1: -3, 2: {1: "ab", 2: true}, 4: [7, 8] of integers, 5: {1 => 2.0}, 6: 300.
        let bytes = b"\x15\x05\x1c\x18\x02ab\x11\x00\x29\x25\x0e\x10\x1b\x01\x57\x02\x00\x00\x00\x00\x00\x00\x00\x40\x16\xd8\x04\x00x";
        let mut reader = CompactReader::new(&bytes[..]);
        let mut last = 0;
        let mut integers = Vec::new();
        while let Some((number, kind)) = reader.field(&mut last).unwrap() {
            match kind {
                Kind::Integer => integers.push((number, reader.integer().unwrap())),
                other => reader.skip(other).unwrap(),
            }
        }
        assert_eq!(integers, [(1, -3), (6, 300)]);
        assert_eq!(reader.read(), bytes.len() as u64 - 1);
    }

    #[test]
    fn what_is_no_header_is_an_error() {
        for bytes in [&b""[..], b"\x1d", b"\x18\xff\xff\xff\xff\x0fab", &[0xff; 20], &[0x1c; 30]] {
            let mut reader = CompactReader::new(bytes);
            let mut last = 0;
            let read = (|| {
                while let Some((_, kind)) = reader.field(&mut last)? {
                    reader.skip(kind)?;
                }
                Ok::<_, io::Error>(())
            })();
            assert!(read.is_err(), "{bytes:?}");
        }
    }
}
