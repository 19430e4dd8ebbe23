//! A Compose file that has passed every check, and how it is read.

use std::collections::{BTreeMap, BTreeSet};

use crate::client::image::Reference;
use crate::compose::mistake::{Mistakes, Phase};
use crate::compose::template::Environment;
use crate::compose::value::{Node, Value};
use crate::compose::{interpolate, objects, schema, service, unsupported, value};
use crate::scenario::problem::{Place, Problems};
use crate::scenario::syntax;

/// What a file is read with.
#[derive(Clone, Copy, Debug)]
pub struct Surroundings<'s> {
    /// Values of variables.
    pub environment: &'s Environment,
    /// Texts of files by path, for `env_file`.
    pub files: &'s BTreeMap<String, String>,
    /// Path of the Compose file; what it names is relative to its directory.
    pub path: &'s str,
}

/// A file that `docker stack deploy` would take, as far as networks, secrets and configs.
#[derive(Clone, PartialEq, Debug)]
pub struct ComposeFile {
    pub(super) root: Node,
    pub(super) version: u8,
    /// By name of the service.
    pub(super) environments: BTreeMap<String, Vec<String>>,
    /// What is printed on standard error before anything is done.
    pub warnings: String,
    /// Variables that are not set and have no default, and so are empty.
    pub unset: Vec<String>,
}

/// Why a file is refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// All mistakes. The message of each is Docker's text.
    pub problems: Problems,
    /// What Docker prints on standard error: one of them, without a newline at the end.
    pub docker: String,
}

impl Refusal {
    /// The refusal of mistakes, if there are any.
    pub(super) fn of(mistakes: &Mistakes) -> Option<Refusal> {
        let docker = mistakes.docker()?;
        Some(Refusal { problems: mistakes.problems(), docker })
    }
}

/// Newest minor version of the schema, and the one of a file that names none.
const NEWEST: u8 = 13;

/// Reads a Compose file.
///
/// # Errors
/// Everything that is wrong with it, up to what Docker looks at only when networks exist already
/// (see [`ComposeFile::lower`]).
pub fn read(text: &str, surroundings: Surroundings<'_>) -> Result<ComposeFile, Refusal> {
    let tree = syntax::parse(text).map_err(|problems| {
        let first = problems.0.first();
        let docker = first.map_or_else(String::new, |problem| {
            format!("yaml: line {}: {}", problem.place.line, problem.message)
        });
        Refusal { problems, docker }
    })?;
    let mut mistakes = Mistakes::default();
    let mut root = value::read(&tree, text, &mut mistakes);
    if !matches!(root.value, Value::Map(_)) {
        let text = "top-level object must be a mapping";
        mistakes.note(Phase::Yaml, "", root.place, "", text, None);
        return Err(refused(&mistakes));
    }
    unsupported::forbidden(&root, &mut mistakes);
    let unset = interpolate::interpolate(&mut root, surroundings.environment, &mut mistakes);
    let version = version(&root, &mut mistakes);
    // Keys that are forbidden are unknown to the schema as well: once is enough.
    let mut checked = Mistakes::default();
    schema::validate(&without_forbidden(&root, &mistakes), version, &mut checked);
    mistakes.append(checked);
    if mistakes.is_empty() {
        service::check(&root, &mut mistakes);
        objects::check(&root, &mut mistakes);
        images(&root, &unset, &mut mistakes);
    }
    let environments = environments(&root, surroundings, &mut mistakes);
    match Refusal::of(&mistakes) {
        Some(refusal) => Err(refusal),
        None => Ok(ComposeFile {
            warnings: service::warnings(&root)
                + &objects::warnings(&root, version)
                + &unsupported::warnings(&root),
            root,
            version,
            environments,
            unset: unset.into_iter().collect(),
        }),
    }
}

fn refused(mistakes: &Mistakes) -> Refusal {
    let nothing = || Refusal { problems: Problems(Vec::new()), docker: String::new() };
    Refusal::of(mistakes).unwrap_or_else(nothing)
}

/// The minor version. An unknown one is noted, and the newest one taken.
fn version(root: &Node, mistakes: &mut Mistakes) -> u8 {
    let Some(node) = root.get("version") else { return NEWEST };
    let text = node.printed();
    let minor = match text.as_str() {
        "" | "3" => Some(NEWEST),
        _ => text.strip_prefix("3.").and_then(|minor| match minor.parse::<u8>() {
            Ok(number) if number <= NEWEST && minor == number.to_string() => Some(number),
            _ => None,
        }),
    };
    minor.unwrap_or_else(|| {
        let message = format!("unsupported Compose file version: {text}");
        let hint = "3.0 to 3.13; without `version` the newest one is meant".to_string();
        let phase = Phase::Version;
        mistakes.note(phase, "", node.place, &text, &message, Some(hint));
        NEWEST
    })
}

fn without_forbidden(root: &Node, mistakes: &Mistakes) -> Node {
    let mut root = root.clone();
    let Value::Map(fields) = &mut root.value else { return root };
    let services = fields.iter_mut().filter(|field| field.key == "services");
    for section in services {
        let Value::Map(services) = &mut section.node.value else { continue };
        for service in services {
            if let Value::Map(keys) = &mut service.node.value {
                keys.retain(|key| !mistakes.is_at(Phase::Forbidden, key.place));
            }
        }
    }
    root
}

