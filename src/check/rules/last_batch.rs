//! The last slots of an update, in which failures are judged late.

use crate::base::dist::Quantity;
use crate::base::time::Span;
use crate::check::measured::{crashes_told, seconds, short};
use crate::check::rule::{Rule, Severity, Suspect};
use crate::check::rules::failure::completed;
use crate::check::subject::{Service, rounded};
use crate::check::trial::{Remedy, Trial};
use crate::docker::behaviour::{Exit, Image};
use crate::swarmkit::spec::{FailureAction, Mode};

const MONITOR: &[&str] = &["deploy", "update_config", "monitor"];

/// A node that is late so long, when one has to be assumed: it pulls some hundred megabytes.
const SLOW: Span = Span::from_secs(30);

pub(super) const L03: Rule = Rule {
    id: "L03",
    name: "last-batch-is-judged-late",
    severity: Severity::Warning,
    looks_for: "new tasks that need longer to come up than the monitor period; or all slots at \
                once with a failure ratio and a monitor period below 30 s",
    why: "when the last slot has been handed out nothing is judged until every worker is done, and \
          then by the age of the task at that moment: a failure while another task is still coming \
          up is forgiven",
    shows: "an update to a version that crashes soon after it came up, in all slots or in one; \
            with all slots at once, while one node is slow",
    change: "a monitor period longer than the slowest task needs to come up",
    source: "moby/swarmkit#1245; semantics 5.3, quirk Q4; museum last-batch-blind",
    suspect: last_batch,
};

pub(super) const L01: Rule = Rule {
    id: "L01",
    name: "delay-hides-failures",
    severity: Severity::Warning,
    looks_for: "an engine before 20.10.10 (cluster.engine: 20.10.9 in x-swarmsim), and a delay \
                that is not shorter than the monitor period",
    why: "a failure in the last slots is judged when their delay is over; these engines watch for \
          the monitor period and no longer, so that it is too old by then: the update completes",
    shows: "an update to a version that crashes soon after it came up, in all slots or in one",
    change: "a monitor period longer than the delay, or a newer engine",
    source: "moby/moby#37972, moby/swarmkit#3003, moby/moby#42875; semantics 5.3, quirk Q3; museum \
             delay-hides-failure",
    suspect: delay_hides,
};

/// So many slots are tried one by one: which is handed out last is drawn.
const SLOTS_TRIED: usize = 10;

fn delay_hides(service: &Service<'_>) -> Option<Suspect> {
    let up = service.up?;
    let replicas = service.replicas()?;
    let update = service.update();
    let monitor = service.monitor();
    let blind = !service.subject.scenario.cluster.engine.watches_late();
    if !blind || update.failure_action == FailureAction::Continue || update.delay < monitor {
        return None;
    }
    let soon = soon(monitor);
    let what = format!("an update to a version that crashes {} after it came up", seconds(soon));
    let crashing = |slots| crashing(service, up.startup.plus(soon), slots);
    let mut trials = vec![trial(service, what.clone(), crashing(None), Span::ZERO)];
    if matches!(service.spec().mode, Mode::Replicated { .. }) {
        let last = replicas.min(u64::from(u32::MAX)) as u32;
        for slot in (1..=last).rev().take(SLOTS_TRIED) {
            let what = format!("{what}, in slot {slot} only");
            trials.push(trial(service, what, crashing(Some(vec![slot])), Span::ZERO));
        }
    }
    let longer = rounded(update.delay.plus(Span::from_secs(5)), 10);
    Some(Suspect {
        message: format!(
            "delay {} is not shorter than the monitor period of {}: engines before 20.10.10 \
             forgive failures in the last slots",
            short(update.delay),
            short(monitor)
        ),
        at: MONITOR,
        trials,
        remedies: vec![
            Remedy::set(MONITOR, short(longer)),
            Remedy::words("an engine from 20.10.10 on"),
        ],
    })
}

/// From coming up to a crash: within the monitor period.
fn soon(monitor: Span) -> Span {
    Span(monitor.0 / 2).min(Span::from_secs(3))
}

/// The software of the service, crashing so long after its start; only in some slots if these are
/// given.
fn crashing(service: &Service<'_>, after: Span, slots: Option<Vec<u32>>) -> Image {
    let exit = Some(Exit { after: Span(after.0 / 1_000_000 * 1_000_000), code: 1 });
    Image { exit, only_slots: slots, ..service.image() }
}

/// A release whose failure is not seen.
fn trial(service: &Service<'_>, what: String, image: Image, slow: Span) -> Trial {
    let watched = service.long_enough(slow.plus(Span::from_secs(60)));
    Trial::release(service, what, image, watched, &completed(service)).look(crashes_told)
}

fn last_batch(service: &Service<'_>) -> Option<Suspect> {
    let up = service.up?;
    let replicas = service.replicas()?;
    let update = service.update();
    let monitor = service.monitor();
    let replicated = matches!(service.spec().mode, Mode::Replicated { .. });
    if update.failure_action == FailureAction::Continue || replicas < 2 || !replicated {
        return None;
    }
    let soon = soon(monitor);
    let crashing = |slots| crashing(service, up.startup.plus(soon), slots);
    let late = seconds(soon);
    let monitor_told = short(monitor);
    let at_once = service.at_a_time(replicas) == replicas;
    if up.whole_start > monitor {
        let what = format!("an update to a version that crashes {late} after it came up");
        let mut trials = vec![trial(service, what.clone(), crashing(None), Span::ZERO)];
        let last = replicas.min(u64::from(u32::MAX)) as u32;
        for slot in [last - 1, 1, last] {
            let what = format!("{what}, in slot {slot} only");
            trials.push(trial(service, what, crashing(Some(vec![slot])), Span::ZERO));
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
    if !at_once || update.max_failure_ratio.0 <= 0.0 || monitor >= SLOW {
        return None;
    }
    let slow = SLOW;
    let mut cluster = service.subject.scenario.cluster.clone();
    let node = cluster.nodes.last_mut().filter(|node| !node.manager)?;
    node.latency.start = Some(Quantity::Fixed(slow));
    let what = format!(
        "an update to a version that crashes {late} after it came up, while {} starts containers \
         in {slow}",
        node.name
    );
    let mut shown = trial(service, what, crashing(None), slow.times(3));
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
