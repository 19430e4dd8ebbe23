//! Every constant of upstream, once, with its source.
//!
//! Times that upstream's own tests shorten are fields of [`Timing`], which the machines are given;
//! the rest are constants.

use ordered_float::OrderedFloat;

use crate::base::time::Span;
use crate::swarmkit::spec::{
    FailureAction, RestartCondition, RestartPolicy, UpdateConfig, UpdateOrder,
};

/// Update and rollback configuration where none is given.
///
/// Upstream: `api/defaults/service.go`.
pub const UPDATE_CONFIG: UpdateConfig = UpdateConfig {
    parallelism: 1,
    delay: Span::ZERO,
    monitor: Some(MONITOR),
    failure_action: FailureAction::Pause,
    max_failure_ratio: OrderedFloat(0.0),
    order: UpdateOrder::StopFirst,
};

/// Monitor period where none is given. Upstream: `api/defaults/service.go`.
pub const MONITOR: Span = Span::from_secs(5);

/// Restart policy where none is given. Upstream: `api/defaults/service.go`.
pub const RESTART_POLICY: RestartPolicy = RestartPolicy {
    condition: RestartCondition::Any,
    delay: Some(RESTART_DELAY),
    max_attempts: 0,
    window: None,
};

/// Restart delay where none is given. Upstream: `api/defaults/service.go`.
pub const RESTART_DELAY: Span = Span::from_secs(5);

/// From the stop signal to the kill. Upstream: `api/defaults/service.go`.
pub const STOP_GRACE_PERIOD: Span = Span::from_secs(10);

/// Replicas where none are given. Upstream: `daemon/cluster/convert/service.go`
/// `ServiceSpecToGRPC`.
pub const REPLICAS: u64 = 1;

/// Tasks kept per slot, the live one included. Upstream: `manager/manager.go`
/// `defaultClusterObject`.
pub const TASK_HISTORY_LIMIT: i64 = 5;

/// Changes after which a batch is cut. Upstream: `manager/state/store/memory.go`
/// `MaxChangesPerTransaction`.
pub const BATCH_CHANGES: usize = 200;

/// A reaper with more entries than this runs at once. Upstream: `taskreaper/task_reaper.go`
/// `maxDirty`.
pub const REAPER_MAX_DIRTY: usize = 1000;

/// Failures of a service on a node after which other nodes are preferred.
/// Upstream: `manager/scheduler/nodeinfo.go` `maxFailures`.
pub const NODE_MAX_FAILURES: usize = 5;

/// Changes after which an assignment message is sent at once.
/// Upstream: `manager/dispatcher/dispatcher.go` `modificationBatchLimit`.
pub const ASSIGNMENT_BATCH: usize = 100;

/// Status reports after which they are stored at once.
/// Upstream: `manager/dispatcher/dispatcher.go` `maxBatchItems`.
pub const STATUS_BATCH: usize = 10_000;

/// Health checks where neither service nor image says otherwise. Upstream: moby `daemon/health.go`.
pub mod health {
    use crate::base::time::Span;

    /// From the end of a probe to the next.
    pub const INTERVAL: Span = Span::from_secs(30);
    /// Longest a probe may take.
    pub const TIMEOUT: Span = Span::from_secs(30);
    /// Interval within the start period.
    pub const START_INTERVAL: Span = Span::from_secs(5);
    /// Failures in a row that make a container unhealthy.
    pub const RETRIES: i64 = 3;
}

/// Upstream's waiting times.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Timing {
    /// A delayed start waits no longer than this for the old task.
    /// Upstream: `manager/orchestrator/restart/restart.go` `defaultOldTaskTimeout`.
    pub old_task_timeout: Span,
    /// How much longer than the delay an update's final watch is where the monitor period is not
    /// longer. Engines before 20.10.10 have none: their final watch is the monitor period.
    /// Upstream: `manager/orchestrator/update/updater.go` `Run`, since moby/swarmkit#3003.
    pub final_watch_margin: Option<Span>,
    /// Pause of commits that the scheduler waits for. Upstream: `manager/scheduler/scheduler.go`
    /// `Run`.
    pub scheduler_gap: Span,
    /// Longest it lets itself be put off. Upstream: same.
    pub scheduler_max_latency: Span,
    /// How long a node remembers failures. Upstream: `manager/scheduler/nodeinfo.go`
    /// `monitorFailures`.
    pub node_failure_memory: Span,
    /// From the first change to the reaper's run.
    /// Upstream: `taskreaper/task_reaper.go` `reaperBatchingInterval`.
    pub reaper_interval: Span,
    /// Between two looks at the nodes' status reports.
    /// Upstream: `manager/dispatcher/dispatcher.go` `maxBatchInterval`.
    pub status_interval: Span,
    /// From the last change to the assignment message. Upstream: same, `batchingWaitTime`.
    pub assignment_wait: Span,
    /// Mean heartbeat period. Upstream: same, `DefaultHeartBeatPeriod`.
    pub heartbeat_period: Span,
    /// Heartbeat periods are drawn from plus or minus this. Upstream: same,
    /// `defaultHeartBeatEpsilon`.
    pub heartbeat_epsilon: Span,
    /// Missed periods that make a node down. Upstream: same, `defaultGracePeriodMultiplier`.
    pub heartbeat_grace: i64,
    /// The same after a change of leader. Upstream: `manager/dispatcher/nodes.go` `newNodeStore`.
    pub heartbeat_grace_unknown: i64,
    /// From down to orphaned tasks. Upstream: `manager/dispatcher/dispatcher.go`
    /// `defaultNodeDownPeriod`.
    pub node_down_period: Span,
    /// The agent's wait after a cancelled operation. Upstream: `agent/task.go` `run`.
    pub agent_retry: Span,
    /// Wait after leaving the load balancer.
    /// Upstream: moby `executor/container/controller.go` `defaultGossipConvergeDelay`.
    pub gossip_converge_delay: Span,
}

impl Default for Timing {
    fn default() -> Self {
        Timing {
            old_task_timeout: Span::from_secs(60),
            final_watch_margin: Some(Span::from_secs(1)),
            scheduler_gap: Span::from_ms(50),
            scheduler_max_latency: Span::from_secs(1),
            node_failure_memory: Span::from_secs(5 * 60),
            reaper_interval: Span::from_ms(250),
            status_interval: Span::from_ms(100),
            assignment_wait: Span::from_ms(100),
            heartbeat_period: Span::from_secs(5),
            heartbeat_epsilon: Span::from_ms(500),
            heartbeat_grace: 3,
            heartbeat_grace_unknown: 6,
            node_down_period: Span::from_secs(24 * 3600),
            agent_retry: Span::from_secs(1),
            gossip_converge_delay: Span::from_secs(2),
        }
    }
}
