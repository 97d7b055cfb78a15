//! A token that is asked for: before it is needed, by one at a time, and again when it is refused.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex as Lock;
use reqwest::Url;
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio_util::sync::CancellationToken;

use super::kept_token::KeptToken;
use super::token_answer::{self, Granted};
use super::{Pass, grant, header, read_secret};
use crate::resource::web::gate::{Gate, Term};
use crate::resource::web::origin::shown;
use crate::resource::web::{Grant, OAuthSettings, WebBody, WebError};
use crate::session::{Clock, Moment};

/// The most bytes of an answer of a token end-point.
const LONGEST_ANSWER: usize = 256 * 1024;

/// Gives tokens of one end-point for one client.
pub(in crate::resource::web) struct TokenSource {
    parts: TokenParts,
    state: Lock<State>,
    /// Held by the one who asks the end-point.
    turn: Arc<Mutex<Option<KeptToken>>>,
}

/// What tokens are got with.
pub(in crate::resource::web) struct TokenParts {
    pub(in crate::resource::web) settings: OAuthSettings,
    pub(in crate::resource::web) endpoint: Url,
    pub(in crate::resource::web) gate: Arc<Gate>,
    pub(in crate::resource::web) clock: Arc<dyn Clock>,
}

#[derive(Default)]
struct State {
    token: Option<Token>,
    /// How often the end-point was asked.
    asked: u64,
    /// What came of it the last time, if no token.
    failed: Option<WebError>,
}

#[derive(Clone)]
struct Token {
    pass: Pass,
    /// From when on it is replaced before it is used.
    replace_at: Moment,
    ends_at: Moment,
}

impl TokenSource {
    pub(in crate::resource::web) fn new(parts: TokenParts) -> Self {
        let kept = match &parts.settings.grant {
            Grant::ClientCredentials => None,
            Grant::RefreshToken { token, keeps_new } => Some(KeptToken::new(token.clone(), *keeps_new)),
        };
        Self { parts, state: Lock::default(), turn: Arc::new(Mutex::new(kept)) }
    }

    /// The token to send now. One that comes to its end soon is replaced first; while somebody does that, and if it can't be
    /// done, the old one is good until its end.
    pub(super) async fn pass(self: &Arc<Self>) -> Result<Pass, WebError> {
        let (token, asked) = self.look();
        let Some(token) = token else { return self.replaced(0, asked).await };
        let now = self.parts.clock.now();
        if now < token.replace_at {
            return Ok(token.pass);
        }
        if now >= token.ends_at {
            return self.replaced(token.pass.generation, asked).await;
        }
        if self.turn.try_lock().is_err() {
            return Ok(token.pass);
        }
        match self.replaced(token.pass.generation, asked).await {
            Ok(pass) => Ok(pass),
            Err(error) => {
                tracing::warn!(endpoint = self.shown(), %error, "a token can't be replaced before its end");
                self.put_off();
                Ok(token.pass)
            }
        }
    }

    /// A token in the place of one that was refused; none of an earlier generation.
    pub(in crate::resource::web) async fn instead_of(self: &Arc<Self>, refused: &Pass) -> Result<Pass, WebError> {
        let (token, asked) = self.look();
        match token {
            Some(token) if token.pass.generation > refused.generation => Ok(token.pass),
            _ => self.replaced(refused.generation, asked).await,
        }
    }

    fn look(&self) -> (Option<Token>, u64) {
        let state = self.state.lock();
        (state.token.clone(), state.asked)
    }

    /// A token of a later generation. Of all who want one only one asks; the others take what comes of it, an error as well.
    async fn replaced(self: &Arc<Self>, generation: u64, asked: u64) -> Result<Pass, WebError> {
        let turn = Arc::clone(&self.turn).lock_owned().await;
        {
            let state = self.state.lock();
            if let Some(token) = &state.token
                && token.pass.generation > generation
            {
                return Ok(token.pass.clone());
            }
            if state.asked > asked
                && let Some(error) = &state.failed
            {
                return Err(error.clone());
            }
        }
        // A refresh token may be good for one time only: once it is sent, somebody has to be there for the answer, whatever
        // becomes of the request that wanted it.
        let this = Arc::clone(self);
        let asking = tokio::spawn(async move { this.ask(turn).await });
        asking
            .await
            .unwrap_or_else(|error| Err(WebError::Credentials { message: format!("no token was asked for: {error}") }))
    }

