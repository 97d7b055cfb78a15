//! Asking before something that can't be taken back.

use std::io::{self, BufRead, IsTerminal};

use anyhow::ensure;

/// Asks a question on the terminal. Anything but yes is no.
///
/// # Errors
///
/// When there is nobody to ask.
pub(super) fn confirm(question: &str) -> anyhow::Result<bool> {
    ensure!(
        io::stdin().is_terminal() && io::stderr().is_terminal(),
        "there is no terminal to ask on whether all sessions are to be ended: say --yes"
    );
    eprint!("{question} [y/N] ");
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(is_yes(&answer))
}

fn is_yes(answer: &str) -> bool {
    matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anything_but_yes_is_no() {
        for (answer, expected) in [("y\n", true), (" YES \n", true), ("\n", false), ("", false), ("yikes\n", false)] {
            assert_eq!(is_yes(answer), expected, "{answer:?}");
        }
    }
}
