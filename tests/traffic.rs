//! Requests through an update: who answers them, and why each lost one is lost (semantics 13).

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use support::{Place, run};
use swarmsim::base::chance::Seed;
use swarmsim::base::ids::{NodeIx, TaskIx};
use swarmsim::base::time::SimTime;
use swarmsim::metrics::Metrics;
use swarmsim::sim::world::Simulation;
use swarmsim::sweep::measure::{Measure, Row};
use swarmsim::timeline::ends::Stop;
use swarmsim::timeline::record::{
    BackendChange, ContainerChange, Fact, NodeChange, Record, RequestCounts, RequestOutcome,
};

/// A service that is updated, with what each test adds.
fn scenario(create: &str, rest: &str) -> String {
    format!(
        "name: traffic\nseed: 5\n{rest}script:\n\
         - docker service create --name web --detach=false {create} shop/web:1\n\
         - wait: converged\n\
         - docker service update --image shop/web:2 --detach=false web\n"
    )
}

fn counts(records: &[Record]) -> RequestCounts {
    let mut sum = RequestCounts::default();
    for record in records {
        match &record.fact {
            Fact::Request { outcome, .. } => sum.add(*outcome, 1),
            Fact::Requests { counts, .. } => sum.merge(*counts),
            _ => {}
        }
    }
    sum
}

/// The moments and outcomes of requests that are told each by each.
fn requests(records: &[Record]) -> Vec<(SimTime, RequestOutcome)> {
    let each = records.iter().filter_map(|record| match &record.fact {
        Fact::Request { outcome, .. } => Some((record.at, *outcome)),
        _ => None,
    });
    each.collect()
}

/// Sources of every kind, alone and beside others.
const SOURCES: [&str; 8] = [
    "{port: 80, every: 130ms, told: each}",
    "{port: 80, every: 130ms, connections: 7, from: 100ms, until: 20s, told: each}",
    "{service: web, every: 70ms, takes: 411ms, told: each}",
    "{port: 80, node: node-1, every: 130ms, arrivals: random, told: each}",
    "{port: 81, every: 50ms, from: 0s, told: each}",
    "{port: 80, every: 100ms, from: 0s, told: each}\n- {service: web, every: 150ms, told: each}",
    "{port: 80, every: 13ms, told: each-second}\n- {port: 80, every: 110ms, told: each}",
    "{port: 80, every: 10us, from: 0s, until: 3ms, told: each}",
];

/// The row of a run, with its end.
fn row(simulation: &mut Simulation) -> (Row, SimTime, Stop, u64) {
    let mut measure = Measure::default();
    let footer = simulation.run(&mut measure);
    (measure.row().expect("it ended"), footer.at, footer.stop, footer.events)
}

