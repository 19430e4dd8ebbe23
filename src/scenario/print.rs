//! A model written back as text: the effective scenario, with every default spelled out.
//!
//! Read again it gives the same model (without places in the file), which a test holds for any
//! model that passes the checks. Equal models have equal texts.

use std::collections::BTreeMap;

use crate::base::dist::Quantity;
use crate::base::time::Span;
use crate::docker::behaviour::{
    Command, CrashRate, Health, Image, LatencyChanges, Presence, Sigterm,
};
use crate::scenario::expect::Expect;
use crate::scenario::json::{list, map, plain, text};
use crate::scenario::lower::cluster::ENGINES;
use crate::scenario::lower::traffic::told_by_default;
use crate::scenario::model::{
    Action, Arrivals, Cluster, Curl, Limits, Node, Scenario, Step, Target, Told, Traffic, Wait,
};
use crate::scenario::syntax::{Entry, Tree, Value};
use crate::swarmkit::spec::HealthConfig;

mod claims;
mod faults;

impl Scenario {
    /// The scenario as JSON on one line, keys in the order of the reference. JSON is YAML: it can
    /// be read as a scenario file.
    pub fn to_json(&self) -> String {
        self.to_tree().to_json()
    }

    /// The same as a tree.
    pub fn to_tree(&self) -> Tree {
        map([
            ("name", Some(text(&self.name))),
            ("question", Some(text(&self.question))),
            ("seed", Some(plain(self.seed))),
            ("cluster", Some(cluster(&self.cluster))),
            ("images", Some(map(self.images.iter().map(|(k, image)| (k, Some(describe(image))))))),
            ("environment", texts(&self.environment)),
            ("files", texts(&self.files)),
            ("script", Some(list(self.script.iter().map(step)))),
            ("traffic", many(self.traffic.iter().map(traffic).collect())),
            ("faults", many(self.faults.iter().map(faults::fault).collect())),
            ("expect", many(self.expect.iter().map(claims::expect).collect())),
            ("watch", Some(span(self.watch))),
            ("limits", Some(limits(&self.limits))),
        ])
    }
}

impl Scenario {
    /// An expectation of this scenario in the words of scenario files, on one line.
    pub fn expectation(&self, expect: &Expect) -> String {
        let Value::Map(mut entries) = claims::expect(expect).value else { return String::new() };
        // Steps by their names, where they have one.
        for entry in &mut entries {
            let number = entry.value.text().parse::<usize>().ok();
            let step = number.and_then(|number| self.script.get(number.checked_sub(1)?));
            let is_step = ["since", "after", "step"].contains(&entry.key.as_str());
            if let Some(label) = step.filter(|_| is_step).and_then(|step| step.label.as_ref()) {
                entry.value = text(label);
            }
        }
        let words = |entry: Entry| match entry.value.value {
            Value::Scalar(scalar) => format!("{}: {}", entry.key, scalar.text.escape_debug()),
            _ => format!("{}: {}", entry.key, entry.value.to_json()),
        };
        let words: Vec<String> =
            entries.into_iter().filter(|entry| !entry.value.is_null()).map(words).collect();
        words.join(", ")
    }
}

fn many(items: Vec<Tree>) -> Option<Tree> {
    (!items.is_empty()).then(|| list(items))
}

fn texts(texts: &BTreeMap<String, String>) -> Option<Tree> {
    let some = !texts.is_empty();
    some.then(|| map(texts.iter().map(|(key, value)| (key, Some(text(value))))))
}

fn span(value: Span) -> Tree {
    text(value.to_string())
}

fn quantity(value: &Quantity) -> Tree {
    match value {
        Quantity::Fixed(value) => span(*value),
        Quantity::Uniform(low, high) => map([("uniform", Some(list([span(*low), span(*high)])))]),
        Quantity::Quantiles(values) => map([("quantiles", Some(list(values.map(span))))]),
    }
}

fn names<'a>(names: impl IntoIterator<Item = &'a String>) -> Option<Tree> {
    many(names.into_iter().map(text).collect())
}

fn cluster(cluster: &Cluster) -> Tree {
    let engine = ENGINES.iter().find(|(_, engine)| *engine == cluster.engine);
    map([
        ("engine", engine.map(|(word, _)| text(*word))),
        ("nodes", Some(list(cluster.nodes.iter().map(node)))),
        ("latency", latency(&cluster.latency)),
        ("task_history_limit", Some(plain(cluster.task_history_limit))),
        ("request", Some(quantity(&cluster.request))),
        ("commit_hop", Some(span(cluster.commit_hop))),
        ("networks", names(&cluster.networks)),
        ("secrets", names(&cluster.secrets)),
        ("configs", names(&cluster.configs)),
    ])
}

fn node(node: &Node) -> Tree {
    let labels = || map(node.labels.iter().map(|(key, value)| (key, Some(text(value)))));
    map([
        ("name", Some(text(&node.name))),
        ("role", Some(text(if node.manager { "manager" } else { "worker" }))),
        ("labels", (!node.labels.is_empty()).then(labels)),
        ("cpus", Some(cpus(node.cpus))),
        ("memory", Some(text(format!("{}b", node.memory)))),
        ("availability", Some(text(node.availability.word()))),
        ("latency", latency(&node.latency)),
    ])
}

/// Billionths as a decimal number.
fn cpus(nano: i64) -> Tree {
    let (whole, rest) = (nano / 1_000_000_000, nano % 1_000_000_000);
    if rest == 0 {
        return plain(whole);
    }
    text(format!("{whole}.{rest:09}").trim_end_matches('0'))
}

