//! Keys of a service that `docker stack deploy` ignores, warns of, or refuses.
//!
//! Upstream: docker cli `cli/compose/types/types.go`, `cli/command/stack/loader.go` (cli surface
//! 5.5).

use std::collections::BTreeSet;

use crate::compose::mistake::{Mistakes, Phase};
use crate::compose::value::Node;

const UNSUPPORTED: [&str; 16] = [
    "build",
    "cgroup_parent",
    "cgroupns_mode",
    "devices",
    "domainname",
    "external_links",
    "ipc",
    "links",
    "mac_address",
    "network_mode",
    "pid",
    "privileged",
    "restart",
    "security_opt",
    "shm_size",
    "userns_mode",
];

const DEPRECATED: [(&str, &str); 2] = [
    ("container_name", "Setting the container name is not supported."),
    (
        "expose",
        "Exposing ports is unnecessary - services on the same network can access each other's \
         containers on any port.",
    ),
];

const LIMITS: &str = "Set resource limits using deploy.resources";

const FORBIDDEN: [(&str, &str); 8] = [
    ("cpu_quota", LIMITS),
    ("cpu_shares", LIMITS),
    ("cpuset", LIMITS),
    ("extends", "Support for `extends` is not implemented yet."),
    ("mem_limit", LIMITS),
    ("memswap_limit", LIMITS),
    (
        "volume_driver",
        "Instead of setting the volume driver on the service, define a volume using the top-level \
         `volumes` option and specify the driver there.",
    ),
    (
        "volumes_from",
        "To share a volume between services, define it using the top-level `volumes` option and \
         reference it from each service that shares it using the service-level `volumes` option.",
    ),
];

/// Notes the keys that end everything.
pub(crate) fn forbidden(root: &Node, mistakes: &mut Mistakes) {
    let services = root.get("services").map_or(&[][..], Node::fields);
    for field in services.iter().flat_map(|service| service.node.fields()) {
        if let Some((key, advice)) = FORBIDDEN.iter().find(|(key, _)| *key == field.key) {
            let text = format!("{key}: {advice}");
            mistakes.note(Phase::Forbidden, "", field.place, key, &text, None);
        }
    }
}

/// What is printed about keys that have no effect: one text for all services.
pub(crate) fn warnings(root: &Node) -> String {
    let services = root.get("services").map_or(&[][..], Node::fields);
    let keys: BTreeSet<&str> = services
        .iter()
        .flat_map(|service| service.node.fields())
        .map(|field| field.key.as_str())
        .collect();
    let mut text = String::new();
    let unsupported: Vec<&str> =
        keys.iter().copied().filter(|key| UNSUPPORTED.contains(key)).collect();
    if !unsupported.is_empty() {
        let list = unsupported.join(", ");
        text.push_str(&format!("Ignoring unsupported options: {list}\n\n"));
    }
    let deprecated = DEPRECATED.iter().filter(|(key, _)| keys.contains(key));
    let deprecated: Vec<String> = deprecated.map(|(key, why)| format!("{key}: {why}")).collect();
    if !deprecated.is_empty() {
        let list = deprecated.join("\n\n");
        text.push_str(&format!("Ignoring deprecated options:\n\n{list}\n\n"));
    }
    text
}
