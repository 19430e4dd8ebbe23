//! Texts and specs of whole files.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::*;
use crate::client::inspect;
use crate::compose::template::Environment;

fn environment() -> Environment {
    [("SET", "set"), ("N", "3"), ("WORD", "x")]
        .map(|(name, value)| (name.to_string(), value.to_string()))
        .into()
}

fn reads(text: &str) -> Result<ComposeFile, Refusal> {
    let files = [("a.env".to_string(), "# c\nONE=1\nTWO\nSET=\n".to_string())].into();
    let environment = environment();
    read(text, Surroundings { environment: &environment, files: &files, path: "stack.yml" })
}

/// What Docker prints; of a file that can be read, what it says when services are made.
fn told(text: &str) -> String {
    match reads(text) {
        Err(refusal) => refusal.docker,
        Ok(file) => match file.lower("s", "stack.yml").services {
            Err(refusal) => refusal.docker,
            Ok(plans) => {
                let refused = plans.into_iter().find_map(|plan| plan.refused);
                refused.map_or_else(String::new, |text| format!("daemon: {text}"))
            }
        },
    }
}

fn web(more: &str) -> String {
    format!("services: {{web: {{image: nginx, {more}}}}}")
}

#[test]
fn every_mistake_of_the_schema_is_told_in_dockers_words() {
    for (more, expected) in [
        ("deploy: {replicas: three}", "services.web.deploy.replicas must be a integer"),
        ("deploy: {replicas: \"3\"}", "services.web.deploy.replicas must be a integer"),
        ("deploy: [1]", "services.web.deploy must be a mapping or null"),
        ("deploy: {foo: 1}", "services.web.deploy Additional property foo is not allowed"),
        ("profiles: [a]", "services.web Additional property profiles is not allowed"),
        ("healthcheck: {interval: 10}", "services.web.healthcheck.interval must be a string"),
        (
            "healthcheck: {interval: \"10\"}",
            "services.web.healthcheck.interval Does not match format 'duration'",
        ),
        (
            "deploy: {update_config: {order: x}}",
            "services.web.deploy.update_config.order services.web.deploy.update_config.order must \
             be one of the following: \"start-first\", \"stop-first\"",
        ),
        (
            "deploy: {resources: {limits: {cpus: 0.5}}}",
            "services.web.deploy.resources.limits.cpus must be a string",
        ),
        ("ports: [\"80:x\"]", "services.web.ports.0 Does not match format 'ports'"),
        (
            "ports: [{target: 80, published: \"80\"}]",
            "services.web.ports.0.published must be a integer",
        ),
        ("ports: [80, 80]", "services.web.ports array items[0,1] must be unique"),
        ("depends_on: {db: {}}", "services.web.depends_on must be a list"),
        ("environment: {A: [1]}", "services.web.environment.A must be a string, number or null"),
        ("environment: A=1", "services.web.environment must be a mapping"),
        ("environment: {A: true}", "services.web.environment.A must be a string, number or null"),
        ("volumes: [{source: a}]", "services.web.volumes.0 type is required"),
        ("ulimits: {nofile: {soft: 1}}", "services.web.ulimits.nofile hard is required"),
        ("image2: x", "services.web Additional property image2 is not allowed"),
        ("x-foo: {anything: [1]}", ""),
    ] {
        assert_eq!(told(&web(more)), expected, "{more}");
    }
}

