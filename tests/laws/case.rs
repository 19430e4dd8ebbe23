//! A random scenario: typed values, and the file that a person can read and run.

use std::fmt;

/// A whole scenario.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) seed: u64,
    pub(crate) engine: &'static str,
    /// Tasks kept per slot, where it is not the default.
    pub(crate) history: Option<i8>,
    pub(crate) nodes: Vec<Node>,
    /// Images `app:1`, `app:2` and so on; never empty.
    pub(crate) images: Vec<Image>,
    /// Services `s1`, `s2` and so on, created in this order; never empty.
    pub(crate) services: Vec<Service>,
    pub(crate) script: Vec<Step>,
    pub(crate) faults: Vec<Fault>,
    /// Whether requests are made.
    pub(crate) traffic: bool,
}

/// Milliseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Ms(pub(crate) u32);

impl fmt::Display for Ms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_multiple_of(1_000) {
            write!(f, "{}s", self.0 / 1_000)
        } else {
            write!(f, "{}ms", self.0)
        }
    }
}

/// A machine.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) manager: bool,
    pub(crate) availability: &'static str,
    pub(crate) zone: Option<&'static str>,
    pub(crate) cpus: u8,
}

/// How the software in an image behaves.
#[derive(Clone, Debug)]
pub(crate) struct Image {
    /// Words of the image's own: whole entries such as `health: fail`.
    pub(crate) words: Vec<String>,
}

/// A service as created.
#[derive(Clone, Debug)]
pub(crate) struct Service {
    pub(crate) mode: Mode,
    pub(crate) replicas: u8,
    pub(crate) image: u8,
    pub(crate) attached: bool,
    pub(crate) flags: Vec<Flag>,
}

/// How many tasks a service has, and whether they are to end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Mode {
    Replicated,
    Global,
    /// As many at a time, where it is not all.
    ReplicatedJob(Option<u8>),
    GlobalJob,
}

/// A flag of `create` and, mostly under another name, of `update`.
#[derive(Clone, Debug)]
pub(crate) struct Flag {
    pub(crate) create: &'static str,
    pub(crate) update: &'static str,
    pub(crate) value: String,
}

/// A step of the script.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    /// When it is typed in the second terminal, if it is.
    pub(crate) at: Option<Ms>,
    pub(crate) what: What,
}

