//! The events of a case (section 4): what is expected, and what a replay hands back.
//!
//! Read and written in the exact form of the cases, fields in their order, absent ones left out.

use serde::de::{Deserialize, Deserializer, Error};
use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::base::time::SimTime;
use crate::conform::words::{UpdateStatusWord, word_opt};
use crate::swarmkit::task::{Availability, NodeState, TaskState, UpdateState};

/// Something that happened at a moment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event {
    /// When.
    pub at: SimTime,
    /// What.
    pub what: What,
}

/// What happened. The order of values means nothing; it serves to compare multisets.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum What {
    /// `step`: a step was carried out.
    Step {
        /// Its number, first = 0.
        n: u32,
        /// Its word.
        op: String,
        /// Why it was refused.
        err: Option<String>,
    },
    /// `svc_new`: the service was created.
    ServiceNew(ServiceSeen),
    /// `svc`: the service was stored.
    Service(ServiceSeen),
    /// `svc_del`: the service was deleted.
    ServiceDeleted,
    /// `new`: a task was created.
    TaskNew(TaskCreated),
    /// `task`: a task was stored with changes.
    Task(TaskChanged),
    /// `del`: a task was deleted.
    TaskDeleted {
        /// Slot or node name, `.`, ordinal.
        id: String,
    },
    /// `node_new`: a node object appeared.
    NodeNew(NodeSeen),
    /// `node`: a node object changed.
    Node(NodeSeen),
    /// `node_del`: a node object was deleted.
    NodeDeleted {
        /// Its name.
        node: String,
    },
    /// `run`: an updater run began. Information only, never compared.
    Run {
        /// Image of the spec it rolls out.
        img: String,
        /// Dirty slots (or node names) in their order.
        slots: Vec<String>,
    },
}

/// A service as stored.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct ServiceSeen {
    /// Image of its spec.
    pub img: String,
    /// Spec version, numbered in order of first appearance from 1.
    pub sv: u64,
    /// None in a global service.
    pub replicas: Option<u64>,
    /// Update status; absent is written `none`.
    pub status: Option<UpdateState>,
    /// Its message; empty = left out.
    pub msg: String,
    /// Image of the previous spec.
    pub prev: Option<String>,
}

/// A task as created.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct TaskCreated {
    /// Slot or node name, `.`, ordinal.
    pub id: String,
    /// Its slot; none in a global service.
    pub slot: Option<u32>,
    /// Its node, in a global service.
    pub node: Option<String>,
    /// Image.
    pub img: String,
    /// Spec version.
    pub sv: u64,
    /// Desired state.
    pub des: TaskState,
    /// Observed state.
    pub obs: TaskState,
}

/// What one store write changed of a task.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct TaskChanged {
    /// Slot or node name, `.`, ordinal.
    pub id: String,
    /// Desired state.
    pub des: Option<TaskState>,
    /// Node.
    pub node: Option<String>,
    /// Observed state.
    pub obs: Option<TaskState>,
    /// Exit code.
    pub exit: Option<i32>,
    /// Error text; empty = it was removed.
    pub err: Option<String>,
}

/// A node object as stored.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct NodeSeen {
    /// Name.
    pub node: String,
    /// Availability.
    pub avail: Availability,
    /// The manager's verdict.
    pub state: NodeState,
}

impl Event {
    /// What of this event is compared (rule 5), or nothing: `run` is information, error texts of
    /// tasks are left out, and of a refused step only that it was refused counts.
    pub fn normal_form(&self) -> Option<What> {
        let mut what = self.what.clone();
        match &mut what {
            What::Run { .. } => return None,
            What::Step { err, .. } => {
                *err = err.take().map(|_| String::new());
            }
            What::Task(change) => {
                change.err = None;
                if *change == (TaskChanged { id: change.id.clone(), ..TaskChanged::default() }) {
                    return None;
                }
            }
            What::ServiceNew(_)
            | What::Service(_)
            | What::ServiceDeleted
            | What::TaskNew(_)
            | What::TaskDeleted { .. }
            | What::NodeNew(_)
            | What::Node(_)
            | What::NodeDeleted { .. } => {}
        }
        Some(what)
    }
}

