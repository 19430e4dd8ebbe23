//! The steps of a case (section 1.2).

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::base::time::SimTime;
use crate::conform::case::NodeChange;
use crate::conform::service::{Cleared, SpecChange};
use crate::conform::words::word_opt;
use crate::swarmkit::task::{Availability, NodeState};

/// Something done at a moment.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(try_from = "Written")]
pub struct Step {
    /// When.
    pub at: SimTime,
    /// What.
    pub op: StepOp,
}

/// What a step does.
#[derive(Clone, PartialEq, Debug)]
pub enum StepOp {
    /// Submit the service.
    Create,
    /// Submit the current spec with changes.
    Update {
        /// Fields to replace.
        set: Box<SpecChange>,
        /// Fields to drop.
        clear: Vec<Cleared>,
    },
    /// Submit the current spec with that many replicas.
    Scale {
        /// So many.
        replicas: u64,
    },
    /// Submit the current spec with the force counter raised.
    Force,
    /// Submit the current spec unchanged.
    Noop,
    /// Ask for the previous spec.
    Rollback,
    /// Remove the service.
    Remove,
    /// Change a node object.
    Node {
        /// Its name.
        node: String,
        /// What changes.
        change: NodeChange,
    },
    /// Add a node object.
    NodeAdd {
        /// Its name.
        node: String,
        /// What differs from an active, ready node without labels.
        change: NodeChange,
    },
    /// Delete a node object.
    NodeRemove {
        /// Its name.
        node: String,
    },
    /// Another manager becomes leader, on a copy of the store.
    LeaderChange,
}

impl StepOp {
    /// The word of the case format, which the event of the step repeats.
    pub fn word(&self) -> &'static str {
        match self {
            StepOp::Create => "create",
            StepOp::Update { .. } => "update",
            StepOp::Scale { .. } => "scale",
            StepOp::Force => "force",
            StepOp::Noop => "noop",
            StepOp::Rollback => "rollback",
            StepOp::Remove => "remove",
            StepOp::Node { .. } => "node",
            StepOp::NodeAdd { .. } => "node_add",
            StepOp::NodeRemove { .. } => "node_remove",
            StepOp::LeaderChange => "leader_change",
        }
    }
}

/// A step as it is written: the fields of all operations side by side.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Written {
    at: Option<u64>,
    op: String,
    set: Option<Box<SpecChange>>,
    clear: Option<Vec<Cleared>>,
    replicas: Option<u64>,
    node: Option<String>,
    #[serde(deserialize_with = "word_opt")]
    availability: Option<Availability>,
    #[serde(deserialize_with = "word_opt")]
    state: Option<NodeState>,
    labels: Option<BTreeMap<String, String>>,
}

impl Written {
    fn change(&mut self) -> NodeChange {
        NodeChange {
            availability: self.availability.take(),
            state: self.state.take(),
            labels: self.labels.take(),
        }
    }

    /// The first field that was given and that no operation has taken.
    fn left_over(&self) -> Option<&'static str> {
        [
            ("set", self.set.is_some()),
            ("clear", self.clear.is_some()),
            ("replicas", self.replicas.is_some()),
            ("node", self.node.is_some()),
            ("availability", self.availability.is_some()),
            ("state", self.state.is_some()),
            ("labels", self.labels.is_some()),
        ]
        .into_iter()
        .find_map(|(name, given)| given.then_some(name))
    }
}

impl TryFrom<Written> for Step {
    type Error = String;

