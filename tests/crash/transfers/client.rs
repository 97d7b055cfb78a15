//! One who transfers, and one who looks.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use super::PATIENCE;
use super::ledger::{CAPITAL, Ledger};
use crate::held::document;
use crate::random::Random;
use crate::wire::{Ask, Exchange, Link, Reply};

/// What became of one request.
enum Step {
    Done(Reply),
    /// It was answered, and not done.
    Refused(Reply),
    /// No answer came, or nobody waited for it.
    Unanswered,
}

/// What became of a transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Made,
    NotMade,
    /// Nobody has said: the service has to.
    Unknown,
}

/// Transfers until the ledger is closed.
pub(super) async fn client(ledger: Arc<Ledger>, link: Link, random: Random) -> Result<()> {
    let mut client = Client { ledger, link, random };
    while !client.ledger.is_closing.load(Ordering::Relaxed) {
        client.transfer().await?;
    }
    Ok(())
}

struct Client {
    ledger: Arc<Ledger>,
    link: Link,
    random: Random,
}

impl Client {
    async fn transfer(&mut self) -> Result<()> {
        let amount = i64::try_from(self.random.within(0..200))? - 100;
        let Some((session, id)) = self.begin().await? else { return Ok(()) };
        let outcome = match self.updates(&session, amount).await? {
            Step::Done(_) => {
                let commit = ask(&session, &step("t", "<commit/>")).with_key(Some(self.random.word(16)));
                match self.commit(&commit).await? {
                    Outcome::Unknown => {
                        let is_made = self.find_out(&id, amount).await?;
                        return self.commit_again(&commit, is_made).await;
                    }
                    outcome => outcome,
                }
            }
            Step::Refused(_) => {
                self.send(&ask(&session, &step("t", "<rollback/>"))).await?;
                Outcome::NotMade
            }
            // It stays open until the session ends by itself.
            Step::Unanswered => Outcome::NotMade,
        };
        if outcome == Outcome::Made {
            self.ledger.made(amount);
        }
        Ok(())
    }

    /// The first request: the session and the id of its transaction.
    async fn begin(&mut self) -> Result<Option<(String, String)>> {
        let content = format!("<session/>{}", step("t", "<begin/><output name=\"state\"/>"));
        let Step::Done(reply) = self.send(&Ask::perform(document(&content))).await? else { return Ok(None) };
        let state = reply.data("state")?;
        let id = state.split_once(" id=\"").and_then(|(_, rest)| rest.split_once('"')).context("no id")?.0.to_owned();
        Ok(Some((reply.session_id()?, id)))
    }

    /// The second request.
    async fn updates(&mut self, session: &str, amount: i64) -> Result<Step> {
        let one = self.ledger.databases == 1;
        let update = |name: &str, account: u32, resource: &str, by: i64| {
            format!(
                "<sqlUpdateStatement name=\"{name}\" resource=\"{resource}\"><expression>UPDATE account SET balance = balance + \
                 {by}, moves = moves + 1 WHERE id = {account}</expression></sqlUpdateStatement>"
            )
        };
        let out = update("out", 1, "d0", -amount);
        let into = if one { update("in", 2, "d0", amount) } else { update("in", 1, "d1", amount) };
        // In one database very few go the other way round: a deadlock, of which all who wait may be victims, one after the
        // other. Across two databases nobody would find it.
        let turned = one && self.random.within(0..300) == 0;
        let both = if turned { into + &out } else { out + &into };
        self.send(&ask(session, &format!("<sequence>{both}</sequence>"))).await
    }

    /// The third request.
    async fn commit(&mut self, ask: &Ask) -> Result<Outcome> {
        Ok(match self.send(ask).await? {
            Step::Done(_) => Outcome::Made,
            // A conflict, or the session was at its end: nothing of it holds.
            Step::Refused(reply) if matches!(reply.status, 409) && reply.fault()?.retryable => Outcome::NotMade,
            Step::Refused(_) | Step::Unanswered => Outcome::Unknown,
        })
    }

