//! The control API: what a user's request does to the store (semantics 2).
//!
//! Upstream: `manager/controlapi/service.go`, `manager/controlapi/node.go`. A request is checked as
//! a whole before it writes; refused, it writes nothing.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::base::chance::Key;
use crate::base::ids::{Identifier, NodeIx, ServiceIx, SpecVersion};
use crate::base::time::Span;
use crate::swarmkit::constraint;
use crate::swarmkit::ctx::Ctx;
use crate::swarmkit::spec::{
    EndpointSpec, HealthConfig, Mode, PublishMode, ResolutionMode, ServiceSpec, TaskTemplate,
};
use crate::swarmkit::store::Store;
use crate::swarmkit::task::{
    Availability, NodeState, StatusMessage, TaskState, UpdateMessage, UpdateState,
};
use crate::timeline::record::{TaskStatus, UpdateStatus};

/// Why a request was refused; `Display` is the text that the engine passes on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refused {
    code: Code,
    text: String,
}

/// The gRPC code of a refusal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Code {
    /// The request itself is wrong.
    InvalidArgument,
    /// There is no such object.
    NotFound,
    /// There is one of that name.
    AlreadyExists,
    /// Not in this state.
    FailedPrecondition,
    /// Never.
    Unimplemented,
    /// Everything else.
    Unknown,
}

impl Refused {
    fn new(code: Code, text: impl Into<String>) -> Refused {
        Refused { code, text: text.into() }
    }

    /// The code.
    pub fn code(&self) -> Code {
        self.code
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rpc error: code = {:?} desc = {}", self.code, self.text)
    }
}

impl std::error::Error for Refused {}

/// Creates a service.
///
/// # Errors
/// The spec is not valid (semantics 2.4), its name or a port is taken.
///
/// Upstream: `manager/controlapi/service.go` `CreateService`.
pub fn create_service(
    ctx: &mut Ctx<'_>,
    spec: impl Into<Arc<ServiceSpec>>,
    id: Identifier,
    key: Key,
) -> Result<ServiceIx, Refused> {
    let spec = spec.into();
    validate(&spec)?;
    check_port_conflicts(ctx.store, &spec, None)?;
    if ctx.store.service_named(&spec.name).is_some() {
        let text =
            format!("name conflicts with an existing object: service {} already exists", spec.name);
        return Err(Refused::new(Code::AlreadyExists, text));
    }
    let service = ctx.store.create_service(ctx.now, id, key, spec);
    ctx.store.commit();
    Ok(service)
}

/// Replaces a service's spec. `version` is the object version that the client had read.
///
/// # Errors
/// As for creation; also a changed name or mode, or a stale version.
///
/// Upstream: `manager/controlapi/service.go` `UpdateService`.
pub fn update_service(
    ctx: &mut Ctx<'_>,
    service: ServiceIx,
    spec: impl Into<Arc<ServiceSpec>>,
    version: u64,
) -> Result<(), Refused> {
    let spec = spec.into();
    validate(&spec)?;
    let stored = find(ctx.store, service)?;
    if stored.now.spec.endpoint != spec.endpoint {
        check_port_conflicts(ctx.store, &spec, Some(service))?;
    }
    let old = stored.now.spec.clone();
    if std::mem::discriminant(&old.mode) != std::mem::discriminant(&spec.mode) {
        return Err(Refused::new(Code::Unimplemented, "service mode change is not allowed"));
    }
    if old.name != spec.name {
        return Err(Refused::new(Code::Unimplemented, "renaming services is not supported"));
    }
    if stored.meta_version != version {
        return Err(Refused::new(Code::Unknown, "update out of sequence"));
    }
    let previous = Some((old, stored.now.version));
    let spec = (spec, SpecVersion(version));
    ctx.store.write_service(ctx.now, service, spec, previous, None);
    ctx.store.commit();
    Ok(())
}

