//! SARIF 2.1.0, for whoever shows findings beside the code.

use serde_json::{Value, json};

use crate::check::{Finding, RULES, Rule, Severity};
use crate::render::check::Checked;

pub(super) fn document(files: &[Checked]) -> Value {
    let results = files.iter().flat_map(|file| file.findings.iter().map(|f| result(&file.file, f)));
    json!({
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "swarmsim",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": RULES.iter().map(|rule| described(rule)).collect::<Vec<_>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "results": results.collect::<Vec<_>>(),
        }],
    })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "note",
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}

fn described(rule: &Rule) -> Value {
    json!({
        "id": rule.id,
        "name": rule.name,
        "shortDescription": {"text": rule.looks_for},
        "fullDescription": {"text": rule.why},
        "help": {"text": format!("Shown by: {}. Change: {}.", rule.shows, rule.change)},
        "defaultConfiguration": {"level": level(rule.severity)},
    })
}

fn result(file: &str, finding: &Finding) -> Value {
    let Finding { rule, service, place, message, witness, proposal } = finding;
    let seen = witness.seen.join("; ");
    let mut text = format!("{service}: {message}. Run: {}: {seen}.", witness.what);
    if let Some(proposal) = proposal {
        text.push_str(&format!(" Change: {}.", proposal.words));
    }
    json!({
        "ruleId": rule.id,
        "ruleIndex": RULES.iter().position(|other| other.id == rule.id),
        "level": level(rule.severity),
        "message": {"text": text},
        "locations": [{"physicalLocation": {
            "artifactLocation": {"uri": uri(file)},
            "region": {"startLine": place.line, "startColumn": place.column},
        }}],
        "properties": {
            "service": service,
            "diff": proposal.as_ref().and_then(|p| p.patch.as_ref()).map(|patch| &patch.diff),
        },
    })
}

/// A path as a relative reference: what may not stand in one is written with percent signs.
fn uri(path: &str) -> String {
    let mut uri = String::new();
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_path_is_a_reference() {
        assert_eq!(super::uri("stacks/a b.yml"), "stacks/a%20b.yml");
    }
}
