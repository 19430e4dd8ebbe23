//! A stack file as a scenario: what its `x-swarmsim:` block (or a file of its own) says about the
//! world, and what is assumed where neither says anything.

use std::collections::{BTreeMap, BTreeSet};

use crate::compose::file::{ComposeFile, Surroundings, read};
use crate::compose::template::Environment;
use crate::scenario::files::MAX_FILE_BYTES;
use crate::scenario::json::{list, map, text};
use crate::scenario::model::{Cluster, Node, Scenario, image_key};
use crate::scenario::problem::{Place, Problem, Problems};
use crate::scenario::syntax::{Entry, Tree, Value, parse};
use crate::scenario::{lower, set};

/// The key of the block that Docker does not look at.
const BLOCK: &str = "x-swarmsim";

/// Machines of a stack file that says nothing about them: a manager and two workers.
const NODES: u32 = 3;

/// A stack file that can be run.
#[derive(Clone, PartialEq, Debug)]
pub struct Stack {
    /// The run.
    pub scenario: Scenario,
    /// Names of its services in the file.
    pub services: Vec<String>,
    /// What was not said and is taken to be so, in sentences.
    pub assumptions: Vec<String>,
    /// Its name as a stack.
    pub name: String,
    /// The file.
    pub file: ComposeFile,
    /// What the daemon will refuse, service by service, once the file is deployed.
    pub refused: Problems,
}

/// How the assumption about the script begins, which whoever brings a script of his own leaves out.
pub const DEPLOYED_ONCE: &str = "it is deployed once: ";

/// Whose mistakes they are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Mistaken {
    /// The stack file's, its block included, or those of overrides.
    Stack(Problems),
    /// Those of the file that describes the behaviour.
    Behaviour(Problems),
}

/// Whether a file is a Compose file rather than a scenario: it has `services:` and no `script:`.
pub fn is_stack(tree: &Tree) -> bool {
    let services = tree.get("services").is_some_and(|services| !services.is_null());
    services && tree.get("script").is_none()
}

/// What a stack file is run with.
#[derive(Clone, Copy, Debug)]
pub struct Request<'r> {
    /// Name of the file, without directories.
    pub name: &'r str,
    /// Its text.
    pub text: &'r str,
    /// Text of a file in place of its block.
    pub behaviour: Option<&'r str>,
    /// `KEY=VALUE` for the block.
    pub overrides: &'r [String],
    /// Other files by path, as seen from the stack file.
    pub files: &'r BTreeMap<String, String>,
}

/// Reads a stack file as a scenario.
///
/// # Errors
/// Every mistake, in Docker's words where they are Docker's.
pub fn load(request: Request<'_>) -> Result<Stack, Mistaken> {
    Parsed::new(request)?.with(request.overrides)
}

/// A stack file that is parsed, to be run with these overrides or with those.
#[derive(Clone, Debug)]
pub struct Parsed {
    name: String,
    text: String,
    behaviour: Option<String>,
    files: BTreeMap<String, String>,
    /// What overrides are put into.
    block: Tree,
    /// The file as it was read last, and with which variables.
    read: Option<(Environment, ComposeFile)>,
}

impl Parsed {
    /// Parses a file and what describes its behaviour. The overrides of the request are left aside.
    ///
    /// # Errors
    /// Neither is YAML.
    pub fn new(request: Request<'_>) -> Result<Parsed, Mistaken> {
        let bytes = request.text.len();
        if bytes > MAX_FILE_BYTES {
            let message = format!("the file has {bytes} bytes, more than {MAX_FILE_BYTES}");
            let problem = Problem::new(Place { line: 1, column: 1 }, "", message);
            return Err(Mistaken::Stack(Problems(vec![problem])));
        }
        let tree = parse(request.text).map_err(Mistaken::Stack)?;
        let nothing = Tree { place: Place { line: 1, column: 1 }, value: Value::Map(Vec::new()) };
        let block = match request.behaviour {
            Some(text) => parse(text).map_err(Mistaken::Behaviour)?,
            None => tree.get(BLOCK).filter(|block| !block.is_null()).cloned().unwrap_or(nothing),
        };
        Ok(Parsed {
            name: request.name.to_string(),
            text: request.text.to_string(),
            behaviour: request.behaviour.map(str::to_string),
            files: request.files.clone(),
            block,
            read: None,
        })
    }

