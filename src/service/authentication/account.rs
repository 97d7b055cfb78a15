//! A file of accounts, as text: one line for each.
//!
//! ```text
//! # name:hash[:role[:id]]
//! ada:$argon2id$v=19$m=19456,t=2,p=1$…$…:operator:u-17
//! carl:!$2y$12$…
//! ```
//!
//! The form is that of htpasswd with two fields more. A hash that begins with `!` is that of a disabled account. The id is the
//! principal that sessions belong to, the name without one: who gives everybody an id may change names.

use std::collections::HashMap;
use std::hash::Hash;
use std::path::Path;

use super::password::PasswordHash;
use super::token::TokenHash;
use super::{Caller, Role};
use crate::document::Position;
use crate::service::ConfigurationError;
use crate::session::Principal;

/// What a line has to be.
const FORM: &str = "expected `name:hash`, `name:hash:role` or `name:hash:role:id`";

/// The largest file that is read.
pub(crate) const MOST_BYTES: u64 = 64 * 1024 * 1024;

/// The longest name or id, in bytes.
const LONGEST: usize = 256;

/// Somebody who may be let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Account<S> {
    /// What it is called; unique in its file.
    pub(crate) name: String,
    /// What the secret is compared to; `None` when the account is disabled.
    pub(crate) secret: Option<S>,
    /// Who that is.
    pub(crate) caller: Caller,
    /// Where it stands in its file, from 1.
    pub(crate) line: u32,
}

impl Wrong {
    /// The same with its file.
    pub(crate) fn in_file(self, file: &Path) -> ConfigurationError {
        ConfigurationError { file: file.into(), position: self.position, message: self.message }
    }
}

/// What is wrong in a file of accounts, and where. It never repeats what stands there: that may be a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wrong {
    pub(crate) position: Position,
    pub(crate) message: String,
}

/// Reads a file of users. No two of them share an id: a line that was copied and changed in its name alone would share the
/// sessions of the first.
///
/// # Errors
///
/// The first thing that is wrong of every line.
pub(crate) fn read_users(text: &str) -> Result<Vec<Account<PasswordHash>>, Vec<Wrong>> {
    let accounts = read(text, PasswordHash::parse)?;
    refuse_repeated(&accounts, |account| Some(&account.caller.principal), "the id stands in line")?;
    Ok(accounts)
}

/// Reads a file of tokens. Several may have the same id: those of one owner, who can have a new one before the old one goes.
///
/// # Errors
///
/// The first thing that is wrong of every line.
pub(crate) fn read_tokens(text: &str) -> Result<Vec<Account<TokenHash>>, Vec<Wrong>> {
    let accounts = read(text, TokenHash::parse)?;
    refuse_repeated(&accounts, |account| account.secret.as_ref(), "the token stands in line")?;
    Ok(accounts)
}

/// Reads a file of accounts; `secret` reads a hash. No name stands twice.
fn read<S>(text: &str, secret: impl Fn(&str) -> Result<S, String>) -> Result<Vec<Account<S>>, Vec<Wrong>> {
    let mut accounts = Vec::new();
    let mut wrong = Vec::new();
    // A mark that some editors put at the beginning is no part of a name.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for (number, line) in (1..).zip(text.lines()) {
        let is_blank = line.trim().is_empty() || line.trim_start().starts_with('#');
        match (!is_blank).then(|| read_line(line, number, &secret)) {
            Some(Ok(account)) => accounts.push(account),
            Some(Err(error)) => wrong.push(error),
            None => {}
        }
    }
    if !wrong.is_empty() {
        return Err(wrong);
    }
    refuse_repeated(&accounts, |account| Some(&account.name), "the name stands in line")?;
    Ok(accounts)
}

/// Refuses accounts that have something of an earlier one that no two may have.
fn refuse_repeated<'a, S, T: Hash + Eq>(
    accounts: &'a [Account<S>],
    unique: impl Fn(&'a Account<S>) -> Option<T>,
    what: &str,
) -> Result<(), Vec<Wrong>> {
    let mut lines = HashMap::new();
    let mut wrong = Vec::new();
    for account in accounts {
        if let Some(earlier) = unique(account).and_then(|key| lines.insert(key, account.line)) {
            let position = Position { line: account.line, column: 1 };
            wrong.push(wrong_at(position, format!("{what} {earlier} already")));
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}

/// Reads one line, `name:hash[:role[:id]]`.
///
/// # Errors
///
/// The first thing that is wrong in it.
fn read_line<S>(line: &str, number: u32, secret: impl Fn(&str) -> Result<S, String>) -> Result<Account<S>, Wrong> {
    let fields = fields(line, number);
    let [name, hash, more @ ..] = &fields[..] else {
        return Err(wrong_at(Position { line: number, column: 1 }, FORM));
    };
    check_name(name.text, "name").map_err(|message| wrong_at(name.position, message))?;
    let secret = match hash.text.strip_prefix('!') {
        Some(_) => None,
        None => Some(secret(hash.text).map_err(|message| wrong_at(hash.position, message))?),
    };
    let role = match more.first() {
        Some(role) if !role.text.is_empty() => {
            Role::of_name(role.text).ok_or_else(|| wrong_at(role.position, "expected the role `user` or `operator`"))?
        }
        _ => Role::default(),
    };
    let id = match more.get(1) {
        Some(id) => check_name(id.text, "id").map_err(|message| wrong_at(id.position, message)).map(|()| id.text)?,
        None => name.text,
    };
    if let Some(extra) = more.get(2) {
        return Err(wrong_at(extra.position, FORM));
    }
    let caller = Caller { principal: Principal::new(id), role };
    Ok(Account { name: name.text.to_owned(), secret, caller, line: number })
}

/// A field of a line, and where it begins.
struct Field<'a> {
    text: &'a str,
    position: Position,
}

fn fields(line: &str, number: u32) -> Vec<Field<'_>> {
    let mut column = 1;
    let split = line.split(':').map(|text| {
        let field = Field { text, position: Position { line: number, column } };
        column = column.saturating_add(u32::try_from(text.chars().count()).unwrap_or(u32::MAX)).saturating_add(1);
        field
    });
    split.collect()
}

