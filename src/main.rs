//! The `rejoin` command.

use std::process::ExitCode;

/// Blocks are made on one thread and freed on another, which this allocator is good at; `docs/performance.md` has figures.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    rejoin::cli::main()
}
