//! `docker service inspect --pretty`.
//!
//! Source: cli surface 3.9. Upstream: docker cli `cli/command/service/formatter.go`.

use std::fmt::Write as _;

use crate::base::time::SimTime;
use crate::client::age;
use crate::client::inspect::with_defaults;
use crate::client::rows::{ServiceRow, UpdateRow};
use crate::swarmkit::spec::{
    Amounts, ContainerSpec, HealthConfig, Mode, Placement, PortConfig, Resources, ServiceSpec,
    UpdateConfig,
};
use crate::swarmkit::task::UpdateState;

/// Writes a line; writing to a text cannot fail.
macro_rules! line {
    ($out:expr, $($text:tt)*) => {{
        let _ = writeln!($out, $($text)*);
    }};
}

/// The services, each between two empty lines.
pub fn pretty(services: &[ServiceRow], now: SimTime) -> String {
    let mut out = String::new();
    for row in services {
        service(&mut out, row, now);
    }
    out
}

fn service(out: &mut String, row: &ServiceRow, now: SimTime) {
    let spec = with_defaults(&row.spec);
    line!(out, "\nID:\t\t{}\nName:\t\t{}", row.id, row.name);
    if !spec.labels.is_empty() {
        line!(out, "Labels:");
        for (key, value) in &spec.labels {
            let sign = if value.is_empty() { "" } else { "=" };
            line!(out, " {key}{sign}{value}");
        }
    }
    match spec.mode {
        Mode::Replicated { replicas } => {
            line!(out, "Service Mode:\tReplicated\n Replicas:\t{replicas}");
        }
        Mode::Global => line!(out, "Service Mode:\tGlobal"),
        Mode::ReplicatedJob { .. } | Mode::GlobalJob => line!(out, "Service Mode:"),
    }
    if let Some(status) = &row.update {
        update_status(out, status, now);
    }
    placement(out, spec.task.placement.as_ref().unwrap_or(&Placement::default()));
    update_configs(out, &spec);
    container(out, &spec.task.container);
    log_driver(out, &spec);
    resources(out, spec.task.resources.as_ref().unwrap_or(&Resources::default()));
    if !spec.task.networks.is_empty() {
        let _ = write!(out, "Networks:");
        for network in &spec.task.networks {
            let _ = write!(out, " {}", network.target);
        }
        out.push_str(" \n");
    }
    let mode = spec.endpoint.as_ref().map_or_else(Default::default, |endpoint| endpoint.mode);
    line!(out, "Endpoint Mode:\t{}", mode.word());
    ports(out, &row.ports);
    if let Some(health) = &spec.task.container.healthcheck {
        healthcheck(out, health);
    }
    out.push('\n');
}

fn update_status(out: &mut String, status: &UpdateRow, now: SimTime) {
    line!(out, "UpdateStatus:\n State:\t\t{}", status.state.word());
    if let Some(started) = status.started {
        line!(out, " Started:\t{}", age::ago(now, started));
    }
    if let (UpdateState::Completed, Some(completed)) = (status.state, status.completed) {
        line!(out, " Completed:\t{}", age::ago(now, completed));
    }
    line!(out, " Message:\t{}", status.message);
}

fn placement(out: &mut String, placement: &Placement) {
    line!(out, "Placement:");
    if !placement.constraints.is_empty() {
        line!(out, " Constraints:\t[{}]", placement.constraints.join(" "));
    }
    if !placement.preferences.is_empty() {
        let texts: Vec<String> =
            placement.preferences.iter().map(|descriptor| format!("spread={descriptor}")).collect();
        line!(out, " Preferences:   [{}]", texts.join(" "));
    }
    if placement.max_replicas > 0 {
        line!(out, " Max Replicas Per Node:   {}", placement.max_replicas);
    }
}

fn update_configs(out: &mut String, spec: &ServiceSpec) {
    for (config, title, order) in [
        (&spec.update, "UpdateConfig:", "Update order:      "),
        (&spec.rollback, "RollbackConfig:", "Rollback order:    "),
    ] {
        if let Some(config) = config {
            update_config(out, config, title, order);
        }
    }
}

