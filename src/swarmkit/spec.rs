//! What a user asks for: the service specification, as `SwarmKit` stores it.
//!
//! Upstream: `api/specs.proto`, `api/types.proto`. Plain data. An absent part stays absent:
//! defaults are applied by whoever reads (semantics 1.6), because "absent" and "given" print and
//! compare differently. No validation here; that is the control API's (semantics 2.4).

use std::collections::BTreeMap;

use ordered_float::OrderedFloat;
use serde::Serialize;

use crate::base::time::Span;

/// A service's specification.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
pub struct ServiceSpec {
    /// Unique name.
    pub name: String,
    /// Labels of the service (not of its tasks).
    pub labels: BTreeMap<String, String>,
    /// What its tasks are made from.
    pub task: TaskTemplate,
    /// How many, and where.
    pub mode: Mode,
    /// How an update is rolled out.
    pub update: Option<UpdateConfig>,
    /// How a rollback to *this* spec is rolled out.
    pub rollback: Option<UpdateConfig>,
    /// Resolution mode and published ports.
    pub endpoint: Option<EndpointSpec>,
}

/// How many tasks a service wants, and where.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Mode {
    /// That many, wherever they fit.
    Replicated {
        /// The wish.
        replicas: u64,
    },
    /// One on every node that fits.
    Global,
    /// That many runs to completion.
    ReplicatedJob {
        /// At the same time.
        max_concurrent: u64,
        /// In all.
        total_completions: u64,
    },
    /// One run to completion on every node that fits.
    GlobalJob,
}

impl Mode {
    /// Whether its tasks run to completion.
    pub const fn is_job(self) -> bool {
        matches!(self, Mode::ReplicatedJob { .. } | Mode::GlobalJob)
    }
}

/// Update or rollback configuration.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct UpdateConfig {
    /// Slots at a time; 0 = all dirty slots at once.
    pub parallelism: u64,
    /// Wait of a worker after each of its slots. May be negative in a rollback configuration.
    pub delay: Span,
    /// How long after it came up a new task's failure counts; absent = 5 s.
    pub monitor: Option<Span>,
    /// What a failure leads to.
    pub failure_action: FailureAction,
    /// Share of the dirty slots that may fail, a 32-bit float as upstream.
    pub max_failure_ratio: OrderedFloat<f32>,
    /// Which of old and new goes first.
    pub order: UpdateOrder,
}

/// What the updater does when too many new tasks fail.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Default)]
pub enum FailureAction {
    /// Stop handing out slots.
    #[default]
    Pause,
    /// Count nothing, go on.
    Continue,
    /// Go back to the previous spec.
    Rollback,
}

/// Which of the old and the new task of a slot goes first.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Default)]
pub enum UpdateOrder {
    /// The old one stops before the new one starts.
    #[default]
    StopFirst,
    /// The new one runs before the old one stops.
    StartFirst,
}

/// What a task is made from. Everything in it is compared by the dirty test (semantics 3).
#[derive(Clone, PartialEq, Eq, Debug, Hash, Default)]
pub struct TaskTemplate {
    /// The container.
    pub container: ContainerSpec,
    /// Limits and reservations; the docker client always sends the object.
    pub resources: Option<Resources>,
    /// When and how a task that ended is replaced.
    pub restart: Option<RestartPolicy>,
    /// Where it may run.
    pub placement: Option<Placement>,
    /// Overlay networks by name.
    pub networks: Vec<NetworkAttachment>,
    /// Log driver with its options.
    pub log_driver: Option<LogDriver>,
    /// Raised by `--force`.
    pub force_update: u64,
    /// Registry credentials: ignored by the dirty test for tasks that are up.
    pub pull_options: Option<String>,
}

