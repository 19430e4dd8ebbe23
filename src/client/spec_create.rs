//! The flags of `docker service create` as a service spec.
//!
//! Source: cli surface 1.3, 2.3 and 2.4. Upstream: docker cli `cli/command/service/opts.go`
//! `ToService`. Parts that no flag named stay absent, except those a client always sends:
//! resources, placement, DNS configuration, endpoint and the init flag.

use ordered_float::OrderedFloat;

use crate::client::failure::CliFailure;
use crate::client::flags::Parsed;
use crate::client::image;
use crate::client::references::key_values;
use crate::swarmkit::defaults;
use crate::swarmkit::spec::{
    Amounts, ContainerSpec, DnsConfig, EndpointSpec, FailureAction, FileReference, HealthConfig,
    LogDriver, Mode, Placement, ResolutionMode, Resources, RestartCondition, RestartPolicy,
    ServiceSpec, TaskTemplate, UpdateConfig, UpdateOrder,
};

/// Words that are only checked by the daemon, in its order: the first wrong one is its answer.
#[derive(Default)]
pub(crate) struct DaemonWords {
    errors: Vec<(u8, String)>,
}

impl DaemonWords {
    /// The value of a word, or the default one and the error that the daemon will answer with.
    pub(crate) fn read<T: Default>(
        &mut self,
        place: u8,
        word: &str,
        known: impl Fn(&str) -> Option<T>,
        error: impl Fn(&str) -> String,
    ) -> T {
        match known(word) {
            Some(value) => value,
            None if word.is_empty() => T::default(),
            None => {
                self.errors.push((place, error(word)));
                T::default()
            }
        }
    }

    pub(crate) fn endpoint_mode(&mut self, word: &str) -> ResolutionMode {
        self.read(9, word, ResolutionMode::from_word, |w| {
            format!("invalid resolution mode: \"{w}\"")
        })
    }

    /// The answer of the daemon, if a word was wrong.
    pub(crate) fn check(self) -> Result<(), CliFailure> {
        self.refused().map_or(Ok(()), |text| Err(CliFailure::daemon(text)))
    }

    /// The same as a text.
    pub(crate) fn refused(mut self) -> Option<String> {
        self.errors.sort();
        self.errors.into_iter().next().map(|(_, text)| text)
    }
}

/// The spec that the flags and arguments of `docker service create` ask for.
///
/// # Errors
/// The client errors of cli surface 1.5, and the daemon's answers to words that it does not know
/// (the spec cannot hold them).
pub fn create(flags: &Parsed) -> Result<ServiceSpec, CliFailure> {
    if let Some(file) = flags.text("env-file") {
        return Err(CliFailure::error(format_args!("open {file}: no such file or directory")));
    }
    let mut words = DaemonWords::default();
    let healthcheck = health_config(flags)?;
    let mode = mode(flags)?;
    let job = mode.is_job();
    if job && (flags.any_changed(&UPDATE.names()) || flags.any_changed(&ROLLBACK.names())) {
        return Err(CliFailure::error(
            "update and rollback configuration is not supported for jobs",
        ));
    }
    let mut networks = flags.networks("network");
    networks.sort_by(|a, b| a.target.cmp(&b.target));
    let spec = ServiceSpec {
        name: flags.text("name").unwrap_or("").to_string(),
        labels: key_values(flags.texts("label")),
        task: TaskTemplate {
            container: container(flags, healthcheck)?,
            resources: Some(resources(flags)?),
            restart: restart_policy(flags, None, &mut words),
            placement: Some(Placement {
                constraints: flags.list("constraint"),
                preferences: flags.list("placement-pref"),
                max_replicas: flags.uint("replicas-max-per-node").unwrap_or(0),
                platforms: Vec::new(),
            }),
            networks,
            log_driver: log_driver(flags),
            force_update: 0,
            pull_options: None,
        },
        mode,
        update: update_config(flags, &UPDATE, None, &mut words),
        rollback: update_config(flags, &ROLLBACK, None, &mut words),
        endpoint: Some(EndpointSpec {
            mode: words.endpoint_mode(&flags.text("endpoint-mode").unwrap_or("").to_lowercase()),
            ports: flags.ports("publish"),
        }),
    };
    words.check()?;
    Ok(spec)
}

