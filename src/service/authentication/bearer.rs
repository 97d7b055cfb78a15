//! `impl="bearer"`: a token in every request (RFC 6750), looked up in a file by its hash.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use http::HeaderMap;

use super::account::{Wrong, read_tokens};
use super::account_book::{AccountBook, Accounts};
use super::authorization::{Challenge, credentials};
use super::token::TokenHash;
use super::{AuthenticationError, Authenticator, AuthenticatorError, Caller, Refreshed};
use crate::document::Element;
use crate::session::Principal;

/// `<authentication impl="bearer" realm="Rejoin"><tokens location="tokens"/></authentication>`
#[derive(Debug)]
pub(super) struct BearerAuthentication {
    challenge: Challenge,
    tokens: AccountBook<Tokens>,
}

/// The tokens of a file.
#[derive(Debug)]
struct Tokens {
    by_hash: HashMap<TokenHash, Caller>,
}

impl BearerAuthentication {
    pub(super) fn make(element: &Element, folder: &Path) -> Result<Arc<dyn Authenticator>, AuthenticatorError> {
        let mut fields = element.fields();
        fields.attribute("impl");
        let challenge = Challenge::read("Bearer", &mut fields, "")?;
        let tokens = fields.required_child("tokens")?;
        fields.finish()?;
        Ok(Arc::new(Self { challenge, tokens: AccountBook::open(tokens, folder)? }))
    }
}

#[async_trait]
impl Authenticator for BearerAuthentication {
    async fn authenticate(&self, headers: &HeaderMap) -> Result<Caller, AuthenticationError> {
        let token = credentials(headers, "Bearer").ok_or_else(|| self.challenge.error())?;
        let caller = self.tokens.current().by_hash.get(&TokenHash::of(token)).cloned();
        caller.ok_or_else(|| self.challenge.error())
    }

    fn refresh(&self) -> Refreshed {
        self.tokens.refresh()
    }

    fn departed(&self, principals: &[Principal]) -> Vec<Principal> {
        self.tokens.departed(principals)
    }
}

impl Accounts for Tokens {
    fn read(text: &str) -> Result<Self, Vec<Wrong>> {
        let tokens = read_tokens(text)?.into_iter();
        let by_hash = tokens.filter_map(|account| Some((account.secret?, account.caller))).collect();
        Ok(Self { by_hash })
    }

    fn principals(&self) -> BTreeSet<Principal> {
        self.by_hash.values().map(|caller| caller.principal.clone()).collect()
    }
}
