//! The keys of a service that are searched, and their values.

use std::fmt;

use crate::base::time::{SECOND, Span};
use crate::compose::edit::Edit;
use crate::plan::mode::short;
use crate::swarmkit::spec::{FailureAction, UpdateOrder};

/// Parts of a whole.
pub const WHOLE: u32 = 1_000_000;

/// A key of a service.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Key {
    /// Slots at a time.
    Parallelism,
    /// Wait after each.
    Delay,
    /// How long failures count.
    Monitor,
    /// Old or new first.
    Order,
    /// What too many failures lead to.
    FailureAction,
    /// How many are too many.
    MaxFailureRatio,
    /// Between two probes.
    Interval,
    /// Longest probe.
    Timeout,
    /// Failed probes that make unhealthy.
    Retries,
    /// How long failed probes do not count.
    StartPeriod,
    /// Slots at a time while rolling back.
    RollbackParallelism,
    /// Wait after each of these.
    RollbackDelay,
    /// How long failures of a rollback count.
    RollbackMonitor,
    /// The failing version first, or the one before.
    RollbackOrder,
    /// What too many failures of a rollback lead to.
    RollbackFailureAction,
}

/// What kind of values a key has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    /// A whole number from a smallest one on.
    Count(u64),
    /// A time, or one longer than nothing.
    Time {
        /// Whether `0s` stands for the default and so cannot be meant.
        zero_is_default: bool,
    },
    Share,
    Order,
    /// What failures lead to; a rollback is not rolled back.
    Action {
        /// Whether it is that of a rollback.
        of_rollback: bool,
    },
}

impl Key {
    /// All of them, in the order in which they are listed and tried.
    pub const ALL: [Key; 15] = [
        Key::Parallelism,
        Key::Delay,
        Key::Monitor,
        Key::Order,
        Key::FailureAction,
        Key::MaxFailureRatio,
        Key::Interval,
        Key::Timeout,
        Key::Retries,
        Key::StartPeriod,
        Key::RollbackParallelism,
        Key::RollbackDelay,
        Key::RollbackMonitor,
        Key::RollbackOrder,
        Key::RollbackFailureAction,
    ];

