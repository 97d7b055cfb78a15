//! Part `damage`: a store that is not as it was left is refused at the start, says what to do, and stays as it is.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use crate::client::{Client, Task};
use crate::crew::{Crew, Host};
use crate::held::{Found, look};
use crate::home::{Durability, Home};
use crate::options::Options;
use crate::random::Random;
use crate::service::Service;
use crate::wire::{Link, Stage};

/// The file that holds the sessions.
const FILE: &str = "sessions.db";

/// Where an SQLite file says which format of ours it has (`user_version`).
const FORMAT: usize = 60;

/// So many bytes change when a store counts that it was opened, which it may have done before it finds a wrong row.
const OPENING: usize = 64;

type Harm = fn(&mut Vec<u8>, &mut Random);

/// What happened to the file, and what the message has to say.
struct Damage {
    what: &'static str,
    says: &'static str,
    harm: Harm,
}

const DAMAGES: [Damage; 7] = [
    Damage { what: "the beginning was overwritten", says: "is damaged", harm: |file, _| file[..16].fill(0x55) },
    Damage { what: "the first page was flipped", says: "is damaged", harm: |file, _| flip(&mut file[100..400]) },
    Damage { what: "half of it is missing", says: "is damaged", harm: |file, _| file.truncate(file.len() / 2) },
    Damage { what: "all of it is missing", says: "is damaged", harm: |file, _| file.fill(0) },
    Damage { what: "it is of a newer version", says: "knows formats up to", harm: |file, _| file[FORMAT] = 1 },
    Damage {
        what: "it is a text",
        says: "is no session store",
        harm: |file, _| *file = b"Dear Sir or Madam,\n".repeat(300),
    },
    Damage { what: "pages were overwritten", says: "is damaged", harm: |file, random| overwrite_pages(file, random) },
];

pub(crate) fn run(options: &Options, seed: u64, folder: &Path, _library: &Path) -> Result<String> {
    let mut random = Random::new(seed, "damage");
    let home = Home::new(&folder.join("sound"), Durability::Full)?;
    let mut host = Host::new(&home, None);
    let crew = Crew::hire(&host, 4, seed, Task { keeps_history: false, store_may_fail: false })?;
    host.serve()?;
    host.wait(Duration::from_millis(800))?;
    host.kill()?;
    host.serve_last()?;
    let (clients, _) = crew.finish(Duration::from_mins(2))?;
    host.stop()?;
    for (number, damage) in DAMAGES.iter().enumerate() {
        let copy = home.copy_without_data(&folder.join(number.to_string()))?;
        fs::create_dir(copy.store())?;
        let mut file = fs::read(home.store().join(FILE))?;
        (damage.harm)(&mut file, &mut random);
        fs::write(copy.store().join(FILE), file)?;
        is_refused(&copy, damage.says).with_context(|| damage.what.to_owned())?;
    }
    foreign_files(&home, folder)?;
    let mut flips = Flips::default();
    for number in 0..options.images.div_ceil(6) {
        let copy = home.copy_without_data(&folder.join(format!("flip-{number}")))?;
        let place = one_bit(&home, &copy, &mut random)?;
        flips
            .look_at(&copy, &clients)
            .with_context(|| format!("bit {} of byte {} was flipped", place % 8, place / 8))?;
        fs::remove_dir_all(copy.folder())?;
    }
    Ok(format!(
        "{} kinds of damage were refused with what to do, and no byte was changed; single bits were flipped: {flips}",
        DAMAGES.len() + 1
    ))
}

/// What became of stores in which one bit was flipped: nothing false is ever told.
#[derive(Debug, Default)]
struct Flips {
    refused: u64,
    unreadable: u64,
    sound: u64,
}

