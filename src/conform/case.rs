//! A conformance case: the scripted world, what is done in it, and which outcomes were seen.
//!
//! Sections 1 to 3 of the case format. Plain data, read by [`crate::conform::read`]; unknown fields
//! are errors. Times are whole nanoseconds since the start of the case.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, SeqAccess, Visitor};

use crate::base::time::{SimTime, Span};
use crate::conform::event::Event;
use crate::conform::service::CaseSpec;
use crate::conform::step::Step;
use crate::conform::words::{UpdateStatusWord, moment, word};
use crate::swarmkit::task::{Availability, NodeState, TaskState, UpdateState};

/// One case.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// Version of the format; 1.
    pub format: u32,
    /// Name, unique among all cases.
    pub id: String,
    /// Group.
    #[serde(default)]
    pub family: String,
    /// What it shows; hand-written cases only.
    #[serde(default)]
    pub about: String,
    /// Task history limit; absent = 5, negative = unlimited.
    #[serde(default)]
    pub task_history: Option<i64>,
    /// Nodes present from the start.
    pub nodes: Vec<CaseNode>,
    /// Who places tasks.
    pub scheduler: SchedulerKind,
    /// What the step `create` submits.
    pub service: CaseSpec,
    /// How long things take on every node.
    pub latency: LatencyTable,
    /// How the images behave, by name.
    pub images: BTreeMap<String, ImageRules>,
    /// What is done, and when.
    pub steps: Vec<Step>,
    /// Last moment looked at.
    #[serde(deserialize_with = "moment")]
    pub end: SimTime,
    /// What was fixed of what upstream leaves to chance.
    #[serde(default)]
    pub choices: Choices,
    /// Whether all recorded runs had the same outcome.
    #[serde(default)]
    pub deterministic: bool,
    /// Index of the outcome that most plain runs had.
    #[serde(default)]
    pub usual: usize,
    /// The outcomes seen; never empty.
    pub expect: Vec<Expectation>,
}

impl Case {
    /// The latency `kind` of a task of `image`: the image's own, else the general one, else none.
    pub fn latency(&self, image: &str, kind: LatencyKind) -> Latency {
        self.images
            .get(image)
            .and_then(|rules| rules.latency.get(kind))
            .or_else(|| self.latency.get(kind))
            .unwrap_or_default()
    }

    /// The first failure rule of `stage` that fits the `nth` task of `image` in that place.
    pub fn fail_rule(
        &self,
        image: &str,
        stage: Stage,
        place: Place,
        nth: u32,
    ) -> Option<&FailRule> {
        let rules = &self.images.get(image)?.fail;
        rules.iter().find(|rule| rule.stage == stage && rule.fits(place, nth))
    }
}

/// A node, as it is when it appears.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseNode {
    /// Name.
    pub name: String,
    /// Labels of the node object.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Absent = active.
    #[serde(default, deserialize_with = "word")]
    pub availability: Availability,
    /// Absent = ready.
    #[serde(default = "ready", deserialize_with = "word")]
    pub state: NodeState,
}

fn ready() -> NodeState {
    NodeState::Ready
}

/// Who places tasks (section 2.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum SchedulerKind {
    /// SwarmKit's own scheduler.
    Swarmkit {},
    /// A stand-in: each task that long after it became pending, to the emptiest node that fits.
    Fixed {
        /// From pending to assigned.
        latency: Latency,
    },
}

/// A latency: base + per slot × slot number + per nth × ordinal of the task in its slot.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Latency(pub [i64; 3]);

impl Latency {
    /// For the task number `ordinal` (first = 1) of a slot. In a global service the slot number is
    /// the node's position, first = 1, in the order in which the nodes appeared.
    pub fn of(self, slot: u32, ordinal: u32) -> Span {
        let [base, per_slot, per_nth] = self.0.map(Span);
        base.plus(per_slot.times(i64::from(slot))).plus(per_nth.times(i64::from(ordinal)))
    }
}

