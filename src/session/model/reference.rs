//! What should happen, in the simplest way that could be right.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Ticks since the beginning.
pub(super) type Tick = u64;

pub(super) const IDLE: Tick = 20;
pub(super) const LIFETIME: Tick = 120;
pub(super) const EXECUTION: Tick = 16;
/// How long a holder is left alone beyond its limit.
pub(super) const GRACE: Tick = 4;
pub(super) const RETENTION: Tick = 60;
pub(super) const MAX_WAITERS: usize = 3;
pub(super) const MAX_SESSIONS: usize = 5;
/// So many old ids of a session are remembered. Their time of grace is as long as a session lives.
const OLD_IDS: usize = 4;

/// A request, by its number.
pub(super) type Request = usize;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    Completed,
    Idle,
    Lifetime,
    Terminated,
    Killed,
    OwnerLost,
}

/// What a request got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Waiting,
    Joined,
    /// It ends a session that has ended.
    EndedAgain,
    NotFound,
    Ended(Reason),
    InUse,
    QueueFull,
    ServerFull,
    /// It had the session and has released it, or went away.
    Gone,
}

/// What a release answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Farewell {
    Done(Option<Reason>),
    Ended(Reason),
    Conflict,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Value {
    Integer(i64),
    /// Something alive, by its number.
    Live(usize),
}

pub(super) type Attributes = BTreeMap<usize, Value>;

#[derive(Debug, Clone, Copy)]
pub(super) enum After {
    /// The session stays.
    Stay,
    End(Reason),
}

/// What a request asks for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wish {
    pub(super) deadline: Tick,
    pub(super) after: After,
    /// Whether a session that has ended is as good as one that the request ends.
    pub(super) end_again: bool,
    /// Whether a new session is as good.
    pub(super) or_create: bool,
    pub(super) stranger: bool,
}

#[derive(Debug)]
pub(super) struct Session {
    created: Tick,
    released: Tick,
    implicit: bool,
    holder: Option<(Request, Tick)>,
    queue: VecDeque<Request>,
    readers: BTreeSet<Request>,
    pub(super) attributes: Attributes,
    pub(super) ended: Option<(Reason, Tick)>,
    /// Of each of its ids, the latest last, whether a newer one was used.
    superseded: Vec<bool>,
    /// Which of its ids are known no more.
    forgotten: BTreeSet<usize>,
}

/// One request: what it asked for, where it stands, and what it has changed.
#[derive(Debug)]
pub(super) struct Part {
    /// `None` when there was no session to join.
    pub(super) session: Option<usize>,
    wish: Wish,
    pub(super) standing: Standing,
    pub(super) reads: bool,
    /// What it sees.
    pub(super) view: Attributes,
    /// The living things that it made.
    made: BTreeSet<usize>,
    /// Whether the session was taken from it.
    lost: bool,
    /// Whether the session had ended and its end did not wait for it any longer.
    forced: bool,
}

#[derive(Debug, Default)]
pub(super) struct Reference {
    pub(super) now: Tick,
    pub(super) sessions: Vec<Session>,
    pub(super) parts: Vec<Part>,
    /// The living things that should have been closed.
    pub(super) closed: BTreeSet<usize>,
}

impl Reference {
    fn add(&mut self, session: Option<usize>, wish: Wish, standing: Standing) -> Request {
        let view = Attributes::new();
        self.parts.push(Part {
            session,
            wish,
            standing,
            reads: false,
            view,
            made: BTreeSet::new(),
            lost: false,
            forced: false,
        });
        self.parts.len() - 1
    }

    pub(super) fn create(&mut self, implicit: bool) -> Request {
        let after = if implicit { After::End(Reason::Completed) } else { After::Stay };
        let wish = Wish { deadline: 0, after, end_again: false, or_create: false, stranger: false };
        let request = self.add(None, wish, Standing::Waiting);
        self.create_for(request, implicit);
        request
    }

