//! Every rule of Swarm names its source, and the table of rules is true and complete.

use super::tree::{File, Tree};

/// Where the rules are.
const RULES: &[&str] = &["src/swarmkit/", "src/docker/"];
pub(super) const TABLE: &str = "docs/fidelity.md";
pub(super) const HEADER: &str =
    "| Rule | Semantics | Upstream | Module | Test | Status | Exercised |";
const STATUSES: &[&str] = &["exact", "approximate", "absent"];

/// A place upstream, as a comment of ours names it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Place {
    line: usize,
    pub(super) file: String,
    /// Names in that file; none if the file as a whole is meant.
    pub(super) names: Vec<String>,
}

/// An `Upstream:` comment: its places, and what it stands above.
pub(super) struct Source {
    line: usize,
    pub(super) places: Vec<Place>,
    pub(super) of: Of,
}

/// What an `Upstream:` comment stands above.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Of {
    /// A module, at its beginning.
    Module,
    /// A function of that name.
    Function(String),
    /// A constant, a type, a field, a line of code.
    Value,
}

pub(super) fn sources(file: &File) -> Vec<Source> {
    let lines: Vec<(usize, &str)> = file.rule_lines().collect();
    let mut found: Vec<Source> = Vec::new();
    for (at, (number, line)) in lines.iter().enumerate() {
        let Some((_, start)) = comment(line).and_then(|text| text.split_once("Upstream:")) else {
            continue;
        };
        let more = lines[at + 1..].iter().map_while(|(_, line)| comment(line));
        let text = more
            .take_while(|text| !text.is_empty())
            .fold(start.to_string(), |all, next| all + " " + next);
        let before = found.iter().rev().find_map(|source| source.places.last());
        let places = places(&text, *number, before);
        let next = lines[at + 1..]
            .iter()
            .map(|(_, line)| line.trim_start())
            .find(|line| !line.starts_with("//") && !line.starts_with("#[") && !line.is_empty());
        let function = next.and_then(|line| {
            line.strip_prefix("fn ").or_else(|| {
                line.starts_with("pub").then(|| line.split_once(" fn ").map(|(_, rest)| rest))?
            })
        });
        let of = match function {
            _ if line.trim_start().starts_with("//!") => Of::Module,
            Some(rest) => Of::Function(rest.split(['(', '<']).next().unwrap_or(rest).to_string()),
            None => Of::Value,
        };
        found.push(Source { line: *number, places, of });
    }
    found
}

fn comment(line: &str) -> Option<&str> {
    let text = line.trim_start().strip_prefix("//")?;
    Some(text.trim_start_matches(['/', '!']).trim())
}

/// The places in the first sentence of `text`: files in backticks, each with the names after it.
/// `same` is the file named before.
fn places(text: &str, line: usize, before: Option<&Place>) -> Vec<Place> {
    let mut places: Vec<Place> = Vec::new();
    for (index, part) in text.split('`').enumerate() {
        if index % 2 == 1 {
            let is_file = [".go", ".proto", ".md", ".tla"].iter().any(|end| part.ends_with(end));
            if is_file || part.ends_with('/') {
                places.push(Place { line, file: part.to_string(), names: Vec::new() });
            } else if let Some(place) = places.last_mut() {
                place.names.push(part.to_string());
            }
            continue;
        }
        if part.trim_start().starts_with("same")
            && let (true, Some(before)) = (places.is_empty(), before)
        {
            places.push(Place { line, file: before.file.clone(), names: Vec::new() });
        }
        if part.contains(". ") || part.contains(';') || part.trim_end().ends_with('.') {
            break;
        }
    }
    places
}

fn rules(files: &[File]) -> impl Iterator<Item = &File> {
    files.iter().filter(|file| RULES.iter().any(|dir| file.path.starts_with(dir)))
}