/// Asks for the previous spec of a service.
///
/// # Errors
/// There is none, or the version is stale.
///
/// Upstream: `manager/controlapi/service.go` `UpdateService`.
pub fn rollback_service(
    ctx: &mut Ctx<'_>,
    service: ServiceIx,
    version: u64,
) -> Result<(), Refused> {
    let stored = find(ctx.store, service)?;
    if stored.meta_version != version {
        return Err(Refused::new(Code::Unknown, "update out of sequence"));
    }
    let Some(previous) = stored.previous.clone() else {
        let text = format!("service {} does not have a previous spec", stored.id);
        return Err(Refused::new(Code::FailedPrecondition, text));
    };
    let now = Some((stored.now.spec.clone(), stored.now.version));
    let status = UpdateStatus {
        state: UpdateState::RollbackStarted,
        message: UpdateMessage::ManuallyRequested,
        started: ctx.now,
        completed: None,
    };
    ctx.store.write_service(ctx.now, service, previous, now, Some(status));
    ctx.store.commit();
    Ok(())
}

/// Removes a service.
///
/// # Errors
/// There is none.
///
/// Upstream: `manager/controlapi/service.go` `RemoveService`.
pub fn remove_service(ctx: &mut Ctx<'_>, service: ServiceIx) -> Result<(), Refused> {
    find(ctx.store, service)?;
    ctx.store.remove_service(ctx.now, service);
    ctx.store.commit();
    Ok(())
}

/// Changes a node's availability or labels, in one write each as an operator's request does.
///
/// # Errors
/// There is no such node.
///
/// Upstream: `manager/controlapi/node.go` `UpdateNode`.
pub fn update_node(
    ctx: &mut Ctx<'_>,
    node: NodeIx,
    availability: Option<Availability>,
    labels: Option<BTreeMap<String, String>>,
) -> Result<(), Refused> {
    find_node(ctx.store, node)?;
    if let Some(labels) = labels {
        ctx.store.set_node_labels(ctx.now, node, labels);
    }
    if let Some(availability) = availability {
        ctx.store.set_availability(ctx.now, node, availability);
    }
    ctx.store.commit();
    Ok(())
}

/// Removes a node object; what ran there is lost.
///
/// # Errors
/// There is no such node, or it is ready and `force` was not given.
///
/// Upstream: `manager/controlapi/node.go` `RemoveNode`, `orphanNodeTasks`.
pub fn remove_node(ctx: &mut Ctx<'_>, node: NodeIx, force: bool) -> Result<(), Refused> {
    let stored = find_node(ctx.store, node)?;
    if stored.state == NodeState::Ready && !force {
        let text = format!("node {} is not down and can't be removed", stored.id);
        return Err(Refused::new(Code::FailedPrecondition, text));
    }
    let lost: Vec<_> = ctx
        .store
        .tasks()
        .filter(|(_, t)| t.node == Some(node) && t.state < TaskState::Complete)
        .map(|(task, t)| (task, t.err.clone(), t.exit))
        .collect();
    for (task, err, exit) in lost {
        let status = TaskStatus {
            state: TaskState::Orphaned,
            message: StatusMessage::NodeDeleted,
            err,
            exit,
            stamp: ctx.now,
        };
        ctx.store.write_status(ctx.now, task, status, None);
    }
    ctx.store.remove_node(ctx.now, node);
    ctx.store.commit();
    Ok(())
}

fn find(store: &Store, service: ServiceIx) -> Result<&crate::swarmkit::store::Service, Refused> {
    let missing = || Refused::new(Code::NotFound, format!("service {service:?} not found"));
    store.service(service).ok_or_else(missing)
}

fn find_node(store: &Store, node: NodeIx) -> Result<&crate::swarmkit::store::Node, Refused> {
    let missing = || Refused::new(Code::NotFound, format!("node {node:?} not found"));
    store.node(node).ok_or_else(missing)
}

