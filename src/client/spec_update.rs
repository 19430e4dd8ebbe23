//! The flags of `docker service update` applied to the spec of a service.
//!
//! Source: cli surface 2.1, 2.3 and 2.4. Upstream: docker cli `cli/command/service/update.go`
//! `updateService`. Ignored, as Docker ignores them: `--health-start-interval`, `--memory-swap`,
//! `--memory-swappiness`, `--max-concurrent`, `--no-resolve-image`.
//!
//! Deviation: where Docker rebuilds the environment from a hash map, in any order, this keeps the
//! old order, replaces in place and appends what is new.

use std::collections::BTreeSet;

use crate::client::failure::CliFailure;
use crate::client::flags::Parsed;
use crate::client::image;
use crate::client::references::key_values;
use crate::client::spec_create::{self, CONFLICT, DaemonWords, ROLLBACK, UPDATE, name_of};
use crate::swarmkit::spec::{
    ContainerSpec, DnsConfig, FileReference, HealthConfig, Mode, Mount, NetworkAttachment,
    Placement, PortConfig, Resources, ServiceSpec, Ulimit,
};

/// The spec that an update asks for, given the stored one.
///
/// # Errors
/// The client errors of cli surface 1.5, and the daemon's answers to words that it does not know.
pub fn update(flags: &Parsed, old: &ServiceSpec) -> Result<ServiceSpec, CliFailure> {
    let mut spec = old.clone();
    let mut words = DaemonWords::default();
    update_map(flags, ["label-add", "label-rm"], &mut spec.labels);
    let container = &mut spec.task.container;
    update_map(flags, ["container-label-add", "container-label-rm"], &mut container.labels);
    update_process(flags, container);
    update_mounts(flags, &mut container.mounts)?;
    update_sysctls(flags, container);
    update_ulimits(flags, &mut container.ulimits);
    if let Some(score) = flags.int("oom-score-adj") {
        container.oom_score_adj = score;
    }
    update_resources(flags, &mut spec.task.resources)?;
    if let Some(period) = flags.span("stop-grace-period") {
        spec.task.container.stop_grace_period = Some(period);
    }
    spec.task.restart = spec_create::restart_policy(flags, spec.task.restart, &mut words);
    update_placement(flags, &mut spec.task.placement);
    update_networks(flags, &mut spec.task.networks)?;
    update_replicas(flags, &mut spec.mode)?;
    if let Some(max) = flags.uint("replicas-max-per-node") {
        spec.task.placement.get_or_insert_default().max_replicas = max;
    }
    spec.update = spec_create::update_config(flags, &UPDATE, spec.update, &mut words);
    spec.rollback = spec_create::update_config(flags, &ROLLBACK, spec.rollback, &mut words);
    if let Some(word) = flags.text("endpoint-mode") {
        spec.endpoint.get_or_insert_default().mode = words.endpoint_mode(word);
    }
    add_then_remove(flags, ["group-add", "group-rm"], &mut spec.task.container.groups);
    if flags.any_changed(&["publish-add", "publish-rm"]) {
        update_ports(flags, &mut spec.endpoint.get_or_insert_default().ports);
    }
    update_dns(flags, &mut spec.task.container.dns);
    update_hosts(flags, &mut spec.task.container.hosts);
    if let Some(driver) = spec_create::log_driver(flags) {
        spec.task.log_driver = Some(driver);
    }
    if flags.bool("force") {
        spec.task.force_update += 1;
    }
    let container = &mut spec.task.container;
    update_health(flags, &mut container.healthcheck)?;
    update_rest(flags, container);
    update_files(flags, "secret", ["secret-add", "secret-rm"], &mut container.secrets)?;
    update_files(flags, "config", ["config-add", "config-rm"], &mut container.configs)?;
    if let Some(text) = flags.text("credential-spec") {
        container.credential_spec = text.to_string();
    }
    words.check()?;
    Ok(spec)
}

fn set(field: &mut String, value: Option<&str>) {
    if let Some(value) = value {
        *field = value.to_string();
    }
}