    /// From the service downwards.
    pub fn path(self) -> &'static [&'static str] {
        match self {
            Key::Parallelism => &["deploy", "update_config", "parallelism"],
            Key::Delay => &["deploy", "update_config", "delay"],
            Key::Monitor => &["deploy", "update_config", "monitor"],
            Key::Order => &["deploy", "update_config", "order"],
            Key::FailureAction => &["deploy", "update_config", "failure_action"],
            Key::MaxFailureRatio => &["deploy", "update_config", "max_failure_ratio"],
            Key::Interval => &["healthcheck", "interval"],
            Key::Timeout => &["healthcheck", "timeout"],
            Key::Retries => &["healthcheck", "retries"],
            Key::StartPeriod => &["healthcheck", "start_period"],
            Key::RollbackParallelism => &["deploy", "rollback_config", "parallelism"],
            Key::RollbackDelay => &["deploy", "rollback_config", "delay"],
            Key::RollbackMonitor => &["deploy", "rollback_config", "monitor"],
            Key::RollbackOrder => &["deploy", "rollback_config", "order"],
            Key::RollbackFailureAction => &["deploy", "rollback_config", "failure_action"],
        }
    }

    /// Its name: the last word of its path, of rollbacks with `rollback_` before it.
    pub fn word(self) -> &'static str {
        match self {
            Key::RollbackParallelism => "rollback_parallelism",
            Key::RollbackDelay => "rollback_delay",
            Key::RollbackMonitor => "rollback_monitor",
            Key::RollbackOrder => "rollback_order",
            Key::RollbackFailureAction => "rollback_failure_action",
            _ => self.path().last().copied().unwrap_or_default(),
        }
    }

    /// The key with that name or that path.
    pub fn named(word: &str) -> Option<Key> {
        Key::ALL.into_iter().find(|key| key.word() == word || key.path().join(".") == word)
    }

    /// Whether it is one of the health check.
    pub fn is_health(self) -> bool {
        self.path().first() == Some(&"healthcheck")
    }

    /// Whether it says how a rollback goes.
    pub fn is_rollback(self) -> bool {
        self.path().get(1) == Some(&"rollback_config")
    }

    fn kind(self) -> Kind {
        match self {
            Key::Parallelism | Key::RollbackParallelism => Kind::Count(0),
            Key::Retries => Kind::Count(1),
            Key::Delay | Key::StartPeriod | Key::RollbackDelay => {
                Kind::Time { zero_is_default: false }
            }
            Key::Monitor | Key::Interval | Key::Timeout | Key::RollbackMonitor => {
                Kind::Time { zero_is_default: true }
            }
            Key::Order | Key::RollbackOrder => Kind::Order,
            Key::FailureAction => Kind::Action { of_rollback: false },
            Key::RollbackFailureAction => Kind::Action { of_rollback: true },
            Key::MaxFailureRatio => Kind::Share,
        }
    }

    /// Reads a value as it stands in a file.
    ///
    /// ```
    /// use swarmsim::advise::key::{Key, Value};
    /// use swarmsim::base::time::Span;
    /// assert_eq!(Key::Monitor.read("1m"), Ok(Value::Time(Span::from_secs(60))));
    /// assert_eq!(Key::MaxFailureRatio.read("0.25"), Ok(Value::Share(250_000)));
    /// assert!(Key::Order.read("last").unwrap_err().contains("stop-first, start-first"));
    /// ```
    ///
    /// # Errors
    /// What is expected instead.
    pub fn read(self, text: &str) -> Result<Value, String> {
        let day = Span::from_secs(24 * 3600);
        let words = |words: &[&str]| format!("is one of {}", words.join(", "));
        match self.kind() {
            Kind::Count(least) => {
                let number = text.parse::<u64>().ok().filter(|n| (least..=1_000_000).contains(n));
                let wanted = format!("is a whole number from {least} to 1000000");
                number.map(Value::Count).ok_or(wanted)
            }
            Kind::Time { zero_is_default } => {
                let most = |span: &Span| (Span::ZERO..=day).contains(span);
                let span = Span::parse_go(text).ok().filter(most);
                let span = span.filter(|span| !zero_is_default || *span >= Span::from_ms(1));
                let least = if zero_is_default { "1ms (0s is the default)" } else { "0s" };
                let wanted = format!("is a time from {least} to 24h, such as 30s");
                span.map(Value::Time).ok_or(wanted)
            }
            Kind::Share => decimal(text)
                .filter(|share| *share <= WHOLE)
                .map(Value::Share)
                .ok_or_else(|| "is a share from 0 to 1, such as 0.25".to_string()),
            Kind::Order => {
                let order = UpdateOrder::from_word(text).map(Value::Order);
                order.ok_or_else(|| words(UpdateOrder::WORDS))
            }
            Kind::Action { of_rollback } => {
                let may =
                    |action: &FailureAction| !of_rollback || *action != FailureAction::Rollback;
                let action = FailureAction::from_word(text).filter(may).map(Value::Action);
                let known = if of_rollback { &["pause", "continue"] } else { FailureAction::WORDS };
                action.ok_or_else(|| words(known))
            }
        }
    }
}

/// A number with up to six decimals, in millionths.
pub(crate) fn decimal(text: &str) -> Option<u32> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let empty = whole.is_empty() && fraction.is_empty();
    if empty || !digits(whole) || !digits(fraction) || fraction.len() > 6 {
        return None;
    }
    let whole: u32 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let fraction: u32 = format!("{fraction:0<6}").parse().ok()?;
    whole.checked_mul(WHOLE)?.checked_add(fraction)
}

/// A value of a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Value {
    /// A number.
    Count(u64),
    /// A time.
    Time(Span),
    /// A share in millionths.
    Share(u32),
    /// Old or new first.
    Order(UpdateOrder),
    /// What failures lead to.
    Action(FailureAction),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Count(number) => write!(f, "{number}"),
            Value::Time(span) => f.write_str(&short(*span)),
            Value::Share(share) => {
                let digits = format!("{:06}", share % WHOLE);
                match digits.trim_end_matches('0') {
                    "" => write!(f, "{}", share / WHOLE),
                    fraction => write!(f, "{}.{fraction}", share / WHOLE),
                }
            }
            Value::Order(order) => f.write_str(order.word()),
            Value::Action(action) => f.write_str(action.word()),
        }
    }
}

