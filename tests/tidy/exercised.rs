//! How often the conformance sets exercise each rule: list, table and code are in step.

use super::fidelity::{self, EXERCISED, MODULE, Of, RULE, Row, STATUS, TABLE, UPSTREAM, quoted};
use super::tree::{File, Tree};

/// Made by `.ci/exercised`.
const LIST: &str = "tests/exercised.txt";
/// The rules that no case exercises are named here, each with what does.
const NEVER: &str = "## Never exercised";

/// How often a function was called, or any of a module.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Figure<'a> {
    module: &'a str,
    function: &'a str,
    /// Cases and recordings in which it was called.
    seen: (u32, u32),
}

fn figures(list: &File) -> Result<Vec<Figure<'_>>, String> {
    let lines = list.lines().filter(|(_, line)| !line.starts_with('#'));
    lines
        .map(|(number, line)| {
            let cells: Vec<&str> = line.split(' ').collect();
            let [module, function, cases, recordings, _] = cells[..] else {
                return Err(format!("{LIST}:{number}: a line has five words"));
            };
            match (cases.parse(), recordings.parse()) {
                (Ok(cases), Ok(recordings)) => {
                    Ok(Figure { module, function, seen: (cases, recordings) })
                }
                _ => Err(format!("{LIST}:{number}: cases and recordings are numbers")),
            }
        })
        .collect()
}

/// What a rule's figure is taken from.
#[derive(Clone, PartialEq, Eq, Debug)]
enum From {
    /// Functions with the rule's source above them: module and name.
    Functions(Vec<(String, String)>),
    /// A value: nothing is called.
    Value,
    /// Modules, since no function is the rule's alone.
    Modules(Vec<String>),
}

fn from(tree: &Tree, row: &Row<'_>) -> From {
    let (upstream, modules) = (quoted(row.cells[UPSTREAM]), quoted(row.cells[MODULE]));
    let (mut functions, mut is_value) = (Vec::new(), false);
    for module in &modules {
        let Some(file) = tree.get(&format!("src/{module}")) else { continue };
        for source in fidelity::sources(file) {
            let is_it = source.places.iter().any(|place| {
                upstream.contains(&place.file.as_str())
                    && place.names.iter().any(|name| upstream.contains(&name.as_str()))
            });
            match source.of {
                Of::Function(name) if is_it => functions.push((module.to_string(), name)),
                Of::Value if is_it => is_value = true,
                _ => {}
            }
        }
    }
    if !functions.is_empty() {
        From::Functions(functions)
    } else if is_value {
        From::Value
    } else {
        From::Modules(modules.iter().map(ToString::to_string).collect())
    }
}

/// The cell of a row: of several functions the one that fewest cases call, of a module all.
fn cell(figures: &[Figure<'_>], from: &From, others: &[From]) -> String {
    let sum = |(cases, recordings): &(u32, u32)| cases + recordings;
    let seen = |is_it: &dyn Fn(&Figure<'_>) -> bool| {
        figures.iter().filter(|figure| is_it(figure)).map(|f| f.seen).collect::<Vec<_>>()
    };
    match from {
        From::Value => "value".to_string(),
        From::Modules(modules) => {
            let is_it = |f: &Figure<'_>| f.function == "*" && modules.iter().any(|m| m == f.module);
            let seen = seen(&is_it).into_iter().max_by_key(sum);
            let (cases, recordings) = seen.unwrap_or_default();
            format!("{cases} + {recordings}, module")
        }
        From::Functions(functions) => {
            let among = |f: &Figure<'_>| {
                functions.iter().any(|(module, name)| module == f.module && name == f.function)
            };
            let seen = seen(&among).into_iter().min_by_key(sum);
            let (cases, recordings) = seen.unwrap_or_default();
            let shared = others.iter().any(|other| {
                let From::Functions(theirs) = other else { return false };
                theirs.iter().any(|function| functions.contains(function))
            });
            format!("{cases} + {recordings}{}", if shared { ", shared" } else { "" })
        }
    }
}