#[test]
fn mistakes_of_the_whole_file() {
    for (text, expected) in [
        ("- a", "top-level object must be a mapping"),
        ("services: {web: }", "services.web must be a mapping"),
        ("services: {web: {}}", "invalid image reference for service web: no image specified"),
        (
            "services: {web: {image: a/B}}",
            "invalid image reference for service web: invalid reference format: repository name \
             must be lowercase",
        ),
        ("name: x\nservices: {}", "(root) Additional property name is not allowed"),
        ("version: 3.8\nservices: {}", "version must be a string"),
        ("version: \"2.4\"\nservices: {}", "unsupported Compose file version: 2.4"),
        ("version: \"4\"\nservices: {}", "unsupported Compose file version: 4"),
        ("version: \"3.14\"\nservices: {}", "unsupported Compose file version: 3.14"),
        ("version: \"\"\nservices: {}", ""),
        ("version: \"3.3\"\nx-a: 1\nservices: {}", "(root) Additional property x-a is not allowed"),
        (
            "version: \"3.6\"\nservices: {web: {image: a, init: true}}",
            "services.web Additional property init is not allowed",
        ),
        ("1: x\nservices: {}", "non-string key at top level: 1"),
        (
            "services: {web: {image: a, environment: {1: x}}}",
            "non-string key in \
          services.web.environment: 1",
        ),
        ("services: {\"a b\": {image: a}}", "services Additional property a b is not allowed"),
        // The deepest is told, and of equally deep ones a wrong type.
        (
            "services: {web: {image: a, deploy: {replicas: x}}, b: 1}",
            "services.web.deploy.replicas \
          must be a integer",
        ),
        ("services: {web: {image: a, nme: 1, tty: 1}}", "services.web.tty must be a boolean"),
    ] {
        assert_eq!(told(text), expected, "{text}");
    }
}

#[test]
fn what_may_not_be_there_ends_everything() {
    let text =
        "services:\n  a: {image: x, mem_limit: 1g, extends: b}\n  b: {image: x, cpuset: 1}\n";
    assert_eq!(
        told(text),
        "compose file contains unsupported options:\n\ncpuset: Set resource limits using \
         deploy.resources\n\nextends: Support for `extends` is not implemented \
         yet.\n\nmem_limit: Set resource limits using deploy.resources\n"
    );
    let problems = reads(text).unwrap_err().problems.0;
    let places: Vec<_> = problems.iter().map(|problem| problem.place.line).collect();
    assert_eq!(places, [2, 2, 3]);
    for (key, advice) in [
        (
            "volume_driver",
            "Instead of setting the volume driver on the service, define a volume using the \
             top-level `volumes` option and specify the driver there.",
        ),
        (
            "volumes_from",
            "To share a volume between services, define it using the top-level `volumes` option \
             and reference it from each service that shares it using the service-level `volumes` \
             option.",
        ),
    ] {
        let expected = format!("compose file contains unsupported options:\n\n{key}: {advice}\n");
        assert_eq!(told(&web(&format!("{key}: x"))), expected);
    }
}

#[test]
fn what_is_ignored_is_warned_of() {
    let text = "services:\n  a: {image: x, restart: always, build: ., container_name: c}\n  \
                b: {image: x, privileged: true, expose: [80], ports: [\"127.0.0.1:80:80\"]}\n\
                networks: {n: {external: {name: m}}}\n";
    assert_eq!(
        reads(text).unwrap().warnings,
        "level=warning msg=\"ignoring IP-address (127.0.0.1:80:80/tcp) service will listen on \
         '0.0.0.0'\"\nlevel=warning msg=\"network n: network.external.name is deprecated in favor \
         of network.name\"\nIgnoring unsupported options: build, privileged, \
         restart\n\nIgnoring deprecated options:\n\ncontainer_name: Setting the container name is \
         not supported.\n\nexpose: Exposing ports is unnecessary - services on the same network \
         can access each other's containers on any port.\n\n"
    );
    // Neither of these is mentioned by anyone.
    let silent = web("depends_on: [db], tmpfs: /run, volumes: [{type: bind, source: /a, target: \
                      /b, bind: {nobody: 1}}]");
    assert_eq!(reads(&silent).unwrap().warnings, "");
}

#[test]
fn variables_are_put_in_before_the_schema_looks() {
    for (more, expected) in [
        ("deploy: {replicas: $N}", ""),
        ("deploy: {replicas: \"${NONE:-2}\"}", ""),
        ("tty: \"${NONE:-yes}\"", ""),
        (
            "deploy: {replicas: $WORD}",
            "error while interpolating services.web.deploy.replicas: failed to cast to expected \
             type: strconv.Atoi: parsing \"x\": invalid syntax",
        ),
        (
            "tty: $WORD",
            "error while interpolating services.web.tty: failed to cast to expected type: \
             invalid boolean: x",
        ),
        (
            "hostname: \"a${\"",
            "invalid interpolation format for services.web.hostname: \"a${\"; you may need to \
             escape any $ with another $",
        ),
        (
            "ports: [\"${\"]",
            "invalid interpolation format for services.web.ports.[]: \"${\"; you may need to \
             escape any $ with another $",
        ),
        (
            "hostname: \"${NONE:?set it}\"",
            "invalid interpolation format for services.web.hostname: \"required variable NONE is \
             missing a value: set it\"; you may need to escape any $ with another $",
        ),
        // Not cast: these stay texts.
        ("init: $WORD", "services.web.init must be a boolean"),
        (
            "deploy: {resources: {limits: {pids: $N}}}",
            "services.web.deploy.resources.limits.pids must be a integer",
        ),
    ] {
        assert_eq!(told(&web(more)), expected, "{more}");
    }
    assert_eq!(reads(&web("hostname: $NONE$SET")).unwrap().unset, ["NONE"]);
}