impl<'de> Deserialize<'de> for Latency {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Numbers;

        impl<'de> Visitor<'de> for Numbers {
            type Value = Latency;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "whole nanoseconds, or a list [base, per_slot, per_nth] of one to three",
                )
            }

            fn visit_i64<E: Error>(self, base: i64) -> Result<Latency, E> {
                Ok(Latency([base, 0, 0]))
            }

            fn visit_u64<E: Error>(self, base: u64) -> Result<Latency, E> {
                let base = i64::try_from(base).map_err(|_| E::custom("latency out of range"))?;
                self.visit_i64(base)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Latency, A::Error> {
                let mut parts = [0; 3];
                let mut count = 0;
                while let Some(part) = seq.next_element::<i64>()? {
                    *parts.get_mut(count).ok_or_else(|| A::Error::invalid_length(4, &self))? = part;
                    count += 1;
                }
                if count == 0 {
                    return Err(A::Error::invalid_length(0, &self));
                }
                Ok(Latency(parts))
            }
        }

        from.deserialize_any(Numbers)
    }
}

/// What can take time in the scripted world (section 2).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum LatencyKind {
    /// New → pending, from the creation of the task.
    Alloc,
    /// Assigned → accepted.
    Accept,
    /// Accepted → preparing.
    Preparing,
    /// Preparing → ready, or rejected.
    Ready,
    /// Ready → starting, from the later of: it is ready, its desired state is running.
    Starting,
    /// Starting → running, or failed.
    Running,
    /// Starting or running → shutdown, from the moment it is told to stop.
    Stop,
    /// Assigned … ready → shutdown, from the same moment.
    Cancel,
    /// Node ready again → its agent is in contact again.
    Reconnect,
}

/// Latencies by what they are of; absent = the general one, and there none.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LatencyTable {
    /// See [`LatencyKind::Alloc`].
    pub alloc: Option<Latency>,
    /// See [`LatencyKind::Accept`].
    pub accept: Option<Latency>,
    /// See [`LatencyKind::Preparing`].
    pub preparing: Option<Latency>,
    /// See [`LatencyKind::Ready`].
    pub ready: Option<Latency>,
    /// See [`LatencyKind::Starting`].
    pub starting: Option<Latency>,
    /// See [`LatencyKind::Running`].
    pub running: Option<Latency>,
    /// See [`LatencyKind::Stop`].
    pub stop: Option<Latency>,
    /// See [`LatencyKind::Cancel`].
    pub cancel: Option<Latency>,
    /// See [`LatencyKind::Reconnect`].
    pub reconnect: Option<Latency>,
}

impl LatencyTable {
    /// The entry for `kind`.
    pub fn get(&self, kind: LatencyKind) -> Option<Latency> {
        match kind {
            LatencyKind::Alloc => self.alloc,
            LatencyKind::Accept => self.accept,
            LatencyKind::Preparing => self.preparing,
            LatencyKind::Ready => self.ready,
            LatencyKind::Starting => self.starting,
            LatencyKind::Running => self.running,
            LatencyKind::Stop => self.stop,
            LatencyKind::Cancel => self.cancel,
            LatencyKind::Reconnect => self.reconnect,
        }
    }
}

/// How an image behaves.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ImageRules {
    /// Latencies that differ from the general ones.
    pub latency: LatencyTable,
    /// Failures; the first rule that fits applies.
    pub fail: Vec<FailRule>,
}

/// When a task fails, or ends by itself.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FailRule {
    /// At which stage.
    pub stage: Stage,
    /// Exit code; at stage `run`, 0 is a task that completes.
    #[serde(default)]
    pub exit: i32,
    /// Stage `run`: how long after running began.
    #[serde(default)]
    pub after: Latency,
    /// Only in these places; absent = everywhere.
    #[serde(default)]
    pub slots: Option<Vec<PlaceName>>,
    /// Only the n-th task of this image in its place, first = 1; absent = all.
    #[serde(default)]
    pub nth: Option<Vec<u32>>,
}

