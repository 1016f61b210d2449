//! Instants and dates as people read and write them, in the time zone of a listing, with the zone named.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use lastseat_core::time::Time;

/// An instant for a page: for machines, and for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Instant {
    /// RFC 3339, for `datetime`.
    pub iso: String,
    /// In words of the listing's zone.
    pub text: String,
}

impl Instant {
    /// `Thu 24 Dec 2026, 22:00`.
    pub(crate) fn new(at: Time, zone: &TimeZone) -> Self {
        Self { iso: at.to_string(), text: moment(at, zone) }
    }
}

/// A deadline with the time that is left: for machines, for people, and as a clock that runs down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Countdown {
    /// RFC 3339, for `datetime`.
    pub iso: String,
    /// `3:10`, `2:03:10`, `2 days`.
    pub left: String,
}

impl Countdown {
    /// What is left until `at`.
    pub(crate) fn new(at: Time, now: Time) -> Self {
        Self { iso: at.to_string(), left: left(at.millis() - now.millis()) }
    }
}

/// `3:10` for 190 seconds; hours in front from an hour on, days in words from two days on. What has begun of a
/// second counts as a whole one, so that `0:00` means over.
#[must_use]
pub(crate) fn left(millis: i64) -> String {
    let seconds = (millis.max(0) + 999) / 1000;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match hours {
        48.. => format!("{} days", hours / 24),
        1.. => format!("{hours}:{minutes:02}:{seconds:02}"),
        _ => format!("{minutes}:{seconds:02}"),
    }
}