#[test]
fn what_goes_wrong_when_services_are_made() {
    for (more, expected) in [
        ("deploy: {mode: foo}", "service web: unknown mode: foo"),
        (
            "deploy: {mode: global, replicas: 2}",
            "service web: replicas can only be used with replicated or replicated-job mode",
        ),
        ("networks: [x]", "service web: undefined network \"x\""),
        ("volumes: [\"x:/y\"]", "service web: undefined volume \"x\""),
        ("secrets: [x]", "service web: undefined secret \"x\""),
        ("configs: [x]", "service web: undefined config \"x\""),
        (
            "deploy: {resources: {limits: {cpus: x}}}",
            "service web: failed to parse x as a rational number",
        ),
        (
            "healthcheck: {test: a, disable: true}",
            "service web: test and disable can't be set at the same time",
        ),
        (
            "restart: x",
            "service web: invalid restart policy: unknown policy 'x' (must be one of 'no', \
             'always', 'on-failure', or 'unless-stopped')",
        ),
        (
            "restart: \"on-failure:-1\"",
            "service web: invalid restart policy: maximum retry count cannot be negative",
        ),
        (
            "restart: \"on-failure:x\"",
            "service web: invalid restart policy format: maximum retry count must be an integer",
        ),
        (
            "volumes: [{type: volume, bind: {}}]",
            "service web: bind options are incompatible with type volume",
        ),
        (
            "volumes: [{type: x}]",
            "service web: volume type must be volume, bind, tmpfs, npipe, or cluster",
        ),
        (
            "credential_spec: {file: a, registry: b}",
            "service web: invalid credential spec: cannot specify both \"File\" and \"Registry\"",
        ),
        ("deploy: {endpoint_mode: x}", "daemon: invalid resolution mode: \"x\""),
        (
            "deploy: {update_config: {failure_action: x}}",
            "daemon: unrecognized update failure action x",
        ),
        (
            "deploy: {restart_policy: {condition: always}}",
            "daemon: invalid RestartCondition: \"always\"",
        ),
        (
            "volumes: [{type: bind, target: /a}]",
            "invalid mount config for type \"bind\": field Source must not be empty",
        ),
        ("volumes: [\":/a\"]", "invalid spec: :/a: empty section between colons"),
        ("env_file: none.env", "open none.env: no such file or directory"),
    ] {
        assert_eq!(told(&web(more)), expected, "{more}");
    }
}

#[test]
fn all_mistakes_are_noted_with_their_places() {
    let text = "services:\n  web:\n    image: a\n    deploy:\n      replicas: many\n      \
                update_config:\n        paralelism: 2\n  db:\n    image: b\n    tty: 1\n";
    let problems = reads(text).unwrap_err().problems;
    assert_eq!(
        problems.render("s.yml", text),
        "s.yml:5:17: services.web.deploy.replicas must be a integer\n   5 |       replicas: many\n \
         \u{20}   |                 ^^^^\n  hint: a number is written without quotes and without a \
         unit\ns.yml:7:9: services.web.deploy.update_config Additional property paralelism is not \
         allowed\n   7 |         paralelism: 2\n     |         ^^^^^^^^^^\n  hint: did you mean \
         `parallelism`?\ns.yml:10:10: services.db.tty must be a boolean\n  10 |     tty: 1\n     | \
         \u{20}        ^\n"
    );
}

fn plan(text: &str) -> ServicePlan {
    let file = reads(text).unwrap_or_else(|refusal| panic!("{}", refusal.docker));
    file.lower("s", "stack.yml").services.unwrap().remove(0)
}

