//! Who may know whom.

use super::tree::File;

/// A module, and the modules it may use besides itself. `main.rs` and `cli` may use everything, and
/// nobody may use `cli`.
const TABLE: &[(&str, &[&str])] = &[
    ("base", &[]),
    ("kernel", &["base"]),
    // Of the timeline its words only: a control loop says why it waits in the vocabulary of facts.
    ("swarmkit", &["base", "timeline::record"]),
    ("docker", &["base", "swarmkit"]),
    // Of the client what a row of its progress display can show: a fact, and the client's words.
    ("timeline", &["base", "client::shown", "swarmkit"]),
    ("client", &["base", "swarmkit"]),
    (
        "scenario",
        &[
            "base",
            "client",
            "docker::behaviour",
            "swarmkit::defaults",
            "swarmkit::spec",
            "swarmkit::task",
        ],
    ),
    ("compose", &["base", "client", "scenario", "swarmkit::defaults", "swarmkit::spec"]),
    ("metrics", &["base", "swarmkit::spec", "swarmkit::task", "timeline"]),
    (
        "expect",
        &[
            "base",
            "metrics",
            "scenario::expect",
            "scenario::model",
            "swarmkit::spec",
            "swarmkit::task",
            "timeline",
        ],
    ),
    (
        "sim",
        // Of `conform` the cases only: they are what the scripted world is built from.
        &[
            "base",
            "client",
            "compose",
            "conform::case",
            "conform::event",
            "conform::service",
            "conform::step",
            "docker",
            "kernel",
            "scenario",
            "swarmkit",
            "timeline",
        ],
    ),
    ("conform", &["base", "docker", "kernel", "scenario", "sim", "swarmkit", "timeline"]),
    ("sweep", &["base", "expect", "metrics", "scenario", "sim", "swarmkit::task", "timeline"]),
    ("demo", &["base", "metrics", "scenario", "sim", "timeline"]),
    (
        "check",
        &[
            "base",
            "client::command",
            "compose",
            "docker::behaviour",
            "docker::health",
            "expect",
            "metrics",
            "scenario",
            "sim",
            "swarmkit::defaults",
            "swarmkit::spec",
            "swarmkit::task",
            "timeline",
        ],
    ),
    (
        "plan",
        &[
            "base",
            "client::image",
            "client::inspect",
            "client::json",
            "compose",
            "docker::behaviour",
            "docker::container",
            "scenario",
            "sim",
            "swarmkit",
            "sweep::replicate",
            "sweep::stats",
            "timeline",
        ],
    ),
    (
        "advise",
        &[
            "base",
            "compose",
            "docker::behaviour",
            "docker::health",
            "plan",
            "scenario::Scenario",
            "scenario::model",
            "scenario::problem",
            "swarmkit::defaults",
            "swarmkit::spec",
            "swarmkit::task",
            "sweep::replicate",
        ],
    ),
    (
        "render",
        &[
            "advise",
            "base",
            "check",
            "demo",
            "client::command",
            "client::ps",
            "client::rows",
            "client::shown",
            "client::table",
            "client::text",
            "expect::Verdict",
            "metrics",
            "plan",
            "scenario::Scenario",
            "scenario::model",
            "scenario::problem",
            "swarmkit::spec",
            "swarmkit::task",
            "sweep",
            "timeline",
        ],
    ),
    (
        "player",
        &[
            "base",
            "client::command",
            "client::ps",
            "render::rows",
            "scenario",
            "sim",
            "swarmkit::task",
            "timeline",
        ],
    ),
];

/// Modules that may use everything.
const ANYTHING: &[&str] = &["cli", "main", "lib"];

pub(crate) fn check(files: &[File]) -> Vec<String> {
    let mut findings = Vec::new();
    for file in files {
        let Some(place) = file.path.strip_prefix("src/") else { continue };
        let module = place.split('/').next().unwrap_or(place).trim_end_matches(".rs");
        if ANYTHING.contains(&module) {
            continue;
        }
        let Some((_, allowed)) = TABLE.iter().find(|(name, _)| *name == module) else {
            findings.push(format!(
                "{}: module `{module}` has no row in the table of tests/tidy/layers.rs",
                file.path
            ));
            continue;
        };
        for (line, used) in uses(file) {
            let known = used.split("::").next() == Some(module)
                || allowed.iter().any(|path| covers(path, &used));
            if !known {
                findings.push(format!(
                    "{}:{line}: `{module}` may not know `{used}`; it may know: {}",
                    file.path,
                    allowed.join(", ")
                ));
            }
        }
    }
    findings
}