/// What the column has to say, row by row.
fn column<'a>(tree: &Tree, table: &'a File) -> Result<Vec<(Row<'a>, String)>, String> {
    let list = tree.get(LIST).ok_or(format!("{LIST} is missing: run .ci/exercised"))?;
    let figures = figures(list)?;
    let rows: Vec<Row<'_>> =
        fidelity::rows(table).into_iter().filter(|row| row.cells.len() > EXERCISED).collect();
    let is_absent = |row: &Row<'_>| row.cells[STATUS] == "absent";
    let all: Vec<Option<From>> =
        rows.iter().map(|row| (!is_absent(row)).then(|| from(tree, row))).collect();
    let cells = all.iter().enumerate().map(|(at, own)| {
        let others = all[..at].iter().chain(&all[at + 1..]).flatten().cloned();
        own.as_ref()
            .map_or("–".to_string(), |own| cell(&figures, own, &others.collect::<Vec<_>>()))
    });
    let cells: Vec<String> = cells.collect();
    Ok(rows.into_iter().zip(cells).collect())
}

/// The page with its column as it has to be.
pub(crate) fn written(tree: &Tree) -> Result<String, String> {
    let table = tree.get(TABLE).ok_or(format!("{TABLE} is missing"))?;
    let column = column(tree, table)?;
    let line = |(number, line): (usize, &str)| {
        let cell = column.iter().find(|(row, _)| row.line == number).map(|(_, cell)| cell);
        let before = line.trim_end_matches(" |").rsplit_once(" | ").map(|(before, _)| before);
        match (cell, before) {
            (Some(cell), Some(before)) => format!("{before} | {cell} |\n"),
            _ => format!("{line}\n"),
        }
    };
    Ok(table.lines().map(line).collect())
}

pub(crate) fn check(tree: &Tree) -> Vec<String> {
    let (Some(table), Some(list)) = (tree.get(TABLE), tree.get(LIST)) else {
        return vec![format!("{TABLE} or {LIST} is missing: run .ci/exercised")];
    };
    let (column, figures) = match (column(tree, table), figures(list)) {
        (Ok(column), Ok(figures)) => (column, figures),
        (Err(finding), _) | (_, Err(finding)) => return vec![finding],
    };
    let mut findings = functions_in_step(tree, &column, &figures);
    for (row, cell) in &column {
        if row.cells[EXERCISED] != cell {
            let found = row.cells[EXERCISED];
            findings.push(format!(
                "{TABLE}:{}: exercised `{found}`, {LIST} has `{cell}`: run .ci/exercised",
                row.line
            ));
        }
    }
    let never = column.iter().filter(|(_, cell)| cell.starts_with("0 + 0"));
    let never: Vec<&str> = never.map(|(row, _)| row.cells[RULE]).collect();
    let section = table.text.split_once(NEVER).map_or("", |(_, rest)| rest);
    let section = section.split_once("\n## ").map_or(section, |(own, _)| own);
    let named: Vec<&str> = section
        .lines()
        .filter_map(|line| line.strip_prefix("| "))
        .filter_map(|line| line.split(" | ").next())
        .filter(|rule| *rule != "Rule" && !rule.starts_with("---"))
        .collect();
    for rule in never.iter().filter(|rule| !named.contains(rule)) {
        findings.push(format!("{TABLE}: \"{NEVER}\" does not name the rule: {rule}"));
    }
    for rule in named.iter().filter(|rule| !never.contains(rule)) {
        findings.push(format!("{TABLE}: \"{NEVER}\" names a rule that is none of them: {rule}"));
    }
    findings
}

