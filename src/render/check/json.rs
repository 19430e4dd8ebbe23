//! One JSON document.

use serde_json::{Value, json};

use crate::check::Finding;
use crate::render::check::{Checked, Mistake, counts};

pub(super) fn document(files: &[Checked]) -> Value {
    let counts = counts(files);
    let counts: serde_json::Map<String, Value> =
        counts.into_iter().map(|(severity, n)| (severity.word().to_string(), n.into())).collect();
    json!({
        "version": 1,
        "counts": counts,
        "files": files.iter().map(file).collect::<Vec<_>>(),
    })
}

fn file(file: &Checked) -> Value {
    json!({
        "file": file.file,
        "valid": file.valid.is_some(),
        "services": file.valid.and_then(|valid| valid.services),
        "unasked": file.unasked,
        "down": file.down,
        "mistakes": file.mistakes.iter().map(mistake).collect::<Vec<_>>(),
        "findings": file.findings.iter().map(finding).collect::<Vec<_>>(),
    })
}

fn mistake(mistake: &Mistake) -> Value {
    json!({
        "file": mistake.file,
        "line": mistake.place.map(|place| place.line),
        "column": mistake.place.map(|place| place.column),
        "message": mistake.message,
    })
}

fn finding(finding: &Finding) -> Value {
    json!({
        "rule": finding.rule.id,
        "name": finding.rule.name,
        "severity": finding.rule.severity.word(),
        "service": finding.service,
        "line": finding.place.line,
        "column": finding.place.column,
        "message": finding.message,
        "why": finding.rule.why,
        "source": finding.rule.source,
        "witness": {
            "what": finding.witness.what,
            "seen": finding.witness.seen,
        },
        "change": finding.proposal.as_ref().map(|proposal| json!({
            "words": proposal.words,
            "diff": proposal.patch.as_ref().map(|patch| &patch.diff),
            "tried": proposal.tried,
        })),
    })
}
