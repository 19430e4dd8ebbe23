//! The checked scenario: what is simulated, what is done, what goes wrong, and what is asked for.
//!
//! Plain data that code can build as well as a file. It knows nothing of text; `lower` makes it
//! from a file, `print` writes it back. The language is described in `docs/scenario.md`.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::dist::Quantity;
use crate::base::time::Span;
use crate::client::line::CommandLine;
use crate::docker::behaviour::{Engine, Image, LatencyChanges};
use crate::scenario::expect::Expect;
use crate::scenario::fault::Fault;
use crate::swarmkit::defaults;
use crate::swarmkit::task::{Availability, UpdateState};

/// A scenario.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Scenario {
    /// Its name.
    pub name: String,
    /// What it is to find out, in a sentence. May be empty.
    pub question: String,
    /// From which every draw comes.
    pub seed: u64,
    /// Where it runs.
    pub cluster: Cluster,
    /// How the software behaves, by image name as [`image_key`] writes it. See [`Scenario::image`].
    pub images: BTreeMap<String, Image>,
    /// Values of variables in Compose files.
    pub environment: BTreeMap<String, String>,
    /// Texts of the files that commands read, by path.
    pub files: BTreeMap<String, String>,
    /// What is done, in order.
    pub script: Vec<Step>,
    /// Requests that are made all the time.
    pub traffic: Vec<Traffic>,
    /// What goes wrong.
    pub faults: Vec<Fault>,
    /// What is claimed about the run.
    pub expect: Vec<Expect>,
    /// How long the run goes on after its script is done.
    pub watch: Span,
    /// When it is given up.
    pub limits: Limits,
}

impl Default for Scenario {
    fn default() -> Self {
        Scenario {
            name: String::new(),
            question: String::new(),
            seed: 0,
            cluster: Cluster::default(),
            images: BTreeMap::new(),
            environment: BTreeMap::new(),
            files: BTreeMap::new(),
            script: Vec::new(),
            traffic: Vec::new(),
            faults: Vec::new(),
            expect: Vec::new(),
            watch: DEFAULT_WATCH,
            limits: Limits::default(),
        }
    }
}

/// How long a run goes on after its script is done, where the file does not say (product, section
/// 4).
pub const DEFAULT_WATCH: Span = Span::from_secs(30);

impl Scenario {
    /// Whether what commands read is the same.
    pub fn has_files_of(&self, other: &Scenario) -> bool {
        (&self.files, &self.environment) == (&other.files, &other.environment)
    }

    /// The behaviour of the image of a reference, whatever digest or registry prefix it was given;
    /// an image that is not described behaves well and takes no time of its own.
    pub fn image(&self, reference: &str) -> Image {
        self.images.get(&image_key(reference)).cloned().unwrap_or_default()
    }

    /// The label of a step, if it has one.
    pub fn label(&self, step: StepNo) -> Option<&str> {
        self.script.get(step.0 as usize)?.label.as_deref()
    }

    /// The number of a step, by its label.
    pub fn step(&self, label: &str) -> Option<StepNo> {
        let place = self.script.iter().position(|step| step.label.as_deref() == Some(label))?;
        Some(StepNo(place as u32))
    }

    /// The same without the places in the file, which a printed scenario does not have.
    #[must_use]
    pub fn without_places(mut self) -> Scenario {
        self.script.iter_mut().for_each(|step| step.line = 0);
        self.traffic.iter_mut().for_each(|traffic| traffic.line = 0);
        self.faults.iter_mut().for_each(|fault| fault.line = 0);
        self.expect.iter_mut().for_each(|expect| expect.line = 0);
        self
    }
}

