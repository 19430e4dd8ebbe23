//! A service of a file as the spec that is sent to the manager.
//!
//! Upstream: docker cli `cli/compose/convert/service.go` `Service` (cli surface 5.2, 5.3).

use crate::client::image::with_tag;
use crate::client::spec_create::{DaemonWords, capabilities_of};
use crate::client::values::parse_bytes;
use crate::compose::deploy::{
    mode, placement, resources, restart_policy, span, update_config, word,
};
use crate::compose::file::{labels, names};
use crate::compose::mistake::{Mistakes, Phase};
use crate::compose::objects::{IMAGE, Stack, own_name, warning};
use crate::compose::plan::ServicePlan;
use crate::compose::value::{Field, Node, Value};
use crate::compose::{mounts, ports};
use crate::scenario::problem::Place;
use crate::swarmkit::spec::{
    ContainerSpec, DnsConfig, EndpointSpec, FileReference, HealthConfig, LogDriver,
    NetworkAttachment, PortConfig, ServiceSpec, TaskTemplate, Ulimit,
};

/// Numbers that must not be negative, by path below a service.
const COUNTS: [&[&str]; 6] = [
    &["deploy", "replicas"],
    &["deploy", "update_config", "parallelism"],
    &["deploy", "rollback_config", "parallelism"],
    &["deploy", "restart_policy", "max_attempts"],
    &["deploy", "placement", "max_replicas_per_node"],
    &["healthcheck", "retries"],
];

/// Notes values that the schema lets through and that cannot be read.
pub(super) fn check(root: &Node, mistakes: &mut Mistakes) {
    for field in root.get("services").map_or(&[][..], Node::fields) {
        let mut note = |node: &Node, text: String, hint: Option<&str>| {
            let what = node.text().unwrap_or("").to_string();
            let hint = hint.map(str::to_string);
            mistakes.note(Phase::Load, "", node.place, &what, &text, hint);
        };
        for path in COUNTS {
            let found = path.iter().try_fold(&field.node, |node, key| node.get(key));
            let number = found.and_then(|node| Some((node, node.int()?)));
            if let Some((node, number)) = number.filter(|(_, number)| *number < 0) {
                let name = path.join(".");
                let text = decoding(&name, &format!("cannot parse, {number} overflows uint"));
                note(node, text, Some("0 or more"));
            }
        }
        for side in ["limits", "reservations"] {
            let path = ["deploy", "resources", side, "memory"];
            let found = path.iter().try_fold(&field.node, |node, key| node.get(key));
            let wrong = found.and_then(|node| Some((node, parse_bytes(node.text()?).err()?)));
            if let Some((node, cause)) = wrong {
                let name = format!("Deploy.Resources.{}.memory", title(side));
                note(node, decoding(&name, &cause), Some("write it like 512M or 2g"));
            }
        }
        for key in ["command", "entrypoint"] {
            let node = field.node.get(key);
            let text = node.and_then(Node::text);
            if let Some((node, _)) = node.zip(text).filter(|(_, t)| shell_words::split(t).is_err())
            {
                let cause = "EOF found when expecting closing quote";
                note(node, decoding(&title(key), cause), Some("close the quote"));
            }
        }
        for volume in field.node.get("volumes").map_or(&[][..], Node::items) {
            if let Some(text) = mounts::check(volume) {
                let hint = "write it like data:/var/lib/data or ./conf:/etc/conf:ro";
                note(volume, text, Some(hint));
            }
        }
    }
}

/// The frame that the client's decoder puts around a value that it cannot read.
fn decoding(name: &str, cause: &str) -> String {
    format!("1 error(s) decoding:\n\n* error decoding '{name}': {cause}")
}

fn title(word: &str) -> String {
    let (first, rest) = word.split_at(word.len().min(1));
    first.to_uppercase() + rest
}

/// What the client says of addresses that it leaves out of published ports.
pub(super) fn warnings(root: &Node) -> String {
    let services = root.get("services").map_or(&[][..], Node::fields);
    let ports = services.iter().filter_map(|field| field.node.get("ports")).flat_map(Node::items);
    ports.filter_map(|node| ports::short(node.text()?).1).map(|text| warning(&text)).collect()
}

