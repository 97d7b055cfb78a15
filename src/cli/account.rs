//! `rejoin user` and `rejoin token`: make the lines of files of accounts.

use std::io::{self, BufRead, IsTerminal};
use std::path::PathBuf;

use anyhow::{Context, anyhow, ensure};
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::account_file::AccountFile;
use super::credentials::ask;
use crate::service::account::{check_name, read_tokens, read_users, write_line};
use crate::service::password::{PasswordHash, can_be_password};
use crate::service::token::{TokenHash, new_token};
use crate::service::{Caller, Role};
use crate::session::Principal;

/// Whose line is made.
#[derive(Debug, Args)]
pub(super) struct AccountArguments {
    /// The name: the first field of the line
    name: String,
    /// What its requests may do; without it what the line in the file says, or else `user`
    #[arg(long, value_name = "ROLE", value_parser = roles())]
    role: Option<Role>,
    /// The stable id that sessions belong to; without it what the line in the file says, or else the name
    #[arg(long, value_name = "ID")]
    id: Option<String>,
    /// The file to put the line into, in the place of the one of that name; a new file is its owner's alone
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
}

fn roles() -> impl TypedValueParser<Value = Role> {
    PossibleValuesParser::new(Role::NAMED.map(|(name, _)| name)).map(|name| Role::of_name(&name).unwrap_or_default())
}

/// Makes the line of a user, with a password that is asked for or stands on standard input.
pub(super) fn user(arguments: &AccountArguments) -> anyhow::Result<()> {
    let file = arguments.file.as_ref().map(|path| AccountFile::open(path, read_users)).transpose()?;
    let caller = arguments.caller(file.as_ref())?;
    let password = new_password(&arguments.name)?;
    let line = write_line(&arguments.name, &PasswordHash::of(&password)?, &caller);
    if let Some(file) = file {
        file.put(&arguments.name, &line)?;
    } else {
        say!("{line}");
    }
    Ok(())
}

/// Makes a token, which is printed and kept nowhere, and its line.
pub(super) fn token(arguments: &AccountArguments) -> anyhow::Result<()> {
    let file = arguments.file.as_ref().map(|path| AccountFile::open(path, read_tokens)).transpose()?;
    let caller = arguments.caller(file.as_ref())?;
    let token = new_token()?;
    let line = write_line(&arguments.name, &TokenHash::of(&token).to_hex(), &caller);
    match file {
        Some(file) => file.put(&arguments.name, &line)?,
        None => eprintln!("{line}"),
    }
    say!("{token}");
    Ok(())
}

impl AccountArguments {
    /// Who the account is: what is not said stays as it is in the file, so that a new password does not part anybody from his
    /// sessions.
    fn caller<S>(&self, file: Option<&AccountFile<S>>) -> anyhow::Result<Caller> {
        check_name(&self.name, "name").map_err(|message| anyhow!("{message}: `{}`", self.name))?;
        let old = file.and_then(|file| file.caller(&self.name));
        let principal = match (&self.id, old) {
            (Some(id), _) => {
                check_name(id, "id").map_err(|message| anyhow!("{message}: `{id}`"))?;
                Principal::new(&**id)
            }
            (None, Some(old)) => old.principal.clone(),
            (None, None) => Principal::new(&*self.name),
        };
        let role = self.role.or(old.map(|old| old.role)).unwrap_or_default();
        Ok(Caller { principal, role })
    }
}

/// Asks twice on a terminal; elsewhere the first line of standard input is the password.
fn new_password(name: &str) -> anyhow::Result<String> {
    let password = if io::stdin().is_terminal() {
        let password = ask(&format!("New password of {name}: "))?;
        ensure!(ask("The same again: ")? == password, "the two are not the same: nothing was changed");
        password
    } else {
        first_line(io::stdin().lock())?
    };
    ensure!(can_be_password(&password), "a password has 1 to 1024 bytes and no control characters");
    Ok(password)
}

fn first_line(input: impl BufRead) -> anyhow::Result<String> {
    const LONGEST: u64 = 64 * 1024;
    let mut line = String::new();
    input.take(LONGEST).read_line(&mut line).context("the password can't be read from standard input")?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
