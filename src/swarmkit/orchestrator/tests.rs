//! Semantics 3: which changes make a task dirty.

use super::is_task_dirty;
use crate::swarmkit::fixture::{World, replicated};
use crate::swarmkit::spec::{
    Amounts, DnsConfig, EndpointSpec, FileReference, HealthConfig, LogDriver, Mode, Mount,
    NetworkAttachment, Placement, PortConfig, Resources, RestartPolicy, ServiceSpec, Ulimit,
};
use crate::swarmkit::task::{Availability, NodeState, TaskState};

use TaskState::{New, Pending, Preparing, Ready, Running, Shutdown, Starting};

/// Whether a running task on a node labelled `zone=a` is dirty after a request with this change.
fn is_dirty(change: impl FnOnce(&mut ServiceSpec)) -> bool {
    is_dirty_in(Running, Running, true, change)
}

fn is_dirty_in(
    desired: TaskState,
    state: TaskState,
    placed: bool,
    change: impl FnOnce(&mut ServiceSpec),
) -> bool {
    let mut w = World::new();
    let labels = [("zone", "a")];
    let node = w.labelled_node("n1", NodeState::Ready, Availability::Active, &labels);
    let service = w.service(replicated(1));
    let task = w.task_on(service, 1, placed.then_some(node), desired, state);
    w.update(service, change);
    let now = w.store.service(service).expect("it exists").now.clone();
    is_task_dirty(&w.store, &now, w.store.snapshot(task))
}

type Change = fn(&mut ServiceSpec);

fn text() -> String {
    "x".to_string()
}

#[test]
fn what_a_task_is_made_from_makes_it_dirty() {
    let changes: &[(&str, Change)] = &[
        ("image", |s| s.task.container.image = text()),
        ("container label", |s| drop(s.task.container.labels.insert(text(), text()))),
        ("entrypoint", |s| s.task.container.command = vec![text()]),
        ("args", |s| s.task.container.args = vec![text()]),
        ("hostname", |s| s.task.container.hostname = text()),
        ("env", |s| s.task.container.env = vec![text()]),
        ("workdir", |s| s.task.container.dir = text()),
        ("user", |s| s.task.container.user = text()),
        ("group", |s| s.task.container.groups = vec![text()]),
        ("init", |s| s.task.container.init = Some(true)),
        ("stop signal", |s| s.task.container.stop_signal = text()),
        ("tty", |s| s.task.container.tty = true),
        ("read-only", |s| s.task.container.read_only = true),
        ("mount", |s| s.task.container.mounts = vec![Mount::default()]),
        ("grace", |s| s.task.container.stop_grace_period = Some(crate::base::time::Span(1))),
        ("health", |s| s.task.container.healthcheck = Some(HealthConfig::default())),
        ("hosts", |s| s.task.container.hosts = vec![text()]),
        ("dns", |s| s.task.container.dns = Some(DnsConfig::default())),
        ("secret", |s| s.task.container.secrets = vec![FileReference::default()]),
        ("config", |s| s.task.container.configs = vec![FileReference::default()]),
        ("sysctl", |s| drop(s.task.container.sysctls.insert(text(), text()))),
        ("capability", |s| s.task.container.cap_add = vec![text()]),
        ("ulimit", |s| s.task.container.ulimits = vec![Ulimit::default()]),
        ("limit", |s| s.task.resources = Some(limit())),
        ("restart policy", |s| s.task.restart = Some(RestartPolicy::default())),
        ("network", |s| s.task.networks = vec![NetworkAttachment::default()]),
        ("log driver", |s| s.task.log_driver = Some(LogDriver::default())),
        ("force", |s| s.task.force_update += 1),
        ("port", |s| s.endpoint = Some(port())),
        ("endpoint", |s| s.endpoint = Some(EndpointSpec::default())),
    ];
    for (name, change) in changes {
        assert!(is_dirty(change), "{name}");
    }
}

fn limit() -> Resources {
    let limits = Amounts { pids: 5, ..Amounts::default() };
    Resources { limits, ..Resources::default() }
}

