//! What should happen, in the simplest way that could be right.

mod release;

use std::collections::{BTreeSet, VecDeque};

use super::terms::{
    After, Attributes, EXECUTION, Farewell, GRACE, IDLE, LIFETIME, MAX_SESSIONS, MAX_WAITERS, OLD_IDS, RETENTION,
    Reason, Request, Standing, Tick, Value, Wish,
};

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
    /// What was released when it joined, with its checkpoints.
    base: Attributes,
    /// The living things that it made.
    made: BTreeSet<usize>,
    /// Whether the session was taken from it.
    pub(super) lost: bool,
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
            base: Attributes::new(),
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
        self.parts[request].base = attributes.clone();
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

    /// Whether the request found something alive under that name.
    pub(super) fn found_alive(&self, request: Request, name: usize) -> bool {
        matches!(self.parts[request].base.get(&name), Some(Value::Live(_)))
    }

    /// One attribute is the session's at once.
    pub(super) fn checkpoint(&mut self, request: Request, name: usize, value: i64) -> Farewell {
        let part = &mut self.parts[request];
        let Some(session) = part.session else { return Farewell::Done(None) };
        let place = &mut self.sessions[session];
        match place.ended {
            _ if place.implicit => {}
            _ if part.lost => return Farewell::Conflict,
            Some((reason, _)) => return Farewell::Ended(reason),
            None => drop(place.attributes.insert(name, Value::Integer(value))),
        }
        part.base.insert(name, Value::Integer(value));
        part.view.insert(name, Value::Integer(value));
        Farewell::Done(None)
    }

    pub(super) fn set_live(&mut self, request: Request, name: usize, number: usize) {
        let part = &mut self.parts[request];
        part.made.insert(number);
        part.view.insert(name, Value::Live(number));
    }
}

/// What is alive among attributes, by its number.
fn lives(attributes: &Attributes) -> impl Iterator<Item = usize> {
    attributes.values().filter_map(|value| match value {
        Value::Live(number) => Some(*number),
        Value::Integer(_) => None,
    })
}
