//! `curl`, the client that throws away what it gets.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

/// Posts a perform document; how long it took until the whole answer was there.
pub(crate) fn curl(url: &str, document: &str) -> Result<Duration> {
    let begun = Instant::now();
    run_curl(url, document, &[])?;
    Ok(begun.elapsed())
}

/// The same with more options; gives what `curl` says.
pub(crate) fn run_curl(url: &str, document: &str, more: &[&str]) -> Result<Vec<u8>> {
    let output = Command::new("curl")
        .args(["-sS", "-f", "-o", "/dev/null", "-H", "Content-Type: application/xml", "-d", document])
        .args(more)
        .arg(url)
        .output()
        .context("curl can't be run: is it installed?")?;
    ensure!(output.status.success(), "curl: {}", String::from_utf8_lossy(&output.stderr));
    Ok(output.stdout)
}