    fn create_for(&mut self, request: Request, implicit: bool) {
        self.expire();
        if !implicit && self.count() >= MAX_SESSIONS {
            self.sweep();
        }
        let full = !implicit && self.count() >= MAX_SESSIONS;
        let part = &mut self.parts[request];
        if full {
            part.standing = Standing::ServerFull;
            return;
        }
        part.standing = Standing::Joined;
        part.session = Some(self.sessions.len());
        self.sessions.push(Session {
            created: self.now,
            released: self.now,
            implicit,
            holder: Some((request, self.now)),
            queue: VecDeque::new(),
            readers: BTreeSet::new(),
            attributes: Attributes::new(),
            ended: None,
            superseded: vec![false],
            forgotten: BTreeSet::new(),
        });
    }

    pub(super) fn join(&mut self, session: usize, back: usize, wish: Wish) -> Request {
        let request = self.add(Some(session), wish, Standing::Waiting);
        let standing = self.received(session, back, wish.stranger);
        if let Some(refused) = standing {
            self.resolve(request, refused);
            return request;
        }
        self.evict(session);
        let place = &mut self.sessions[session];
        if place.holder.is_none() {
            self.grant(session, request);
        } else if wish.deadline == self.now {
            self.parts[request].standing = Standing::InUse;
        } else if place.queue.len() == MAX_WAITERS {
            self.parts[request].standing = Standing::QueueFull;
        } else {
            place.queue.push_back(request);
        }
        request
    }

    pub(super) fn read(&mut self, session: usize, back: usize) -> Request {
        let wish = Wish { deadline: 0, after: After::Stay, end_again: false, or_create: false, stranger: false };
        let request = self.add(Some(session), wish, Standing::Joined);
        if let Some(refused) = self.received(session, back, false) {
            self.resolve(request, refused);
        } else {
            self.parts[request].reads = true;
            self.parts[request].view = self.sessions[session].attributes.clone();
            self.sessions[session].readers.insert(request);
        }
        request
    }

    /// The session has a new id.
    pub(super) fn rotate(&mut self, session: usize, back: usize) {
        let place = &mut self.sessions[session];
        let by = place.superseded.len().saturating_sub(back + 1);
        let old: Vec<usize> = (0..place.superseded.len()).filter(|id| !place.forgotten.contains(id)).collect();
        place.superseded.push(false);
        if old.len() > OLD_IDS {
            // The one that was the current one is not forgotten at once.
            let mut candidates = old[..OLD_IDS].iter();
            let useless = candidates.clone().find(|id| place.superseded[**id]);
            place.forgotten.extend(useless.or_else(|| candidates.find(|id| **id != by)));
        }
    }

    /// Why a newcomer is not let in, if it is not. It comes with the id that so many newer ones followed.
    fn received(&mut self, session: usize, back: usize, stranger: bool) -> Option<Standing> {
        self.expire();
        let place = &mut self.sessions[session];
        let id = place.superseded.len().saturating_sub(back + 1);
        if place.forgotten.contains(&id) {
            return Some(Standing::NotFound);
        }
        if place.ended.is_none() && !stranger && !place.implicit {
            if place.superseded[id] {
                self.end(session, Reason::Killed, self.now);
                return Some(Standing::Ended(Reason::Killed));
            }
            place.superseded[..id].fill(true);
        }
        let place = &self.sessions[session];
        let over = (self.now >= place.created + LIFETIME).then_some((Reason::Lifetime, place.created + LIFETIME));
        if stranger || (place.implicit && place.ended.is_none()) {
            return Some(Standing::NotFound);
        }
        let (reason, at) = place.ended.or(over)?;
        Some(if self.now < at + RETENTION { Standing::Ended(reason) } else { Standing::NotFound })
    }

    /// A request learns that it does not get the session.
    fn resolve(&mut self, request: Request, refused: Standing) {
        let wish = self.parts[request].wish;
        let gone = matches!(refused, Standing::NotFound | Standing::Ended(_));
        if wish.or_create && gone {
            self.create_for(request, false);
        } else if wish.end_again && matches!(refused, Standing::Ended(_)) {
            self.parts[request].standing = Standing::EndedAgain;
        } else {
            self.parts[request].standing = refused;
        }
    }

