//! Overrides: `KEY=VALUE` put into a tree before it is lowered, so that they are checked like the
//! file.
//!
//! A key is a path of words with dots between, such as `images.lucj/whoami:2.0.health`. A word may
//! contain dots itself: the longest one that exists is meant. In a list, a word is a step's label,
//! a node's name, or a number counted from 1. A last word `--flag` changes that flag of a docker
//! line.

use crate::scenario::problem::{Place, Problem, choices, nearest, quoted};
use crate::scenario::syntax::{self, Entry, Scalar, Tree, Value};

/// Flags of docker lines that are followed by no value.
const SWITCHES: [&str; 12] = [
    "--detach",
    "--force",
    "--init",
    "--no-healthcheck",
    "--no-resolve-image",
    "--quiet",
    "--read-only",
    "--rollback",
    "--tty",
    "--with-registry-auth",
    "-d",
    "-q",
];

/// Puts one override into the tree.
///
/// ```
/// use swarmsim::scenario::{lower, set, syntax};
/// let text = "{name: a, images: {web:2.0: {}}, script: [docker service ls]}";
/// let mut tree = syntax::parse(text).unwrap();
/// set::apply(&mut tree, "images.web:2.0.serves_after=3s").unwrap();
/// set::apply(&mut tree, "seed=9").unwrap();
/// assert_eq!(lower(&tree, text).unwrap().seed, 9);
/// ```
///
/// # Errors
/// A path that leads nowhere, or a value that is not YAML. Its place is line 0.
pub fn apply(tree: &mut Tree, assignment: &str) -> Result<(), Problem> {
    let Some((path, value)) = split(assignment) else {
        let message = format!("{} is not of the form KEY=VALUE", quoted(assignment));
        return Err(Problem::new(Place::default(), assignment, message));
    };
    let value = read(value)?;
    Walk { path, value }.go(tree, path)
}

/// At the first `=` that does not belong to a word of a path, which may be a docker flag but holds
/// none.
fn split(assignment: &str) -> Option<(&str, &str)> {
    let (path, value) = assignment.split_once('=')?;
    (!path.is_empty()).then_some((path, value))
}

fn read(text: &str) -> Result<Tree, Problem> {
    let scalar = |text: &str| {
        let value = Value::Scalar(Scalar { text: text.to_string(), plain: true });
        Tree { place: Place::default(), value }
    };
    if text.trim().is_empty() {
        return Ok(scalar(""));
    }
    let mut tree = syntax::parse(text).map_err(|problems| {
        let first = problems.0.into_iter().next();
        let why = first.map(|problem| problem.message).unwrap_or_default();
        Problem::new(Place::default(), text, format!("the value {}: {why}", quoted(text)))
    })?;
    forget_places(&mut tree);
    Ok(tree)
}

fn forget_places(tree: &mut Tree) {
    tree.place = Place::default();
    match &mut tree.value {
        Value::Scalar(_) => {}
        Value::Seq(items) => items.iter_mut().for_each(forget_places),
        Value::Map(entries) => {
            for entry in entries {
                entry.place = Place::default();
                forget_places(&mut entry.value);
            }
        }
    }
}

struct Walk<'p> {
    path: &'p str,
    value: Tree,
}

impl Walk<'_> {
    fn go(self, tree: &mut Tree, rest: &str) -> Result<(), Problem> {
        if tree.is_null() {
            tree.value = Value::Map(Vec::new());
        }
        if rest.starts_with("--") {
            return self.flag(tree, rest);
        }
        match &mut tree.value {
            Value::Scalar(_) => Err(self.nowhere(rest, "has no parts", &[])),
            Value::Seq(items) => {
                let names: Vec<Vec<String>> = items.iter().enumerate().map(names).collect();
                let fits = |name: &&String| matches(name, rest);
                let found = names.iter().enumerate().flat_map(|(index, names)| {
                    names.iter().filter(fits).map(move |name| (name.len(), index))
                });
                let Some((length, index)) = found.max() else {
                    let names: Vec<&str> =
                        names.iter().filter_map(|n| n.first()).map(|n| &**n).collect();
                    return Err(self.nowhere(rest, "is not in the list", &names));
                };
                self.into(&mut items[index], rest, length)
            }
            Value::Map(entries) => {
                let fits =
                    entries.iter().enumerate().filter(|(_, entry)| matches(&entry.key, rest));
                let found = fits.map(|(index, entry)| (entry.key.len(), index)).max();
                if let Some((length, index)) = found {
                    return self.into(&mut entries[index].value, rest, length);
                }
                self.new_key(entries, rest)
            }
        }
    }

    fn into(self, tree: &mut Tree, rest: &str, length: usize) -> Result<(), Problem> {
        if rest.len() == length {
            *tree = self.value;
            return Ok(());
        }
        self.go(tree, &rest[length + 1..])
    }

    /// A last word may be new, and `cluster`, `environment` and `limits` need not be written out.
    /// Whether the language has the word is seen when the tree is lowered.
    fn new_key(self, entries: &mut Vec<Entry>, rest: &str) -> Result<(), Problem> {
        let (first, more) = rest.split_once('.').unwrap_or((rest, ""));
        let parents = ["cluster.", "environment.", "limits."];
        if !more.is_empty() && !parents.iter().any(|parent| self.path.starts_with(parent)) {
            let keys: Vec<&str> = entries.iter().map(|entry| entry.key.as_str()).collect();
            return Err(self.nowhere(rest, "does not exist", &keys));
        }
        let place = Place::default();
        let mut value = Tree { place, value: Value::Map(Vec::new()) };
        if more.is_empty() {
            value = self.value;
        } else {
            self.go(&mut value, more)?;
        }
        entries.push(Entry { key: first.to_string(), place, value });
        Ok(())
    }

    /// Changes a flag of a docker line, or adds it.
    fn flag(self, tree: &mut Tree, flag: &str) -> Result<(), Problem> {
        if let Value::Map(entries) = &mut tree.value
            && let Some(run) = entries.iter_mut().find(|entry| entry.key == "run")
        {
            return self.flag(&mut run.value, flag);
        }
        let words = shell_words::split(tree.text()).unwrap_or_default();
        let command = words.len() >= 3 && words[0] == "docker";
        let (Value::Scalar(scalar), Value::Scalar(value)) = (&mut tree.value, &self.value.value)
        else {
            return Err(self.nowhere(flag, "is no flag of a docker line", &[]));
        };
        if !command {
            return Err(self.nowhere(flag, "is no flag of a docker line", &[]));
        }
        let mut kept = Vec::new();
        let mut words = words.into_iter();
        while let Some(word) = words.next() {
            if word == flag {
                if !SWITCHES.contains(&flag) {
                    words.next();
                }
            } else if word.split_once('=').is_none_or(|(name, _)| name != flag) {
                kept.push(word);
            }
        }
        let place = kept.len().min(3);
        kept.insert(place, format!("{flag}={}", value.text));
        scalar.text = shell_words::join(kept);
        Ok(())
    }

    fn nowhere(&self, rest: &str, why: &str, known: &[&str]) -> Problem {
        let message = format!("{} {why}, in the path {}", quoted(rest), quoted(self.path));
        let problem = Problem::new(Place::default(), rest, message);
        let front = rest.rsplit_once('.').map_or(rest, |(front, _)| front);
        let near =
            nearest(rest, known.iter().copied()).or_else(|| nearest(front, known.iter().copied()));
        match near {
            Some(word) => problem.hint(format!("did you mean `{word}`?")),
            None if !known.is_empty() && known.len() <= 12 => {
                problem.hint(format!("there is {}", choices(known.iter().copied())))
            }
            None => problem,
        }
    }
}