fn covers(allowed: &str, used: &str) -> bool {
    used == allowed || used.strip_prefix(allowed).is_some_and(|rest| rest.starts_with("::"))
}

/// Paths after `crate::`, to two parts, with their lines; groups in braces are taken apart.
fn uses(file: &File) -> Vec<(usize, String)> {
    let code: Vec<(usize, &str)> =
        file.lines().filter(|(_, line)| !line.trim_start().starts_with("//")).collect();
    let mut found = Vec::new();
    for (index, (number, line)) in code.iter().enumerate() {
        for (at, mark) in line.match_indices("crate::") {
            let mut rest = line[at + mark.len()..].to_string();
            // A group goes on in the next lines until its braces are closed.
            for (_, more) in &code[index + 1..] {
                if rest.matches('{').count() <= rest.matches('}').count() || !is_group(&rest) {
                    break;
                }
                rest.push_str(more.trim());
            }
            found.extend(paths(&rest).into_iter().map(|path| (*number, path)));
        }
        if line.contains("super::super") {
            found.push((*number, "super::super".to_string()));
        }
    }
    found
}

/// Whether the path at the start of `text` ends in a group of paths.
fn is_group(text: &str) -> bool {
    text[path_length(text)..].starts_with('{')
}

fn path_length(text: &str) -> usize {
    text.find(|c: char| !c.is_alphanumeric() && c != '_' && c != ':').unwrap_or(text.len())
}

/// The path at the start of `text`, or the paths of its group, cut after two parts.
fn paths(text: &str) -> Vec<String> {
    let (path, rest) = text.split_at(path_length(text));
    let cut = |path: &str| {
        path.split("::").filter(|part| !part.is_empty()).take(2).collect::<Vec<_>>().join("::")
    };
    let Some(group) = rest.strip_prefix('{') else { return vec![cut(path)] };
    members(group)
        .into_iter()
        .flat_map(paths)
        .map(|member| cut(&format!("{path}{member}")))
        .collect()
}

/// What stands between the commas of a group, whose opening brace has been taken off.
fn members(group: &str) -> Vec<&str> {
    let mut members = Vec::new();
    let (mut depth, mut start) = (0, 0);
    for (at, c) in group.char_indices() {
        let is_end = depth == 0 && (c == ',' || c == '}');
        if is_end {
            members.push(group[start..at].trim());
            start = at + 1;
        }
        match c {
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            '{' => depth += 1,
            _ => {}
        }
    }
    members.retain(|member| !member.is_empty());
    members
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forbidden_edge_is_found_however_it_is_written() {
        for (text, used) in [
            ("use crate::sim::World;", "sim::World"),
            ("use crate::{base::time, sim};", "sim"),
            ("use crate::{\n    base::{time, ids},\n    sim::{\n    a},\n};", "sim::a"),
            ("fn f(world: &crate::sim::World) {}", "sim::World"),
            ("use super::super::sim::World;", "super::super"),
        ] {
            let findings = check(&[File::new("src/swarmkit/x.rs", text)]);
            assert_eq!(findings.len(), 1, "{text}: {findings:?}");
            assert!(findings[0].contains(&format!("`{used}`")), "{findings:?}");
        }
    }

    #[test]
    fn an_allowed_edge_is_not() {
        let text =
            "use crate::base::time;\n// crate::sim\nuse crate::swarmkit::{\nspec,\ntask::{A, B}};";
        assert_eq!(check(&[File::new("src/swarmkit/x.rs", text)]), Vec::<String>::new());
        let file = File::new("src/scenario/x.rs", "use crate::swarmkit::spec_of;");
        assert_eq!(check(&[file]).len(), 1);
    }

    #[test]
    fn a_module_without_a_row_is_found() {
        assert_eq!(check(&[File::new("src/other.rs", "")]).len(), 1);
    }
}
