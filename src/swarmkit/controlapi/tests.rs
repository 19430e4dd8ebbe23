//! Semantics 2: what is refused, and what an accepted request changes.

use ordered_float::OrderedFloat;

use super::{create_service, rollback_service, update_service};
use crate::base::chance::{Seed, Whom};
use crate::base::ids::Identifier;
use crate::base::time::Span;
use crate::swarmkit::defaults::UPDATE_CONFIG;
use crate::swarmkit::fixture::{World, replicated, same};
use crate::swarmkit::spec::{
    Amounts, EndpointSpec, HealthConfig, Mode, Mount, Placement, PortConfig, Protocol, PublishMode,
    ResolutionMode, Resources, RestartPolicy, ServiceSpec, UpdateConfig,
};

/// What a creation with this change is answered; empty if it is accepted.
fn answer(change: impl FnOnce(&mut ServiceSpec)) -> String {
    let mut w = World::new();
    let mut spec = replicated(1);
    change(&mut spec);
    let key = Seed(0).key(Whom::Service, "web");
    let made = create_service(&mut w.ctx(), spec, Identifier::new(0, 1), key);
    let refused = made.err().map_or(String::new(), |refused| refused.to_string());
    assert_eq!(refused.is_empty(), !w.facts().is_empty(), "a refused request writes nothing");
    refused
}

const NEGATIVE: Span = Span(-1);
const INVALID: &str = "rpc error: code = InvalidArgument desc = ";

fn port(published: u32, publish_mode: PublishMode) -> PortConfig {
    PortConfig { published, target: 80, protocol: Protocol::Tcp, publish_mode }
}

fn endpoint(mode: ResolutionMode, ports: &[PortConfig]) -> EndpointSpec {
    EndpointSpec { mode, ports: ports.to_vec() }
}

#[test]
fn names_must_be_dns_like() {
    for (name, text) in [
        ("", "meta: name must be provided"),
        ("a b", "name must be valid as a DNS name component"),
        ("-a", "name must be valid as a DNS name component"),
        (&"a".repeat(64), "name must be 63 characters or fewer"),
    ] {
        assert_eq!(answer(|spec| spec.name = name.to_string()), format!("{INVALID}{text}"));
    }
    assert_eq!(answer(|spec| spec.name = "a".repeat(63)), "");
}

#[test]
fn amounts_have_a_least_value() {
    let resources = |nano_cpus, memory_bytes| {
        let limits = Amounts { nano_cpus, memory_bytes, ..Amounts::default() };
        Some(Resources { limits, ..Resources::default() })
    };
    let cpus = answer(|spec| spec.task.resources = resources(999_999, 0));
    assert_eq!(cpus, format!("{INVALID}invalid cpu value 0.000999999: Must be at least 0.001"));
    let memory = answer(|spec| spec.task.resources = resources(0, (4 << 20) - 1));
    let text = "invalid memory value 4194303: Must be at least 4MiB";
    assert_eq!(memory, format!("{INVALID}{text}"));
    assert_eq!(answer(|spec| spec.task.resources = resources(1_000_000, 4 << 20)), "");
}

#[test]
fn times_and_shares_have_their_range_but_not_in_a_rollback_configuration() {
    let update = |change: fn(&mut UpdateConfig)| {
        let mut config = UPDATE_CONFIG;
        change(&mut config);
        Some(config)
    };
    let delay: fn(&mut UpdateConfig) = |c| c.delay = NEGATIVE;
    let monitor: fn(&mut UpdateConfig) = |c| c.monitor = Some(NEGATIVE);
    let ratio: fn(&mut UpdateConfig) = |c| c.max_failure_ratio = OrderedFloat(7.0);
    for (change, text) in [
        (delay, "TaskSpec: update-delay cannot be negative"),
        (monitor, "TaskSpec: update-monitor cannot be negative"),
        (ratio, "TaskSpec: update-maxfailureratio cannot be less than 0 or bigger than 1"),
    ] {
        let refused = answer(|spec| spec.update = update(change));
        assert_eq!(refused, format!("{INVALID}{text}"));
        assert_eq!(answer(|spec| spec.rollback = update(change)), "", "quirk Q19");
    }
    let restart = |delay, window| Some(RestartPolicy { delay, window, ..RestartPolicy::default() });
    let refused = answer(|spec| spec.task.restart = restart(Some(NEGATIVE), None));
    assert_eq!(refused, format!("{INVALID}TaskSpec: restart-delay cannot be negative"));
    let refused = answer(|spec| spec.task.restart = restart(None, Some(NEGATIVE)));
    assert_eq!(refused, format!("{INVALID}TaskSpec: restart-window cannot be negative"));
    let accepted = answer(|spec| spec.task.restart = restart(Some(Span::ZERO), Some(Span::ZERO)));
    assert_eq!(accepted, "");
}