/// The spec of a service.
///
/// # Errors
/// Docker's text after `service NAME: `, and the place that it is about.
pub(super) fn lower(
    field: &Field,
    root: &Node,
    env: &[String],
    stack: Stack<'_>,
) -> Result<ServicePlan, (Place, String)> {
    let service = &field.node;
    let deploy = service.get("deploy");
    let at = |key: &str| {
        let parts = key.split('.').try_fold(service, |node, key| node.get(key));
        parts.map_or(field.place, |node| node.place)
    };
    let mut words = DaemonWords::default();
    let secrets = references(service, root, "secrets", "secret", stack)?;
    let configs = references(service, root, "configs", "config", stack)?;
    let endpoint = endpoint(service, &mut words);
    let mode = mode(deploy).map_err(|text| (at("deploy.mode"), text))?;
    let mut mounts = Vec::new();
    for node in service.get("volumes").map_or(&[][..], Node::items) {
        mounts.push(mounts::mount(node, root, stack).map_err(|text| (node.place, text))?);
    }
    let resources = resources(deploy).map_err(|text| (at("deploy.resources"), text))?;
    let restart = restart_policy(service, &mut words).map_err(|text| (at("restart"), text))?;
    let healthcheck = healthcheck(service).map_err(|text| (at("healthcheck"), text))?;
    let networks = networks(field, root, stack)?;
    let credential_spec = credential_spec(service).map_err(|text| (at("credential_spec"), text))?;
    let image = word(Some(service), "image").to_string();
    let mut service_labels = stack.labelled(labels(deploy.and_then(|d| d.get("labels"))));
    service_labels.insert(IMAGE.to_string(), image.clone());
    let spec = ServiceSpec {
        name: stack.scope(&field.key),
        labels: service_labels,
        task: TaskTemplate {
            container: ContainerSpec {
                env: env.to_vec(),
                mounts,
                healthcheck,
                secrets,
                configs,
                credential_spec,
                labels: stack.labelled(labels(service.get("labels"))),
                ..container(service, &image)
            },
            resources: Some(resources),
            restart,
            placement: Some(placement(deploy)),
            networks,
            log_driver: log_driver(service),
            force_update: 0,
            pull_options: None,
        },
        mode,
        update: update_config(deploy, "update_config", 2, &mut words),
        rollback: update_config(deploy, "rollback_config", 4, &mut words),
        endpoint: Some(endpoint),
    };
    let refused = words.refused();
    Ok(ServicePlan { key: field.key.clone(), image, spec, refused, place: field.place })
}

/// What needs nothing but the service itself.
fn container(service: &Node, image: &str) -> ContainerSpec {
    let some = Some(service);
    let text = |key: &str| word(some, key).to_string();
    let truth = |key: &str| service.get(key).is_some_and(Node::truth);
    let (cap_add, cap_drop) =
        capabilities_of(&list(service.get("cap_add")), &list(service.get("cap_drop")));
    ContainerSpec {
        image: with_tag(image),
        command: shell(service.get("entrypoint")),
        args: shell(service.get("command")),
        hostname: text("hostname"),
        dir: text("working_dir"),
        user: text("user"),
        init: service.get("init").map(Node::truth),
        stop_signal: text("stop_signal"),
        tty: truth("tty"),
        open_stdin: truth("stdin_open"),
        read_only: truth("read_only"),
        stop_grace_period: span(some, "stop_grace_period"),
        hosts: hosts(service.get("extra_hosts")),
        dns: dns(service),
        isolation: text("isolation"),
        sysctls: labels(service.get("sysctls")),
        cap_add,
        cap_drop,
        ulimits: ulimits(service.get("ulimits")),
        oom_score_adj: service.get("oom_score_adj").and_then(Node::int).unwrap_or(0),
        ..ContainerSpec::default()
    }
}