pub(crate) fn check_lines(files: &[File]) -> Vec<String> {
    let mut findings = Vec::new();
    for file in rules(files) {
        for Source { line, places, of } in sources(file) {
            // The page of the module names the repository and the commit.
            if places.is_empty() && !file.path.ends_with("/mod.rs") {
                findings
                    .push(format!("{}:{line}: `Upstream:` names no file in backticks", file.path));
            } else if matches!(of, Of::Function(_))
                && places.iter().all(|place| place.names.is_empty())
            {
                findings.push(format!("{}:{line}: `Upstream:` names no function", file.path));
            }
        }
    }
    findings
}

/// A row of the table.
pub(super) struct Row<'a> {
    pub(super) line: usize,
    pub(super) cells: Vec<&'a str>,
}

pub(super) const RULE: usize = 0;
pub(super) const UPSTREAM: usize = 2;
pub(super) const MODULE: usize = 3;
const TEST: usize = 4;
pub(super) const STATUS: usize = 5;
pub(super) const EXERCISED: usize = 6;

pub(super) fn rows(table: &File) -> Vec<Row<'_>> {
    let mut rows = Vec::new();
    let mut inside = false;
    for (line, text) in table.lines() {
        if text == HEADER {
            inside = true;
        } else if !text.starts_with('|') {
            inside = false;
        } else if inside && !text.starts_with("| ---") {
            let cells = text.trim_matches('|').split(" | ").map(str::trim).collect();
            rows.push(Row { line, cells });
        }
    }
    rows
}

