//! What a client was told of the end of a session holds, however often the service is killed before.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use chrono::{DateTime, TimeDelta, Utc};
use rejoin::document::{EndReason, Limits, SessionStatusDocument};
use reqwest::Method;

use crate::crew::LAST;
use crate::held::document;
use crate::home::BRIEF;
use crate::random::Random;
use crate::wire::{Ask, Exchange, Link, Reply};

/// How far clocks may lie apart: what is told is rounded, and a service that starts reads the clock anew.
const SLACK: TimeDelta = TimeDelta::milliseconds(250);

/// How many sessions wait for their ends at a time.
const SESSIONS: usize = 8;

/// A session that nobody uses, and what was told of its end.
#[derive(Debug)]
struct Waiting {
    resource: &'static str,
    id: String,
    reason: EndReason,
    end: DateTime<Utc>,
}

/// Creates sessions that end by themselves, and looks at them until they do. Answers how many did.
pub(crate) async fn watch(mut link: Link, mut random: Random) -> Result<u64> {
    let (mut waiting, mut ended) = (Vec::new(), 0);
    while let Some(number) = link.serving().await? {
        if number == LAST && waiting.is_empty() {
            break;
        }
        if number < LAST && waiting.len() < SESSIONS {
            waiting.extend(create(&mut link, &mut random).await?);
        }
        let mut place = 0;
        while place < waiting.len() {
            if look(&mut link, &waiting[place]).await? {
                waiting.swap_remove(place);
                ended += 1;
            } else {
                place += 1;
            }
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(ended)
}

/// A session that is soon idle for too long, or one whose lifetime is short. `None` when the service went away.
async fn create(link: &mut Link, random: &mut Random) -> Result<Option<Waiting>> {
    let (resource, content, name, reason) = if random.chance(50) {
        let timeout = random.within(300..5000);
        ("data", format!("<session timeout=\"{timeout}\"/>"), "idleExpires", EndReason::Idle)
    } else {
        (BRIEF, "<session/>".to_owned(), "lifetimeExpires", EndReason::Lifetime)
    };
    let label = "<sessionAttributeManagement name=\"set\"><setAttribute name=\"label\">brief</setAttribute>\
                 </sessionAttributeManagement>";
    let ask = Ask::perform(document(&format!("{content}{label}"))).of(resource);
    let Exchange::Answered(reply) = link.send(&ask).await? else { return Ok(None) };
    if reply.is_draining() {
        return Ok(None);
    }
    ensure!(reply.is_completed(), "no session was created: {} {}", reply.status, reply.text());
    let end = told(&reply, name)?;
    Ok(Some(Waiting { resource, id: reply.session_id()?, reason, end }))
}

fn told(reply: &Reply, name: &str) -> Result<DateTime<Utc>> {
    let document = reply.document()?;
    let session = document.elements().find(|child| child.local_name() == "session").context("no session")?;
    let told = session.attribute(name).with_context(|| format!("no {name} in {}", reply.text()))?;
    Ok(told.parse()?)
}

/// Whether a session has ended, which it has to have when its time is over, and not before.
async fn look(link: &mut Link, waiting: &Waiting) -> Result<bool> {
    let Waiting { resource, id, reason, end } = waiting;
    let before = Utc::now();
    let ask = Ask::to(Method::GET, "/session").in_session(id).of(resource);
    let Exchange::Answered(reply) = link.send(&ask).await? else { return Ok(false) };
    match reply.status {
        200 => {
            ensure!(before < *end + SLACK, "a session outlived its end ({reason:?}): {end}, now {before}");
            let status = SessionStatusDocument::parse(&reply.body, &Limits::default()).with_context(|| reply.text())?;
            let says = if *reason == EndReason::Idle { status.idle_expires } else { status.lifetime_expires };
            let says = says.context("a session that ends does not say when")?;
            ensure!((says - end).abs() < SLACK, "an end ({reason:?}) was told to be at {end}, and now at {says}");
            Ok(false)
        }
        410 => {
            let (fault, now) = (reply.fault()?, Utc::now());
            ensure!(fault.reason == Some(*reason), "{:?} instead of {reason:?}", fault.reason);
            ensure!(now > *end - SLACK, "a session ended too early ({reason:?}): at {end} it was to, now it is {now}");
            let at = fault.time.context("an end without a time")?;
            ensure!((at - end).abs() < SLACK, "a session was to end ({reason:?}) at {end}, and did at {at}");
            Ok(true)
        }
        503 if reply.is_draining() => Ok(false),
        status => bail!("a session that waits for its end ({reason:?}) is answered with {status}: {}", reply.text()),
    }
}
