//! A client that knows what it was told, and compares.

use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use rejoin::document::{EndReason, Limits, SessionList};
use reqwest::Method;

use crate::crew::LAST;
use crate::held::{Again, Condition, Found, Held, Moment, look};
use crate::random::Random;
use crate::report::Report;
use crate::request::{Kind, Request};
use crate::state::State;
use crate::wire::{Ask, Exchange, Link, Reply};

/// How many sessions a client has at a time.
const SESSIONS: usize = 3;

/// What a client is to do.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Task {
    /// Everything that happened is kept.
    pub(crate) keeps_history: bool,
    /// The store may fail to write.
    pub(crate) store_may_fail: bool,
}

/// A client with some sessions that nobody else uses.
#[derive(Debug)]
pub(crate) struct Client {
    name: String,
    pub(crate) link: Link,
    pub(crate) random: Random,
    pub(crate) task: Task,
    pub(crate) report: Arc<Report>,
    pub(crate) held: Vec<Held>,
    /// Sessions that have ended, with the reason.
    pub(crate) ended: Vec<(Held, EndReason)>,
    /// Labels of sessions that may have been created, and whose ids never came.
    pub(crate) orphans: Vec<String>,
    pub(crate) pending: Option<Request>,
    labels: u64,
}

impl Client {
    pub(crate) fn new(name: String, seed: u64, link: Link, task: Task, report: Arc<Report>) -> Self {
        let random = Random::new(seed, &name);
        let (held, ended, orphans) = (Vec::new(), Vec::new(), Vec::new());
        Self { name, link, random, task, report, held, ended, orphans, pending: None, labels: 0 }
    }

    /// Works until the last service has been looked at. A session is compared before it is used again after a start.
    pub(crate) async fn run(mut self) -> Result<Self> {
        while let Some(number) = self.link.serving().await? {
            let name = self.name.clone();
            if self.pending.is_some() {
                self.settle().await.with_context(|| format!("{name}: what broke off"))?;
            } else if number < LAST {
                self.go_on(number).await.with_context(|| format!("{name}: a request"))?;
            } else if self.verify_all().await.with_context(|| format!("{name}: at the end"))? {
                break;
            }
        }
        Ok(self)
    }

    async fn go_on(&mut self, number: u64) -> Result<()> {
        if self.held.len() == SESSIONS {
            // An old id holds for half a minute: the session gets a new one before anything else.
            let urgent = self.held.iter().position(|held| held.has_old_id);
            let place = urgent.unwrap_or_else(|| self.random.place(SESSIONS));
            if self.held[place].seen != number {
                return self.verify_after_start(place, number).await;
            }
            if self.random.chance(25) {
                return self.replay_one(place).await.map(drop);
            }
            let request = Request::about(&mut self.random, place, &self.held[place]);
            return self.send(request).await;
        }
        self.labels += 1;
        let label = format!("{}-{}", self.name, self.labels);
        let request = Request::create(&mut self.random, &label);
        self.send(request).await
    }

    async fn send(&mut self, mut request: Request) -> Result<()> {
        request.sent = self.link.trace_length();
        match self.link.send(&request.ask).await? {
            Exchange::Answered(reply) => self.answered(request, &reply)?,
            Exchange::Lost => {
                self.report.lost.add();
                self.pending = Some(request);
            }
            Exchange::Over => {}
        }
        Ok(())
    }

    /// The service could not do it, or is about to stop: nothing has happened.
    pub(crate) fn is_refused_for_now(&self, reply: &Reply) -> bool {
        let store_failed = self.task.store_may_fail && reply.is_unavailable();
        if store_failed {
            self.report.unavailable.add();
        }
        store_failed || reply.is_draining()
    }

    /// An answer: what it says has happened.
    pub(crate) fn answered(&mut self, request: Request, reply: &Reply) -> Result<()> {
        if self.is_refused_for_now(reply) {
            self.pending = Some(Request { has_failed: true, ..request });
            return Ok(());
        }
        let again = request.is_safe.then(|| Arc::new(Again { ask: request.ask.clone(), first: reply.clone() }));
        match request.kind {
            Kind::Refused { .. } => {
                ensure!(matches!(reply.status, 403 | 422), "no refusal: {} {}", reply.status, reply.text());
                self.report.refused.add();
                return Ok(());
            }
            Kind::Create { ref label } => {
                ensure!(reply.is_completed(), "no session was created: {} {}", reply.status, reply.text());
                self.report.creations.add();
                let held = Held::new(reply.session_id()?, label.clone(), State::default());
                self.held.push(held);
                self.take_effect(self.held.len() - 1, &request, reply, again);
            }
            Kind::Change { place, sequence, rotates } => {
                ensure!(reply.is_completed(), "no change was made: {} {}", reply.status, reply.text());
                let held = &mut self.held[place];
                held.sequence = held.sequence.max(sequence);
                if rotates {
                    self.report.rotations.add();
                    let id = reply.session_id()?;
                    ensure!(id != held.id, "an id that was to be rotated stayed");
                    // Requests that name the id of before are none to send again: they would end the session.
                    (held.id, held.has_old_id) = (id, false);
                    held.answers.clear();
                    self.take_effect(place, &request, reply, None);
                } else {
                    self.report.changes.add();
                    self.take_effect(place, &request, reply, again);
                }
            }
            Kind::End { place } => {
                ensure!((200..300).contains(&reply.status), "no end: {} {}", reply.status, reply.text());
                self.report.ends.add();
                self.take_effect(place, &request, reply, None);
            }
        }
        Ok(())
    }