fn images(root: &Node, unset: &BTreeSet<String>, mistakes: &mut Mistakes) {
    for field in root.get("services").map_or(&[][..], Node::fields) {
        let image = field.node.get("image");
        let text = image.and_then(Node::text).unwrap_or("");
        let (why, place) = if text.is_empty() {
            ("no image specified", field.place)
        } else if Reference::parse(text).is_none() {
            let place = image.map_or(field.place, |image| image.place);
            if text.to_lowercase() == text {
                ("invalid reference format", place)
            } else {
                ("invalid reference format: repository name must be lowercase", place)
            }
        } else {
            continue;
        };
        let message = format!("invalid image reference for service {}: {why}", field.key);
        let names = || unset.iter().take(8).cloned().collect::<Vec<_>>().join(", ");
        let hint = match field.node.get("build") {
            Some(_) => Some(
                "docker stack deploy builds nothing: build and push, then name the image"
                    .to_string(),
            ),
            None if unset.is_empty() => None,
            None => Some(format!("not set, and so empty: {}; see `environment`", names())),
        };
        let what = if text.is_empty() { field.key.as_str() } else { text };
        mistakes.note(Phase::Image, "", place, what, &message, hint);
    }
}

/// The environment of each service as it is stored: `NAME=value` sorted, with what the client's own
/// environment says where the file says nothing.
fn environments(
    root: &Node,
    surroundings: Surroundings<'_>,
    mistakes: &mut Mistakes,
) -> BTreeMap<String, Vec<String>> {
    let mut all = BTreeMap::new();
    for field in root.get("services").map_or(&[][..], Node::fields) {
        let mut variables: BTreeMap<String, Option<String>> = BTreeMap::new();
        let mut take = |name: String, value: Option<String>| {
            let given = value.as_ref().is_some_and(|value| !value.is_empty());
            let outside = surroundings.environment.get(&name).filter(|_| !given).cloned();
            variables.insert(name, outside.or(value));
        };
        for path in names(field.node.get("env_file")) {
            let full = beside(surroundings.path, path.0);
            let Some(text) = surroundings.files.get(&full) else {
                let message = format!("open {full}: no such file or directory");
                mistakes.note(Phase::Load, "", path.1, path.0, &message, None);
                continue;
            };
            for line in text.lines().map(str::trim_start) {
                if !line.is_empty() && !line.starts_with('#') {
                    let (name, value) = equation(line);
                    take(name, value);
                }
            }
        }
        for (name, value) in dictionary(field.node.get("environment")) {
            take(name, value);
        }
        let line = |(name, value): (String, Option<String>)| match value {
            Some(value) => format!("{name}={value}"),
            None => name,
        };
        let mut lines: Vec<String> = variables.into_iter().map(line).collect();
        lines.sort();
        all.insert(field.key.clone(), lines);
    }
    all
}

/// The paths of the environment files that a Compose file names, as they are looked up. What cannot
/// be read names none.
pub fn env_files(text: &str, path: &str, environment: &Environment) -> BTreeSet<String> {
    let Ok(tree) = syntax::parse(text) else { return BTreeSet::new() };
    let mut mistakes = Mistakes::default();
    let mut root = value::read(&tree, text, &mut mistakes);
    interpolate::interpolate(&mut root, environment, &mut mistakes);
    let services = root.get("services").map_or(&[][..], Node::fields);
    let named = services.iter().flat_map(|field| names(field.node.get("env_file")));
    named.map(|(name, _)| beside(path, name)).collect()
}

/// One text or a list of them.
pub(super) fn names(node: Option<&Node>) -> Vec<(&str, Place)> {
    let text = |node: &'_ Node| -> Option<Place> { node.text().map(|_| node.place) };
    let Some(node) = node else { return Vec::new() };
    let nodes = if text(node).is_some() { std::slice::from_ref(node) } else { node.items() };
    nodes.iter().filter_map(|node| Some((node.text()?, node.place))).collect()
}

/// A path that stands in a file, seen from where that file's own path is seen.
pub(super) fn beside(file: &str, path: &str) -> String {
    match file.rsplit_once('/') {
        Some((directory, _)) if !path.starts_with('/') => {
            format!("{directory}/{}", path.strip_prefix("./").unwrap_or(path))
        }
        _ => path.strip_prefix("./").unwrap_or(path).to_string(),
    }
}

/// A list of `NAME=value`, or a map; a name without a value has none.
pub(super) fn dictionary(node: Option<&Node>) -> BTreeMap<String, Option<String>> {
    let Some(node) = node else { return BTreeMap::new() };
    let listed = node.items().iter().filter_map(Node::text).map(equation);
    let mapped = node.fields().iter().map(|field| {
        let value = (field.node.value != Value::Null).then(|| field.node.printed());
        (field.key.clone(), value)
    });
    listed.chain(mapped).collect()
}

/// The same where a name without a value has an empty one.
pub(super) fn labels(node: Option<&Node>) -> BTreeMap<String, String> {
    let filled = |(key, value): (String, Option<String>)| (key, value.unwrap_or_default());
    dictionary(node).into_iter().map(filled).collect()
}

fn equation(text: &str) -> (String, Option<String>) {
    match text.split_once('=') {
        Some((name, value)) => (name.to_string(), Some(value.to_string())),
        None => (text.to_string(), None),
    }
}
