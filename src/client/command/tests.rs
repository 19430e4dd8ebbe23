//! Commands and their errors, as tables of lines.

use proptest::prelude::*;

use super::*;
use crate::base::time::Span;
use crate::client::words;
use crate::swarmkit::defaults;
use crate::swarmkit::spec::{
    EndpointSpec, FailureAction, Mode, Placement, PortConfig, Protocol, PublishMode,
    ResolutionMode, RestartPolicy, UpdateConfig, UpdateOrder,
};

fn run(line: &str) -> Result<DockerCommand, CliFailure> {
    parse(&words::split(line).unwrap())
}

fn created(flags: &str) -> ServiceSpec {
    match run(&format!("docker service create {flags}")) {
        Ok(DockerCommand::ServiceCreate { spec, .. }) => (*spec).clone(),
        other => panic!("{flags}: {other:?}"),
    }
}

fn requested(flags: &str, old: &ServiceSpec) -> Result<UpdateRequest, CliFailure> {
    match run(&format!("docker service update {flags} web")) {
        Ok(DockerCommand::ServiceUpdate(update)) => update.request(old),
        other => panic!("{flags}: {other:?}"),
    }
}

fn updated(flags: &str, old: &ServiceSpec) -> ServiceSpec {
    match requested(flags, old) {
        Ok(UpdateRequest::Spec(spec)) => Arc::unwrap_or_clone(spec),
        other => panic!("{flags}: {other:?}"),
    }
}

#[test]
fn a_spec_without_flags_has_what_a_client_always_sends() {
    let spec = created("--name web nginx sh -c 'a b'");
    assert_eq!(spec.name, "web");
    assert_eq!(spec.task.container.image, "nginx:latest");
    assert_eq!(spec.task.container.args, ["sh", "-c", "a b"]);
    assert_eq!(spec.task.container.init, Some(false));
    assert_eq!(spec.task.container.dns, Some(crate::swarmkit::spec::DnsConfig::default()));
    assert_eq!(spec.task.resources, Some(crate::swarmkit::spec::Resources::default()));
    assert_eq!(spec.task.placement, Some(Placement::default()));
    assert_eq!(spec.endpoint, Some(EndpointSpec::default()));
    assert_eq!(spec.mode, Mode::Replicated { replicas: 1 });
    assert_eq!((spec.update, spec.rollback, spec.task.restart), (None, None, None));
    assert_eq!(spec.task.container.healthcheck, None);
}

#[test]
fn one_flag_of_a_group_seeds_the_group() {
    let spec = created("--update-order start-first --rollback-failure-action rollback nginx");
    let seed = defaults::UPDATE_CONFIG;
    assert_eq!(spec.update, Some(UpdateConfig { order: UpdateOrder::StartFirst, ..seed }));
    let failure_action = FailureAction::Rollback;
    assert_eq!(spec.rollback, Some(UpdateConfig { failure_action, ..seed }));
    let spec = created("--restart-max-attempts 2 --update-monitor 0s nginx");
    let policy = RestartPolicy { max_attempts: 2, ..defaults::RESTART_POLICY };
    assert_eq!(spec.task.restart, Some(policy));
    assert_eq!(spec.update, Some(UpdateConfig { monitor: None, ..seed }));
    // An existing configuration is only changed where a flag says so.
    let spec = updated("--update-delay 3s", &spec);
    let delay = Span::from_secs(3);
    assert_eq!(spec.update, Some(UpdateConfig { monitor: None, delay, ..seed }));
}