impl Value {
    /// How far a value is from another one of the same key, in thousandths: the difference as a
    /// part of the larger one, and a whole for words. `slots` is what "all at once" is.
    ///
    /// ```
    /// use swarmsim::advise::key::Value;
    /// assert_eq!(Value::Count(4).distance(Value::Count(3), 8), 250);
    /// assert_eq!(Value::Count(0).distance(Value::Count(4), 8), 500);
    /// ```
    pub fn distance(self, other: Value, slots: u64) -> u64 {
        let all = |number: u64| if number == 0 { slots } else { number };
        match (self, other) {
            (Value::Count(a), Value::Count(b)) => part(all(a), all(b)),
            (Value::Time(a), Value::Time(b)) => part(a.0.max(0) as u64, b.0.max(0) as u64),
            (Value::Share(a), Value::Share(b)) => part(u64::from(a), u64::from(b)),
            (a, b) => {
                if a == b {
                    0
                } else {
                    1_000
                }
            }
        }
    }
}

fn part(a: u64, b: u64) -> u64 {
    (u128::from(a.abs_diff(b)) * 1_000 / u128::from(a.max(b).max(1))) as u64
}

/// A key set to another value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Change {
    /// The service, by its place among those that are searched.
    pub service: usize,
    /// The key.
    pub key: Key,
    /// What holds today, defaults filled in.
    pub from: Value,
    /// What is proposed.
    pub to: Value,
}

impl Change {
    /// As a change of the file.
    pub fn edit(&self) -> Edit {
        Edit { path: self.key.path(), value: self.to.to_string() }
    }
}

/// A time rounded up to whole seconds, and at least one.
pub(crate) fn whole_seconds(span: Span) -> Span {
    Span((span.0.max(1) + SECOND - 1) / SECOND * SECOND)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_and_written_back() {
        for (key, text) in [
            (Key::Parallelism, "0"),
            (Key::Delay, "1m30s"),
            (Key::Monitor, "2m"),
            (Key::Order, "start-first"),
            (Key::FailureAction, "rollback"),
            (Key::MaxFailureRatio, "0.34"),
            (Key::MaxFailureRatio, "1"),
            (Key::Interval, "1.5s"),
            (Key::Retries, "3"),
            (Key::StartPeriod, "0s"),
            (Key::RollbackParallelism, "0"),
            (Key::RollbackFailureAction, "continue"),
        ] {
            assert_eq!(key.read(text).map(|value| value.to_string()).as_deref(), Ok(text));
            assert_eq!((Key::named(key.word()), Key::named(&key.path().join("."))), {
                (Some(key), Some(key))
            });
        }
    }

    #[test]
    fn what_a_key_does_not_take_is_told() {
        for (key, text) in [
            (Key::Parallelism, "-1"),
            (Key::Parallelism, "all"),
            (Key::Retries, "0"),
            (Key::Monitor, "0s"),
            (Key::Delay, "5"),
            (Key::Delay, "25h"),
            (Key::MaxFailureRatio, "1.5"),
            (Key::MaxFailureRatio, "."),
            (Key::MaxFailureRatio, "0.1234567"),
            (Key::FailureAction, "explode"),
            (Key::RollbackFailureAction, "rollback"),
            (Key::RollbackMonitor, "0s"),
        ] {
            assert!(key.read(text).unwrap_err().starts_with("is "), "{text}");
        }
    }

    #[test]
    fn a_change_is_as_large_as_its_part_of_the_larger_value() {
        let time = |seconds| Value::Time(Span::from_secs(seconds));
        assert_eq!(time(5).distance(time(20), 3), 750);
        assert_eq!(time(0).distance(time(20), 3), 1_000);
        assert_eq!(time(0).distance(time(0), 3), 0);
        let order = |order| Value::Order(order);
        assert_eq!(
            order(UpdateOrder::StopFirst).distance(order(UpdateOrder::StartFirst), 3),
            1_000
        );
    }
}