impl What {
    /// The word in field `k`.
    pub fn kind(&self) -> &'static str {
        match self {
            What::Step { .. } => "step",
            What::ServiceNew(_) => "svc_new",
            What::Service(_) => "svc",
            What::ServiceDeleted => "svc_del",
            What::TaskNew(_) => "new",
            What::Task(_) => "task",
            What::TaskDeleted { .. } => "del",
            What::NodeNew(_) => "node_new",
            What::Node(_) => "node",
            What::NodeDeleted { .. } => "node_del",
            What::Run { .. } => "run",
        }
    }

    fn write<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        map.serialize_entry("k", self.kind())?;
        match self {
            What::Step { n, op, err } => {
                map.serialize_entry("n", n)?;
                map.serialize_entry("op", op)?;
                optional(map, "err", err.as_ref())
            }
            What::ServiceNew(service) | What::Service(service) => service.write(map),
            What::ServiceDeleted => Ok(()),
            What::TaskNew(task) => task.write(map),
            What::Task(change) => change.write(map),
            What::TaskDeleted { id } => map.serialize_entry("id", id),
            What::NodeNew(node) | What::Node(node) => {
                map.serialize_entry("node", &node.node)?;
                map.serialize_entry("avail", node.avail.word())?;
                map.serialize_entry("state", node.state.word())
            }
            What::NodeDeleted { node } => map.serialize_entry("node", node),
            What::Run { img, slots } => {
                map.serialize_entry("img", img)?;
                optional(map, "slots", (!slots.is_empty()).then_some(slots))
            }
        }
    }
}

impl ServiceSeen {
    fn write<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        map.serialize_entry("img", &self.img)?;
        map.serialize_entry("sv", &self.sv)?;
        optional(map, "replicas", self.replicas)?;
        map.serialize_entry("status", self.status.map_or("none", UpdateState::word))?;
        optional(map, "msg", (!self.msg.is_empty()).then_some(&self.msg))?;
        optional(map, "prev", self.prev.as_ref())
    }
}

impl TaskCreated {
    fn write<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        map.serialize_entry("id", &self.id)?;
        optional(map, "slot", self.slot)?;
        optional(map, "node", self.node.as_ref())?;
        map.serialize_entry("img", &self.img)?;
        map.serialize_entry("sv", &self.sv)?;
        map.serialize_entry("des", self.des.word())?;
        map.serialize_entry("obs", self.obs.word())
    }
}

impl TaskChanged {
    fn write<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        map.serialize_entry("id", &self.id)?;
        optional(map, "des", self.des.map(TaskState::word))?;
        optional(map, "node", self.node.as_ref())?;
        optional(map, "obs", self.obs.map(TaskState::word))?;
        optional(map, "exit", self.exit)?;
        optional(map, "err", self.err.as_ref())
    }
}

fn optional<M: SerializeMap, T: Serialize>(
    map: &mut M,
    key: &str,
    value: Option<T>,
) -> Result<(), M::Error> {
    value.map_or(Ok(()), |value| map.serialize_entry(key, &value))
}

impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("t", &self.at.0)?;
        self.what.write(&mut map)?;
        map.end()
    }
}

/// As an event, without its moment.
impl Serialize for What {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.write(&mut map)?;
        map.end()
    }
}

/// An event as it is written: the fields of all kinds side by side.
#[derive(serde::Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Written {
    t: Option<u64>,
    k: String,
    n: Option<u32>,
    op: Option<String>,
    err: Option<String>,
    img: Option<String>,
    sv: Option<u64>,
    replicas: Option<u64>,
    #[serde(deserialize_with = "word_opt")]
    status: Option<UpdateStatusWord>,
    msg: Option<String>,
    prev: Option<String>,
    id: Option<String>,
    slot: Option<u32>,
    node: Option<String>,
    #[serde(deserialize_with = "word_opt")]
    des: Option<TaskState>,
    #[serde(deserialize_with = "word_opt")]
    obs: Option<TaskState>,
    exit: Option<i32>,
    #[serde(deserialize_with = "word_opt")]
    avail: Option<Availability>,
    #[serde(deserialize_with = "word_opt")]
    state: Option<NodeState>,
    slots: Option<Vec<String>>,
}

