//! Where the log ends, and whether that is where it was ended.
//!
//! SQLite takes the first page of the log whose checksum is wrong for its end: that is how a commit that was cut off looks.
//! Damage in the middle looks the same, and all commits after it would be gone without a word. But with full durability each
//! commit was synced before the next began: only one can be cut off, and what follows the end is at most the rest of it, and
//! the rest of one that failed before it. If more commits follow, the log is damaged. The last commit itself can't be told
//! from one that was cut off.

use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read};
use std::path::Path;

use super::fault::Fault;

/// Bytes of the header of the log.
const HEADER: usize = 32;

/// Bytes before each page.
const FRAME: usize = 24;

/// With what the log begins. The last bit tells in which order the bytes of a number are added up.
const MAGIC: u32 = 0x377f_0682;

/// Commits that may follow the end.
const REST: usize = 2;

/// Refuses a log that has more behind its end than the rest of a commit. Only for one that was written with full durability.
pub(super) fn check(log: &Path, page: usize) -> Result<(), Fault> {
    let file = match File::open(log) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let mut reader = BufReader::with_capacity(1 << 20, file);
    let mut header = [0; HEADER];
    if !fill(&mut reader, &mut header)? || header == [0; HEADER] {
        return Ok(());
    }
    let Some(mut sum) = Sum::of_header(&header) else {
        return Err(Fault::damaged("the first bytes of `sessions.db-wal` are not what they were"));
    };
    let mut frame = vec![0; FRAME + page];
    let mut has_ended = false;
    let mut commits = 0;
    while fill(&mut reader, &mut frame)? {
        let is_of_this_log = frame[8..16] == header[16..24];
        has_ended |= !is_of_this_log || !sum.takes(&frame);
        let ends_a_commit = number(&frame, 4) != 0;
        commits += usize::from(has_ended && is_of_this_log && ends_a_commit);
    }
    if commits > REST {
        return Err(Fault::damaged(format!("`sessions.db-wal` is broken off before {commits} of its commits")));
    }
    Ok(())
}

/// The checksum of the log up to a page.
#[derive(Debug, Clone, Copy)]
struct Sum {
    is_big_endian: bool,
    sum: (u32, u32),
}

impl Sum {
    /// That of the header, if it is the right one.
    fn of_header(header: &[u8; HEADER]) -> Option<Self> {
        let magic = number(header, 0);
        let start = Self { is_big_endian: magic & 1 == 1, sum: (0, 0) };
        let sum = start.with(&header[..24]);
        (magic & !1 == MAGIC && sum.is(header, 24)).then_some(sum)
    }

    /// Whether a frame goes on where the last one ended.
    fn takes(&mut self, frame: &[u8]) -> bool {
        *self = self.with(&frame[..8]).with(&frame[FRAME..]);
        self.is(frame, 16)
    }

    fn with(self, bytes: &[u8]) -> Self {
        let word =
            |bytes: [u8; 4]| if self.is_big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) };
        let (words, _) = bytes.as_chunks::<8>();
        let sum = words.iter().fold(self.sum, |(first, second), [a, b, c, d, e, f, g, h]| {
            let first = first.wrapping_add(word([*a, *b, *c, *d])).wrapping_add(second);
            (first, second.wrapping_add(word([*e, *f, *g, *h])).wrapping_add(first))
        });
        Self { sum, ..self }
    }

    fn is(self, bytes: &[u8], at: usize) -> bool {
        self.sum == (number(bytes, at), number(bytes, at + 4))
    }
}

/// The number at that place, the highest byte first.
fn number(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(std::array::from_fn(|index| bytes[at + index]))
}

/// Reads as many bytes as there is room for; not if there are fewer.
fn fill(reader: &mut impl Read, room: &mut [u8]) -> io::Result<bool> {
    match reader.read_exact(room) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}
