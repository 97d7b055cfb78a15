//! Places at which tests end the process in the middle of a commit.

/// Ends the process here, if it is a debug build and `REJOIN_TRANSACTION_FAULT` says so, as a crash would.
#[cfg(debug_assertions)]
pub(super) fn point(name: &str) {
    if std::env::var_os("REJOIN_TRANSACTION_FAULT").is_some_and(|wanted| *wanted == *name) {
        std::process::abort();
    }
}

#[cfg(not(debug_assertions))]
pub(super) fn point(_name: &str) {}
