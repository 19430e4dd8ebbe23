//! `docker service inspect`: the JSON of the engine's API.
//!
//! Source: cli surface 3.8, 6 and 6.1. In `Spec` the defaults are filled in where nothing is given,
//! in `PreviousSpec` they are not. Secrets, configs and networks have no ids here: their names
//! stand in their place.

use std::collections::BTreeMap;

use crate::base::time::Span;
use crate::client::clock::rfc3339;
use crate::client::json::{Fields, Json};
use crate::client::rows::{JobRow, ServiceRow, UpdateRow};
use crate::swarmkit::defaults;
use crate::swarmkit::spec::{
    Amounts, ContainerSpec, DnsConfig, EndpointSpec, FileReference, HealthConfig, Mode, Mount,
    NetworkAttachment, Placement, PortConfig, Resources, RestartPolicy, ServiceSpec, TaskTemplate,
    Ulimit, UpdateConfig,
};

/// The services as one JSON array, with a line break at the end; `[]` for none.
pub fn inspect(services: &[ServiceRow]) -> String {
    Json::Array(services.iter().map(service).collect()).indented() + "\n"
}

fn service(row: &ServiceRow) -> Json {
    let spec = with_defaults(&row.spec);
    let job_status = |job: JobRow| {
        Fields::new()
            .with("JobIteration", version(job.iteration))
            .with("LastExecution", Json::text(rfc3339(job.last_execution)))
            .end()
    };
    Fields::new()
        .with("ID", Json::text(row.id.to_string()))
        .with("Version", version(row.version))
        .with("CreatedAt", Json::text(rfc3339(row.created)))
        .with("UpdatedAt", Json::text(rfc3339(row.updated)))
        .with("Spec", self::spec(&spec))
        .maybe("PreviousSpec", row.previous.as_ref().map(|spec| self::spec(spec)))
        .with("Endpoint", endpoint(row))
        .maybe("UpdateStatus", row.update.as_ref().map(update_status))
        .maybe("JobStatus", row.job.map(job_status))
        .end()
}

/// `{"Index": n}`, or nothing in it for 0.
pub(crate) fn version(index: u64) -> Json {
    Fields::new().maybe("Index", (index > 0).then(|| Json::int(index))).end()
}

/// What is absent is filled in as the manager does when it is asked to (cli surface 3.8).
pub(crate) fn with_defaults(spec: &ServiceSpec) -> ServiceSpec {
    let mut spec = spec.clone();
    let container = &mut spec.task.container;
    container.stop_grace_period.get_or_insert(defaults::STOP_GRACE_PERIOD);
    container.dns.get_or_insert_default();
    let restart = spec.task.restart.get_or_insert(defaults::RESTART_POLICY);
    restart.delay.get_or_insert(defaults::RESTART_DELAY);
    spec.task.resources.get_or_insert_default();
    spec.task.placement.get_or_insert_default();
    for config in [&mut spec.update, &mut spec.rollback] {
        let config = config.get_or_insert(defaults::UPDATE_CONFIG);
        config.monitor.get_or_insert(defaults::MONITOR);
    }
    spec
}

fn update_status(status: &UpdateRow) -> Json {
    let moment =
        |moment: Option<crate::base::time::SimTime>| moment.map(|m| Json::text(rfc3339(m)));
    Fields::new()
        .with("State", Json::text(status.state.word()))
        .maybe("StartedAt", moment(status.started))
        .maybe("CompletedAt", moment(status.completed))
        .text("Message", &status.message)
        .end()
}

/// A service without ports and networks has no endpoint of its own: its spec stays empty.
fn endpoint(row: &ServiceRow) -> Json {
    let used = !row.ports.is_empty() || !row.spec.task.networks.is_empty();
    let spec = match &row.spec.endpoint {
        Some(spec) if used => endpoint_spec(spec),
        _ => Fields::new().end(),
    };
    let ports = (!row.ports.is_empty()).then(|| Json::Array(row.ports.iter().map(port).collect()));
    Fields::new().with("Spec", spec).maybe("Ports", ports).end()
}

/// A whole service spec.
pub fn spec(spec: &ServiceSpec) -> Json {
    Fields::new()
        .with("Name", Json::text(spec.name.as_str()))
        .with("Labels", Json::from(&spec.labels))
        .with("TaskTemplate", task_template(&spec.task))
        .with("Mode", mode(&spec.mode))
        .maybe("UpdateConfig", spec.update.as_ref().map(update_config))
        .maybe("RollbackConfig", spec.rollback.as_ref().map(update_config))
        .maybe("EndpointSpec", spec.endpoint.as_ref().map(endpoint_spec))
        .end()
}