    fn try_from(mut written: Written) -> Result<Step, String> {
        let word = std::mem::take(&mut written.op);
        let missing = |field: &str| format!("a step `{word}` needs `{field}`");
        let at = SimTime(written.at.take().ok_or_else(|| missing("at"))?);
        let op = match word.as_str() {
            "create" => StepOp::Create,
            "update" => StepOp::Update {
                set: written.set.take().unwrap_or_default(),
                clear: written.clear.take().unwrap_or_default(),
            },
            "scale" => StepOp::Scale {
                replicas: written.replicas.take().ok_or_else(|| missing("replicas"))?,
            },
            "force" => StepOp::Force,
            "noop" => StepOp::Noop,
            "rollback" => StepOp::Rollback,
            "remove" => StepOp::Remove,
            "node" => StepOp::Node {
                node: written.node.take().ok_or_else(|| missing("node"))?,
                change: written.change(),
            },
            "node_add" => StepOp::NodeAdd {
                node: written.node.take().ok_or_else(|| missing("node"))?,
                change: written.change(),
            },
            "node_remove" => {
                StepOp::NodeRemove { node: written.node.take().ok_or_else(|| missing("node"))? }
            }
            "leader_change" => StepOp::LeaderChange,
            "" => return Err("a step needs `op`".to_string()),
            _ => return Err(format!("unknown step `{word}`")),
        };
        match written.left_over() {
            Some(field) => Err(format!("a step `{word}` has no field `{field}`")),
            None => Ok(Step { at, op }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Step, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn every_operation_is_read_with_its_fields() {
        let change =
            NodeChange { availability: Some(Availability::Drain), ..NodeChange::default() };
        for (json, op) in [
            (r#"{"at":5,"op":"create"}"#, StepOp::Create),
            (r#"{"at":5,"op":"scale","replicas":2}"#, StepOp::Scale { replicas: 2 }),
            (r#"{"at":5,"op":"force"}"#, StepOp::Force),
            (r#"{"at":5,"op":"noop"}"#, StepOp::Noop),
            (r#"{"at":5,"op":"rollback"}"#, StepOp::Rollback),
            (r#"{"at":5,"op":"remove"}"#, StepOp::Remove),
            (
                r#"{"at":5,"op":"update","set":{"image":"v2"},"clear":["update"]}"#,
                StepOp::Update {
                    set: Box::new(SpecChange {
                        image: Some("v2".to_string()),
                        ..SpecChange::default()
                    }),
                    clear: vec![Cleared::Update],
                },
            ),
            (
                r#"{"at":5,"op":"node","node":"n1","availability":"drain"}"#,
                StepOp::Node { node: "n1".to_string(), change },
            ),
            (
                r#"{"at":5,"op":"node_add","node":"n2"}"#,
                StepOp::NodeAdd { node: "n2".to_string(), change: NodeChange::default() },
            ),
            (
                r#"{"at":5,"op":"node_remove","node":"n2"}"#,
                StepOp::NodeRemove { node: "n2".to_string() },
            ),
            (r#"{"at":5,"op":"leader_change"}"#, StepOp::LeaderChange),
        ] {
            let step = read(json).expect(json);
            assert_eq!(step, Step { at: SimTime(5), op }, "{json}");
            assert!(json.contains(&format!("\"op\":\"{}\"", step.op.word())), "{json}");
        }
    }

    #[test]
    fn mistakes_are_named() {
        for (json, error) in [
            (r#"{"at":5,"op":"scale"}"#, "a step `scale` needs `replicas`"),
            (r#"{"op":"noop"}"#, "a step `noop` needs `at`"),
            (r#"{"at":5}"#, "a step needs `op`"),
            (r#"{"at":5,"op":"restart"}"#, "unknown step `restart`"),
            (r#"{"at":5,"op":"noop","replicas":1}"#, "a step `noop` has no field `replicas`"),
            (r#"{"at":5,"op":"noop","nodes":1}"#, "unknown field `nodes`"),
            (r#"{"at":-5,"op":"noop"}"#, "invalid value: integer `-5`"),
            (r#"{"at":5,"op":"node","node":"n","state":"gone"}"#, "unknown word `gone`"),
        ] {
            let got = read(json).expect_err(json);
            assert!(got.starts_with(error), "{got}");
        }
    }
}
