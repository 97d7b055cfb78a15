//! The time of a store, which goes on where it was when the service is started again.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;

use crate::session::{BootTime, Clock, Moment, Recovery, TimeMark};

/// How far the wall clock and the uptime may differ for the same time to be told by both: the system tells the uptime in
/// hundredths of a second, and it is looked at twice.
const AGREEMENT: Duration = Duration::from_millis(20);

/// A clock whose moments mean the same in every process that opens the store: nanoseconds that began in 1970 and never go
/// back.
///
/// While the process runs they follow its monotonic clock. A start goes on from what was noted ([`Timeline::mark`]): on a
/// machine that has been up ever since, by its uptime, which nobody sets (to the nanosecond by the wall clock, where the two
/// agree: so what is shown of a lifetime stays the same); otherwise by the wall clock, if that did not go back. So a clock that jumped back prolongs sessions by no more than the time for which the machine was down, and ends
/// none. One that jumped forward while the machine was down can't be told from a machine that was down for long.
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
/// use chrono::TimeDelta;
/// use rejoin::session::{Clock, ManualClock, Recovery, Timeline};
///
/// let clock = Arc::new(ManualClock::new());
/// let timeline = Timeline::resume(clock.clone(), &Recovery::default());
/// let recovery = Recovery { mark: Some(timeline.mark()), ..Recovery::default() };
///
/// // The service is stopped, an administrator sets the clock, an hour passes.
/// clock.step_wall(TimeDelta::days(-400));
/// clock.advance(Duration::from_secs(3600));
/// let resumed = Timeline::resume(clock, &recovery);
/// assert_eq!(resumed.now(), timeline.now());
/// ```
#[derive(Debug, Clone)]
pub struct Timeline {
    clock: Arc<dyn Clock>,
    /// The moment on the timeline at which this began,
    began: Moment,
    /// and the same on the clock.
    origin: Moment,
}

impl Timeline {
    /// The timeline of a store, from what was found in it.
    #[must_use]
    pub fn resume(clock: Arc<dyn Clock>, recovery: &Recovery) -> Self {
        let origin = clock.now();
        let began = match &recovery.mark {
            Some(mark) => moment_since(mark, clock.boot(), clock.wall()),
            None => on_the_wall(clock.wall()),
        };
        let began = recovery.last_moment.map_or(began, |last| began.max(last));
        Self { clock, began, origin }
    }

    /// How the timeline stands to the clocks of the machine now: to be noted in the store, from time to time.
    #[must_use]
    pub fn mark(&self) -> TimeMark {
        TimeMark { moment: self.now(), wall: self.clock.wall(), boot: self.clock.boot() }
    }
}

/// The moment that it is, as far as a mark and the clocks tell.
fn moment_since(mark: &TimeMark, boot: Option<BootTime>, wall: DateTime<Utc>) -> Moment {
    let up_since = match (mark.boot, boot) {
        (Some(then), Some(now)) if then.id == now.id => now.uptime.checked_sub(then.uptime),
        _ => None,
    };
    let on_the_wall = wall.signed_duration_since(mark.wall).to_std().ok();
    let is_told_by_both =
        |on_the_wall: &Duration| up_since.is_none_or(|up_since| on_the_wall.abs_diff(up_since) <= AGREEMENT);
    let elapsed = on_the_wall.filter(is_told_by_both).or(up_since);
    mark.moment.after(elapsed.unwrap_or_default())
}

/// What the wall clock shows, as a moment; a time before 1970 is the first one.
fn on_the_wall(wall: DateTime<Utc>) -> Moment {
    let since = wall.signed_duration_since(DateTime::UNIX_EPOCH).to_std();
    Moment::ORIGIN.after(since.unwrap_or_default())
}

impl Clock for Timeline {
    fn now(&self) -> Moment {
        self.began.after(self.clock.now().since(self.origin))
    }

    fn wall(&self) -> DateTime<Utc> {
        self.clock.wall()
    }

