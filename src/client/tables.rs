//! The flags of every command.
//!
//! Source: cli surface 1.3, 1.4 and 3. The texts are Docker's, since they are what its users read;
//! the defaults in them are the server's and only shown here.

use crate::client::flags::{Arity, CommandForm, Flag};
use crate::client::values::{Check, Kind};

const fn flag(long: &'static str, short: Option<char>, kind: Kind, help: &'static str) -> Flag {
    Flag { long, short, kind, help, default: "" }
}

/// Flags of create and update alike.
const SERVICE: &[Flag] = &[
    flag("cap-add", None, Kind::List(Check::Any), "Add Linux capabilities"),
    flag("cap-drop", None, Kind::List(Check::Any), "Drop Linux capabilities"),
    flag(
        "credential-spec",
        None,
        Kind::CredentialSpec,
        "Credential spec for managed service account (Windows only)",
    ),
    flag(
        "detach",
        Some('d'),
        Kind::Bool,
        "Exit immediately instead of waiting for the service to converge",
    ),
    flag("entrypoint", None, Kind::Words, "Overwrite the default ENTRYPOINT of the image"),
    flag("health-cmd", None, Kind::Text, "Command to run to check health"),
    flag(
        "health-interval",
        None,
        Kind::PositiveDuration,
        "Time between running the check (ms|s|m|h)",
    ),
    flag("health-retries", None, Kind::Int, "Consecutive failures needed to report unhealthy"),
    flag(
        "health-start-interval",
        None,
        Kind::PositiveDuration,
        "Time between running the check during the start period (ms|s|m|h)",
    ),
    flag(
        "health-start-period",
        None,
        Kind::PositiveDuration,
        "Start period for the container to initialize before counting retries towards unstable \
         (ms|s|m|h)",
    ),
    flag(
        "health-timeout",
        None,
        Kind::PositiveDuration,
        "Maximum time to allow one check to run (ms|s|m|h)",
    ),
    flag("hostname", None, Kind::Text, "Container hostname"),
    flag(
        "init",
        None,
        Kind::Bool,
        "Use an init inside each service container to forward signals and reap processes",
    ),
    flag("isolation", None, Kind::Text, "Service container isolation mode"),
    flag("limit-cpu", None, Kind::Cpus, "Limit CPUs"),
    flag("limit-memory", None, Kind::Bytes, "Limit Memory"),
    flag(
        "limit-pids",
        None,
        Kind::Int,
        "Limit maximum number of processes (default 0 = unlimited)",
    ),
    flag("log-driver", None, Kind::Text, "Logging driver for service"),
    flag("log-opt", None, Kind::List(Check::Env), "Logging driver options"),
    flag(
        "max-concurrent",
        None,
        Kind::Uint,
        "Number of job tasks to run concurrently (default equal to --replicas)",
    ),
    flag("memory-swap", None, Kind::Bytes, "Swap Bytes (-1 for unlimited)"),
    flag(
        "memory-swappiness",
        None,
        Kind::Int,
        "Tune memory swappiness (0-100), -1 to reset to default (default -1)",
    ),
    flag("no-healthcheck", None, Kind::Bool, "Disable any container-specified HEALTHCHECK"),
    flag(
        "no-resolve-image",
        None,
        Kind::Bool,
        "Do not query the registry to resolve image digest and supported platforms",
    ),
    flag("oom-score-adj", None, Kind::Int, "Tune host's OOM preferences (-1000 to 1000)"),
    flag("quiet", Some('q'), Kind::Bool, "Suppress progress output"),
    flag("read-only", None, Kind::Bool, "Mount the container's root filesystem as read only"),
    flag("replicas", None, Kind::Uint, "Number of tasks"),
    flag(
        "replicas-max-per-node",
        None,
        Kind::Uint,
        "Maximum number of tasks per node (default 0 = unlimited)",
    ),
    flag("reserve-cpu", None, Kind::Cpus, "Reserve CPUs"),
    flag("reserve-memory", None, Kind::Bytes, "Reserve Memory"),
    flag("stop-signal", None, Kind::Text, "Signal to stop the container"),
    flag("tty", Some('t'), Kind::Bool, "Allocate a pseudo-TTY"),
    flag("user", Some('u'), Kind::Text, "Username or UID (format: <name|uid>[:<group|gid>])"),
    flag(
        "with-registry-auth",
        None,
        Kind::Bool,
        "Send registry authentication details to swarm agents",
    ),
    flag("workdir", Some('w'), Kind::Text, "Working directory inside the container"),
];

