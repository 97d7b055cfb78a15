//! How a request gives back its session, and what it is told.

use std::collections::BTreeSet;

use super::super::terms::{After, EXECUTION, Farewell, GRACE, LIFETIME, Reason, Request, Standing};
use super::{Reference, lives};

impl Reference {
    /// Whether the request may lose its session at any time: it has overstayed, the session is over, and whoever makes room or
    /// tidies up may have found that.
    pub(in super::super) fn may_have_lost(&self, request: Request) -> bool {
        let Some(session) = self.parts[request].session else { return false };
        let place = &self.sessions[session];
        let overdue =
            place.holder.is_some_and(|(holder, since)| holder == request && self.now >= since + EXECUTION + GRACE);
        overdue && !place.implicit && self.now >= place.created + LIFETIME
    }

    pub(in super::super) fn release(&mut self, request: Request, commit: bool) -> Farewell {
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