    fn sleep_until(&self, moment: Moment) -> BoxFuture<'static, ()> {
        let until = match moment {
            Moment::NEVER => Moment::NEVER,
            moment => self.origin.after(moment.since(self.began)),
        };
        self.clock.sleep_until(until)
    }

    fn boot(&self) -> Option<BootTime> {
        self.clock.boot()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use chrono::TimeDelta;
    use futures_util::poll;
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::session::ManualClock;

    const HOUR: Duration = Duration::from_hours(1);

    fn noted(timeline: &Timeline) -> Recovery {
        Recovery { mark: Some(timeline.mark()), ..Recovery::default() }
    }

    fn resumed(clock: &ManualClock, recovery: &Recovery) -> Timeline {
        Timeline::resume(Arc::new(clock.clone()), recovery)
    }

    fn start_machine(clock: &ManualClock, number: u128) {
        clock.set_boot(Some(BootTime { id: Uuid::from_u128(number), uptime: Duration::from_secs(5) }));
    }

    #[test]
    fn a_new_store_begins_with_what_the_wall_clock_shows() {
        let clock = ManualClock::new();
        clock.advance(HOUR);
        let timeline = resumed(&clock, &Recovery::default());
        let expected = u64::try_from(clock.wall().timestamp_nanos_opt().unwrap()).unwrap();
        assert_eq!(timeline.now().as_nanos(), expected);
        clock.advance(HOUR);
        assert_eq!(timeline.now(), Moment::from_nanos(expected).after(HOUR));
        clock.step_wall(TimeDelta::days(-30_000));
        assert_eq!(resumed(&clock, &Recovery::default()).now(), Moment::ORIGIN, "a clock before 1970");
    }

    #[test]
    fn on_a_machine_that_was_up_all_the_time_the_wall_clock_does_not_matter() {
        for step in [TimeDelta::days(-1000), TimeDelta::days(1000)] {
            let clock = ManualClock::new();
            let before = resumed(&clock, &Recovery::default());
            let recovery = noted(&before);
            clock.step_wall(step);
            clock.advance(HOUR);
            assert_eq!(resumed(&clock, &recovery).now(), before.now());
        }
    }

    #[test]
    fn an_uptime_in_hundredths_of_a_second_moves_no_lifetime() {
        let read_uptime = |clock: &ManualClock| {
            let millis = u64::try_from(clock.now().since(Moment::ORIGIN).as_millis()).unwrap();
            let uptime = Duration::from_millis(millis / 10 * 10);
            clock.set_boot(Some(BootTime { id: Uuid::nil(), uptime }));
        };
        let clock = ManualClock::new();
        let before = resumed(&clock, &Recovery::default());
        let lifetime = before.now().after(HOUR);
        let shown = |timeline: &Timeline| crate::session::clock::Time::read(timeline).wall_at(lifetime);
        let first = shown(&before);
        let mut timeline = before;
        for millis in [3, 9, 15, 999, 60_008] {
            read_uptime(&clock);
            let recovery = noted(&timeline);
            clock.advance(Duration::from_millis(millis));
            read_uptime(&clock);
            timeline = resumed(&clock, &recovery);
            assert_eq!(shown(&timeline), first, "{millis}");
        }
    }

    #[test]
    fn a_wall_clock_that_differs_from_the_uptime_by_more_is_not_believed() {
        let millis = Duration::from_millis;
        for (step, expected) in [(20, millis(3_600_020)), (-20, millis(3_599_980)), (21, HOUR), (-21, HOUR)] {
            let clock = ManualClock::new();
            let recovery = noted(&resumed(&clock, &Recovery::default()));
            clock.advance(HOUR);
            clock.step_wall(TimeDelta::milliseconds(step));
            let noted = recovery.mark.unwrap().moment;
            assert_eq!(resumed(&clock, &recovery).now(), noted.after(expected), "{step}");
        }
    }

    #[test]
    fn after_a_start_of_the_machine_the_wall_clock_counts_unless_it_went_back() {
        for (step, expected) in
            [(TimeDelta::zero(), HOUR), (TimeDelta::hours(5), 6 * HOUR), (TimeDelta::hours(-5), Duration::ZERO)]
        {
            let clock = ManualClock::new();
            let recovery = noted(&resumed(&clock, &Recovery::default()));
            let noted = recovery.mark.unwrap().moment;
            clock.advance(HOUR);
            clock.step_wall(step);
            start_machine(&clock, 1);
            assert_eq!(resumed(&clock, &recovery).now(), noted.after(expected));
            clock.set_boot(None);
            assert_eq!(resumed(&clock, &recovery).now(), noted.after(expected), "not knowing the uptime");
        }
    }

    #[test]
    fn an_uptime_that_went_back_is_not_believed() {
        let clock = ManualClock::new();
        clock.advance(HOUR);
        let recovery = noted(&resumed(&clock, &Recovery::default()));
        clock.advance(HOUR);
        clock.set_boot(Some(BootTime { id: Uuid::nil(), uptime: Duration::from_secs(1) }));
        assert_eq!(resumed(&clock, &recovery).now(), recovery.mark.unwrap().moment.after(HOUR));
    }

    #[test]
    fn what_was_written_after_the_mark_is_in_the_past() {
        let clock = ManualClock::new();
        let timeline = resumed(&clock, &Recovery::default());
        let late = timeline.now().after(HOUR);
        let recovery = Recovery { last_moment: Some(late), ..noted(&timeline) };
        assert_eq!(resumed(&clock, &recovery).now(), late);
        let without_mark = Recovery { mark: None, ..recovery };
        assert_eq!(resumed(&clock, &without_mark).now(), late);
    }

    #[tokio::test]
    async fn a_sleep_ends_when_the_moment_has_come() {
        let clock = ManualClock::new();
        clock.advance(HOUR);
        let timeline = resumed(&clock, &Recovery::default());
        clock.advance(HOUR);
        let mut sleep = timeline.sleep_until(timeline.now().after(2 * HOUR));
        let mut never = timeline.sleep_until(Moment::NEVER);
        assert!(poll!(timeline.sleep_until(timeline.now())).is_ready());
        assert!(poll!(timeline.sleep_until(Moment::ORIGIN)).is_ready());
        clock.advance(HOUR);
        assert!(poll!(&mut sleep).is_pending());
        clock.advance(HOUR);
        assert!(poll!(&mut sleep).is_ready());
        clock.advance(10_000 * HOUR);
        assert!(poll!(&mut never).is_pending());
    }

    /// What may happen to a service and its machine.
    #[derive(Debug, Clone)]
    enum Event {
        Pass(Duration),
        StepWall(i64),
        Note,
        Write,
        StartService,
        StartMachine,
    }

    fn event() -> impl Strategy<Value = Event> {
        prop_oneof![
            4 => (0..100_000_000_000_u64).prop_map(|nanos| Event::Pass(Duration::from_nanos(nanos))),
            2 => (-1_000_000_i64..1_000_000).prop_map(Event::StepWall),
            2 => Just(Event::Note),
            1 => Just(Event::Write),
            2 => Just(Event::StartService),
            1 => Just(Event::StartMachine),
        ]
    }

    proptest! {
        #[test]
        fn a_timeline_never_goes_back_and_keeps_true_time_while_the_machine_is_up(
            events in prop::collection::vec(event(), 1..60),
        ) {
            let clock = ManualClock::new();
            let mut timeline = resumed(&clock, &Recovery::default());
            let mut recovery = noted(&timeline);
            // The moment and the true time at one look since the machine was started.
            let mut reference = (timeline.now(), clock.now());
            let mut latest = timeline.now();
            for (number, event) in events.into_iter().enumerate() {
                match event {
                    Event::Pass(duration) => clock.advance(duration),
                    Event::StepWall(seconds) => clock.step_wall(TimeDelta::seconds(seconds)),
                    Event::Note => recovery.mark = Some(timeline.mark()),
                    Event::Write => recovery.last_moment = Some(timeline.now()),
                    Event::StartService => {
                        recovery.last_moment = Some(timeline.now());
                        timeline = resumed(&clock, &recovery);
                    }
                    Event::StartMachine => {
                        recovery.last_moment = Some(timeline.now());
                        start_machine(&clock, number as u128 + 1);
                        timeline = resumed(&clock, &recovery);
                        // As a service does when it starts.
                        recovery.mark = Some(timeline.mark());
                        reference = (timeline.now(), clock.now());
                    }
                }
                let now = timeline.now();
                prop_assert!(now >= latest);
                prop_assert_eq!(now.since(reference.0), clock.now().since(reference.1));
                latest = now;
            }
        }
    }
}
