//! What is said on the command line of a bench.

use anyhow::{Context, Result};

/// The number after `name` on the command line.
pub(crate) fn argument(name: &str, default: u32) -> Result<u32> {
    text_after(name).map_or(Ok(default), |value| value.parse().with_context(|| format!("{name} {value}")))
}

/// What stands after `name` on the command line.
pub(crate) fn text_after(name: &str) -> Option<String> {
    std::env::args().skip_while(|argument| argument != name).nth(1)
}
