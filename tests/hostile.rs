//! Hostile input: whatever a file says, the answer is a clear mistake or a lawful run, in bounded
//! time and memory; never a panic.

mod support;
#[path = "hostile/timelines.rs"]
mod timelines;

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use swarmsim::cli::run::{broken_laws, records_of};
use swarmsim::metrics::Metrics;
use swarmsim::scenario::syntax::{Scalar, Tree, Value, parse};
use swarmsim::scenario::{self, Scenario};
use swarmsim::timeline::ends::{Limit, Stop};
use swarmsim::timeline::record::{CommandFact, Fact, ServiceChange};

use support::shipped;

/// Far longer than any of these needs, on a busy machine too.
const PATIENCE: Duration = Duration::from_secs(120);

/// Most memory that this process may ever have used, in KiB: of all tests together.
const MOST_MEMORY: u64 = 2 << 20;

/// Does the work in a thread of its own; a panic, a hang and unbounded memory are failures.
fn guarded<T: Send + 'static>(what: &str, work: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, receiver) = channel();
    let worker = std::thread::spawn(move || {
        let _ = sender.send(work());
    });
    let Ok(result) = receiver.recv_timeout(PATIENCE) else {
        let panicked = worker.is_finished();
        panic!("{what}: {}", if panicked { "a panic" } else { "no end in sight" });
    };
    let used = most_memory_used();
    assert!(used < MOST_MEMORY, "{what}: {used} KiB");
    result
}

/// In KiB; 0 where nobody tells.
fn most_memory_used() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok()).unwrap_or(0)
}

/// What became of a text.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Outcome {
    /// Mistakes: the first one, without its place.
    Refused(String),
    /// A lawful run: how it ended, and what its commands complained.
    Ran(Stop, Vec<String>),
}

impl Outcome {
    fn refusal(&self) -> &str {
        match self {
            Outcome::Refused(message) => message,
            Outcome::Ran(stop, _) => panic!("it ran: {stop:?}"),
        }
    }
}

fn outcome(text: &str, tree: Result<Tree, scenario::Problems>) -> Outcome {
    let scenario = tree.and_then(|tree| scenario::lower(&tree, text));
    match scenario {
        Ok(scenario) => ran(scenario),
        Err(problems) => {
            let rendered = problems.render("f", text);
            assert!(!problems.0.is_empty() && rendered.len() < 1 << 20, "{}", rendered.len());
            Outcome::Refused(problems.0[0].message.clone())
        }
    }
}

/// Runs what was accepted, with little patience, and checks all that follows from it.
fn ran(mut scenario: Scenario) -> Outcome {
    scenario.limits.events = scenario.limits.events.min(30_000);
    scenario.limits.tasks = scenario.limits.tasks.min(30_000);
    let (records, footer) = records_of(&Arc::new(scenario.clone()));
    assert_eq!(broken_laws(&scenario, &records, &footer), Vec::<&str>::new());
    swarmsim::expect::evaluate(&scenario, &records, &footer, &[]);
    let mut metrics = Metrics::default();
    for record in &records {
        metrics.take(record);
    }
    metrics.finish(&footer);
    let complaints = records.iter().filter_map(|record| match &record.fact {
        Fact::Command(CommandFact::Printed { stream, text, .. })
            if *stream == swarmsim::timeline::record::Stream::Err =>
        {
            Some(text.to_string())
        }
        _ => None,
    });
    Outcome::Ran(footer.stop, complaints.collect())
}

fn tried(what: &str, text: String) -> Outcome {
    guarded(what, move || outcome(&text, parse(&text)))
}

/// A small scenario with other lines in its script.
fn script(lines: &[&str]) -> String {
    let mut text = "name: a\nscript:\n".to_string();
    for line in lines {
        let _ = writeln!(text, "  - {line}");
    }
    text
}

#[test]
fn a_scenario_cut_off_anywhere_is_refused_or_runs() {
    for name in ["whoami-autorollback", "rollback", "flags"] {
        let (refused, ran) = guarded(name, move || {
            let text = shipped(name);
            let (mut refused, mut ran) = (0, 0);
            for end in (0..text.len()).step_by(17).filter(|end| text.is_char_boundary(*end)) {
                match outcome(&text[..end], parse(&text[..end])) {
                    Outcome::Refused(_) => refused += 1,
                    Outcome::Ran(..) => ran += 1,
                }
            }
            (refused, ran)
        });
        assert!(refused > 20 && ran > 20, "{name}: {refused} refused, {ran} ran");
    }
}