/// Whether a path begins with that word.
fn matches(word: &str, path: &str) -> bool {
    path.strip_prefix(word).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// By what an item of a list goes: its label or name, and its number.
fn names((index, item): (usize, &Tree)) -> Vec<String> {
    let named = ["as", "name"].into_iter().filter_map(|key| item.get(key));
    let mut names: Vec<String> = named.map(|tree| tree.text().to_string()).collect();
    names.push((index + 1).to_string());
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "name: a
images:
  web:2: {health: ok}
  web:2.0: {health: ok}
script:
  - as: up.1
    run: docker service update --update-delay 5s --detach --image=web:2 'a b'
  - docker service ps web
";

    fn set(assignment: &str) -> String {
        let mut tree = syntax::parse(TEXT).unwrap();
        match apply(&mut tree, assignment) {
            Ok(()) => tree.to_json(),
            Err(problem) => crate::scenario::Problems(vec![problem]).render("f", TEXT),
        }
    }

    #[test]
    fn overrides_replace_what_is_there() {
        let plain = syntax::parse(TEXT).unwrap().to_json();
        assert_eq!(
            set("images.web:2.0.health={ok_until: 3s}"),
            plain.replace(
                r#""web:2.0":{"health":"ok"}"#,
                r#""web:2.0":{"health":{"ok_until":"3s"}}"#
            )
        );
        assert_eq!(set("name=b"), plain.replace(r#""name":"a""#, r#""name":"b""#));
        assert_eq!(set("script.2=x"), plain.replace("docker service ps web", "x"));
    }

    #[test]
    fn new_keys_are_added_where_the_language_may_have_them() {
        assert!(set("seed=3").ends_with(r#","seed":3}"#));
        assert!(
            set("cluster.latency.start=1s").ends_with(r#","cluster":{"latency":{"start":"1s"}}}"#)
        );
        assert!(set("images.web:2.exit=null").contains(r#""web:2":{"health":"ok","exit":null}"#));
    }

    #[test]
    fn flags_of_a_line_are_changed_or_added() {
        let line = |flags: &str| format!("\"docker service update {flags} 'a b'\"");
        for (assignment, flags) in [
            ("script.up.1.--update-delay=9s", "'--update-delay=9s' --detach '--image=web:2'"),
            ("script.1.--image=b", "'--image=b' --update-delay 5s --detach"),
            ("script.1.--detach=false", "'--detach=false' --update-delay 5s '--image=web:2'"),
            ("script.1.--force=true", "'--force=true' --update-delay 5s --detach '--image=web:2'"),
        ] {
            assert!(set(assignment).contains(&line(flags)), "{}", set(assignment));
        }
    }

    #[test]
    fn mistakes_say_where() {
        for (assignment, text) in [
            ("seed", "--set: `seed` is not of the form KEY=VALUE\n"),
            ("=1", "--set: `=1` is not of the form KEY=VALUE\n"),
            (
                "images.web:2.1.health=ok",
                "--set: `1.health` does not exist, in the path `images.web:2.1.health`\n  \
                 hint: did you mean `health`?\n",
            ),
            (
                "images.wbe:2.0.health=ok",
                "--set: `wbe:2.0.health` does not exist, in the path \
                 `images.wbe:2.0.health`\n  hint: did you mean `web:2.0`?\n",
            ),
            (
                "script.up.2.run=x",
                "--set: `up.2.run` is not in the list, in the path `script.up.2.run`\n  \
                 hint: did you mean `up.1`?\n",
            ),
            ("name.x=1", "--set: `x` has no parts, in the path `name.x`\n"),
            ("name=[", "--set: the value `[`: this is not YAML: unclosed bracket '['\n"),
        ] {
            assert_eq!(set(assignment), text);
        }
    }
}