/// The name under which an image is kept: without digest and without the parts of a reference that
/// stand for Docker Hub, with the tag that is meant where none is given.
///
/// ```
/// use swarmsim::scenario::model::image_key;
/// assert_eq!(image_key("docker.io/library/nginx@sha256:00ff"), "nginx:latest");
/// assert_eq!(image_key("lucj/whoami:2.0"), "lucj/whoami:2.0");
/// assert_eq!(image_key("host:5000/app"), "host:5000/app:latest");
/// ```
pub fn image_key(reference: &str) -> String {
    let name = reference.split_once('@').map_or(reference, |(name, _)| name);
    let name = name.strip_prefix("docker.io/").unwrap_or(name);
    let name = name.strip_prefix("library/").unwrap_or(name);
    let last = name.rsplit('/').next().unwrap_or(name);
    if last.contains(':') { name.to_string() } else { format!("{name}:latest") }
}

/// The machines and what is the same for all of them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cluster {
    /// What they run.
    pub engine: Engine,
    /// The machines, at least one of them a manager. Names are unique.
    pub nodes: Vec<Node>,
    /// How long things take on all nodes, where it differs from what was measured.
    pub latency: LatencyChanges,
    /// Tasks kept per slot, the live one included; negative = all of them.
    pub task_history_limit: i64,
    /// From a command to the manager's commit of what it asks for.
    pub request: Quantity,
    /// From a commit to those who watch the store.
    pub commit_hop: Span,
    /// Overlay networks that exist at the start.
    pub networks: BTreeSet<String>,
    /// Secrets that exist at the start.
    pub secrets: BTreeSet<String>,
    /// Configs that exist at the start.
    pub configs: BTreeSet<String>,
}

/// From a command to the change in the store: quantiles of the recordings' calibration table, row
/// "command issued -> service change committed".
pub const REQUEST: Quantity = Quantity::quantiles_ms([11, 13, 15, 22, 50]);

/// From a commit to the watchers of the store (design decisions 1.1): one hop between goroutines.
pub const COMMIT_HOP: Span = Span::from_ms(1);

impl Default for Cluster {
    fn default() -> Self {
        Cluster {
            engine: Engine::default(),
            nodes: Cluster::numbered(1),
            latency: LatencyChanges::default(),
            task_history_limit: defaults::TASK_HISTORY_LIMIT,
            request: REQUEST,
            commit_hop: COMMIT_HOP,
            networks: BTreeSet::new(),
            secrets: BTreeSet::new(),
            configs: BTreeSet::new(),
        }
    }
}

impl Cluster {
    /// That many ordinary nodes, `node-1` and so on; the first is the manager.
    pub fn numbered(count: u32) -> Vec<Node> {
        let node = |n| Node { manager: n == 1, ..Node::new(&format!("node-{n}")) };
        (1..=count).map(node).collect()
    }
}

/// A machine.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Node {
    /// Unique name.
    pub name: String,
    /// Whether it is a manager.
    pub manager: bool,
    /// Its labels in the cluster.
    pub labels: BTreeMap<String, String>,
    /// Processors, in billionths of one.
    pub cpus: i64,
    /// Memory in bytes.
    pub memory: i64,
    /// What the operator lets it do at the start.
    pub availability: Availability,
    /// How long things take here, where it differs from the cluster.
    pub latency: LatencyChanges,
}

impl Node {
    /// An ordinary worker: 4 processors, 8 GiB.
    pub fn new(name: &str) -> Node {
        Node {
            name: name.to_string(),
            manager: false,
            labels: BTreeMap::new(),
            cpus: 4_000_000_000,
            memory: 8 << 30,
            availability: Availability::Active,
            latency: LatencyChanges::default(),
        }
    }
}

/// The place of a step in the script, counted from 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub struct StepNo(pub u32);

/// Something the script does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step {
    /// Line in the file, counted from 1; 0 = it comes from no file.
    pub line: u32,
    /// By which expectations refer to it; unique.
    pub label: Option<String>,
    /// If given, it is typed in a second terminal at that moment of the run, whatever the first
    /// does.
    pub at: Option<Span>,
    /// What.
    pub action: Action,
}

impl Step {
    /// A step of the first terminal, without label and place.
    pub fn new(action: Action) -> Step {
        Step { line: 0, label: None, at: None, action }
    }

    /// A docker command line of the first terminal.
    pub fn docker(line: &str) -> Step {
        Step::new(Action::Docker(CommandLine::new(line)))
    }
}