fn container(
    flags: &Parsed,
    healthcheck: Option<HealthConfig>,
) -> Result<ContainerSpec, CliFailure> {
    let text = |flag: &str| flags.text(flag).unwrap_or("").to_string();
    let (cap_add, cap_drop) = capabilities(flags);
    let mut ulimits = flags.ulimits("ulimit");
    ulimits.sort_by(|a, b| a.name.cmp(&b.name));
    ulimits.dedup_by(|later, first| {
        let same = later.name == first.name;
        if same {
            *first = later.clone();
        }
        same
    });
    Ok(ContainerSpec {
        image: image::with_tag(flags.args.first().map_or("", String::as_str)),
        labels: key_values(flags.texts("container-label")),
        command: flags.words("entrypoint").unwrap_or(&[]).to_vec(),
        args: flags.args.get(1..).unwrap_or(&[]).to_vec(),
        hostname: text("hostname"),
        env: environment(flags),
        dir: text("workdir"),
        user: text("user"),
        groups: flags.list("group"),
        init: Some(flags.bool("init")),
        stop_signal: text("stop-signal"),
        tty: flags.bool("tty"),
        open_stdin: false,
        read_only: flags.bool("read-only"),
        mounts: flags.mounts("mount"),
        stop_grace_period: flags.span("stop-grace-period"),
        healthcheck,
        hosts: hosts(flags.texts("host")),
        dns: Some(DnsConfig {
            nameservers: flags.list("dns"),
            search: flags.list("dns-search"),
            options: flags.list("dns-option"),
        }),
        secrets: files("secret", flags.files("secret"))?,
        configs: files("config", flags.files("config"))?,
        isolation: text("isolation"),
        sysctls: key_values(flags.texts("sysctl")),
        cap_add,
        cap_drop,
        ulimits,
        oom_score_adj: flags.int("oom-score-adj").unwrap_or(0),
        credential_spec: text("credential-spec"),
    })
}

/// `NAME=value` in order; a later one of a name moves to the end (cli surface 2.4).
fn environment(flags: &Parsed) -> Vec<String> {
    let mut env: Vec<String> = Vec::new();
    for entry in flags.texts("env") {
        let name = name_of(entry);
        env.retain(|old| old == entry || !old.contains('=') || name_of(old) != name);
        env.push(entry.to_string());
    }
    env
}

/// The part before the first `=`.
pub(crate) fn name_of(entry: &str) -> &str {
    entry.split('=').next().unwrap_or("")
}

/// `host:ip` as it is stored: `ip host`.
pub(crate) fn hosts<'a>(entries: impl Iterator<Item = &'a str>) -> Vec<String> {
    entries
        .filter_map(|entry| entry.split_once([':', '=']))
        .map(|(host, ip)| format!("{ip} {host}"))
        .collect()
}

/// Secrets or configs, each target once.
pub(crate) fn files(
    what: &str,
    files: Vec<FileReference>,
) -> Result<Vec<FileReference>, CliFailure> {
    for (index, file) in files.iter().enumerate() {
        if files[..index].iter().any(|before| before.target == file.target) {
            return Err(CliFailure::error(format_args!(
                "duplicate {what} target for {} not allowed",
                file.source
            )));
        }
    }
    Ok(files)
}

pub(crate) fn log_driver(flags: &Parsed) -> Option<LogDriver> {
    let name = flags.text("log-driver").filter(|name| !name.is_empty())?;
    Some(LogDriver { name: name.to_string(), options: key_values(flags.texts("log-opt")) })
}