    async fn ask(&self, mut kept: OwnedMutexGuard<Option<KeptToken>>) -> Result<Pass, WebError> {
        let granted = self.granted(kept.as_mut()).await;
        let now = self.parts.clock.now();
        let mut state = self.state.lock();
        state.asked += 1;
        let generation = state.token.as_ref().map_or(0, |token| token.pass.generation) + 1;
        match granted.and_then(|granted| self.token(&granted, generation, now)) {
            Ok(token) => {
                state.failed = None;
                Ok(state.token.insert(token).pass.clone())
            }
            Err(error) => {
                state.failed = Some(error.clone());
                Err(error)
            }
        }
    }

    async fn granted(&self, mut kept: Option<&mut KeptToken>) -> Result<Granted, WebError> {
        let TokenParts { settings, endpoint, gate, .. } = &self.parts;
        let secret = match &settings.secret {
            Some(source) => Some(read_secret(source).await?),
            None => None,
        };
        let refresh_token = match &mut kept {
            Some(kept) => Some(kept.current().await?),
            None => None,
        };
        let request = grant::request(endpoint, settings, secret.as_ref(), refresh_token.as_ref())?;
        let cancel = CancellationToken::new();
        let mut term = Term { deadline: None, cancel: &cancel };
        let answer = gate.exchange(&request, endpoint, &mut term).await.map_err(|error| self.not_asked(error))?;
        let body = read_whole(answer.body).await.map_err(|error| self.not_asked(error))?;
        let mut granted = token_answer::read(&self.shown(), answer.status, &body)?;
        if let (Some(kept), Some(new)) = (kept, granted.refresh_token.take()) {
            kept.replace(new, &self.shown()).await;
        }
        Ok(granted)
    }

    fn token(&self, granted: &Granted, generation: u64, now: Moment) -> Result<Token, WebError> {
        let header = header("Bearer", granted.token.reveal())?;
        let (replace_at, ends_at) = match granted.lifetime {
            // A short-lived one is used for half of its time at least.
            Some(lifetime) => {
                let used = lifetime.saturating_sub(self.parts.settings.margin).max(lifetime / 2);
                (now.after(used), now.after(lifetime))
            }
            None => (Moment::NEVER, Moment::NEVER),
        };
        Ok(Token { pass: Pass { header, generation }, replace_at, ends_at })
    }

    /// Tries again to replace the token when a quarter of what is left of it has gone.
    fn put_off(&self) {
        let now = self.parts.clock.now();
        if let Some(token) = &mut self.state.lock().token {
            let left = token.ends_at.since(now);
            token.replace_at = now.after((left / 4).max(Duration::from_secs(1)));
        }
    }

    /// What it means to a request that its token could not be asked for: it was not sent.
    fn not_asked(&self, error: WebError) -> WebError {
        let message = format!("no token from {}: {error}", self.shown());
        match error {
            WebError::Transport { .. } | WebError::TimedOut { .. } | WebError::Malformed { .. } => {
                WebError::Transport { message, never_sent: true }
            }
            WebError::Busy { .. } => WebError::Busy { message },
            WebError::NotAllowed { .. } => WebError::NotAllowed { message },
            _ => WebError::Credentials { message },
        }
    }

    fn shown(&self) -> String {
        shown(&self.parts.endpoint)
    }
}

async fn read_whole(mut body: WebBody) -> Result<Vec<u8>, WebError> {
    let mut bytes = Vec::new();
    while let Some(piece) = body.next().await? {
        bytes.extend_from_slice(&piece);
        if bytes.len() > LONGEST_ANSWER {
            let message = format!("its answer has more than {LONGEST_ANSWER} bytes");
            return Err(WebError::Malformed { message });
        }
    }
    Ok(bytes)
}
