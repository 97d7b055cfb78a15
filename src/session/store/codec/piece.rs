//! The head of a piece of a stream: its format, a checksum, and what the piece counts for.

use bytes::Bytes;
use flate2::Crc;

use super::ValueError;

/// The format of the pieces that are written. Each piece says its own: what a newer version appends to a stream stands beside
/// what an older one has written.
const FORMAT: u8 = 1;

/// One byte of format, three that are 0, four of checksum, eight of size.
const HEAD: usize = 16;

/// A piece that is being written.
#[derive(Debug)]
pub(super) struct PieceWriter(Vec<u8>);

impl PieceWriter {
    /// Begins a piece whose blocks count for so many bytes of their session's.
    pub(super) fn new(charge: u64) -> Self {
        let mut bytes = vec![0; HEAD];
        bytes[0] = FORMAT;
        bytes[8..].copy_from_slice(&charge.to_le_bytes());
        Self(bytes)
    }

    /// Where its content is written to.
    pub(super) fn content(&mut self) -> &mut Vec<u8> {
        &mut self.0
    }

    pub(super) fn finish(mut self) -> Bytes {
        let checksum = checksum(&self.0);
        self.0[4..8].copy_from_slice(&checksum.to_le_bytes());
        self.0.into()
    }
}

/// What a piece holds: what its blocks count for, and its content.
pub(super) fn open(piece: &Bytes) -> Result<(u64, Bytes), ValueError> {
    let Some(head) = piece.first_chunk::<HEAD>() else {
        return Err(ValueError::damaged(format!("it has {} bytes, and {HEAD} is the least", piece.len())));
    };
    if head[0] > FORMAT {
        return Err(ValueError::TooNew { found: head[0], known: FORMAT });
    }
    if head[0] != FORMAT || head[1..4] != [0; 3] {
        return Err(ValueError::damaged("its head is none"));
    }
    let noted: [u8; 4] = std::array::from_fn(|index| head[4 + index]);
    if u32::from_le_bytes(noted) != checksum(piece) {
        return Err(ValueError::damaged("its checksum does not match"));
    }
    let charge: [u8; 8] = std::array::from_fn(|index| head[8 + index]);
    Ok((u64::from_le_bytes(charge), piece.slice(HEAD..)))
}

/// The CRC-32 of zlib and gzip, of everything after itself.
fn checksum(piece: &[u8]) -> u32 {
    let mut checksum = Crc::new();
    checksum.update(piece.get(8..).unwrap_or_default());
    checksum.sum()
}

/// A piece with its checksum made right again, as somebody would write it who means harm.
#[cfg(test)]
pub(super) fn forge(mut piece: Vec<u8>) -> Vec<u8> {
    if piece.len() >= HEAD {
        let checksum = checksum(&piece);
        piece[4..8].copy_from_slice(&checksum.to_le_bytes());
    }
    piece
}
