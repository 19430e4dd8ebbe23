//! A recording of a real engine: what was asked of one service, and everything that became of it.
//!
//! The format is told beside the recordings, in `tests/recordings/README.md`. Times are read as
//! spans since the first command; a recording has four decimals of a second.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::{Deserializer, Error};

use crate::base::time::{SimTime, Span};

/// A recording. What a replay has no use for is not read.
#[derive(Clone, Debug, Deserialize)]
pub struct Recording {
    /// Version of the format; only 1 is known.
    pub format: u32,
    /// Its name.
    pub name: String,
    /// What was recorded, in a sentence.
    #[serde(default)]
    pub title: String,
    /// The software.
    pub engine: EngineSeen,
    /// Settings of the swarm.
    pub swarm: SwarmSeen,
    /// Nodes by label: `N1`, `N2`, ….
    pub nodes: BTreeMap<String, NodeSeen>,
    /// Images by reference.
    pub images: BTreeMap<String, ImageSeen>,
    /// The service.
    pub service: ServiceSeen,
    /// Its end; nothing is known after it.
    pub duration: Seconds,
    /// What was done, in order.
    pub steps: Vec<StepSeen>,
    /// What happened, in order of time.
    pub events: Vec<EventSeen>,
    /// The identifiers that labels stand for.
    #[serde(default)]
    pub raw_ids: BTreeMap<String, String>,
}

/// A length of time or a moment, written in seconds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Seconds(pub Span);

impl Seconds {
    /// As a moment of the run.
    pub fn moment(self) -> SimTime {
        SimTime::ZERO.after(self.0)
    }
}

/// More seconds than any recording has; less than a span can hold.
const MOST_SECONDS: f64 = 1e9;

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Seconds, D::Error> {
        let seconds = f64::deserialize(from)?;
        if !(-MOST_SECONDS..=MOST_SECONDS).contains(&seconds) {
            return Err(D::Error::custom(format!("{seconds} is no number of seconds")));
        }
        Ok(Seconds(Span::from_us((seconds * 1e6).round() as i64)))
    }
}

/// The recorded software.
#[derive(Clone, Debug, Deserialize)]
pub struct EngineSeen {
    /// Version of the engine, such as `20.10.24+dfsg1`.
    pub server: String,
}

/// Settings of the recorded swarm.
#[derive(Clone, Debug, Deserialize)]
pub struct SwarmSeen {
    /// Tasks kept per slot.
    pub task_history_limit: i64,
}

/// A node at the start.
#[derive(Clone, Debug, Deserialize)]
pub struct NodeSeen {
    /// Its name.
    pub hostname: String,
    /// `manager` or `worker`.
    pub role: String,
    /// Its labels in the swarm.
    pub labels: BTreeMap<String, String>,
    /// Processors.
    pub cpus: f64,
    /// Memory.
    pub memory_bytes: i64,
}

/// How an image behaves.
#[derive(Clone, Debug, Deserialize)]
pub struct ImageSeen {
    /// Where it is.
    pub present: PresentSeen,
    /// Its health check.
    pub healthcheck: Option<HealthcheckSeen>,
    /// Probes fail until then.
    pub serves_after: Seconds,
    /// Answers of probes afterwards; absent without a health check.
    pub health: Option<HealthSeen>,
    /// Leaving by itself.
    pub exit: Option<ExitSeen>,
    /// What a stop signal does.
    pub sigterm: SigtermSeen,
    /// Whether its program exists.
    pub command: CommandSeen,
    /// Slots to which the failing part applies; absent = all.
    #[serde(default)]
    pub only_slots: Option<Vec<u32>>,
}

/// On which nodes an image is.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum PresentSeen {
    /// On all, or on none.
    Everywhere(bool),
    /// By node label.
    Nodes(BTreeMap<String, bool>),
}

/// A health check.
#[derive(Clone, Debug, Deserialize)]
pub struct HealthcheckSeen {
    /// From one probe to the next.
    pub interval: Seconds,
    /// Longest a probe may take.
    pub timeout: Seconds,
    /// Failures in a row.
    pub retries: i64,
    /// Time in which failures do not count.
    pub start_period: Seconds,
}