fn port() -> EndpointSpec {
    let port = PortConfig {
        published: 80,
        target: 80,
        protocol: crate::swarmkit::spec::Protocol::Tcp,
        publish_mode: crate::swarmkit::spec::PublishMode::Ingress,
    };
    EndpointSpec { ports: vec![port], ..EndpointSpec::default() }
}

#[test]
fn what_only_the_service_has_does_not() {
    let config = Some(crate::swarmkit::defaults::UPDATE_CONFIG);
    assert!(!is_dirty(|s| drop(s.labels.insert(text(), text()))));
    assert!(!is_dirty(|s| s.mode = Mode::Replicated { replicas: 7 }));
    assert!(!is_dirty(|s| s.update = config));
    assert!(!is_dirty(|s| s.rollback = config));
    assert!(!is_dirty(|_| ()));
}

fn constrained(constraints: &[&str], max_replicas: u64) -> Placement {
    let constraints = constraints.iter().map(|text| (*text).to_string()).collect();
    Placement { constraints, max_replicas, ..Placement::default() }
}

#[test]
fn placement_alone_is_judged_by_the_node() {
    let met = "node.labels.zone==a";
    for (placement, dirty) in [
        (constrained(&[met], 0), false),
        (constrained(&["node.labels.zone==b"], 0), true),
        (constrained(&[met, "node.labels.zone!=a"], 0), true),
        (constrained(&["nobody.knows==a"], 0), true),
        (constrained(&[], 3), false),
    ] {
        let change = |s: &mut ServiceSpec| s.task.placement = Some(placement.clone());
        assert_eq!(is_dirty(change), dirty, "{placement:?}");
        assert!(is_dirty_in(Running, New, false, change), "without a node: {placement:?}");
    }
    let both = |s: &mut ServiceSpec| {
        s.task.placement = Some(constrained(&[met], 0));
        s.task.container.image = text();
    };
    assert!(is_dirty(both));
}

#[test]
fn credentials_alone_do_not_count_for_tasks_that_are_up() {
    let change = |s: &mut ServiceSpec| s.task.pull_options = Some(text());
    for (desired, state, dirty) in [
        (Running, Running, false),
        (Running, Starting, false),
        (Ready, Ready, false),
        (Running, Preparing, true),
        (Running, Pending, true),
        (Running, TaskState::Failed, true),
        (Shutdown, Running, true),
    ] {
        assert_eq!(is_dirty_in(desired, state, false, change), dirty, "{desired:?} {state:?}");
    }
}

#[test]
fn credentials_and_something_else_count() {
    assert!(is_dirty(|s| {
        s.task.pull_options = Some(text());
        s.task.container.image = text();
    }));
    assert!(is_dirty(|s| {
        s.task.placement = Some(constrained(&["node.labels.zone==a"], 0));
        s.task.container.image = text();
    }));
}

/// Upstream's `TestIsTaskDirty`.
#[test]
fn test_is_task_dirty() {
    assert!(!is_dirty(|_| ()));
    assert!(!is_dirty(|s| s.task.placement = Some(constrained(&["node.labels.zone==a"], 0))));
    assert!(is_dirty(|s| s.task.placement = Some(constrained(&["node.labels.zone==b"], 0))));
    assert!(is_dirty(|s| s.task.container.image = "v:2".to_string()));
}

/// Upstream's `TestIsTaskDirtyPlacementConstraintsOnly`: only in the second case does it matter
/// whether the node fits.
#[test]
fn test_is_task_dirty_placement_constraints_only() {
    let unmet = || constrained(&["node.labels.zone==b"], 0);
    let met = || constrained(&["node.labels.zone==a"], 0);
    for (placement, dirty) in [(unmet(), true), (met(), false)] {
        assert_eq!(is_dirty(|s| s.task.placement = Some(placement.clone())), dirty);
        let with_image = |s: &mut ServiceSpec| {
            s.task.placement = Some(placement.clone());
            s.task.container.image = text();
        };
        assert!(is_dirty(with_image), "not the placement only");
    }
}