/// Requests that come before everything else pass the agenda by, and a sweep only counts them:
/// whatever ends a run, and wherever, it is the run that takes one event after the other.
#[test]
fn in_one_go_as_step_by_step() {
    let images = "images:\n  shop/web:1: {serves_after: 300ms, sigterm: {exits_after: 700ms}}\n  \
                  shop/web:2: {serves_after: 2s, exit: {after: 6s, code: 1}}\n";
    let crash = "faults:\n- {at: 9s, node: node-2, crash: true, for: 20s}\n";
    let events = [1, 2, 3, 5, 8, 11, 12, 13, 14, 15, 16, 17, 18, 20, 40, 41, 42, 800, 1_500];
    let limits = events.iter().map(|n| format!("limits: {{events: {n}}}\n"));
    let limits =
        limits.chain([1, 2, 3, 4, 6, 9].map(|n| format!("limits: {{per_instant: {n}}}\n")));
    let limits: Vec<String> =
        limits.chain([String::new(), "limits: {time: 31s}\n".into()]).collect();
    let (mut stops, mut saved) = (BTreeSet::new(), 0);
    for (create, cluster) in [
        ("-p 80:80 --replicas 2 --update-delay 2s", "cluster: {nodes: 1}\n"),
        ("-p 80:80 --replicas 3 --update-order start-first", "cluster: {nodes: 3}\n"),
        ("-p 80:80 --replicas 0", "cluster: {nodes: 1, request: 0s}\n"),
    ] {
        for source in SOURCES {
            for limit in &limits {
                let crash = if cluster.contains('3') { crash } else { "" };
                let rest = format!("{images}{cluster}{crash}watch: 9s\n{limit}");
                let text = scenario(create, &format!("{rest}traffic:\n- {source}\n"));
                let scenario = Arc::new(swarmsim::scenario::load(&text).expect(&text));
                let (mut records, mut stepped): (Vec<Record>, Vec<Record>) = Default::default();
                let footer = Simulation::new(&scenario).run(&mut records);
                let mut slow = Simulation::new(&scenario);
                let mut stop = slow.run_until(SimTime::ZERO, &mut stepped);
                while stop.is_none() {
                    stop = slow.step(&mut stepped);
                }
                assert!(slow.footer(stop.expect("it ended")) == footer, "{text}");
                assert!(stepped == records, "{text}");

                let mut each = Simulation::undrawn(&scenario, Seed(scenario.seed));
                let mut summed = Simulation::undrawn(&scenario, Seed(scenario.seed));
                summed = summed.summing_requests();
                let ends = row(&mut each);
                assert_eq!(row(&mut summed), ends, "{text}");
                let told = |of: &Simulation| of.footer(Stop::Quiet).records;
                saved += told(&each) - told(&summed);
                stops.insert(format!("{:?}", ends.2));
            }
        }
    }
    assert!(saved > 100_000, "{saved} requests were only counted");
    let wanted = ["Limit(Events)", "Limit(EventsPerInstant)", "Limit(Time)", "ScriptDone"];
    assert!(wanted.iter().all(|stop| stops.contains(*stop)), "{stops:?}");
}

/// Counting is making: by whatever way the numbers come about, they are the same.
#[test]
fn numbers_by_the_second_are_those_of_single_requests() {
    let images = "images:\n  shop/web:1: {serves_after: 300ms, sigterm: {exits_after: 700ms}}\n  \
                  shop/web:2: {serves_after: 2s, exit: {after: 6s, code: 1}}\n";
    let crash = "faults:\n- {at: 9s, node: node-2, crash: true, for: 20s}\n\
                 - {at: 12s, service: web, slot: 1, kill: 9}\n";
    let mut failed = RequestCounts::default();
    for (create, cluster) in [
        ("-p 80:80 --replicas 3 --update-delay 2s", ""),
        ("-p 80:80 --replicas 3 --update-delay 2s", "cluster: {nodes: 3}\n"),
        ("-p 80:80 --replicas 2 --update-order start-first", "cluster: {nodes: 2}\n"),
        ("-p mode=host,published=80,target=80 --replicas 2", "cluster: {nodes: 3}\n"),
    ] {
        for target in ["port: 80", "service: web", "port: 80, node: node-1", "port: 81"] {
            for more in ["", ", connections: 7", ", takes: 411ms", ", arrivals: random"] {
                let with = |told: &str| {
                    let mut rest = format!("{images}{cluster}watch: 40s\n");
                    if cluster.contains("nodes") {
                        rest += crash;
                    }
                    let _ = writeln!(
                        rest,
                        "traffic:\n- {{{target}, every: 13ms, from: 100ms, until: 60s, \
                         told: {told}{more}}}"
                    );
                    counts(&run(&scenario(create, &rest)).records)
                };
                let (each, second) = (with("each"), with("each-second"));
                assert_eq!(each, second, "{create} {cluster} {target}{more}");
                failed.merge(each);
            }
        }
    }
    for (reason, _, count) in failed.failures() {
        assert!(count > 0, "nothing was {reason}");
    }
}