/// Answers of probes.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HealthSeen {
    /// Good.
    Ok,
    /// Bad.
    Fail,
    /// None.
    Hang,
    /// Good until then.
    OkUntil(Seconds),
    /// One after the other, `1` = good.
    Pattern(String),
}

/// Leaving by itself.
#[derive(Clone, Debug, Deserialize)]
pub struct ExitSeen {
    /// That long after the start.
    pub after: Seconds,
    /// With this code.
    pub code: i32,
}

/// What a stop signal does.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum SigtermSeen {
    /// It ends the process.
    Exits {
        /// That long after it.
        exits_after: Seconds,
        /// With this code.
        code: i32,
    },
    /// Nothing.
    Word(Ignored),
}

/// The word for a signal that does nothing.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ignored {
    /// That word.
    Ignored,
}

/// Whether a program exists.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommandSeen {
    /// It does.
    Ok,
    /// It does not.
    NotFound,
}

/// The service.
#[derive(Clone, Debug, Deserialize)]
pub struct ServiceSeen {
    /// Its name.
    pub name: String,
}

/// Something that was done. Steps that only waited have none of the optional fields.
#[derive(Clone, Debug, Deserialize)]
pub struct StepSeen {
    /// When it began.
    pub t: Seconds,
    /// When it was over.
    pub done: Seconds,
    /// A docker command.
    #[serde(default)]
    pub argv: Option<Vec<String>>,
    /// Its exit code.
    #[serde(default)]
    pub rc: Option<i32>,
    /// A signal was sent to the container of that slot.
    #[serde(default)]
    pub kill_container_of_slot: Option<u32>,
    /// Its name, without `SIG`.
    #[serde(default)]
    pub signal: Option<String>,
    /// That image was deleted from every node.
    #[serde(default)]
    pub image_removed: Option<String>,
    /// The node of that name lost power.
    #[serde(default)]
    pub node_kill: Option<String>,
    /// Its engine was started again.
    #[serde(default)]
    pub node_start: Option<String>,
}

/// Something that happened.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "k", rename_all = "snake_case")]
pub enum EventSeen {
    /// A task was created or changed.
    Task(TaskSeen),
    /// The service changed.
    Service(ServiceChangeSeen),
    /// A container did something.
    Container(ContainerSeen),
    /// A node changed.
    Node(NodeChangeSeen),
    /// A container turned healthy or unhealthy.
    Health(OtherSeen),
}

impl EventSeen {
    /// When.
    pub fn at(&self) -> Seconds {
        match self {
            EventSeen::Task(change) => change.t,
            EventSeen::Service(change) => change.t,
            EventSeen::Container(change) => change.t,
            EventSeen::Node(change) => change.t,
            EventSeen::Health(change) => change.t,
        }
    }
}

/// A change of a task. Fields that did not change are absent.
#[derive(Clone, Debug, Deserialize)]
pub struct TaskSeen {
    /// When it was committed.
    pub t: Seconds,
    /// Its label: `T1`, `T2`, ….
    pub task: String,
    /// Its slot, when created; absent of a global service.
    #[serde(default)]
    pub slot: Option<u32>,
    /// Number of the spec it was made from, when created.
    #[serde(default)]
    pub spec: Option<u32>,
    /// Its image, when created.
    #[serde(default)]
    pub image: Option<String>,
    /// Its node's label, when assigned.
    #[serde(default)]
    pub node: Option<String>,
    /// Desired state.
    #[serde(default)]
    pub desired: Option<String>,
    /// Observed state.
    #[serde(default)]
    pub state: Option<String>,
    /// Message.
    #[serde(default)]
    pub msg: Option<String>,
    /// Error; empty = no longer any.
    #[serde(default)]
    pub err: Option<String>,
    /// Exit code.
    #[serde(default)]
    pub exit: Option<i32>,
    /// It was deleted.
    #[serde(default)]
    pub removed: bool,
}