/// What a step does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action {
    /// Types a docker command line, starting with `docker service`, `docker node` or
    /// `docker stack`.
    Docker(CommandLine),
    /// Makes requests to a published port, one after another.
    Curl(Curl),
    /// Waits.
    Wait {
        /// For what.
        until: Wait,
        /// Of that service only; absent = of all services. Not with [`Wait::For`].
        service: Option<String>,
    },
}

/// Requests to a published port.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Curl {
    /// As written: `http://HOST:PORT/path`.
    pub url: String,
    /// The port.
    pub port: u16,
    /// The node that is asked, if the host is a node's name; else the first node.
    pub node: Option<String>,
    /// How many requests.
    pub times: u32,
}

/// What a waiting step waits for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Wait {
    /// Until the docker client would print `Service converged`.
    Converged,
    /// Until the update status is one that ends: paused, completed, rolled back or rollback paused.
    UpdateDone,
    /// Until the update status is one of these. Never empty.
    UpdateState(Vec<UpdateState>),
    /// That long.
    For(Span),
    /// Until no task is in transition, no update runs and nothing has changed for that long.
    Settled(Span),
}

/// A source of requests, from the start of the run or of a part of it (semantics 13).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Traffic {
    /// Line in the file; 0 = none.
    pub line: u32,
    /// Whom it asks.
    pub target: Target,
    /// Time between two requests, or its mean; positive.
    pub every: Span,
    /// How they follow one another.
    pub arrivals: Arrivals,
    /// Connections that are kept and used in turn; 0 = each request makes one of its own.
    pub connections: u32,
    /// How long an answer takes.
    pub takes: Span,
    /// How they are told.
    pub told: Told,
    /// The node that is asked, or from which is asked by name; absent = all nodes in turn.
    pub node: Option<String>,
    /// First request; absent = when a service first publishes the port and has converged.
    pub from: Option<Span>,
    /// No request from then on; absent = until the run ends.
    pub until: Option<Span>,
}

/// Whom requests ask.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Target {
    /// A published port of a node.
    Port(u16),
    /// A service, by its name from within the cluster.
    Service(String),
}

/// How requests follow one another. Nothing waits for an answer: the loop is open.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Arrivals {
    /// At the same distance.
    Steady,
    /// At random: the distance is exponential, drawn for each.
    Random,
}

/// How requests are told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Told {
    /// Each by itself, with the task that answered.
    Each,
    /// As numbers, second by second.
    EachSecond,
}

/// When a run is given up. Reaching a limit is an outcome of its own, never a hang.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Virtual time: one hour, since the exercises take minutes and a careful roll-out of a large
    /// service an hour; a crash loop would go on for ever.
    pub time: Span,
    /// Events: 50 million, about half a minute of work, 500 times what an ordinary run needs.
    pub events: u64,
    /// Tasks ever created: one million, the largest cluster that the simulator is measured with.
    pub tasks: u64,
    /// Events of one instant: 100 000. More means that two loops answer one another without time
    /// passing.
    pub per_instant: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            time: Span::from_secs(3600),
            events: 50_000_000,
            tasks: 1_000_000,
            per_instant: 100_000,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_found_by_any_name_of_theirs() {
        let mut scenario = Scenario::default();
        let image = Image { serves_after: Span::from_secs(3), ..Image::default() };
        scenario.images.insert("instavote/vote:latest".to_string(), image.clone());
        for name in
            ["instavote/vote", "instavote/vote:latest@sha256:12", "docker.io/instavote/vote"]
        {
            assert_eq!(scenario.image(name), image, "{name}");
        }
        assert_eq!(scenario.image("instavote/vote:indent"), Image::default());
    }

    #[test]
    fn the_first_of_the_numbered_nodes_is_the_manager() {
        let names: Vec<(String, bool)> =
            Cluster::numbered(2).into_iter().map(|node| (node.name, node.manager)).collect();
        assert_eq!(names, [("node-1".to_string(), true), ("node-2".to_string(), false)]);
    }
}
