//! What changes between two stacks, and which tasks restart for it.
//!
//! The rule of restarts is the dirty test of the orchestrator itself
//! ([`crate::swarmkit::orchestrator::difference`]); fields are those of `docker service inspect`.

use std::collections::BTreeMap;

use crate::base::time::Span;
use crate::client::inspect;
use crate::client::json::Json;
use crate::swarmkit::defaults::UPDATE_CONFIG;
use crate::swarmkit::orchestrator::{Difference, difference};
use crate::swarmkit::spec::{ServiceSpec, UpdateConfig};

/// A service of the old stack, of the new one, or of both.
#[derive(Clone, PartialEq, Debug)]
pub struct Service {
    /// Its name in the cluster.
    pub name: String,
    /// Its key in the file.
    pub key: String,
    /// What happens to its tasks.
    pub restart: Restart,
    /// What differs; empty for a service that is created or left alone.
    pub fields: Vec<Field>,
    /// What is asked for; absent if the new file does not have it.
    pub new: Option<ServiceSpec>,
    /// What runs; absent if it is created.
    pub old: Option<ServiceSpec>,
}

impl Service {
    /// How its tasks are replaced, as far as that is said or the default.
    pub fn update(&self) -> UpdateConfig {
        self.new.as_ref().and_then(|spec| spec.update).unwrap_or(UPDATE_CONFIG)
    }

    /// What the change of one of its fields does. The dirty test looks at ports only where more
    /// than the placement differs, or nothing (semantics 3).
    pub fn effect(&self, field: &Field) -> &'static str {
        match field.part {
            Part::Endpoint if self.restart == Restart::Misplaced => {
                "hidden by the placement: only what restarts for that gets it"
            }
            part => part.effect(),
        }
    }

    /// Whether the deploy does nothing to it.
    pub fn is_left_alone(&self) -> bool {
        self.restart == Restart::None && self.fields.is_empty()
    }
}

/// What happens to the tasks of a service (semantics 3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Restart {
    /// Nothing: what differs, if anything, is no part of a task.
    None,
    /// Those on nodes that the new constraints do not allow are replaced; nothing else differs.
    Misplaced,
    /// All of them are replaced.
    All,
    /// There are none yet.
    Created,
    /// The service is not in the new file: without `--prune` it stays as it is.
    Left,
}

impl Restart {
    /// Its word in documents.
    pub fn word(self) -> &'static str {
        match self {
            Restart::None => "none",
            Restart::Misplaced => "misplaced",
            Restart::All => "all",
            Restart::Created => "created",
            Restart::Left => "left",
        }
    }
}

/// A field that differs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Field {
    /// Its dotted name, as in `docker service inspect`.
    pub name: String,
    /// Its effective value before, defaults filled in; absent if it has none.
    pub old: Option<String>,
    /// The same of the new spec.
    pub new: Option<String>,
    /// What it belongs to.
    pub part: Part,
}

impl Field {
    /// Whether it is said in one file only, and says what holds without it: a difference all the
    /// same, since specs are compared as they are stored.
    pub fn is_only_said(&self) -> bool {
        self.old == self.new
    }
}

/// What a field belongs to, and so what a change of it does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Part {
    /// What tasks are made from: all restart.
    Task,
    /// Ports and resolution: all restart.
    Endpoint,
    /// Where tasks may run: those restart that may not stay.
    Placement,
    /// How many: tasks are adds or removes at once, without parallelism and delay.
    Mode,
    /// How updates and rollbacks go, this one included: nothing restarts.
    Update,
    /// Labels of the service: nothing restarts.
    Labels,
}

impl Part {
    fn of(name: &str) -> Part {
        let begins = |part: &str| name.starts_with(part);
        if begins("TaskTemplate.Placement") {
            Part::Placement
        } else if begins("TaskTemplate") {
            Part::Task
        } else if begins("EndpointSpec") {
            Part::Endpoint
        } else if begins("Mode") {
            Part::Mode
        } else if begins("UpdateConfig") || begins("RollbackConfig") {
            Part::Update
        } else {
            Part::Labels
        }
    }