impl FailRule {
    fn fits(&self, place: Place, nth: u32) -> bool {
        self.slots.as_ref().is_none_or(|slots| slots.iter().any(|name| name.is(place)))
            && self.nth.as_ref().is_none_or(|list| list.contains(&nth))
    }
}

/// Stage of a task's life at which a failure rule applies.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Preparing → rejected.
    Prepare,
    /// Starting → failed.
    Start,
    /// Running → failed or complete.
    Run,
}

/// Where a task belongs: a slot, or a node in a global service.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place<'a> {
    /// A slot of a replicated service.
    Slot(u32),
    /// A node, by name.
    Node(&'a str),
}

/// A [`Place`] as written in a failure rule.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PlaceName {
    /// A number.
    Slot(u32),
    /// A node's name.
    Node(String),
}

impl PlaceName {
    fn is(&self, place: Place) -> bool {
        match (self, place) {
            (PlaceName::Slot(mine), Place::Slot(other)) => *mine == other,
            (PlaceName::Node(mine), Place::Node(other)) => mine == other,
            (PlaceName::Slot(_), Place::Node(_)) | (PlaceName::Node(_), Place::Slot(_)) => false,
        }
    }
}

impl<'de> Deserialize<'de> for PlaceName {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct NumberOrName;

        impl Visitor<'_> for NumberOrName {
            type Value = PlaceName;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a slot number or a node name")
            }

            fn visit_u64<E: Error>(self, slot: u64) -> Result<PlaceName, E> {
                u32::try_from(slot)
                    .map(PlaceName::Slot)
                    .map_err(|_| E::custom("slot number out of range"))
            }

            fn visit_str<E: Error>(self, node: &str) -> Result<PlaceName, E> {
                Ok(PlaceName::Node(node.to_string()))
            }
        }

        from.deserialize_any(NumberOrName)
    }
}

/// Choices that upstream leaves to chance, as they were fixed (section 3).
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Choices {
    /// Order in which slots are handed to the updater; slots not listed come after, ascending.
    /// Absent = ascending.
    pub slot_order: Option<Vec<u32>>,
    /// Order in which a global service visits the nodes; nodes not listed come after, by name.
    pub node_order: Option<Vec<String>>,
}

/// An outcome that was seen.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expectation {
    /// The recorded runs that had it.
    #[serde(default)]
    pub seen_in: Vec<String>,
    /// The store at the end.
    #[serde(rename = "final")]
    pub last: Final,
    /// Everything that happened, in commit order.
    pub events: Vec<Event>,
}

/// The store at the end of a case.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Final {
    /// The service, if there still is one.
    #[serde(default)]
    pub svc: Option<FinalService>,
    /// Every task, by its id.
    pub tasks: BTreeMap<String, FinalTask>,
}

/// The service at the end of a case.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FinalService {
    /// Image of its spec.
    pub img: String,
    /// Update status.
    #[serde(deserialize_with = "status")]
    pub status: Option<UpdateState>,
    /// Its message.
    #[serde(default)]
    pub msg: String,
}

fn status<'de, D: Deserializer<'de>>(from: D) -> Result<Option<UpdateState>, D::Error> {
    word::<D, UpdateStatusWord>(from).map(|word| word.0)
}

/// A task at the end of a case; a list of four in the file.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct FinalTask {
    /// Image.
    pub img: String,
    /// Desired state.
    #[serde(deserialize_with = "word")]
    pub desired: TaskState,
    /// Observed state.
    #[serde(deserialize_with = "word")]
    pub observed: TaskState,
    /// Node's name; empty = none.
    pub node: String,
}

/// What a step changes of a node; absent = unchanged, or the default of a new node.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct NodeChange {
    /// Availability.
    pub availability: Option<Availability>,
    /// The manager's verdict: ready or down.
    pub state: Option<NodeState>,
    /// All its labels.
    pub labels: Option<BTreeMap<String, String>>,
}
