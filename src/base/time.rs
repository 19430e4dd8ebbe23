//! Virtual time: whole nanoseconds, in types of our own.
//!
//! [`SimTime`] is a moment since the start of a run, [`Span`] a length of time. A span is signed,
//! as Go's `time.Duration` is, because Docker accepts and stores negative ones where nobody
//! validates them.

use std::fmt;

/// Nanoseconds in a second.
pub const SECOND: i64 = 1_000_000_000;

/// A moment of the virtual clock: nanoseconds since the start of the run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct SimTime(pub u64);

/// A moment that may be absent, in the room of a moment: for what is kept a million times. The end
/// of time is taken for absent.
///
/// ```
/// use swarmsim::base::time::{MaybeTime, SimTime};
///
/// assert_eq!(MaybeTime::from(SimTime(5)).get(), Some(SimTime(5)));
/// assert_eq!(MaybeTime::NONE.get(), None);
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct MaybeTime(SimTime);

impl MaybeTime {
    /// No moment.
    pub const NONE: MaybeTime = MaybeTime(SimTime::MAX);

    /// The moment, if there is one.
    #[must_use]
    pub fn get(self) -> Option<SimTime> {
        (self != MaybeTime::NONE).then_some(self.0)
    }
}

impl From<SimTime> for MaybeTime {
    fn from(at: SimTime) -> MaybeTime {
        MaybeTime(at)
    }
}

impl fmt::Debug for MaybeTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}

/// A length of time in nanoseconds, possibly negative.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span(pub i64);

impl SimTime {
    /// The start of every run.
    pub const ZERO: SimTime = SimTime(0);
    /// Later than everything.
    pub const MAX: SimTime = SimTime(u64::MAX);

    /// The moment `span` later; a negative span is no delay at all (as for Go's timers), and the
    /// end of time is never passed.
    #[must_use]
    pub fn after(self, span: Span) -> SimTime {
        SimTime(self.0.saturating_add(span.0.max(0) as u64))
    }

    /// The moment `span` earlier or, for a negative span, later; never before the start of the run.
    #[must_use]
    pub fn before(self, span: Span) -> SimTime {
        if span.0 >= 0 {
            SimTime(self.0.saturating_sub(span.0 as u64))
        } else {
            SimTime(self.0.saturating_add(span.0.unsigned_abs()))
        }
    }

    /// The time passed since `earlier`.
    ///
    /// # Panics
    /// If `earlier` is later: time never runs backwards.
    pub fn since(self, earlier: SimTime) -> Span {
        assert!(self >= earlier, "time runs backwards: {self} is before {earlier}");
        Span::from_ns(self.0 - earlier.0)
    }
}

impl Span {
    /// No time at all.
    pub const ZERO: Span = Span(0);
    /// The longest span.
    pub const MAX: Span = Span(i64::MAX);

    /// A span of whole nanoseconds; longer ones than a span can hold become the longest.
    #[must_use]
    pub const fn from_ns(ns: u64) -> Span {
        if ns > i64::MAX as u64 { Span::MAX } else { Span(ns as i64) }
    }

    /// A span of whole microseconds.
    #[must_use]
    pub const fn from_us(us: i64) -> Span {
        Span(us * 1_000)
    }

    /// A span of whole milliseconds.
    #[must_use]
    pub const fn from_ms(ms: i64) -> Span {
        Span(ms * 1_000_000)
    }

    /// A span of whole seconds.
    #[must_use]
    pub const fn from_secs(secs: i64) -> Span {
        Span(secs * SECOND)
    }

    /// Whether there is nothing to wait for.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// Whole seconds, rounded towards zero.
    pub const fn whole_secs(self) -> i64 {
        self.0 / SECOND
    }

    /// The sum, which stops at the longest span.
    #[must_use]
    pub const fn plus(self, other: Span) -> Span {
        Span(self.0.saturating_add(other.0))
    }

    /// `count` times this span, which stops at the longest span.
    #[must_use]
    pub const fn times(self, count: i64) -> Span {
        Span(self.0.saturating_mul(count))
    }

    /// Reads a duration as Go's `time.ParseDuration` does: a sign, then numbers with the units
    /// `h m s ms us µs ns`; a bare `0` needs no unit.
    ///
    /// # Errors
    /// Go's own text, such as `time: missing unit in duration "5"`.
    ///
    /// ```
    /// use swarmsim::base::time::Span;
    /// assert_eq!(Span::parse_go("1m30s"), Ok(Span::from_secs(90)));
    /// assert_eq!(Span::parse_go("1.5s"), Ok(Span::from_ms(1500)));
    /// assert_eq!(Span::parse_go("5"), Err("time: missing unit in duration \"5\"".to_string()));
    /// ```
    pub fn parse_go(text: &str) -> Result<Span, String> {
        parse_go_duration(text).map(Span)
    }
}

