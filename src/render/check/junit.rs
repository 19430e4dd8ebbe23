//! JUnit XML: a suite for each file, a failed case for each finding.

use crate::base::xml::escaped;
use crate::render::check::Checked;

pub(super) fn document(files: &[Checked]) -> String {
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    for file in files {
        let name = escaped(&file.file);
        let found = file.findings.len();
        let (tests, failures) = match (found, file.valid.is_some()) {
            (0, true) => (1, 0),
            (_, true) => (found, found),
            (_, false) => (1, 1),
        };
        text += &format!("<testsuite name=\"{name}\" tests=\"{tests}\" failures=\"{failures}\">\n");
        if file.valid.is_none() {
            let mistakes = file.mistakes.iter().map(|mistake| {
                let place = mistake.place.map(|p| format!(":{}:{}", p.line, p.column));
                let place = place.unwrap_or_default();
                format!("{}{place}: {}", mistake.file, mistake.message)
            });
            let mistakes = mistakes.collect::<Vec<_>>().join("\n");
            text += &format!(
                "  <testcase classname=\"{name}\" name=\"valid\"><failure message=\"the file is \
                 not valid\">{}</failure></testcase>\n",
                escaped(&mistakes)
            );
        } else if found == 0 {
            text += &format!("  <testcase classname=\"{name}\" name=\"no findings\"/>\n");
        }
        for finding in &file.findings {
            let (rule, service) = (finding.rule, escaped(&finding.service));
            let message = escaped(&finding.message);
            let seen = finding.witness.seen.join("\n");
            let body =
                format!("{}:{}\n{}\n{seen}", file.file, finding.place.line, finding.witness.what);
            text += &format!(
                "  <testcase classname=\"{name}\" name=\"{} {}: {service}\"><failure \
                 type=\"{}\" message=\"{message}\">{}</failure></testcase>\n",
                rule.id,
                rule.name,
                rule.severity.word(),
                escaped(&body)
            );
        }
        text += "</testsuite>\n";
    }
    text + "</testsuites>\n"
}