/// A text as a shell splits it, or a list as it is.
fn shell(node: Option<&Node>) -> Vec<String> {
    match node.and_then(Node::text) {
        Some(text) => shell_words::split(text).unwrap_or_default(),
        None => list(node),
    }
}

fn list(node: Option<&Node>) -> Vec<String> {
    names(node).into_iter().map(|(text, _)| text.to_string()).collect()
}

/// `host:ip` as it is stored: `ip host`.
fn hosts(node: Option<&Node>) -> Vec<String> {
    let mut mapped: Vec<String> = node
        .map_or(&[][..], Node::fields)
        .iter()
        .filter(|field| field.node.value != Value::Null)
        .map(|field| format!("{}:{}", field.key, field.node.printed()))
        .collect();
    mapped.sort();
    let entries = list(node).into_iter().chain(mapped);
    let turned =
        |entry: String| entry.split_once(':').map(|(host, address)| format!("{address} {host}"));
    entries.filter_map(turned).collect()
}

fn dns(service: &Node) -> Option<DnsConfig> {
    let config = DnsConfig {
        nameservers: list(service.get("dns")),
        search: list(service.get("dns_search")),
        options: Vec::new(),
    };
    (config != DnsConfig::default()).then_some(config)
}

fn ulimits(node: Option<&Node>) -> Vec<Ulimit> {
    let limit = |field: &Field| {
        let of = |key: &str| field.node.get(key).and_then(Node::int).unwrap_or(0);
        let (soft, hard) = match field.node.int() {
            Some(single) => (single, single),
            None => (of("soft"), of("hard")),
        };
        Ulimit { name: field.key.clone(), soft, hard }
    };
    let mut limits: Vec<Ulimit> = node.map_or(&[][..], Node::fields).iter().map(limit).collect();
    limits.sort_by(|a, b| a.name.cmp(&b.name));
    limits
}

fn log_driver(service: &Node) -> Option<LogDriver> {
    let logging = service.get("logging")?;
    Some(LogDriver {
        name: word(Some(logging), "driver").to_string(),
        options: labels(logging.get("options")),
    })
}

/// A text is a shell's line, a list is taken as it is, whatever it begins with.
fn healthcheck(service: &Node) -> Result<Option<HealthConfig>, String> {
    let Some(check) = service.get("healthcheck") else { return Ok(None) };
    let test = match check.get("test") {
        None => Vec::new(),
        Some(test) => match test.text() {
            Some(line) => vec!["CMD-SHELL".to_string(), line.to_string()],
            None => list(Some(test)),
        },
    };
    if check.get("disable").is_some_and(Node::truth) {
        if !test.is_empty() {
            return Err("test and disable can't be set at the same time".to_string());
        }
        let test = vec!["NONE".to_string()];
        return Ok(Some(HealthConfig { test, ..HealthConfig::default() }));
    }
    let time = |key: &str| span(Some(check), key).unwrap_or_default();
    Ok(Some(HealthConfig {
        test,
        interval: time("interval"),
        timeout: time("timeout"),
        start_period: time("start_period"),
        start_interval: time("start_interval"),
        retries: check.get("retries").and_then(Node::int).unwrap_or(0),
    }))
}

/// The endpoint, its ports in the client's order.
fn endpoint(service: &Node, words: &mut DaemonWords) -> EndpointSpec {
    let mut list: Vec<PortConfig> = Vec::new();
    for node in service.get("ports").map_or(&[][..], Node::items) {
        if let Value::Map(_) = node.value {
            list.push(ports::long(node));
        } else {
            list.extend(ports::short(&node.printed()).0);
        }
    }
    list.sort_by(|a, b| {
        let words = |port: &PortConfig| (port.protocol.word(), port.publish_mode.word());
        (a.published, a.target).cmp(&(b.published, b.target)).then(words(a).cmp(&words(b)))
    });
    let mode = word(service.get("deploy"), "endpoint_mode").to_lowercase();
    EndpointSpec { mode: words.endpoint_mode(&mode), ports: list }
}