impl TaskTemplate {
    /// Whether two differ at most in what may differ in a task that stays: where tasks may run, and
    /// the registry's credentials.
    ///
    /// Upstream: `manager/orchestrator/task.go` `IsTaskDirty`.
    pub fn is_alike(&self, other: &TaskTemplate) -> bool {
        let TaskTemplate {
            container,
            resources,
            restart,
            placement: _,
            networks,
            log_driver,
            force_update,
            pull_options: _,
        } = self;
        (container, resources, restart) == (&other.container, &other.resources, &other.restart)
            && (networks, log_driver) == (&other.networks, &other.log_driver)
            && *force_update == other.force_update
    }
}

/// The container of a task. Zero values mean "the image's".
#[derive(Clone, PartialEq, Eq, Debug, Hash, Default)]
pub struct ContainerSpec {
    /// Image reference as stored.
    pub image: String,
    /// Labels of the container.
    pub labels: BTreeMap<String, String>,
    /// Entrypoint.
    pub command: Vec<String>,
    /// Arguments.
    pub args: Vec<String>,
    /// Host name.
    pub hostname: String,
    /// `NAME=value` in order; the order is compared.
    pub env: Vec<String>,
    /// Working directory.
    pub dir: String,
    /// User.
    pub user: String,
    /// Supplementary groups.
    pub groups: Vec<String>,
    /// Run an init process; the docker client always sends a value.
    pub init: Option<bool>,
    /// Signal that asks the process to stop; empty = the image's, else SIGTERM.
    pub stop_signal: String,
    /// Allocate a terminal.
    pub tty: bool,
    /// Keep standard input open.
    pub open_stdin: bool,
    /// Root file system read-only.
    pub read_only: bool,
    /// Mounts.
    pub mounts: Vec<Mount>,
    /// From the stop signal to the kill; absent = 10 s.
    pub stop_grace_period: Option<Span>,
    /// Health check; absent = the image's as a whole.
    pub healthcheck: Option<HealthConfig>,
    /// Extra host entries.
    pub hosts: Vec<String>,
    /// Name servers, search domains, options.
    pub dns: Option<DnsConfig>,
    /// Secrets.
    pub secrets: Vec<FileReference>,
    /// Configs.
    pub configs: Vec<FileReference>,
    /// Isolation technology.
    pub isolation: String,
    /// Kernel parameters.
    pub sysctls: BTreeMap<String, String>,
    /// Added capabilities.
    pub cap_add: Vec<String>,
    /// Dropped capabilities.
    pub cap_drop: Vec<String>,
    /// Resource limits of the process.
    pub ulimits: Vec<Ulimit>,
    /// Adjustment of the out-of-memory score.
    pub oom_score_adj: i64,
    /// Credential spec.
    pub credential_spec: String,
}

/// A mount of a container.
#[derive(Clone, PartialEq, Eq, Debug, Hash, Default)]
pub struct Mount {
    /// `volume`, `bind`, `tmpfs`, …
    pub kind: String,
    /// Source.
    pub source: String,
    /// Target path.
    pub target: String,
    /// Read-only.
    pub read_only: bool,
    /// Everything else, as given.
    pub options: BTreeMap<String, String>,
}

/// Name service configuration of a container.
#[derive(Clone, PartialEq, Eq, Debug, Hash, Default)]
pub struct DnsConfig {
    /// Servers.
    pub nameservers: Vec<String>,
    /// Search domains.
    pub search: Vec<String>,
    /// Options.
    pub options: Vec<String>,
}

/// A secret or config as a file in the container.
#[derive(Clone, PartialEq, Eq, Debug, Hash, Default)]
pub struct FileReference {
    /// Name of the secret or config.
    pub source: String,
    /// File name in the container.
    pub target: String,
    /// Owner.
    pub uid: String,
    /// Group.
    pub gid: String,
    /// Permission bits.
    pub mode: u32,
}

/// A resource limit of the process.
#[derive(Clone, PartialEq, Eq, Debug, Hash, Default)]
pub struct Ulimit {
    /// Name.
    pub name: String,
    /// Soft limit.
    pub soft: i64,
    /// Hard limit.
    pub hard: i64,
}