/// The rules of semantics 2.4. The rollback configuration is not looked at (quirk Q19).
///
/// Upstream: `manager/controlapi/service.go` `validateServiceSpec`.
fn validate(spec: &ServiceSpec) -> Result<(), Refused> {
    let invalid = |text: String| Err(Refused::new(Code::InvalidArgument, text));
    validate_name(&spec.name)?;
    validate_task(&spec.task)?;
    if let Some(update) = &spec.update {
        if spec.mode.is_job() {
            return invalid("Jobs may not have an update config".to_string());
        }
        if update.delay < Span::ZERO {
            return invalid("TaskSpec: update-delay cannot be negative".to_string());
        }
        if update.monitor.is_some_and(|monitor| monitor < Span::ZERO) {
            return invalid("TaskSpec: update-monitor cannot be negative".to_string());
        }
        if update.max_failure_ratio.0 < 0.0 || update.max_failure_ratio.0 > 1.0 {
            let text = "TaskSpec: update-maxfailureratio cannot be less than 0 or bigger than 1";
            return invalid(text.to_string());
        }
    }
    if let Some(endpoint) = &spec.endpoint {
        validate_endpoint(endpoint)?;
    }
    match spec.mode {
        Mode::Replicated { replicas } if i64::try_from(replicas).is_err() => {
            invalid("Number of replicas must be non-negative".to_string())
        }
        _ => Ok(()),
    }
}

/// Upstream: `manager/controlapi/common.go` `validateAnnotations`.
fn validate_name(name: &str) -> Result<(), Refused> {
    let invalid = |text: &str| Err(Refused::new(Code::InvalidArgument, text));
    if name.is_empty() {
        return invalid("meta: name must be provided");
    }
    let inner = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let edge = |c: char| c.is_ascii_alphanumeric();
    let label = |l: &str| l.starts_with(edge) && l.ends_with(edge) && l.chars().all(inner);
    if !label(name) {
        return invalid("name must be valid as a DNS name component");
    }
    if name.len() > 63 {
        return invalid("name must be 63 characters or fewer");
    }
    Ok(())
}

/// Upstream: `manager/controlapi/service.go` `validateTaskSpec`.
fn validate_task(task: &TaskTemplate) -> Result<(), Refused> {
    let invalid = |text: String| Err(Refused::new(Code::InvalidArgument, text));
    if let Some(resources) = &task.resources {
        for amounts in [&resources.limits, &resources.reservations] {
            if amounts.nano_cpus != 0 && amounts.nano_cpus < 1_000_000 {
                let cpus = amounts.nano_cpus as f64 / 1e9;
                return invalid(format!("invalid cpu value {cpus}: Must be at least 0.001"));
            }
            if amounts.memory_bytes != 0 && amounts.memory_bytes < 4 << 20 {
                let bytes = amounts.memory_bytes;
                return invalid(format!("invalid memory value {bytes}: Must be at least 4MiB"));
            }
        }
    }
    if let Some(restart) = &task.restart {
        if restart.delay.is_some_and(|delay| delay < Span::ZERO) {
            return invalid("TaskSpec: restart-delay cannot be negative".to_string());
        }
        if restart.window.is_some_and(|window| window < Span::ZERO) {
            return invalid("TaskSpec: restart-window cannot be negative".to_string());
        }
    }
    if let Some(placement) = &task.placement {
        for text in &placement.constraints {
            constraint::parse(text).map_err(|text| Refused::new(Code::Unknown, text))?;
        }
    }
    if let Some(health) = &task.container.healthcheck {
        validate_health(health)?;
    }
    let mut targets: Vec<&str> =
        task.container.mounts.iter().map(|mount| mount.target.as_str()).collect();
    targets.sort_unstable();
    if let Some([twice, _]) = targets.windows(2).find(|pair| pair[0] == pair[1]) {
        return invalid(format!("ContainerSpec: duplicate mount point: {twice}"));
    }
    validate_image(&task.container.image)
}