/// Numbers without a pattern, but always the same ones.
struct Noise(u64);

impl Noise {
    fn next(&mut self, below: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % below
    }
}

#[test]
fn a_scenario_with_damaged_characters_is_refused_or_runs() {
    let (refused, ran) = guarded("damage", || {
        let text: Vec<char> = shipped("whoami-autorollback").chars().collect();
        let alphabet: Vec<char> =
            "{}[]:,-#&*!|>'\"%@`\t\n 0123456789xnf.\u{0}\u{feff}é".chars().collect();
        let mut noise = Noise(7);
        let (mut refused, mut ran) = (0, 0);
        for _ in 0..600 {
            let mut damaged = text.clone();
            for _ in 0..=noise.next(3) {
                let place = noise.next(damaged.len());
                damaged[place] = alphabet[noise.next(alphabet.len())];
            }
            let damaged: String = damaged.into_iter().collect();
            match outcome(&damaged, parse(&damaged)) {
                Outcome::Refused(_) => refused += 1,
                Outcome::Ran(..) => ran += 1,
            }
        }
        (refused, ran)
    });
    assert!(refused > 100 && ran > 50, "{refused} refused, {ran} ran");
}

#[test]
fn texts_that_want_memory_are_refused() {
    const DEEP: usize = 100_000;
    let bomb = {
        let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_string();
        for level in 1..20 {
            let alias = format!("*a{}", level - 1);
            let list = vec![alias; 10].join(", ");
            let _ = writeln!(text, "a{level}: &a{level} [{list}]");
        }
        text
    };
    let long_bomb =
        format!("a: &a {}\nb: [{}]\n", "x".repeat(100_000), vec!["*a"; 1000].join(", "));
    let indents: String = (0..1400).fold(String::new(), |mut text, depth| {
        let _ = writeln!(text, "{}a:", " ".repeat(depth));
        text
    });
    for (what, text, message) in [
        ("10 MB", "x".repeat(10 << 20), "the file has 10485760 bytes, more than 1048576"),
        ("brackets", "[".repeat(DEEP), "nested more than 64 deep"),
        ("braces", "{a: ".repeat(DEEP), "nested more than 64 deep"),
        ("lists in lists", "- ".repeat(DEEP), "nested more than 64 deep"),
        ("keys", "? ".repeat(DEEP), "nested more than 64 deep"),
        ("indents", indents, "nested more than 64 deep"),
        ("billion laughs", bomb, "more than 100000 values"),
        ("long laughs", long_bomb, "aliases copy more than 1048576 bytes"),
        ("many values", format!("[{}]", "x,".repeat(200_000)), "more than 100000 values"),
        ("itself", "a: &a [*a]".to_string(), "an alias inside of what it stands for"),
        ("no anchor", "a: *b".to_string(), "an alias to an anchor that does not exist"),
        ("two documents", "a: 1\n---\nb: 1\n".to_string(), "a second document in one file"),
        ("a map as a key", "{a: 1}: 2".to_string(), "a list or map as a key"),
        ("nothing", String::new(), "the file is empty"),
        ("a comment", "# a".to_string(), "the file is empty"),
        ("a list", "[1]".to_string(), "a list cannot be a scenario: a map was expected"),
    ] {
        let outcome = tried(what, text);
        assert_eq!(outcome.refusal(), message, "{what}");
    }
}

/// A scenario that has every key of the language.
const EVERYTHING: &str = "\
name: everything
question: why?
seed: 3
watch: 10s
cluster:
  engine: 28
  nodes:
    - {name: m, role: manager, labels: {zone: a}, cpus: 2.5, memory: 4GiB, availability: active}
    - {name: w, role: worker, latency: {start: 100ms, pull: {uniform: [1s, 2s]}}}
  latency: {accept: 1ms, prepare: 1ms, start_each_other: 1ms, stop: 1ms, cleanup: 1ms, signal: 1ms}
  task_history_limit: 3
  request: {quantiles: [10ms, 12ms, 20ms, 40ms, 90ms]}
  commit_hop: 1ms
  networks: [back]
  secrets: [key]
  configs: [site]