/// Every function with a source above it has a figure, and every figure a function.
fn functions_in_step(
    tree: &Tree,
    column: &[(Row<'_>, String)],
    figures: &[Figure<'_>],
) -> Vec<String> {
    let mut findings = Vec::new();
    let mut modules: Vec<&str> = column
        .iter()
        .filter(|(row, _)| row.cells[STATUS] != "absent")
        .flat_map(|(row, _)| quoted(row.cells[MODULE]))
        .collect();
    modules.sort_unstable();
    modules.dedup();
    let mut known: Vec<(&str, String)> = Vec::new();
    for module in modules {
        known.push((module, "*".to_string()));
        let Some(file) = tree.get(&format!("src/{module}")) else { continue };
        for source in fidelity::sources(file) {
            if let Of::Function(name) = source.of {
                known.push((module, name));
            }
        }
    }
    for (module, name) in &known {
        if !figures.iter().any(|f| f.module == *module && f.function == name) {
            findings.push(format!("{LIST}: no figure of `{module} {name}`: run .ci/exercised"));
        }
    }
    for Figure { module, function, .. } in figures {
        if !known.iter().any(|(m, name)| m == module && name == function) {
            findings.push(format!("{LIST}: no rule is `{module} {function}`: run .ci/exercised"));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODE: &str = "\
//! Upstream: `manager/x.go`.

/// Upstream: `manager/x.go` `Run`.
pub(crate) fn run() {}

/// Upstream: `manager/x.go` `walk`.
fn walk<T>() {}

/// Upstream: `manager/x.go` `MAX`.
const MAX: u8 = 0;
";

    const ROWS: &str = "\
| runs | 1 | `manager/x.go` `Run` | `swarmkit/x.rs` | `t` | exact | 7 + 2, shared |
| walks | 1 | `manager/x.go` `walk` | `swarmkit/x.rs` | `t` | exact | 0 + 0, shared |
| moves | 1 | `manager/x.go` `Run`, `walk` | `swarmkit/x.rs` | `t` | exact | 0 + 0, shared |
| limit | 1 | `manager/x.go` `MAX` | `swarmkit/x.rs` | `t` | exact | value |
| other | 1 | `manager/y.go` | `swarmkit/x.rs` | `t` | exact | 7 + 2, module |
| none | 1 | `manager/z.go` | — | — | absent | – |
";

    const FIGURES: &str = "\
# made
swarmkit/x.rs * 7 2 90
swarmkit/x.rs run 7 2 80
swarmkit/x.rs walk 0 0 0
";

    fn tree(rows: &str, figures: &str, never: &str) -> Tree {
        let line = "| --- | --- | --- | --- | --- | --- | --- |";
        let header = fidelity::HEADER;
        let never = format!("{NEVER}\n\n| Rule | Tests |\n| --- | --- |\n{never}\n## More\n");
        let table = format!("{header}\n{line}\n{rows}\n{never}");
        let file = File::new;
        Tree::of(&[file("src/swarmkit/x.rs", CODE), file(TABLE, &table), file(LIST, figures)])
    }

    const NAMED: &str = "| walks | `t` |\n| moves | `t` |\n";

    #[test]
    fn a_page_in_step_is_left_as_it_is() {
        let tree = tree(ROWS, FIGURES, NAMED);
        assert_eq!(check(&tree), Vec::<String>::new());
        assert_eq!(
            written(&tree).as_deref(),
            Ok(tree.get(TABLE).expect("it is there").text.as_str())
        );
    }

    #[test]
    fn what_is_out_of_step_is_found() {
        let more = FIGURES.replace("run 7 2", "run 8 2");
        let changed = tree(ROWS, &more, NAMED);
        let finding = "docs/fidelity.md:3: exercised `7 + 2, shared`, tests/exercised.txt has \
                       `8 + 2, shared`: run .ci/exercised";
        assert_eq!(check(&changed), [finding]);
        assert!(written(&changed).expect("it can be made").contains("| exact | 8 + 2, shared |"));
        let less = FIGURES.replace("swarmkit/x.rs run 7 2 80\n", "");
        assert!(check(&tree(ROWS, &less, NAMED))[0].contains("no figure of `swarmkit/x.rs run`"));
        let other = format!("{FIGURES}swarmkit/x.rs jump 1 1 1\n");
        assert!(check(&tree(ROWS, &other, NAMED))[0].contains("no rule is `swarmkit/x.rs jump`"));
        assert!(
            check(&tree(ROWS, FIGURES, "| moves | `t` |\n"))[0]
                .contains("does not name the rule: walks")
        );
        let named = format!("{NAMED}| runs | `t` |\n");
        assert!(check(&tree(ROWS, FIGURES, &named))[0].contains("none of them: runs"));
        assert!(check(&tree(ROWS, "swarmkit/x.rs * 7", NAMED))[0].contains("five words"));
    }
}
