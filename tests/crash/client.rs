//! A client that knows what it was told, and finds out what became of the one request that broke off.

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
    link: Link,
    random: Random,
    task: Task,
    report: Arc<Report>,
    pub(crate) held: Vec<Held>,
    /// Sessions that have ended, with the reason.
    pub(crate) ended: Vec<(Held, EndReason)>,
    /// Labels of sessions that may have been created, and whose ids never came.
    pub(crate) orphans: Vec<String>,
    pending: Option<Request>,
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
            let place = self.random.place(SESSIONS);
            if self.held[place].seen != number {
                return self.verify_after_start(place, number).await;
            }
            if self.random.chance(10) {
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
    fn is_refused_for_now(&self, reply: &Reply) -> bool {
        let store_failed = self.task.store_may_fail && reply.is_unavailable();
        if store_failed {
            self.report.unavailable.add();
        }
        store_failed || reply.is_draining()
    }

    /// An answer: what it says has happened.
    fn answered(&mut self, request: Request, reply: &Reply) -> Result<()> {
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
    fn take_effect(&mut self, place: usize, request: &Request, reply: &Reply, again: Option<Arc<Again>>) {
        let held = &mut self.held[place];
        if self.task.keeps_history {
            held.history.push(Moment {
                sent: request.sent,
                answered: reply.at,
                after: request.after.clone(),
                id: held.id.clone(),
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

    /// Finds out what became of the request that broke off: all of it happened, or nothing.
    async fn settle(&mut self) -> Result<()> {
        let Some(request) = self.pending.clone() else { return Ok(()) };
        if request.has_failed && !self.nothing_happened(&request).await? {
            return Ok(());
        }
        if request.is_safe {
            if let Kind::Change { place, .. } = request.kind
                && !request.has_failed
                && self.random.chance(50)
                && !self.before_or_after(place, &request).await?
            {
                return Ok(());
            }
            return self.send_again(request).await;
        }
        if request.has_failed {
            self.pending = None;
            return Ok(());
        }
        match request.kind {
            Kind::Create { ref label } => {
                // Nobody knows its id. There is one at the most, and it is left to itself.
                let Some(found) = self.count_of(label).await? else { return Ok(()) };
                ensure!(found <= 1, "one request created {found} sessions");
                self.note_landed(found == 1);
                self.orphans.push(label.clone());
                self.pending = None;
            }
            Kind::Change { place, .. } | Kind::Refused { place } | Kind::End { place } => {
                if self.before_or_after(place, &request).await? {
                    self.pending = None;
                }
            }
        }
        Ok(())
    }

    /// What was answered with "the store could not do it" has not happened, and what was there can be read. `false` when the
    /// service went away meanwhile.
    async fn nothing_happened(&mut self, request: &Request) -> Result<bool> {
        let place = match &request.kind {
            Kind::Create { label } => {
                let Some(found) = self.count_of(label).await? else { return Ok(false) };
                ensure!(found == 0, "a session is there whose creation had failed");
                return Ok(true);
            }
            Kind::Change { place, .. } | Kind::Refused { place } | Kind::End { place } => *place,
        };
        let held = &self.held[place];
        match look(&mut self.link, &held.id, held.fence).await? {
            Found::Lost => Ok(false),
            Found::Alive(found) if found == *held.state => Ok(true),
            Found::Alive(found) => {
                bail!("a request that failed has changed something:\n{}", found.difference(&held.state))
            }
            other => bail!("a request that failed has ended its session: {other:?}"),
        }
    }

    /// A request with a key is sent until it is answered: it has its effect once. The answer stays the same.
    async fn send_again(&mut self, request: Request) -> Result<()> {
        let Exchange::Answered(reply) = self.link.send(&request.ask).await? else { return Ok(()) };
        if self.is_refused_for_now(&reply) {
            self.pending = Some(Request { has_failed: true, ..request });
            return Ok(());
        }
        // Whatever becomes of the rest, the answer is known now.
        self.pending = None;
        let (kind, after, ask) = (request.kind.clone(), request.after.clone(), request.ask.clone());
        self.answered(request, &reply)?;
        if let Kind::Create { label } = &kind
            && let Some(found) = self.count_of(label).await?
        {
            ensure!(found == 1, "a request that was sent again created {found} sessions");
        }
        let place = match kind {
            Kind::Create { .. } => self.held.len() - 1,
            Kind::Change { place, rotates: false, .. } => place,
            // What it changed is seen by the look after the start.
            _ => return Ok(()),
        };
        let held = &self.held[place];
        if let Found::Alive(found) = look(&mut self.link, &held.id, held.fence).await? {
            let Condition::Alive(expected) = after else { bail!("a change is expected to leave its session") };
            ensure!(
                found == *expected,
                "a request was sent again and had its effect not once:\n{}",
                found.difference(&expected)
            );
        }
        self.compare_answer(&Again { ask, first: reply }).await.map(drop)
    }

    /// The session is as it was before a request, or as it is after it, and the client goes on from there. `false` when the
    /// service went away before it was known.
    async fn before_or_after(&mut self, place: usize, request: &Request) -> Result<bool> {
        let held = &self.held[place];
        let found = look(&mut self.link, &held.id, held.fence).await?;
        let landed = match (&found, &request.after) {
            (Found::Lost, _) => return Ok(false),
            (Found::Alive(found), _) if *found == *held.state => false,
            (Found::Alive(found), Condition::Alive(after)) if *found == **after => true,
            (Found::Ended(reason), Condition::Ended(expected)) if reason == expected => true,
            (Found::Alive(found), _) => bail!(
                "a request that broke off left a part, or what was there is lost. From before:\n{}From after:\n{}",
                found.difference(&held.state),
                match &request.after {
                    Condition::Alive(after) => found.difference(after),
                    Condition::Ended(_) => String::new(),
                }
            ),
            _ => bail!("a session is neither as before {request:?} nor as after it: {found:?}"),
        };
        if request.is_safe {
            // It is sent again: that tells, and counts.
            self.note_landed(landed);
            return Ok(true);
        }
        self.note_landed(landed && !matches!(request.kind, Kind::Refused { .. }));
        if matches!(request.kind, Kind::Change { rotates: true, .. }) {
            self.held[place].has_old_id = landed;
        }
        if landed {
            // It was seen: from now on it has to stay, as if it had been answered.
            let reply = Reply { status: 200, body: bytes::Bytes::new(), at: self.link.trace_length() };
            self.take_effect(place, request, &reply, None);
        }
        Ok(true)
    }

    fn note_landed(&self, landed: bool) {
        if landed {
            self.report.landed.add();
        }
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

    async fn compare_answer(&mut self, again: &Again) -> Result<bool> {
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
    async fn count_of(&mut self, label: &str) -> Result<Option<usize>> {
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
