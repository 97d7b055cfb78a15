//! How long a session lives: the grants, and the moments at which it is over.

use std::time::Duration;

use super::{EndReason, Moment};
use crate::document::{TimeoutSettings, TimeoutWish};

/// The idle time-out that a session gets; `None` is unbounded. Too long a wish is cut down to the maximum.
pub(super) fn granted(wish: Option<TimeoutWish>, settings: &TimeoutSettings) -> Option<Duration> {
    let wished = match wish {
        None => return settings.default,
        Some(TimeoutWish::After(duration)) => Some(duration),
        Some(TimeoutWish::Unbounded) => None,
    };
    match (wished, settings.max) {
        (Some(wished), Some(max)) => Some(wished.min(max)),
        (Some(wished), None) => Some(wished),
        (None, max) => max,
    }
}

/// The moment after a time that may be unbounded.
pub(super) fn after(start: Moment, duration: Option<Duration>) -> Moment {
    duration.map_or(Moment::NEVER, |duration| start.after(duration))
}

/// Why a session is over at `now`, and since when, if it is. A deadline that is just reached counts.
pub(super) fn over(idle: Moment, lifetime: Moment, now: Moment) -> Option<(EndReason, Moment)> {
    let (moment, reason) = if idle < lifetime { (idle, EndReason::Idle) } else { (lifetime, EndReason::Lifetime) };
    (moment <= now && moment != Moment::NEVER).then_some((reason, moment))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn settings(default: Option<u32>, max: Option<u32>) -> TimeoutSettings {
        TimeoutSettings { default: default.map(|count| SECOND * count), max: max.map(|count| SECOND * count) }
    }

    #[test]
    fn a_wish_above_the_maximum_is_cut_down_to_it() {
        // Behaviour 28.
        let bounded = settings(Some(10), Some(20));
        assert_eq!(granted(None, &bounded), Some(SECOND * 10));
        assert_eq!(granted(Some(TimeoutWish::After(SECOND * 15)), &bounded), Some(SECOND * 15));
        assert_eq!(granted(Some(TimeoutWish::After(SECOND * 25)), &bounded), Some(SECOND * 20));
        assert_eq!(granted(Some(TimeoutWish::Unbounded), &bounded), Some(SECOND * 20));
    }

    #[test]
    fn without_a_maximum_every_wish_is_granted() {
        // Behaviour 30.
        let unbounded = settings(None, None);
        assert_eq!(granted(None, &unbounded), None);
        assert_eq!(granted(Some(TimeoutWish::Unbounded), &unbounded), None);
        assert_eq!(granted(Some(TimeoutWish::After(Duration::MAX)), &unbounded), Some(Duration::MAX));
    }

    #[test]
    fn the_deadline_that_came_first_is_the_reason() {
        let at = |seconds| Moment::ORIGIN.after(SECOND * seconds);
        assert_eq!(over(at(5), at(9), at(4)), None);
        assert_eq!(over(at(5), at(9), at(20)), Some((EndReason::Idle, at(5))));
        assert_eq!(over(at(9), at(5), at(20)), Some((EndReason::Lifetime, at(5))));
        assert_eq!(over(Moment::NEVER, Moment::NEVER, Moment::NEVER), None);
    }
}