images:
  web:1:
    healthcheck: {interval: 1s, timeout: 1s, retries: 2, start_period: 1s,
      start_interval: 1s, test: x}
    serves_after: 400ms
    sigterm: {exits_after: 200ms, code: 0}
    latency: {unhealthy_signal: 1ms, probe: 1ms}
  web:2: {like: web:1, present: {m: true, w: false}, health: {ok_until: 9s}, command: ok}
  web:3: {exit: {after: 9s, code: 3}, only_slots: [1], crash_rate: {mean: 1m, code: 4}, health: ok}
  web:4: {health: {pattern: '110'}, sigterm: ignored, present: false, exit: none}
script:
  - {as: create, run: docker service create --name web --replicas 2 --publish 80:80 web:1}
  - {wait: converged, as: up}
  - curl http://localhost/ x3
  - {as: update, run: docker service update --detach --image web:2 web}
  - wait: {state: [completed, paused], service: web}
  - {at: 20s, run: docker node update --availability drain w}
  - wait: 5s
traffic:
  - {port: 80, rate: 5/s, node: m, from: 5s, until: 20s}
  - {port: 80, every: 1s}
faults:
  - {at: 9s, node: w, crash: true, for: 5s}
  - {between: [5s, 9s], service: web, slot: 1, kill: 9}
  - {at: 12s, service: web, exit: 3}
  - {at: 13s, image: web:2, health: fail, for: 1s}
  - {at: 14s, image: web:2, pull: 4s}
  - {at: 15s, registry: down, for: 1s}
  - {at: 16s, leader: change}
  - {at: 17s, node: any, partition: true, for: 1s}
  - {at: 18s, service: web, crash_rate: {mean: 10s, code: 1}, for: 2s}
expect:
  - {service: web, since: create, after: up, update: none, replicas: 2, running_at_least: 1}
  - {service: web, during: update, message: x, image: web:2, waves: {sizes: [1], apart: 1s}}
  - {service: web, states: [ready, running], never_running: web:4, unavailable_at_most: 1h}
  - {requests: web, failed_at_least: 0, answered_by_image: web:1, alternate: true}
  - {step: create, exit: 0, prints: [a, b], prints_not: c, duration_at_least: 1s}
  - {laws_broken: []}
limits: {time: 2m, events: 20000, tasks: 100, per_instant: 5000}
";

/// Each value of a tree in turn, changed.
fn each_value(tree: &mut Tree, see: &mut impl FnMut(&mut Tree)) {
    see(tree);
    match &mut tree.value {
        Value::Scalar(_) => {}
        Value::Seq(items) => items.iter_mut().for_each(|item| each_value(item, see)),
        Value::Map(entries) => entries.iter_mut().for_each(|e| each_value(&mut e.value, see)),
    }
}

fn count_values(tree: &Tree) -> usize {
    let mut count = 0;
    each_value(&mut tree.clone(), &mut |_| count += 1);
    count
}

/// Another value in the place of the n-th one.
fn with_value(tree: &Tree, place: usize, value: &Value) -> Tree {
    let (mut changed, mut at) = (tree.clone(), 0);
    each_value(&mut changed, &mut |tree| {
        if at == place {
            tree.value = value.clone();
        }
        at += 1;
    });
    changed
}

#[test]
fn a_value_of_a_wrong_kind_in_any_place_is_refused_or_runs() {
    let tree = parse(EVERYTHING).expect("it is YAML");
    let whole = outcome(EVERYTHING, Ok(tree.clone()));
    assert!(matches!(&whole, Outcome::Ran(..)), "{whole:?}");
    let count = count_values(&tree);
    assert!(count > 200, "{count}");
    let scalar = |text: &str| Value::Scalar(Scalar { text: text.to_string(), plain: true });
    let huge = "9".repeat(40);
    let mut values: Vec<Value> = [
        "",
        "0",
        "-1",
        "1",
        "18446744073709551615",
        "9223372036854775807",
        "1e400",
        "NaN",
        ".inf",
        "-.inf",
        "0s",
        "-5s",
        "8760h",
        "99999999h",
        "1ns",
        "true",
        "none",
        "any",
        "\0",
        "*",
        "web:9",
    ]
    .iter()
    .map(|text| scalar(text))
    .collect();
    values.extend([
        scalar(&huge),
        scalar(&"é".repeat(5000)),
        Value::Seq(vec![]),
        Value::Map(vec![]),
    ]);
    values.push(Value::Seq(vec![tree.clone(), tree.clone()]));
    values.push(tree.value.clone());
    let (refused, ran) = guarded("wrong kinds", move || {
        let (mut refused, mut ran) = (0, 0);
        for place in 0..count {
            for value in &values {
                match outcome(EVERYTHING, Ok(with_value(&tree, place, value))) {
                    Outcome::Refused(_) => refused += 1,
                    Outcome::Ran(..) => ran += 1,
                }
            }
        }
        (refused, ran)
    });
    assert!(refused > 3000 && ran > 450, "{refused} refused, {ran} ran");
}