    fn grant(&mut self, session: usize, request: Request) {
        let place = &mut self.sessions[session];
        place.holder = Some((request, self.now));
        let (lifetime, attributes) = (place.created + LIFETIME, place.attributes.clone());
        self.parts[request].standing = Standing::Joined;
        self.parts[request].view = attributes;
        if self.now >= lifetime && !place.implicit {
            place.holder = None;
            self.end(session, Reason::Lifetime, lifetime);
            self.resolve(request, Standing::Ended(Reason::Lifetime));
        }
    }

    /// Somebody wants the session: a holder that is long over its limit loses it.
    fn evict(&mut self, session: usize) {
        let place = &mut self.sessions[session];
        if let Some((holder, since)) = place.holder
            && place.ended.is_none()
            && self.now >= since + EXECUTION + GRACE
        {
            self.parts[holder].lost = true;
            self.hand_over(session);
        }
    }

    fn hand_over(&mut self, session: usize) {
        let place = &mut self.sessions[session];
        place.released = self.now;
        place.holder = None;
        if let Some(next) = place.queue.pop_front() {
            self.grant(session, next);
        }
    }

    fn end(&mut self, session: usize, reason: Reason, at: Tick) {
        let place = &mut self.sessions[session];
        place.ended = Some((reason, at));
        if place.holder.is_none() {
            self.close(session);
        }
        for waiter in std::mem::take(&mut self.sessions[session].queue) {
            self.resolve(waiter, Standing::Ended(reason));
        }
    }

    /// Closes what an ended session held.
    fn close(&mut self, session: usize) {
        for value in std::mem::take(&mut self.sessions[session].attributes).into_values() {
            if let Value::Live(number) = value {
                self.closed.insert(number);
            }
        }
    }

    /// Ends what is over and held by nobody.
    pub(super) fn expire(&mut self) {
        for session in 0..self.sessions.len() {
            let place = &self.sessions[session];
            if place.implicit || place.ended.is_some() || place.holder.is_some() || !place.readers.is_empty() {
                continue;
            }
            let (idle, lifetime) = (place.released + IDLE, place.created + LIFETIME);
            if self.now >= idle.min(lifetime) {
                let reason = if idle < lifetime { Reason::Idle } else { Reason::Lifetime };
                self.end(session, reason, idle.min(lifetime));
            }
        }
    }

    /// How many explicit sessions there are.
    fn count(&self) -> usize {
        self.sessions.iter().filter(|session| !session.implicit && session.ended.is_none()).count()
    }

    /// Somebody tidies up.
    pub(super) fn maintain(&mut self) {
        self.sweep();
        for session in 0..self.sessions.len() {
            let place = &mut self.sessions[session];
            if let Some((holder, since)) = place.holder
                && place.ended.is_some()
                && self.now >= since + EXECUTION + GRACE
            {
                place.holder = None;
                self.parts[holder].forced = true;
                self.close(session);
            }
        }
    }

    /// Ends what is over. A holder that has overstayed does not keep a session alive whose lifetime is over.
    fn sweep(&mut self) {
        for session in 0..self.sessions.len() {
            let place = &self.sessions[session];
            if !place.implicit && self.now >= place.created + LIFETIME {
                self.evict(session);
            }
        }
        self.expire();
    }

    /// The process has ended when nobody was there any more, and another one goes on. What was alive by then is lost with
    /// its session, unless that was `closed` before.
    pub(super) fn restart(&mut self, closed: BTreeSet<usize>) {
        self.expire();
        for session in 0..self.sessions.len() {
            let place = &mut self.sessions[session];
            if place.implicit {
                // Nobody remembers those.
                place.forgotten.extend(0..place.superseded.len());
            } else if place.ended.is_none() && lives(&place.attributes).next().is_some() {
                place.attributes.clear();
                place.ended = Some((Reason::OwnerLost, self.now));
            }
        }
        self.closed = closed;
    }

