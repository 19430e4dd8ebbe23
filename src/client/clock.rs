//! Wall clock times of the virtual clock, where Docker prints dates.

use crate::base::time::{SECOND, SimTime};

/// The date at the start of every run, in seconds since 1970: 2026-01-01T00:00:00Z. Chosen, not
/// measured: a run must print the same dates whenever it is run.
pub const START_OF_RUN: u64 = 1_767_225_600;

/// A moment as year, month, day, hour, minute, second and nanoseconds, in UTC.
fn civil(moment: SimTime) -> ([u64; 6], u64) {
    let secs = START_OF_RUN + moment.0 / SECOND as u64;
    let (days, rest) = (secs / 86_400, secs % 86_400);
    // Days since 0000-03-01, in eras of 400 years, so that the leap day ends a year.
    let shifted = days + 719_468;
    let (era, day) = (shifted / 146_097, shifted % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, carry) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    let year = era * 400 + year + carry;
    ([year, month, day, rest / 3_600, rest / 60 % 60, rest % 60], moment.0 % SECOND as u64)
}

/// RFC 3339 with up to nine decimals, in UTC, as Docker's JSON has it.
///
/// ```
/// use swarmsim::{base::time::SimTime, client::clock::rfc3339};
/// assert_eq!(rfc3339(SimTime(1_500_000_000)), "2026-01-01T00:00:01.5Z");
/// ```
pub fn rfc3339(moment: SimTime) -> String {
    let ([year, month, day, hour, minute, second], ns) = civil(moment);
    let fraction = match ns {
        0 => String::new(),
        ns => format!(".{ns:09}").trim_end_matches('0').to_string(),
    };
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z")
}

/// As `docker node inspect --pretty` shows it.
pub fn pretty(moment: SimTime) -> String {
    let ([year, month, day, hour, minute, second], ns) = civil(moment);
    let fraction = match ns {
        0 => String::new(),
        ns => format!(".{ns:09}").trim_end_matches('0').to_string(),
    };
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}{fraction} +0000 utc")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_over_leap_days_and_years() {
        let day = 86_400 * SECOND as u64;
        for (moment, text) in [
            (0, "2026-01-01T00:00:00Z"),
            (1, "2026-01-01T00:00:00.000000001Z"),
            (58 * day, "2026-02-28T00:00:00Z"),
            (59 * day, "2026-03-01T00:00:00Z"),
            (364 * day, "2026-12-31T00:00:00Z"),
            (789 * day, "2028-02-29T00:00:00Z"),
            (790 * day - 1, "2028-02-29T23:59:59.999999999Z"),
        ] {
            assert_eq!(rfc3339(SimTime(moment)), text);
        }
        assert_eq!(pretty(SimTime(0)), "2026-01-01 00:00:00 +0000 utc");
    }
}
