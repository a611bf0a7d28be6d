//! Dates and times of day, UTC, from nanoseconds since 1970. Nothing here reads a clock.

use std::io::Write as _;

const SECOND: u64 = 1_000_000_000;
const DAY: u64 = 86_400;

/// How to print a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// `2024-05-01 12:00:00`
    DateTime,
    /// `2024-05-01 12:00:00.123456789`
    DateTimeNanos,
    /// `2024-05-01T12:00:00.123456789Z`
    Iso8601,
    /// `2024-05-01T12:00:00.123456789+0000`, as Falco writes it into texts.
    Iso8601Offset,
    /// `12:00:00`
    TimeOfDay,
    /// `12:00:00.123456789`
    TimeOfDayNanos,
}

/// Prints a moment behind what `out` holds.
pub(crate) fn push_time(nanoseconds: u64, shape: Shape, out: &mut Vec<u8>) {
    let (seconds, nanos) = (nanoseconds / SECOND, nanoseconds % SECOND);
    let (year, month, day) = date(seconds / DAY);
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    let separator = match shape {
        Shape::Iso8601 | Shape::Iso8601Offset => 'T',
        _ => ' ',
    };
    let written = (|| {
        if !matches!(shape, Shape::TimeOfDay | Shape::TimeOfDayNanos) {
            write!(out, "{year:04}-{month:02}-{day:02}{separator}")?;
        }
        write!(out, "{hour:02}:{minute:02}:{second:02}")?;
        match shape {
            Shape::DateTime | Shape::TimeOfDay => Ok(()),
            Shape::DateTimeNanos | Shape::TimeOfDayNanos => write!(out, ".{nanos:09}"),
            Shape::Iso8601 => write!(out, ".{nanos:09}Z"),
            Shape::Iso8601Offset => write!(out, ".{nanos:09}+0000"),
        }
    })();
    written.expect("writing to memory does not fail");
}

/// A moment as a string.
pub fn time_string(nanoseconds: u64, shape: Shape) -> String {
    let mut out = Vec::with_capacity(32);
    push_time(nanoseconds, shape, &mut out);
    String::from_utf8(out).expect("digits and separators are UTF-8")
}

/// Year, month and day of a number of days since 1970-01-01 (Howard Hinnant's `civil_from_days`).
fn date(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let day_of_era = shifted % 146_097;
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_moments_print_as_expected() {
        let leap = 1_709_209_845 * SECOND + 42;
        assert_eq!(
            time_string(leap, Shape::Iso8601),
            "2024-02-29T12:30:45.000000042Z"
        );
        assert_eq!(
            time_string(leap, Shape::TimeOfDayNanos),
            "12:30:45.000000042"
        );
        assert_eq!(time_string(0, Shape::DateTime), "1970-01-01 00:00:00");
        assert_eq!(
            time_string(951_782_399 * SECOND, Shape::DateTime),
            "2000-02-28 23:59:59"
        );
    }
}