impl Flips {
    fn look_at(&mut self, home: &Home, clients: &[Client]) -> Result<()> {
        let before = content(&home.store())?;
        let mut service = Service::start(home, None)?;
        let Some(url) = service.url()? else {
            let changed = difference(&before, &content(&home.store())?);
            ensure!(changed <= OPENING, "it changed {changed} bytes of what it refused");
            self.refused += 1;
            return Ok(());
        };
        let stage = tokio::sync::watch::Sender::new(Stage::Serving { number: 1, url });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let mut link = Link::new(stage.subscribe(), None)?;
        for held in clients.iter().flat_map(|client| &client.held) {
            match runtime.block_on(look(&mut link, &held.id, held.fence))? {
                Found::Unreadable => self.unreadable += 1,
                Found::Alive(found) if found == *held.state => self.sound += 1,
                Found::Alive(found) => bail!("`{}` is told falsely:\n{}", held.label, found.difference(&held.state)),
                other => bail!("`{}` is {other:?}", held.label),
            }
        }
        service.kill()
    }
}

impl fmt::Display for Flips {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { refused, unreadable, sound } = self;
        write!(
            f,
            "{refused} starts were refused, of the sessions of the others {unreadable} could not be read, {sound} were sound"
        )
    }
}

/// Copies the store with one bit flipped that is used: which.
fn one_bit(home: &Home, copy: &Home, random: &mut Random) -> Result<usize> {
    fs::create_dir(copy.store())?;
    let mut file = fs::read(home.store().join(FILE))?;
    let mut bit = random.place(file.len() * 8);
    // Where nothing stands nothing can be damaged.
    while file[bit / 8] == 0 {
        bit = random.place(file.len() * 8);
    }
    file[bit / 8] ^= 1 << (bit % 8);
    fs::write(copy.store().join(FILE), file)?;
    Ok(bit)
}

/// A file in the place of the folder.
fn foreign_files(home: &Home, folder: &Path) -> Result<()> {
    let copy = home.copy_without_data(&folder.join("file"))?;
    fs::write(copy.store(), "not a folder")?;
    let mut service = Service::start(&copy, None)?;
    ensure!(service.url()?.is_none(), "a service started over a file that is no store");
    ensure!(fs::read(copy.store())? == b"not a folder", "a foreign file was changed");
    Ok(())
}

/// The service does not start: exit code 1, a message that says what to do, and the same files as before.
fn is_refused(home: &Home, says: &str) -> Result<()> {
    let before = content(&home.store())?;
    let mut service = Service::start(home, None)?;
    if let Some(url) = service.url()? {
        bail!("a service started over it: {url}");
    }
    let status = service.wait(Duration::from_secs(10))?.context("it did not end")?;
    let said = home.last_of_log();
    ensure!(status.code() == Some(1), "it ended with {status}: {said}");
    ensure!(said.contains(says), "it does not say `{says}` but: {said}");
    let tells_what_to_do = ["configure another path", "After a disk failure", "use the version that wrote it"];
    ensure!(tells_what_to_do.iter().any(|words| said.contains(words)), "it does not say what to do: {said}");
    ensure!(content(&home.store())? == before, "it changed what it refused");
    Ok(())
}

/// The files of a store, but for the lock and the shared memory, which hold no data.
fn content(store: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut content = BTreeMap::new();
    for entry in fs::read_dir(store)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name != "lock" && !name.ends_with("-shm") {
            content.insert(name, fs::read(entry.path())?);
        }
    }
    Ok(content)
}

/// In how many bytes two stores differ.
fn difference(before: &BTreeMap<String, Vec<u8>>, after: &BTreeMap<String, Vec<u8>>) -> usize {
    let names = before.keys().chain(after.keys().filter(|name| !before.contains_key(*name)));
    names
        .map(|name| {
            let (before, after) =
                (before.get(name).map_or(&[][..], |file| file), after.get(name).map_or(&[][..], |file| file));
            let changed = before.iter().zip(after).filter(|(before, after)| before != after).count();
            changed + before.len().abs_diff(after.len())
        })
        .sum()
}

fn flip(bytes: &mut [u8]) {
    for byte in bytes {
        *byte ^= 0xff;
    }
}

/// A third of the pages behind the first get other bytes, their headers among them.
fn overwrite_pages(file: &mut [u8], random: &mut Random) {
    for page in file.chunks_mut(4096).skip(1) {
        if random.chance(33) {
            let byte = u8::try_from(random.within(1..255)).expect("a byte");
            page.fill(byte);
        }
    }
}