/// The same on both, but with defaults shown only on create.
const SERVICE_DEFAULTED: &[(Flag, &str)] = &[
    (flag("endpoint-mode", None, Kind::Text, "Endpoint mode (vip or dnsrr)"), "\"vip\""),
    (
        flag(
            "restart-condition",
            None,
            Kind::Text,
            "Restart when condition is met (\"none\", \"on-failure\", \"any\")",
        ),
        "\"any\"",
    ),
    (
        flag(
            "restart-delay",
            None,
            Kind::Duration,
            "Delay between restart attempts (ns|us|ms|s|m|h)",
        ),
        "5s",
    ),
    (
        flag(
            "restart-max-attempts",
            None,
            Kind::Uint,
            "Maximum number of restarts before giving up",
        ),
        "",
    ),
    (
        flag(
            "restart-window",
            None,
            Kind::Duration,
            "Window used to evaluate the restart policy (ns|us|ms|s|m|h)",
        ),
        "",
    ),
    (
        flag(
            "stop-grace-period",
            None,
            Kind::Duration,
            "Time to wait before force killing a container (ns|us|ms|s|m|h)",
        ),
        "10s",
    ),
    (
        flag(
            "update-parallelism",
            None,
            Kind::Uint,
            "Maximum number of tasks updated simultaneously (0 to update all at once)",
        ),
        "1",
    ),
    (flag("update-delay", None, Kind::Duration, "Delay between updates (ns|us|ms|s|m|h)"), "0s"),
    (
        flag(
            "update-monitor",
            None,
            Kind::Duration,
            "Duration after each task update to monitor for failure (ns|us|ms|s|m|h)",
        ),
        "5s",
    ),
    (
        flag(
            "update-failure-action",
            None,
            Kind::Text,
            "Action on update failure (\"pause\", \"continue\", \"rollback\")",
        ),
        "\"pause\"",
    ),
    (
        flag(
            "update-max-failure-ratio",
            None,
            Kind::Float,
            "Failure rate to tolerate during an update",
        ),
        "0",
    ),
    (
        flag("update-order", None, Kind::Text, "Update order (\"start-first\", \"stop-first\")"),
        "\"stop-first\"",
    ),
    (
        flag(
            "rollback-parallelism",
            None,
            Kind::Uint,
            "Maximum number of tasks rolled back simultaneously (0 to roll back all at once)",
        ),
        "1",
    ),
    (
        flag(
            "rollback-delay",
            None,
            Kind::Duration,
            "Delay between task rollbacks (ns|us|ms|s|m|h)",
        ),
        "0s",
    ),
    (
        flag(
            "rollback-monitor",
            None,
            Kind::Duration,
            "Duration after each task rollback to monitor for failure (ns|us|ms|s|m|h)",
        ),
        "5s",
    ),
    (
        flag(
            "rollback-failure-action",
            None,
            Kind::Text,
            "Action on rollback failure (\"pause\", \"continue\")",
        ),
        "\"pause\"",
    ),
    (
        flag(
            "rollback-max-failure-ratio",
            None,
            Kind::Float,
            "Failure rate to tolerate during a rollback",
        ),
        "0",
    ),
    (
        flag(
            "rollback-order",
            None,
            Kind::Text,
            "Rollback order (\"start-first\", \"stop-first\")",
        ),
        "\"stop-first\"",
    ),
];