    /// The session in that place is from now on as a request left it.
    pub(crate) fn take_effect(&mut self, place: usize, request: &Request, reply: &Reply, again: Option<Arc<Again>>) {
        let held = &mut self.held[place];
        if self.task.keeps_history {
            held.history.push(Moment {
                sent: request.sent,
                answered: reply.at,
                after: request.after.clone(),
                id: held.id.clone(),
                has_old_id: held.has_old_id,
                again: again.clone(),
            });
        }
        match &request.after {
            Condition::Alive(state) => {
                held.state = Arc::clone(state);
                held.fence += 1;
                if let Some(again) = again {
                    held.remember(again);
                }
            }
            Condition::Ended(reason) => self.end(place, *reason),
        }
    }

    fn end(&mut self, place: usize, reason: EndReason) {
        let held = self.held.swap_remove(place);
        self.ended.push((held, reason));
    }

    /// What was answered before a start is there: one session, what may be sent again in it, and one that has ended.
    async fn verify_after_start(&mut self, place: usize, number: u64) -> Result<()> {
        if !self.verify(place).await? {
            return Ok(());
        }
        self.held[place].seen = number;
        self.replay_one(place).await?;
        if !self.ended.is_empty() {
            let place = self.random.place(self.ended.len());
            self.verify_ended(place).await?;
        }
        Ok(())
    }

    /// Everything that was ever answered is there. `false` when the service went away meanwhile.
    async fn verify_all(&mut self) -> Result<bool> {
        for place in 0..self.held.len() {
            if !self.verify(place).await? || !self.replay_one(place).await? {
                return Ok(false);
            }
        }
        for place in 0..self.ended.len() {
            if !self.verify_ended(place).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn verify(&mut self, place: usize) -> Result<bool> {
        let held = &self.held[place];
        match look(&mut self.link, &held.id, held.fence).await? {
            Found::Lost => return Ok(false),
            Found::Alive(found) if found == *held.state => self.report.looks.add(),
            Found::Alive(found) => {
                bail!("`{}` is not as it was answered:\n{}", held.label, found.difference(&held.state))
            }
            other => bail!("`{}` is gone: {other:?}", held.label),
        }
        Ok(true)
    }

    async fn verify_ended(&mut self, place: usize) -> Result<bool> {
        let (held, reason) = &self.ended[place];
        match look(&mut self.link, &held.id, 0).await? {
            Found::Lost => return Ok(false),
            Found::Ended(found) if found == *reason => self.report.looks.add(),
            other => bail!("`{}` has ended ({reason:?}) and is {other:?}", held.label),
        }
        Ok(true)
    }

    /// One of the requests of a session that may be sent again is, and gets its first answer.
    async fn replay_one(&mut self, place: usize) -> Result<bool> {
        let answers = &self.held[place].answers;
        // Of those that are counted by the client, the last alone.
        let last = answers.iter().rposition(|again| again.ask.key.is_none());
        let may: Vec<_> =
            answers.iter().enumerate().filter(|(at, again)| again.ask.key.is_some() || Some(*at) == last).collect();
        if may.is_empty() {
            return Ok(true);
        }
        let again = Arc::clone(may[self.random.place(may.len())].1);
        self.compare_answer(&again).await
    }

    pub(crate) async fn compare_answer(&mut self, again: &Again) -> Result<bool> {
        let Exchange::Answered(reply) = self.link.send(&again.ask).await? else { return Ok(false) };
        if self.is_refused_for_now(&reply) {
            return Ok(false);
        }
        ensure!(
            (reply.status, &reply.body) == (again.first.status, &again.first.body),
            "a request that was sent again got another answer: {} {}\ninstead of {} {}",
            reply.status,
            reply.text(),
            again.first.status,
            again.first.text()
        );
        self.report.replays.add();
        Ok(true)
    }

    /// How many sessions have that label; `None` when the service went away.
    pub(crate) async fn count_of(&mut self, label: &str) -> Result<Option<usize>> {
        let ask = Ask::to(Method::GET, &format!("/sessions?label={label}")).by_operator();
        let Exchange::Answered(reply) = self.link.send(&ask).await? else { return Ok(None) };
        if reply.is_draining() {
            return Ok(None);
        }
        ensure!(reply.status == 200, "no list of sessions: {} {}", reply.status, reply.text());
        let list = SessionList::parse(&reply.body, &Limits::default()).with_context(|| reply.text())?;
        Ok(Some(list.sessions.len()))
    }
}
