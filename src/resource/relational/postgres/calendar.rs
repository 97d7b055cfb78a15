//! PostgreSQL's days since 2000-01-01, and the days since 1970-01-01 of Arrow.

/// Days from 1970-01-01 to 2000-01-01.
pub(super) const EPOCH_DAYS: i32 = 10_957;

/// Microseconds of a day.
pub(super) const MICROSECONDS_PER_DAY: i64 = 86_400_000_000;

/// Microseconds from 1970-01-01 to 2000-01-01.
pub(super) const EPOCH_MICROSECONDS: i64 = EPOCH_DAYS as i64 * MICROSECONDS_PER_DAY;

/// A date of the Gregorian calendar, also before there was one. The year 0 is the one before the year 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Date {
    pub(super) year: i64,
    pub(super) month: i64,
    pub(super) day: i64,
}

impl Date {
    /// The date so many days from 2000-01-01.
    ///
    /// Years begin in March here, so that the day that may be missing is the last of its year; 400 years have always the same
    /// number of days.
    pub(super) fn of(days: i64) -> Self {
        const DAYS_OF_400_YEARS: i64 = 146_097;
        // 2000-03-01 begins 400 years.
        let days = days - 60;
        let (cycle, day) = (days.div_euclid(DAYS_OF_400_YEARS), days.rem_euclid(DAYS_OF_400_YEARS));
        let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        let month = (5 * day + 2) / 153;
        let first_of_month = (153 * month + 2) / 5;
        let (month, next_year) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
        Self { year: 2000 + 400 * cycle + year + next_year, month, day: day - first_of_month + 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_follow_one_another() {
        let mut date = Date { year: 1599, month: 12, day: 31 };
        for days in -146_097..146_097 {
            let next = Date::of(days);
            let is_leap = date.year % 4 == 0 && (date.year % 100 != 0 || date.year % 400 == 0);
            let of_month = match date.month {
                2 if is_leap => 29,
                2 => 28,
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            date = match date {
                Date { month: 12, day: 31, year } => Date { year: year + 1, month: 1, day: 1 },
                Date { year, month, day } if day == of_month => Date { year, month: month + 1, day: 1 },
                Date { day, .. } => Date { day: day + 1, ..date },
            };
            assert_eq!(next, date);
        }
    }

    #[test]
    fn the_years_before_the_first_have_numbers_as_well() {
        assert_eq!(Date::of(-730_119), Date { year: 1, month: 1, day: 1 });
        assert_eq!(Date::of(-730_120), Date { year: 0, month: 12, day: 31 });
    }
}