#[test]
fn client_errors() {
    for (line, error) in [
        ("create --mode foo a", "unknown mode: foo, only replicated and global supported"),
        (
            "create --mode global --replicas 2 a",
            "replicas can only be used with replicated or replicated-job mode",
        ),
        (
            "create --mode global-job --replicas-max-per-node 2 a",
            "replicas-max-per-node can only be used with replicated or replicated-job mode",
        ),
        ("create --max-concurrent 2 a", "max-concurrent can only be used with replicated-job mode"),
        (
            "create --mode replicated-job --update-delay 1s a",
            "update and rollback configuration is not supported for jobs",
        ),
        (
            "create --no-healthcheck --health-retries 2 a",
            "--no-healthcheck conflicts with --health-* options",
        ),
        (
            "create --secret a --secret src=b,target=a a",
            "duplicate secret target for b not allowed",
        ),
        (
            "create --generic-resource gpu=x a",
            "invalid generic-resource request `gpu=x`, Named Generic Resources is not supported \
             for service create or update",
        ),
        ("create --env-file f a", "open f: no such file or directory"),
        (
            "create --update-order foo a",
            "Error response from daemon: unrecognized update order foo",
        ),
        (
            "create --update-failure-action foo --update-order bar --restart-condition x a",
            "Error response from daemon: invalid RestartCondition: \"x\"",
        ),
        (
            "create --rollback-failure-action foo a",
            "Error response from daemon: unrecognized update failure action foo",
        ),
        (
            "create --endpoint-mode foo a",
            "Error response from daemon: invalid resolution mode: \"foo\"",
        ),
        (
            "scale web",
            "invalid scale specifier 'web'.\nSee 'docker service scale --help'.\n\n\
             Usage:  docker service scale SERVICE=REPLICAS [SERVICE=REPLICAS...]\n\n\
             Scale one or multiple replicated services",
        ),
        ("inspect --pretty -f x web", "--format is incompatible with human friendly format"),
        (
            "foo",
            "docker: unknown command: docker service foo\n\nUsage:  docker service COMMAND\n\n\
             Run 'docker service --help' for more information",
        ),
    ] {
        let found = run(&format!("docker service {line}")).unwrap_err();
        assert_eq!((found.stderr, found.code), (format!("{error}\n"), 1), "{line}");
    }
}

#[test]
fn errors_of_updates() {
    let old = created("--network front --generic-resource gpu=1 nginx");
    for (flags, error) in [
        ("--rollback --force", "other flags may not be combined with --rollback"),
        ("--network-add front", "service is already attached to network front"),
        ("--mount-add target=/a --mount-add target=/a", "duplicate mount target"),
        ("--generic-resource-rm ssd", "could not find generic-resource `ssd` to remove it"),
        ("--no-healthcheck --health-cmd x", "--no-healthcheck conflicts with --health-* options"),
        ("--endpoint-mode VIP", "Error response from daemon: invalid resolution mode: \"VIP\""),
    ] {
        let found = requested(flags, &old).unwrap_err();
        assert_eq!((found.stderr, found.code), (format!("{error}\n"), 1), "{flags}");
    }
    let global = created("--mode global nginx");
    let found = requested("--replicas 2", &global).unwrap_err();
    assert_eq!(found.stderr, "replicas can only be used with replicated mode\n");
    let found = requested("--rollback -d --quiet", &old);
    assert_eq!(found, Ok(UpdateRequest::Rollback));
}

#[test]
fn ignored_flags_change_nothing() {
    let old = created("--update-delay 1s nginx:1");
    for flags in [
        "",
        "--health-start-interval 1s",
        "--memory-swap 1g --memory-swappiness 3 --max-concurrent 2",
        "--no-resolve-image --with-registry-auth -d -q",
        "--force=false",
        "--log-opt a=b",
    ] {
        assert_eq!(updated(flags, &old), old, "{flags}");
    }
}

#[test]
fn environment_keeps_its_order() {
    let old = created("-e A=1 -e B=2 -e C nginx");
    let env = |flags: &str| updated(flags, &old).task.container.env;
    assert_eq!(env("--env-add B=3"), ["A=1", "B=3", "C"]);
    assert_eq!(env("--env-add D=4 --env-add C=5"), ["A=1", "B=2", "C=5", "D=4"]);
    assert_eq!(env("--env-rm A"), ["B=2", "C"]);
    assert_eq!(env("--env-rm A --env-add A=9"), ["B=2", "C", "A=9"]);
    assert_eq!(env("--env-rm A=1"), ["A=1", "B=2", "C"]);
    // On create a later duplicate moves to the end.
    assert_eq!(created("-e A=1 -e B=2 -e A=3 nginx").task.container.env, ["B=2", "A=3"]);
}

