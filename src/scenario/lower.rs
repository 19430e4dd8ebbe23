//! Tree to model: what the words of a scenario mean, and every mistake in them at once.
//!
//! References are checked here (nodes, services, images, labels of steps). What a docker line says
//! beyond its first two words is left to the run, where the client complains as Docker's does.

use std::collections::{BTreeMap, BTreeSet};

use crate::scenario::files::{self, MAX_FILE_BYTES};
use crate::scenario::lower::reader::Reader;
use crate::scenario::model::{Action, DEFAULT_WATCH, Scenario, StepNo, Target, Told, image_key};
use crate::scenario::problem::{Problem, Problems};
use crate::scenario::syntax::{Scalar, Tree, Value};

pub(crate) mod cluster;
mod expect;
pub(crate) mod faults;
pub(crate) mod images;
mod reader;
pub(crate) mod script;
#[cfg(test)]
mod tests;
pub(crate) mod traffic;

/// What can be referred to.
#[derive(Default)]
pub(crate) struct Names {
    nodes: BTreeSet<String>,
    /// Keys of images, described or only named by docker lines.
    images: BTreeSet<String>,
    services: BTreeSet<String>,
    /// Whether a service is created whose name Docker chooses.
    unnamed: bool,
    labels: BTreeMap<String, StepNo>,
    steps: u32,
    /// Texts of the files that commands read.
    files: BTreeMap<String, String>,
    /// Whether there are images whose names only a run tells.
    any_image: bool,
    /// Sources of requests that are told by the second: whom they ask, and their lines.
    counted: Vec<(Target, u32)>,
    /// Whether there are requests that are told each by each.
    each: bool,
}

impl Names {
    /// Takes the names out of a docker line: services created, and every word that could be an
    /// image.
    fn learn(&mut self, noun: &str, words: &[&str]) {
        if noun != "service" || !matches!(words, ["create" | "update", ..]) {
            return;
        }
        let mut name = None;
        for (index, word) in words.iter().enumerate().skip(1) {
            if *word == "--name" {
                name = words.get(index + 1).copied();
            } else if let Some(given) = word.strip_prefix("--name=") {
                name = Some(given);
            }
            let word = word.strip_prefix("--image=").unwrap_or(word);
            if !word.starts_with('-') {
                self.images.insert(image_key(word));
            }
        }
        match name {
            Some(name) => drop(self.services.insert(name.to_string())),
            None => self.unnamed |= words[0] == "create",
        }
    }

    /// How the requests of a scenario are told.
    fn learn_requests(&mut self, scenario: &Scenario) {
        let counted = scenario.traffic.iter().filter(|traffic| traffic.told == Told::EachSecond);
        self.counted = counted.map(|traffic| (traffic.target.clone(), traffic.line)).collect();
        let curls = scenario.script.iter().any(|step| matches!(step.action, Action::Curl(_)));
        self.each = curls || scenario.traffic.iter().any(|traffic| traffic.told == Told::Each);
    }

    /// The line of a source of which a claim about who answered a service would have to know more
    /// than is told: of a claim about the whole run any source that asks it by name; of any other,
    /// if nothing else is asked. What ports lead to, only a run tells.
    fn counted(&self, service: &str, whole: bool) -> Option<u32> {
        let asks = |(target, _): &&(Target, u32)| match target {
            Target::Service(name) => name == service && (whole || !self.each),
            Target::Port(_) => !self.each,
        };
        self.counted.iter().find(asks).map(|(_, line)| *line)
    }

    /// The same of `docker stack`: the services of a Compose file and their images. What is
    /// returned is a file that is not there.
    fn learn_stack(&mut self, words: &[&str]) -> Option<String> {
        let ["deploy" | "up", rest @ ..] = words else { return None };
        let (paths, stack) = files::deploy_words(rest);
        let stack = stack.unwrap_or_default();
        for path in paths {
            let Some(text) = self.files.get(&path) else {
                self.unnamed = true;
                return Some(path);
            };
            let Some((keys, images)) = files::services(text) else {
                self.unnamed = true;
                continue;
            };
            self.services.extend(keys.iter().map(|key| format!("{stack}_{key}")));
            self.any_image |= images.iter().any(|image| image.contains('$'));
            self.images.extend(images.iter().map(|image| image_key(image)));
        }
        None
    }
}

