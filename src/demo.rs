//! What one setting does: a small service, updated with two or three values of it, side by side.
//!
//! A topic is a scenario and the place in it that is varied; everything that is told of a value
//! comes from its run.

use std::sync::Arc;

use crate::base::time::SimTime;
use crate::metrics::{Metrics, ServiceMetrics};
use crate::scenario::{self, Scenario};
use crate::sim::world::Simulation;
use crate::timeline::ends::Footer;
use crate::timeline::record::{CommandFact, Fact, Record};

/// A setting to be shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Topic {
    /// How many slots at a time.
    Parallelism,
    /// The wait of a worker after each slot.
    Delay,
    /// How long after it came up a task's failure counts.
    Monitor,
    /// Which of old and new goes first.
    Order,
    /// Which share of the slots may fail.
    Ratio,
    /// Whether a task runs when its process does, or when it answers.
    Health,
}

/// A topic with its words.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Words {
    /// What is asked.
    pub question: &'static str,
    /// What is the same for all values.
    pub given: &'static str,
    /// What is to be seen.
    pub lesson: &'static str,
    /// The setting.
    pub setting: &'static str,
    key: &'static str,
    values: &'static [(&'static str, &'static str)],
    scenario: &'static str,
}

/// The run with one value.
pub struct Shown {
    /// The value.
    pub value: &'static str,
    /// Its numbers.
    pub web: ServiceMetrics,
    /// When the update was asked for.
    pub asked: SimTime,
    /// Its scenario.
    pub scenario: Arc<Scenario>,
    /// Everything that happened.
    pub records: Vec<Record>,
    /// How it ended.
    pub footer: Footer,
}

const PARALLELISM: Words = Words {
    question: "How many tasks are replaced at a time?",
    given: "six replicas; a new task needs two seconds until it answers",
    lesson: "more at a time is faster, and as many are missing meanwhile; 0 is all \
            at once",
    setting: "--update-parallelism",
    key: "script.update.--update-parallelism",
    values: &[("1", "1"), ("3", "3"), ("0", "0")],
    scenario: "
images:
  shop/web:1: &web
    serves_after: 2s
    healthcheck: {interval: 1s, timeout: 1s, retries: 5}
  shop/web:2: *web
script:
- docker service create --name web --replicas 6 --publish 80:80 shop/web:1
- {as: update, run: docker service update --detach --image shop/web:2 web}
- wait: 60s
",
};

const DELAY: Words = Words {
    question: "How long does the updater wait between two tasks?",
    given: "four replicas, one at a time; a new task needs two seconds until it \
            answers",
    lesson: "the delay comes after each slot, after the last one too; nobody is \
            missing meanwhile",
    setting: "--update-delay",
    key: "script.update.--update-delay",
    values: &[("0s", "0s"), ("5s", "5s"), ("15s", "15s")],
    scenario: "
images:
  shop/web:1: &web
    serves_after: 2s
    healthcheck: {interval: 1s, timeout: 1s, retries: 5}
  shop/web:2: *web
script:
- docker service create --name web --replicas 4 --publish 80:80 shop/web:1
- {as: update, run: docker service update --detach --image shop/web:2 web}
- wait: 120s
",
};

const MONITOR: Words = Words {
    question: "How long is a new task looked after?",
    given: "three replicas, rollback on failure; the new version dies eight \
            seconds after it came up",
    lesson: "what fails after the monitor period is not seen: the update completes, \
            and every task crashes",
    setting: "--update-monitor",
    key: "script.update.--update-monitor",
    values: &[("5s", "5s"), ("15s", "15s")],
    scenario: "
images: {shop/web:2: {exit: {after: 8s, code: 1}}}
script:
- docker service create --name web --replicas 3 --publish 80:80
    --update-failure-action rollback shop/web:1
- {as: update, run: docker service update --detach --image shop/web:2 web}
- wait: 90s
limits: {time: 3m}
",
};

const ORDER: Words = Words {
    question: "Which goes first, the end of the old task or the start of the new one?",
    given: "two replicas, one at a time; a new task needs four seconds until it \
            answers",
    lesson: "start-first misses nobody, and needs room for one more",
    setting: "--update-order",
    key: "script.update.--update-order",
    values: &[("stop-first", "stop-first"), ("start-first", "start-first")],
    scenario: "
images:
  shop/web:1: &web
    serves_after: 4s
    healthcheck: {interval: 1s, timeout: 1s, retries: 9}
  shop/web:2: *web
script:
- docker service create --name web --replicas 2 --publish 80:80 shop/web:1
- {as: update, run: docker service update --detach --image shop/web:2 web}
- wait: 60s
",
};

const RATIO: Words = Words {
    question: "How many failures are too many?",
    given: "four replicas, rollback on failure; the new version dies at once in \
            one of the four slots",
    lesson: "the ratio has to be exceeded: a quarter of four forgives one, less \
            does not",
    setting: "--update-max-failure-ratio",
    key: "script.update.--update-max-failure-ratio",
    values: &[("0", "0"), ("0.2", "0.2"), ("0.25", "0.25")],
    scenario: "
images: {shop/web:2: {exit: {after: 1s, code: 1}, only_slots: [2]}}
script:
- docker service create --name web --replicas 4 --publish 80:80
    --update-failure-action rollback shop/web:1
- {as: update, run: docker service update --detach --image shop/web:2 web}
- wait: 60s
limits: {time: 3m}
",
};

const HEALTH: Words = Words {
    question: "When does a new task run: with its process, or when it answers?",
    given: "two replicas, start-first; a new task needs eight seconds until it \
            answers",
    lesson: "without a health check the old task is stopped before the new one can \
            answer",
    setting: "health check",
    key: "images.shop/web:2.healthcheck",
    values: &[("none", "none"), ("every 1s", "{interval: 1s, timeout: 1s, retries: 20}")],
    scenario: "
images: {shop/web:2: {serves_after: 8s, healthcheck: none}}
script:
- docker service create --name web --replicas 2 --publish 80:80
    --update-order start-first shop/web:1
- {as: update, run: docker service update --detach --image shop/web:2 web}
- wait: 60s
",
};

impl Topic {
    /// Its words.
    pub const fn words(self) -> Words {
        match self {
            Topic::Parallelism => PARALLELISM,
            Topic::Delay => DELAY,
            Topic::Monitor => MONITOR,
            Topic::Order => ORDER,
            Topic::Ratio => RATIO,
            Topic::Health => HEALTH,
        }
    }

    /// Runs it with each of its values.
    ///
    /// # Panics
    /// A scenario of ours is not valid.
    pub fn show(self) -> Vec<Shown> {
        let words = self.words();
        let run = |(value, text): &(&'static str, &str)| {
            let whole = format!(
                "name: demo\nseed: 1\n{}traffic: [{{port: 80, every: 100ms}}]\n",
                words.scenario.trim_start()
            );
            let scenario = scenario::load_with(&whole, &[format!("{}={text}", words.key)]);
            let scenario = Arc::new(scenario.expect("the demos are valid"));
            let (records, footer) = Simulation::records(&scenario);
            let web =
                Metrics::of(&records, &footer).into_iter().next().expect("there is one service");
            let asked = records.iter().find(|record| is_update(record)).map(|record| record.at);
            let asked = asked.expect("the update is in the script");
            Shown { value, web, asked, scenario, records, footer }
        };
        words.values.iter().map(run).collect()
    }
}

fn is_update(record: &Record) -> bool {
    matches!(&record.fact, Fact::Command(CommandFact::Typed { line, .. })
        if line.starts_with("docker service update"))
}
