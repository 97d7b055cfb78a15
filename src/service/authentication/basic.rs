//! `impl="basic"`: name and password in every request (RFC 7617), checked against a file of users.
//!
//! To check a password is slow on purpose, so this is what keeps a flood of wrong ones from being a flood of work:
//!
//! - Checks run on blocking threads, a few at a time; some more wait, and beyond those the answer is 503.
//! - What was right is remembered for some minutes ([`super::remembered`]), so those who work here already wait for nobody.
//!
//! And this is what keeps the time of an answer from telling who is known: a name that is unknown, or disabled, is checked
//! against the hash of somebody else, always the same, and found wrong.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use async_trait::async_trait;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::HeaderMap;

use super::account::{Account, Wrong, check_name, read_users};
use super::account_book::{AccountBook, Accounts};
use super::authorization::{Challenge, credentials};
use super::password::{PasswordHash, can_be_password};
use super::remembered::{Claim, ProcessKey, Remembered};
use super::{AuthenticationError, Authenticator, AuthenticatorError, Caller, Refreshed};
use crate::document::{DocumentError, Element};
use crate::engine::Admission;
use crate::session::Principal;

/// How many checks wait for their turn.
const WAITING: u32 = 64;

/// How many checks run at a time, however many cores there are: each takes a core, and 19 MiB or what its hash says.
const MOST_RUNNING: usize = 4;

/// `<authentication impl="basic" realm="Rejoin"><users location="users"/></authentication>`
#[derive(Debug)]
pub(super) struct BasicAuthentication {
    challenge: Challenge,
    users: AccountBook<Users>,
    key: ProcessKey,
    checks: Admission,
}

/// The users of a file.
#[derive(Debug)]
struct Users {
    /// Those who may come in.
    by_name: HashMap<String, User>,
    /// Theirs in the order of the file, to pick one by number.
    hashes: Vec<PasswordHash>,
    /// Goes with the file that it was found true by.
    remembered: Remembered,
}

#[derive(Debug)]
struct User {
    hash: PasswordHash,
    caller: Caller,
}

/// A name and a password that somebody sent.
struct Login {
    name: String,
    password: String,
}

impl BasicAuthentication {
    pub(super) fn make(element: &Element, folder: &Path) -> Result<Arc<dyn Authenticator>, AuthenticatorError> {
        let mut fields = element.fields();
        fields.attribute("impl");
        let challenge = Challenge::read("Basic", &mut fields, ", charset=\"UTF-8\"")?;
        let users = fields.required_child("users")?;
        fields.finish()?;
        let no_key = |error| DocumentError::invalid(element.position(), format!("no key can be drawn: {error}"));
        let key = ProcessKey::draw().map_err(no_key)?;
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let running = u32::try_from(cores.div_ceil(2).min(MOST_RUNNING)).unwrap_or(1);
        let checks = Admission::new(running, WAITING);
        Ok(Arc::new(Self { challenge, users: AccountBook::open(users, folder)?, key, checks }))
    }

    /// Whether it is a user with that password. `None` when it is not.
    async fn check(&self, users: &Arc<Users>, login: &Arc<Login>) -> Result<Option<Caller>, AuthenticationError> {
        let claim = self.key.claim(&login.name, &login.password);
        if let Some(caller) = users.remembered.get(&claim, Instant::now()) {
            return Ok(Some(caller));
        }
        let place = self.checks.enter().map_err(|_| AuthenticationError::Unavailable)?;
        let turn = place.start().await.map_err(|_| AuthenticationError::Unavailable)?;
        // Of many requests that came with the same at once, the first has found it out meanwhile.
        if let Some(caller) = users.remembered.get(&claim, Instant::now()) {
            return Ok(Some(caller));
        }
        let stand_in = self.key.claim(&login.name, "");
        let (users, login) = (Arc::clone(users), Arc::clone(login));
        let check = move || {
            // A client that goes away does not free the thread, so it does not free the place either.
            let _place = (place, turn);
            let caller = users.check(&login, &stand_in)?;
            users.remembered.put(claim, caller.clone(), Instant::now());
            Some(caller)
        };
        tokio::task::spawn_blocking(check).await.map_err(|_| AuthenticationError::Unavailable)
    }
}

#[async_trait]
impl Authenticator for BasicAuthentication {
    async fn authenticate(&self, headers: &HeaderMap) -> Result<Caller, AuthenticationError> {
        let login = credentials(headers, "Basic").and_then(Login::read).ok_or_else(|| self.challenge.error())?;
        let login = Arc::new(login);
        loop {
            let users = self.users.current();
            let caller = self.check(&users, &login).await?;
            // Who was removed while the password was checked is not let in. Files don't change often enough to go on for long.
            if self.users.is_current(&users) {
                return caller.ok_or_else(|| self.challenge.error());
            }
        }
    }