/// A second reading of section 13, of one node: the rotation over those who joined and did not
/// leave, and whether the process of whose turn it is listens.
fn by_hand(records: &[Record], serves_after: u64, at: &[SimTime]) -> RequestCounts {
    let mut rotation: Vec<(TaskIx, bool)> = Vec::new();
    let mut started: BTreeMap<TaskIx, SimTime> = BTreeMap::new();
    let mut last: Option<TaskIx> = None;
    let mut sum = RequestCounts::default();
    let mut records = records.iter().peekable();
    for at in at {
        while let Some(record) = records.next_if(|record| record.at <= *at) {
            match &record.fact {
                Fact::Backend { task, change } => match change {
                    BackendChange::Joined => {
                        rotation.push((*task, true));
                        rotation.sort_unstable();
                    }
                    BackendChange::Drained => {
                        rotation.iter_mut().filter(|(of, _)| of == task).for_each(|b| b.1 = false);
                    }
                    BackendChange::Left => rotation.retain(|(of, _)| of != task),
                },
                Fact::Container { task, change: ContainerChange::Started } => {
                    started.insert(*task, record.at);
                }
                Fact::Container { task, change: ContainerChange::Died(_) } => {
                    started.remove(task);
                }
                _ => {}
            }
        }
        let open: Vec<TaskIx> =
            rotation.iter().filter(|(_, weight)| *weight).map(|(task, _)| *task).collect();
        let after = open.iter().find(|task| last.is_some_and(|last| **task > last));
        let Some(task) = after.or(open.first()).copied() else {
            sum.add(RequestOutcome::NoBackend, 1);
            continue;
        };
        last = Some(task);
        sum.add(
            match started.get(&task) {
                Some(began) if at.0 >= began.0 + serves_after => RequestOutcome::Answered(task),
                Some(_) => RequestOutcome::Refused(task),
                None => RequestOutcome::Lost(task),
            },
            1,
        );
    }
    sum
}

/// 13.4 on one node, to the request: stop-first with one replica loses all from weight 0 until the
/// new task joins, and a new task without a health check refuses until it listens.
#[test]
fn lost_requests_are_those_of_the_derivation() {
    for (create, refused, none) in
        [("--replicas 1", true, true), ("--replicas 4", true, false), ("--replicas 2", true, false)]
    {
        let images = "images:\n  shop/web:1: {serves_after: 400ms}\n  \
                      shop/web:2: {serves_after: 400ms}\n";
        let traffic = "traffic:\n- {port: 80, every: 7ms, until: 2m, told: each}\n";
        let ran = run(&scenario(&format!("-p 80:80 {create}"), &format!("{images}{traffic}")));
        let at: Vec<SimTime> = requests(&ran.records)
            .into_iter()
            .filter(|(_, outcome)| *outcome != RequestOutcome::NoService)
            .map(|(at, _)| at)
            .collect();
        let mut found = counts(&ran.records);
        found.no_service = 0;
        let expected = by_hand(&ran.records, 400_000_000, &at);
        // Where the rotation begins is drawn: each new task's turn may fall on either side.
        for (a, b) in found.failures().into_iter().zip(expected.failures()) {
            assert!(a.2.abs_diff(b.2) <= 4, "{create}: {} {} instead of {}", a.0, a.2, b.2);
        }
        assert_eq!((found.refused > 0, found.no_backend > 3), (refused, none), "{create}");
    }
}

