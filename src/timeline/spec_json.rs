//! A service's spec as JSON and back: our field names in a fixed order, absent parts left out.
//!
//! Spans are whole nanoseconds; the failure ratio is a text, since timelines hold integers only. A
//! part is left out if and only if it has the value that reading puts in its place, so writing is
//! exact.

use std::collections::BTreeMap;

use ordered_float::OrderedFloat;
use serde_json::Value;

use crate::base::time::Span;
use crate::swarmkit::spec::{
    Amounts, ContainerSpec, DnsConfig, EndpointSpec, FailureAction, FileReference, HealthConfig,
    LogDriver, Mode, Mount, NetworkAttachment, Placement, Platform, PortConfig, Protocol,
    PublishMode, ResolutionMode, Resources, RestartCondition, RestartPolicy, ServiceSpec,
    TaskTemplate, Ulimit, UpdateConfig, UpdateOrder,
};
use crate::timeline::fields::{Fields, Mistake, as_number, as_text, mistake};
use crate::timeline::json::{Object, quote};

/// Writes a spec as one JSON object at the end of `out`.
pub fn write(out: &mut Vec<u8>, spec: &ServiceSpec) {
    let mut o = Object::open(out);
    o.text("name", &spec.name);
    texts_map(&mut o, "labels", &spec.labels);
    match spec.mode {
        Mode::Replicated { replicas } => o.object("mode", |o| o.number("replicated", replicas)),
        Mode::Global => o.text("mode", "global"),
        Mode::ReplicatedJob { max_concurrent, total_completions } => o.object("mode", |o| {
            o.number("max_concurrent", max_concurrent);
            o.number("total_completions", total_completions);
        }),
        Mode::GlobalJob => o.text("mode", "global_job"),
    }
    o.object("task", |o| task(o, &spec.task));
    if let Some(config) = &spec.update {
        o.object("update", |o| update(o, config));
    }
    if let Some(config) = &spec.rollback {
        o.object("rollback", |o| update(o, config));
    }
    if let Some(spec) = &spec.endpoint {
        o.object("endpoint", |o| endpoint(o, spec));
    }
    o.close();
}

/// The spec as text.
pub fn to_text(spec: &ServiceSpec) -> String {
    let mut out = Vec::new();
    write(&mut out, spec);
    String::from_utf8(out).expect("JSON is UTF-8")
}

fn span_if(o: &mut Object<'_>, key: &str, span: Option<Span>) {
    if let Some(span) = span {
        o.number(key, span.0);
    }
}

fn texts_map(o: &mut Object<'_>, key: &str, map: &BTreeMap<String, String>) {
    if map.is_empty() {
        return;
    }
    o.object(key, |o| {
        for (key, value) in map {
            free_key(o, key, |o, key| o.text(key, value));
        }
    });
}

/// A field whose name a user chose.
fn free_key(o: &mut Object<'_>, key: &str, write: impl FnOnce(&mut Object<'_>, &str)) {
    let mut quoted = Vec::new();
    quote(&mut quoted, key);
    let text = std::str::from_utf8(&quoted[1..quoted.len() - 1]).expect("JSON is UTF-8");
    write(o, text);
}

fn update(o: &mut Object<'_>, config: &UpdateConfig) {
    o.number("parallelism", config.parallelism);
    o.number("delay", config.delay.0);
    span_if(o, "monitor", config.monitor);
    o.text("failure_action", config.failure_action.word());
    o.plain("max_failure_ratio", config.max_failure_ratio.0);
    o.text("order", config.order.word());
}