/// Image, words, environment and the like.
fn update_process(flags: &Parsed, container: &mut ContainerSpec) {
    if let Some(text) = flags.text("image") {
        container.image = image::with_tag(text);
    }
    if let Some(words) = flags.words("args") {
        container.args = words.to_vec();
    }
    if let Some(words) = flags.words("entrypoint") {
        container.command = words.to_vec();
    }
    update_env(flags, &mut container.env);
    set(&mut container.dir, flags.text("workdir"));
    set(&mut container.user, flags.text("user"));
    set(&mut container.hostname, flags.text("hostname"));
    if flags.changed("init") {
        container.init = Some(flags.bool("init"));
    }
    set(&mut container.isolation, flags.text("isolation"));
}

/// What comes after the health check.
fn update_rest(flags: &Parsed, container: &mut ContainerSpec) {
    if flags.changed("tty") {
        container.tty = flags.bool("tty");
    }
    if flags.changed("read-only") {
        container.read_only = flags.bool("read-only");
    }
    set(&mut container.stop_signal, flags.text("stop-signal"));
    if flags.any_changed(&["cap-add", "cap-drop"]) {
        update_capabilities(flags, container);
    }
}

fn removals<'a>(flags: &'a Parsed, flag: &str) -> BTreeSet<&'a str> {
    flags.texts(flag).collect()
}

fn update_map(
    flags: &Parsed,
    [add, rm]: [&str; 2],
    map: &mut std::collections::BTreeMap<String, String>,
) {
    if !flags.any_changed(&[add, rm]) {
        return;
    }
    for key in flags.texts(rm) {
        map.remove(key);
    }
    map.extend(key_values(flags.texts(add)));
}

fn update_sysctls(flags: &Parsed, container: &mut ContainerSpec) {
    for entry in flags.texts("sysctl-rm") {
        container.sysctls.remove(name_of(entry));
    }
    container.sysctls.extend(key_values(flags.texts("sysctl-add")));
}

fn update_env(flags: &Parsed, env: &mut Vec<String>) {
    if flags.changed("env-rm") {
        let gone = removals(flags, "env-rm");
        env.retain(|entry| !gone.contains(name_of(entry)));
    }
    if !flags.changed("env-add") {
        return;
    }
    // Docker goes through a map here: of several entries of one name the last one stays.
    let entries: Vec<String> = env.drain(..).chain(flags.list("env-add")).collect();
    for entry in entries {
        match env.iter_mut().find(|old| name_of(old) == name_of(&entry)) {
            Some(old) => *old = entry,
            None => env.push(entry),
        }
    }
}

fn update_mounts(flags: &Parsed, mounts: &mut Vec<Mount>) -> Result<(), CliFailure> {
    let mut all: Vec<Mount> = Vec::new();
    for mount in flags.mounts("mount-add") {
        if all.iter().any(|other| other.target == mount.target) {
            return Err(CliFailure::error("duplicate mount target"));
        }
        all.push(mount);
    }
    for mount in mounts.drain(..) {
        if !all.iter().any(|other| other.target == mount.target) {
            all.push(mount);
        }
    }
    let gone = removals(flags, "mount-rm");
    all.retain(|mount| !gone.contains(mount.target.as_str()));
    all.sort_by(|a, b| (&a.source, &a.target).cmp(&(&b.source, &b.target)));
    *mounts = all;
    Ok(())
}

fn update_ulimits(flags: &Parsed, ulimits: &mut Vec<Ulimit>) {
    if !flags.any_changed(&["ulimit-add", "ulimit-rm"]) {
        return;
    }
    let gone = removals(flags, "ulimit-rm");
    ulimits.retain(|limit| !gone.contains(limit.name.as_str()));
    for limit in flags.ulimits("ulimit-add") {
        ulimits.retain(|old| old.name != limit.name);
        ulimits.push(limit);
    }
    ulimits.sort_by(|a, b| a.name.cmp(&b.name));
}

fn update_resources(flags: &Parsed, resources: &mut Option<Resources>) -> Result<(), CliFailure> {
    let names = ["limit-cpu", "limit-memory", "limit-pids", "reserve-cpu", "reserve-memory"];
    let generic = ["generic-resource-add", "generic-resource-rm"];
    if !flags.any_changed(&names) && !flags.any_changed(&generic) {
        return Ok(());
    }
    let Resources { limits, reservations, .. } = resources.get_or_insert_default();
    for (flag, field) in [
        ("limit-cpu", &mut limits.nano_cpus),
        ("limit-memory", &mut limits.memory_bytes),
        ("limit-pids", &mut limits.pids),
        ("reserve-cpu", &mut reservations.nano_cpus),
        ("reserve-memory", &mut reservations.memory_bytes),
    ] {
        if let Some(amount) = flags.int(flag) {
            *field = amount;
        }
    }
    reservations.generic.extend(spec_create::generic(flags, "generic-resource-add")?);
    for kind in flags.texts("generic-resource-rm") {
        if reservations.generic.remove(name_of(kind)).is_none() {
            return Err(CliFailure::error(format_args!(
                "could not find generic-resource `{}` to remove it",
                name_of(kind)
            )));
        }
    }
    Ok(())
}