/// The networks by name; without any, the stack's own.
fn networks(
    field: &Field,
    root: &Node,
    stack: Stack<'_>,
) -> Result<Vec<NetworkAttachment>, (Place, String)> {
    let declared = root.get("networks").map_or(&[][..], Node::fields);
    let mut attachments = Vec::new();
    for (key, place, settings) in used_networks(field) {
        let known = declared.iter().find(|network| network.key == key);
        let target = match known {
            Some(network) => own_name(network, stack),
            None if key == "default" => stack.scope(key),
            None => return Err((place, format!("undefined network \"{key}\""))),
        };
        let mut aliases = list(settings.and_then(|settings| settings.get("aliases")));
        if is_user_defined(&target) {
            aliases.push(field.key.clone());
        }
        let driver_opts = labels(settings.and_then(|settings| settings.get("driver_opts")));
        attachments.push(NetworkAttachment { target, aliases, driver_opts });
    }
    attachments.sort_by(|a, b| a.target.cmp(&b.target));
    Ok(attachments)
}

/// Keys of the networks that a service uses, with their places and settings.
pub(super) fn used_networks(field: &Field) -> Vec<(&str, Place, Option<&Node>)> {
    let node = field.node.get("networks");
    let listed = names(node).into_iter().map(|(name, place)| (name, place, None));
    let mapped = node.map_or(&[][..], Node::fields).iter();
    let mapped = mapped.map(|network| (&*network.key, network.place, Some(&network.node)));
    let used: Vec<_> = listed.chain(mapped).collect();
    if used.is_empty() { vec![("default", field.place, None)] } else { used }
}

/// Networks that are not built into every engine.
pub(super) fn is_user_defined(network: &str) -> bool {
    !matches!(network, "bridge" | "host" | "none" | "default") && !network.starts_with("container:")
}

/// Secrets or configs of a service, by name in the cluster.
fn references(
    service: &Node,
    root: &Node,
    section: &str,
    what: &str,
    stack: Stack<'_>,
) -> Result<Vec<FileReference>, (Place, String)> {
    let declared = root.get(section).map_or(&[][..], Node::fields);
    let mut files = Vec::new();
    for node in service.get(section).map_or(&[][..], Node::items) {
        let key = node.text().unwrap_or_else(|| word(Some(node), "source"));
        let Some(object) = declared.iter().find(|object| object.key == key) else {
            return Err((node.place, format!("undefined {what} \"{key}\"")));
        };
        let or = |key: &str, default: &str| match word(Some(node), key) {
            "" => default.to_string(),
            text => text.to_string(),
        };
        let mode = node.get("mode").and_then(Node::int).and_then(|mode| u32::try_from(mode).ok());
        files.push(FileReference {
            source: own_name(object, stack),
            target: or("target", key),
            uid: or("uid", "0"),
            gid: or("gid", "0"),
            mode: mode.unwrap_or(0o444),
        });
    }
    for (index, file) in files.iter().enumerate() {
        if files[..index].iter().any(|before| before.target == file.target) {
            let place = service.get(section).map_or(service.place, |node| node.place);
            let text = format!("duplicate {what} target for {} not allowed", file.source);
            return Err((place, text));
        }
    }
    files.sort_by(|a, b| a.source.cmp(&b.source));
    Ok(files)
}

fn credential_spec(service: &Node) -> Result<String, String> {
    let spec = service.get("credential_spec");
    let kinds = [("Config", "config"), ("File", "file"), ("Registry", "registry")];
    let given: Vec<_> = kinds.into_iter().filter(|(_, key)| !word(spec, key).is_empty()).collect();
    match given.as_slice() {
        [] => Ok(String::new()),
        [(_, key)] => Ok(format!("{key}://{}", word(spec, key))),
        [(a, _), (b, _)] => {
            Err(format!("invalid credential spec: cannot specify both \"{a}\" and \"{b}\""))
        }
        _ => Err("invalid credential spec: cannot specify both \"Config\", \"File\", and \
                  \"Registry\""
            .to_string()),
    }
}