    /// What a change of it does.
    pub fn effect(self) -> &'static str {
        match self {
            Part::Task => "restarts all",
            Part::Endpoint => "restarts all",
            Part::Placement => "restarts what does not fit",
            Part::Mode => "adds or removes at once",
            Part::Update => "restarts none",
            Part::Labels => "restarts none",
        }
    }
}

/// The services of two stacks, by name. Each list holds pairs of a key and a spec.
pub fn changes(old: Vec<(String, ServiceSpec)>, new: Vec<(String, ServiceSpec)>) -> Vec<Service> {
    type Pair = (Option<ServiceSpec>, Option<ServiceSpec>);
    let mut pairs: BTreeMap<String, (String, Pair)> = BTreeMap::new();
    for (key, spec) in old {
        let name = spec.name.clone();
        pairs.entry(name).or_insert_with(|| (key, (None, None))).1.0 = Some(spec);
    }
    for (key, spec) in new {
        let name = spec.name.clone();
        pairs.entry(name).or_insert_with(|| (key, (None, None))).1.1 = Some(spec);
    }
    let service = |(name, (key, (old, new))): (String, (String, Pair))| {
        let (restart, fields) = match (&old, &new) {
            (Some(old), Some(new)) => (restart(old, new), fields(old, new)),
            (None, _) => (Restart::Created, Vec::new()),
            (Some(_), None) => (Restart::Left, Vec::new()),
        };
        Service { name, key, restart, fields, new, old }
    };
    pairs.into_iter().map(service).collect()
}

/// The dirty test for a task that runs.
fn restart(old: &ServiceSpec, new: &ServiceSpec) -> Restart {
    let other_endpoint = old.endpoint != new.endpoint;
    match difference(&new.task, &old.task) {
        Difference::Placement => Restart::Misplaced,
        Difference::Nothing | Difference::Credentials if !other_endpoint => Restart::None,
        Difference::Nothing | Difference::Credentials | Difference::Task => Restart::All,
    }
}

/// What differs in two specs: parts that restart tasks first.
fn fields(old: &ServiceSpec, new: &ServiceSpec) -> Vec<Field> {
    let as_said = (flat(&inspect::spec(old)), flat(&inspect::spec(new)));
    let effective = [old, new].map(|spec| flat(&inspect::spec(&inspect::with_defaults(spec))));
    let names = as_said.0.keys().chain(as_said.1.keys());
    let differ = names.filter(|name| as_said.0.get(*name) != as_said.1.get(*name));
    // The client keeps the image as it was written in a label, which says nothing new.
    let shown = differ.filter(|name| !name.starts_with("Labels.com.docker.stack."));
    let field = |name: &String| Field {
        name: name.clone(),
        old: effective[0].get(name).cloned(),
        new: effective[1].get(name).cloned(),
        part: Part::of(name),
    };
    let mut fields: Vec<Field> = shown.map(field).collect();
    // A part that is only said, and in which nothing else differs, is told by its name alone.
    fields.retain(|field| !(field.old.is_none() && field.new.is_none()));
    fields.sort_by(|a, b| (a.part, &a.name).cmp(&(b.part, &b.name)));
    fields.dedup();
    if fields.is_empty() && restart(old, new) != Restart::None {
        let order = |text: &str| Some(text.to_string());
        let (old, new) = (order("another order"), order("this order"));
        fields.push(Field { name: "TaskTemplate".to_string(), old, new, part: Part::Task });
    }
    fields
}

/// The leaves of a value by their dotted names.
fn flat(json: &Json) -> BTreeMap<String, String> {
    let mut leaves = BTreeMap::new();
    flatten(json, "", &mut leaves);
    leaves
}

fn flatten(json: &Json, name: &str, leaves: &mut BTreeMap<String, String>) {
    let below = |key: &str| if name.is_empty() { key.to_string() } else { format!("{name}.{key}") };
    match json {
        Json::Object(fields) => {
            for (key, value) in fields {
                flatten(value, &below(key), leaves);
            }
        }
        Json::Array(items) if items.iter().any(|item| !matches!(item, Json::Text(_))) => {
            for (place, item) in items.iter().enumerate() {
                flatten(item, &format!("{name}[{place}]"), leaves);
            }
        }
        Json::Array(items) if name.ends_with(".Env") => {
            for item in items {
                let Json::Text(text) = item else { continue };
                let (variable, value) = text.split_once('=').unwrap_or((text, ""));
                leaves.insert(below(variable), shown(&below(variable), &Json::text(value)));
            }
        }
        leaf => drop(leaves.insert(name.to_string(), shown(name, leaf))),
    }
}