/// The exercises lose nothing but what section 13.4 says. Their software listens at once, so that
/// only whoami with one replica loses anything, by the gap of stop-first.
#[test]
fn the_exercises_lose_what_they_must() {
    for name in ["vote", "whoami-autorollback", "whoami-one-replica"] {
        let text = support::shipped(name);
        let (head, tail) = text.split_once("\nscript:").unwrap();
        // In place of traffic of its own.
        let tail: Vec<&str> = tail.lines().collect();
        let own = tail.iter().position(|line| *line == "traffic:");
        let lines = tail
            .iter()
            .enumerate()
            .filter(|(no, _)| own.is_none_or(|own| *no < own || *no > own + 1));
        let tail: Vec<&str> = lines.map(|(_, line)| *line).collect();
        let tail = tail.join("\n");
        let port = if name == "vote" { 5000 } else { 8000 };
        let serves = text.split("serves_after: ").nth(1).map_or(0, |rest| {
            let ms: u64 = rest.split("ms").next().unwrap().parse().unwrap();
            ms * 1_000_000
        });
        let traffic = format!("traffic:\n- {{port: {port}, every: 50ms, told: each}}");
        let ran = run(&format!("{head}\n{traffic}\nscript:{tail}"));
        let at: Vec<SimTime> = requests(&ran.records).into_iter().map(|(at, _)| at).collect();
        assert!(at.len() > 500, "{name}");
        let (found, expected) = (counts(&ran.records), by_hand(&ran.records, serves, &at));
        for (a, b) in found.failures().into_iter().zip(expected.failures()) {
            assert!(a.2.abs_diff(b.2) <= 1, "{name}: {} {} instead of {}", a.0, a.2, b.2);
        }
        assert_eq!(found.failed() > 0, name == "whoami-one-replica", "{name}: {found:?}");
    }
}

/// Connections that are kept stay with the old task until its process ends, and are made anew then.
#[test]
fn connections_stay_where_they_are() {
    let images = "images:\n  shop/web:1: {sigterm: {exits_after: 4s}}\n";
    let rest =
        |more: &str| format!("{images}traffic:\n- {{port: 80, every: 10ms, told: each{more}}}\n");
    let old = |more: &str| {
        let create = "-p 80:80 --replicas 1 --update-order start-first";
        let ran = run(&scenario(create, &rest(more)));
        let drained = ran.records.iter().find_map(|record| match record.fact {
            Fact::Backend { task, change: BackendChange::Drained } => Some((record.at, task)),
            _ => None,
        });
        let (since, task) = drained.unwrap();
        assert_eq!(counts(&ran.records).failed(), 0);
        let answered = RequestOutcome::Answered(task);
        let late = requests(&ran.records)
            .into_iter()
            .filter(|(at, outcome)| *at > since && *outcome == answered);
        late.count()
    };
    assert_eq!(old(""), 0);
    // Two seconds between weight 0 and the stop signal, four until the process has ended.
    let kept = old(", connections: 5");
    assert!((590..=610).contains(&kept), "{kept}");
}

/// What is being answered when the process ends is cut off, and nothing else is.
#[test]
fn answers_are_cut_off() {
    let rest = "images:\n  shop/web:2: {exit: {after: 5s, code: 1}}\n\
                traffic:\n- {port: 80, every: 100ms, takes: 1s, told: each, until: 60s}\n";
    let ran = run(&scenario("-p 80:80 --replicas 1 --restart-condition none", rest));
    let died: Vec<SimTime> = ran
        .records
        .iter()
        .filter(|r| matches!(r.fact, Fact::Container { change: ContainerChange::Died(_), .. }))
        .map(|record| record.at)
        .collect();
    assert_eq!(died.len(), 2);
    let cut = counts(&ran.records).cut;
    // Of the second task the answers of a second; of the first, which was drained two seconds
    // before its end, none.
    assert!((9..=10).contains(&cut), "{cut}");
}