/// The scenario that a tree describes. `text` is the source, for the question in its leading
/// comment.
///
/// # Errors
/// Every mistake, sorted by place.
pub fn lower(tree: &Tree, text: &str) -> Result<Scenario, Problems> {
    let mut reader = Reader::default();
    let scenario = scenario(&mut reader, tree, text);
    match scenario {
        Some(scenario) if reader.problems.is_empty() => Ok(scenario),
        _ => Err(Problems::sorted(reader.problems)),
    }
}

fn scenario(reader: &mut Reader, tree: &Tree, text: &str) -> Option<Scenario> {
    let mut fields = reader.map(tree, "a scenario")?;
    let mut names = Names::default();
    let mut scenario = Scenario { question: leading_question(text), ..Scenario::default() };
    match fields.take("name") {
        Some(name) => scenario.name = reader.text(name).unwrap_or_default(),
        None => reader.note(Problem::new(tree.place, "", "a scenario needs a `name`")),
    }
    if let Some(question) = fields.take("question").and_then(|tree| optional_text(reader, tree)) {
        scenario.question = question;
    }
    if let Some(seed) = fields.take("seed").and_then(|tree| reader.whole(tree, 0, u64::MAX)) {
        scenario.seed = seed;
    }
    if let Some(tree) = fields.take("cluster") {
        scenario.cluster = cluster::cluster(reader, tree);
    }
    names.nodes = scenario.cluster.nodes.iter().map(|node| node.name.clone()).collect();
    if let Some(tree) = fields.take("images") {
        scenario.images = images::images(reader, tree, &names.nodes);
    }
    names.images = scenario.images.keys().cloned().collect();
    if let Some(tree) = fields.take("environment") {
        scenario.environment = texts(reader, tree, "variables");
    }
    if let Some(tree) = fields.take("files") {
        scenario.files = texts(reader, tree, "files");
        let bytes: usize = scenario.files.values().map(String::len).sum();
        if bytes > MAX_FILE_BYTES {
            let message = format!("files of {bytes} bytes, more than {MAX_FILE_BYTES}");
            reader.note(Problem::new(tree.place, "", message));
        }
    }
    names.files.clone_from(&scenario.files);
    match fields.take("script") {
        Some(tree) => scenario.script = script::script(reader, tree, &mut names),
        None => reader.note(Problem::new(tree.place, "", "a scenario needs a `script`")),
    }
    if let Some(tree) = fields.take("traffic") {
        scenario.traffic = traffic::traffic(reader, tree, &names);
    }
    names.learn_requests(&scenario);
    if let Some(tree) = fields.take("faults") {
        scenario.faults = faults::faults(reader, tree, &names);
    }
    if let Some(tree) = fields.take("expect") {
        scenario.expect = expect::expectations(reader, tree, &names);
    }
    let watch = fields.take("watch").and_then(|tree| reader.span(tree));
    scenario.watch = watch.unwrap_or(DEFAULT_WATCH);
    if let Some(tree) = fields.take("limits") {
        scenario.limits = cluster::limits(reader, tree);
    }
    reader.finish(fields);
    Some(scenario)
}

/// A map of texts, which may be empty.
fn texts(reader: &mut Reader, tree: &Tree, of: &'static str) -> BTreeMap<String, String> {
    let Value::Map(entries) = &tree.value else {
        reader.wrong(tree, &format!("cannot be {of}: a map was expected"), None);
        return BTreeMap::new();
    };
    let mut texts = BTreeMap::new();
    for entry in entries {
        match &entry.value.value {
            Value::Scalar(scalar) => {
                texts.insert(entry.key.clone(), scalar.text.clone());
            }
            Value::Seq(_) | Value::Map(_) => {
                reader.wrong(&entry.value, "where a text was expected", None);
            }
        }
    }
    texts
}

fn optional_text(reader: &mut Reader, tree: &Tree) -> Option<String> {
    match &tree.value {
        Value::Scalar(Scalar { text, plain: false }) if text.is_empty() => Some(String::new()),
        _ => reader.text(tree),
    }
}

/// The question of a file's leading comment: from `Question:`, or from its beginning, to the next
/// line that starts with such a word or is empty.
fn leading_question(text: &str) -> String {
    let lines = text.lines().map_while(|line| line.strip_prefix('#')).map(str::trim);
    let headed = |line: &str| {
        line.split_once(": ").is_some_and(|(word, _)| word.chars().all(char::is_alphabetic))
    };
    let mut question: Vec<&str> = Vec::new();
    for line in lines {
        if let Some(rest) = line.strip_prefix("Question:") {
            question = vec![rest.trim()];
        } else if line.is_empty() || (headed(line) && !question.is_empty()) {
            break;
        } else {
            question.push(line);
        }
    }
    question.join(" ")
}
