//! What a disk after a power loss has to hold, by the account of the clients.

use anyhow::{Context, Result, bail, ensure};
use rejoin::document::{Limits, SessionList};
use reqwest::Method;

use crate::client::Client;
use crate::held::{Again, Condition, Found, Held, Moment, look};
use crate::home::Durability;
use crate::random::Random;
use crate::state::State;
use crate::wire::{Ask, Exchange, Link, Reply};

/// How many sessions are looked at in a state of the disk: those that were used when the power went, and some of the others.
const NEAREST: usize = 14;
const OTHERS: usize = 4;

/// All sessions that ever were, with all that happened to them.
#[derive(Debug)]
pub(crate) struct Witness {
    sessions: Vec<Held>,
    /// How long the trace was when the creation of each of these was sent, whose answer never came.
    orphans: Vec<String>,
}

/// How a session may stand: as after one of these requests, or, without `first`, as before all of them.
#[derive(Debug, Clone, Copy)]
struct Span<'a> {
    /// Whether the session may not be there.
    may_be_absent: bool,
    /// What had certainly happened, and what may have.
    moments: &'a [Moment],
    /// How many of these moments had been answered.
    answered: usize,
}

impl Witness {
    pub(crate) fn of(clients: Vec<Client>) -> Self {
        let (mut sessions, mut orphans) = (Vec::new(), Vec::new());
        for client in clients {
            sessions.extend(client.held);
            sessions.extend(client.ended.into_iter().map(|(held, _)| held));
            orphans.extend(client.orphans);
        }
        Self { sessions, orphans }
    }

    /// How long the trace was when the first request was sent whose answer came.
    pub(crate) fn begun(&self) -> Option<u64> {
        self.sessions.iter().filter_map(|held| held.history.first()).map(|created| created.sent).min()
    }

    /// Looks at the sessions of a disk from which the power went when the trace was `point` bytes long.
    pub(crate) async fn check(
        &self,
        link: &mut Link,
        point: u64,
        durability: Durability,
        random: &mut Random,
    ) -> Result<u64> {
        self.nothing_else(link, point).await?;
        let mut looked_at = 0;
        for held in self.near(point, random) {
            let Some(span) = Span::of(&held.history, point, durability) else { continue };
            let label = &held.label;
            compare(link, span, durability).await.with_context(|| format!("session `{label}`"))?;
            looked_at += 1;
        }
        Ok(looked_at)
    }

    fn near(&self, point: u64, random: &mut Random) -> Vec<&Held> {
        let distance = |held: &Held| held.history.iter().map(|moment| moment.answered.abs_diff(point)).min();
        let mut sessions: Vec<&Held> = self.sessions.iter().collect();
        sessions.sort_by_key(|held| distance(held));
        let others = sessions.split_off(NEAREST.min(sessions.len()));
        for _ in 0..OTHERS.min(others.len()) {
            sessions.push(*random.pick(&others));
        }
        sessions
    }

    /// There is no session that nobody had asked for by then.
    async fn nothing_else(&self, link: &mut Link, point: u64) -> Result<()> {
        let ask = Ask::to(Method::GET, "/sessions?limit=1000").by_operator();
        let Exchange::Answered(reply) = link.send(&ask).await? else { bail!("no list of sessions") };
        let list = SessionList::parse(&reply.body, &Limits::default()).with_context(|| reply.text())?;
        for session in list.sessions {
            let label = session.label.context("a session without a label")?;
            let had = self.sessions.iter().find(|held| held.label == label);
            let was_asked_for = had.and_then(|held| held.history.first()).is_some_and(|created| created.sent < point);
            ensure!(
                was_asked_for || self.orphans.contains(&label),
                "there is a session `{label}` that nobody had asked for"
            );
        }
        Ok(())
    }
}

impl<'a> Span<'a> {
    /// `None` when nobody had asked for the session by then, or nobody can find it now.
    fn of(history: &'a [Moment], point: u64, durability: Durability) -> Option<Self> {
        let sent = history.iter().take_while(|moment| moment.sent < point).count();
        let answered = history.iter().take_while(|moment| moment.answered <= point).count();
        let span = &history[answered.saturating_sub(1)..sent];
        if span.is_empty() || (durability == Durability::Full && span.iter().any(|moment| moment.has_old_id)) {
            return None;
        }
        Some(match durability {
            // One request at the most was on its way.
            Durability::Full => Self { may_be_absent: answered == 0, moments: span, answered: answered.min(1) },
            // The system's memory is gone: any number of the latest requests is lost.
            Durability::Os => Self { may_be_absent: true, moments: &history[..sent], answered: 0 },
        })
    }