fn task(o: &mut Object<'_>, task: &TaskTemplate) {
    o.object("container", |o| container(o, &task.container));
    if let Some(resources) = &task.resources {
        o.object("resources", |o| {
            amounts(o, "limits", &resources.limits);
            amounts(o, "reservations", &resources.reservations);
            if let Some(bytes) = resources.swap_bytes {
                o.number("swap_bytes", bytes);
            }
            if let Some(swappiness) = resources.memory_swappiness {
                o.number("memory_swappiness", swappiness);
            }
        });
    }
    if let Some(restart) = &task.restart {
        o.object("restart", |o| {
            o.text("condition", restart.condition.word());
            span_if(o, "delay", restart.delay);
            o.number_if("max_attempts", restart.max_attempts);
            span_if(o, "window", restart.window);
        });
    }
    if let Some(placement) = &task.placement {
        o.object("placement", |o| write_placement(o, placement));
    }
    if !task.networks.is_empty() {
        o.list("networks", &task.networks, |out, network| {
            let mut o = Object::open(out);
            o.text("target", &network.target);
            o.texts_if("aliases", &network.aliases);
            texts_map(&mut o, "driver_opts", &network.driver_opts);
            o.close();
        });
    }
    if let Some(driver) = &task.log_driver {
        o.object("log_driver", |o| {
            o.text("name", &driver.name);
            texts_map(o, "options", &driver.options);
        });
    }
    o.number_if("force_update", task.force_update);
    if let Some(options) = &task.pull_options {
        o.text("pull_options", options);
    }
}

fn amounts(o: &mut Object<'_>, key: &str, amounts: &Amounts) {
    if *amounts == Amounts::default() {
        return;
    }
    o.object(key, |o| {
        o.number_if("nano_cpus", amounts.nano_cpus);
        o.number_if("memory_bytes", amounts.memory_bytes);
        o.number_if("pids", amounts.pids);
        if !amounts.generic.is_empty() {
            o.object("generic", |o| {
                for (kind, count) in &amounts.generic {
                    free_key(o, kind, |o, kind| o.number(kind, *count));
                }
            });
        }
    });
}

fn write_placement(o: &mut Object<'_>, placement: &Placement) {
    o.texts_if("constraints", &placement.constraints);
    o.texts_if("preferences", &placement.preferences);
    o.number_if("max_replicas", placement.max_replicas);
    if !placement.platforms.is_empty() {
        o.list("platforms", &placement.platforms, |out, platform| {
            let mut o = Object::open(out);
            o.text_if("architecture", &platform.architecture);
            o.text_if("os", &platform.os);
            o.close();
        });
    }
}

fn container(o: &mut Object<'_>, c: &ContainerSpec) {
    o.text("image", &c.image);
    texts_map(o, "labels", &c.labels);
    o.texts_if("command", &c.command);
    o.texts_if("args", &c.args);
    o.text_if("hostname", &c.hostname);
    o.texts_if("env", &c.env);
    o.text_if("dir", &c.dir);
    o.text_if("user", &c.user);
    o.texts_if("groups", &c.groups);
    if let Some(init) = c.init {
        o.flag("init", init);
    }
    o.text_if("stop_signal", &c.stop_signal);
    o.flag_if("tty", c.tty);
    o.flag_if("open_stdin", c.open_stdin);
    o.flag_if("read_only", c.read_only);
    if !c.mounts.is_empty() {
        o.list("mounts", &c.mounts, write_mount);
    }
    span_if(o, "stop_grace_period", c.stop_grace_period);
    if let Some(health) = &c.healthcheck {
        o.object("healthcheck", |o| {
            o.texts_if("test", &health.test);
            o.number_if("interval", health.interval.0);
            o.number_if("timeout", health.timeout.0);
            o.number_if("start_period", health.start_period.0);
            o.number_if("start_interval", health.start_interval.0);
            o.number_if("retries", health.retries);
        });
    }
    o.texts_if("hosts", &c.hosts);
    if let Some(dns) = &c.dns {
        o.object("dns", |o| {
            o.texts_if("nameservers", &dns.nameservers);
            o.texts_if("search", &dns.search);
            o.texts_if("options", &dns.options);
        });
    }
    for (key, files) in [("secrets", &c.secrets), ("configs", &c.configs)] {
        if !files.is_empty() {
            o.list(key, files, write_file);
        }
    }
    o.text_if("isolation", &c.isolation);
    texts_map(o, "sysctls", &c.sysctls);
    o.texts_if("cap_add", &c.cap_add);
    o.texts_if("cap_drop", &c.cap_drop);
    if !c.ulimits.is_empty() {
        o.list("ulimits", &c.ulimits, |out, limit| {
            let mut o = Object::open(out);
            o.text("name", &limit.name);
            o.number("soft", limit.soft);
            o.number("hard", limit.hard);
            o.close();
        });
    }
    o.number_if("oom_score_adj", c.oom_score_adj);
    o.text_if("credential_spec", &c.credential_spec);
}