const CONSTRAINT: [&str; 2] = ["constraint-add", "constraint-rm"];

fn update_placement(flags: &Parsed, placement: &mut Option<Placement>) {
    if flags.any_changed(&CONSTRAINT) {
        let constraints = &mut placement.get_or_insert_default().constraints;
        add_then_remove(flags, CONSTRAINT, constraints);
    }
    if flags.any_changed(&["placement-pref-add", "placement-pref-rm"]) {
        let preferences = &mut placement.get_or_insert_default().preferences;
        let gone = removals(flags, "placement-pref-rm");
        preferences.retain(|descriptor| !gone.contains(descriptor.as_str()));
        preferences.extend(flags.list("placement-pref-add"));
    }
}

/// Added, then removed, then sorted.
fn add_then_remove(flags: &Parsed, names: [&str; 2], list: &mut Vec<String>) {
    if !flags.any_changed(&names) {
        return;
    }
    let [add, rm] = names;
    list.extend(flags.list(add));
    let gone = removals(flags, rm);
    list.retain(|entry| !gone.contains(entry.as_str()));
    list.sort();
}

fn update_networks(
    flags: &Parsed,
    networks: &mut Vec<NetworkAttachment>,
) -> Result<(), CliFailure> {
    if !flags.any_changed(&["network-add", "network-rm"]) {
        return Ok(());
    }
    let gone = removals(flags, "network-rm");
    networks.retain(|network| !gone.contains(network.target.as_str()));
    for network in flags.networks("network-add") {
        if networks.iter().any(|other| other.target == network.target) {
            return Err(CliFailure::error(format_args!(
                "service is already attached to network {}",
                network.target
            )));
        }
        networks.push(network);
    }
    networks.sort_by(|a, b| a.target.cmp(&b.target));
    Ok(())
}

fn update_replicas(flags: &Parsed, mode: &mut Mode) -> Result<(), CliFailure> {
    match (flags.uint("replicas"), mode) {
        (None, _) => Ok(()),
        (Some(wish), Mode::Replicated { replicas }) => {
            *replicas = wish;
            Ok(())
        }
        (Some(_), _) => Err(CliFailure::error("replicas can only be used with replicated mode")),
    }
}

/// An added port that was there before the removal is not added again, so removing and adding one
/// and the same removes it (cli surface 2.4).
fn update_ports(flags: &Parsed, ports: &mut Vec<PortConfig>) {
    let gone = flags.ports("publish-rm");
    let same = |a: &PortConfig, b: &PortConfig| {
        (a.target, a.protocol, a.publish_mode) == (b.target, b.protocol, b.publish_mode)
    };
    let mut before: Vec<PortConfig> = Vec::new();
    for port in ports.drain(..) {
        if !before.contains(&port) {
            before.push(port);
        }
    }
    let kept = before.iter().filter(|port| !gone.iter().any(|other| same(port, other))).cloned();
    ports.extend(kept);
    ports.extend(flags.ports("publish-add").into_iter().filter(|port| !before.contains(port)));
    ports.sort_by_key(port_text);
}

fn port_text(port: &PortConfig) -> String {
    let (protocol, mode) = (port.protocol.word(), port.publish_mode.word());
    format!("{}:{}/{protocol}/{mode}", port.published, port.target)
}

fn update_dns(flags: &Parsed, dns: &mut Option<DnsConfig>) {
    const NAMES: [[&str; 2]; 3] = [
        ["dns-add", "dns-rm"],
        ["dns-search-add", "dns-search-rm"],
        ["dns-option-add", "dns-option-rm"],
    ];
    if !NAMES.iter().any(|names| flags.any_changed(names)) {
        return;
    }
    let dns = dns.get_or_insert_default();
    for ([add, rm], list) in
        NAMES.into_iter().zip([&mut dns.nameservers, &mut dns.search, &mut dns.options])
    {
        list.extend(flags.list(add));
        if add == "dns-add" {
            let mut seen = BTreeSet::new();
            list.retain(|entry| seen.insert(entry.clone()));
        } else {
            list.dedup();
        }
        let gone = removals(flags, rm);
        list.retain(|entry| !gone.contains(entry.as_str()));
        list.sort();
    }
}