impl Written {
    fn what(&mut self) -> Result<What, String> {
        let kind = std::mem::take(&mut self.k);
        let need = |field: &'static str| format!("an event `{kind}` needs `{field}`");
        let what = match kind.as_str() {
            "step" => What::Step {
                n: self.n.take().ok_or_else(|| need("n"))?,
                op: self.op.take().ok_or_else(|| need("op"))?,
                err: self.err.take(),
            },
            "svc_new" => What::ServiceNew(self.service().map_err(need)?),
            "svc" => What::Service(self.service().map_err(need)?),
            "svc_del" => What::ServiceDeleted,
            "new" => What::TaskNew(self.task().map_err(need)?),
            "task" => What::Task(TaskChanged {
                id: self.id.take().ok_or_else(|| need("id"))?,
                des: self.des.take(),
                node: self.node.take(),
                obs: self.obs.take(),
                exit: self.exit.take(),
                err: self.err.take(),
            }),
            "del" => What::TaskDeleted { id: self.id.take().ok_or_else(|| need("id"))? },
            "node_new" => What::NodeNew(self.node().map_err(need)?),
            "node" => What::Node(self.node().map_err(need)?),
            "node_del" => What::NodeDeleted { node: self.node.take().ok_or_else(|| need("node"))? },
            "run" => What::Run {
                img: self.img.take().ok_or_else(|| need("img"))?,
                slots: self.slots.take().unwrap_or_default(),
            },
            "" => return Err("an event needs `k`".to_string()),
            _ => return Err(format!("unknown kind of event `{kind}`")),
        };
        match self.left_over() {
            Some(field) => Err(format!("an event `{kind}` has no field `{field}`")),
            None => Ok(what),
        }
    }

