//! What the benchmarks share: scenarios, the floor to compare with, and medians.
//!
//! The floor is the [`toy`]: the agenda entries of a rolling update in a bare binary
//! heap, with no store, no records and no control loops. It runs in the same process, in turn with
//! what is measured, so that its ratio travels from machine to machine.

#![allow(dead_code, reason = "each benchmark uses a part of it")]

pub(crate) mod toy;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use swarmsim::base::time::{SimTime, Span};
use swarmsim::docker::behaviour::{Health, Image};
use swarmsim::scenario::model::{Action, Cluster, Curl, Limits, Scenario, Step, Wait};
use swarmsim::sim::world::Simulation;
use swarmsim::swarmkit::spec::HealthConfig;
use swarmsim::swarmkit::task::UpdateState;
use swarmsim::timeline::ends::{Footer, Stop};
use swarmsim::timeline::sink::NoSink;
use toy::Tally;

/// When the update of [`rollout`] is typed; creation has settled long before.
const UPDATE_AT: Span = Span::from_secs(3_600);

/// The exercise of the automatic rollback: two tasks, an image that never becomes healthy, an
/// attached client in the terminal.
pub(crate) fn whoami() -> Arc<Scenario> {
    let healthcheck = HealthConfig {
        test: vec!["CMD-SHELL".into(), "curl -f http://localhost:8000/".into()],
        interval: Span::from_secs(5),
        timeout: Span::from_secs(3),
        start_period: Span::ZERO,
        start_interval: Span::ZERO,
        retries: 3,
    };
    let good = Image { healthcheck: Some(healthcheck), ..Image::default() };
    let bad = Image { health: Health::Fail, ..good.clone() };
    let create = "docker service create --name whoami --replicas 2 \
                  --update-failure-action rollback --update-delay 10s --update-monitor 10s \
                  --publish 8000:8000 lucj/whoami:1.0";
    let curl = Curl { url: "http://node-1:8000/whoami".into(), port: 8000, node: None, times: 4 };
    Arc::new(Scenario {
        name: "whoami".into(),
        seed: 7,
        images: [("lucj/whoami:1.0".to_string(), good), ("lucj/whoami:2.0".to_string(), bad)]
            .into(),
        script: vec![
            Step::docker(create),
            Step::new(Action::Curl(curl)),
            Step::docker("docker service update --image lucj/whoami:2.0 whoami"),
        ],
        ..Scenario::default()
    })
}

/// A service of `tasks` on `nodes`, made at the start and updated an hour later, detached, without
/// a delay; `parallelism` 0 = all at once.
pub(crate) fn rollout(tasks: u64, nodes: u32, parallelism: u64) -> Arc<Scenario> {
    let create = format!(
        "docker service create --detach --name web --replicas {tasks} \
         --update-parallelism {parallelism} nginx:1"
    );
    let update = "docker service update --detach --image nginx:2 web";
    let done = Wait::UpdateState(vec![UpdateState::Completed]);
    let wait = Action::Wait { until: done, service: None };
    let typed = Step { at: Some(UPDATE_AT), ..Step::docker(update) };
    Arc::new(Scenario {
        name: "rollout".into(),
        seed: 7,
        cluster: Cluster { nodes: Cluster::numbered(nodes), ..Cluster::default() },
        script: vec![
            Step::docker(&create),
            Step::new(Action::Wait { until: Wait::For(UPDATE_AT), service: None }),
            Step::new(Action::Wait { until: Wait::For(Span::from_secs(10)), service: None }),
            Step::new(wait),
            typed,
        ],
        watch: Span::from_secs(1),
        limits: Limits {
            time: Span::from_secs(100_000_000),
            events: u64::MAX,
            tasks: u64::MAX,
            per_instant: u64::MAX,
        },
        ..Scenario::default()
    })
}

/// A [`rollout`] whose tasks are probed every five seconds, and answer like that.
pub(crate) fn probed(tasks: u64, nodes: u32, health: Health) -> Arc<Scenario> {
    let healthcheck = HealthConfig {
        test: vec!["CMD".into(), "true".into()],
        interval: Span::from_secs(5),
        ..HealthConfig::default()
    };
    let image = Image { healthcheck: Some(healthcheck), health, ..Image::default() };
    let plain = (*rollout(tasks, nodes, 10)).clone();
    Arc::new(Scenario { images: [("nginx:1".to_string(), image)].into(), ..plain })
}

/// The service of a [`rollout`] is made and settled; its update has not been typed.
pub(crate) fn before_update(scenario: &Arc<Scenario>) -> Simulation {
    let mut simulation = Simulation::new(scenario);
    let until = SimTime(SimTime::ZERO.after(UPDATE_AT).0 - 1);
    let stop = simulation.run_until(until, &mut NoSink);
    assert_eq!(stop, None, "the service settles");
    simulation
}

/// Runs to the end, which must be that of the script.
pub(crate) fn finish(simulation: &mut Simulation) -> Footer {
    let footer = simulation.run(&mut NoSink);
    assert_eq!(footer.stop, Stop::ScriptDone);
    footer
}

/// The toy on a bare heap: `slots` replaced by `workers`, eight events each.
pub(crate) fn bare_heap(slots: u32, workers: u32) -> Tally {
    let mut heap: BinaryHeap<Reverse<(u64, u64, u32, u8)>> = BinaryHeap::new();
    let (mut seq, mut tally) = (0, Tally::default());
    let mut put = |heap: &mut BinaryHeap<_>, at: u64, slot: u32, stage: u8| {
        seq += 1;
        heap.push(Reverse((at + toy::delay(slot, stage), seq, slot, stage)));
    };
    for slot in 0..workers.min(slots) {
        put(&mut heap, 0, slot, 0);
    }
    while let Some(Reverse((at, _, slot, stage))) = heap.pop() {
        tally.events += 1;
        tally.end = at;
        if stage == toy::RUNNING {
            tally.sum = tally.sum.wrapping_add(at);
        }
        toy::follow((slot, stage), (slots, workers), |slot, stage| put(&mut heap, at, slot, stage));
    }
    black_box(tally)
}

/// How long it takes, and what comes out: time of the processor where Linux tells it, so that
/// neighbours who take the processor away are not counted; else the time that passes.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
pub(crate) fn timed<R>(run: impl FnOnce() -> R) -> (Duration, R) {
    let (start, spent) = (Instant::now(), processor_time());
    let result = black_box(run());
    let time = match spent.zip(processor_time()) {
        Some((before, after)) => after.saturating_sub(before),
        None => start.elapsed(),
    };
    (time, result)
}

/// Processor time of this thread. Yielding brings the account up to date.
fn processor_time() -> Option<Duration> {
    std::thread::yield_now();
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanos = text.split(' ').next()?.parse().ok()?;
    (nanos > 0).then(|| Duration::from_nanos(nanos))
}

/// The middle one of several figures.
pub(crate) fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// Whether this is a measurement. `cargo test` runs benchmarks to see that they work.
pub(crate) fn is_measured() -> bool {
    std::env::args().any(|argument| argument == "--bench")
}
