//! The filters of the scheduler, in their order, and the sentence that explains why no node passed.
//!
//! Upstream: `manager/scheduler/pipeline.go`, `manager/scheduler/filter.go`.

use crate::base::ids::{ServiceIx, TaskIx, TemplateIx};
use crate::swarmkit::constraint;
use crate::swarmkit::scheduler::nodes::NodeInfo;
use crate::swarmkit::spec::{EndpointSpec, Protocol, PublishMode, TaskTemplate};
use crate::swarmkit::store::{Node, Store};

/// The filters that are modelled, in upstream's order. Deviation: plugins and cluster volumes are
/// absent.
const FILTERS: usize = 6;
const READY: usize = 0;
const RESOURCE: usize = 1;
const CONSTRAINT: usize = 2;
const PLATFORM: usize = 3;
const HOST_PORT: usize = 4;
const MAX_REPLICAS: usize = 5;

/// The filters set up for one task, with a count of the nodes that failed each.
pub(super) struct Pipeline {
    template: TemplateIx,
    host_ports: Vec<(Protocol, u32)>,
    service: ServiceIx,
    failed: [u32; FILTERS],
}

impl Pipeline {
    /// Upstream: `manager/scheduler/pipeline.go` `SetTask`.
    pub(super) fn of(store: &Store, task: TaskIx) -> Pipeline {
        let stored = store.task_ever(task);
        Pipeline {
            template: stored.template,
            host_ports: host_ports(store.endpoint(stored.endpoint)),
            service: stored.service,
            failed: [0; FILTERS],
        }
    }

    /// Whether the node passes all filters; it is charged to the first it fails.
    ///
    /// Upstream: `manager/scheduler/pipeline.go` `Process`.
    pub(super) fn passes(&mut self, store: &Store, node: &Node, info: &NodeInfo) -> bool {
        if let Some(filter) = self.first_failed(store.template(self.template), node, info) {
            self.failed[filter] += 1;
            false
        } else {
            self.failed = [0; FILTERS];
            true
        }
    }

    fn first_failed(&self, task: &TaskTemplate, node: &Node, info: &NodeInfo) -> Option<usize> {
        if !node.is_schedulable() {
            return Some(READY);
        }
        if let Some(resources) = &task.resources {
            let wanted = &resources.reservations;
            if wanted.nano_cpus > info.free_cpus(node)
                || wanted.memory_bytes > info.free_memory(node)
            {
                return Some(RESOURCE);
            }
        }
        if let Some(placement) = &task.placement {
            if !constraint::all_match(&placement.constraints, node) {
                return Some(CONSTRAINT);
            }
            // Nodes are Linux on x86_64 here.
            let fits = |p: &crate::swarmkit::spec::Platform| {
                matches!(p.os.as_str(), "" | "linux")
                    && matches!(p.architecture.as_str(), "" | "x86_64" | "amd64")
            };
            if !placement.platforms.is_empty() && !placement.platforms.iter().any(fits) {
                return Some(PLATFORM);
            }
        }
        if self.host_ports.iter().any(|port| info.uses_port(*port)) {
            return Some(HOST_PORT);
        }
        let most = task.placement.as_ref().map_or(0, |p| p.max_replicas);
        if most > 0 && u64::from(info.active_of(self.service)) >= most {
            return Some(MAX_REPLICAS);
        }
        None
    }

    /// The filters that nodes failed, most first, ties in their order.
    ///
    /// Upstream: `manager/scheduler/pipeline.go` `Explain`.
    pub(super) fn explain(&self) -> String {
        let mut failed: Vec<(usize, u32)> =
            self.failed.iter().copied().enumerate().filter(|(_, count)| *count > 0).collect();
        failed.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let parts: Vec<String> = failed.into_iter().map(|(f, count)| sentence(f, count)).collect();
        parts.join("; ")
    }
}

fn sentence(filter: usize, nodes: u32) -> String {
    let nodes_text = if nodes == 1 { "1 node".to_string() } else { format!("{nodes} nodes") };
    match filter {
        READY => format!("{nodes_text} not available for new tasks"),
        RESOURCE => format!("insufficient resources on {nodes_text}"),
        CONSTRAINT => format!("scheduling constraints not satisfied on {nodes_text}"),
        PLATFORM => format!("unsupported platform on {nodes_text}"),
        HOST_PORT => format!("host-mode port already in use on {nodes_text}"),
        _ => "max replicas per node limit exceed".to_string(),
    }
}

/// The ports that a task takes on its own node.
pub(super) fn host_ports(endpoint: Option<&EndpointSpec>) -> Vec<(Protocol, u32)> {
    let ports = endpoint.map_or(&[][..], |e| e.ports.as_slice());
    ports
        .iter()
        .filter(|p| p.publish_mode == PublishMode::Host && p.published != 0)
        .map(|p| (p.protocol, p.published))
        .collect()
}
