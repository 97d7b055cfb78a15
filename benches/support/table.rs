//! Medians and how they are printed.

use std::time::Duration;

/// The middle one of some measurements.
#[must_use]
pub(crate) fn median(measured: &[Duration]) -> Duration {
    let mut sorted = measured.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

/// Prints one line: what was measured, its median, its range, and its ratio to `base`.
pub(crate) fn line(what: &str, measured: &[Duration], base: Duration) {
    let least = measured.iter().min().copied().unwrap_or_default();
    let most = measured.iter().max().copied().unwrap_or_default();
    let middle = median(measured);
    let ratio = middle.as_secs_f64() / base.as_secs_f64();
    println!("{what:<34} {middle:>10.2?}  ({least:.2?} to {most:.2?})  ratio {ratio:.3}");
}