/// `--host-rm host` removes all entries of the host, `--host-rm host:ip` that one.
fn update_hosts(flags: &Parsed, hosts: &mut Vec<String>) {
    if !flags.any_changed(&["host-add", "host-rm"]) {
        return;
    }
    for removal in flags.texts("host-rm") {
        let (name, ip) = match removal.split_once(':') {
            Some((name, ip)) => (name, Some(ip)),
            None => (removal, None),
        };
        hosts.retain(|entry| {
            let (address, host) = entry.split_once(' ').unwrap_or((entry, ""));
            host != name || ip.is_some_and(|ip| ip != address)
        });
    }
    hosts.extend(spec_create::hosts(flags.texts("host-add")));
    let mut seen = BTreeSet::new();
    hosts.retain(|entry| seen.insert(entry.clone()));
}

fn update_health(flags: &Parsed, health: &mut Option<HealthConfig>) -> Result<(), CliFailure> {
    const OPTIONS: [&str; 5] = [
        "health-cmd",
        "health-interval",
        "health-retries",
        "health-timeout",
        "health-start-period",
    ];
    if !flags.changed("no-healthcheck") && !flags.any_changed(&OPTIONS) {
        return Ok(());
    }
    let health = health.get_or_insert_default();
    if flags.bool("no-healthcheck") {
        if flags.any_changed(&OPTIONS) {
            return Err(CliFailure::error(CONFLICT));
        }
        *health = HealthConfig { test: vec!["NONE".to_string()], ..HealthConfig::default() };
        return Ok(());
    }
    if health.is_none() {
        health.test.clear();
    }
    for (flag, field) in [
        ("health-interval", &mut health.interval),
        ("health-timeout", &mut health.timeout),
        ("health-start-period", &mut health.start_period),
    ] {
        if let Some(span) = flags.span(flag) {
            *field = span;
        }
    }
    if let Some(retries) = flags.int("health-retries") {
        health.retries = retries;
    }
    if let Some(command) = flags.text("health-cmd") {
        health.test = spec_create::shell_test(command);
    }
    Ok(())
}

/// Adding a dropped capability only un-drops it, and the other way round; adding wins; `RESET`
/// clears.
fn update_capabilities(flags: &Parsed, container: &mut ContainerSpec) {
    let read = |flag: &str| -> BTreeSet<String> {
        flags.texts(flag).map(spec_create::capability).collect()
    };
    let (mut to_add, mut to_drop) = (read("cap-add"), read("cap-drop"));
    let mut added: BTreeSet<String> = container.cap_add.drain(..).collect();
    let mut dropped: BTreeSet<String> = container.cap_drop.drain(..).collect();
    if to_add.remove("RESET") {
        added.clear();
    }
    if to_drop.remove("RESET") {
        dropped.clear();
    }
    to_drop.retain(|name| !to_add.contains(name));
    for name in to_drop {
        if !added.remove(&name) {
            dropped.insert(name);
        }
    }
    for name in to_add {
        if !dropped.remove(&name) {
            added.insert(name);
        }
    }
    let absorb = |set: BTreeSet<String>| -> Vec<String> {
        if set.contains("ALL") { vec!["ALL".to_string()] } else { set.into_iter().collect() }
    };
    (container.cap_add, container.cap_drop) = (absorb(added), absorb(dropped));
}

fn update_files(
    flags: &Parsed,
    what: &str,
    [add, rm]: [&str; 2],
    files: &mut Vec<FileReference>,
) -> Result<(), CliFailure> {
    if !flags.any_changed(&[add, rm]) {
        return Ok(());
    }
    let gone = removals(flags, rm);
    files.retain(|file| !gone.contains(file.source.as_str()));
    let mut added = spec_create::files(what, flags.files(add))?;
    added.sort_by(|a, b| a.source.cmp(&b.source));
    files.extend(added);
    Ok(())
}
