//! What differs between two specs of a service, in a few words each.

use crate::swarmkit::spec::{ContainerSpec, Mode, ServiceSpec, TaskTemplate};

/// What changed, in the order of the spec; what cannot be named is "other settings of the tasks".
pub(super) fn differences(old: &ServiceSpec, new: &ServiceSpec) -> Vec<String> {
    let mut list = Vec::new();
    let (before, after) = (&old.task.container.image, &new.task.container.image);
    if before != after {
        list.push(format!("image {before} → {after}"));
    }
    if let (Mode::Replicated { replicas: a }, Mode::Replicated { replicas: b }) =
        (old.mode, new.mode)
        && a != b
    {
        list.push(format!("replicas {a} → {b}"));
    }
    let before = list.len();
    list.extend(of_tasks(&old.task, &new.task).into_iter().map(str::to_string));
    let mut same_image = old.task.clone();
    same_image.container.image.clone_from(after);
    if list.len() == before && same_image != new.task {
        list.push("other settings of the tasks".to_string());
    }
    for (changed, what) in [
        (old.update != new.update, "update config"),
        (old.rollback != new.rollback, "rollback config"),
        (old.labels != new.labels, "labels of the service"),
        (old.endpoint != new.endpoint, "ports"),
    ] {
        if changed {
            list.push(what.to_string());
        }
    }
    list
}

fn process(c: &ContainerSpec) -> impl PartialEq {
    (&c.command, &c.args, &c.dir, &c.user, &c.hostname)
}

/// What changed of the tasks but their image.
fn of_tasks(old: &TaskTemplate, new: &TaskTemplate) -> Vec<&'static str> {
    let (a, b): (&ContainerSpec, &ContainerSpec) = (&old.container, &new.container);
    [
        (a.labels != b.labels, "labels of the containers"),
        (a.env != b.env, "environment"),
        (process(a) != process(b), "command, user or directory"),
        (
            (&a.stop_signal, a.stop_grace_period) != (&b.stop_signal, b.stop_grace_period),
            "stop signal or grace period",
        ),
        (a.healthcheck != b.healthcheck, "health check"),
        (a.mounts != b.mounts, "mounts"),
        ((&a.hosts, &a.dns) != (&b.hosts, &b.dns), "hosts or DNS"),
        (a.secrets != b.secrets, "secrets"),
        (a.configs != b.configs, "configs"),
        (old.resources != new.resources, "resources"),
        (old.restart != new.restart, "restart policy"),
        (old.placement != new.placement, "placement"),
        (old.networks != new.networks, "networks"),
        (old.log_driver != new.log_driver, "log driver"),
        (old.force_update != new.force_update, "forced"),
    ]
    .into_iter()
    .filter_map(|(changed, what)| changed.then_some(what))
    .collect()
}