/// Flags of create alone.
const CREATE: &[Flag] = &[
    flag("env-file", None, Kind::List(Check::Any), "Read in a file of environment variables"),
    flag(
        "mode",
        None,
        Kind::Text,
        "Service mode (\"replicated\", \"global\", \"replicated-job\", \"global-job\") (default \
         \"replicated\")",
    ),
    flag("name", None, Kind::Text, "Service name"),
    flag("config", None, Kind::Config, "Specify configurations to expose to the service"),
    flag("constraint", None, Kind::List(Check::Any), "Placement constraints"),
    flag("container-label", None, Kind::List(Check::Label), "Container labels"),
    flag("dns", None, Kind::List(Check::Address), "Set custom DNS servers"),
    flag("dns-option", None, Kind::List(Check::Any), "Set DNS options"),
    flag("dns-search", None, Kind::List(Check::Domain), "Set custom DNS search domains"),
    flag("env", Some('e'), Kind::List(Check::Env), "Set environment variables"),
    flag("generic-resource", None, Kind::List(Check::Generic), "User defined resources"),
    flag(
        "group",
        None,
        Kind::List(Check::Any),
        "Set one or more supplementary user groups for the container",
    ),
    flag(
        "host",
        None,
        Kind::List(Check::Host),
        "Set one or more custom host-to-IP mappings (host:ip)",
    ),
    flag("label", Some('l'), Kind::List(Check::Label), "Service labels"),
    flag("mount", None, Kind::Mount, "Attach a filesystem mount to the service"),
    flag("network", None, Kind::Network, "Network attachments"),
    flag("placement-pref", None, Kind::Pref, "Add a placement preference"),
    flag("publish", Some('p'), Kind::Port, "Publish a port as a node port"),
    flag("secret", None, Kind::Secret, "Specify secrets to expose to the service"),
    flag("sysctl", None, Kind::List(Check::Any), "Sysctl options"),
    flag("ulimit", None, Kind::Ulimit, "Ulimit options"),
];

/// Flags of update alone.
const UPDATE: &[Flag] = &[
    flag("args", None, Kind::Words, "Service command args"),
    flag("force", None, Kind::Bool, "Force update even if no changes require it"),
    flag("image", None, Kind::Text, "Service image tag"),
    flag("rollback", None, Kind::Bool, "Rollback to previous specification"),
    flag("config-add", None, Kind::Config, "Add or update a config file on a service"),
    flag("config-rm", None, Kind::List(Check::Any), "Remove a configuration file"),
    flag("constraint-add", None, Kind::List(Check::Any), "Add or update a placement constraint"),
    flag("constraint-rm", None, Kind::List(Check::Any), "Remove a constraint"),
    flag("container-label-add", None, Kind::List(Check::Label), "Add or update a container label"),
    flag("container-label-rm", None, Kind::List(Check::Any), "Remove a container label by its key"),
    flag("dns-add", None, Kind::List(Check::Address), "Add or update a custom DNS server"),
    flag("dns-rm", None, Kind::List(Check::Any), "Remove a custom DNS server"),
    flag("dns-option-add", None, Kind::List(Check::Any), "Add or update a DNS option"),
    flag("dns-option-rm", None, Kind::List(Check::Any), "Remove a DNS option"),
    flag(
        "dns-search-add",
        None,
        Kind::List(Check::Domain),
        "Add or update a custom DNS search domain",
    ),
    flag("dns-search-rm", None, Kind::List(Check::Any), "Remove a DNS search domain"),
    flag("env-add", None, Kind::List(Check::Env), "Add or update an environment variable"),
    flag("env-rm", None, Kind::List(Check::Any), "Remove an environment variable"),
    flag("generic-resource-add", None, Kind::List(Check::Generic), "Add a Generic resource"),
    flag("generic-resource-rm", None, Kind::List(Check::Any), "Remove a Generic resource"),
    flag(
        "group-add",
        None,
        Kind::List(Check::Any),
        "Add an additional supplementary user group to the container",
    ),
    flag(
        "group-rm",
        None,
        Kind::List(Check::Any),
        "Remove a previously added supplementary user group from the container",
    ),
    flag(
        "host-add",
        None,
        Kind::List(Check::Host),
        "Add a custom host-to-IP mapping (\"host:ip\")",
    ),
    flag(
        "host-rm",
        None,
        Kind::List(Check::Any),
        "Remove a custom host-to-IP mapping (\"host:ip\")",
    ),
    flag("label-add", None, Kind::List(Check::Label), "Add or update a service label"),
    flag("label-rm", None, Kind::List(Check::Any), "Remove a label by its key"),
    flag("mount-add", None, Kind::Mount, "Add or update a mount on a service"),
    flag("mount-rm", None, Kind::List(Check::Any), "Remove a mount by its target path"),
    flag("network-add", None, Kind::Network, "Add a network"),
    flag("network-rm", None, Kind::List(Check::Any), "Remove a network"),
    flag("placement-pref-add", None, Kind::Pref, "Add a placement preference"),
    flag("placement-pref-rm", None, Kind::Pref, "Remove a placement preference"),
    flag("publish-add", None, Kind::Port, "Add or update a published port"),
    flag("publish-rm", None, Kind::Port, "Remove a published port by its target port"),
    flag("secret-add", None, Kind::Secret, "Add or update a secret on a service"),
    flag("secret-rm", None, Kind::List(Check::Any), "Remove a secret"),
    flag("sysctl-add", None, Kind::List(Check::Any), "Add or update a Sysctl option"),
    flag("sysctl-rm", None, Kind::List(Check::Any), "Remove a Sysctl option"),
    flag("ulimit-add", None, Kind::Ulimit, "Add or update a ulimit option"),
    flag("ulimit-rm", None, Kind::List(Check::Any), "Remove a ulimit option"),
];