fn mode(mode: &Mode) -> Json {
    let (word, fields) = match mode {
        Mode::Replicated { replicas } => {
            ("Replicated", Fields::new().with("Replicas", Json::int(replicas)))
        }
        Mode::Global => ("Global", Fields::new()),
        Mode::ReplicatedJob { max_concurrent, total_completions } => (
            "ReplicatedJob",
            Fields::new()
                .with("MaxConcurrent", Json::int(max_concurrent))
                .with("TotalCompletions", Json::int(total_completions)),
        ),
        Mode::GlobalJob => ("GlobalJob", Fields::new()),
    };
    Fields::new().with(word, fields.end()).end()
}

fn update_config(config: &UpdateConfig) -> Json {
    Fields::new()
        .with("Parallelism", Json::int(config.parallelism))
        .int("Delay", config.delay.0)
        .with("FailureAction", Json::text(config.failure_action.word()))
        .int("Monitor", config.monitor.unwrap_or_default().0)
        .with("MaxFailureRatio", Json::float(config.max_failure_ratio.0))
        .with("Order", Json::text(config.order.word()))
        .end()
}

fn endpoint_spec(spec: &EndpointSpec) -> Json {
    let ports =
        (!spec.ports.is_empty()).then(|| Json::Array(spec.ports.iter().map(port).collect()));
    Fields::new().with("Mode", Json::text(spec.mode.word())).maybe("Ports", ports).end()
}

fn port(port: &PortConfig) -> Json {
    Fields::new()
        .with("Protocol", Json::text(port.protocol.word()))
        .int("TargetPort", port.target.into())
        .int("PublishedPort", port.published.into())
        .with("PublishMode", Json::text(port.publish_mode.word()))
        .end()
}

fn task_template(task: &TaskTemplate) -> Json {
    let networks = || Json::Array(task.networks.iter().map(network).collect());
    Fields::new()
        .with("ContainerSpec", container(&task.container))
        .maybe("Resources", task.resources.as_ref().map(resources))
        .maybe("RestartPolicy", task.restart.as_ref().map(restart_policy))
        .maybe("Placement", task.placement.as_ref().map(placement))
        .maybe("Networks", (!task.networks.is_empty()).then(networks))
        .maybe(
            "LogDriver",
            task.log_driver.as_ref().map(|driver| {
                Fields::new().text("Name", &driver.name).map("Options", &driver.options).end()
            }),
        )
        .with("ForceUpdate", Json::int(task.force_update))
        .with("Runtime", Json::text("container"))
        .end()
}

fn network(network: &NetworkAttachment) -> Json {
    Fields::new()
        .text("Target", &network.target)
        .texts("Aliases", &network.aliases)
        .map("DriverOpts", &network.driver_opts)
        .end()
}

fn resources(resources: &Resources) -> Json {
    Fields::new()
        .with("Limits", amounts(&resources.limits))
        .with("Reservations", amounts(&resources.reservations))
        .maybe("SwapBytes", resources.swap_bytes.map(Json::int))
        .maybe("MemorySwappiness", resources.memory_swappiness.map(Json::int))
        .end()
}

fn amounts(amounts: &Amounts) -> Json {
    let generic = |(kind, value): (&String, &i64)| {
        let spec = Fields::new().text("Kind", kind).int("Value", *value).end();
        Fields::new().with("DiscreteResourceSpec", spec).end()
    };
    let kinds = (!amounts.generic.is_empty())
        .then(|| Json::Array(amounts.generic.iter().map(generic).collect()));
    Fields::new()
        .int("NanoCPUs", amounts.nano_cpus)
        .int("MemoryBytes", amounts.memory_bytes)
        .int("Pids", amounts.pids)
        .maybe("GenericResources", kinds)
        .end()
}

fn restart_policy(policy: &RestartPolicy) -> Json {
    let span = |span: Option<Span>| span.map(|span| Json::int(span.0));
    Fields::new()
        .with("Condition", Json::text(policy.condition.word()))
        .maybe("Delay", span(policy.delay))
        .with("MaxAttempts", Json::int(policy.max_attempts))
        .maybe("Window", span(policy.window))
        .end()
}