    /// The file, read anew only if the variables are others than last time.
    fn file(&mut self, environment: &Environment) -> Result<&ComposeFile, Mistaken> {
        if self.read.as_ref().is_none_or(|(last, _)| last != environment) {
            let around = Surroundings { environment, files: &self.files, path: &self.name };
            let file =
                read(&self.text, around).map_err(|refusal| Mistaken::Stack(refusal.problems))?;
            self.read = Some((environment.clone(), file));
        }
        let (_, file) = self.read.as_ref().expect("it was read just now, if not before");
        Ok(file)
    }

    /// As a scenario, with overrides `KEY=VALUE`.
    ///
    /// # Errors
    /// Every mistake, in Docker's words where they are Docker's.
    pub fn with(&mut self, overrides: &[String]) -> Result<Stack, Mistaken> {
        let mut block = self.block.clone();
        let applied = overrides.iter().map(|assignment| set::apply(&mut block, assignment));
        let wrong: Vec<Problem> = applied.filter_map(Result::err).collect();
        if !wrong.is_empty() {
            return Err(Mistaken::Stack(Problems::sorted(wrong)));
        }
        let file = self.file(&environment(&block))?.clone();
        let Parsed { name, text, behaviour, files, .. } = self;
        let request = Request { name, text, behaviour: behaviour.as_deref(), overrides, files };
        completed(request, block, file)
    }
}

/// A block whose overrides are in it, with all that it does not say.
fn completed(request: Request<'_>, block: Tree, file: ComposeFile) -> Result<Stack, Mistaken> {
    let (name, path) = (stack_name(request.name), request.name);
    let plans = file.lower(&name, path).services;
    let plans = plans.map_err(|refusal| Mistaken::Stack(refusal.problems))?;
    let refused = plans.iter().filter_map(|plan| {
        let text = plan.refused.as_deref()?;
        let message = format!("the daemon will refuse the service {}: {text}", plan.key);
        Some(Problem::new(plan.place, "", message))
    });
    let refused = Problems(refused.collect());
    let mut guess = Guess { block, assumptions: Vec::new() };
    if !file.unset.is_empty() {
        let names = file.unset.join(", ");
        guess.assume(format!("not set, and so empty, as for Docker: {names}"));
    }
    let specs: Vec<_> = plans.iter().map(|plan| &plan.spec).collect();
    guess.cluster(&file, specs.iter().flat_map(|s| &s.task.placement).flat_map(|p| &p.constraints));
    guess.images(&file, specs.iter().any(|spec| spec.task.container.healthcheck.is_some()));
    guess.script(&name, path, specs.iter().any(|spec| spec.mode.is_job()));
    guess.files(&file, request);
    let source = request.behaviour.unwrap_or(request.text);
    let whose = |problems| match request.behaviour {
        Some(_) => Mistaken::Behaviour(problems),
        None => Mistaken::Stack(problems),
    };
    let scenario = lower(&guess.block, source).map_err(whose)?;
    let services = file.services().map(str::to_string).collect();
    Ok(Stack { scenario, services, assumptions: guess.assumptions, name, file, refused })
}

/// The variables of a block, as far as they are texts; the rest is told when it is lowered.
pub fn environment(block: &Tree) -> Environment {
    let Some(Value::Map(entries)) = block.get("environment").map(|tree| &tree.value) else {
        return Environment::new();
    };
    let scalar = entries.iter().filter(|entry| matches!(entry.value.value, Value::Scalar(_)));
    scalar.map(|entry| (entry.key.clone(), entry.value.text().to_string())).collect()
}

/// The block of a stack file.
pub fn block(tree: &Tree) -> Option<&Tree> {
    tree.get(BLOCK)
}

/// The name that a stack gets from its file: the part before the first dot, unless that is what
/// such files are called everywhere.
fn stack_name(file: &str) -> String {
    let stem = file.split('.').next().unwrap_or("");
    let fits = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' };
    let name: String = stem.chars().map(fits).collect();
    match name.trim_matches('-') {
        "" | "docker-compose" | "compose" | "docker-stack" => "stack".to_string(),
        name => name.to_string(),
    }
}

/// A block that is being completed.
struct Guess {
    block: Tree,
    assumptions: Vec<String>,
}

impl Guess {
    fn assume(&mut self, sentence: String) {
        self.assumptions.push(sentence);
    }

    /// The entries of the block; of one that is no map none, which is told when it is lowered.
    fn entries(tree: &mut Tree) -> Option<&mut Vec<Entry>> {
        if let Value::Map(entries) = &mut tree.value { Some(entries) } else { None }
    }

    fn add(tree: &mut Tree, key: &str, value: Tree) {
        let place = tree.place;
        if let Some(entries) = Guess::entries(tree) {
            entries.push(Entry { key: key.to_string(), place, value });
        }
    }