fn update_config(out: &mut String, config: &UpdateConfig, title: &str, order: &str) {
    line!(out, "{title}\n Parallelism:\t{}", config.parallelism);
    if config.delay.0 > 0 {
        line!(out, " Delay:\t\t{}", config.delay);
    }
    line!(out, " On failure:\t{}", config.failure_action.word());
    if let Some(monitor) = config.monitor.filter(|monitor| monitor.0 > 0) {
        line!(out, " Monitoring Period: {monitor}");
    }
    line!(out, " Max failure ratio: {}", config.max_failure_ratio.0);
    line!(out, " {order}{}", config.order.word());
}

/// A title and words, each followed by a space.
fn words(out: &mut String, title: &str, words: &[String]) {
    if !words.is_empty() {
        line!(out, "{title}{} ", words.join(" "));
    }
}

fn container(out: &mut String, container: &ContainerSpec) {
    line!(out, "ContainerSpec:\n Image:\t\t{}", container.image);
    words(out, " Args:\t\t", &container.args);
    words(out, " Env:\t\t", &container.env);
    if !container.dir.is_empty() {
        line!(out, " Dir:\t\t{}", container.dir);
    }
    if let Some(init) = container.init {
        line!(out, " Init:\t\t{init}");
    }
    if !container.user.is_empty() {
        line!(out, " User: {}", container.user);
    }
    if !container.cap_add.is_empty() || !container.cap_drop.is_empty() {
        line!(out, "Capabilities:");
        for (title, names) in [("Add", &container.cap_add), ("Drop", &container.cap_drop)] {
            if !names.is_empty() {
                line!(out, " {title}: {}", names.join(", "));
            }
        }
    }
    if !container.sysctls.is_empty() {
        line!(out, "SysCtls:");
        for (key, value) in &container.sysctls {
            line!(out, " {key}: {value}");
        }
    }
    if !container.ulimits.is_empty() {
        line!(out, "Ulimits:");
        for limit in &container.ulimits {
            line!(out, " {}: {}:{}", limit.name, limit.soft, limit.hard);
        }
    }
    if !container.mounts.is_empty() {
        line!(out, "Mounts:");
        for mount in &container.mounts {
            line!(out, " Target:\t{}", mount.target);
            line!(out, "  Source:\t{}", mount.source);
            line!(out, "  ReadOnly:\t{}", mount.read_only);
            line!(out, "  Type:\t\t{}", mount.kind);
        }
    }
    for (title, files) in [("Configs:", &container.configs), ("Secrets:", &container.secrets)] {
        if !files.is_empty() {
            line!(out, "{title}");
        }
        for file in files {
            line!(out, " Target:\t{}\n  Source:\t{}", file.target, file.source);
        }
    }
}

fn log_driver(out: &mut String, spec: &ServiceSpec) {
    let Some(driver) = &spec.task.log_driver else { return };
    line!(out, "Log Driver:\n Name:\t\t{}", driver.name);
    if !driver.options.is_empty() {
        line!(out, " LogOpts:");
        for (key, value) in &driver.options {
            line!(out, "  {key}:       {value}");
        }
    }
    out.push('\n');
}

fn resources(out: &mut String, resources: &Resources) {
    line!(out, "Resources:");
    for (title, amounts, pids) in [
        ("Reservations", &resources.reservations, 0),
        ("Limits", &resources.limits, resources.limits.pids),
    ] {
        let Amounts { nano_cpus, memory_bytes, .. } = amounts;
        if *nano_cpus <= 0 && *memory_bytes <= 0 && pids <= 0 {
            continue;
        }
        line!(out, " {title}:");
        if *nano_cpus > 0 {
            line!(out, "  CPU:\t\t{}", cpus(*nano_cpus));
        }
        if *memory_bytes > 0 {
            line!(out, "  Memory:\t{}", bytes(*memory_bytes));
        }
        if pids > 0 {
            line!(out, "  PIDs:\t\t{pids}");
        }
    }
}

/// Billionths of a processor as a decimal without trailing zeros.
pub(crate) fn cpus(nano: i64) -> String {
    let (whole, rest) = (nano / 1_000_000_000, nano % 1_000_000_000);
    let text = format!("{whole}.{rest:09}");
    text.trim_end_matches('0').trim_end_matches('.').to_string()
}

/// Bytes with four significant digits and a binary unit.
///
/// Upstream: go-units `size.go` `BytesSize`.
pub(crate) fn bytes(bytes: i64) -> String {
    const UNITS: [&str; 6] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
    let (mut size, mut unit) = (bytes as f64, 0);
    while size >= 1024.0 && unit + 1 < UNITS.len() {
        size /= 1024.0;
        unit += 1;
    }
    let decimals = match size {
        size if size < 9.9995 => 3,
        size if size < 99.995 => 2,
        size if size < 999.95 => 1,
        _ => 0,
    };
    let mut text = format!("{size:.decimals$}");
    if decimals > 0 {
        text = text.trim_end_matches('0').trim_end_matches('.').to_string();
    }
    text + UNITS[unit]
}