/// Overrides, and the mistake that they make.
const VALUES: &[(&str, &str)] = &[
    ("watch=-1s", "`-1s` is a negative time"),
    ("watch=99999999h", "`99999999h` is not a length of time"),
    ("watch=NaN", "`NaN` is not a length of time"),
    ("watch=.inf", "`.inf` is not a length of time"),
    ("watch=1e9s", "`1e9s` is not a length of time"),
    ("seed=1e3", "`1e3` is not a whole number of at least 0"),
    ("seed=18446744073709551616", "`18446744073709551616` is too large"),
    ("cluster.nodes=0", "`0` is not a whole number from 1 to 10000"),
    ("cluster.nodes=100000000", "`100000000` is not a whole number from 1 to 10000"),
    ("cluster.nodes=NaN", "`NaN` is not a whole number from 1 to 10000"),
    ("cluster.nodes=[{cpus: -1}]", "`-1` is not a number of processors from 0 to 1000"),
    ("cluster.nodes=[{cpus: inf}]", "`inf` is not a number of processors from 0 to 1000"),
    ("cluster.nodes=[{memory: 99999999999TiB}]", "`99999999999TiB` is not an amount of memory"),
    ("cluster.nodes=[{name: a}, {name: a}]", "a second node `a`"),
    ("cluster.task_history_limit=-2", "`-2` is not a whole number from 0, or -1 for no limit"),
    ("cluster.request={uniform: [2s, 1s]}", "a list must be in ascending order"),
    ("limits.tasks=0", "`0` is not a whole number from 1 to 5000000"),
    ("limits.tasks=99999999999", "`99999999999` is not a whole number from 1 to 5000000"),
    ("limits.time=0s", "`0s` must be longer than nothing"),
    ("traffic=[{port: 0, rate: 1/s}]", "`0` is not a whole number from 1 to 65535"),
    ("traffic=[{port: 80, rate: 0/s}]", "`0/s` is not a rate"),
    ("traffic=[{port: 80, rate: NaN/s}]", "`NaN/s` is not a rate"),
    ("traffic=[{port: 80, rate: 99999999999/s}]", "`99999999999/s` is not a rate"),
    ("traffic=[{port: 80, every: 0s}]", "`0s` must be longer than nothing"),
    ("traffic=[{port: 65536, every: 1s}]", "`65536` is not a whole number from 1 to 65535"),
    (
        "script=[curl http://localhost/ x999999999]",
        "`curl http://localhost/ x999999999` does not make 1 to 360000 requests",
    ),
    (
        "script=[curl http://localhost:99999/]",
        "`curl http://localhost:99999/` is not a request that can be made",
    ),
    ("script=[wait: {settled: 0s}]", "`0s` must be longer than nothing"),
    (
        "script=[\"docker service create 'web:1\"]",
        "`docker service create 'web:1` has a quote that is not closed",
    ),
    ("script=[docker run web:1]", "`docker run web:1` cannot be simulated"),
    ("script=[rm -rf /]", "`rm -rf /` is not a step"),
    ("expect=[{service: nobody, running: 1}]", "`nobody` is no service that the script creates"),
    ("expect=[{step: 9, exit: 0}]", "`9` is no step of a script of 1"),
    (
        "faults=[{at: 1s, service: nobody, kill: 9}]",
        "`nobody` is no service that the script creates",
    ),
    ("images={web:1: {like: web:1}}", "`web:1` is like itself, by a chain of `like`"),
    ("images={web:1: {healthcheck: {interval: -1s}}}", "`-1s` is a negative time"),
    ("images={web:1: {crash_rate: {mean: 0s}}}", "`0s` must be longer than nothing"),
    (
        "images={web:1: {health: {pattern: '12'}}}",
        "`12` is not a pattern of the characters 0 and 1",
    ),
];

