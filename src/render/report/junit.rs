//! The expectations of a run as JUnit XML, for whoever shows test results.

use crate::base::xml::escaped;
use crate::render::report::Report;

/// One suite, a case for each claim.
pub(super) fn junit(report: &Report<'_>) -> String {
    let name = escaped(report.name);
    let claims: Vec<_> = report.verdicts.iter().flat_map(|verdict| &verdict.claims).collect();
    let failures = claims.iter().filter(|claim| claim.found.is_some()).count();
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    text += &format!(
        "<testsuites><testsuite name=\"{name}\" tests=\"{}\" failures=\"{failures}\">\n",
        claims.len()
    );
    for claim in claims {
        let case = format!("  <testcase classname=\"{name}\" name=\"{}\"", escaped(&claim.text));
        match &claim.found {
            None => text += &format!("{case}/>\n"),
            Some(found) => {
                let found = escaped(found);
                text += &format!("{case}><failure message=\"found: {found}\"/></testcase>\n");
            }
        }
    }
    text + "</testsuite></testsuites>\n"
}
