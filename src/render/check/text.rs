//! For people: a few lines a finding.

use std::io::{self, Write};

use crate::check::{Finding, Severity, count};
use crate::render::check::{Checked, Valid, counts};

pub(super) fn write(out: &mut dyn Write, files: &[Checked]) -> io::Result<()> {
    for file in files {
        let name = &file.file;
        let Some(Valid { services, steps, expectations, refused }) = file.valid else { continue };
        let stack = services.map(|n| format!("a stack of {}, ", count(n as u64, "service")));
        let stack = stack.unwrap_or_default();
        let (steps, expectations) =
            (count(steps as u64, "step"), count(expectations as u64, "expectation"));
        let refused = match refused {
            0 => String::new(),
            lines => format!(", {} refused", count(lines as u64, "line")),
        };
        writeln!(out, "{name}: valid, {stack}{steps}, {expectations}{refused}")?;
        if let Some(why) = file.unasked.as_ref().filter(|_| file.is_told()) {
            writeln!(out, "{name}: no rule was asked: {why}")?;
        }
        for service in &file.down {
            writeln!(out, "{name}: {service} does not come up: swarmsim run {name} shows why")?;
        }
        for finding in &file.findings {
            write_one(out, name, finding)?;
        }
    }
    let asked = |file: &Checked| file.unasked.is_none() && file.valid.is_some();
    if !files.iter().any(asked) {
        return Ok(());
    }
    let counts = counts(files).into_iter().filter(|(_, number)| *number > 0);
    let counts: Vec<String> = counts.map(|(severity, number)| so_many(severity, number)).collect();
    if counts.is_empty() {
        return writeln!(out, "no findings");
    }
    writeln!(out, "\nfound: {}; a rule's page: swarmsim check --explain L02", counts.join(", "))
}

fn so_many(severity: Severity, number: usize) -> String {
    let plural = if number == 1 || severity == Severity::Info { "" } else { "s" };
    format!("{number} {}{plural}", severity.word())
}

fn write_one(out: &mut dyn Write, file: &str, finding: &Finding) -> io::Result<()> {
    let Finding { rule, service, place, message, witness, proposal } = finding;
    let severity = rule.severity.word();
    let (line, column) = (place.line, place.column);
    writeln!(out, "\n{file}:{line}:{column}: {severity} {} {}: {service}", rule.id, rule.name)?;
    writeln!(out, "  {message}")?;
    writeln!(out, "  run     {}", witness.what)?;
    for seen in &witness.seen {
        writeln!(out, "          {seen}")?;
    }
    let Some(proposal) = proposal else { return Ok(()) };
    writeln!(out, "  change  {}", proposal.words)?;
    match proposal.tried.as_deref() {
        Some("") => writeln!(out, "          the same run with it shows no harm")?,
        Some(tried) => writeln!(out, "          the same run with it: {tried}")?,
        None => writeln!(out, "          not tried in a run")?,
    }
    for line in proposal.patch.iter().flat_map(|patch| patch.diff.lines()) {
        writeln!(out, "    {line}")?;
    }
    Ok(())
}
