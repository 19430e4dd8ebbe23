//! The two ends of a timeline: what was run, and how it ended.

use std::fmt;
use std::sync::Arc;

use crate::base::chance::{CHANCE_VERSION, Seed};
use crate::base::time::SimTime;
use crate::timeline::record::Record;

/// Version of the file format; raised when an older reader would misread a newer file.
pub const FORMAT_VERSION: u32 = 1;

/// A whole timeline: enough to check it, to show it and to repeat the run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Timeline {
    /// What was run.
    pub header: Header,
    /// What became true, in order. The number of a record is its place, counted from 0.
    pub records: Vec<Record>,
    /// How it ended.
    pub footer: Footer,
}

/// What was run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Header {
    /// Version of the program that wrote it.
    pub program: String,
    /// Version of the random numbers, [`CHANCE_VERSION`].
    pub chance: u32,
    /// The seed.
    pub seed: Seed,
    /// The effective scenario, as the text of one JSON value.
    pub scenario: String,
}

impl Header {
    /// The header of a run by this program. `scenario` is the text of one JSON value.
    pub fn new(seed: Seed, scenario: String) -> Header {
        let program = env!("CARGO_PKG_VERSION").to_string();
        Header { program, chance: CHANCE_VERSION, seed, scenario }
    }
}

/// How a run ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Footer {
    /// Why it ended.
    pub stop: Stop,
    /// When.
    pub at: SimTime,
    /// Number of records.
    pub records: u64,
    /// Number of events that the simulator handled.
    pub events: u64,
    /// Digest over the records.
    pub digest: DigestValue,
}

/// Why a run ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Stop {
    /// The script is done, nothing is pending, and the time to go on watching has passed.
    ScriptDone,
    /// Nothing is pending, in a run that has no script to wait for.
    Quiet,
    /// The script waits and nothing is pending; why, in words.
    Stuck(Arc<str>),
    /// A limit was reached.
    Limit(Limit),
}

/// A limit of a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Limit {
    /// Events in all.
    Events,
    /// Events at one instant of virtual time.
    EventsPerInstant,
    /// Virtual time.
    Time,
    /// Tasks.
    Tasks,
    /// Records.
    Records,
}

impl Limit {
    /// All of them.
    pub const ALL: [Limit; 5] =
        [Limit::Events, Limit::EventsPerInstant, Limit::Time, Limit::Tasks, Limit::Records];

    /// Its word in a file.
    pub fn word(self) -> &'static str {
        match self {
            Limit::Events => "events",
            Limit::EventsPerInstant => "events_per_instant",
            Limit::Time => "time",
            Limit::Tasks => "tasks",
            Limit::Records => "records",
        }
    }
}

/// A digest over records: 32 bytes, shown as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct DigestValue(pub [u8; 32]);

impl DigestValue {
    /// The digest of its 64 lower-case hexadecimal digits.
    pub fn parse(text: &str) -> Option<DigestValue> {
        let digits = text.as_bytes();
        if digits.len() != 64 {
            return None;
        }
        let nibble = |byte: u8| match byte {
            b'0'..=b'9' => Some(byte - b'0'),
            b'a'..=b'f' => Some(byte - b'a' + 10),
            _ => None,
        };
        let mut value = [0; 32];
        for (place, pair) in value.iter_mut().zip(digits.chunks_exact(2)) {
            *place = nibble(pair[0])? << 4 | nibble(pair[1])?;
        }
        Some(DigestValue(value))
    }
}

impl fmt::Display for DigestValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for DigestValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_reads_as_it_prints() {
        let mut value = DigestValue::default();
        value.0[0] = 0x0f;
        value.0[31] = 0xa0;
        let text = value.to_string();
        assert_eq!(text, format!("0f{}a0", "00".repeat(30)));
        assert_eq!(DigestValue::parse(&text), Some(value));
        assert_eq!(DigestValue::parse(&text.to_uppercase()), None);
        assert_eq!(DigestValue::parse("é".repeat(32).as_str()), None);
    }
}