/// Numbers and times beyond all measure, each with what is told.
#[test]
fn values_beyond_measure_are_explained() {
    for (assignment, message) in VALUES.iter().copied() {
        let text = "name: a\nscript: [docker service create --name web web:1]\n";
        let problems = scenario::load_with(text, &[assignment.to_string()]).expect_err(assignment);
        assert_eq!(problems.0[0].message, message, "{assignment}");
    }
}

/// Lines, and the first line of what the client complains.
const LINES: &[(&str, &str)] = &[
    (
        "docker service update nope --image web:2",
        "Error response from daemon: service nope not found",
    ),
    (
        "docker service update --detach --force nope",
        "Error response from daemon: service nope not found",
    ),
    (
        "docker service create --detach --name web web:2",
        "Error response from daemon: rpc error: code = AlreadyExists desc = name conflicts \
             with an existing object: service web already exists",
    ),
    (
        "docker service create --detach --name other --publish 80:80 web:1",
        "Error response from daemon: rpc error: code = InvalidArgument desc = port '80' is \
             already in use by service 'web' (7j8f8hnpxloyr3mi8lm04dfsm) as an ingress port",
    ),
    (
        "docker service create --detach --name x --publish 99999:80 web:1",
        "invalid argument \"99999:80\" for \"-p, --publish\" flag: invalid hostPort: 99999",
    ),
    (
        "docker service create --detach --name x --publish 80-9999999:80 web:1",
        "invalid argument \"80-9999999:80\" for \"-p, --publish\" flag: invalid hostPort: \
             80-9999999",
    ),
    (
        "docker service create --detach --name x --publish 1-65535:1-65535 web:1",
        "Error response from daemon: rpc error: code = InvalidArgument desc = port '80' is \
             already in use by service 'web' (7j8f8hnpxloyr3mi8lm04dfsm) as an ingress port",
    ),
    (
        "docker service create --detach --replicas -1 web:1",
        "invalid argument \"-1\" for \"--replicas\" flag: strconv.ParseUint: parsing \"-1\": \
             invalid syntax",
    ),
    (
        "docker service create --detach --replicas 99999999999999999999999 web:1",
        "invalid argument \"99999999999999999999999\" for \"--replicas\" flag: \
             strconv.ParseUint: parsing \"99999999999999999999999\": value out of range",
    ),
    (
        "docker service create --detach --replicas 1e3 web:1",
        "invalid argument \"1e3\" for \"--replicas\" flag: strconv.ParseUint: parsing \
             \"1e3\": invalid syntax",
    ),
    (
        "docker service create --detach --replicas-max-per-node 18446744073709551615 --name \
             m web:1",
        "",
    ),
    (
        "docker service create --detach --name x --update-delay -1s web:1",
        "Error response from daemon: rpc error: code = InvalidArgument desc = TaskSpec: \
             update-delay cannot be negative",
    ),
    (
        "docker service create --detach --name x --update-delay 99999999999h web:1",
        "invalid argument \"99999999999h\" for \"--update-delay\" flag: time: invalid \
             duration \"99999999999h\"",
    ),
    (
        "docker service create --detach --name x --update-delay 5 web:1",
        "invalid argument \"5\" for \"--update-delay\" flag: time: missing unit in duration \
             \"5\"",
    ),
    (
        "docker service create --detach --name x --update-monitor -1s web:1",
        "Error response from daemon: rpc error: code = InvalidArgument desc = TaskSpec: \
             update-monitor cannot be negative",
    ),
    (
        "docker service create --detach --name x --restart-delay -1s web:1",
        "Error response from daemon: rpc error: code = InvalidArgument desc = TaskSpec: \
             restart-delay cannot be negative",
    ),
    ("docker service create --detach --name x --update-max-failure-ratio NaN web:1", ""),
    (
        "docker service create --detach --name x --update-max-failure-ratio inf web:1",
        "Error response from daemon: rpc error: code = InvalidArgument desc = TaskSpec: \
             update-maxfailureratio cannot be less than 0 or bigger than 1",
    ),
    (
        "docker service create --detach --name x --update-max-failure-ratio 1e400 web:1",
        "invalid argument \"1e400\" for \"--update-max-failure-ratio\" flag: \
             strconv.ParseFloat: parsing \"1e400\": value out of range",
    ),
    (
        "docker service create --detach --name x --update-max-failure-ratio -0.1 web:1",
        "Error response from daemon: rpc error: code = InvalidArgument desc = TaskSpec: \
             update-maxfailureratio cannot be less than 0 or bigger than 1",
    ),
    (
        "docker service create --detach --name x --update-parallelism -1 web:1",
        "invalid argument \"-1\" for \"--update-parallelism\" flag: strconv.ParseUint: \
             parsing \"-1\": invalid syntax",
    ),
    (
        "docker service create --detach --name x --health-interval -1s web:1",
        "invalid argument \"-1s\" for \"--health-interval\" flag: duration cannot be negative",
    ),
    (
        "docker service create --detach --name x --health-retries -1 web:1",
        "Error response from daemon: rpc error: code = InvalidArgument desc = ContainerSpec: \
             Retries in HealthConfig cannot be negative",
    ),
    ("docker service create --detach --name x --stop-grace-period -1s web:1", ""),
    (
        "docker service create --detach --name x --limit-cpu 1e999 web:1",
        "invalid argument \"1e999\" for \"--limit-cpu\" flag: failed to parse 1e999 as a \
             rational number",
    ),
    (
        "docker service create --detach --name x --limit-cpu 1/0 web:1",
        "invalid argument \"1/0\" for \"--limit-cpu\" flag: failed to parse 1/0 as a \
             rational number",
    ),
    ("docker service create --detach --name x --limit-memory 99999999999999999999g web:1", ""),
    ("docker service create --detach --frobnicate web:1", "unknown flag: --frobnicate"),
    (
        "docker service create --detach --name 'a b' web:1",
        "Error response from daemon: rpc error: code = InvalidArgument desc = name must be \
             valid as a DNS name component",
    ),
    ("docker service create --detach --name='' web:1", ""),
    (
        "docker service create --detach --name x UPPER:1",
        "Error response from daemon: rpc error: code = InvalidArgument desc = ContainerSpec: \
             \"UPPER:1\" is not a valid repository/tag",
    ),
    (
        "docker service create --detach --name x ''",
        "Error response from daemon: rpc error: code = InvalidArgument desc = ContainerSpec: \
             image reference must be provided",
    ),
    ("docker service create", "docker: 'docker service create' requires at least 1 argument"),
    ("docker service", ""),
    ("docker service frobnicate", "docker: unknown command: docker service frobnicate"),
    (
        "docker service scale web=99999999999999999999",
        "web: invalid replicas value 99999999999999999999: strconv.ParseUint: parsing \
             \"99999999999999999999\": value out of range",
    ),
    ("docker service scale web", "invalid scale specifier 'web'."),
    (
        "docker service rollback web",
        "Error response from daemon: rpc error: code = FailedPrecondition desc = service \
             7j8f8hnpxloyr3mi8lm04dfsm does not have a previous spec",
    ),
    ("docker service ps nope", "no such service: nope"),
    ("docker service rm nope", "Error response from daemon: service nope not found"),
    (
        "docker service update --detach --env-add '' web",
        "invalid argument \"\" for \"--env-add\" flag: invalid environment variable: ",
    ),
    (
        "docker service update --detach --mount-add '' web",
        "invalid argument \"\" for \"--mount-add\" flag: value is empty",
    ),
    ("docker service update --detach --secret-add nope web", "secret not found: nope"),
    (
        "docker service update --detach --network-add nope web",
        "Error response from daemon: network nope not found",
    ),
    (
        "docker service update --detach --constraint-add 'node.role' web",
        "Error response from daemon: rpc error: code = Unknown desc = constraint expected \
             one operator from ==, !=",
    ),
    (
        "docker node update --availability frob node-1",
        "Error response from daemon: invalid Availability: \"frob\"",
    ),
    (
        "docker node update --availability drain nope",
        "Error response from daemon: node nope not found",
    ),
    (
        "docker node rm node-1",
        "Error response from daemon: rpc error: code = FailedPrecondition desc = node \
             byga2iz40nopo7w5nhlaew7my is not down and can't be removed",
    ),
];