fn write_mount(out: &mut Vec<u8>, mount: &Mount) {
    let mut o = Object::open(out);
    o.text("kind", &mount.kind);
    o.text_if("source", &mount.source);
    o.text_if("target", &mount.target);
    o.flag_if("read_only", mount.read_only);
    texts_map(&mut o, "options", &mount.options);
    o.close();
}

fn write_file(out: &mut Vec<u8>, file: &FileReference) {
    let mut o = Object::open(out);
    o.text("source", &file.source);
    o.text_if("target", &file.target);
    o.text_if("uid", &file.uid);
    o.text_if("gid", &file.gid);
    o.number_if("mode", file.mode);
    o.close();
}

fn endpoint(o: &mut Object<'_>, endpoint: &EndpointSpec) {
    o.text("mode", endpoint.mode.word());
    if !endpoint.ports.is_empty() {
        o.list("ports", &endpoint.ports, |out, port| {
            let mut o = Object::open(out);
            o.number_if("published", port.published);
            o.number("target", port.target);
            o.text("protocol", port.protocol.word());
            o.text("publish_mode", port.publish_mode.word());
            o.close();
        });
    }
}

/// Reads a spec.
pub(super) fn read(value: Value) -> Result<ServiceSpec, Mistake> {
    let mut f = Fields::of(value, "the spec")?;
    let spec = ServiceSpec {
        name: f.text("name")?,
        labels: read_texts_map(&mut f, "labels")?,
        mode: read_mode(f.value("mode")?)?,
        task: read_task(f.object("task")?)?,
        update: f.object_if("update")?.map(read_update).transpose()?,
        rollback: f.object_if("rollback")?.map(read_update).transpose()?,
        endpoint: f.object_if("endpoint")?.map(read_endpoint).transpose()?,
    };
    f.done()?;
    Ok(spec)
}

fn read_mode(value: Value) -> Result<Mode, Mistake> {
    match value {
        Value::String(word) if word == "global" => Ok(Mode::Global),
        Value::String(word) if word == "global_job" => Ok(Mode::GlobalJob),
        Value::Object(_) => {
            let mut f = Fields::of(value, "\"mode\"")?;
            let mode = match f.number_if("replicated")? {
                Some(replicas) => Mode::Replicated { replicas },
                None => Mode::ReplicatedJob {
                    max_concurrent: f.number("max_concurrent")?,
                    total_completions: f.number("total_completions")?,
                },
            };
            f.done()?;
            Ok(mode)
        }
        _ => Err(mistake(
            "\"mode\" is none that Swarm has",
            "write {\"replicated\":2}, \"global\", {\"max_concurrent\":1,\"total_completions\":3} \
             or \"global_job\"",
        )),
    }
}

fn read_texts_map(f: &mut Fields, key: &str) -> Result<BTreeMap<String, String>, Mistake> {
    let Some(fields) = f.object_if(key)? else { return Ok(BTreeMap::new()) };
    fields.into_pairs().map(|(name, value)| Ok((name, as_text(value, key)?))).collect()
}

fn read_list<T>(
    f: &mut Fields,
    key: &str,
    read: impl Fn(Fields) -> Result<T, Mistake>,
) -> Result<Vec<T>, Mistake> {
    let what = format!("an item of \"{key}\"");
    f.list_or_empty(key)?.into_iter().map(|value| read(Fields::of(value, &what)?)).collect()
}