const DETACH: Flag = flag(
    "detach",
    Some('d'),
    Kind::Bool,
    "Exit immediately instead of waiting for the service to converge",
);
const QUIET_PROGRESS: Flag = flag("quiet", Some('q'), Kind::Bool, "Suppress progress output");
pub(crate) const FILTER: Flag =
    flag("filter", Some('f'), Kind::List(Check::Any), "Filter output based on conditions provided");
pub(crate) const FORMAT: Flag =
    flag("format", None, Kind::Text, "Format output using a custom template");
const INSPECT_FORMAT: Flag = Flag { short: Some('f'), ..FORMAT };
const QUIET: Flag = flag("quiet", Some('q'), Kind::Bool, "Only display IDs");
pub(crate) const QUIET_TASKS: Flag = Flag { help: "Only display task IDs", ..QUIET };
pub(crate) const NO_RESOLVE: Flag = flag("no-resolve", None, Kind::Bool, "Do not map IDs to Names");
pub(crate) const NO_TRUNC: Flag = flag("no-trunc", None, Kind::Bool, "Do not truncate output");
const PRETTY: Flag =
    flag("pretty", None, Kind::Bool, "Print the information in a human friendly format");

pub(crate) fn form(
    path: &'static str,
    operands: &'static str,
    about: &'static str,
    arity: Arity,
    mut flags: Vec<Flag>,
) -> CommandForm {
    flags.sort_by_key(|flag| flag.long);
    CommandForm { path, operands, about, aliases: "", interspersed: true, arity, flags }
}

/// `docker service create`: the first word that is no flag ends the flags.
pub fn service_create() -> CommandForm {
    let defaulted = SERVICE_DEFAULTED.iter().map(|(flag, default)| Flag { default, ..*flag });
    let flags = SERVICE.iter().chain(CREATE).copied().chain(defaulted).collect();
    CommandForm {
        interspersed: false,
        ..form(
            "docker service create",
            "[OPTIONS] IMAGE [COMMAND] [ARG...]",
            "Create a new service",
            Arity::AtLeast(1),
            flags,
        )
    }
}

/// `docker service update`.
pub fn service_update() -> CommandForm {
    let defaulted = SERVICE_DEFAULTED.iter().map(|(flag, _)| *flag);
    let flags = SERVICE.iter().chain(UPDATE).copied().chain(defaulted).collect();
    let path = "docker service update";
    form(path, "[OPTIONS] SERVICE", "Update a service", Arity::Exactly(1), flags)
}

/// `docker service rollback`.
pub fn service_rollback() -> CommandForm {
    form(
        "docker service rollback",
        "[OPTIONS] SERVICE",
        "Revert changes to a service's configuration",
        Arity::Exactly(1),
        vec![DETACH, QUIET_PROGRESS],
    )
}

/// `docker service scale`.
pub fn service_scale() -> CommandForm {
    form(
        "docker service scale",
        "SERVICE=REPLICAS [SERVICE=REPLICAS...]",
        "Scale one or multiple replicated services",
        Arity::AtLeast(1),
        vec![DETACH],
    )
}