/// Docker lines that only Docker can judge, each with what its client complains.
#[test]
fn docker_lines_beyond_measure_get_dockers_answer() {
    let create = "docker service create --detach --name web --publish 80:80 web:1";
    for (line, told) in LINES.iter().copied() {
        let text = script(&[create, &format!("{{run: {line:?}, as: line}}")]);
        let Outcome::Ran(_, complaints) = tried(line, text) else { panic!("{line} is refused") };
        let first = complaints.join("\n").lines().next().unwrap_or_default().to_string();
        assert_eq!(first, told, "{line}");
    }
}

#[test]
fn docker_lines_that_are_no_lines_are_refused_or_answered() {
    let megabyte = "x".repeat(900_000);
    for (what, line, told) in [
        (
            "an open quote",
            "docker service create 'web:1".to_string(),
            "has a quote that is not closed",
        ),
        (
            "a long line",
            format!("docker service create --name x {megabyte}"),
            "is not a valid repository/tag",
        ),
        (
            "a long flag",
            format!("docker service create --{megabyte} web:1"),
            "unknown flag: --xxxx",
        ),
        (
            "a long name",
            format!("docker service create --name {megabyte} web:1"),
            "name must be 63 characters or fewer",
        ),
        (
            "a NUL",
            "docker service create --name \u{0} web:1".to_string(),
            "name must be valid as a DNS name component",
        ),
        ("an escape", "docker service ps \u{1b}[31m".to_string(), "no such service: \u{1b}[31m"),
        ("many flags", format!("docker service ps web {}", "-q ".repeat(200_000)), ""),
        (
            "many services",
            format!("docker service ps {}", "a ".repeat(20_000)),
            "no such service: a",
        ),
    ] {
        let mut quoted = String::new();
        for c in line.chars() {
            match c {
                c if c.is_control() => {
                    let _ = write!(quoted, "\\x{:02x}", u32::from(c));
                }
                c => quoted.push(c),
            }
        }
        let create = "docker service create --detach --name web web:1";
        let text = script(&[create, &format!("{{run: \"{quoted}\"}}")]);
        let answer = match tried(what, text) {
            Outcome::Refused(message) => message,
            Outcome::Ran(_, complaints) => complaints.join("\n"),
        };
        assert!(answer.contains(told), "{what}: {}", answer.chars().take(200).collect::<String>());
    }
}

