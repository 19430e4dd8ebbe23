//! How long ago something was, in words.
//!
//! Source: cli surface 3.11. Upstream: go-units `duration.go` `HumanDuration`.

use crate::base::time::{SimTime, Span};

const HOUR: i64 = 3_600_000_000_000;

/// The words for an age; the first letter is upper case where Docker has it so.
///
/// ```
/// use swarmsim::base::time::Span;
/// use swarmsim::client::age::human;
/// assert_eq!(human(Span::from_secs(90)), "About a minute");
/// ```
pub fn human(age: Span) -> String {
    let secs = age.whole_secs();
    let minutes = secs / 60;
    let hours = age.0.saturating_add(HOUR / 2) / HOUR;
    match (secs, minutes, hours) {
        (..1, ..) => "Less than a second".to_string(),
        (1, ..) => "1 second".to_string(),
        (..60, ..) => format!("{secs} seconds"),
        (_, 1, _) => "About a minute".to_string(),
        (_, ..60, _) => format!("{minutes} minutes"),
        (.., 1) => "About an hour".to_string(),
        (.., ..48) => format!("{hours} hours"),
        (.., ..336) => format!("{} days", hours / 24),
        (.., ..1440) => format!("{} weeks", hours / 168),
        (.., ..17520) => format!("{} months", hours / 720),
        _ => format!("{} years", age.0 / HOUR / 8760),
    }
}

/// `<age> ago`; a moment that is still to come is `Less than a second ago`.
pub fn ago(now: SimTime, then: SimTime) -> String {
    let age = if now >= then { now.since(then) } else { Span::ZERO };
    format!("{} ago", human(age))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_in_words() {
        for (secs, text) in [
            (-5, "Less than a second"),
            (0, "Less than a second"),
            (1, "1 second"),
            (59, "59 seconds"),
            (60, "About a minute"),
            (119, "About a minute"),
            (120, "2 minutes"),
            (59 * 60, "59 minutes"),
            (60 * 60, "About an hour"),
            (89 * 60, "About an hour"),
            (90 * 60, "2 hours"),
            (47 * 3600, "47 hours"),
            (48 * 3600, "2 days"),
            (336 * 3600, "2 weeks"),
            (1440 * 3600, "2 months"),
            (17520 * 3600, "2 years"),
        ] {
            assert_eq!(human(Span::from_secs(secs)), text, "{secs}");
        }
        assert_eq!(human(Span::from_ms(999)), "Less than a second");
        assert_eq!(ago(SimTime(3_000_000_000), SimTime(0)), "3 seconds ago");
        assert_eq!(ago(SimTime(0), SimTime(3)), "Less than a second ago");
    }
}