fn placement(placement: &Placement) -> Json {
    let spread = |descriptor: &String| {
        let spread = Fields::new().with("SpreadDescriptor", Json::text(descriptor.as_str())).end();
        Fields::new().with("Spread", spread).end()
    };
    let preferences = (!placement.preferences.is_empty())
        .then(|| Json::Array(placement.preferences.iter().map(spread).collect()));
    let platforms = (!placement.platforms.is_empty()).then(|| {
        let platform = |p: &crate::swarmkit::spec::Platform| {
            Fields::new().text("Architecture", &p.architecture).text("OS", &p.os).end()
        };
        Json::Array(placement.platforms.iter().map(platform).collect())
    });
    Fields::new()
        .texts("Constraints", &placement.constraints)
        .maybe("Preferences", preferences)
        .int("MaxReplicas", placement.max_replicas as i64)
        .maybe("Platforms", platforms)
        .end()
}

fn container(container: &ContainerSpec) -> Json {
    let list = |list: Vec<Json>| (!list.is_empty()).then_some(Json::Array(list));
    let isolation = match container.isolation.as_str() {
        "" => "default",
        other => other,
    };
    Fields::new()
        .text("Image", &container.image)
        .map("Labels", &container.labels)
        .texts("Command", &container.command)
        .texts("Args", &container.args)
        .text("Hostname", &container.hostname)
        .texts("Env", &container.env)
        .text("Dir", &container.dir)
        .text("User", &container.user)
        .texts("Groups", &container.groups)
        .maybe("Privileges", privileges(&container.credential_spec))
        .maybe("Init", container.init.map(Json::Bool))
        .text("StopSignal", &container.stop_signal)
        .flag("TTY", container.tty)
        .flag("OpenStdin", container.open_stdin)
        .flag("ReadOnly", container.read_only)
        .maybe("Mounts", list(container.mounts.iter().map(mount).collect()))
        .maybe("StopGracePeriod", container.stop_grace_period.map(|span| Json::int(span.0)))
        .maybe("Healthcheck", container.healthcheck.as_ref().map(health))
        .texts("Hosts", &container.hosts)
        .maybe("DNSConfig", container.dns.as_ref().map(dns))
        .maybe("Secrets", list(container.secrets.iter().map(|f| file(f, "Secret")).collect()))
        .maybe("Configs", list(container.configs.iter().map(|f| file(f, "Config")).collect()))
        .with("Isolation", Json::text(isolation))
        .map("Sysctls", &container.sysctls)
        .texts("CapabilityAdd", &container.cap_add)
        .texts("CapabilityDrop", &container.cap_drop)
        .maybe("Ulimits", list(container.ulimits.iter().map(ulimit).collect()))
        .int("OomScoreAdj", container.oom_score_adj)
        .end()
}

fn privileges(credential_spec: &str) -> Option<Json> {
    let (scheme, value) = credential_spec.split_once("://")?;
    let key = match scheme {
        "config" => "Config",
        "file" => "File",
        _ => "Registry",
    };
    let spec = Fields::new().text(key, value).end();
    Some(Fields::new().with("CredentialSpec", spec).with("SELinuxContext", Json::Null).end())
}

fn health(health: &HealthConfig) -> Json {
    Fields::new()
        .texts("Test", &health.test)
        .int("Interval", health.interval.0)
        .int("Timeout", health.timeout.0)
        .int("StartPeriod", health.start_period.0)
        .int("StartInterval", health.start_interval.0)
        .int("Retries", health.retries)
        .end()
}

fn dns(dns: &DnsConfig) -> Json {
    Fields::new()
        .texts("Nameservers", &dns.nameservers)
        .texts("Search", &dns.search)
        .texts("Options", &dns.options)
        .end()
}

fn file(file: &FileReference, what: &str) -> Json {
    let target = Fields::new()
        .text("Name", &file.target)
        .text("UID", &file.uid)
        .text("GID", &file.gid)
        .with("Mode", Json::int(file.mode))
        .end();
    Fields::new()
        .with("File", target)
        .text(&format!("{what}ID"), &file.source)
        .text(&format!("{what}Name"), &file.source)
        .end()
}

fn ulimit(limit: &Ulimit) -> Json {
    Fields::new()
        .text("Name", &limit.name)
        .with("Hard", Json::int(limit.hard))
        .with("Soft", Json::int(limit.soft))
        .end()
}

