//! SARIF 2.1.0, for whoever shows findings beside the code.

use serde_json::{Value, json};

use crate::check::{Finding, Patch, RULES, Replacement, Rule, Severity};
use crate::render::check::{Checked, Mistake};
use crate::scenario::problem::Place;

/// Rules that are about a file as a whole: id, name, what it looks for, why.
const WHOLE: [[&str; 4]; 2] = [
    [
        "S01",
        "file-is-not-valid",
        "a file that cannot be read, or that docker or swarmsim would refuse",
        "nothing is deployed from it, and no other rule was asked about it",
    ],
    [
        "S02",
        "service-does-not-come-up",
        "a service that does not come up when the file is deployed as it stands",
        "every update of it begins without running tasks, and no rule says why that is so",
    ],
];

pub(super) fn document(files: &[Checked]) -> Value {
    let rules = RULES.iter().map(|rule| described(rule)).chain(WHOLE.map(whole));
    let results = files.iter().flat_map(|file| {
        let mistakes = file.mistakes.iter().map(invalid);
        let unknown = file.valid.is_none() && file.mistakes.is_empty();
        let unknown = unknown.then(|| about(0, &file.file, None, "the file is not valid"));
        let down = file.down.iter().map(|service| {
            let text = format!("{service} does not come up");
            about(1, &file.file, None, &text)
        });
        let findings = file.findings.iter().map(|finding| result(&file.file, finding));
        mistakes.chain(unknown).chain(down).chain(findings).collect::<Vec<_>>()
    });
    json!({
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "swarmsim",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules.collect::<Vec<_>>(),
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

fn whole([id, name, looks_for, why]: [&str; 4]) -> Value {
    json!({
        "id": id,
        "name": name,
        "shortDescription": {"text": looks_for},
        "fullDescription": {"text": why},
        "defaultConfiguration": {"level": level(Severity::Error)},
    })
}

fn invalid(mistake: &Mistake) -> Value {
    about(0, &mistake.file, mistake.place, &mistake.message)
}

/// A result of one of the rules about whole files.
fn about(number: usize, file: &str, place: Option<Place>, text: &str) -> Value {
    json!({
        "ruleId": WHOLE[number][0],
        "ruleIndex": RULES.len() + number,
        "level": level(Severity::Error),
        "message": {"text": text},
        "locations": [location(file, place)],
    })
}

fn location(file: &str, place: Option<Place>) -> Value {
    let artifact = json!({"uri": uri(file)});
    match place {
        None => json!({"physicalLocation": {"artifactLocation": artifact}}),
        Some(Place { line, column }) => json!({"physicalLocation": {
            "artifactLocation": artifact,
            "region": {"startLine": line, "startColumn": column.max(1)},
        }}),
    }
}

fn result(file: &str, finding: &Finding) -> Value {
    let Finding { rule, service, place, message, witness, proposal } = finding;
    let seen = witness.seen.join("; ");
    let mut text = format!("{service}: {message}. Run: {}: {seen}.", witness.what);
    if let Some(proposal) = proposal {
        text.push_str(&format!(" Change: {}.", proposal.words));
    }
    let mut result = json!({
        "ruleId": rule.id,
        "ruleIndex": RULES.iter().position(|other| other.id == rule.id),
        "level": level(rule.severity),
        "message": {"text": text},
        "locations": [location(file, Some(*place))],
        "properties": {"service": service},
    });
    let patched = proposal.as_ref().and_then(|proposal| Some((proposal, proposal.patch.as_ref()?)));
    if let Some((proposal, patch)) = patched {
        result["properties"]["diff"] = json!(patch.diff);
        result["fixes"] = json!([fix(file, &proposal.words, patch)]);
    }
    result
}

/// The change as replacements of lines.
fn fix(file: &str, words: &str, patch: &Patch) -> Value {
    let replacements: Vec<Value> = patch.replacements.iter().map(replacement).collect();
    json!({
        "description": {"text": words},
        "artifactChanges": [{
            "artifactLocation": {"uri": uri(file)},
            "replacements": replacements,
        }],
    })
}

/// From the beginning of the first line to the beginning of the line after the last; a last line
/// without a break ends behind its last character.
fn replacement(replacement: &Replacement) -> Value {
    let Replacement { line, lines, open, text } = replacement;
    let (end_line, end_column) = match open {
        Some(characters) => (line + lines - 1, characters + 1),
        None => (line + lines, 1),
    };
    json!({
        "deletedRegion": {
            "startLine": line,
            "startColumn": 1,
            "endLine": end_line,
            "endColumn": end_column,
        },
        "insertedContent": {"text": text},
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
    use serde_json::json;

    use crate::check::Replacement;

    #[test]
    fn a_path_is_a_reference() {
        assert_eq!(super::uri("stacks/a b.yml"), "stacks/a%20b.yml");
    }

    #[test]
    fn a_replacement_is_a_region_of_whole_lines() {
        let of = |lines, open| {
            let text = "x: 1\n".to_string();
            super::replacement(&Replacement { line: 4, lines, open, text })["deletedRegion"].clone()
        };
        let region = |line, column| {
            let mut region = json!({"startLine": 4, "startColumn": 1});
            region["endLine"] = json!(line);
            region["endColumn"] = json!(column);
            region
        };
        assert_eq!(
            [of(0, None), of(2, None), of(1, Some(7))],
            [region(4, 1), region(6, 1), region(4, 8)]
        );
    }
}
