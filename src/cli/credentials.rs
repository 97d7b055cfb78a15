//! Who a command says that it is, to a service that asks. Every command that sends requests has these options.

use std::env::{self, VarError};
use std::fs;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use clap::Args;

use crate::client::Credentials;

/// The environment variable with the password of `--user`.
const PASSWORD: &str = "REJOIN_PASSWORD";

/// The environment variable with a token.
const TOKEN: &str = "REJOIN_TOKEN";

/// What to say when a service answers 401.
pub(super) const HOW_TO_SAY_WHO_YOU_ARE: &str =
    "say who you are with --user NAME and the password in REJOIN_PASSWORD, or with a token in REJOIN_TOKEN";

/// Options for a service that wants to know who sends a request. Passwords and tokens never stand on the command line: others on
/// the machine can read it.
#[derive(Debug, Args)]
#[command(next_help_heading = "Authentication")]
pub(super) struct CredentialOptions {
    /// The user to send requests as; the password is read from `REJOIN_PASSWORD` or --password-file, or asked for
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// The file whose first line is the password of --user
    #[arg(long, value_name = "FILE", requires = "user")]
    password_file: Option<PathBuf>,
    /// The file whose first line is the token to send; without it, and without --user, `REJOIN_TOKEN` is
    #[arg(long, value_name = "FILE", conflicts_with = "user")]
    token_file: Option<PathBuf>,
}

impl CredentialOptions {
    /// Finds the password or the token; `None` where the service is told nothing. It may ask the person at the terminal.
    ///
    /// # Errors
    ///
    /// When there is a user and no password, or a file can't be read.
    pub(super) fn find(&self) -> anyhow::Result<Option<Credentials>> {
        if let Some(user) = &self.user {
            return Ok(Some(Credentials::basic(user, self.password(user)?)));
        }
        let token = match &self.token_file {
            Some(file) => Some(first_line(file)?),
            None => variable(TOKEN)?,
        };
        Ok(token.map(Credentials::bearer))
    }

    fn password(&self, user: &str) -> anyhow::Result<String> {
        if let Some(file) = &self.password_file {
            return first_line(file);
        }
        if let Some(password) = variable(PASSWORD)? {
            return Ok(password);
        }
        if io::stdin().is_terminal() && io::stderr().is_terminal() {
            return ask(&format!("Password of {user}: "));
        }
        bail!("--user needs a password: in the environment variable {PASSWORD}, or in a file with --password-file")
    }
}

/// Asks on the terminal, without showing what is typed.
pub(super) fn ask(question: &str) -> anyhow::Result<String> {
    eprint!("{question}");
    console::Term::stderr().read_secure_line().context("the password can't be read from the terminal")
}

/// The value of an environment variable that holds a secret; an empty one is none.
fn variable(name: &str) -> anyhow::Result<Option<String>> {
    match env::var(name) {
        Ok(value) => Ok(Some(value).filter(|value| !value.is_empty())),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => bail!("the environment variable {name} is not UTF-8"),
    }
}

fn first_line(file: &Path) -> anyhow::Result<String> {
    let text = fs::read_to_string(file).with_context(|| format!("{} can't be read", file.display()))?;
    let line = text.lines().next().unwrap_or_default();
    ensure!(!line.is_empty(), "the first line of {} is empty", file.display());
    Ok(line.to_owned())
}