fn mode(flags: &Parsed) -> Result<Mode, CliFailure> {
    let word = flags.text("mode").unwrap_or("replicated");
    let (replicas, at_once) = (flags.uint("replicas"), flags.uint("max-concurrent"));
    if matches!(word, "global" | "global-job") {
        let only = "can only be used with replicated or replicated-job mode";
        if replicas.is_some() {
            return Err(CliFailure::error(format_args!("replicas {only}")));
        }
        if flags.uint("replicas-max-per-node").unwrap_or(0) > 0 {
            return Err(CliFailure::error(format_args!("replicas-max-per-node {only}")));
        }
    }
    if at_once.is_some() && word != "replicated-job" {
        return Err(CliFailure::error("max-concurrent can only be used with replicated-job mode"));
    }
    match word {
        "replicated" => Ok(Mode::Replicated { replicas: replicas.unwrap_or(defaults::REPLICAS) }),
        "global" => Ok(Mode::Global),
        "replicated-job" => {
            let total_completions = replicas.unwrap_or(defaults::REPLICAS);
            let max_concurrent = at_once.unwrap_or(total_completions);
            Ok(Mode::ReplicatedJob { max_concurrent, total_completions })
        }
        "global-job" => Ok(Mode::GlobalJob),
        _ => Err(CliFailure::error(format_args!(
            "unknown mode: {word}, only replicated and global supported"
        ))),
    }
}

fn health_config(flags: &Parsed) -> Result<Option<HealthConfig>, CliFailure> {
    let command = flags.text("health-cmd").unwrap_or("");
    let retries = flags.int("health-retries").unwrap_or(0);
    let timing =
        ["health-interval", "health-timeout", "health-start-period", "health-start-interval"];
    let given = !command.is_empty() || retries != 0 || flags.any_changed(&timing);
    if flags.bool("no-healthcheck") {
        if given {
            return Err(CliFailure::error(CONFLICT));
        }
        let test = vec!["NONE".to_string()];
        return Ok(Some(HealthConfig { test, ..HealthConfig::default() }));
    }
    if !given {
        return Ok(None);
    }
    let span = |flag: &str| flags.span(flag).unwrap_or_default();
    Ok(Some(HealthConfig {
        test: shell_test(command),
        interval: span("health-interval"),
        timeout: span("health-timeout"),
        start_period: span("health-start-period"),
        start_interval: span("health-start-interval"),
        retries,
    }))
}

/// What `--no-healthcheck` together with another health flag is answered with.
pub(crate) const CONFLICT: &str = "--no-healthcheck conflicts with --health-* options";

/// The test of `--health-cmd`: none for an empty one.
pub(crate) fn shell_test(command: &str) -> Vec<String> {
    match command {
        "" => Vec::new(),
        command => vec!["CMD-SHELL".to_string(), command.to_string()],
    }
}

fn resources(flags: &Parsed) -> Result<Resources, CliFailure> {
    let int = |flag: &str| flags.int(flag).unwrap_or(0);
    Ok(Resources {
        limits: Amounts {
            nano_cpus: int("limit-cpu"),
            memory_bytes: int("limit-memory"),
            pids: int("limit-pids"),
            ..Amounts::default()
        },
        reservations: Amounts {
            nano_cpus: int("reserve-cpu"),
            memory_bytes: int("reserve-memory"),
            pids: 0,
            generic: generic(flags, "generic-resource")?.into_iter().collect(),
        },
        swap_bytes: flags.int("memory-swap"),
        memory_swappiness: flags.int("memory-swappiness"),
    })
}

/// Counted resources of a flag, in order.
pub(crate) fn generic(flags: &Parsed, flag: &str) -> Result<Vec<(String, i64)>, CliFailure> {
    let read = |text: &str| {
        let (kind, count) = text.split_once('=').unwrap_or((text, ""));
        count.parse().map(|count| (kind.to_string(), count)).map_err(|_| {
            CliFailure::error(format_args!(
                "invalid generic-resource request `{text}`, Named Generic Resources is not \
                 supported for service create or update"
            ))
        })
    };
    flags.texts(flag).map(read).collect()
}

/// The names of the flags that make an update or rollback configuration.
pub(crate) struct UpdateFlags {
    place: u8,
    parallelism: &'static str,
    delay: &'static str,
    monitor: &'static str,
    failure_action: &'static str,
    max_failure_ratio: &'static str,
    order: &'static str,
}

pub(crate) const UPDATE: UpdateFlags = UpdateFlags {
    place: 2,
    parallelism: "update-parallelism",
    delay: "update-delay",
    monitor: "update-monitor",
    failure_action: "update-failure-action",
    max_failure_ratio: "update-max-failure-ratio",
    order: "update-order",
};

