//! A file has one subject, a function fits on a screen, a line fits beside another.

use super::tree::File;

/// Lines of a file without its tests, comments and blank lines included.
const FILE: usize = 800;
/// Lines of code of a file: without tests, comments and blank lines.
const CODE: usize = 600;
/// Lines of a function.
const FUNCTION: usize = 70;
/// Columns of a line.
const LINE: usize = 100;

/// Functions that may be longer: (file, function, why). A list of tries in a test is data.
const LONG: &[(&str, &str, &str)] = &[
    ("src/base/time.rs", "parse_go_duration", "reads beside Go's `time.ParseDuration`"),
    ("src/sim/client.rs", "answer", "total match: one arm for each command"),
    ("src/sim/client.rs", "carry_out", "total match: one arm for each command"),
    ("src/sim/fault.rs", "fault", "total match: one arm for each fault"),
    ("src/timeline/random.rs", "spec", "a list of draws: one for each field"),
];

/// Files that may have more lines of code: (file, why). The limit of all lines holds for them too.
const LARGE: &[(&str, &str)] =
    &[("src/timeline/read.rs", "the mirror of the writer: one arm for each kind of fact")];

pub(crate) fn check(files: &[File]) -> Vec<String> {
    let mut findings = Vec::new();
    for file in files {
        let lines = if file.is_test() { file.lines().count() } else { file.rule_lines().count() };
        let code = file.rule_lines().filter(|(_, line)| is_code(line)).count();
        let path = &file.path;
        if lines > FILE {
            findings.push(format!(
                "{path}: {lines} lines; {FILE} are the limit: find the second subject"
            ));
        } else if code > CODE && LARGE.iter().all(|(file, _)| file != path) {
            findings.push(format!(
                "{path}: {code} lines of code; {CODE} are the limit: find the second subject"
            ));
        }
        for (number, line) in file.lines() {
            let columns = line.chars().count();
            if columns > LINE {
                findings.push(format!("{path}:{number}: {columns} columns; {LINE} are the limit"));
            }
        }
        for (number, name, length) in functions(file) {
            let listed = LONG.iter().any(|(file, function, _)| file == path && *function == name);
            if length > FUNCTION && !listed {
                findings.push(format!(
                    "{path}:{number}: `{name}` has {length} lines; {FUNCTION} are the limit"
                ));
            }
        }
    }
    findings
}

fn is_code(line: &str) -> bool {
    let line = line.trim_start();
    !line.is_empty() && !line.starts_with("//")
}

/// Functions with the line they begin at and their length. Formatted code ends a function with a
/// brace at the indentation of its beginning.
fn functions(file: &File) -> Vec<(usize, String, usize)> {
    let lines: Vec<&str> = file.text.lines().collect();
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let Some(name) = function_name(line) else { continue };
        let indent = line.len() - line.trim_start().len();
        if line.ends_with(';') || line.ends_with('}') {
            continue;
        }
        let end = lines[at + 1..].iter().position(|line| {
            line.len() - line.trim_start().len() == indent
                && (line.trim_start().starts_with('}') || line.ends_with(';'))
        });
        if let Some(end) = end {
            found.push((at + 1, name.to_string(), end + 2));
        }
    }
    found
}

fn function_name(line: &str) -> Option<&str> {
    let mut words = line.split_whitespace().peekable();
    while words
        .next_if(|word| ["const", "async"].contains(word) || word.starts_with("pub"))
        .is_some()
    {
        // `pub(in crate::x)` has a second word.
        words.next_if(|word| word.ends_with(')') && !word.contains('('));
    }
    if words.next()? != "fn" {
        return None;
    }
    words.next()?.split(['(', '<']).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(name: &str, lines: usize) -> String {
        format!("pub fn {name}() {{\n{}}}\n", "    x();\n".repeat(lines - 2))
    }

    #[test]
    fn what_is_too_long_is_found() {
        let code = "x();\n".repeat(601);
        let comments = "// x\n".repeat(801);
        for (text, finding) in [
            (function("f", 71), "src/x.rs:1: `f` has 71 lines; 70 are the limit"),
            (code, "src/x.rs: 601 lines of code; 600 are the limit: find the second subject"),
            (comments, "src/x.rs: 801 lines; 800 are the limit: find the second subject"),
            ("é".repeat(101), "src/x.rs:1: 101 columns; 100 are the limit"),
        ] {
            assert_eq!(check(&[File::new("src/x.rs", &text)]), [finding]);
        }
    }

    #[test]
    fn what_fits_is_not() {
        let tests = format!("#[cfg(test)]\nmod tests {{\n{}}}\n", "    x();\n".repeat(700));
        let text = format!("{}{}{tests}", function("f", 70), "x();\n".repeat(500));
        assert_eq!(check(&[File::new("src/x.rs", &text)]), Vec::<String>::new());
    }

    #[test]
    fn functions_are_recognised() {
        for (line, name) in [
            ("fn f() {", Some("f")),
            ("    pub(in crate::a) const fn g<T>(", Some("g")),
            ("pub(super) fn h() {", Some("h")),
            ("let fn_like = 1;", None),
        ] {
            assert_eq!(function_name(line), name, "{line}");
        }
    }
}