fn latency(changes: &LatencyChanges) -> Option<Tree> {
    let fields = [
        ("accept", &changes.accept),
        ("prepare", &changes.prepare),
        ("pull", &changes.pull),
        ("start", &changes.start),
        ("start_each_other", &changes.start_each_other),
        ("stop", &changes.stop),
        ("cleanup", &changes.cleanup),
        ("signal", &changes.signal),
        ("unhealthy_signal", &changes.unhealthy_signal),
        ("probe", &changes.probe),
    ];
    let any = fields.iter().any(|(_, value)| value.is_some());
    any.then(|| map(fields.map(|(key, value)| (key, value.as_ref().map(quantity)))))
}

fn describe(image: &Image) -> Tree {
    let exit = image
        .exit
        .map(|exit| map([("after", Some(span(exit.after))), ("code", Some(plain(exit.code)))]));
    let sigterm = match image.sigterm {
        Sigterm::Ignored => text("ignored"),
        Sigterm::Exits { after, code } => {
            map([("exits_after", Some(span(after))), ("code", Some(plain(code)))])
        }
    };
    let slots = image.only_slots.as_ref().map(|slots| list(slots.iter().map(plain)));
    map([
        ("present", Some(presence(&image.present))),
        ("healthcheck", image.healthcheck.as_ref().map(healthcheck)),
        ("serves_after", Some(span(image.serves_after))),
        ("health", Some(health(&image.health))),
        ("exit", exit),
        ("sigterm", Some(sigterm)),
        (
            "command",
            Some(text(match image.command {
                Command::Ok => "ok",
                Command::NotFound => "not_found",
            })),
        ),
        ("only_slots", slots),
        ("crash_rate", image.crash_rate.map(crash_rate)),
        ("latency", latency(&image.latency)),
    ])
}

fn presence(presence: &Presence) -> Tree {
    match presence {
        Presence::Everywhere => plain(true),
        Presence::Nowhere => plain(false),
        Presence::Nodes(nodes) => map(nodes.iter().map(|(name, has)| (name, Some(plain(has))))),
    }
}

fn healthcheck(health: &HealthConfig) -> Tree {
    map([
        ("test", Some(list(health.test.iter().map(text)))),
        ("interval", Some(span(health.interval))),
        ("timeout", Some(span(health.timeout))),
        ("start_period", Some(span(health.start_period))),
        ("start_interval", Some(span(health.start_interval))),
        ("retries", (health.retries != 0).then(|| plain(health.retries))),
    ])
}

fn health(health: &Health) -> Tree {
    match health {
        Health::Ok => text("ok"),
        Health::Fail => text("fail"),
        Health::Hang => text("hang"),
        Health::OkUntil(until) => map([("ok_until", Some(span(*until)))]),
        Health::Pattern(answers) => {
            let pattern: String =
                answers.iter().map(|good| if *good { '1' } else { '0' }).collect();
            map([("pattern", Some(text(pattern)))])
        }
    }
}

fn crash_rate(rate: CrashRate) -> Tree {
    map([("mean", Some(span(rate.mean))), ("code", Some(plain(rate.code)))])
}

fn step(step: &Step) -> Tree {
    let (run, wait) = match &step.action {
        Action::Docker(line) => (Some(text(&**line.text())), None),
        Action::Curl(Curl { url, times, .. }) => (Some(text(format!("curl {url} x{times}"))), None),
        Action::Wait { until, service } => (None, Some(wait(until, service.as_deref()))),
    };
    map([
        ("as", step.label.as_ref().map(text)),
        ("at", step.at.map(span)),
        ("run", run),
        ("wait", wait),
    ])
}

fn wait(until: &Wait, service: Option<&str>) -> Tree {
    let (key, value) = match until {
        Wait::Converged => ("until", text("converged")),
        Wait::UpdateDone => ("until", text("update-done")),
        Wait::UpdateState(states) => ("state", list(states.iter().map(|s| text(s.word())))),
        Wait::For(time) => return span(*time),
        Wait::Settled(time) => ("settled", span(*time)),
    };
    map([(key, Some(value)), ("service", service.map(text))])
}

fn traffic(traffic: &Traffic) -> Tree {
    let (port, service) = match &traffic.target {
        Target::Port(port) => (Some(plain(port)), None),
        Target::Service(name) => (None, Some(text(name))),
    };
    let told = match traffic.told {
        Told::Each => "each",
        Told::EachSecond => "each-second",
    };
    map([
        ("port", port),
        ("service", service),
        ("every", Some(span(traffic.every))),
        ("arrivals", (traffic.arrivals == Arrivals::Random).then(|| text("random"))),
        ("connections", (traffic.connections > 0).then(|| plain(traffic.connections))),
        ("takes", (traffic.takes > Span::ZERO).then(|| span(traffic.takes))),
        ("told", (traffic.told != told_by_default(traffic.every)).then(|| text(told))),
        ("node", traffic.node.as_ref().map(text)),
        ("from", traffic.from.map(span)),
        ("until", traffic.until.map(span)),
    ])
}

fn limits(limits: &Limits) -> Tree {
    map([
        ("time", Some(span(limits.time))),
        ("events", Some(plain(limits.events))),
        ("tasks", Some(plain(limits.tasks))),
        ("per_instant", Some(plain(limits.per_instant))),
    ])
}

#[cfg(test)]
mod tests;
