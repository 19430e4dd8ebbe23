//! `networks`, `volumes`, `secrets` and `configs` of a file: their names in the cluster.
//!
//! Upstream: docker cli `cli/compose/loader/loader.go` `LoadNetworks` and its likes,
//! `cli/compose/convert/compose.go` (cli surface 5.6).

use std::collections::BTreeMap;

use crate::compose::deploy::word;
use crate::compose::mistake::{Mistakes, Phase};
use crate::compose::value::{Field, Node, Value};

/// The label that ties everything of a stack together.
pub const NAMESPACE: &str = "com.docker.stack.namespace";

/// The label of a service with its image as written.
pub const IMAGE: &str = "com.docker.stack.image";

/// A stack that is deployed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stack<'s> {
    /// Its name.
    pub(super) name: &'s str,
    /// The path of its Compose file.
    pub(super) path: &'s str,
}

impl Stack<'_> {
    /// The name of something of the stack.
    pub(super) fn scope(self, name: &str) -> String {
        format!("{}_{name}", self.name)
    }

    /// Labels with the stack's own.
    pub(super) fn labelled(self, labels: BTreeMap<String, String>) -> BTreeMap<String, String> {
        let mut labels = labels;
        labels.insert(NAMESPACE.to_string(), self.name.to_string());
        labels
    }
}

/// Whether it is declared as something that exists already.
pub(super) fn is_external(node: &Node) -> bool {
    node.get("external").is_some_and(|external| external.truth() || !is_truth(external))
}

fn is_truth(node: &Node) -> bool {
    matches!(node.value, Value::Bool(_))
}

/// The name of an entry in the cluster: its own, the external one, or the scoped key.
pub(super) fn own_name(field: &Field, stack: Stack<'_>) -> String {
    let node = &field.node;
    let external = node.get("external");
    for name in [word(Some(node), "name"), word(external, "name")] {
        if !name.is_empty() {
            return name.to_string();
        }
    }
    if is_external(node) { field.key.clone() } else { stack.scope(&field.key) }
}

/// The sections, with the word of a message and the version in which a name of one's own came.
const SECTIONS: [(&str, &str, u8); 4] = [
    ("networks", "network", 5),
    ("volumes", "volume", 4),
    ("secrets", "secret", 5),
    ("configs", "config", 5),
];

/// Notes what contradicts itself.
pub(super) fn check(root: &Node, mistakes: &mut Mistakes) {
    for (section, what, _) in SECTIONS {
        for field in root.get(section).map_or(&[][..], Node::fields) {
            if let Some(text) = conflict(field, what) {
                let (place, key) = (field.place, &field.key);
                mistakes.note(Phase::Load, "", place, key, &text, None);
            }
        }
    }
}

fn conflict(field: &Field, what: &str) -> Option<String> {
    let (node, name) = (&field.node, &field.key);
    let external = is_external(node);
    let given = |key: &str| {
        node.get(key).is_some_and(|value| match &value.value {
            Value::Text(text) => !text.is_empty(),
            Value::Map(fields) => !fields.is_empty(),
            Value::Seq(items) => !items.is_empty(),
            _ => false,
        })
    };
    if what == "volume" && external {
        for key in ["driver", "driver_opts", "labels"] {
            if given(key) {
                return Some(format!(
                    "conflicting parameters \"external\" and \"{key}\" specified for volume \
                     \"{name}\""
                ));
            }
        }
    }
    if external && given("name") && !word(node.get("external"), "name").is_empty() {
        return Some(format!(
            "{what} {name}: {what}.external.name and {what}.name conflict; only use {what}.name"
        ));
    }
    let file_object = matches!(what, "secret" | "config") && !external;
    if file_object && given("driver") && given("file") {
        return Some(format!(
            "{what} {name}: {what}.driver and {what}.file conflict; only use {what}.driver"
        ));
    }
    None
}

/// What the client's logger says of an external name that is written in the old way.
pub(super) fn warnings(root: &Node, version: u8) -> String {
    let mut text = String::new();
    for (section, what, since) in SECTIONS {
        for field in root.get(section).map_or(&[][..], Node::fields) {
            if version >= since && !word(field.node.get("external"), "name").is_empty() {
                text.push_str(&warning(&format!(
                    "{what} {}: {what}.external.name is deprecated in favor of {what}.name",
                    field.key
                )));
            }
        }
    }
    text
}

/// A line of the client's logger on something that is no terminal, without the time.
pub(super) fn warning(text: &str) -> String {
    format!("level=warning msg={}\n", crate::client::golang::quote(text))
}