#[test]
fn images_are_references() {
    let long = "a".repeat(256);
    for (image, valid) in [
        ("web", true),
        ("shop/web:1.2_3-x", true),
        ("SHOP/web", false),
        ("localhost/web", true),
        ("localhost:5000/web:1", true),
        ("Reg.example/shop/web", true),
        ("Reg_x.example/web", false),
        ("shop//web", false),
        ("web-", false),
        (".web", false),
        ("web:", false),
        ("web:.1", false),
        ("web:a b", false),
        ("web@sha256:1", true),
        ("web@sha256", false),
        (&long, false),
        (&long[1..], true),
    ] {
        let refused = answer(|spec| spec.task.container.image = image.to_string());
        assert_eq!(refused.is_empty(), valid, "{image}: {refused}");
    }
}

#[test]
fn the_container_is_checked() {
    let refused = answer(|spec| spec.task.container.image.clear());
    assert_eq!(refused, format!("{INVALID}ContainerSpec: image reference must be provided"));
    let refused = answer(|spec| spec.task.container.image = "Web:1".to_string());
    let text = "ContainerSpec: \"Web:1\" is not a valid repository/tag";
    assert_eq!(refused, format!("{INVALID}{text}"));
    let mount = || Mount { target: "/data".to_string(), ..Mount::default() };
    let refused = answer(|spec| spec.task.container.mounts = vec![mount(), mount()]);
    assert_eq!(refused, format!("{INVALID}ContainerSpec: duplicate mount point: /data"));
    let short = Span::from_us(999);
    for (name, health) in [
        ("Interval", HealthConfig { interval: short, ..HealthConfig::default() }),
        ("Timeout", HealthConfig { timeout: short, ..HealthConfig::default() }),
        ("StartPeriod", HealthConfig { start_period: short, ..HealthConfig::default() }),
        ("StartInterval", HealthConfig { start_interval: short, ..HealthConfig::default() }),
    ] {
        let refused = answer(|spec| spec.task.container.healthcheck = Some(health));
        let text = format!("ContainerSpec: {name} in HealthConfig cannot be less than 1ms");
        assert_eq!(refused, format!("{INVALID}{text}"));
    }
    let least = HealthConfig { interval: Span::from_ms(1), ..HealthConfig::default() };
    assert_eq!(answer(|spec| spec.task.container.healthcheck = Some(least)), "");
    let retries = HealthConfig { retries: -1, ..HealthConfig::default() };
    let refused = answer(|spec| spec.task.container.healthcheck = Some(retries));
    let text = "ContainerSpec: Retries in HealthConfig cannot be negative";
    assert_eq!(refused, format!("{INVALID}{text}"));
}

#[test]
fn placement_mode_and_endpoint_are_checked() {
    let constraints = vec!["node.role=manager".to_string()];
    let placement = Some(Placement { constraints, ..Placement::default() });
    let refused = answer(|spec| spec.task.placement = placement);
    assert!(refused.ends_with("constraint expected one operator from ==, !="), "{refused}");
    let refused = answer(|spec| spec.mode = Mode::Replicated { replicas: u64::MAX });
    assert_eq!(refused, format!("{INVALID}Number of replicas must be non-negative"));
    let refused = answer(|spec| {
        spec.mode = Mode::GlobalJob;
        spec.update = Some(UPDATE_CONFIG);
    });
    assert_eq!(refused, format!("{INVALID}Jobs may not have an update config"));
    let ingress = port(80, PublishMode::Ingress);
    let one = [ingress.clone()];
    let refused = answer(|spec| spec.endpoint = Some(endpoint(ResolutionMode::DnsRr, &one)));
    let text = "EndpointSpec: port published with ingress mode can't be used with dnsrr mode";
    assert_eq!(refused, format!("{INVALID}{text}"));
    let two = [ingress.clone(), PortConfig { target: 81, ..ingress }];
    let refused = answer(|spec| spec.endpoint = Some(endpoint(ResolutionMode::Vip, &two)));
    assert_eq!(refused, format!("{INVALID}EndpointSpec: duplicate published ports provided"));
}

