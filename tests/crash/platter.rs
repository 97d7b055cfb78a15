//! The disk as a trace says that it is: what is safe on it, and what has only been asked for.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use bytes::Bytes;

use crate::random::Random;
use crate::trace::{Event, Record};

/// What a disk writes whole or not at all.
const SECTOR: u64 = 512;

/// A change that is not safe yet, and where its record begins.
#[derive(Debug, Clone)]
struct Waiting<C> {
    at: u64,
    change: C,
}

#[derive(Debug, Clone)]
enum Content {
    Written { offset: u64, bytes: Bytes },
    Cut { length: u64 },
}

#[derive(Debug, Clone)]
enum Naming {
    Is { name: String, what: What },
    Renamed { from: String, to: String },
    Removed { name: String },
}

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Folder,
    /// The place of the file among all that ever were.
    File(usize),
}

#[derive(Debug, Clone, Default)]
struct File {
    inode: u64,
    safe: Vec<u8>,
    waiting: Vec<Waiting<Content>>,
}

type Names = BTreeMap<String, What>;

/// The files of the watched folder.
#[derive(Debug, Clone, Default)]
pub(crate) struct Platter {
    files: Vec<File>,
    by_inode: HashMap<u64, usize>,
    names: Names,
    renaming: Vec<Waiting<Naming>>,
}

/// How much of what waits reaches the disk when the power goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Loss {
    /// Nothing that was not synced.
    Everything,
    /// Nothing is lost: it is as if the process had been killed.
    Nothing,
    /// What came last.
    Tail,
    /// Any of it.
    Some,
    /// Any sectors of any of it.
    Torn,
}

impl Loss {
    pub(crate) const ALL: [Self; 5] = [Self::Everything, Self::Nothing, Self::Tail, Self::Some, Self::Torn];
}

impl Platter {
    /// What happens next.
    pub(crate) fn apply(&mut self, record: &Record) {
        let at = record.start;
        match &record.event {
            Event::Created { name, file } => {
                self.by_inode.insert(*file, self.files.len());
                let what = What::File(self.files.len());
                self.files.push(File { inode: *file, ..File::default() });
                self.rename(at, Naming::Is { name: name.clone(), what });
            }
            Event::Written { file, offset, bytes } => {
                self.change(*file, at, Content::Written { offset: *offset, bytes: bytes.clone() });
            }
            Event::Cut { file, length } => self.change(*file, at, Content::Cut { length: *length }),
            Event::Synced { file, before } => {
                if let Some(&place) = self.by_inode.get(file) {
                    self.files[place].sync(*before);
                }
            }
            Event::Renamed { from, to } => {
                self.rename(at, Naming::Renamed { from: from.clone(), to: to.clone() });
            }
            Event::Removed { name } => self.rename(at, Naming::Removed { name: name.clone() }),
            Event::Folder { name } => self.rename(at, Naming::Is { name: name.clone(), what: What::Folder }),
            Event::FolderSynced { name, before } => self.sync_folder(name, *before),
        }
    }

    fn change(&mut self, inode: u64, at: u64, change: Content) {
        // What was open before the trace began is none of the store's.
        if let Some(&place) = self.by_inode.get(&inode) {
            self.files[place].waiting.push(Waiting { at, change });
        }
    }

    fn rename(&mut self, at: u64, change: Naming) {
        self.renaming.push(Waiting { at, change });
    }

    fn sync_folder(&mut self, folder: &str, before: u64) {
        let waiting = std::mem::take(&mut self.renaming);
        let (safe, rest): (Vec<_>, Vec<_>) =
            waiting.into_iter().partition(|naming| naming.at < before && naming.change.folder() == folder);
        for naming in safe {
            naming.change.apply(&mut self.names);
        }
        self.renaming = rest;
    }

    /// Writes the files as a power loss could leave them.
    pub(crate) fn write_image(&self, random: &mut Random, loss: Loss, folder: &Path) -> Result<()> {
        let mut names = self.names.clone();
        let mut per_folder: BTreeMap<&str, Vec<&Naming>> = BTreeMap::new();
        for naming in &self.renaming {
            per_folder.entry(naming.change.folder()).or_default().push(&naming.change);
        }
        for changes in per_folder.values() {
            // A file system writes the changes of a folder in their order.
            let kept = match loss {
                Loss::Everything => 0,
                Loss::Nothing => changes.len(),
                _ => random.place(changes.len() + 1),
            };
            changes[..kept].iter().for_each(|change| change.apply(&mut names));
        }
        for (name, what) in &names {
            let path = folder.join(name);
            // What stands in a folder that was lost is lost with it.
            if !path.parent().is_some_and(Path::is_dir) {
                continue;
            }
            match what {
                What::Folder => fs::create_dir_all(&path)?,
                What::File(place) => fs::write(&path, self.files[*place].after(random, loss))?,
            }
        }
        Ok(())
    }