fn mount(mount: &Mount) -> Json {
    let option = |key: &str| mount.options.get(key).map_or("", String::as_str);
    let labelled = |prefix: &str| -> BTreeMap<String, String> {
        let strip = |(key, value): (&String, &String)| {
            key.strip_prefix(prefix).map(|key| (key.to_string(), value.clone()))
        };
        mount.options.iter().filter_map(strip).collect()
    };
    let given = |prefix: &str| mount.options.keys().any(|key| key.starts_with(prefix));
    let driver = || {
        Fields::new()
            .text("Name", option("volume-driver"))
            .map("Options", &labelled("volume-opt."))
            .end()
    };
    let bind = || Fields::new().text("Propagation", option("bind-propagation")).end();
    let volume = || {
        let named = given("volume-driver") || given("volume-opt.");
        Fields::new()
            .flag("NoCopy", option("volume-nocopy") == "true")
            .map("Labels", &labelled("volume-label."))
            .text("Subpath", option("volume-subpath"))
            .maybe("DriverConfig", named.then(driver))
            .end()
    };
    let tmpfs = || {
        let size = crate::client::values::parse_bytes(option("tmpfs-size")).unwrap_or(0);
        let mode = crate::client::golang::parse_uint(option("tmpfs-mode"), 8).unwrap_or(0);
        Fields::new().int("SizeBytes", size).int("Mode", mode as i64).end()
    };
    Fields::new()
        .text("Type", &mount.kind)
        .text("Source", &mount.source)
        .text("Target", &mount.target)
        .flag("ReadOnly", mount.read_only)
        .text("Consistency", option("consistency"))
        .maybe("BindOptions", given("bind-").then(bind))
        .maybe("VolumeOptions", given("volume-").then(volume))
        .maybe("TmpfsOptions", given("tmpfs-").then(tmpfs))
        .end()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::SimTime;
    use crate::client::ls::tests::service;
    use crate::swarmkit::task::UpdateState;

    #[test]
    fn a_service_with_defaults_and_history() {
        let mut row = service("--name web --update-delay 1s --replicas 4 -p 8080:80 nginx:1.27");
        row.previous = Some(row.spec.clone());
        row.update = Some(UpdateRow {
            state: UpdateState::Completed,
            message: "update completed".into(),
            started: Some(SimTime(500_000_000)),
            completed: Some(SimTime(2_000_000_000)),
        });
        let text = inspect(std::slice::from_ref(&row));
        let id = row.id.to_string();
        let head = format!(
            "[\n    {{\n        \"ID\": \"{id}\",\n        \"Version\": {{\n            \
             \"Index\": 21\n\
             \x20       }},\n        \"CreatedAt\": \"2026-01-01T00:00:00Z\",\n"
        );
        assert!(text.starts_with(&head), "{text}");
        let compact = service_text(&row);
        let port = "{\"Protocol\":\"tcp\",\"TargetPort\":80,\"PublishedPort\":8080,\
                    \"PublishMode\":\"ingress\"}";
        let endpoint = format!("{{\"Mode\":\"vip\",\"Ports\":[{port}]}}");
        let config = "{\"Parallelism\":1,\"FailureAction\":\"pause\",\"Monitor\":5000000000,\
                      \"MaxFailureRatio\":0,\"Order\":\"stop-first\"}";
        let delayed = config.replace("1,", "1,\"Delay\":1000000000,");
        let mode = "\"Mode\":{\"Replicated\":{\"Replicas\":4}}";
        let task = |grace: &str, restart: &str| {
            format!(
                "{{\"Name\":\"web\",\"Labels\":{{}},\"TaskTemplate\":{{\"ContainerSpec\":{{\
                 \"Image\":\"nginx:1.27\",\"Init\":false,{grace}\"DNSConfig\":{{}},\
                 \"Isolation\":\"default\"}},\"Resources\":{{\"Limits\":{{}},\
                 \"Reservations\":{{}}}},\
                 {restart}\"Placement\":{{}},\"ForceUpdate\":0,\"Runtime\":\"container\"}},{mode}"
            )
        };
        let spec = task(
            "\"StopGracePeriod\":10000000000,",
            "\"RestartPolicy\":{\"Condition\":\"any\",\"Delay\":5000000000,\"MaxAttempts\":0},",
        );
        let expected = format!(
            "{{\"ID\":\"{id}\",\"Version\":{{\"Index\":21}},\"CreatedAt\":\"2026-01-01T00:00:00Z\",\
             \"UpdatedAt\":\"2026-01-01T00:00:00Z\",\"Spec\":{spec},\"UpdateConfig\":{delayed},\
             \"RollbackConfig\":{config},\"EndpointSpec\":{endpoint}}},\"PreviousSpec\":{},\
             \"UpdateConfig\":{delayed},\"EndpointSpec\":{endpoint}}},\
             \"Endpoint\":{{\"Spec\":{endpoint},\
             \"Ports\":[{port}]}},\"UpdateStatus\":{{\"State\":\"completed\",\
             \"StartedAt\":\"2026-01-01T00:00:00.5Z\",\"CompletedAt\":\"2026-01-01T00:00:02Z\",\
             \"Message\":\"update completed\"}}}}",
            task("", "")
        );
        assert_eq!(compact, expected);
    }

    #[test]
    fn recorded_specs_are_reproduced_to_the_letter() {
        use crate::client::command::{DockerCommand, UpdateRequest, parse};
        let recorded = include_str!("inspect/recorded.txt");
        let mut count = 0;
        for paragraph in recorded.split("\n\n").skip(1) {
            let mut specs: Vec<ServiceSpec> = Vec::new();
            for line in paragraph.lines().filter(|line| line.starts_with("docker ")) {
                let command = parse(&crate::client::words::split(line).unwrap()).unwrap();
                let mut spec = specs.last().cloned();
                match command {
                    DockerCommand::ServiceCreate { spec: created, .. } => {
                        spec = Some((*created).clone());
                    }
                    DockerCommand::ServiceUpdate(update) => {
                        let Ok(UpdateRequest::Spec(updated)) = update.request(&spec.unwrap())
                        else {
                            panic!("{line}");
                        };
                        spec = Some(std::sync::Arc::unwrap_or_clone(updated));
                    }
                    DockerCommand::ServiceScale { targets, .. } => {
                        let replicas = targets[0].replicas.clone().unwrap();
                        spec.as_mut().unwrap().mode = Mode::Replicated { replicas };
                    }
                    other => panic!("{other:?}"),
                }
                specs.extend(spec);
            }
            let shown = |spec: &ServiceSpec| super::spec(&with_defaults(spec)).on_one_line();
            let wish = paragraph.lines().find_map(|line| line.strip_prefix("= ")).unwrap();
            let at = specs.iter().rposition(|spec| shown(spec) == wish);
            let at = at.unwrap_or_else(|| panic!("{wish}\n{}", shown(specs.last().unwrap())));
            let rolled_back = paragraph.contains("--update-failure-action rollback");
            assert!(at + 1 == specs.len() || rolled_back, "{paragraph}");
            if let Some(wish) = paragraph.lines().find_map(|line| line.strip_prefix("< ")) {
                assert_eq!(super::spec(&specs[at - 1]).on_one_line(), wish);
            }
            count += 1;
        }
        assert_eq!(count, 18);
    }

    fn service_text(row: &ServiceRow) -> String {
        super::service(row).on_one_line()
    }

    #[test]
    fn nothing_is_an_empty_list() {
        assert_eq!(inspect(&[]), "[]\n");
    }

    #[test]
    fn every_part_of_a_container_has_its_place() {
        let row = service(
            "--mount type=tmpfs,dst=/t,tmpfs-size=1m --mount source=v,dst=/v,volume-nocopy \
             --secret s --health-cmd x --health-start-interval 1s --ulimit nofile=1:2 --network n \
             --log-driver json-file --log-opt a=b --generic-resource gpu=2 --cap-add chown \
             --constraint a==b --placement-pref spread=z --sysctl a=b --limit-cpu 0.5 nginx",
        );
        let text = service_text(&row);
        for part in [
            "\"Mounts\":[{\"Type\":\"tmpfs\",\"Target\":\"/t\",\"TmpfsOptions\":{\
             \"SizeBytes\":1048576}},{\"Type\":\"volume\",\"Source\":\"v\",\"Target\":\"/v\",\
             \"VolumeOptions\":{\"NoCopy\":true}}],\"StopGracePeriod\"",
            "\"Healthcheck\":{\"Test\":[\"CMD-SHELL\",\"x\"],\"StartInterval\":1000000000},",
            "\"Secrets\":[{\"File\":{\"Name\":\"s\",\"UID\":\"0\",\"GID\":\"0\",\"Mode\":292},\
             \"SecretID\":\"s\",\"SecretName\":\"s\"}],\"Isolation\":\"default\",\
             \"Sysctls\":{\"a\":\"b\"},\"CapabilityAdd\":[\"CAP_CHOWN\"],\"Ulimits\":[",
            "\"Limits\":{\"NanoCPUs\":500000000},\"Reservations\":{\"GenericResources\":[{\
             \"DiscreteResourceSpec\":{\"Kind\":\"gpu\",\"Value\":2}}]}",
            "\"Placement\":{\"Constraints\":[\"a==b\"],\"Preferences\":[{\"Spread\":{\
             \"SpreadDescriptor\":\"z\"}}]},\"Networks\":[{\"Target\":\"n\"}],\
             \"LogDriver\":{\"Name\":\"json-file\",\"Options\":{\"a\":\"b\"}},\"ForceUpdate\":0",
        ] {
            assert!(text.contains(part), "{part}\n{text}");
        }
    }
}