/// A change of the service.
#[derive(Clone, Debug, Deserialize)]
pub struct ServiceChangeSeen {
    /// When it was committed.
    pub t: Seconds,
    /// Number of the spec in force.
    pub spec: u32,
    /// Present if the spec was replaced.
    #[serde(default)]
    pub spec_diff: Option<serde::de::IgnoredAny>,
    /// The update status, if that changed.
    #[serde(default)]
    pub update: Option<UpdateSeen>,
}

/// An update status.
#[derive(Clone, Debug, Deserialize)]
pub struct UpdateSeen {
    /// Absent: there is none any more.
    pub state: Option<String>,
    /// Its message.
    #[serde(default)]
    pub msg: Option<String>,
    /// When the update was completed.
    #[serde(default)]
    pub completed: Option<Seconds>,
}

/// Something that a container did.
#[derive(Clone, Debug, Deserialize)]
pub struct ContainerSeen {
    /// When, by its engine.
    pub t: Seconds,
    /// Its task's label.
    pub task: String,
    /// `start`, `kill`, `die` or `oom`.
    pub what: String,
    /// Number of the signal sent.
    #[serde(default)]
    pub signal: Option<u32>,
    /// Exit code.
    #[serde(default)]
    pub exit: Option<i32>,
}

/// A change of a node.
#[derive(Clone, Debug, Deserialize)]
pub struct NodeChangeSeen {
    /// When it was committed.
    pub t: Seconds,
    /// Its label.
    pub node: String,
    /// The manager's verdict, if that changed.
    #[serde(default)]
    pub state: Option<String>,
}

/// An event that is not compared.
#[derive(Clone, Debug, Deserialize)]
pub struct OtherSeen {
    /// When.
    pub t: Seconds,
}

impl Recording {
    /// Reads a recording.
    ///
    /// # Errors
    /// If the text is no JSON, has another format, or lacks what a replay needs.
    pub fn parse(text: &str) -> Result<Recording, serde_json::Error> {
        let recording: Recording = serde_json::from_str(text)?;
        if recording.format != 1 {
            let format = recording.format;
            let cause = format!("format {format}; only format 1 can be read");
            return Err(serde_json::Error::custom(cause));
        }
        if recording.nodes.is_empty() {
            return Err(serde_json::Error::custom("a recording without nodes"));
        }
        Ok(recording)
    }

    /// Node labels in the order of their numbers: managers first.
    pub fn node_labels(&self) -> Vec<&str> {
        let number = |label: &str| label.trim_start_matches('N').parse::<u32>().unwrap_or(u32::MAX);
        let mut labels: Vec<&str> = self.nodes.keys().map(String::as_str).collect();
        labels.sort_by_key(|label| (number(label), *label));
        labels
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_is_no_recording_is_refused_with_the_reason() {
        let cases = [
            ("{", "EOF while parsing"),
            (r#"{"format":1}"#, "missing field `name`"),
            (r#"{"format":1,"name":"a","duration":1e30}"#, "is no number of seconds"),
        ];
        for (text, expected) in cases {
            let error = Recording::parse(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }

    #[test]
    fn behaviour_is_read_in_all_its_forms() {
        let image = |health: &str, sigterm: &str| {
            let text = format!(
                r#"{{"present":{{"N1":true}},"healthcheck":null,"serves_after":2.5,"exit":null,
                "health":{health},"sigterm":{sigterm},"command":"not_found"}}"#
            );
            serde_json::from_str::<ImageSeen>(&text).unwrap()
        };
        let until = image(r#"{"ok_until": 3}"#, r#""ignored""#);
        assert!(
            matches!(until.health, Some(HealthSeen::OkUntil(Seconds(s))) if s.0 == 3_000_000_000)
        );
        assert!(matches!(until.sigterm, SigtermSeen::Word(Ignored::Ignored)));
        let pattern = image(r#"{"pattern": "110"}"#, r#"{"exits_after": 1, "code": 7}"#);
        assert!(matches!(pattern.health, Some(HealthSeen::Pattern(p)) if p == "110"));
        assert!(matches!(pattern.sigterm, SigtermSeen::Exits { code: 7, .. }));
    }
}