    /// Machines, and what is declared as being there already.
    fn cluster<'c>(&mut self, file: &ComposeFile, constraints: impl Iterator<Item = &'c String>) {
        if self.block.get("cluster").is_none() {
            let wanted: BTreeSet<&str> =
                constraints.filter_map(|c| c.trim().strip_prefix("node.labels.")).collect();
            let (nodes, given) = labelled(wanted);
            self.assume(format!("the cluster has {NODES} nodes, the first of them the manager"));
            for (node, label) in given {
                self.assume(format!("{node} has the label {label}, which a constraint asks for"));
            }
            let nodes = list(nodes.iter().map(node_tree));
            Guess::add(&mut self.block, "cluster", map([("nodes", Some(nodes))]));
        }
        for section in ["networks", "secrets", "configs"] {
            let names = file.external(section);
            let mut entries = Guess::entries(&mut self.block).into_iter().flatten();
            let cluster = entries.find(|entry| entry.key == "cluster");
            let Some(cluster) = cluster.filter(|_| !names.is_empty()) else { continue };
            if cluster.value.get(section).is_none() {
                Guess::add(&mut cluster.value, section, list(names.iter().map(text)));
                let names = names.join(", ");
                self.assume(format!("external {section} that exist: {names}"));
            }
        }
    }

    /// Images that nobody describes behave well.
    fn images(&mut self, file: &ComposeFile, checked: bool) {
        let described: BTreeSet<String> = match self.block.get("images").map(|tree| &tree.value) {
            Some(Value::Map(entries)) => {
                entries.iter().map(|entry| image_key(&entry.key)).collect()
            }
            _ => BTreeSet::new(),
        };
        let images: BTreeSet<String> = file.images().map(|(_, image)| image_key(image)).collect();
        for image in images.difference(&described) {
            let probes = if checked { "passes its health check if it has one, " } else { "" };
            self.assume(format!(
                "{image} is on every node, starts at once, {probes}stops when it is asked to"
            ));
        }
    }

    /// What is typed.
    fn script(&mut self, stack: &str, path: &str, jobs: bool) {
        if self.block.get("name").is_none() {
            Guess::add(&mut self.block, "name", text(stack));
        }
        if self.block.get("script").is_some() {
            return;
        }
        let deploy = format!("docker stack deploy -c {} {stack}", shell_words::quote(path));
        let services = format!("docker stack services {stack}");
        let (wait, word) = if jobs {
            (map([("settled", Some(text("5s")))]), "settled: 5s")
        } else {
            (text("converged"), "converged")
        };
        self.assume(format!("{DEPLOYED_ONCE}{deploy}; wait: {word}; {services}"));
        let wait = map([("wait", Some(wait))]);
        let steps = [text(deploy), wait, text(services)];
        Guess::add(&mut self.block, "script", list(steps));
    }

    /// The texts that the script's commands read.
    fn files(&mut self, file: &ComposeFile, request: Request<'_>) {
        let mut files = request.files.clone();
        files.insert(request.name.to_string(), request.text.to_string());
        let tree = map(files.iter().map(|(path, content)| (path, Some(text(content)))));
        if self.block.get("files").is_none() {
            Guess::add(&mut self.block, "files", tree);
        }
        if file.has_files() {
            let what = "the files of secrets and configs exist and do not change";
            self.assume(what.to_string());
        }
    }
}

/// Machines that have the labels that are asked for (`key == value`), each on a node that has no
/// other value for it, the manager last; and which node got which.
fn labelled(wanted: BTreeSet<&str>) -> (Vec<Node>, Vec<(String, String)>) {
    let mut nodes = Cluster::numbered(NODES);
    let mut given = Vec::new();
    for constraint in wanted {
        let Some((key, value)) = constraint.split_once("==") else { continue };
        let (key, value) = (key.trim(), value.trim());
        nodes.rotate_left(1);
        let free = nodes.iter_mut().find(|node| !node.labels.contains_key(key));
        if let Some(node) = free {
            node.labels.insert(key.to_string(), value.to_string());
            given.push((node.name.clone(), format!("{key}={value}")));
        }
        nodes.rotate_right(1);
    }
    (nodes, given)
}

fn node_tree(node: &Node) -> Tree {
    let labels = || map(node.labels.iter().map(|(key, value)| (key, Some(text(value)))));
    map([("name", Some(text(&node.name))), ("labels", (!node.labels.is_empty()).then(labels))])
}
