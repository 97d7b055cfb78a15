//! The command line.

use clap::Parser;

/// Kills the service, takes its disk away, and looks whether everything that was answered is still there.
///
/// Without options it runs the short form, as `cargo test` does.
#[derive(Debug, Clone, Parser)]
#[command(name = "crash", bin_name = "scripts/crash-test")]
pub(crate) struct Options {
    /// Run only the parts whose names contain one of these: kills, money, power, faults, damage,
    /// ingest, transfers
    #[arg(value_name = "PART")]
    pub(crate) parts: Vec<String>,
    /// How often the service is killed under mixed load
    #[arg(long, default_value_t = 40, value_name = "N")]
    pub(crate) kills: u64,
    /// How many states of the disk after a power loss are looked at
    #[arg(long, default_value_t = 24, value_name = "N")]
    pub(crate) images: u64,
    /// How long money is transferred, and pages are fetched, in seconds
    #[arg(long, default_value_t = 4, value_name = "N")]
    pub(crate) seconds: u64,
    /// Repeats a run: its seed as it was printed
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// How many clients there are under mixed load, and that fetch pages
    #[arg(long, default_value_t = 6, value_name = "N")]
    pub(crate) clients: u64,
    /// Names the parts and runs none
    #[arg(long)]
    pub(crate) list: bool,
    #[command(flatten)]
    pub(crate) libtest: Libtest,
}

/// What `cargo test` may pass on to every test, and means nothing here.
#[derive(Debug, Clone, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "flags of another program")]
pub(crate) struct Libtest {
    #[arg(long, hide = true)]
    nocapture: bool,
    #[arg(long, hide = true)]
    show_output: bool,
    #[arg(long, short, hide = true)]
    quiet: bool,
    #[arg(long, hide = true)]
    exact: bool,
    #[arg(long, hide = true)]
    include_ignored: bool,
    #[arg(long, hide = true)]
    pub(crate) ignored: bool,
    #[arg(long, hide = true)]
    skip: Vec<String>,
    #[arg(long, hide = true)]
    test_threads: Option<String>,
    #[arg(long, hide = true)]
    format: Option<String>,
    #[arg(long, hide = true)]
    color: Option<String>,
}

impl Options {
    /// Whether that part is asked for. Many words of `cargo test` are names of other tests.
    pub(crate) fn wants(&self, part: &str) -> bool {
        !self.libtest.ignored && (self.parts.is_empty() || self.parts.iter().any(|wanted| part.contains(&**wanted)))
    }
}