pub(crate) const ROLLBACK: UpdateFlags = UpdateFlags {
    place: 4,
    parallelism: "rollback-parallelism",
    delay: "rollback-delay",
    monitor: "rollback-monitor",
    failure_action: "rollback-failure-action",
    max_failure_ratio: "rollback-max-failure-ratio",
    order: "rollback-order",
};

impl UpdateFlags {
    fn names(&self) -> [&'static str; 6] {
        [
            self.parallelism,
            self.delay,
            self.monitor,
            self.failure_action,
            self.max_failure_ratio,
            self.order,
        ]
    }
}

/// `old` with the given flags of the group applied; where there is none and a flag is given, the
/// seed of cli surface 2.3. A monitor period of 0 is stored as none.
pub(crate) fn update_config(
    flags: &Parsed,
    names: &UpdateFlags,
    old: Option<UpdateConfig>,
    words: &mut DaemonWords,
) -> Option<UpdateConfig> {
    if !flags.any_changed(&names.names()) {
        return old;
    }
    let mut config = old.unwrap_or(defaults::UPDATE_CONFIG);
    if let Some(parallelism) = flags.uint(names.parallelism) {
        config.parallelism = parallelism;
    }
    if let Some(delay) = flags.span(names.delay) {
        config.delay = delay;
    }
    if let Some(monitor) = flags.span(names.monitor) {
        config.monitor = Some(monitor).filter(|span| !span.is_zero());
    }
    if let Some(word) = flags.text(names.failure_action) {
        config.failure_action = words.read(names.place, word, FailureAction::from_word, |w| {
            format!("unrecognized update failure action {w}")
        });
    }
    if let Some(ratio) = flags.float(names.max_failure_ratio) {
        config.max_failure_ratio = OrderedFloat(ratio);
    }
    if let Some(word) = flags.text(names.order) {
        config.order = words.read(names.place + 1, word, UpdateOrder::from_word, |w| {
            format!("unrecognized update order {w}")
        });
    }
    Some(config)
}

/// The same for the restart policy.
pub(crate) fn restart_policy(
    flags: &Parsed,
    old: Option<RestartPolicy>,
    words: &mut DaemonWords,
) -> Option<RestartPolicy> {
    let names = ["restart-condition", "restart-delay", "restart-max-attempts", "restart-window"];
    if !flags.any_changed(&names) {
        return old;
    }
    let mut policy = old.unwrap_or(defaults::RESTART_POLICY);
    if let Some(word) = flags.text("restart-condition") {
        policy.condition = words.read(1, word, RestartCondition::from_word, |w| {
            format!("invalid RestartCondition: \"{w}\"")
        });
    }
    policy.delay = flags.span("restart-delay").or(policy.delay);
    policy.max_attempts = flags.uint("restart-max-attempts").unwrap_or(policy.max_attempts);
    policy.window = flags.span("restart-window").or(policy.window);
    Some(policy)
}

/// Added and dropped capabilities of create: an added one is never dropped.
fn capabilities(flags: &Parsed) -> (Vec<String>, Vec<String>) {
    capabilities_of(&flags.list("cap-add"), &flags.list("cap-drop"))
}

/// The same from the names as given.
pub(crate) fn capabilities_of(add: &[String], drop: &[String]) -> (Vec<String>, Vec<String>) {
    let read = |names: &[String]| -> Vec<String> {
        let mut names: Vec<String> = names.iter().map(|name| capability(name)).collect();
        names.sort();
        names.dedup();
        let all = "ALL".to_string();
        if names.contains(&all) { vec![all] } else { names }
    };
    let add = read(add);
    let drop = read(drop).into_iter().filter(|name| !add.contains(name)).collect();
    (add, drop)
}

/// A capability's name as it is stored: upper case, with `CAP_`; `ALL` and `RESET` are none.
pub(crate) fn capability(text: &str) -> String {
    let upper = text.trim().to_uppercase();
    if matches!(upper.as_str(), "ALL" | "RESET") || upper.starts_with("CAP_") {
        upper
    } else {
        format!("CAP_{upper}")
    }
}