#[test]
fn a_port_that_is_published_everywhere_is_nobody_elses() {
    use PublishMode::{Host, Ingress};
    for (taken, wanted, text) in [
        (Ingress, Ingress, "as an ingress port"),
        (Ingress, Host, "as an ingress port"),
        (Host, Ingress, "as a host-published port"),
        (Host, Host, ""),
    ] {
        let mut w = World::new();
        let mut first = replicated(1);
        first.endpoint = Some(endpoint(ResolutionMode::Vip, &[port(80, taken)]));
        w.service(first.clone());
        let ports = Some(endpoint(ResolutionMode::Vip, &[port(80, wanted)]));
        let second = ServiceSpec { name: "other".to_string(), endpoint: ports, ..first };
        let key = Seed(0).key(Whom::Service, "other");
        let made = create_service(&mut w.ctx(), second, Identifier::new(0, 2), key);
        let id = Identifier::new(0, 1);
        let told = made.err().map_or(String::new(), |refused| refused.to_string());
        let start = format!("{INVALID}port '80' is already in use by service 'web' ({id}) ");
        assert_eq!(told, if text.is_empty() { String::new() } else { start + text });
    }
}

#[test]
fn an_update_may_not_take_anothers_port() {
    let mut w = World::new();
    let published = |at| Some(endpoint(ResolutionMode::Vip, &[port(at, PublishMode::Ingress)]));
    w.service(ServiceSpec { endpoint: published(80), ..replicated(1) });
    let other = ServiceSpec { name: "other".to_string(), ..replicated(1) };
    let service = w.service(ServiceSpec { endpoint: published(81), ..other.clone() });
    let version = w.store.service(service).expect("it exists").meta_version;
    let wanted = ServiceSpec { endpoint: published(80), ..other };
    let refused = update_service(&mut w.ctx(), service, wanted, version).expect_err("it is taken");
    let id = Identifier::new(0, 1);
    let text = format!("port '80' is already in use by service 'web' ({id}) as an ingress port");
    assert_eq!(refused.to_string(), format!("{INVALID}{text}"));
}

#[test]
fn an_update_may_change_neither_name_nor_mode_nor_come_late() {
    let mut w = World::new();
    let service = w.service(replicated(1));
    let version = w.store.service(service).expect("it exists").meta_version;
    let mut refused = |change: fn(&mut ServiceSpec), version| {
        let mut spec = replicated(1);
        change(&mut spec);
        update_service(&mut w.ctx(), service, spec, version).expect_err("it is wrong").to_string()
    };
    assert_eq!(
        refused(|spec| spec.mode = Mode::Global, version),
        "rpc error: code = Unimplemented desc = service mode change is not allowed"
    );
    assert_eq!(
        refused(|spec| spec.name = "other".to_string(), version),
        "rpc error: code = Unimplemented desc = renaming services is not supported"
    );
    assert_eq!(
        refused(|_| (), version - 1),
        "rpc error: code = Unknown desc = update out of sequence"
    );
    assert_eq!(w.facts(), [""; 0]);
    let key = Seed(0).key(Whom::Service, "web");
    let twice = create_service(&mut w.ctx(), replicated(1), Identifier::new(0, 2), key);
    assert_eq!(
        twice.expect_err("the name is taken").to_string(),
        "rpc error: code = AlreadyExists desc = name conflicts with an existing object: \
         service web already exists"
    );
}

#[test]
fn a_rollback_swaps_spec_and_version_and_needs_a_previous_spec() {
    let mut w = World::new();
    let service = w.service(replicated(1));
    let version = |w: &World| w.store.service(service).expect("it exists").meta_version;
    let now = version(&w);
    let refused = rollback_service(&mut w.ctx(), service, now).expect_err("there is none");
    let id = Identifier::new(0, 1);
    let text = format!("service {id} does not have a previous spec");
    let text = format!("rpc error: code = FailedPrecondition desc = {text}");
    assert_eq!(refused.to_string(), text);
    for image in ["v2", "v3"] {
        w.update_image(service, image);
    }
    w.roll_back(service);
    w.roll_back(service);
    same(
        &w.facts(),
        "service v2 v2, before v1
        service v3 v3, before v2
        service v2 v2, before v3
        rollback_started: manually requested rollback since 0s
        service v3 v3, before v2",
    );
}
