//! The expectations of a run as JUnit XML, for whoever shows test results.

use crate::base::xml::escaped;
use crate::render::report::Report;
use crate::timeline::ends::Stop;
use crate::timeline::words::why_ended;

/// One suite: a case for the end of the run, which a limit or a script that is stuck fails, and one
/// for each claim.
pub(super) fn junit(report: &Report<'_>) -> String {
    let name = escaped(report.name);
    let stop = &report.timeline.footer.stop;
    let ended = match stop {
        Stop::ScriptDone | Stop::Quiet => None,
        stop => Some(why_ended(stop)),
    };
    let claims = report.verdicts.iter().flat_map(|verdict| &verdict.claims);
    let claims = claims.map(|claim| (claim.text.as_str(), claim.found.clone()));
    let cases: Vec<_> = [("the run ends", ended)].into_iter().chain(claims).collect();
    let failures = cases.iter().filter(|(_, found)| found.is_some()).count();
    let errors = usize::from(report.unread.is_some());
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    text += &format!(
        "<testsuites><testsuite name=\"{name}\" tests=\"{}\" failures=\"{failures}\" \
         errors=\"{errors}\">\n",
        cases.len() + errors
    );
    for (claim, found) in cases {
        let case = format!("  <testcase classname=\"{name}\" name=\"{}\"", escaped(claim));
        match found {
            None => text += &format!("{case}/>\n"),
            Some(found) => {
                let found = escaped(&found);
                text += &format!("{case}><failure message=\"found: {found}\"/></testcase>\n");
            }
        }
    }
    if let Some(why) = report.unread {
        let case = format!("  <testcase classname=\"{name}\" name=\"the expectations are known\"");
        text += &format!("{case}><error message=\"{}\"/></testcase>\n", escaped(why));
    }
    text + "</testsuite></testsuites>\n"
}
