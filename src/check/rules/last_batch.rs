//! The last slots of an update, in which failures are judged late.

use crate::base::dist::Quantity;
use crate::base::time::Span;
use crate::check::measured::{crashes_told, seconds, short};
use crate::check::rule::{Rule, Severity, Suspect};
use crate::check::rules::failure::completed;
use crate::check::subject::{Service, rounded, whole};
use crate::check::trial::{Remedy, Trial};
use crate::docker::behaviour::{Exit, Image};
use crate::swarmkit::spec::{FailureAction, Mode};

const MONITOR: &[&str] = &["deploy", "update_config", "monitor"];

pub(super) const L03: Rule = Rule {
    id: "L03",
    name: "last-batch-is-judged-late",
    severity: Severity::Warning,
    looks_for: "new tasks that need longer to come up than the monitor period; or all slots at \
                once with a failure ratio",
    why: "when the last slot has been handed out nothing is judged until every worker is done, and \
          then by the age of the task at that moment: a failure while another task is still coming \
          up is forgiven",
    shows: "an update to a version that crashes soon after it came up, in all slots or in one; \
            with all slots at once, while one node is slow",
    change: "a monitor period longer than the slowest task needs to come up",
    source: "moby/swarmkit#1245; semantics 5.3, quirk Q4; museum last-batch-blind",
    suspect: last_batch,
};

fn last_batch(service: &Service<'_>) -> Option<Suspect> {
    let up = service.up?;
    let replicas = service.replicas()?;
    let update = service.update();
    let monitor = service.monitor();
    let replicated = matches!(service.spec().mode, Mode::Replicated { .. });
    if update.failure_action == FailureAction::Continue || replicas < 2 || !replicated {
        return None;
    }
    let soon = Span(monitor.0 / 2).min(Span::from_secs(3));
    let after = up.startup.plus(soon);
    let crashing = |slots: Option<Vec<u32>>| {
        let exit = Some(Exit { after: Span(after.0 / 1_000_000 * 1_000_000), code: 1 });
        Image { exit, only_slots: slots, ..service.image() }
    };
    let late = seconds(soon);
    let trial = |what: String, image: Image, slow: Span| {
        let watched = service.long_enough(slow.plus(Span::from_secs(60)));
        Trial::release(service, what, image, watched, &completed(service)).look(crashes_told)
    };
    let monitor_told = short(monitor);
    let at_once = service.at_a_time(replicas) == replicas;
    if up.whole_start > monitor {
        let what = format!("an update to a version that crashes {late} after it came up");
        let mut trials = vec![trial(what.clone(), crashing(None), Span::ZERO)];
        let last = replicas.min(u64::from(u32::MAX)) as u32;
        for slot in [last - 1, 1, last] {
            let what = format!("{what}, in slot {slot} only");
            trials.push(trial(what, crashing(Some(vec![slot])), Span::ZERO));
        }
        let longer = rounded(up.whole_start.times(2).plus(Span::from_secs(10)), 10);
        return Some(Suspect {
            message: format!(
                "a task needs {} to come up, and the monitor period is {monitor_told}: a failure \
                 in the last slots is forgiven while another task comes up",
                seconds(up.whole_start)
            ),
            at: MONITOR,
            trials,
            remedies: vec![Remedy::set(MONITOR, short(longer))],
        });
    }
    if !at_once || update.max_failure_ratio.0 <= 0.0 {
        return None;
    }
    let slow = whole(monitor.plus(Span::from_secs(15)));
    let mut cluster = service.subject.scenario.cluster.clone();
    let node = cluster.nodes.last_mut().filter(|node| !node.manager)?;
    node.latency.start = Some(Quantity::Fixed(slow));
    let what = format!(
        "an update to a version that crashes {late} after it came up, while {} starts containers \
         in {slow}",
        node.name
    );
    let mut shown = trial(what, crashing(None), slow.times(3));
    shown.cluster = Some(cluster);
    Some(Suspect {
        message: format!(
            "all {replicas} slots at once with max_failure_ratio {}: what fails while one of them \
             is still coming up is forgiven after {monitor_told}",
            update.max_failure_ratio.0
        ),
        at: MONITOR,
        trials: vec![shown],
        remedies: vec![Remedy::set(MONITOR, short(rounded(slow.times(2), 10)))],
    })
}