fn read_update(mut f: Fields) -> Result<UpdateConfig, Mistake> {
    let config = UpdateConfig {
        parallelism: f.number("parallelism")?,
        delay: f.span("delay")?,
        monitor: f.span_if("monitor")?,
        failure_action: f.word("failure_action", FailureAction::WORDS, FailureAction::from_word)?,
        max_failure_ratio: {
            let text = f.text("max_failure_ratio")?;
            OrderedFloat(text.parse().map_err(|_| {
                mistake(
                    "\"max_failure_ratio\" is no number",
                    "a number in quotes is expected, such as \"0.25\"",
                )
            })?)
        },
        order: f.word("order", UpdateOrder::WORDS, UpdateOrder::from_word)?,
    };
    f.done()?;
    Ok(config)
}

fn read_task(mut f: Fields) -> Result<TaskTemplate, Mistake> {
    let task = TaskTemplate {
        container: read_container(f.object("container")?)?,
        resources: f.object_if("resources")?.map(read_resources).transpose()?,
        restart: f.object_if("restart")?.map(read_restart).transpose()?,
        placement: f.object_if("placement")?.map(read_placement).transpose()?,
        networks: read_list(&mut f, "networks", |mut f| {
            let network = NetworkAttachment {
                target: f.text("target")?,
                aliases: f.texts_or_empty("aliases")?,
                driver_opts: read_texts_map(&mut f, "driver_opts")?,
            };
            f.done().map(|()| network)
        })?,
        log_driver: f
            .object_if("log_driver")?
            .map(|mut f| {
                let name = f.text("name")?;
                let options = read_texts_map(&mut f, "options")?;
                f.done().map(|()| LogDriver { name, options })
            })
            .transpose()?,
        force_update: f.number_or_zero("force_update")?,
        pull_options: f.find("pull_options").map(|v| as_text(v, "pull_options")).transpose()?,
    };
    f.done()?;
    Ok(task)
}

fn read_resources(mut f: Fields) -> Result<Resources, Mistake> {
    let resources = Resources {
        limits: read_amounts(&mut f, "limits")?,
        reservations: read_amounts(&mut f, "reservations")?,
        swap_bytes: f.number_if("swap_bytes")?,
        memory_swappiness: f.number_if("memory_swappiness")?,
    };
    f.done()?;
    Ok(resources)
}

fn read_amounts(f: &mut Fields, key: &str) -> Result<Amounts, Mistake> {
    let Some(mut f) = f.object_if(key)? else { return Ok(Amounts::default()) };
    let generic = match f.object_if("generic")? {
        None => BTreeMap::new(),
        Some(kinds) => kinds
            .into_pairs()
            .map(|(kind, count)| Ok((kind, as_number(&count, "generic")?)))
            .collect::<Result<_, Mistake>>()?,
    };
    let amounts = Amounts {
        nano_cpus: f.number_or_zero("nano_cpus")?,
        memory_bytes: f.number_or_zero("memory_bytes")?,
        pids: f.number_or_zero("pids")?,
        generic,
    };
    f.done()?;
    Ok(amounts)
}

fn read_restart(mut f: Fields) -> Result<RestartPolicy, Mistake> {
    let policy = RestartPolicy {
        condition: f.word("condition", RestartCondition::WORDS, RestartCondition::from_word)?,
        delay: f.span_if("delay")?,
        max_attempts: f.number_or_zero("max_attempts")?,
        window: f.span_if("window")?,
    };
    f.done()?;
    Ok(policy)
}

fn read_placement(mut f: Fields) -> Result<Placement, Mistake> {
    let placement = Placement {
        constraints: f.texts_or_empty("constraints")?,
        preferences: f.texts_or_empty("preferences")?,
        max_replicas: f.number_or_zero("max_replicas")?,
        platforms: read_list(&mut f, "platforms", |mut f| {
            let (architecture, os) = (f.text_or_empty("architecture")?, f.text_or_empty("os")?);
            f.done().map(|()| Platform { architecture, os })
        })?,
    };
    f.done()?;
    Ok(placement)
}