#[test]
fn numbers_of_replicas_that_want_memory_end_at_a_limit() {
    for line in [
        "docker service create --detach --name web --replicas 99999999999 web:1",
        "docker service create --detach --name web --replicas 9223372036854775807 web:1",
        "docker service create --detach --name web --replicas 1000000 web:1",
    ] {
        let Outcome::Ran(stop, _) = tried(line, script(&[line])) else {
            panic!("{line} is refused")
        };
        assert_eq!(stop, Stop::Limit(Limit::Tasks), "{line}");
    }
    let none = "docker service create --name web --replicas 0 web:1";
    let ran = tried(none, script(&[none, "docker service scale web=99999999999"]));
    assert_eq!(ran, Outcome::Ran(Stop::Limit(Limit::Tasks), vec![]));
}

/// Commands that write while another one still looks.
#[test]
fn a_service_that_is_gone_is_told_to_whoever_waits_for_it() {
    let create = "{as: create, run: docker service create --name web web:1}";
    let text = script(&[create, "{at: 1s, run: docker service rm web}"]);
    let Outcome::Ran(stop, complaints) = tried("gone", text) else { panic!("it is refused") };
    assert_eq!(stop, Stop::ScriptDone);
    let told = "Error response from daemon: service 7j8f8hnpxloyr3mi8lm04dfsm not found";
    assert_eq!(complaints, [told]);
}

/// As with Docker, and another one each time.
#[test]
fn a_service_without_a_name_gets_one() {
    let line = "docker service create --detach web:1";
    let text = script(&[line, line, "docker service ls"]);
    let scenario = scenario::load(&text).expect("it is valid");
    let (records, _) = records_of(&Arc::new(scenario));
    let names: std::collections::BTreeSet<String> = records
        .iter()
        .filter_map(|record| match &record.fact {
            Fact::Service { change: ServiceChange::Created { spec, .. }, .. } => {
                Some(spec.name.clone())
            }
            _ => None,
        })
        .collect();
    assert_eq!(names.len(), 2, "{names:?}");
    assert!(names.iter().all(|name| name.contains('_')), "{names:?}");
}
