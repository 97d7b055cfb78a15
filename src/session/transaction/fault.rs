//! Places at which tests end or stop the process in the middle of a commit.

/// Ends the process here, if it is a debug build and `REJOIN_TRANSACTION_FAULT` says so, as a crash would. With `stop:` before
/// the name, the process stands still until somebody sends it `SIGCONT`.
#[cfg(debug_assertions)]
pub(super) fn point(name: &str) {
    let Ok(wanted) = std::env::var("REJOIN_TRANSACTION_FAULT") else { return };
    if wanted == name {
        std::process::abort();
    }
    if wanted.strip_prefix("stop:") == Some(name) {
        // Threads stop one after the other: this one waits for the shell meanwhile, so that it goes no step further. Whoever
        // waits for the process to stand still waits in vain if it can't be stopped.
        let _ = std::process::Command::new("sh").args(["-c", "kill -STOP $PPID; sleep 0.3"]).status();
    }
}

#[cfg(not(debug_assertions))]
pub(super) fn point(_name: &str) {}