/// A node without power: its tasks are in the rotation of others until the gossip misses it, and
/// who asks it itself reaches nobody.
#[test]
fn a_lost_node_takes_its_share_for_some_seconds() {
    let rest = "cluster: {nodes: 2}\nwatch: 60s\n\
                faults:\n- {at: 40s, node: node-2, crash: true}\n\
                traffic:\n- {port: 80, every: 20ms, node: node-1, told: each}\n\
                - {port: 80, every: 20ms, node: node-2, told: each}\n";
    let text = format!(
        "name: loss\nseed: 5\n{rest}script:\n\
         - docker service create --name web --detach=false -p 80:80 --replicas 2 shop/web:1\n\
         - wait: 50s\n"
    );
    let ran = run(&text);
    let crashed = ran
        .records
        .iter()
        .find(|r| matches!(r.fact, Fact::Node { change: NodeChange::Crashed, .. }));
    let crashed = crashed.unwrap().at;
    let of = |node: usize| {
        let mut of = Vec::new();
        for record in &ran.records {
            if let Fact::Request { node: asked, outcome, .. } = &record.fact
                && *asked == <NodeIx as swarmsim::base::ids::Id>::from_index(node)
                && record.at > crashed
            {
                of.push((record.at, *outcome));
            }
        }
        of
    };
    assert!(of(1).iter().all(|(_, outcome)| *outcome == RequestOutcome::Unreachable));
    let asked = of(0);
    let lost: Vec<SimTime> = asked
        .iter()
        .filter(|(_, outcome)| matches!(outcome, RequestOutcome::Lost(_)))
        .map(|(at, _)| *at)
        .collect();
    // Every other one of fifty a second, for four to five seconds.
    assert!((100..=126).contains(&lost.len()), "{}", lost.len());
    let last = lost.last().unwrap().since(crashed).whole_secs();
    assert!((3..=5).contains(&last), "{last}");
    assert_eq!(counts(&ran.records).no_backend, 0);
}

/// By name: one address and its rotation, or the addresses at random.
#[test]
fn a_name_stands_for_one_address_or_for_many() {
    let answers = |mode: &str| {
        let rest = "traffic:\n- {service: web, every: 50ms, told: each}\n";
        let create = format!("--network back --endpoint-mode {mode} --replicas 2");
        let rest = format!("cluster: {{networks: [back]}}\n{rest}");
        let ran = run(&scenario(&create, &rest));
        let answers: Vec<TaskIx> = requests(&ran.records)
            .into_iter()
            .filter_map(|(_, outcome)| match outcome {
                RequestOutcome::Answered(task) => Some(task),
                _ => None,
            })
            .take(40)
            .collect();
        assert_eq!(answers.len(), 40);
        answers.windows(2).filter(|pair| pair[0] != pair[1]).count()
    };
    assert_eq!(answers("vip"), 39);
    let changes = answers("dnsrr");
    assert!((8..=32).contains(&changes), "{changes}");
}

#[test]
fn arrivals_at_random_have_their_mean() {
    let count = |arrivals: &str| {
        let rest = format!(
            "traffic:\n- {{port: 80, rate: 200/s, arrivals: {arrivals}, from: 0s, until: 100s}}\n\
             watch: 2m\n"
        );
        let ran = run(&scenario("-p 80:80 --replicas 1", &rest));
        let metrics = Metrics::of(&ran.records, &ran.footer);
        metrics[0].answered + metrics[0].failed + u64::from(counts(&ran.records).no_service)
    };
    assert_eq!(count("steady"), 20_000);
    let random = count("random");
    assert!((19_500..=20_500).contains(&random) && random != 20_000, "{random}");
}