/// A value for people: times and sizes with units.
fn shown(name: &str, value: &Json) -> String {
    const TIMES: [&str; 9] = [
        "Delay",
        "Monitor",
        "StopGracePeriod",
        "Interval",
        "Timeout",
        "StartPeriod",
        "StartInterval",
        "Window",
        "RestartDelay",
    ];
    let last = name.rsplit('.').next().unwrap_or(name);
    match value {
        Json::Text(text) => text.clone(),
        Json::Number(number) => match (last, number.parse::<i64>()) {
            (time, Ok(ns)) if TIMES.contains(&time) => Span(ns).to_string(),
            ("NanoCPUs", Ok(nano)) => cpus(nano),
            ("MemoryBytes", Ok(bytes)) => memory(bytes),
            _ => number.clone(),
        },
        other => other.on_one_line(),
    }
}

/// Billionths of a processor as a decimal number.
pub fn cpus(nano: i64) -> String {
    let text = format!("{}.{:09}", nano / 1_000_000_000, nano % 1_000_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_string()
}

/// Bytes in the largest unit that divides them.
pub fn memory(bytes: i64) -> String {
    let units = [(30, "GiB"), (20, "MiB"), (10, "KiB")];
    let fits = units.into_iter().find(|(bits, _)| bytes != 0 && bytes % (1 << bits) == 0);
    match fits {
        Some((bits, unit)) => format!("{} {unit}", bytes >> bits),
        None => format!("{bytes} B"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::swarmkit::spec::{
        EndpointSpec, Mode, Placement, PortConfig, Protocol, PublishMode, RestartPolicy,
        TaskTemplate,
    };

    fn spec() -> ServiceSpec {
        let mut task = TaskTemplate::default();
        task.container.image = "app:1".into();
        task.container.env = vec!["A=1".into()];
        ServiceSpec {
            name: "web".into(),
            labels: BTreeMap::new(),
            task,
            mode: Mode::Replicated { replicas: 2 },
            update: None,
            rollback: None,
            endpoint: None,
        }
    }

    fn changed(change: impl FnOnce(&mut ServiceSpec)) -> (Restart, Vec<String>) {
        let mut new = spec();
        change(&mut new);
        let told = changes(vec![("web".into(), spec())], vec![("web".into(), new)]).remove(0);
        let shown = |value: &Option<String>| value.clone().unwrap_or("-".into());
        let line =
            |field: &Field| format!("{} {} → {}", field.name, shown(&field.old), shown(&field.new));
        (told.restart, told.fields.iter().map(line).collect())
    }

    type Change = fn(&mut ServiceSpec);

    /// Each kind of change with what the table of semantics 3 says of it.
    const TABLE: &[(Change, Restart, &[&str])] = &[
        (|_| {}, Restart::None, &[]),
        (
            |s| s.task.container.image = "app:2".into(),
            Restart::All,
            &["TaskTemplate.ContainerSpec.Image app:1 → app:2"],
        ),
        (
            |s| s.task.container.env = vec!["A=2".into(), "B=x=y".into()],
            Restart::All,
            &["TaskTemplate.ContainerSpec.Env.A 1 → 2", "TaskTemplate.ContainerSpec.Env.B - → x=y"],
        ),
        (
            |s| s.mode = Mode::Replicated { replicas: 5 },
            Restart::None,
            &["Mode.Replicated.Replicas 2 → 5"],
        ),
        (
            |s| s.labels = [("a".to_string(), "b".to_string())].into(),
            Restart::None,
            &["Labels.a - → b"],
        ),
        (
            |s| {
                let delay = Span::from_secs(7);
                s.update = Some(UpdateConfig { delay, ..UPDATE_CONFIG });
            },
            Restart::None,
            &["UpdateConfig.Delay - → 7s"],
        ),
        (
            |s| {
                let constraints = vec!["node.role==worker".to_string()];
                s.task.placement = Some(Placement { constraints, ..Placement::default() });
            },
            Restart::Misplaced,
            &["TaskTemplate.Placement.Constraints - → [\"node.role==worker\"]"],
        ),
        (
            |s| {
                s.endpoint = Some(EndpointSpec {
                    ports: vec![PortConfig {
                        published: 80,
                        target: 8080,
                        protocol: Protocol::Tcp,
                        publish_mode: PublishMode::Ingress,
                    }],
                    ..EndpointSpec::default()
                });
            },
            Restart::All,
            &[
                "EndpointSpec.Ports[0].Protocol - → tcp",
                "EndpointSpec.Ports[0].PublishMode - → ingress",
                "EndpointSpec.Ports[0].PublishedPort - → 80",
                "EndpointSpec.Ports[0].TargetPort - → 8080",
            ],
        ),
        (
            |s| s.task.container.stop_grace_period = Some(Span::from_secs(10)),
            Restart::All,
            &["TaskTemplate.ContainerSpec.StopGracePeriod 10s → 10s"],
        ),
    ];

    #[test]
    fn changes_restart_what_the_dirty_test_says() {
        for (number, (change, restart, fields)) in TABLE.iter().enumerate() {
            let told = changed(change);
            assert_eq!(told.0, *restart, "{number}: {:?}", told.1);
            // What comes with a part that was absent is told as well.
            for field in *fields {
                assert!(told.1.iter().any(|line| line == field), "{number}: {:?}", told.1);
            }
            assert_eq!(told.1.is_empty(), fields.is_empty(), "{number}: {:?}", told.1);
        }
    }

    /// Upstream's test asks for the endpoint only after it has found that not the placement alone
    /// differs in the template.
    #[test]
    fn a_placement_change_hides_a_port_change() {
        let port = |s: &mut ServiceSpec, published: u32| {
            let ports = vec![PortConfig {
                published,
                target: 8080,
                protocol: Protocol::Tcp,
                publish_mode: PublishMode::Ingress,
            }];
            s.endpoint = Some(EndpointSpec { ports, ..EndpointSpec::default() });
        };
        let (mut old, mut new) = (spec(), spec());
        port(&mut old, 80);
        port(&mut new, 81);
        let of = |old: &ServiceSpec, new: &ServiceSpec| {
            let pairs = |spec: &ServiceSpec| vec![("web".to_string(), spec.clone())];
            let told = changes(pairs(old), pairs(new)).remove(0);
            let field = told.fields.iter().find(|field| field.part == Part::Endpoint);
            (told.restart, told.effect(field.expect("the port differs")))
        };
        assert_eq!(of(&old, &new), (Restart::All, "restarts all"));
        let constraints = vec!["node.role==worker".to_string()];
        new.task.placement = Some(Placement { constraints, ..Placement::default() });
        let hidden = "hidden by the placement: only what restarts for that gets it";
        assert_eq!(of(&old, &new), (Restart::Misplaced, hidden));
        new.task.container.image = "app:2".into();
        assert_eq!(of(&old, &new), (Restart::All, "restarts all"));
    }

    #[test]
    fn a_policy_that_says_the_default_is_told_as_only_said() {
        let mut new = spec();
        new.task.restart =
            Some(RestartPolicy { delay: Some(Span::from_secs(5)), ..RestartPolicy::default() });
        let told = changes(vec![("web".into(), spec())], vec![("web".into(), new)]).remove(0);
        assert_eq!(told.restart, Restart::All);
        assert!(!told.fields.is_empty() && told.fields.iter().all(Field::is_only_said));
    }

    #[test]
    fn services_come_and_go() {
        let two = || {
            let mut spec = spec();
            spec.name = "two".into();
            spec
        };
        let told = changes(vec![("web".into(), spec())], vec![("two".into(), two())]);
        let words: Vec<_> = told.iter().map(|s| (s.name.as_str(), s.restart)).collect();
        assert_eq!(words, [("two", Restart::Created), ("web", Restart::Left)]);
    }

    #[test]
    fn amounts_have_units() {
        assert_eq!([cpus(500_000_000), cpus(2_000_000_000), cpus(0)], ["0.5", "2", "0"]);
        assert_eq!([memory(128 << 20), memory(1000), memory(0)], ["128 MiB", "1000 B", "0 B"]);
    }
}
