//! People in a file of CSV, for databases to load.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::Result;

use super::people::{Person, Random, SEED};

/// Writes that many people to `path`, numbered from 1: id, name, comment, phone, balance, created.
pub(crate) fn write(path: &Path, rows: u32) -> Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    let mut random = Random(SEED);
    for id in 1..=rows {
        let Person { name, comment, phone, balance, created } = random.person();
        let comment = comment.replace('"', "\"\"");
        writeln!(file, "{id},{name},\"{comment}\",{phone},{balance:.2},{created}")?;
    }
    file.flush()?;
    Ok(())
}
