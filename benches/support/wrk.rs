//! A load from `wrk`, which drives whatever is measured and what it is compared with alike.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// As many connections as the bars say.
pub(crate) const CONNECTIONS: usize = 64;

/// What a load came to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    /// Answers per second.
    pub(crate) rate: f64,
    /// Answers in all.
    pub(crate) answered: u64,
}

/// Sends what the script says to `url` over so many connections for so many seconds. Every answer has to be a good one.
pub(crate) fn wrk(connections: usize, url: &str, script: &Path, threads: usize, seconds: u32) -> Result<Load> {
    let output = Command::new("wrk")
        .args(["-t", &threads.to_string(), "-c", &connections.to_string(), "-d", &format!("{seconds}s"), "-s"])
        .arg(script)
        .arg(url)
        .output()
        .context("wrk can't be run: is it installed?")?;
    let text = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success() && !text.contains("Non-2xx"), "wrk: {text}");
    let rate = text.lines().find_map(|line| line.strip_prefix("Requests/sec:")).context("wrk gave no rate")?;
    let answered = text.lines().find_map(|line| line.split_once(" requests in ")).context("wrk gave no count")?.0;
    Ok(Load { rate: rate.trim().parse()?, answered: answered.trim().parse()? })
}

/// The rate in the middle.
pub(crate) fn middle(rates: &mut [f64]) -> f64 {
    rates.sort_unstable_by(f64::total_cmp);
    rates.get(rates.len() / 2).copied().unwrap_or_default()
}
