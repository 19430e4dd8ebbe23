//! `volumes` of a service as mounts.
//!
//! Upstream: docker cli `cli/compose/loader/volume.go` `ParseVolume`,
//! `cli/compose/convert/volume.go`.

use std::collections::BTreeMap;

use crate::compose::deploy::word;
use crate::compose::file::{beside, labels};
use crate::compose::objects::{Stack, is_external, own_name};
use crate::compose::value::{Node, Value};
use crate::swarmkit::spec::Mount;

/// A volume as it stands in the file.
struct Written<'n> {
    kind: &'n str,
    source: String,
    target: &'n str,
    read_only: bool,
    options: BTreeMap<String, String>,
    /// Which of the parts for a kind it has.
    parts: Vec<&'static str>,
}

/// What is wrong with a volume before specs are made; nothing if it is in order.
pub(super) fn check(node: &Node) -> Option<String> {
    match node.text() {
        Some(text) => short(text).err(),
        None if word(Some(node), "type") == "bind" && word(Some(node), "source").is_empty() => {
            let text = "invalid mount config for type \"bind\": field Source must not be empty";
            Some(text.to_string())
        }
        None => None,
    }
}

/// The mount of a volume. `path` is that of the Compose file.
///
/// # Errors
/// Docker's text.
pub(super) fn mount(node: &Node, root: &Node, stack: Stack<'_>) -> Result<Mount, String> {
    let written = match node.text() {
        Some(text) => short(text)?,
        None => long(node),
    };
    let source = match written.kind {
        "bind" if !written.source.starts_with(['/', '~']) => beside(stack.path, &written.source),
        _ => written.source.clone(),
    };
    let mut mount = Mount {
        kind: written.kind.to_string(),
        source,
        target: written.target.to_string(),
        read_only: written.read_only,
        options: written.options,
    };
    let foreign = |kinds: &[&str]| written.parts.iter().find(|part| kinds.contains(part));
    let refuse =
        |part: &str| Err(format!("{part} options are incompatible with type {}", written.kind));
    let empty = |what: &str| Err(format!("invalid {what} source, source cannot be empty"));
    match written.kind {
        "volume" | "" => {
            if let Some(part) = foreign(&["tmpfs", "bind", "cluster"]) {
                return refuse(part);
            }
            mount.kind = "volume".to_string();
            if !mount.source.is_empty() {
                named(&mut mount, root, stack)?;
            }
        }
        "bind" | "npipe" => match foreign(&["volume", "tmpfs", "cluster"]) {
            Some(part) => return refuse(part),
            None if written.source.is_empty() => return empty(written.kind),
            None => {}
        },
        "tmpfs" => match foreign(&["bind", "volume", "cluster"]) {
            Some(part) => return refuse(part),
            None if !written.source.is_empty() => {
                return Err("invalid tmpfs source, source must be empty".to_string());
            }
            None => {}
        },
        "cluster" => match foreign(&["tmpfs", "bind", "volume"]) {
            Some(part) => return refuse(part),
            None if written.source.is_empty() => return empty("cluster"),
            None if !written.source.starts_with("group:") => named(&mut mount, root, stack)?,
            None => {}
        },
        _ => {
            let kinds = "volume, bind, tmpfs, npipe, or cluster";
            return Err(format!("volume type must be {kinds}"));
        }
    }
    Ok(mount)
}

/// A volume of the file's own section: its name in the cluster, its driver and labels.
fn named(mount: &mut Mount, root: &Node, stack: Stack<'_>) -> Result<(), String> {
    let key = mount.source.clone();
    let volumes = root.get("volumes").map_or(&[][..], Node::fields);
    let Some(field) = volumes.iter().find(|field| field.key == key) else {
        return Err(format!("undefined volume \"{key}\""));
    };
    mount.source = own_name(field, stack);
    if mount.kind == "cluster" || is_external(&field.node) {
        return Ok(());
    }
    for (label, value) in stack.labelled(labels(field.node.get("labels"))) {
        mount.options.insert(format!("volume-label.{label}"), value);
    }
    let driver = word(Some(&field.node), "driver");
    if !driver.is_empty() {
        mount.options.insert("volume-driver".to_string(), driver.to_string());
    }
    for (option, value) in labels(field.node.get("driver_opts")) {
        mount.options.insert(format!("volume-opt.{option}"), value);
    }
    Ok(())
}

fn long(node: &Node) -> Written<'_> {
    let mut options = BTreeMap::new();
    let inner = |part: &str, key: &str| node.get(part).and_then(|part| part.get(key));
    for (part, key, option) in [
        ("bind", "propagation", "bind-propagation"),
        ("volume", "nocopy", "volume-nocopy"),
        ("tmpfs", "size", "tmpfs-size"),
    ] {
        if let Some(value) = inner(part, key).filter(|value| value.value != Value::Null) {
            options.insert(option.to_string(), value.printed());
        }
    }
    let consistency = word(Some(node), "consistency");
    if !consistency.is_empty() {
        options.insert("consistency".to_string(), consistency.to_string());
    }
    let parts = ["bind", "volume", "tmpfs", "cluster"];
    Written {
        kind: word(Some(node), "type"),
        source: word(Some(node), "source").to_string(),
        target: word(Some(node), "target"),
        read_only: node.get("read_only").is_some_and(Node::truth),
        options,
        parts: parts.into_iter().filter(|part| node.get(part).is_some()).collect(),
    }
}

/// `[source:]target[:option,option]`.
fn short(text: &str) -> Result<Written<'_>, String> {
    if text.is_empty() {
        return Err("invalid empty volume spec".to_string());
    }
    let parts: Vec<&str> = text.split(':').collect();
    let why = match parts.as_slice() {
        _ if parts.len() > 1 && parts.iter().any(|part| part.is_empty()) => {
            "empty section between colons"
        }
        [_, _, _, _, ..] => "too many colons",
        _ => "",
    };
    if !why.is_empty() {
        return Err(format!("invalid spec: {text}: {why}"));
    }
    let (source, target) = match parts.as_slice() {
        [target] => ("", *target),
        [source, target, ..] => (*source, *target),
        [] => ("", ""),
    };
    let mut options = BTreeMap::new();
    let mut read_only = false;
    let mut parts_given = Vec::new();
    for option in parts.get(2).unwrap_or(&"").split(',') {
        match option {
            "ro" => read_only = true,
            "rw" => read_only = false,
            "nocopy" => {
                options.insert("volume-nocopy".to_string(), "true".to_string());
                parts_given.push("volume");
            }
            "shared" | "slave" | "private" | "rshared" | "rslave" | "rprivate" => {
                options.insert("bind-propagation".to_string(), option.to_string());
                parts_given.push("bind");
            }
            _ => {}
        }
    }
    let kind = if source.starts_with(['.', '/', '~']) { "bind" } else { "volume" };
    let source = source.to_string();
    Ok(Written { kind, source, target, read_only, options, parts: parts_given })
}