fn wrong_at(position: Position, message: impl Into<String>) -> Wrong {
    Wrong { position, message: message.into() }
}

/// Whether a text can be a name or an id of an account.
///
/// # Errors
///
/// What is wrong with it.
pub(crate) fn check_name(text: &str, what: &str) -> Result<(), String> {
    if text.is_empty() {
        Err(format!("the {what} is empty"))
    } else if text.len() > LONGEST {
        Err(format!("the {what} is longer than {LONGEST} bytes"))
    } else if text.trim() != text || text.contains(|character: char| character.is_control() || character == ':') {
        Err(format!("white space around the {what}, a colon or a control character in it"))
    } else if text.starts_with('#') {
        Err(format!("`#` begins a comment, no {what}"))
    } else {
        Ok(())
    }
}

/// The line of an account.
pub(crate) fn write_line(name: &str, hash: &str, caller: &Caller) -> String {
    let id = caller.principal.id().filter(|id| *id != name);
    match (caller.role, id) {
        (Role::User, None) => format!("{name}:{hash}"),
        (role, None) => format!("{name}:{hash}:{}", role.name()),
        (role, Some(id)) => format!("{name}:{hash}:{}:{id}", role.name()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hash(text: &str) -> Result<String, String> {
        if text.starts_with('$') { Ok(text.into()) } else { Err("no hash".into()) }
    }

    #[test]
    fn a_line_is_a_name_a_hash_a_role_and_an_id() {
        let text =
            "\u{feff}# people\r\n\n  # more\nada:$1:operator:u-17\r\ncarl:$2\nGrace Ö:$3:user\nzoe:$4::z\nold:!$5\n";
        let read = read(text, hash).unwrap();
        let told: Vec<_> = read
            .iter()
            .map(|account| {
                let Caller { principal, role } = &account.caller;
                (&*account.name, account.secret.as_deref(), *role, principal.id().unwrap(), account.line)
            })
            .collect();
        let expected = [
            ("ada", Some("$1"), Role::Operator, "u-17", 4),
            ("carl", Some("$2"), Role::User, "carl", 5),
            ("Grace Ö", Some("$3"), Role::User, "Grace Ö", 6),
            ("zoe", Some("$4"), Role::User, "z", 7),
            ("old", None, Role::User, "old", 8),
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn every_wrong_line_is_told_with_its_place_and_without_what_stands_there() {
        let text = "ada:$1\nsecret\n:$1\nñu:secret\nx:$1:secret\ny:$1:user:\nz:$1:user:z:secret\n a:$1\nb\0:$1";
        let wrong = read(text, hash).unwrap_err();
        let places: Vec<String> = wrong.iter().map(|wrong| wrong.position.to_string()).collect();
        assert_eq!(places, ["2:1", "3:1", "4:4", "5:6", "6:11", "7:13", "8:1", "9:1"]);
        assert!(wrong.iter().all(|wrong| !wrong.message.contains("secret")), "{wrong:?}");
    }

    #[test]
    fn no_two_share_what_tells_them_apart() {
        let (bcrypt, token, other) = (bcrypt::hash("a", 4).unwrap(), "0".repeat(64), "1".repeat(64));
        let told = |wrong: Vec<Wrong>| (wrong[0].position.to_string(), wrong[0].message.clone(), wrong.len());
        let users = |text: &str| told(read_users(&text.replace('$', &bcrypt)).unwrap_err());
        assert_eq!(users("a:$\n\na:$"), ("3:1".into(), "the name stands in line 1 already".into(), 1));
        assert_eq!(users("a:$\nb:!:user:a"), ("2:1".into(), "the id stands in line 1 already".into(), 1));
        let tokens = format!("a:{token}\nb:{token}");
        assert_eq!(told(read_tokens(&tokens).unwrap_err()).1, "the token stands in line 1 already");
        assert!(read_tokens(&format!("a:{token}\nb:{other}:user:a\nc:!\nd:!")).is_ok(), "two tokens of one owner");
    }

    proptest! {
        #[test]
        fn whatever_stands_in_a_file_is_read_or_refused_within_it(text in "([a-c#!$: é\\n\\r\\t\u{feff}]|user|operator){0,60}") {
            let lines: Vec<&str> = text.lines().collect();
            match read(&text, hash) {
                Ok(accounts) => {
                    for Account { name, secret, caller, line } in accounts {
                        let hash = secret.as_deref().unwrap_or("!");
                        let again = read_line(&write_line(&name, hash, &caller), line, super::tests::hash);
                        prop_assert_eq!(again, Ok(Account { name, secret, caller, line }));
                    }
                }
                Err(wrong) => {
                    for Wrong { position: Position { line, column }, .. } in wrong {
                        let length = lines[line as usize - 1].chars().count();
                        prop_assert!((1..=length + 1).contains(&(column as usize)), "{line}:{column}");
                    }
                }
            }
        }
    }

    #[test]
    fn what_is_written_reads_the_same() {
        for line in ["ada:$1", "ada:$1:operator", "ada:$1:operator:u-17", "ada:$1:user:u-17"] {
            let account = read_line(line, 1, hash).unwrap();
            assert_eq!(write_line("ada", "$1", &account.caller), line);
        }
    }
}