    fn refresh(&self) -> Refreshed {
        self.users.refresh()
    }

    fn departed(&self, principals: &[Principal]) -> Vec<Principal> {
        self.users.departed(principals)
    }
}

impl Users {
    /// Whether it is one of them. It takes as long when it is not.
    fn check(&self, login: &Login, stand_in: &Claim) -> Option<Caller> {
        let user = self.by_name.get(&login.name);
        let stand_in = || self.hashes.get(stand_in.spread(self.hashes.len()));
        let Some(hash) = user.map(|user| &user.hash).or_else(stand_in) else {
            PasswordHash::spend_time_on(&login.password);
            return None;
        };
        let is_right = hash.is_of(&login.password);
        user.filter(|_| is_right).map(|user| user.caller.clone())
    }
}

impl Accounts for Users {
    fn read(text: &str) -> Result<Self, Vec<Wrong>> {
        let (mut by_name, mut hashes) = (HashMap::new(), Vec::new());
        for Account { name, secret, caller, .. } in read_users(text)? {
            if let Some(hash) = secret {
                hashes.push(hash.clone());
                by_name.insert(name, User { hash, caller });
            }
        }
        Ok(Self { by_name, hashes, remembered: Remembered::new() })
    }

    fn principals(&self) -> BTreeSet<Principal> {
        self.by_name.values().map(|user| user.caller.principal.clone()).collect()
    }
}

impl Login {
    /// Reads `base64(name ":" password)`, in UTF-8.
    fn read(credentials: &str) -> Option<Self> {
        let text = String::from_utf8(BASE64_STANDARD.decode(credentials).ok()?).ok()?;
        let (name, password) = text.split_once(':')?;
        let can_be = check_name(name, "name").is_ok() && can_be_password(password);
        can_be.then(|| Self { name: name.into(), password: password.into() })
    }
}

#[cfg(test)]
mod tests {
    use http::header::AUTHORIZATION;

    use super::*;
    use crate::document::Limits;

    /// One user, `ada`, with the password `secret`; `running` checks at a time, and none waits.
    fn authentication(running: u32) -> BasicAuthentication {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("users"), format!("ada:{}", bcrypt::hash("secret", 4).unwrap())).unwrap();
        let users = Element::parse(b"<users location='users'/>", &Limits::default()).unwrap();
        BasicAuthentication {
            challenge: Challenge::read("Basic", &mut Element::new("a", None).fields(), "").unwrap(),
            users: AccountBook::open(&users, folder.path()).unwrap(),
            key: ProcessKey::draw().unwrap(),
            checks: Admission::new(running, 0),
        }
    }

    fn login(name: &str, password: &str) -> HeaderMap {
        let credentials = BASE64_STANDARD.encode(format!("{name}:{password}"));
        HeaderMap::from_iter([(AUTHORIZATION, format!("Basic {credentials}").parse().unwrap())])
    }

    #[tokio::test]
    async fn a_flood_is_turned_away_and_those_who_work_here_already_are_not() {
        let authentication = authentication(1);
        let ada = login("ada", "secret");
        let known = authentication.authenticate(&ada).await.unwrap();
        let _flood = authentication.checks.enter().unwrap();
        let turned_away = authentication.authenticate(&login("ada", "wrong")).await;
        assert_eq!(turned_away, Err(AuthenticationError::Unavailable));
        assert_eq!(authentication.authenticate(&ada).await, Ok(known));
    }

    #[test]
    fn an_unknown_name_is_always_checked_against_the_same_hash() {
        let hashes: Vec<String> = (0..5).map(|number| bcrypt::hash(number.to_string(), 4).unwrap()).collect();
        let text: String = hashes.iter().enumerate().map(|(number, hash)| format!("u{number}:{hash}\n")).collect();
        let (key, users) = (ProcessKey::draw().unwrap(), Users::read(&text).unwrap());
        let guess = |password: &str| Login { name: "nobody".into(), password: password.into() };
        let stand_in = key.claim("nobody", "");
        assert!(users.hashes[stand_in.spread(5)].is_of(&stand_in.spread(5).to_string()));
        for number in 0..5 {
            assert_eq!(users.check(&guess(&number.to_string()), &stand_in), None, "nor is the right password of it");
        }
        assert_eq!(Users::read("").unwrap().check(&guess("0"), &stand_in), None);
    }

    #[tokio::test]
    async fn nothing_shows_a_password_or_a_hash() {
        let authentication = authentication(1);
        authentication.authenticate(&login("ada", "secret")).await.unwrap();
        let shown = format!("{authentication:?}");
        assert!(!shown.contains("secret") && !shown.contains("$2b$"), "{shown}");
        let error = authentication.authenticate(&login("ada", "hidden")).await.unwrap_err();
        assert!(!format!("{error:?} {error}").contains("hidden"));
    }
}