    /// What would have to have happened besides for the files to be as they are in `folder`.
    pub(crate) fn missing(&self, folder: &Path, ignored: &[&str]) -> Result<Vec<Event>> {
        let mut names = self.names.clone();
        self.renaming.iter().for_each(|naming| naming.change.apply(&mut names));
        let mut events = Vec::new();
        let mut found = Vec::new();
        list(folder, "", &mut found)?;
        found.retain(|name| !ignored.contains(&&**name) && !name.ends_with("-shm"));
        for name in names.keys().filter(|name| !found.contains(name)) {
            events.push(Event::Removed { name: name.clone() });
        }
        let whole = &mut Random::new(0, "");
        for name in found {
            let path = folder.join(&name);
            match names.get(&name) {
                Some(What::Folder) => {}
                None if path.is_dir() => events.push(Event::Folder { name }),
                Some(What::File(place)) => {
                    let file = &self.files[*place];
                    differences(file.inode, &file.after(whole, Loss::Nothing), &fs::read(path)?, &mut events);
                }
                None => {
                    let inode = std::os::unix::fs::MetadataExt::ino(&fs::metadata(&path)?);
                    events.push(Event::Created { name, file: inode });
                    differences(inode, &[], &fs::read(path)?, &mut events);
                }
            }
        }
        Ok(events)
    }
}

impl File {
    fn sync(&mut self, before: u64) {
        let count = self.waiting.iter().take_while(|waiting| waiting.at < before).count();
        for waiting in self.waiting.drain(..count) {
            waiting.change.apply(&mut self.safe);
        }
    }

    /// Its content after the power went.
    fn after(&self, random: &mut Random, loss: Loss) -> Vec<u8> {
        let mut content = self.safe.clone();
        let kept = match loss {
            Loss::Everything => 0,
            Loss::Tail => random.place(self.waiting.len() + 1),
            _ => self.waiting.len(),
        };
        // Some disks lose little, some much.
        let percent = random.within(5..96);
        for waiting in &self.waiting[..kept] {
            match (loss, &waiting.change) {
                (Loss::Torn, Content::Written { offset, bytes }) => {
                    for (offset, sector) in sectors(*offset, bytes) {
                        if random.chance(percent) {
                            write(&mut content, offset, sector);
                        }
                    }
                }
                (Loss::Some | Loss::Torn, _) if !random.chance(percent) => {}
                (_, change) => change.apply(&mut content),
            }
        }
        content
    }
}

impl Content {
    fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Self::Written { offset, bytes } => write(content, *offset, bytes),
            Self::Cut { length } => content.resize(usize::try_from(*length).expect("a length of a file of ours"), 0),
        }
    }
}

impl Naming {
    fn folder(&self) -> &str {
        let (Self::Is { name, .. } | Self::Renamed { to: name, .. } | Self::Removed { name }) = self;
        name.rsplit_once('/').map_or("", |(folder, _)| folder)
    }

    fn apply(&self, names: &mut Names) {
        match self {
            Self::Is { name, what } => {
                names.insert(name.clone(), *what);
            }
            Self::Renamed { from, to } => {
                if let Some(what) = names.remove(from) {
                    names.insert(to.clone(), what);
                }
            }
            Self::Removed { name } => {
                names.remove(name);
            }
        }
    }
}

fn write(content: &mut Vec<u8>, offset: u64, bytes: &[u8]) {
    let offset = usize::try_from(offset).expect("an offset in a file of ours");
    let end = offset + bytes.len();
    if content.len() < end {
        content.resize(end, 0);
    }
    content[offset..end].copy_from_slice(bytes);
}

/// The sectors that a write touches, each with what it gets.
fn sectors(offset: u64, bytes: &[u8]) -> Vec<(u64, &[u8])> {
    let (mut at, mut rest, mut sectors) = (offset, bytes, Vec::new());
    while !rest.is_empty() {
        let length = usize::try_from(SECTOR - at % SECTOR).expect("a sector").min(rest.len());
        let (sector, behind) = rest.split_at(length);
        sectors.push((at, sector));
        (at, rest) = (at + length as u64, behind);
    }
    sectors
}

/// The writes that make `before` into `after`.
fn differences(inode: u64, before: &[u8], after: &[u8], events: &mut Vec<Event>) {
    if after.len() < before.len() {
        events.push(Event::Cut { file: inode, length: after.len() as u64 });
    }
    for (offset, sector) in sectors(0, after) {
        let place = usize::try_from(offset).expect("an offset in a file of ours");
        if before.get(place..place + sector.len()) != Some(sector) {
            events.push(Event::Written { file: inode, offset, bytes: Bytes::copy_from_slice(sector) });
        }
    }
}

/// All names under a folder, folders before what is in them.
fn list(root: &Path, folder: &str, names: &mut Vec<String>) -> Result<()> {
    for entry in fs::read_dir(root.join(folder)).with_context(|| folder.to_owned())? {
        let entry = entry?;
        let name = entry.file_name().into_string().ok().context("a name that is no text")?;
        let name = if folder.is_empty() { name } else { format!("{folder}/{name}") };
        names.push(name.clone());
        if entry.file_type()?.is_dir() {
            list(root, &name, names)?;
        }
    }
    Ok(())
}
