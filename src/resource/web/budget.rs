//! How many requests are sent in a time.

use std::time::Duration;

use parking_lot::Mutex;

use super::{BudgetSettings, Origin, WebError};
use crate::session::{Clock, Moment};

/// A bucket of tokens: it fills at a steady rate, and every request takes one. Those who wait are served in their order.
///
/// It keeps no tokens but the moment at which it will be full again (the generic cell rate algorithm, ITU-T I.371), so nothing
/// has to run while nobody asks.
#[derive(Debug)]
pub(super) struct Bucket {
    /// How long one token takes to come.
    interval: Duration,
    /// How long a full bucket takes to come, but for one token.
    tolerance: Duration,
    wait: Duration,
    full_at: Mutex<Moment>,
}

impl Bucket {
    pub(super) fn new(settings: &BudgetSettings) -> Self {
        let interval = settings.per / settings.requests.max(1);
        Self {
            interval,
            tolerance: interval.saturating_mul(settings.burst.saturating_sub(1)),
            wait: settings.wait,
            full_at: Mutex::new(Moment::ORIGIN),
        }
    }

    /// Takes a token, as soon as there is one. Whoever gives up while he waits takes none, if nobody has come after him.
    pub(super) async fn take(&self, clock: &dyn Clock, origin: &Origin) -> Result<(), WebError> {
        let now = clock.now();
        let mut place = self.place(now).ok_or_else(|| WebError::Busy {
            message: format!(
                "{origin}: the budget of requests is used up for more than {} s to come; try again later, or send less",
                self.wait.as_secs_f64()
            ),
        })?;
        if place.at > now {
            clock.sleep_until(place.at).await;
        }
        place.is_used = true;
        Ok(())
    }

    /// The next place in the line, if its turn comes soon enough.
    fn place(&self, now: Moment) -> Option<Place<'_>> {
        let mut full_at = self.full_at.lock();
        let before = *full_at;
        let from = before.max(now);
        let at = earlier(from, self.tolerance).max(now);
        if at.since(now) > self.wait {
            return None;
        }
        *full_at = from.after(self.interval);
        Some(Place { bucket: self, at, before, after: *full_at, is_used: false })
    }
}

/// A place in the line of those who wait for a token.
struct Place<'a> {
    bucket: &'a Bucket,
    at: Moment,
    before: Moment,
    after: Moment,
    is_used: bool,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut full_at = self.bucket.full_at.lock();
        // Those who stand behind keep their places.
        if !self.is_used && *full_at == self.after {
            *full_at = self.before;
        }
    }
}

fn earlier(moment: Moment, by: Duration) -> Moment {
    let by = u64::try_from(by.as_nanos()).unwrap_or(u64::MAX);
    Moment::from_nanos(moment.as_nanos().saturating_sub(by))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn bucket(requests: u32, burst: u32, wait: Duration) -> Bucket {
        Bucket::new(&BudgetSettings { requests, per: SECOND, burst, wait })
    }

    /// When so many who come at once may send, in milliseconds from then.
    fn turns(bucket: &Bucket, now: Moment, count: usize) -> Vec<u128> {
        let mut turns = Vec::new();
        for _ in 0..count {
            let mut place = bucket.place(now).unwrap();
            place.is_used = true;
            turns.push(place.at.since(now).as_millis());
        }
        turns
    }

    #[test]
    fn a_burst_goes_at_once_and_the_rest_at_the_rate() {
        let now = Moment::ORIGIN.after(SECOND * 100);
        let bucket = bucket(10, 3, SECOND * 10);
        assert_eq!(turns(&bucket, now, 5), [0, 0, 0, 100, 200]);
        // Half a second later two have gone, and three tokens have come.
        assert_eq!(turns(&bucket, now.after(SECOND / 2), 4), [0, 0, 0, 100]);
        assert_eq!(turns(&bucket, now.after(SECOND * 60), 4), [0, 0, 0, 100]);
    }

    #[test]
    fn a_burst_of_one_spaces_all_requests() {
        assert_eq!(turns(&bucket(4, 1, SECOND * 10), Moment::ORIGIN, 4), [0, 250, 500, 750]);
    }

    #[test]
    fn whoever_would_wait_too_long_is_refused_and_takes_nothing() {
        let bucket = bucket(1, 1, SECOND * 2);
        assert_eq!(turns(&bucket, Moment::ORIGIN, 3), [0, 1000, 2000]);
        assert!(bucket.place(Moment::ORIGIN).is_none());
        assert_eq!(turns(&bucket, Moment::ORIGIN.after(SECOND), 1), [2000]);
    }

    #[test]
    fn whoever_gives_up_at_the_end_of_the_line_gives_his_place_back() {
        let bucket = bucket(1, 1, SECOND * 10);
        assert_eq!(turns(&bucket, Moment::ORIGIN, 1), [0]);
        let (second, third) = (bucket.place(Moment::ORIGIN).unwrap(), bucket.place(Moment::ORIGIN).unwrap());
        drop(second);
        assert_eq!(third.at.since(Moment::ORIGIN), SECOND * 2);
        drop(third);
        assert_eq!(turns(&bucket, Moment::ORIGIN, 1), [2000]);
    }
}