fn parse_go_duration(text: &str) -> Result<i64, String> {
    let invalid = || format!("time: invalid duration {}", go_quote(text));
    let (negative, mut rest) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut total: u64 = 0;
    while !rest.is_empty() {
        if !rest.starts_with(|c: char| c == '.' || c.is_ascii_digit()) {
            return Err(invalid());
        }
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let mut whole: u64 = 0;
        for byte in rest[..digits].bytes() {
            whole = whole
                .checked_mul(10)
                .and_then(|v| v.checked_add(u64::from(byte - b'0')))
                .filter(|v| *v <= 1 << 63)
                .ok_or_else(invalid)?;
        }
        rest = &rest[digits..];
        let mut fraction = "";
        if let Some(after) = rest.strip_prefix('.') {
            let length = after.len() - after.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            fraction = &after[..length];
            rest = &after[length..];
        }
        if digits == 0 && fraction.is_empty() {
            return Err(invalid());
        }
        let unit_len = rest.find(|c: char| c == '.' || c.is_ascii_digit()).unwrap_or(rest.len());
        let unit = &rest[..unit_len];
        if unit.is_empty() {
            return Err(format!("time: missing unit in duration {}", go_quote(text)));
        }
        let scale: u64 = match unit {
            "ns" => 1,
            "us" | "µs" | "μs" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            _ => {
                return Err(format!(
                    "time: unknown unit {} in duration {}",
                    go_quote(unit),
                    go_quote(text)
                ));
            }
        };
        rest = &rest[unit_len..];
        let mut value = whole.checked_mul(scale).filter(|v| *v <= 1 << 63).ok_or_else(invalid)?;
        let mut weight = scale;
        for byte in fraction.bytes() {
            weight /= 10;
            value += weight * u64::from(byte - b'0');
        }
        total = total.checked_add(value).filter(|v| *v <= 1 << 63).ok_or_else(invalid)?;
    }
    match (negative, total) {
        (true, total) if total == 1 << 63 => Ok(i64::MIN),
        (true, total) => Ok(-(total as i64)),
        (false, total) => i64::try_from(total).map_err(|_| invalid()),
    }
}

fn go_quote(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Seconds with up to nine decimals, none of them a trailing zero: `7.82s`.
impl fmt::Display for SimTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (secs, ns) = (self.0 / SECOND as u64, self.0 % SECOND as u64);
        if ns == 0 {
            return write!(f, "{secs}s");
        }
        let digits = format!("{ns:09}");
        write!(f, "{secs}.{}s", digits.trim_end_matches('0'))
    }
}

impl fmt::Debug for SimTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// As Go prints a duration: `1m30s`, `500ms`, `0s`.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ns = self.0.unsigned_abs();
        if ns == 0 {
            return write!(f, "0s");
        }
        if self.0 < 0 {
            write!(f, "-")?;
        }
        let decimal = |f: &mut fmt::Formatter<'_>, value: u64, scale: u64, unit: &str| {
            let digits = format!("{:0width$}", value % scale, width = scale.ilog10() as usize);
            match digits.trim_end_matches('0') {
                "" => write!(f, "{}{unit}", value / scale),
                fraction => write!(f, "{}.{fraction}{unit}", value / scale),
            }
        };
        match ns {
            0..1_000 => write!(f, "{ns}ns"),
            1_000..1_000_000 => decimal(f, ns, 1_000, "µs"),
            1_000_000..1_000_000_000 => decimal(f, ns, 1_000_000, "ms"),
            _ => {
                let minutes = ns / 60_000_000_000;
                if minutes >= 60 {
                    write!(f, "{}h", minutes / 60)?;
                }
                if minutes > 0 {
                    write!(f, "{}m", minutes % 60)?;
                }
                decimal(f, ns % 60_000_000_000, 1_000_000_000, "s")
            }
        }
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_go_reads_them() {
        for (text, ns) in [
            ("0", 0),
            ("-0", 0),
            ("5s", 5 * SECOND),
            ("1h2m3s4ms5us6ns", 3_723_004_005_006),
            ("-1.5h", -5_400 * SECOND),
            (".5s", SECOND / 2),
            ("1.s", SECOND),
            ("-9223372036854775808ns", i64::MIN),
        ] {
            assert_eq!(Span::parse_go(text), Ok(Span(ns)), "{text}");
        }
        for (text, error) in [
            ("", "time: invalid duration \"\""),
            ("abc", "time: invalid duration \"abc\""),
            ("5", "time: missing unit in duration \"5\""),
            ("1d", "time: unknown unit \"d\" in duration \"1d\""),
            (".s", "time: invalid duration \".s\""),
            ("9223372036854775808ns", "time: invalid duration \"9223372036854775808ns\""),
            ("99999999999h", "time: invalid duration \"99999999999h\""),
        ] {
            assert_eq!(Span::parse_go(text), Err(error.to_string()), "{text}");
        }
    }

    #[test]
    fn durations_print_as_go_prints_them() {
        for (ns, text) in [
            (0, "0s"),
            (10 * SECOND, "10s"),
            (90 * SECOND, "1m30s"),
            (3_600 * SECOND, "1h0m0s"),
            (SECOND / 2, "500ms"),
            (1_500, "1.5µs"),
            (-SECOND, "-1s"),
            (1_234_567_890, "1.23456789s"),
        ] {
            assert_eq!(Span(ns).to_string(), text);
        }
    }

    #[test]
    fn a_negative_delay_is_no_delay() {
        assert_eq!(SimTime(7).after(Span(-5)), SimTime(7));
        assert_eq!(SimTime(7).before(Span(-5)), SimTime(12));
        assert_eq!(SimTime(3).before(Span(5)), SimTime::ZERO);
    }
}