#[test]
fn what_is_absent_stays_absent() {
    use crate::swarmkit::spec::{FailureAction, Mode, UpdateOrder};
    let spec = plan(&web("")).spec;
    assert_eq!((spec.update, spec.rollback, spec.task.restart), (None, None, None));
    assert_eq!(spec.mode, Mode::Replicated { replicas: 1 });
    assert_eq!((spec.task.container.init, spec.task.container.dns), (None, None));
    assert_eq!(spec.task.container.stop_grace_period, None);
    let network = &spec.task.networks[0];
    assert_eq!((network.target.as_str(), &network.aliases[..]), ("s_default", &["web".into()][..]));
    let labels: Vec<_> = spec.labels.iter().map(|(k, v)| format!("{k}={v}")).collect();
    assert_eq!(labels, ["com.docker.stack.image=nginx", "com.docker.stack.namespace=s"]);
    // Only parallelism is filled in, and only where there is a mapping.
    let update = plan(&web("deploy: {update_config: {delay: 3s}}")).spec.update.unwrap();
    assert_eq!((update.parallelism, update.monitor), (1, None));
    assert_eq!(update.failure_action, FailureAction::Pause);
    assert_eq!(update.order, UpdateOrder::StopFirst);
    let update = plan(&web("deploy: {update_config: {parallelism: 0}}")).spec.update.unwrap();
    assert_eq!(update.parallelism, 0);
}

#[test]
fn forms_of_the_health_check() {
    for (more, expected) in [
        ("test: a b", vec!["CMD-SHELL", "a b"]),
        ("test: NONE", vec!["CMD-SHELL", "NONE"]),
        ("test: [NONE]", vec!["NONE"]),
        ("test: [CMD, a]", vec!["CMD", "a"]),
        ("test: [a]", vec!["a"]),
        ("disable: true", vec!["NONE"]),
        ("interval: 5s", vec![]),
    ] {
        let spec = plan(&web(&format!("healthcheck: {{{more}}}"))).spec;
        assert_eq!(spec.task.container.healthcheck.unwrap().test, expected, "{more}");
    }
}

#[test]
fn the_older_restart_counts_only_without_a_policy() {
    use crate::swarmkit::spec::{RestartCondition, RestartPolicy};
    let policy = |condition, max_attempts| {
        Some(RestartPolicy { condition, max_attempts, ..RestartPolicy::default() })
    };
    for (more, expected) in [
        ("restart: \"no\"", None),
        ("restart: always", policy(RestartCondition::Any, 0)),
        ("restart: unless-stopped", policy(RestartCondition::Any, 0)),
        ("restart: \"on-failure:4\"", policy(RestartCondition::OnFailure, 4)),
        (
            "restart: always, deploy: {restart_policy: {condition: none}}",
            policy(RestartCondition::None, 0),
        ),
    ] {
        assert_eq!(plan(&web(more)).spec.task.restart, expected, "{more}");
    }
}

#[test]
fn the_environment_is_sorted_and_takes_from_outside_what_is_empty() {
    let more = "env_file: a.env, environment: {ONE: 2, N: , Z: , EMPTY: \"\", F: 3.10}";
    assert_eq!(
        plan(&web(more)).spec.task.container.env,
        ["EMPTY=", "F=3.1", "N=3", "ONE=2", "SET=set", "TWO", "Z"]
    );
}

#[test]
fn recursive_and_hostile_files_are_refused_at_once() {
    let mut nest = String::from("a0: &a0 [x, x]\n");
    for level in 1..20 {
        let one = format!("*a{}", level - 1);
        let _ = writeln!(nest, "a{level}: &a{level} [{}]", vec![one; 9].join(", "));
    }
    for (text, part) in [
        (nest.as_str(), "more than 100000 values"),
        ("a: &a {b: *a}\nservices: {}", "an alias inside of what it stands for"),
        ("services: {web: {<<: *none}}", "an alias to an anchor that does not exist"),
        (&"[".repeat(100_000), "nested more than 64 deep"),
        (&format!("services: {{}} # {}", "x".repeat(10 << 20)), "more than 1048576"),
        ("services: {web: {image: a}, web: {image: b}}", "is given a second time"),
    ] {
        let refusal = reads(text).unwrap_err();
        assert!(refusal.docker.contains(part), "{}", refusal.docker);
    }
    // A value that looks like itself is put in once and not again.
    let mut environment = environment();
    environment.insert("LOOP".to_string(), "${LOOP}${LOOP}".to_string());
    let files = BTreeMap::new();
    let text = web("hostname: $LOOP");
    let around = Surroundings { environment: &environment, files: &files, path: "s.yml" };
    let file = read(&text, around).unwrap();
    let spec = file.lower("s", "s.yml").services.unwrap().remove(0).spec;
    assert_eq!(spec.task.container.hostname, "${LOOP}${LOOP}");
}

