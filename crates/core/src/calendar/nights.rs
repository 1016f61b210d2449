//! Nights: a night is named by the date on which it begins.

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use super::day::EpochDay;

/// The instant at which the clocks of `zone` show `time` on `date`, in milliseconds since 1970.
///
/// A time that a clock change skips is moved forward by what is skipped: 02:30 on the night when the clock
/// goes from 02:00 to 03:00 means 03:30. Of a time that is shown twice, the first counts. (RFC 5545, section
/// 3.3.5, reads local times in the same way.) Beyond the instants that can be told, at the very end of the
/// year 9999, the last of them is the answer, and likewise at the other end.
#[must_use]
pub fn local_instant(date: Date, time: Time, zone: &TimeZone) -> i64 {
    match zone.to_timestamp(date.to_datetime(time)) {
        Ok(instant) => instant.as_millisecond(),
        Err(_) if date.year() > 0 => Timestamp::MAX.as_millisecond(),
        Err(_) => Timestamp::MIN.as_millisecond(),
    }
}

/// The start of a stay whose first night is `first_night`: check-in on that date. Milliseconds since 1970.
#[must_use]
pub fn check_in_instant(first_night: Date, check_in: Time, zone: &TimeZone) -> i64 {
    local_instant(first_night, check_in, zone)
}

/// The end of a stay whose last night is `last_night`: check-out on the date after it. Milliseconds since
/// 1970.
#[must_use]
pub fn check_out_instant(last_night: Date, check_out: Time, zone: &TimeZone) -> i64 {
    local_instant(next(last_night), check_out, zone)
}

/// The end of `date` in `zone`: the midnight after it, up to which its night is sold. Milliseconds since
/// 1970.
#[must_use]
pub fn end_of_day(date: Date, zone: &TimeZone) -> i64 {
    local_instant(next(date), Time::midnight(), zone)
}

/// The nights of a stay, in order: every date from `check_in`, and `check_out` no more. None where
/// `check_out` is not after `check_in`.
pub fn nights_between(check_in: Date, check_out: Date) -> impl Iterator<Item = Date> {
    check_in.series(1.day()).take_while(move |night| *night < check_out)
}

/// How many nights [`nights_between`] gives. Callers check it against their limit before they walk the
/// nights.
#[must_use]
pub fn number_of_nights(check_in: Date, check_out: Date) -> u32 {
    let nights = EpochDay::from_date(check_out).0 - EpochDay::from_date(check_in).0;
    u32::try_from(nights).unwrap_or(0)
}

fn next(date: Date) -> Date {
    date.tomorrow().unwrap_or(Date::MAX)
}

#[cfg(test)]
mod tests {
    use jiff::civil::{date, time};

    use super::*;

    fn zone(name: &str) -> TimeZone {
        TimeZone::get(name).unwrap()
    }

    fn ms(instant: &str) -> i64 {
        instant.parse::<Timestamp>().unwrap().as_millisecond()
    }

    #[test]
    fn a_stay_runs_from_check_in_to_check_out_of_the_day_after_its_last_night() {
        let tashkent = zone("Asia/Tashkent");
        let night = date(2026, 12, 31);
        assert_eq!(check_in_instant(night, time(15, 0, 0, 0), &tashkent), ms("2026-12-31T10:00Z"));
        assert_eq!(check_out_instant(night, time(11, 0, 0, 0), &tashkent), ms("2027-01-01T06:00Z"));
        assert_eq!(end_of_day(night, &tashkent), ms("2026-12-31T19:00Z"));
    }

    #[test]
    fn a_skipped_time_moves_to_after_the_gap() {
        let berlin = zone("Europe/Berlin");
        let half_past_two = time(2, 30, 0, 0);
        assert_eq!(local_instant(date(2026, 3, 29), half_past_two, &berlin), ms("2026-03-29T03:30+02:00"));
    }

    #[test]
    fn a_repeated_time_is_the_first_of_both() {
        let half_past_one = time(1, 30, 0, 0);
        let new_york = local_instant(date(2026, 11, 1), half_past_one, &zone("America/New_York"));
        assert_eq!(new_york, ms("2026-11-01T01:30-04:00"));
        let lord_howe = local_instant(date(2026, 4, 5), half_past_one, &zone("Australia/Lord_Howe"));
        assert_eq!(lord_howe, ms("2026-04-05T01:30+11:00"));
    }

    #[test]
    fn a_day_ends_when_its_last_hour_has_passed_twice() {
        // On 2026-10-25 the clocks of Beirut go from 24:00 back to 23:00.
        assert_eq!(end_of_day(date(2026, 10, 24), &zone("Asia/Beirut")), ms("2026-10-25T00:00+02:00"));
        assert_eq!(end_of_day(date(2026, 10, 25), &zone("Europe/Berlin")), ms("2026-10-26T00:00+01:00"));
    }

    #[test]
    fn a_day_whose_next_midnight_is_skipped_ends_at_the_change() {
        // On 2026-03-29 the clocks of Beirut go from 00:00 to 01:00; Samoa left out the whole of 2011-12-30.
        assert_eq!(end_of_day(date(2026, 3, 28), &zone("Asia/Beirut")), ms("2026-03-29T01:00+03:00"));
        assert_eq!(end_of_day(date(2011, 12, 29), &zone("Pacific/Apia")), ms("2011-12-31T00:00+14:00"));
    }

    #[test]
    fn nights_cross_the_leap_day_and_leave_the_check_out_day_out() {
        let nights: Vec<Date> = nights_between(date(2028, 2, 28), date(2028, 3, 2)).collect();
        assert_eq!(nights, [date(2028, 2, 28), date(2028, 2, 29), date(2028, 3, 1)]);
        assert_eq!(number_of_nights(date(2028, 2, 28), date(2028, 3, 2)), 3);
    }

    #[test]
    fn a_stay_that_ends_before_it_begins_has_no_nights() {
        for check_out in [date(2026, 12, 24), date(2026, 12, 1), Date::MIN] {
            assert_eq!(nights_between(date(2026, 12, 24), check_out).count(), 0);
            assert_eq!(number_of_nights(date(2026, 12, 24), check_out), 0);
        }
    }

    #[test]
    fn the_ends_of_the_calendar_give_the_ends_of_time() {
        let berlin = zone("Europe/Berlin");
        assert_eq!(end_of_day(Date::MAX, &berlin), Timestamp::MAX.as_millisecond());
        assert_eq!(local_instant(Date::MIN, Time::midnight(), &berlin), Timestamp::MIN.as_millisecond());
        let last = Date::MAX.yesterday().unwrap();
        assert_eq!(nights_between(last, Date::MAX).collect::<Vec<_>>(), [last]);
    }
}