    fn service(&mut self) -> Result<ServiceSeen, &'static str> {
        Ok(ServiceSeen {
            img: self.img.take().ok_or("img")?,
            sv: self.sv.take().ok_or("sv")?,
            replicas: self.replicas.take(),
            status: self.status.take().ok_or("status")?.0,
            msg: self.msg.take().unwrap_or_default(),
            prev: self.prev.take(),
        })
    }

    fn task(&mut self) -> Result<TaskCreated, &'static str> {
        Ok(TaskCreated {
            id: self.id.take().ok_or("id")?,
            slot: self.slot.take(),
            node: self.node.take(),
            img: self.img.take().ok_or("img")?,
            sv: self.sv.take().ok_or("sv")?,
            des: self.des.take().ok_or("des")?,
            obs: self.obs.take().ok_or("obs")?,
        })
    }

    fn node(&mut self) -> Result<NodeSeen, &'static str> {
        Ok(NodeSeen {
            node: self.node.take().ok_or("node")?,
            avail: self.avail.take().ok_or("avail")?,
            state: self.state.take().ok_or("state")?,
        })
    }

    /// The first field that was given and that no kind has taken.
    fn left_over(&self) -> Option<&'static str> {
        [
            ("n", self.n.is_some()),
            ("op", self.op.is_some()),
            ("err", self.err.is_some()),
            ("img", self.img.is_some()),
            ("sv", self.sv.is_some()),
            ("replicas", self.replicas.is_some()),
            ("status", self.status.is_some()),
            ("msg", self.msg.is_some()),
            ("prev", self.prev.is_some()),
            ("id", self.id.is_some()),
            ("slot", self.slot.is_some()),
            ("node", self.node.is_some()),
            ("des", self.des.is_some()),
            ("obs", self.obs.is_some()),
            ("exit", self.exit.is_some()),
            ("avail", self.avail.is_some()),
            ("state", self.state.is_some()),
            ("slots", self.slots.is_some()),
        ]
        .into_iter()
        .find_map(|(name, given)| given.then_some(name))
    }
}

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let mut written = Written::deserialize(from)?;
        let at = written.t.take().ok_or_else(|| D::Error::custom("an event needs `t`"))?;
        let what = written.what().map_err(D::Error::custom)?;
        Ok(Event { at: SimTime(at), what })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVERY_KIND: &[&str] = &[
        r#"{"t":1,"k":"step","n":0,"op":"create"}"#,
        r#"{"t":1,"k":"step","n":1,"op":"rollback","err":"FailedPrecondition: none"}"#,
        r#"{"t":1,"k":"svc_new","img":"v1","sv":1,"replicas":4,"status":"none"}"#,
        r#"{"t":1,"k":"svc","img":"v2","sv":2,"status":"updating","msg":"update","prev":"v1"}"#,
        r#"{"t":1,"k":"svc_del"}"#,
        r#"{"t":1,"k":"new","id":"1.1","slot":1,"img":"v1","sv":1,"des":"running","obs":"new"}"#,
        r#"{"t":1,"k":"new","id":"n1.1","node":"n1","img":"v1","sv":1,"des":"ready","obs":"new"}"#,
        r#"{"t":1,"k":"task","id":"1.1","des":"shutdown"}"#,
        r#"{"t":1,"k":"task","id":"1.1","node":"n1","obs":"assigned"}"#,
        r#"{"t":1,"k":"task","id":"1.1","obs":"failed","exit":55,"err":"non-zero exit (55)"}"#,
        r#"{"t":1,"k":"del","id":"1.1"}"#,
        r#"{"t":1,"k":"node_new","node":"n1","avail":"active","state":"ready"}"#,
        r#"{"t":1,"k":"node","node":"n1","avail":"drain","state":"down"}"#,
        r#"{"t":1,"k":"node_del","node":"n1"}"#,
        r#"{"t":1,"k":"run","img":"v1","slots":["2","1"]}"#,
        r#"{"t":1,"k":"run","img":"v1"}"#,
    ];

    fn read(json: &str) -> Event {
        serde_json::from_str(json).expect(json)
    }

    #[test]
    fn what_is_read_is_written_again_byte_for_byte() {
        for json in EVERY_KIND {
            assert_eq!(serde_json::to_string(&read(json)).expect("plain data"), *json);
        }
    }

    #[test]
    fn only_what_counts_is_compared() {
        let normal: Vec<Option<String>> = [
            r#"{"t":1,"k":"run","img":"v1"}"#,
            r#"{"t":1,"k":"step","n":1,"op":"rollback","err":"why"}"#,
            r#"{"t":1,"k":"task","id":"1.1","obs":"failed","exit":55,"err":"why"}"#,
            r#"{"t":1,"k":"task","id":"1.1","err":""}"#,
            r#"{"t":1,"k":"task","id":"1.1","exit":0}"#,
        ]
        .into_iter()
        .map(|json| read(json).normal_form())
        .map(|what| what.map(|what| serde_json::to_string(&what).expect("plain data")))
        .collect();
        let expected = [
            None,
            Some(r#"{"k":"step","n":1,"op":"rollback","err":""}"#),
            Some(r#"{"k":"task","id":"1.1","obs":"failed","exit":55}"#),
            None,
            Some(r#"{"k":"task","id":"1.1","exit":0}"#),
        ];
        assert_eq!(normal, expected.map(|json| json.map(ToString::to_string)));
    }

    #[test]
    fn mistakes_are_named() {
        for (json, error) in [
            (r#"{"k":"svc_del"}"#, "an event needs `t`"),
            (r#"{"t":1}"#, "an event needs `k`"),
            (r#"{"t":1,"k":"sv"}"#, "unknown kind of event `sv`"),
            (r#"{"t":1,"k":"del"}"#, "an event `del` needs `id`"),
            (r#"{"t":1,"k":"del","id":"1.1","n":3}"#, "an event `del` has no field `n`"),
            (
                r#"{"t":1,"k":"task","id":"1","obs":"up"}"#,
                "unknown word `up`, expected one of new,",
            ),
        ] {
            let got = serde_json::from_str::<Event>(json).expect_err(json).to_string();
            assert!(got.starts_with(error), "{got}");
        }
    }
}