/// The specs that the shipped stacks are lowered to, whole.
#[test]
fn shipped_stacks() {
    for (name, text) in [
        ("web", include_str!("../../stacks/web.yml")),
        ("vote", include_str!("../../stacks/vote.yml")),
        ("monitoring", include_str!("../../stacks/monitoring.yml")),
    ] {
        let file = reads(text).unwrap_or_else(|refusal| panic!("{name}: {}", refusal.docker));
        let deployment = file.lower(name, &format!("{name}.yml"));
        let mut all = format!(
            "external networks: {:?}\nnetworks: {:?}\nsecrets: {:?}\nconfigs: {:?}\nwarnings: \
             {:?}\nunset: {:?}\n",
            deployment.external_networks,
            deployment.networks,
            deployment.secrets,
            deployment.configs,
            file.warnings,
            file.unset,
        );
        for plan in deployment.services.unwrap() {
            let spec = inspect::spec(&plan.spec);
            let _ = writeln!(all, "\n{}: {}", plan.key, spec.indented());
        }
        insta::assert_snapshot!(name, all);
    }
}

/// Pieces that are put into files at random places: what a format reacts to.
const PIECES: [&str; 40] = [
    "\n",
    " ",
    ":",
    ": ",
    "- ",
    "{",
    "}",
    "[",
    "]",
    ",",
    "\"",
    "'",
    "#",
    "&a ",
    "*a",
    "<<: ",
    "*",
    "!!x ",
    "|",
    ">",
    "$",
    "${",
    "${A:-",
    "}",
    "~",
    "null",
    "true",
    "-1",
    "1e9",
    "0x",
    "é",
    "\u{0}",
    "\t",
    "99999999999999999999",
    "services",
    "deploy",
    "ports",
    "x-",
    "\\",
    "---\n",
];

/// Whatever a file says, it is read or refused; nothing panics, and a refusal has a text.
#[test]
fn mutilated_stacks_are_read_or_refused() {
    let stacks = [
        include_str!("../../stacks/web.yml"),
        include_str!("../../stacks/vote.yml"),
        include_str!("../../stacks/monitoring.yml"),
    ];
    let files = BTreeMap::new();
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut below = |bound: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % bound.max(1) as u64) as usize
    };
    let (mut read, mut refused) = (0, 0);
    for _ in 0..3000 {
        let mut text: Vec<char> = stacks[below(3)].chars().collect();
        for _ in 0..=below(4) {
            let at = below(text.len());
            let end = (at + below(12)).min(text.len());
            let piece = PIECES[below(PIECES.len())];
            let from = below(text.len());
            let copied: Vec<char> = text.iter().skip(from).take(below(60)).copied().collect();
            match below(3) {
                0 => drop(text.splice(at..end, piece.chars())),
                1 => drop(text.splice(at..end, copied)),
                _ => drop(text.splice(at..at, piece.chars())),
            }
        }
        let text: String = text.into_iter().collect();
        let request = run::Request {
            name: "m.yml",
            text: &text,
            behaviour: None,
            overrides: &[],
            files: &files,
        };
        match run::load(request) {
            Ok(_) => read += 1,
            Err(run::Mistaken::Stack(problems) | run::Mistaken::Behaviour(problems)) => {
                assert!(!problems.0.is_empty(), "{text}");
                assert!(!problems.render("m.yml", &text).is_empty());
                refused += 1;
            }
        }
        let docker = told(&text);
        assert!(reads(&text).is_ok() || !docker.is_empty(), "{text}");
    }
    assert!(read > 50 && refused > 300, "{read} read, {refused} refused");
}
