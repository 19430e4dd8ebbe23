//! `deploy:` of a service as parts of its spec. What is absent stays absent: unlike flags, a
//! configuration here is not filled up, except for its parallelism.
//!
//! Upstream: docker cli `cli/compose/convert/service.go` (cli surface 5.2).

use std::collections::BTreeMap;

use ordered_float::OrderedFloat;

use crate::base::time::Span;
use crate::client::golang::parse_int;
use crate::client::spec_create::DaemonWords;
use crate::client::values::{Kind, Value as Read, parse_bytes};
use crate::compose::value::{Node, Value};
use crate::swarmkit::defaults;
use crate::swarmkit::spec::{
    Amounts, FailureAction, Mode, Placement, Resources, RestartCondition, RestartPolicy,
    UpdateConfig, UpdateOrder,
};

/// A length of time below a key. The schema has seen to its form.
pub(super) fn span(node: Option<&Node>, key: &str) -> Option<Span> {
    node?.get(key)?.text().and_then(|text| Span::parse_go(text).ok())
}

/// A text below a key; empty if there is none.
pub(super) fn word<'n>(node: Option<&'n Node>, key: &str) -> &'n str {
    node.and_then(|node| node.get(key)).and_then(Node::text).unwrap_or("")
}

/// A whole number below a key that is not negative.
pub(super) fn count(node: Option<&Node>, key: &str) -> Option<u64> {
    node?.get(key)?.int().and_then(|number| u64::try_from(number).ok())
}

/// How many, and where. A number that is absent is one.
///
/// # Errors
/// Docker's text.
pub(super) fn mode(deploy: Option<&Node>) -> Result<Mode, String> {
    let replicas = count(deploy, "replicas");
    let wish = replicas.unwrap_or(defaults::REPLICAS);
    let alone = "replicas can only be used with replicated or replicated-job mode";
    match word(deploy, "mode") {
        "global" | "global-job" if replicas.is_some() => Err(alone.to_string()),
        "global" => Ok(Mode::Global),
        "global-job" => Ok(Mode::GlobalJob),
        "replicated-job" => {
            Ok(Mode::ReplicatedJob { max_concurrent: wish, total_completions: wish })
        }
        "replicated" | "" => Ok(Mode::Replicated { replicas: wish }),
        other => Err(format!("unknown mode: {other}")),
    }
}

/// `update_config` or `rollback_config`: `place` orders what the daemon refuses.
pub(super) fn update_config(
    deploy: Option<&Node>,
    key: &str,
    place: u8,
    words: &mut DaemonWords,
) -> Option<UpdateConfig> {
    let config = deploy?.get(key)?;
    let some = Some(config);
    let ratio = match config.get("max_failure_ratio").map(|node| &node.value) {
        Some(Value::Float(ratio)) => *ratio as f32,
        Some(Value::Int(ratio)) => *ratio as f32,
        _ => 0.0,
    };
    Some(UpdateConfig {
        parallelism: count(some, "parallelism").unwrap_or(1),
        delay: span(some, "delay").unwrap_or_default(),
        monitor: span(some, "monitor").filter(|monitor| !monitor.is_zero()),
        failure_action: words.read(
            place,
            word(some, "failure_action"),
            FailureAction::from_word,
            |word| format!("unrecognized update failure action {word}"),
        ),
        max_failure_ratio: OrderedFloat(ratio),
        order: words.read(place + 1, word(some, "order"), UpdateOrder::from_word, |word| {
            format!("unrecognized update order {word}")
        }),
    })
}

/// `restart_policy`, else the older `restart` of the service.
///
/// # Errors
/// Docker's text.
pub(super) fn restart_policy(
    service: &Node,
    words: &mut DaemonWords,
) -> Result<Option<RestartPolicy>, String> {
    let deploy = service.get("deploy");
    if let Some(policy) = deploy.and_then(|deploy| deploy.get("restart_policy")) {
        let some = Some(policy);
        let condition =
            words.read(1, word(some, "condition"), RestartCondition::from_word, |word| {
                format!("invalid RestartCondition: \"{word}\"")
            });
        return Ok(Some(RestartPolicy {
            condition,
            delay: span(some, "delay"),
            max_attempts: count(some, "max_attempts").unwrap_or(0),
            window: span(some, "window"),
        }));
    }
    let restart = word(Some(service), "restart");
    let (name, number) = match restart.split_once(':') {
        Some((name, number)) => (name, Some(number)),
        None => (restart, None),
    };
    let attempts = match number {
        None => 0,
        Some(number) => parse_int(number).map_err(|_| {
            "invalid restart policy format: maximum retry count must be an integer".to_string()
        })?,
    };
    let Ok(max_attempts) = u64::try_from(attempts) else {
        return Err("invalid restart policy: maximum retry count cannot be negative".to_string());
    };
    let policy = |condition| RestartPolicy { condition, max_attempts, ..RestartPolicy::default() };
    match name {
        "" if number.is_some() => Err("invalid restart policy format: no policy provided before \
                                       colon"
            .to_string()),
        "" | "no" => Ok(None),
        "always" | "unless-stopped" => Ok(Some(policy(RestartCondition::Any))),
        "on-failure" => Ok(Some(policy(RestartCondition::OnFailure))),
        _ => Err(format!(
            "invalid restart policy: unknown policy '{name}' (must be one of 'no', 'always', \
             'on-failure', or 'unless-stopped')"
        )),
    }
}

/// Where tasks may run. The object is always sent.
pub(super) fn placement(deploy: Option<&Node>) -> Placement {
    let placement = deploy.and_then(|deploy| deploy.get("placement"));
    let items = |key: &str| placement.and_then(|p| p.get(key)).map_or(&[][..], Node::items);
    Placement {
        constraints: items("constraints")
            .iter()
            .filter_map(|node| node.text().map(str::to_string))
            .collect(),
        preferences: items("preferences")
            .iter()
            .map(|node| word(Some(node), "spread").to_string())
            .collect(),
        max_replicas: count(placement, "max_replicas_per_node").unwrap_or(0),
        platforms: Vec::new(),
    }
}

/// Limits and reservations. The object is always sent.
///
/// # Errors
/// Docker's text.
pub(super) fn resources(deploy: Option<&Node>) -> Result<Resources, String> {
    let resources = deploy.and_then(|deploy| deploy.get("resources"));
    let part = |key: &str| resources.and_then(|resources| resources.get(key));
    Ok(Resources {
        limits: amounts(part("limits"))?,
        reservations: amounts(part("reservations"))?,
        swap_bytes: None,
        memory_swappiness: None,
    })
}

fn amounts(node: Option<&Node>) -> Result<Amounts, String> {
    let nano_cpus = match word(node, "cpus") {
        "" => 0,
        text => match Kind::Cpus.parse(text)? {
            Read::Int(nano) => nano,
            _ => 0,
        },
    };
    let specs = node.and_then(|n| n.get("generic_resources")).map_or(&[][..], Node::items);
    let mut generic = BTreeMap::new();
    for spec in specs.iter().filter_map(|node| node.get("discrete_resource_spec")) {
        let amount = spec.get("value").and_then(Node::int).unwrap_or(0);
        generic.insert(word(Some(spec), "kind").to_string(), amount);
    }
    Ok(Amounts {
        nano_cpus,
        memory_bytes: parse_bytes(word(node, "memory")).unwrap_or(0),
        pids: node.and_then(|node| node.get("pids")).and_then(Node::int).unwrap_or(0),
        generic,
    })
}