#[test]
fn labels_are_removed_before_they_are_added() {
    let old = created("-l a=1 --container-label b=2 nginx");
    let spec = updated("--label-add a=2 --label-rm a --container-label-rm b", &old);
    assert_eq!(spec.labels.get("a").map(String::as_str), Some("2"));
    assert!(spec.task.container.labels.is_empty());
}

#[test]
fn constraints_are_added_before_they_are_removed() {
    let old = created("--constraint node.role==worker --constraint b==1 nginx");
    let constraints = |flags: &str| updated(flags, &old).task.placement.unwrap().constraints;
    assert_eq!(constraints("--constraint-add a==1"), ["a==1", "b==1", "node.role==worker"]);
    assert_eq!(
        constraints("--constraint-add x==1 --constraint-rm x==1 --constraint-rm b==1"),
        ["node.role==worker"]
    );
    let old = created("--placement-pref spread=a nginx");
    let spec = updated("--placement-pref-add spread=a --placement-pref-rm spread=a", &old);
    assert_eq!(spec.task.placement.unwrap().preferences, ["a"]);
}

fn tcp(published: u32, target: u32) -> PortConfig {
    let (protocol, publish_mode) = (Protocol::Tcp, PublishMode::Ingress);
    PortConfig { published, target, protocol, publish_mode }
}

#[test]
fn ports_are_removed_by_their_target() {
    let old = created("-p 8080:80 nginx");
    let ports = |flags: &str| updated(flags, &old).endpoint.unwrap().ports;
    assert_eq!(ports("--publish-rm 8080"), [tcp(8080, 80)]);
    assert_eq!(ports("--publish-rm 80"), []);
    assert_eq!(ports("--publish-rm 80 --publish-add 9000:80"), [tcp(9000, 80)]);
    assert_eq!(ports("--publish-add 10000:81"), [tcp(10000, 81), tcp(8080, 80)]);
    // Removing and adding one and the same removes it.
    assert_eq!(ports("--publish-rm 80 --publish-add 8080:80"), []);
}

#[test]
fn mounts_are_replaced_by_their_target() {
    let old = created("--mount source=b,target=/x --mount source=a,target=/y nginx");
    let targets = |flags: &str| -> Vec<(String, String)> {
        let mounts = updated(flags, &old).task.container.mounts;
        mounts.into_iter().map(|mount| (mount.source, mount.target)).collect()
    };
    let pair = |source: &str, target: &str| (source.to_string(), target.to_string());
    assert_eq!(targets(""), [pair("a", "/y"), pair("b", "/x")]);
    assert_eq!(targets("--mount-add source=c,target=/y"), [pair("b", "/x"), pair("c", "/y")]);
    assert_eq!(targets("--mount-add source=c,target=/y --mount-rm /y"), [pair("b", "/x")]);
}

#[test]
fn health_checks_are_changed_field_by_field() {
    let old = created("--health-cmd 'curl x' --health-interval 2s nginx");
    let health = |flags: &str, old: &ServiceSpec| updated(flags, old).task.container.healthcheck;
    let found = health("--health-retries 4", &old).unwrap();
    assert_eq!(found.test, ["CMD-SHELL", "curl x"]);
    assert_eq!((found.retries, found.interval), (4, Span::from_secs(2)));
    assert_eq!(health("--health-cmd ''", &old).unwrap().test, Vec::<String>::new());
    let none = updated("--no-healthcheck", &old);
    assert_eq!(none.task.container.healthcheck.as_ref().unwrap().test, ["NONE"]);
    assert_eq!(health("--health-retries 1", &none).unwrap().test, Vec::<String>::new());
    assert_eq!(health("--no-healthcheck=false", &none).unwrap().test, Vec::<String>::new());
}

