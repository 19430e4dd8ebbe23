//! Files that the docker lines of a scenario read: `docker stack deploy -c FILE NAME`.
//!
//! Their texts are part of the scenario (`files:`), so that a run depends on nothing else and a
//! timeline can be repeated. Whoever reads scenarios from a disk puts them in first.

use std::collections::{BTreeMap, BTreeSet};

use crate::scenario::problem::Place;
use crate::scenario::syntax::{Entry, Scalar, Tree, Value, parse};

/// Most text of all files together: several times the largest stack file that was seen, and little
/// enough for a timeline to hold it.
pub const MAX_FILE_BYTES: usize = 256 << 10;

/// The Compose files of the lines of a script that are not in `files:`, each with the place of the
/// first line that names it.
pub fn missing(tree: &Tree) -> BTreeMap<String, Place> {
    let mut named = BTreeMap::new();
    let Some(Value::Seq(steps)) = tree.get("script").map(|tree| &tree.value) else { return named };
    for step in steps {
        let line = step.get("run").unwrap_or(step);
        let words = shell_words::split(line.text()).unwrap_or_default();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let ["docker", "stack", "deploy" | "up", rest @ ..] = words.as_slice() else { continue };
        for path in deploy_words(rest).0 {
            if tree.get("files").and_then(|files| files.get(&path)).is_none() {
                named.entry(path).or_insert(line.place);
            }
        }
    }
    named
}

/// Puts the text of a file into a scenario.
pub fn insert(tree: &mut Tree, path: &str, content: &str) {
    let place = Place { line: 1, column: 1 };
    let scalar = Value::Scalar(Scalar { text: content.to_string(), plain: false });
    let entry = |key: &str, value| Entry { key: key.to_string(), place, value };
    let file = entry(path, Tree { place, value: scalar });
    let Value::Map(entries) = &mut tree.value else { return };
    match entries.iter_mut().find(|entry| entry.key == "files").map(|e| &mut e.value.value) {
        Some(Value::Map(files)) => files.push(file),
        Some(_) => {}
        None => {
            let value = Value::Map(vec![file]);
            entries.push(entry("files", Tree { place, value }));
        }
    }
}

/// The Compose files and the stack of the words after `docker stack deploy`.
pub(crate) fn deploy_words(words: &[&str]) -> (Vec<String>, Option<String>) {
    let (mut files, mut stack) = (Vec::new(), None);
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let value = match *word {
            "-c" | "--compose-file" => words.next().copied(),
            "--resolve-image" => {
                words.next();
                continue;
            }
            word => word.strip_prefix("--compose-file=").or_else(|| word.strip_prefix("-c")),
        };
        match value {
            Some(value) => {
                files.extend(value.trim_start_matches('=').split(',').map(str::to_string));
            }
            None if word.starts_with('-') => {}
            None => stack = Some((*word).to_string()),
        }
    }
    (files, stack)
}

/// Keys and images of the services in the text of a Compose file; nothing if it cannot be read.
pub(crate) fn services(text: &str) -> Option<(BTreeSet<String>, BTreeSet<String>)> {
    let tree = parse(text).ok()?;
    let Value::Map(services) = &tree.get("services")?.value else { return None };
    let keys = services.iter().map(|service| service.key.clone()).collect();
    let images = services.iter().filter_map(|service| service.value.get("image"));
    Some((keys, images.map(|image| image.text().to_string()).collect()))
}