/// The very last value has a space after it.
fn ports(out: &mut String, ports: &[PortConfig]) {
    if ports.is_empty() {
        return;
    }
    line!(out, "Ports:");
    for (index, port) in ports.iter().enumerate() {
        let end = if index + 1 == ports.len() { " " } else { "" };
        line!(out, " PublishedPort = {}", port.published);
        line!(out, "  Protocol = {}", port.protocol.word());
        line!(out, "  TargetPort = {}", port.target);
        line!(out, "  PublishMode = {}{end}", port.publish_mode.word());
    }
}

fn healthcheck(out: &mut String, health: &HealthConfig) {
    line!(out, " Healthcheck:\n  Interval = {}", health.interval);
    line!(out, "  Retries = {}", health.retries);
    line!(out, "  StartPeriod =\t{}", health.start_period);
    line!(out, "  Timeout =\t{}", health.timeout);
    if !health.test.is_empty() {
        line!(out, "  Tests:");
        for (index, word) in health.test.iter().enumerate() {
            let end = if index + 1 == health.test.len() { " " } else { "" };
            line!(out, "\t Test = {word}{end}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::Span;
    use crate::client::ls::tests::service;

    #[test]
    fn a_service_for_people() {
        let mut row = service(
            "--name web -l a=1 --replicas 3 --update-delay 10s --update-max-failure-ratio 0.25 \
             --constraint node.role==worker --placement-pref spread=node.labels.az -p 8080:80 \
             --reserve-memory 64M --limit-cpu 0.5 -e A=1 --health-cmd x --health-timeout 1s \
             nginx:1.27 sh -c x",
        );
        row.update = Some(UpdateRow {
            state: UpdateState::RollbackCompleted,
            message: "rollback completed".into(),
            started: Some(SimTime::ZERO),
            completed: Some(SimTime::ZERO),
        });
        let id = row.id;
        let now = SimTime::ZERO.after(Span::from_secs(120));
        let expected = format!(
            "\n\
ID:\t\t{id}\n\
Name:\t\tweb\n\
Labels:\n a=1\n\
Service Mode:\tReplicated\n Replicas:\t3\n\
UpdateStatus:\n State:\t\trollback_completed\n Started:\t2 minutes ago\n \
Message:\trollback completed\n\
Placement:\n Constraints:\t[node.role==worker]\n Preferences:   [spread=node.labels.az]\n\
UpdateConfig:\n Parallelism:\t1\n Delay:\t\t10s\n On failure:\tpause\n \
Monitoring Period: 5s\n Max failure ratio: 0.25\n Update order:      stop-first\n\
RollbackConfig:\n Parallelism:\t1\n On failure:\tpause\n Monitoring Period: 5s\n \
Max failure ratio: 0\n Rollback order:    stop-first\n\
ContainerSpec:\n Image:\t\tnginx:1.27\n Args:\t\tsh -c x \n Env:\t\tA=1 \n Init:\t\tfalse\n\
Resources:\n Reservations:\n  Memory:\t64MiB\n Limits:\n  CPU:\t\t0.5\n\
Endpoint Mode:\tvip\n\
Ports:\n PublishedPort = 8080\n  Protocol = tcp\n  TargetPort = 80\n  PublishMode = ingress \n \
Healthcheck:\n  Interval = 0s\n  Retries = 0\n  StartPeriod =\t0s\n  Timeout =\t1s\n  Tests:\n\
\t Test = CMD-SHELL\n\t Test = x \n\n"
        );
        assert_eq!(pretty(std::slice::from_ref(&row), now), expected);
    }

    #[test]
    fn amounts_in_their_shortest_form() {
        assert_eq!(cpus(1_500_000_000), "1.5");
        assert_eq!(cpus(2_000_000_000), "2");
        assert_eq!(bytes(10 << 20), "10MiB");
        assert_eq!(bytes(3 << 29), "1.5GiB");
        assert_eq!(bytes(25_276_514_304), "23.54GiB");
        assert_eq!(bytes(1023), "1023B");
    }
}