fn read_container(mut f: Fields) -> Result<ContainerSpec, Mistake> {
    let container = ContainerSpec {
        image: f.text("image")?,
        labels: read_texts_map(&mut f, "labels")?,
        command: f.texts_or_empty("command")?,
        args: f.texts_or_empty("args")?,
        hostname: f.text_or_empty("hostname")?,
        env: f.texts_or_empty("env")?,
        dir: f.text_or_empty("dir")?,
        user: f.text_or_empty("user")?,
        groups: f.texts_or_empty("groups")?,
        init: f.flag_if("init")?,
        stop_signal: f.text_or_empty("stop_signal")?,
        tty: f.flag_if("tty")?.unwrap_or(false),
        open_stdin: f.flag_if("open_stdin")?.unwrap_or(false),
        read_only: f.flag_if("read_only")?.unwrap_or(false),
        mounts: read_list(&mut f, "mounts", read_mount)?,
        stop_grace_period: f.span_if("stop_grace_period")?,
        healthcheck: f.object_if("healthcheck")?.map(read_health).transpose()?,
        hosts: f.texts_or_empty("hosts")?,
        dns: f.object_if("dns")?.map(read_dns).transpose()?,
        secrets: read_list(&mut f, "secrets", read_file)?,
        configs: read_list(&mut f, "configs", read_file)?,
        isolation: f.text_or_empty("isolation")?,
        sysctls: read_texts_map(&mut f, "sysctls")?,
        cap_add: f.texts_or_empty("cap_add")?,
        cap_drop: f.texts_or_empty("cap_drop")?,
        ulimits: read_list(&mut f, "ulimits", |mut f| {
            let limit =
                Ulimit { name: f.text("name")?, soft: f.number("soft")?, hard: f.number("hard")? };
            f.done().map(|()| limit)
        })?,
        oom_score_adj: f.number_or_zero("oom_score_adj")?,
        credential_spec: f.text_or_empty("credential_spec")?,
    };
    f.done()?;
    Ok(container)
}

fn read_mount(mut f: Fields) -> Result<Mount, Mistake> {
    let mount = Mount {
        kind: f.text("kind")?,
        source: f.text_or_empty("source")?,
        target: f.text_or_empty("target")?,
        read_only: f.flag_if("read_only")?.unwrap_or(false),
        options: read_texts_map(&mut f, "options")?,
    };
    f.done()?;
    Ok(mount)
}

fn read_health(mut f: Fields) -> Result<HealthConfig, Mistake> {
    let config = HealthConfig {
        test: f.texts_or_empty("test")?,
        interval: f.span_if("interval")?.unwrap_or_default(),
        timeout: f.span_if("timeout")?.unwrap_or_default(),
        start_period: f.span_if("start_period")?.unwrap_or_default(),
        start_interval: f.span_if("start_interval")?.unwrap_or_default(),
        retries: f.number_or_zero("retries")?,
    };
    f.done()?;
    Ok(config)
}

fn read_dns(mut f: Fields) -> Result<DnsConfig, Mistake> {
    let dns = DnsConfig {
        nameservers: f.texts_or_empty("nameservers")?,
        search: f.texts_or_empty("search")?,
        options: f.texts_or_empty("options")?,
    };
    f.done()?;
    Ok(dns)
}

fn read_file(mut f: Fields) -> Result<FileReference, Mistake> {
    let file = FileReference {
        source: f.text("source")?,
        target: f.text_or_empty("target")?,
        uid: f.text_or_empty("uid")?,
        gid: f.text_or_empty("gid")?,
        mode: f.number_or_zero("mode")?,
    };
    f.done()?;
    Ok(file)
}

fn read_endpoint(mut f: Fields) -> Result<EndpointSpec, Mistake> {
    let endpoint = EndpointSpec {
        mode: f.word("mode", ResolutionMode::WORDS, ResolutionMode::from_word)?,
        ports: read_list(&mut f, "ports", |mut f| {
            let port = PortConfig {
                published: f.number_or_zero("published")?,
                target: f.number("target")?,
                protocol: f.word("protocol", Protocol::WORDS, Protocol::from_word)?,
                publish_mode: f.word("publish_mode", PublishMode::WORDS, PublishMode::from_word)?,
            };
            f.done().map(|()| port)
        })?,
    };
    f.done()?;
    Ok(endpoint)
}