/// Health check of a service or an image. A zero means "the image's" and after that the engine's
/// default.
#[derive(Clone, PartialEq, Eq, Debug, Hash, Default)]
pub struct HealthConfig {
    /// Empty = inherit, `["NONE"]` = none, else `CMD …` or `CMD-SHELL …`.
    pub test: Vec<String>,
    /// From the end of a probe to the next.
    pub interval: Span,
    /// Longest a probe may take.
    pub timeout: Span,
    /// How long failures do not count while the container is starting.
    pub start_period: Span,
    /// Interval within the start period.
    pub start_interval: Span,
    /// Failures in a row that make it unhealthy.
    pub retries: i64,
}

/// A network that tasks are attached to.
#[derive(Clone, PartialEq, Eq, Debug, Hash, Default)]
pub struct NetworkAttachment {
    /// Network name.
    pub target: String,
    /// Names of the task on it.
    pub aliases: Vec<String>,
    /// Driver options.
    pub driver_opts: BTreeMap<String, String>,
}

/// Log driver.
#[derive(Clone, PartialEq, Eq, Debug, Hash, Default)]
pub struct LogDriver {
    /// Name.
    pub name: String,
    /// Options.
    pub options: BTreeMap<String, String>,
}

/// Limits and reservations of a task.
#[derive(Clone, PartialEq, Eq, Debug, Hash, Default)]
pub struct Resources {
    /// Upper bounds.
    pub limits: Amounts,
    /// What the scheduler sets aside.
    pub reservations: Amounts,
    /// Swap limit in bytes; only at creation.
    pub swap_bytes: Option<i64>,
    /// Swappiness; only at creation.
    pub memory_swappiness: Option<i64>,
}

/// Amounts of resources; zero = none given.
#[derive(Clone, PartialEq, Eq, Debug, Hash, Default)]
pub struct Amounts {
    /// Billionths of a processor.
    pub nano_cpus: i64,
    /// Bytes.
    pub memory_bytes: i64,
    /// Processes.
    pub pids: i64,
    /// Counted resources by kind.
    pub generic: BTreeMap<String, i64>,
}

/// When and how a task that ended is replaced.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Default)]
pub struct RestartPolicy {
    /// After which ends.
    pub condition: RestartCondition,
    /// From the end to the start of the replacement; absent = 5 s.
    pub delay: Option<Span>,
    /// Replacements after the first task; 0 = no limit.
    pub max_attempts: u64,
    /// In which the attempts are counted; absent or 0 = for ever.
    pub window: Option<Span>,
}

/// After which ends a task is replaced.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Default)]
pub enum RestartCondition {
    /// Never.
    None,
    /// Unless it completed.
    OnFailure,
    /// Always.
    #[default]
    Any,
}

/// Where a task may run.
#[derive(Clone, PartialEq, Eq, Debug, Hash, Default)]
pub struct Placement {
    /// `key==value` or `key!=value`.
    pub constraints: Vec<String>,
    /// Spread descriptors, such as `node.labels.zone`.
    pub preferences: Vec<String>,
    /// Active tasks of the service on one node; 0 = no limit.
    pub max_replicas: u64,
    /// Allowed platforms; empty = all.
    pub platforms: Vec<Platform>,
}

/// An operating system and architecture.
#[derive(Clone, PartialEq, Eq, Debug, Hash, Default)]
pub struct Platform {
    /// Architecture; empty = any.
    pub architecture: String,
    /// Operating system; empty = any.
    pub os: String,
}

/// Resolution mode and published ports of a service.
#[derive(Clone, PartialEq, Eq, Debug, Hash, Default)]
pub struct EndpointSpec {
    /// How the service name resolves.
    pub mode: ResolutionMode,
    /// Published ports.
    pub ports: Vec<PortConfig>,
}

/// How a service name resolves.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Default)]
pub enum ResolutionMode {
    /// To one virtual address, balanced round robin.
    #[default]
    Vip,
    /// To the addresses of the tasks.
    DnsRr,
}

/// A published port.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub struct PortConfig {
    /// Port outside; 0 = one is chosen.
    pub published: u32,
    /// Port of the container.
    pub target: u32,
    /// Transport protocol.
    pub protocol: Protocol,
    /// On all nodes, or on the task's own.
    pub publish_mode: PublishMode,
}

