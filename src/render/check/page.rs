//! The page of a rule, and the table of all.

use std::io::{self, Write};

use crate::check::{RULES, Rule};

/// Columns of a page.
const WIDE: usize = 100;

/// Writes everything that is to be known of a rule.
///
/// # Errors
/// Those of writing.
pub fn page(out: &mut dyn Write, rule: &Rule) -> io::Result<()> {
    writeln!(out, "{} {} ({})\n", rule.id, rule.name, rule.severity.word())?;
    let parts = [
        ("looks for", rule.looks_for),
        ("why", rule.why),
        ("run", rule.shows),
        ("change", rule.change),
        ("source", rule.source),
    ];
    for (head, text) in parts {
        let mut head = head;
        for line in wrapped(text, WIDE - 11) {
            writeln!(out, "{head:<11}{line}")?;
            head = "";
        }
    }
    Ok(())
}

/// Writes one line for each rule.
///
/// # Errors
/// Those of writing.
pub fn table(out: &mut dyn Write) -> io::Result<()> {
    for rule in RULES {
        writeln!(out, "{}  {:<8}  {}", rule.id, rule.severity.word(), rule.name)?;
    }
    Ok(())
}

/// Lines of at most so many columns, broken at spaces.
fn wrapped(text: &str, wide: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= wide => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_string()),
        }
    }
    lines
}
