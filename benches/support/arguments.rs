//! What is said on the command line of a bench.

use anyhow::{Context, Result};

/// The number after `name` on the command line.
pub(crate) fn argument(name: &str, default: u32) -> Result<u32> {
    let mut arguments = std::env::args().skip_while(|argument| argument != name).skip(1);
    arguments.next().map_or(Ok(default), |value| value.parse().with_context(|| format!("{name} {value}")))
}