/// Transport protocol of a published port.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash, Default)]
pub enum Protocol {
    /// TCP.
    #[default]
    Tcp,
    /// UDP.
    Udp,
    /// SCTP.
    Sctp,
}

/// Where a port is published.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash, Default)]
pub enum PublishMode {
    /// On every node, balanced.
    #[default]
    Ingress,
    /// On the node of the task only.
    Host,
}

impl ServiceSpec {
    /// Whether the service publishes a port on every node.
    pub fn publishes_ingress(&self) -> bool {
        self.endpoint.as_ref().is_some_and(EndpointSpec::publishes_ingress)
    }
}

impl EndpointSpec {
    /// Whether a port is published on every node.
    pub fn publishes_ingress(&self) -> bool {
        self.ports.iter().any(|port| port.publish_mode == PublishMode::Ingress)
    }

    /// The ports that a task publishes on its own node.
    pub fn host_ports(&self) -> Vec<PortConfig> {
        let host = self.ports.iter().filter(|port| port.publish_mode == PublishMode::Host);
        host.cloned().collect()
    }
}

impl HealthConfig {
    /// Whether it switches health checks off.
    pub fn is_none(&self) -> bool {
        self.test.first().is_some_and(|word| word == "NONE")
    }
}

macro_rules! words {
    ($($name:ident { $($variant:ident = $word:literal),* $(,)? })*) => {$(
        impl $name {
            /// Docker's word.
            pub fn word(self) -> &'static str {
                match self { $($name::$variant => $word,)* }
            }
            /// The value of Docker's word.
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some($name::$variant),)* _ => None }
            }
            /// All of Docker's words.
            pub const WORDS: &'static [&'static str] = &[$($word),*];
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.word())
            }
        }
    )*};
}

words! {
    FailureAction { Pause = "pause", Continue = "continue", Rollback = "rollback" }
    UpdateOrder { StopFirst = "stop-first", StartFirst = "start-first" }
    RestartCondition { None = "none", OnFailure = "on-failure", Any = "any" }
    ResolutionMode { Vip = "vip", DnsRr = "dnsrr" }
    Protocol { Tcp = "tcp", Udp = "udp", Sctp = "sctp" }
    PublishMode { Ingress = "ingress", Host = "host" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn health_checks_are_switched_off_by_a_word() {
        let is_none = |words: &[&str]| {
            let test = words.iter().map(ToString::to_string).collect();
            HealthConfig { test, ..HealthConfig::default() }.is_none()
        };
        assert!(is_none(&["NONE"]));
        assert!(!is_none(&["CMD", "true"]) && !is_none(&[]));
    }

    #[test]
    fn ports_are_published_on_all_nodes_or_on_the_tasks_own() {
        let with = |modes: &[PublishMode]| {
            let port = |publish_mode| PortConfig {
                published: 80,
                target: 80,
                protocol: Protocol::Tcp,
                publish_mode,
            };
            let ports = modes.iter().map(|mode| port(*mode)).collect();
            EndpointSpec { ports, ..EndpointSpec::default() }
        };
        let (ingress, host) = (PublishMode::Ingress, PublishMode::Host);
        for (modes, everywhere, on_hosts) in [
            (&[][..], false, 0),
            (&[host], false, 1),
            (&[ingress], true, 0),
            (&[host, ingress, host], true, 2),
        ] {
            let endpoint = with(modes);
            assert_eq!(endpoint.publishes_ingress(), everywhere, "{modes:?}");
            assert_eq!(endpoint.host_ports().len(), on_hosts, "{modes:?}");
            let spec = crate::swarmkit::fixture::replicated(1);
            let service = ServiceSpec { endpoint: Some(endpoint), ..spec.clone() };
            assert_eq!(service.publishes_ingress(), everywhere, "{modes:?}");
            assert!(!spec.publishes_ingress());
        }
    }
}