/// What a step does. Services and nodes are counted modulo how many there are.
#[derive(Clone, Debug)]
pub(crate) enum What {
    Wait(Wait),
    Update { service: u8, image: Option<u8>, attached: bool, flags: Vec<Flag>, force: bool },
    Scale { service: u8, replicas: u8, attached: bool },
    Rollback { service: u8, attached: bool },
    Node { node: u8, flag: &'static str },
    RemoveNode { node: u8 },
    Remove { service: u8 },
    CreateAgain { service: u8 },
    Look { service: u8, command: &'static str },
}

/// What the script waits for.
#[derive(Clone, Debug)]
pub(crate) enum Wait {
    For(Ms),
    Until(&'static str),
    Settled(Ms),
}

/// Something that goes wrong.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    pub(crate) at: Ms,
    /// How long, where it can end.
    pub(crate) lasts: Option<Ms>,
    pub(crate) what: Trouble,
}

/// What goes wrong.
#[derive(Clone, Debug)]
pub(crate) enum Trouble {
    Node(u8, &'static str),
    Service(u8, Option<u8>, &'static str),
    Image(u8, &'static str),
    Registry,
    Leader,
}

/// A number from 1 on, of something counted modulo how many there are.
fn nth<T>(number: u8, of: &[T]) -> usize {
    usize::from(number) % of.len() + 1
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "name: laws\nseed: {}\ncluster:\n  engine: {}", self.seed, self.engine)?;
        if let Some(limit) = self.history {
            writeln!(f, "  task_history_limit: {limit}")?;
        }
        writeln!(f, "  nodes:")?;
        for (index, node) in self.nodes.iter().enumerate() {
            writeln!(f, "    - {{{}}}", node.words(index).join(", "))?;
        }
        writeln!(f, "images:")?;
        for (index, image) in self.images.iter().enumerate() {
            writeln!(f, "  app:{}: {{{}}}", index + 1, image.words.join(", "))?;
        }
        writeln!(f, "script:")?;
        for index in 0..self.services.len() {
            writeln!(f, "  - {}", self.create(index))?;
        }
        for step in &self.script {
            self.step(f, step)?;
        }
        if self.traffic {
            writeln!(f, "traffic:\n  - {{port: 8001, every: 700ms, takes: 300ms}}")?;
        }
        if !self.faults.is_empty() {
            writeln!(f, "faults:")?;
        }
        for fault in &self.faults {
            self.fault(f, fault)?;
        }
        writeln!(f, "watch: 10s\nlimits: {{time: 5m, tasks: 300, events: 2000000}}")
    }
}

impl Node {
    fn words(&self, index: usize) -> Vec<String> {
        let mut words = vec![format!("name: node-{}", index + 1)];
        if self.manager || index == 0 {
            words.push("role: manager".to_string());
        }
        if self.availability != "active" {
            words.push(format!("availability: {}", self.availability));
        }
        words.extend(self.zone.map(|zone| format!("labels: {{zone: {zone}}}")));
        if self.cpus != 4 {
            words.push(format!("cpus: {}", self.cpus));
        }
        words
    }
}

impl Mode {
    /// Whether a service of this mode can be created with a flag. A job is not rolled out.
    fn takes(self, flag: &str) -> bool {
        let job = matches!(self, Mode::ReplicatedJob(_) | Mode::GlobalJob);
        let rolls = flag.starts_with("--update-") || flag.starts_with("--rollback-");
        !(flag.is_empty() || job && rolls)
    }
}

impl Case {
    fn create(&self, index: usize) -> String {
        let service = &self.services[index];
        let mut words = vec![format!("docker service create --name s{}", index + 1)];
        match service.mode {
            Mode::Replicated => {}
            Mode::Global => words.push("--mode global".to_string()),
            Mode::ReplicatedJob(at_once) => {
                words.push("--mode replicated-job".to_string());
                words.extend(at_once.map(|at_once| format!("--max-concurrent {at_once}")));
            }
            Mode::GlobalJob => words.push("--mode global-job".to_string()),
        }
        let counted = matches!(service.mode, Mode::Replicated | Mode::ReplicatedJob(_));
        if counted && service.replicas != 1 {
            words.push(format!("--replicas {}", service.replicas));
        }
        let flags = service.flags.iter().filter(|flag| service.mode.takes(flag.create));
        words.extend(flags.map(|flag| format!("{} {}", flag.create, flag.value)));
        if self.traffic && index == 0 && !words.iter().any(|word| word.contains("8001")) {
            words.push("--publish 8001:80".to_string());
        }
        if !service.attached {
            words.push("-d".to_string());
        }
        words.push(format!("app:{}", nth(service.image, &self.images)));
        words.join(" ")
    }

    fn update(&self, image: Option<u8>, attached: bool, flags: &[Flag], force: bool) -> String {
        let mut words = vec!["docker service update".to_string()];
        words.extend(image.map(|image| format!("--image app:{}", nth(image, &self.images))));
        words.extend(flags.iter().map(|flag| format!("{} {}", flag.update, flag.value)));
        if force {
            words.push("--force".to_string());
        }
        if !attached {
            words.push("-d".to_string());
        }
        words.join(" ")
    }

    fn step(&self, f: &mut fmt::Formatter<'_>, step: &Step) -> fmt::Result {
        let service = |number: u8| format!("s{}", nth(number, &self.services));
        let detach = |attached: bool| if attached { "" } else { " -d" };
        let line = match &step.what {
            What::Wait(Wait::For(span)) => return writeln!(f, "  - wait: {span}"),
            What::Wait(Wait::Until(what)) => return writeln!(f, "  - wait: {what}"),
            What::Wait(Wait::Settled(span)) => {
                return writeln!(f, "  - wait: {{settled: {span}}}");
            }
            What::Update { service: of, image, attached, flags, force } => {
                format!("{} {}", self.update(*image, *attached, flags, *force), service(*of))
            }
            What::Scale { service: of, replicas, attached } => {
                format!("docker service scale{} {}={replicas}", detach(*attached), service(*of))
            }
            What::Rollback { service: of, attached } => {
                format!("docker service rollback{} {}", detach(*attached), service(*of))
            }
            What::Node { node, flag } => {
                format!("docker node update {flag} node-{}", nth(*node, &self.nodes))
            }
            What::RemoveNode { node } => {
                format!("docker node rm --force node-{}", nth(*node, &self.nodes))
            }
            What::Remove { service: of } => format!("docker service rm {}", service(*of)),
            What::CreateAgain { service: of } => self.create(nth(*of, &self.services) - 1),
            What::Look { service: of, command } => {
                format!("docker service {command} {}", service(*of))
            }
        };
        match step.at {
            None => writeln!(f, "  - {line}"),
            Some(at) => writeln!(f, "  - {{at: {at}, run: \"{line}\"}}"),
        }
    }

    fn fault(&self, f: &mut fmt::Formatter<'_>, fault: &Fault) -> fmt::Result {
        let what = match &fault.what {
            Trouble::Node(node, what) => format!("node: node-{}, {what}", nth(*node, &self.nodes)),
            Trouble::Service(service, slot, what) => {
                let slot = slot.map_or(String::new(), |slot| format!("slot: {slot}, "));
                format!("service: s{}, {slot}{what}", nth(*service, &self.services))
            }
            Trouble::Image(image, what) => {
                format!("image: app:{}, {what}", nth(*image, &self.images))
            }
            Trouble::Registry => "registry: down".to_string(),
            Trouble::Leader => "leader: change".to_string(),
        };
        let lasts = fault.lasts.map_or(String::new(), |lasts| format!(", for: {lasts}"));
        writeln!(f, "  - {{at: {}, {what}{lasts}}}", fault.at)
    }
}