#[test]
fn the_rest_of_an_update() {
    let old = created("--dns 1.1.1.1 --host a:10.0.0.1 --cap-drop net_admin nginx");
    let spec = updated(
        "--force --replicas 3 --args 'a b' --dns-add 9.9.9.9 --dns-rm 1.1.1.1 --host-rm a \
         --host-add b:10.0.0.2 --cap-add NET_ADMIN --cap-add chown --stop-grace-period 3s \
         --replicas-max-per-node 2 --limit-cpu 0.5 --reserve-memory 64M --image redis",
        &old,
    );
    let container = &spec.task.container;
    assert_eq!(spec.task.force_update, 1);
    assert_eq!(spec.mode, Mode::Replicated { replicas: 3 });
    assert_eq!(container.args, ["a", "b"]);
    assert_eq!(container.dns.as_ref().unwrap().nameservers, ["9.9.9.9"]);
    assert_eq!(container.hosts, ["10.0.0.2 b"]);
    assert_eq!(
        (container.cap_add.as_slice(), container.cap_drop.len()),
        (["CAP_CHOWN".to_string()].as_slice(), 0)
    );
    assert_eq!(container.stop_grace_period, Some(Span::from_secs(3)));
    assert_eq!(container.image, "redis:latest");
    assert_eq!(spec.task.placement.unwrap().max_replicas, 2);
    let resources = spec.task.resources.unwrap();
    assert_eq!(resources.limits.nano_cpus, 500_000_000);
    assert_eq!(resources.reservations.memory_bytes, 64 << 20);
}

#[test]
fn scale_keeps_wrong_numbers_for_the_end() {
    let Ok(DockerCommand::ServiceScale { targets, wait }) =
        run("docker service scale -d web=3 db=0x3")
    else {
        panic!("scale is a command");
    };
    assert!(wait.detach);
    assert_eq!(targets[0].replicas, Ok(3));
    assert_eq!(
        targets[1].replicas,
        Err("db: invalid replicas value 0x3: strconv.ParseUint: parsing \"0x3\": invalid syntax"
            .to_string())
    );
}

#[test]
fn other_commands() {
    assert_eq!(
        run("docker service rm a b"),
        Ok(DockerCommand::ServiceRm { services: vec!["a".into(), "b".into()] })
    );
    assert_eq!(
        run("docker service ps --no-trunc -f node=self web"),
        Ok(DockerCommand::ServicePs {
            services: vec!["web".into()],
            options: ListOptions {
                no_trunc: true,
                filters: vec![("node".into(), "self".into())],
                ..ListOptions::default()
            },
        })
    );
    let change = NodeChange {
        availability: Some(crate::swarmkit::task::Availability::Drain),
        ..NodeChange::default()
    };
    assert_eq!(
        run("docker node update --availability drain n3"),
        Ok(DockerCommand::NodeUpdate { node: "n3".into(), change })
    );
    assert_eq!(run("ls").unwrap_err().stderr, "ls: command not found\n");
    let help = run("docker service create --help").unwrap_err();
    assert_eq!((help.code, help.stderr.as_str()), (0, ""));
    assert!(help.stdout.contains("--update-order string"), "{}", help.stdout);
    assert_eq!(created("--endpoint-mode DNSRR a").endpoint.unwrap().mode, ResolutionMode::DnsRr);
}

proptest! {
    #[test]
    fn arbitrary_words_never_panic(
        group in prop::sample::select(vec!["service", "node", "x"]),
        name in prop::sample::select(vec!["create", "update", "scale", "ps", "inspect", "ls"]),
        rest in prop::collection::vec(
            prop_oneof![
                "\\PC{0,12}",
                "--[a-z-]{1,12}(=\\PC{0,8})?",
                "-[a-z]{1,3}",
                prop::sample::select(vec![
                    "--publish", "--mount", "--network", "--secret", "--env-add", "--host-rm",
                    "--limit-cpu", "--limit-memory", "--ulimit", "--update-delay", "--replicas",
                    "web", "80:80", "1-3:1-2/udp", "type=bind,src=a,dst=b", "name=a,alias=b",
                ]).prop_map(str::to_string),
            ],
            0..8,
        ),
    ) {
        let mut line = vec!["docker".to_string(), group.to_string(), name.to_string()];
        line.extend(rest);
        if let Ok(DockerCommand::ServiceUpdate(update)) = parse(&line) {
            let _ = update.request(&created("-p 80:80 -e A=1 nginx"));
        }
    }
}