/// A length of time in words: `10 minutes`, `1 hour 30 minutes`, `2 days`.
#[must_use]
pub(crate) fn duration(seconds: i64) -> String {
    let units = [(86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")];
    let mut rest = seconds.max(0);
    let mut words = Vec::new();
    for (size, name) in units {
        let count = rest / size;
        rest %= size;
        if count > 0 {
            words.push(format!("{count} {name}{}", if count == 1 { "" } else { "s" }));
        }
    }
    if words.is_empty() { "no time".to_owned() } else { words[..words.len().min(2)].join(" ") }
}

/// `Thu 24 Dec 2026, 22:00`.
#[must_use]
pub(crate) fn moment(at: Time, zone: &TimeZone) -> String {
    at.timestamp().to_zoned(zone.clone()).strftime("%a %-d %b %Y, %H:%M").to_string()
}

/// A deadline: `Thu 24 Dec 2026, 22:00`; where a day begins, `the end of Thu 24 Dec 2026`.
#[must_use]
pub(crate) fn deadline(at: Time, zone: &TimeZone) -> String {
    let local = at.timestamp().to_zoned(zone.clone());
    match (local.start_of_day(), local.date().yesterday()) {
        (Ok(begins), Ok(before)) if begins == local => format!("the end of {}", day(before)),
        _ => moment(at, zone),
    }
}

/// `22:00`.
#[must_use]
pub(crate) fn clock(at: Time, zone: &TimeZone) -> String {
    at.timestamp().to_zoned(zone.clone()).strftime("%H:%M").to_string()
}

/// The date that the calendars of `zone` show at `at`.
#[must_use]
pub(crate) fn date_of(at: Time, zone: &TimeZone) -> Date {
    at.timestamp().to_zoned(zone.clone()).date()
}

/// `Thu 24 Dec 2026`.
#[must_use]
pub(crate) fn day(date: Date) -> String {
    date.strftime("%a %-d %b %Y").to_string()
}

/// `Thu 24 Dec`.
#[must_use]
pub(crate) fn short_day(date: Date) -> String {
    date.strftime("%a %-d %b").to_string()
}

/// `December 2026`.
#[must_use]
pub(crate) fn month(date: Date) -> String {
    date.strftime("%B %Y").to_string()
}

/// From one instant to another, the second without its date where that is the same.
#[must_use]
pub(crate) fn span(from: Time, until: Time, zone: &TimeZone) -> String {
    if date_of(from, zone) == date_of(until, zone) {
        return format!("{}–{}", moment(from, zone), clock(until, zone));
    }
    format!("{} – {}", moment(from, zone), moment(until, zone))
}

/// `Tashkent time (UTC+5)`: the zone with its offset at `at`.
#[must_use]
pub(crate) fn zone_name(name: &str, zone: &TimeZone, at: Time) -> String {
    let seconds = zone.to_offset(at.timestamp()).seconds();
    let (sign, seconds) = if seconds < 0 { ('−', -seconds) } else { ('+', seconds) };
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    let offset = match (hours, minutes) {
        (0, 0) => "UTC".to_owned(),
        (hours, 0) => format!("UTC{sign}{hours}"),
        (hours, minutes) => format!("UTC{sign}{hours}:{minutes:02}"),
    };
    match name.rsplit('/').next() {
        Some(city) if !city.eq_ignore_ascii_case("utc") => {
            format!("{} time ({offset})", city.replace('_', " "))
        }
        _ => offset,
    }
}

/// What `<input type="datetime-local">` shows: `2026-12-24T22:00`.
#[must_use]
pub(crate) fn local_field(at: Time, zone: &TimeZone) -> String {
    at.timestamp().to_zoned(zone.clone()).strftime("%Y-%m-%dT%H:%M").to_string()
}

/// Reads what `<input type="datetime-local">` sends, as a time on the clocks of `zone`. One that a clock change
/// skips is moved to after the gap; of one that comes twice the first counts.
///
/// # Errors
/// What is wrong, as a fragment that reads after the field's name.
pub(crate) fn parse_local(text: &str, zone: &TimeZone) -> Result<Time, String> {
    const WRONG: &str = "must be a date and a time like 2026-12-24 22:00";
    let text = text.trim().replacen(' ', "T", 1);
    let local: DateTime = text.parse().map_err(|_| WRONG.to_owned())?;
    if !text.contains('T') {
        return Err(WRONG.to_owned());
    }
    let instant = zone.to_timestamp(local).map_err(|_| WRONG.to_owned())?;
    instant.to_string().parse().map_err(|error: &str| error.to_owned())
}

/// Reads what `<input type="date">` sends, as the end of that day on the calendars of `zone`: the instant at which the next
/// one begins.
///
/// # Errors
/// What is wrong, as a sentence.
pub(crate) fn parse_day_end(text: &str, zone: &TimeZone) -> Result<Time, String> {
    let day: Option<Date> = text.trim().parse().ok();
    let end = day.and_then(|day| zone.to_timestamp(day.tomorrow().ok()?.at(0, 0, 0, 0)).ok());
    end.and_then(|end| end.to_string().parse().ok()).ok_or_else(|| "Write a date like 2026-12-24.".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use lastseat_core::listing::zone;

    fn at(text: &str) -> Time {
        text.parse().unwrap()
    }

    #[test]
    fn what_is_left_runs_down_to_zero_and_no_further() {
        assert_eq!(left(190_000), "3:10");
        assert_eq!(left(189_001), "3:10");
        assert_eq!(left(0), "0:00");
        assert_eq!(left(-5_000), "0:00");
        assert_eq!(left(3_600_000), "1:00:00");
        assert_eq!(left(172_800_000), "2 days");
    }

    #[test]
    fn lengths_of_time_are_told_in_two_units_at_most() {
        assert_eq!(duration(600), "10 minutes");
        assert_eq!(duration(5_400), "1 hour 30 minutes");
        assert_eq!(duration(86_400 + 3_600 + 60), "1 day 1 hour");
        assert_eq!(duration(0), "no time");
    }

    #[test]
    fn times_are_told_in_the_zone_of_the_listing() {
        let tashkent = zone("Asia/Tashkent").unwrap();
        let start = at("2026-12-24T17:00:00Z");
        assert_eq!(moment(start, &tashkent), "Thu 24 Dec 2026, 22:00");
        assert_eq!(span(start, at("2026-12-24T18:30:00Z"), &tashkent), "Thu 24 Dec 2026, 22:00–23:30");
        assert_eq!(
            span(start, at("2026-12-25T01:00:00Z"), &tashkent),
            "Thu 24 Dec 2026, 22:00 – Fri 25 Dec 2026, 06:00"
        );
    }

    #[test]
    fn zones_are_named_with_their_offset_on_that_day() {
        let name = |zone_id: &str, instant: &str| zone_name(zone_id, &zone(zone_id).unwrap(), at(instant));
        assert_eq!(name("Asia/Tashkent", "2026-12-24T17:00:00Z"), "Tashkent time (UTC+5)");
        assert_eq!(name("Asia/Kolkata", "2026-12-24T17:00:00Z"), "Kolkata time (UTC+5:30)");
        assert_eq!(name("America/New_York", "2026-07-01T00:00:00Z"), "New York time (UTC−4)");
        assert_eq!(name("America/New_York", "2026-12-01T00:00:00Z"), "New York time (UTC−5)");
        assert_eq!(name("Europe/London", "2026-12-01T00:00:00Z"), "London time (UTC)");
        assert_eq!(name("UTC", "2026-12-01T00:00:00Z"), "UTC");
    }

    #[test]
    fn a_local_time_comes_back_as_it_was_shown() {
        let berlin = zone("Europe/Berlin").unwrap();
        for text in ["2026-12-24T22:00", "2026-07-01T00:30"] {
            assert_eq!(local_field(parse_local(text, &berlin).unwrap(), &berlin), text);
        }
        assert_eq!(parse_local("2026-03-29T02:30", &berlin), Ok(at("2026-03-29T01:30:00Z")));
        for text in ["", "2026-12-24", "soon", "2026-13-01T00:00"] {
            assert!(parse_local(text, &berlin).is_err(), "{text}");
        }
    }

    #[test]
    fn a_day_ends_when_the_next_one_begins_there() {
        let berlin = zone("Europe/Berlin").unwrap();
        // The clocks go back on the 25th, and forward on the 29th.
        for (day, end, text) in [
            ("2026-12-24", "2026-12-24T23:00:00Z", "the end of Thu 24 Dec 2026"),
            ("2026-10-25", "2026-10-25T23:00:00Z", "the end of Sun 25 Oct 2026"),
            (" 2026-03-29", "2026-03-29T22:00:00Z", "the end of Sun 29 Mar 2026"),
        ] {
            assert_eq!(parse_day_end(day, &berlin), Ok(at(end)));
            assert_eq!(deadline(at(end), &berlin), text);
        }
        // Where midnight is skipped, the day begins an hour later.
        let beirut = zone("Asia/Beirut").unwrap();
        let end = parse_day_end("2026-03-28", &beirut).unwrap();
        assert_eq!(end, at("2026-03-28T22:00:00Z"));
        assert_eq!(deadline(end, &beirut), "the end of Sat 28 Mar 2026");
        assert_eq!(deadline(at("2026-12-24T21:00:00Z"), &berlin), "Thu 24 Dec 2026, 22:00");
        for text in ["", "soon", "24.12.2026", "2026-02-30", "9999-12-31"] {
            assert!(parse_day_end(text, &berlin).is_err(), "{text}");
        }
    }
}