    /// One more tick has passed.
    pub(super) fn tick(&mut self) {
        self.now += 1;
        for request in 0..self.parts.len() {
            let Part { session: Some(session), standing: Standing::Waiting, wish, .. } = self.parts[request] else {
                continue;
            };
            if self.now >= wish.deadline {
                self.sessions[session].queue.retain(|waiter| *waiter != request);
                self.parts[request].standing = Standing::InUse;
            } else {
                self.evict(session);
            }
        }
    }

    pub(super) fn cancel(&mut self, request: Request) {
        let part = &mut self.parts[request];
        part.standing = Standing::Gone;
        if let Some(session) = part.session {
            self.sessions[session].queue.retain(|waiter| *waiter != request);
        }
    }

    pub(super) fn kill(&mut self, session: usize) {
        self.expire();
        if self.sessions[session].ended.is_none() {
            self.end(session, Reason::Killed, self.now);
        }
    }

    pub(super) fn set_live(&mut self, request: Request, name: usize, number: usize) {
        let part = &mut self.parts[request];
        part.made.insert(number);
        part.view.insert(name, Value::Live(number));
    }

    /// Whether the request may lose its session at any time: it has overstayed, the session is over, and whoever makes room or
    /// tidies up may have found that.
    pub(super) fn may_have_lost(&self, request: Request) -> bool {
        let Some(session) = self.parts[request].session else { return false };
        let place = &self.sessions[session];
        let overdue =
            place.holder.is_some_and(|(holder, since)| holder == request && self.now >= since + EXECUTION + GRACE);
        overdue && !place.implicit && self.now >= place.created + LIFETIME
    }

    pub(super) fn release(&mut self, request: Request, commit: bool) -> Farewell {
        self.parts[request].standing = Standing::Gone;
        let Some(session) = self.parts[request].session else { return Farewell::Done(None) };
        if self.parts[request].reads {
            return self.release_reader(session, request);
        }
        let part = &self.parts[request];
        let ended = self.sessions[session].ended;
        let farewell = match (commit, ended) {
            (true, _) if part.lost => Farewell::Conflict,
            (true, Some((reason, _))) => Farewell::Ended(reason),
            _ => Farewell::Done(None),
        };
        let (view, made, after) = (part.view.clone(), part.made.clone(), part.wish.after);
        let departs = !part.lost && !part.forced;
        let place = &mut self.sessions[session];
        let mut out_of_use = made;
        if commit && farewell == Farewell::Done(None) {
            let before = std::mem::replace(&mut place.attributes, view);
            out_of_use.extend(lives(&before));
        }
        let kept: BTreeSet<usize> = lives(&place.attributes).collect();
        self.closed.extend(out_of_use.difference(&kept));
        if departs {
            self.depart(session, after);
        }
        let known = self.sessions[session].ended.filter(|_| !self.parts[request].lost);
        let reason = known.map(|(reason, _)| reason);
        if farewell == Farewell::Done(None) { Farewell::Done(reason) } else { farewell }
    }

    fn release_reader(&mut self, session: usize, request: Request) -> Farewell {
        let place = &mut self.sessions[session];
        place.readers.remove(&request);
        if place.ended.is_none() && place.readers.is_empty() && place.holder.is_none() {
            place.released = self.now;
            let lifetime = place.created + LIFETIME;
            if self.now >= lifetime {
                self.end(session, Reason::Lifetime, lifetime);
            }
        }
        Farewell::Done(self.sessions[session].ended.map(|(reason, _)| reason))
    }

    /// The holder goes.
    fn depart(&mut self, session: usize, after: After) {
        let place = &mut self.sessions[session];
        place.released = self.now;
        place.holder = None;
        if place.ended.is_some() {
            self.close(session);
            return;
        }
        let lifetime = place.created + LIFETIME;
        match after {
            After::End(reason) => self.end(session, reason, self.now),
            After::Stay if self.now >= lifetime && place.readers.is_empty() => {
                self.end(session, Reason::Lifetime, lifetime);
            }
            After::Stay => self.hand_over(session),
        }
    }
}

fn lives(attributes: &Attributes) -> impl Iterator<Item = usize> {
    attributes.values().filter_map(|value| match value {
        Value::Live(number) => Some(*number),
        Value::Integer(_) => None,
    })
}