/// The summary tells reasons, and what cannot be known is not claimed.
#[test]
fn reasons_are_told() {
    let place = Place::new("traffic");
    let rest = "traffic:\n- {port: 80, rate: 100/s}\n";
    let text = scenario("-p 80:80 --replicas 1", rest)
        + "expect:\n- {requests: web, failed_at_least: 100}\n";
    place.write("gap.yaml", &text);
    let told = place.swarmsim(&["run", "gap.yaml", "--quiet"]);
    assert_eq!(told.code, Some(0), "{}{}", told.stdout, told.stderr);
    assert!(told.stdout.contains(" without a task that takes requests\n"), "{}", told.stdout);
    // What only a look at each could tell is refused when the file is read, with its place.
    for claim in ["answered_by_tasks: 2", "answered_by_image: 'shop/web:1'", "alternate: true"] {
        place.write("gap.yaml", format!("{text}- {{requests: web, {claim}}}\n"));
        let told = place.swarmsim(&["run", "gap.yaml", "--quiet"]);
        assert_eq!(told.code, Some(3), "{claim}: {}{}", told.stdout, told.stderr);
        let line = text.lines().count() + 1;
        let key = claim.split(':').next().unwrap_or("");
        let place_told = format!("gap.yaml:{line}:");
        assert!(told.stderr.starts_with(&place_told), "{}", told.stderr);
        let cannot = format!(" of `{key}` cannot be known: these requests are only counted");
        assert!(told.stderr.contains(&cannot), "{}", told.stderr);
        assert!(told.stderr.contains("hint: write `told: each` at the traffic in line "));
    }
    // With requests that are told one by one beside them a window may hold these alone.
    let known = "- {requests: web, since: up, alternate: true}\n";
    let asked = "- {as: up, wait: converged}\n- curl http://localhost:80/ x2\n";
    place.write("gap.yaml", text.replace("- wait: converged\n", asked) + known);
    let told = place.swarmsim(&["check", "gap.yaml"]);
    assert_eq!(told.code, Some(0), "{}", told.stderr);
}

/// Every request that was made has an end or is under way when the run ends, and is counted once.
#[test]
fn requests_under_way_at_the_end_are_counted() {
    let of = |told: &str| {
        let rest = format!(
            "watch: 10s\ntraffic:\n- {{port: 80, every: 10ms, takes: 3s, from: 5s, told: {told}}}\n"
        );
        let ran = run(&scenario("-p 80:80 --replicas 3", &rest));
        let metrics = Metrics::of(&ran.records, &ran.footer);
        let (web, all) = (&metrics[0], counts(&ran.records));
        // Requests of before the service was there belong to none.
        assert!(web.requests.unfinished <= all.unfinished);
        let made = (ran.footer.at.0 - 5_000_000_000).div_ceil(10_000_000);
        let ended = u64::from(all.answered) + all.failed();
        assert_eq!(ended + u64::from(all.unfinished), made, "{told}: {all:?}");
        all
    };
    let (each, second) = (of("each"), of("each-second"));
    assert_eq!(each, second);
    assert!((299..=301).contains(&each.unfinished), "{each:?}");
    let place = Place::new("traffic-left");
    let rest = "traffic:\n- {port: 80, every: 10ms, takes: 3s}\n";
    place.write("left.yaml", scenario("-p 80:80 --replicas 3", rest));
    let told = place.swarmsim(&["run", "left.yaml", "--quiet"]).stdout;
    assert!(told.contains(" under way when the run ended\n"), "{told}");
    let timeline = ["run", "left.yaml", "--quiet", "--timeline", "left.jsonl"];
    let ran = place.swarmsim(&timeline);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(place.swarmsim(&["verify", "left.jsonl"]).code, Some(0), "it repeats");
}

/// A window of an expectation has the same requests, however they are told.
#[test]
fn windows_of_numbers_are_those_of_single_requests() {
    let found = |told: &str| {
        let rest = format!("traffic:\n- {{port: 80, every: 37ms, told: {told}}}\n");
        let text = scenario("-p 80:80 --replicas 2", &rest).replace(
            "- docker service update --image shop/web:2 --detach=false web",
            "- {run: docker service update --image shop/web:2 --detach=false web, as: up}\n\
                 - {wait: 7s, as: rest}",
        ) + "expect:\n- {requests: web, since: up, after: up, failed: 999999, answered: 999999}\n\
               - {requests: web, since: rest, after: rest, failed: 999999, answered: 999999}\n";
        let claims = run(&text).verdicts.into_iter().flat_map(|verdict| verdict.claims);
        claims.filter_map(|claim| claim.found).collect::<Vec<_>>()
    };
    let each = found("each");
    assert_eq!(each.len(), 4);
    assert_eq!(each, found("each-second"));
}