/// Upstream: `manager/controlapi/service.go` `validateImage`.
fn validate_image(image: &str) -> Result<(), Refused> {
    let invalid = |text: String| Err(Refused::new(Code::InvalidArgument, text));
    if image.is_empty() {
        return invalid("ContainerSpec: image reference must be provided".to_string());
    }
    let (name, digest) = match image.split_once('@') {
        Some((name, digest)) => (name, Some(digest)),
        None => (image, None),
    };
    let (path, tag) = match name.rfind(':') {
        Some(at) if !name[at..].contains('/') => (&name[..at], Some(&name[at + 1..])),
        _ => (name, None),
    };
    let (domain, rest) = match path.split_once('/') {
        Some((first, rest)) if first.contains(['.', ':']) || first == "localhost" => {
            (Some(first), rest)
        }
        _ => (None, path),
    };
    let edge = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let word = |b: u8| edge(b) || matches!(b, b'.' | b'_' | b'-');
    let part = |p: &str| {
        let ends = p.as_bytes().first().zip(p.as_bytes().last());
        ends.is_some_and(|(first, last)| edge(*first) && edge(*last)) && p.bytes().all(word)
    };
    let tag_char = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    let tag_ok = tag.is_none_or(|t| {
        !t.is_empty() && t.len() <= 128 && t.bytes().all(tag_char) && !t.starts_with(['.', '-'])
    });
    let domain_char = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b':' | b'-');
    let domain_ok = domain.is_none_or(|d| d.bytes().all(domain_char));
    // The parser of references has this limit, `NameTotalLengthMax`.
    let length_ok = path.len() <= 255;
    let digest_ok = digest.is_none_or(|digest| digest.contains(':'));
    if rest.split('/').all(part) && tag_ok && digest_ok && domain_ok && length_ok {
        Ok(())
    } else {
        invalid(format!("ContainerSpec: \"{image}\" is not a valid repository/tag"))
    }
}

/// Upstream: `manager/controlapi/service.go` `validateHealthCheck`.
fn validate_health(health: &HealthConfig) -> Result<(), Refused> {
    let invalid = |text: String| Err(Refused::new(Code::InvalidArgument, text));
    let durations = [
        ("Interval", health.interval),
        ("Timeout", health.timeout),
        ("StartPeriod", health.start_period),
        ("StartInterval", health.start_interval),
    ];
    for (name, value) in durations {
        if !value.is_zero() && value < Span::from_ms(1) {
            let text = format!("ContainerSpec: {name} in HealthConfig cannot be less than 1ms");
            return invalid(text);
        }
    }
    if health.retries < 0 {
        return invalid("ContainerSpec: Retries in HealthConfig cannot be negative".to_string());
    }
    Ok(())
}

/// Upstream: `manager/controlapi/service.go` `validateEndpointSpec`.
fn validate_endpoint(endpoint: &EndpointSpec) -> Result<(), Refused> {
    let invalid = |text: &str| Err(Refused::new(Code::InvalidArgument, text));
    if endpoint.mode == ResolutionMode::DnsRr && endpoint.publishes_ingress() {
        let text = "EndpointSpec: port published with ingress mode can't be used with dnsrr mode";
        return invalid(text);
    }
    let mut published: Vec<_> = endpoint
        .ports
        .iter()
        .filter(|port| port.published != 0)
        .map(|port| (port.published, port.protocol))
        .collect();
    published.sort_unstable();
    if published.windows(2).any(|pair| pair[0] == pair[1]) {
        return invalid("EndpointSpec: duplicate published ports provided");
    }
    Ok(())
}

/// A port that is published on all nodes is nobody else's; two services may share one in host mode.
///
/// Upstream: `manager/controlapi/service.go` `checkPortConflicts`.
fn check_port_conflicts(
    store: &Store,
    spec: &ServiceSpec,
    but: Option<ServiceIx>,
) -> Result<(), Refused> {
    let ports = |spec: &ServiceSpec| spec.endpoint.as_ref().map_or(Vec::new(), |e| e.ports.clone());
    let wanted = ports(spec);
    for (service, stored) in store.services() {
        if Some(service) == but {
            continue;
        }
        for taken in ports(&stored.now.spec) {
            let clash = wanted.iter().any(|port| {
                port.published != 0
                    && (port.published, port.protocol) == (taken.published, taken.protocol)
                    && (port.publish_mode, taken.publish_mode)
                        != (PublishMode::Host, PublishMode::Host)
            });
            if clash {
                let how = match taken.publish_mode {
                    PublishMode::Ingress => "as an ingress port",
                    PublishMode::Host => "as a host-published port",
                };
                let text = format!(
                    "port '{}' is already in use by service '{}' ({}) {how}",
                    taken.published, stored.now.spec.name, stored.id
                );
                return Err(Refused::new(Code::InvalidArgument, text));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
