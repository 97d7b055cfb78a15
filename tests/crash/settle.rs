//! What became of a request that broke off, or that the store could not do: all of it happened, or nothing.

use anyhow::{Result, bail, ensure};

use crate::client::Client;
use crate::held::{Again, Condition, Found, look};
use crate::request::{Kind, Request};
use crate::wire::{Exchange, Reply};

impl Client {
    /// Finds out what became of the request that broke off: all of it happened, or nothing.
    pub(crate) async fn settle(&mut self) -> Result<()> {
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
            // It was not done now; if its first answer broke off, it may have been done then.
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
            self.held[place].has_old_id |= landed;
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
}