/// `docker service rm`.
pub fn service_rm() -> CommandForm {
    CommandForm {
        aliases: "docker service rm, docker service remove",
        ..form(
            "docker service rm",
            "SERVICE [SERVICE...]",
            "Remove one or more services",
            Arity::AtLeast(1),
            Vec::new(),
        )
    }
}

/// `docker service ls`.
pub fn service_ls() -> CommandForm {
    CommandForm {
        aliases: "docker service ls, docker service list",
        ..form(
            "docker service ls",
            "[OPTIONS]",
            "List services",
            Arity::None,
            vec![FILTER, FORMAT, QUIET],
        )
    }
}

/// `docker service ps`.
pub fn service_ps() -> CommandForm {
    form(
        "docker service ps",
        "[OPTIONS] SERVICE [SERVICE...]",
        "List the tasks of one or more services",
        Arity::AtLeast(1),
        vec![FILTER, FORMAT, NO_RESOLVE, NO_TRUNC, QUIET_TASKS],
    )
}

/// `docker service inspect`.
pub fn service_inspect() -> CommandForm {
    form(
        "docker service inspect",
        "[OPTIONS] SERVICE [SERVICE...]",
        "Display detailed information on one or more services",
        Arity::AtLeast(1),
        vec![INSPECT_FORMAT, PRETTY],
    )
}

/// `docker node ls`.
pub fn node_ls() -> CommandForm {
    CommandForm {
        aliases: "docker node ls, docker node list",
        ..form(
            "docker node ls",
            "[OPTIONS]",
            "List nodes in the swarm",
            Arity::None,
            vec![FILTER, FORMAT, QUIET],
        )
    }
}

/// `docker node update`.
pub fn node_update() -> CommandForm {
    let label = Kind::List(Check::Any);
    form(
        "docker node update",
        "[OPTIONS] NODE",
        "Update a node",
        Arity::Exactly(1),
        vec![
            flag(
                "availability",
                None,
                Kind::Text,
                "Availability of the node (\"active\", \"pause\", \"drain\")",
            ),
            flag("label-add", None, label, "Add or update a node label (\"key=value\")"),
            flag("label-rm", None, label, "Remove a node label if exists"),
            flag("role", None, Kind::Text, "Role of the node (\"worker\", \"manager\")"),
        ],
    )
}

/// `docker node inspect`.
pub fn node_inspect() -> CommandForm {
    form(
        "docker node inspect",
        "[OPTIONS] self|NODE [NODE...]",
        "Display detailed information on one or more nodes",
        Arity::AtLeast(1),
        vec![INSPECT_FORMAT, PRETTY],
    )
}

/// `docker node rm`.
pub fn node_rm() -> CommandForm {
    CommandForm {
        aliases: "docker node rm, docker node remove",
        ..form(
            "docker node rm",
            "[OPTIONS] NODE [NODE...]",
            "Remove one or more nodes from the swarm",
            Arity::AtLeast(1),
            vec![flag("force", Some('f'), Kind::Bool, "Force remove a node from the swarm")],
        )
    }
}

/// `docker node ps`: of this node where none is named.
pub fn node_ps() -> CommandForm {
    form(
        "docker node ps",
        "[OPTIONS] [NODE...]",
        "List tasks running on one or more nodes, defaults to current node",
        Arity::AtLeast(0),
        vec![FILTER, FORMAT, NO_RESOLVE, NO_TRUNC, QUIET_TASKS],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_or_letter_is_taken_twice() {
        for form in [service_create(), service_update(), service_ps(), node_update()] {
            let mut names: Vec<_> = form.flags.iter().map(|flag| flag.long).collect();
            let mut letters: Vec<_> = form.flags.iter().filter_map(|flag| flag.short).collect();
            let counts = (names.len(), letters.len());
            names.dedup();
            letters.sort_unstable();
            letters.dedup();
            assert_eq!((names.len(), letters.len()), counts, "{}", form.path);
        }
    }

    #[test]
    fn defaults_are_shown_on_create_only() {
        let default = |form: CommandForm| {
            form.flags.iter().find(|flag| flag.long == "update-monitor").unwrap().default
        };
        assert_eq!(default(service_create()), "5s");
        assert_eq!(default(service_update()), "");
    }
}