pub(super) fn quoted(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

/// Rows have seven cells, a known status, and a module and a test that exist.
pub(crate) fn check_table(tree: &Tree) -> Vec<String> {
    let Some(table) = tree.get(TABLE) else { return vec![format!("{TABLE} is missing")] };
    let mut findings = Vec::new();
    let rows = rows(table);
    if rows.is_empty() {
        findings.push(format!("{TABLE}: no table with the header {HEADER}"));
    }
    for Row { line, cells } in rows {
        let mut wrong = |what: String| findings.push(format!("{TABLE}:{line}: {what}"));
        if cells.len() != 7 {
            wrong(format!("{} cells instead of 7", cells.len()));
            continue;
        }
        if !STATUSES.contains(&cells[STATUS]) {
            wrong(format!("status `{}`, expected one of {}", cells[STATUS], STATUSES.join(", ")));
        }
        if cells[STATUS] == "absent" {
            continue;
        }
        let modules = quoted(cells[MODULE]);
        for module in &modules {
            if tree.get(&format!("src/{module}")).is_none() {
                wrong(format!("there is no module src/{module}"));
            }
        }
        let tests = quoted(cells[TEST]);
        if modules.is_empty() || tests.is_empty() {
            wrong("a rule that is not absent has a module and a test".to_string());
        }
        for test in tests.iter().filter(|test| !is_test(tree, test)) {
            wrong(format!("there is no test `{test}`"));
        }
    }
    findings
}

/// A function of that name, or a file of tests or data.
fn is_test(tree: &Tree, test: &str) -> bool {
    let start = format!("fn {test}(");
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    tree.files().iter().any(|file| file.path.ends_with(".rs") && file.text.contains(&start))
        || (test.contains('/') && root.join(test).exists())
}

/// Every place that the code names has a row; the finding is the row to complete.
pub(crate) fn check_rows(tree: &Tree) -> Vec<String> {
    let Some(table) = tree.get(TABLE) else { return vec![format!("{TABLE} is missing")] };
    let rows = rows(table);
    let files = tree.sources();
    let mut findings = Vec::new();
    for file in rules(&files) {
        let module = file.path.trim_start_matches("src/");
        let sources = sources(file);
        for place in sources.iter().flat_map(|source| &source.places) {
            for name in &place.names {
                let has_row = rows.iter().any(|row| {
                    let cell = |at: usize| row.cells.get(at).map(|cell| quoted(cell));
                    let names = |at, text: &str| cell(at).is_some_and(|all| all.contains(&text));
                    names(MODULE, module) && names(UPSTREAM, &place.file) && names(UPSTREAM, name)
                });
                if !has_row {
                    findings.push(format!(
                        "{}:{}: no row: |  |  | `{}` `{name}` | `{module}` | `` | exact |  |",
                        file.path, place.line, place.file
                    ));
                }
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODE: &str = "\
//! Upstream: `manager/x/`.

/// Runs. Upstream: `manager/x/run.go` `Run`, `run`. Not `this`.
pub fn run() {}

/// Same file. Upstream: same, `Stop`.
const STOP: u8 = 0;
";

    fn file(text: &str) -> File {
        File::new("src/swarmkit/x.rs", text)
    }

    #[test]
    fn places_are_read() {
        let read: Vec<(usize, String, String)> = sources(&file(CODE))
            .iter()
            .flat_map(|source| &source.places)
            .map(|place| (place.line, place.file.clone(), place.names.join(" ")))
            .collect();
        let place = |line, file: &str, names: &str| (line, file.to_string(), names.to_string());
        assert_eq!(
            read,
            [
                place(1, "manager/x/", ""),
                place(3, "manager/x/run.go", "Run run"),
                place(6, "manager/x/run.go", "Stop"),
            ]
        );
    }

    #[test]
    fn a_source_without_file_or_function_is_found() {
        let text = "/// Upstream: somewhere.\nconst A: u8 = 0;\n/// Upstream: `a.go`.\nfn a() {}\n";
        assert_eq!(
            check_lines(&[file(text)]),
            [
                "src/swarmkit/x.rs:1: `Upstream:` names no file in backticks",
                "src/swarmkit/x.rs:3: `Upstream:` names no function",
            ]
        );
        assert_eq!(check_lines(&[file(CODE)]), Vec::<String>::new());
    }

    fn tree(rows: &str) -> Tree {
        let table = format!("{HEADER}\n| --- | --- | --- | --- | --- | --- | --- |\n{rows}\n");
        let test = File::new("src/base/x.rs", "fn it_runs() {}");
        Tree::of(&[file(CODE), File::new(TABLE, &table), test])
    }

    #[test]
    fn rows_that_are_not_true_are_found() {
        let good = "| a | 1 | `manager/x/run.go` `Run` | `swarmkit/x.rs` | `it_runs` | exact \
                    | 1 |\n\
                    | b | 2 | `manager/y.go` | — | — | absent | – |";
        assert_eq!(check_table(&tree(good)), Vec::<String>::new());
        for (row, finding) in [
            ("| a | 1 |", "2 cells instead of 7"),
            (
                "| a | 1 | `u` | `swarmkit/x.rs` | `it_runs` | yes | 0 |",
                "status `yes`, expected one of",
            ),
            ("| a | 1 | `u` | `swarmkit/y.rs` | `it_runs` | exact | 0 |", "there is no module"),
            ("| a | 1 | `u` | `swarmkit/x.rs` | `it_walks` | exact | 0 |", "there is no test"),
            ("| a | 1 | `u` | `swarmkit/x.rs` | — | exact | 0 |", "a rule that is not absent has"),
        ] {
            let found = check_table(&tree(row));
            assert_eq!(found.len(), 1, "{row}: {found:?}");
            assert!(found[0].contains(finding), "{found:?}");
        }
    }

    #[test]
    fn a_rule_without_a_row_is_found() {
        let row =
            "| a | 1 | `manager/x/run.go` `Run`, `Stop` | `swarmkit/x.rs` | `t` | exact | 0 |";
        let lacking = "|  |  | `manager/x/run.go` `run` | `swarmkit/x.rs` | `` | exact |  |";
        let finding = format!("src/swarmkit/x.rs:3: no row: {lacking}");
        assert_eq!(check_rows(&tree(row)), [finding]);
    }
}
