//! What the file layer noted: every change of a file, in order.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use bytes::Bytes;

/// The head of a record, as `struct record` of `disk/disk.h` has it.
const HEAD: usize = 48;
const MAGIC: u32 = 0x4b53_4944;

/// A change, or that one is safe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    Created { name: String, file: u64 },
    Written { file: u64, offset: u64, bytes: Bytes },
    Cut { file: u64, length: u64 },
    Synced { file: u64, before: u64 },
    Renamed { from: String, to: String },
    Removed { name: String },
    Folder { name: String },
    FolderSynced { name: String, before: u64 },
}

/// An event, and where it stands in the trace.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub(crate) start: u64,
    pub(crate) end: u64,
    pub(crate) event: Event,
}

/// Reads a trace. A service that was killed may have left a piece of a record at its end: that is cut off.
pub(crate) fn read(path: &Path) -> Result<Vec<Record>> {
    let bytes = Bytes::from(fs::read(path).context("no trace: was the file layer under the service?")?);
    let mut records = Vec::new();
    let mut start = 0;
    while let Some(record) = record_at(&bytes, start)? {
        start = usize::try_from(record.end)?;
        records.push(record);
    }
    if start < bytes.len() {
        OpenOptions::new().write(true).open(path)?.set_len(start as u64)?;
    }
    Ok(records)
}

fn record_at(bytes: &Bytes, start: usize) -> Result<Option<Record>> {
    let Some(head) = bytes.get(start..start + HEAD) else { return Ok(None) };
    let short = |at: usize| u32::from_le_bytes(head[at..at + 4].try_into().expect("four bytes"));
    let long = |at: usize| u64::from_le_bytes(head[at..at + 8].try_into().expect("eight bytes"));
    ensure!(short(0) == MAGIC, "the trace is broken at byte {start}");
    let (names, data) = (usize::try_from(short(40))?, usize::try_from(short(44))?);
    let end = start + HEAD + names + data;
    if bytes.len() < end {
        return Ok(None);
    }
    let name = String::from_utf8(bytes[start + HEAD..start + HEAD + names].to_vec())?;
    let (file, offset, before) = (long(16), long(24), long(32));
    let event = match short(4) {
        1 => Event::Created { name, file },
        2 => Event::Written { file, offset, bytes: bytes.slice(start + HEAD + names..end) },
        3 => Event::Cut { file, length: offset },
        4 => Event::Synced { file, before },
        5 => {
            let (from, to) = name.split_once('\0').context("a rename without two names")?;
            Event::Renamed { from: from.to_owned(), to: to.to_owned() }
        }
        6 => Event::Removed { name },
        7 => Event::Folder { name },
        8 => Event::FolderSynced { name, before },
        other => bail!("a record of the unknown kind {other} at byte {start}"),
    };
    Ok(Some(Record { start: start as u64, end: end as u64, event }))
}

/// Adds changes that happened though their records were not written: the service was killed between the two.
pub(crate) fn append(path: &Path, events: &[Event]) -> Result<()> {
    let mut file = OpenOptions::new().append(true).open(path)?;
    for event in events {
        let (kind, inode, offset, name, bytes): (u32, u64, u64, &str, &[u8]) = match event {
            Event::Created { name, file } => (1, *file, 0, name, &[]),
            Event::Written { file, offset, bytes } => (2, *file, *offset, "", bytes),
            Event::Cut { file, length } => (3, *file, *length, "", &[]),
            Event::Removed { name } => (6, 0, 0, name, &[]),
            Event::Folder { name } => (7, 0, 0, name, &[]),
            other => bail!("nobody can add {other:?} to a trace afterwards"),
        };
        let mut record = Vec::with_capacity(HEAD + name.len() + bytes.len());
        for word in [MAGIC, kind] {
            record.extend(word.to_le_bytes());
        }
        for word in [0, inode, offset, 0] {
            record.extend(word.to_le_bytes());
        }
        for length in [name.len(), bytes.len()] {
            record.extend(u32::try_from(length)?.to_le_bytes());
        }
        record.extend(name.as_bytes());
        record.extend(bytes);
        file.write_all(&record)?;
    }
    Ok(())
}