    /// Sends the commit again: if it is told what became of it, that is what the log knows.
    async fn commit_again(&mut self, ask: &Ask, is_made: bool) -> Result<()> {
        let Exchange::Answered(reply) = self.link.send(ask).await? else { return Ok(()) };
        let told = match () {
            () if reply.is_completed() => true,
            () if reply.is_fault(409, "TransactionRolledBack") => false,
            () => return Ok(()),
        };
        ensure!(told == is_made, "the commit that was sent again is told otherwise: {} {}", reply.status, reply.text());
        count(&self.ledger.told_again);
        Ok(())
    }

    /// Asks what became of a transaction until that is known; gives whether it is made.
    async fn find_out(&mut self, id: &str, amount: i64) -> Result<bool> {
        let state = step("t", &format!("<state id=\"{id}\"/><output name=\"state\"/>"));
        let ask = Ask::perform(document(&state));
        let begun = Instant::now();
        loop {
            ensure!(begun.elapsed() < PATIENCE, "what became of the transaction {id} is not known after {PATIENCE:?}");
            match self.link.send(&ask).await? {
                Exchange::Answered(reply) if reply.is_completed() => {
                    let state = reply.data("state")?;
                    if state.contains("state=\"committed\"") {
                        count(&self.ledger.found_made);
                        self.ledger.made(amount);
                        return Ok(true);
                    }
                    if state.contains("state=\"rolledBack\"") {
                        count(&self.ledger.found_not_made);
                        return Ok(false);
                    }
                }
                // Of one that never came to its commit nothing is written.
                Exchange::Answered(reply) if reply.status == 422 && reply.text().contains("TransactionNotFound") => {
                    count(&self.ledger.found_not_made);
                    return Ok(false);
                }
                Exchange::Answered(_) | Exchange::Lost => {}
                Exchange::Over => bail!("the service is gone for good"),
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Sends a request, and now and then does not wait for the answer.
    async fn send(&mut self, ask: &Ask) -> Result<Step> {
        let exchange = if self.random.chance(1) {
            let patience = Duration::from_micros(self.random.within(0..20_000));
            let Ok(exchange) = tokio::time::timeout(patience, self.link.send(ask)).await else {
                count(&self.ledger.dropped);
                return Ok(Step::Unanswered);
            };
            exchange?
        } else {
            self.link.send(ask).await?
        };
        Ok(match exchange {
            Exchange::Answered(reply) if reply.is_completed() => Step::Done(reply),
            Exchange::Answered(reply) => {
                self.judge(&reply)?;
                Step::Refused(reply)
            }
            Exchange::Lost => {
                count(&self.ledger.broken_off);
                Step::Unanswered
            }
            Exchange::Over => bail!("the service is gone for good"),
        })
    }

    /// What a service may answer whose databases come and go.
    fn judge(&self, reply: &Reply) -> Result<()> {
        // 410, 423: the session was at its end, or is still held by a request that its client has left.
        let makes_sense = matches!(reply.status, 409 | 410 | 422 | 423 | 502..=504);
        ensure!(makes_sense, "an answer that makes no sense: {} {}", reply.status, reply.text());
        self.ledger.refused(&reply.fault()?.code);
        Ok(())
    }
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

fn step(name: &str, operation: &str) -> String {
    format!("<transactionManagement name=\"{name}\">{operation}</transactionManagement>")
}

fn ask(session: &str, content: &str) -> Ask {
    Ask::perform(document(&format!("<session id=\"{session}\"/>{content}")))
}

/// Looks at both accounts at once, all the time. Of two databases there is no one moment to be seen.
pub(super) async fn inspector(ledger: Arc<Ledger>, mut link: Link) -> Result<()> {
    let query = "<sqlQueryStatement name=\"q\" resource=\"d0\"><expression>SELECT sum(balance) FROM account</expression>\
                 <resultStream name=\"r\"/></sqlQueryStatement><sqlResultsToCSV name=\"f\"><resultSet from=\"r\"/>\
                 <csvOutput name=\"sum\"/></sqlResultsToCSV>";
    let ask = Ask::perform(document(query));
    while ledger.databases == 1 && !ledger.is_closing.load(Ordering::Relaxed) {
        if let Exchange::Answered(reply) = link.send(&ask).await?
            && reply.is_completed()
        {
            let sum = reply.data("sum")?;
            ensure!(sum.trim() == (2 * CAPITAL).to_string(), "the sum is {sum}: a transfer was seen in part");
            count(&ledger.inspections);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}
