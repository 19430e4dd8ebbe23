//! Does a replay agree with a recording?
//!
//! Compared are: the tasks of each slot in their order, with image, spec and node; each task's
//! statuses with their texts and exit codes, its desired states, and what its container did; the
//! specs in force and the update statuses with their messages; the exit codes of the commands.
//! Everything within [`BOUND`]. Not compared is what the format calls chance or noise: reports of
//! the same status with a new time stamp, and statuses that lasted no longer than a few of the
//! manager's batches.

use std::fmt;

use crate::base::time::{SimTime, Span};
use crate::conform::recording_seen::{At, Name, Seen, Status, Task};
use crate::swarmkit::task::TaskState;

/// How far an event may be from its counterpart. The same scenario recorded twice differs by up to
/// 0.9 s where nothing fails (the recordings' table of noise), since each start and stop is drawn
/// anew.
pub const BOUND: Span = Span::from_secs(1);

/// A status that was in force no longer than that may have been missed: the manager stores reports
/// every 0.1 s, and a node may have two batches under way.
const SHORT: Span = Span::from_ms(400);

/// Where a replay and a recording first part.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Parting {
    /// The moment: the earlier of both sides.
    pub at: SimTime,
    /// What differs, in words.
    pub what: String,
}

impl fmt::Display for Parting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "first divergence at {}: {}", self.at, self.what)
    }
}

struct Comparison {
    end: SimTime,
    partings: Vec<Parting>,
}

/// The first divergence, if there is one. Nothing is known after `end`.
pub fn compare(recorded: &Seen, simulated: &Seen, end: SimTime) -> Option<Parting> {
    let mut comparison = Comparison { end, partings: Vec::new() };
    let specs = |seen: &Seen| seen.specs.clone();
    comparison.lists("service spec", &specs(recorded), &specs(simulated));
    comparison.lists("update status", &recorded.updates, &simulated.updates);
    let mut names: Vec<Name> = recorded.tasks.keys().copied().collect();
    names.extend(simulated.tasks.keys().filter(|name| !recorded.tasks.contains_key(name)));
    for name in names {
        match (recorded.tasks.get(&name), simulated.tasks.get(&name)) {
            (Some(recorded), Some(simulated)) => comparison.tasks(name, recorded, simulated),
            (Some(only), None) => {
                let what = format!("task {name} ({})", only.image);
                comparison.alone(&what, only.created, true);
            }
            (None, Some(only)) => {
                let what = format!("task {name} ({})", only.image);
                comparison.alone(&what, only.created, false);
            }
            (None, None) => {}
        }
    }
    for (place, recorded) in &recorded.exits {
        let what = format!("exit code of command {}", place + 1);
        match simulated.exits.get(place) {
            Some(simulated) => comparison.pair(&what, recorded, simulated),
            None => comparison.alone(&format!("{what}: {}", recorded.what), recorded.at, true),
        }
    }
    comparison.partings.into_iter().min()
}

impl Comparison {
    fn part(&mut self, at: SimTime, what: String) {
        self.partings.push(Parting { at, what });
    }

    /// Something that one side lacks; near the end it may only be late.
    fn alone(&mut self, what: &str, at: SimTime, recorded: bool) {
        if at.after(BOUND) < self.end {
            let sides =
                if recorded { ("recorded", "simulated") } else { ("simulated", "recorded") };
            self.part(at, format!("{what}: {} at {at}, not {}", sides.0, sides.1));
        }
    }

    fn times(&mut self, what: &str, recorded: SimTime, simulated: SimTime) {
        let apart = recorded.max(simulated).since(recorded.min(simulated));
        if apart > BOUND {
            let at = recorded.min(simulated);
            self.part(at, format!("{what}: recorded at {recorded}, simulated at {simulated}"));
        }
    }

    fn pair<T: PartialEq + fmt::Display>(
        &mut self,
        what: &str,
        recorded: &At<T>,
        simulated: &At<T>,
    ) {
        if recorded.what == simulated.what {
            let what = format!("{what} {}", recorded.what);
            return self.times(&what, recorded.at, simulated.at);
        }
        self.part(
            recorded.at.min(simulated.at),
            format!(
                "{what}: recorded {} at {}, simulated {} at {}",
                recorded.what, recorded.at, simulated.what, simulated.at
            ),
        );
    }

    fn lists<T: PartialEq + fmt::Display>(
        &mut self,
        what: &str,
        recorded: &[At<T>],
        simulated: &[At<T>],
    ) {
        for (one, other) in recorded.iter().zip(simulated) {
            self.pair(what, one, other);
            if one.what != other.what {
                return;
            }
        }
        let both = recorded.len().min(simulated.len());
        if let Some(one) = recorded.get(both) {
            self.alone(&format!("{what} {}", one.what), one.at, true);
        }
        if let Some(one) = simulated.get(both) {
            self.alone(&format!("{what} {}", one.what), one.at, false);
        }
    }