    fn allows(&self, condition: &Condition) -> bool {
        self.moments.iter().any(|moment| moment.after == *condition)
    }

    fn last(&self) -> &'a Moment {
        &self.moments[self.moments.len() - 1]
    }

    /// The request that had not been answered, if there is one.
    fn in_flight(&self) -> Option<&'a Moment> {
        self.moments.get(self.answered)
    }
}

async fn compare(link: &mut Link, span: Span<'_>, durability: Durability) -> Result<()> {
    let (id, found) = find(link, span).await?;
    match &found {
        Found::Unknown => ensure!(span.may_be_absent, "it is gone"),
        Found::Ended(reason) => {
            ensure!(
                span.allows(&Condition::Ended(*reason)),
                "it has ended ({reason:?}), and nobody had asked for that"
            );
        }
        Found::Alive(state) => ensure!(
            span.moments.iter().any(|moment| moment.after.is_state(state)),
            "it is as it never was. From what was answered:\n{}",
            span.moments.first().map_or(String::new(), |moment| moment.after.difference(state))
        ),
        Found::Unreadable => bail!("it can't be read"),
        Found::Lost => bail!("the service went away"),
    }
    if durability == Durability::Full {
        replays(link, span, &id, found).await?;
    }
    Ok(())
}

/// Looks for a session by the last of its ids that it may have.
async fn find(link: &mut Link, span: Span<'_>) -> Result<(String, Found)> {
    let mut ids: Vec<&str> = span.moments.iter().map(|moment| &*moment.id).collect();
    ids.dedup();
    for id in ids.iter().rev() {
        match look(link, id, 0).await? {
            Found::Unknown => {}
            found => return Ok(((*id).to_owned(), found)),
        }
    }
    Ok((span.last().id.clone(), Found::Unknown))
}

/// Answered requests that are sent again change nothing; the one that had not been answered takes effect once.
async fn replays(link: &mut Link, span: Span<'_>, id: &str, found: Found) -> Result<()> {
    let answered = span.moments[..span.answered].first();
    if let (Some(Moment { again: Some(again), after: Condition::Alive(_), .. }), Found::Alive(state)) =
        (answered, &found)
        && span.last().id == id
        && answered.is_some_and(|moment| moment.id == id)
        && span.in_flight().is_none_or(|moment| !again_is_outrun(again, moment))
    {
        let reply = sent_again(link, again).await?;
        ensure!(reply.body == again.first.body, "another answer: {}\ninstead of {}", reply.text(), again.first.text());
        is_as_before(link, id, state).await.context("after an answered request was sent again")?;
    }
    if let Some(Moment { again: Some(again), after: Condition::Alive(after), .. }) = span.in_flight() {
        let reply = sent_again(link, again).await?;
        is_as_before(link, &reply.session_id()?, after)
            .await
            .context("after a request that broke off was sent again")?;
    }
    Ok(())
}

/// Whether a request that its client counts has been followed by another that may have taken effect: only the last of those is
/// answered again.
fn again_is_outrun(again: &Again, next: &Moment) -> bool {
    again.ask.key.is_none() && next.again.as_ref().is_some_and(|next| next.ask.key.is_none())
}

async fn sent_again(link: &mut Link, again: &Again) -> Result<Reply> {
    match link.send(&again.ask).await? {
        Exchange::Answered(reply) if reply.is_completed() => Ok(reply),
        Exchange::Answered(reply) => {
            bail!("a request that was sent again was refused: {} {}", reply.status, reply.text())
        }
        Exchange::Lost | Exchange::Over => bail!("the service went away"),
    }
}

async fn is_as_before(link: &mut Link, id: &str, expected: &State) -> Result<()> {
    match look(link, id, 0).await? {
        Found::Alive(found) if found == *expected => Ok(()),
        Found::Alive(found) => bail!("it has changed:\n{}", found.difference(expected)),
        other => bail!("it is {other:?}"),
    }
}
