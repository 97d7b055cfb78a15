//! The most memory that this process has.

use std::fs;

use anyhow::{Context, Result};

/// From now on the peak counts from here. Gives the memory that there is now, in KiB.
pub(crate) fn begin() -> Result<u64> {
    fs::write("/proc/self/clear_refs", "5").context("the peak can't be reset")?;
    status("VmRSS:")
}

/// The most memory since [`begin`], in KiB.
pub(crate) fn kibibytes() -> Result<u64> {
    status("VmHWM:")
}

fn status(what: &str) -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(what)).context("the kernel does not tell")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}