    fn tasks(&mut self, name: Name, recorded: &Task, simulated: &Task) {
        self.times(&format!("creation of task {name}"), recorded.created, simulated.created);
        let at = recorded.created.min(simulated.created);
        if recorded.image != simulated.image || recorded.spec != simulated.spec {
            self.part(
                at,
                format!(
                    "task {name}: recorded {} of spec {}, simulated {} of spec {}",
                    recorded.image, recorded.spec, simulated.image, simulated.spec
                ),
            );
        }
        if let (Some(one), Some(other)) = (recorded.node, simulated.node)
            && one != other
        {
            let (one, other) = (one + 1, other + 1);
            self.part(at, format!("task {name}: recorded on node {one}, simulated on {other}"));
        }
        self.lists(&format!("task {name} desired"), &recorded.desired, &simulated.desired);
        self.lists(&format!("task {name} container"), &recorded.container, &simulated.container);
        self.statuses(name, &recorded.statuses, &simulated.statuses);
        match (recorded.deleted, simulated.deleted) {
            (Some(one), Some(other)) => self.times(&format!("deletion of task {name}"), one, other),
            (Some(at), None) => self.alone(&format!("deletion of task {name}"), at, true),
            (None, Some(at)) => self.alone(&format!("deletion of task {name}"), at, false),
            (None, None) => {}
        }
    }

    fn statuses(&mut self, name: Name, recorded: &[At<Status>], simulated: &[At<Status>]) {
        let what = format!("task {name}");
        let (mut one, mut other) = (0, 0);
        loop {
            match (recorded.get(one), simulated.get(other)) {
                (None, None) => return,
                (Some(left), Some(right)) if left.what.state == right.what.state => {
                    self.pair(&what, left, right);
                    one += 1;
                    other += 1;
                }
                (Some(left), right)
                    if is_short(recorded, one)
                        && right.is_none_or(|right| left.what.state < right.what.state) =>
                {
                    one += 1;
                }
                (_, Some(_)) if is_short(simulated, other) => other += 1,
                (Some(_), Some(_)) if is_short(recorded, one) => one += 1,
                (Some(left), Some(right)) => return self.pair(&what, left, right),
                (Some(left), None) => {
                    return self.alone(&format!("{what} {}", left.what), left.at, true);
                }
                (None, Some(right)) => {
                    return self.alone(&format!("{what} {}", right.what), right.at, false);
                }
            }
        }
    }
}

/// Whether a status on the node was in force so shortly that the manager may not have seen it.
fn is_short(statuses: &[At<Status>], place: usize) -> bool {
    let status = &statuses[place];
    let on_node = (TaskState::Accepted..=TaskState::Running).contains(&status.what.state);
    on_node && statuses.get(place + 1).is_some_and(|next| next.at <= status.at.after(SHORT))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::ids::{Ordinal, SlotNo};
    use crate::timeline::record::SlotKey;

    fn seen(statuses: &[(i64, TaskState)]) -> Seen {
        let at = |ms| SimTime::ZERO.after(Span::from_ms(ms));
        let status = |(ms, state): &(i64, TaskState)| At {
            at: at(*ms),
            what: Status { state: *state, message: String::new(), err: String::new(), exit: None },
        };
        let task = Task {
            created: at(0),
            image: "app:v1".to_string(),
            spec: 1,
            node: None,
            statuses: statuses.iter().map(status).collect(),
            desired: Vec::new(),
            container: Vec::new(),
            deleted: None,
        };
        let mut seen = Seen::default();
        seen.tasks.insert(Name(SlotKey::Slot(SlotNo(1)), Ordinal(1)), task);
        seen
    }

    fn parting(one: &[(i64, TaskState)], other: &[(i64, TaskState)]) -> String {
        let end = SimTime::ZERO.after(Span::from_secs(60));
        compare(&seen(one), &seen(other), end).map_or(String::new(), |parting| parting.what)
    }

    #[test]
    fn brief_statuses_may_be_missing_on_either_side() {
        use TaskState::{Assigned, Failed, Preparing, Ready, Running, Starting};
        let all = [
            (100, Assigned),
            (200, Preparing),
            (300, Ready),
            (400, Starting),
            (700, Running),
            (800, Failed),
        ];
        let few = [(100, Assigned), (300, Starting), (800, Failed)];
        assert_eq!(parting(&all, &few), "");
        assert_eq!(parting(&few, &all), "");
        assert_eq!(parting(&[(100, Preparing), (200, Ready)], &[(200, Ready)]), "");
    }

    #[test]
    fn lasting_statuses_and_late_ones_are_told() {
        use TaskState::{Failed, Running, Starting};
        let ran = [(300, Starting), (700, Running), (5000, Failed)];
        assert_eq!(
            parting(&ran, &[(300, Starting), (5000, Failed)]),
            "task 1#1: recorded running \"\" at 0.7s, simulated failed \"\" at 5s"
        );
        assert_eq!(
            parting(&ran, &[(300, Starting), (700, Running), (6001, Failed)]),
            "task 1#1 failed \"\": recorded at 5s, simulated at 6.001s"
        );
        assert_eq!(
            parting(&ran, &[(300, Starting), (700, Running)]),
            "task 1#1 failed \"\": recorded at 5s, not simulated"
        );
    }
}
