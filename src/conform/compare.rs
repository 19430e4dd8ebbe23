//! Does a replay conform to a case? Rule 5 of the case format.
//!
//! The events up to the end of the case are grouped by instant; an outcome is met if for every
//! instant the multiset of events is equal. One outcome met is enough. If none is, the first
//! divergence is told, against the outcome that was followed longest.

use std::collections::BTreeMap;

use crate::base::time::SimTime;
use crate::conform::case::Case;
use crate::conform::event::{Event, What};

/// So many instants before a divergence are told with it: enough to see what was going on.
const CONTEXT: usize = 3;

/// The answer for one case.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// The replay had the outcome with that index.
    Conforms {
        /// Index into [`Case::expect`].
        outcome: usize,
    },
    /// It had none of them.
    Differs(Divergence),
}

/// Where a replay and the outcome that it followed longest part.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Divergence {
    /// The outcome: index into [`Case::expect`].
    pub outcome: usize,
    /// The instant.
    pub at: SimTime,
    /// Events of that instant that were expected and did not happen.
    pub expected: Vec<What>,
    /// Events of that instant that happened and were not expected.
    pub simulated: Vec<What>,
    /// The last instants before it, on which both agree.
    pub context: Vec<(SimTime, Vec<What>)>,
}

impl Verdict {
    /// Up to when the replay followed an outcome: later is better.
    pub fn followed(&self) -> SimTime {
        match self {
            Verdict::Conforms { .. } => SimTime::MAX,
            Verdict::Differs(divergence) => divergence.at,
        }
    }
}

/// Compares the events of a replay with the outcomes of its case.
pub fn compare(case: &Case, events: &[Event]) -> Verdict {
    let simulated = instants(events, case.end);
    let mut longest: Option<Divergence> = None;
    for (outcome, expectation) in case.expect.iter().enumerate() {
        let expected = instants(&expectation.events, case.end);
        let Some(at) = first_difference(&expected, &simulated) else {
            return Verdict::Conforms { outcome };
        };
        if longest.as_ref().is_none_or(|known| at > known.at) {
            longest = Some(divergence(outcome, at, &expected, &simulated));
        }
    }
    Verdict::Differs(longest.unwrap_or(Divergence {
        outcome: 0,
        at: SimTime::ZERO,
        expected: Vec::new(),
        simulated: Vec::new(),
        context: Vec::new(),
    }))
}

/// Events in normal form by instant, sorted within each; an instant without any is left out.
type Instants = BTreeMap<SimTime, Vec<What>>;

fn instants(events: &[Event], end: SimTime) -> Instants {
    let mut instants = Instants::new();
    for event in events.iter().filter(|event| event.at <= end) {
        if let Some(what) = event.normal_form() {
            instants.entry(event.at).or_default().push(what);
        }
    }
    for events in instants.values_mut() {
        events.sort_unstable();
    }
    instants
}

fn first_difference(expected: &Instants, simulated: &Instants) -> Option<SimTime> {
    let mut theirs = expected.iter();
    let mut ours = simulated.iter();
    loop {
        match (theirs.next(), ours.next()) {
            (None, None) => return None,
            (Some(one), Some(other)) if one == other => {}
            (Some((at, _)), None) | (None, Some((at, _))) => return Some(*at),
            (Some((one, _)), Some((other, _))) => return Some(*one.min(other)),
        }
    }
}

fn divergence(
    outcome: usize,
    at: SimTime,
    expected: &Instants,
    simulated: &Instants,
) -> Divergence {
    let none = Vec::new();
    let theirs = expected.get(&at).unwrap_or(&none);
    let ours = simulated.get(&at).unwrap_or(&none);
    let mut context: Vec<(SimTime, Vec<What>)> = expected
        .range(..at)
        .rev()
        .take(CONTEXT)
        .map(|(at, events)| (*at, events.clone()))
        .collect();
    context.reverse();
    Divergence {
        outcome,
        at,
        expected: without(theirs, ours),
        simulated: without(ours, theirs),
        context,
    }
}

/// The multiset difference of two sorted lists.
fn without(from: &[What], taken: &[What]) -> Vec<What> {
    let mut taken = taken.iter().peekable();
    let mut left = Vec::new();
    for what in from {
        while taken.next_if(|other| *other < what).is_some() {}
        if taken.next_if_eq(&what).is_none() {
            left.push(what.clone());
        }
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conform::event::TaskChanged;
    use crate::conform::read::tests::case_with;
    use crate::swarmkit::task::TaskState;

    fn obs(at: u64, id: &str, state: TaskState) -> Event {
        let change = TaskChanged { id: id.to_string(), obs: Some(state), ..TaskChanged::default() };
        Event { at: SimTime(at), what: What::Task(change) }
    }

    fn what(event: &Event) -> What {
        event.normal_form().expect("it is compared")
    }

    /// Two outcomes that part at 30, looked at until 50.
    fn case() -> Case {
        let common = [obs(10, "1.1", TaskState::Pending), obs(20, "1.1", TaskState::Assigned)];
        let mut first = common.to_vec();
        first.push(obs(30, "1.1", TaskState::Accepted));
        let mut second = common.to_vec();
        second.push(obs(40, "1.1", TaskState::Rejected));
        second.push(obs(40, "2.1", TaskState::Rejected));
        case_with(50, &[first, second])
    }

    #[test]
    fn order_within_an_instant_and_events_after_the_end_do_not_count() {
        let replay = [
            obs(10, "1.1", TaskState::Pending),
            obs(20, "1.1", TaskState::Assigned),
            obs(40, "2.1", TaskState::Rejected),
            obs(40, "1.1", TaskState::Rejected),
            obs(51, "1.1", TaskState::Failed),
        ];
        assert_eq!(compare(&case(), &replay), Verdict::Conforms { outcome: 1 });
    }

    #[test]
    fn an_event_twice_is_not_an_event_once() {
        let replay = [
            obs(10, "1.1", TaskState::Pending),
            obs(20, "1.1", TaskState::Assigned),
            obs(30, "1.1", TaskState::Accepted),
            obs(30, "1.1", TaskState::Accepted),
        ];
        let Verdict::Differs(divergence) = compare(&case(), &replay) else { panic!("it differs") };
        assert_eq!((divergence.at, divergence.expected.len()), (SimTime(30), 0));
        assert_eq!(divergence.simulated, [what(&replay[3])]);
    }

    #[test]
    fn the_divergence_told_is_from_the_outcome_followed_longest() {
        let replay = [
            obs(10, "1.1", TaskState::Pending),
            obs(20, "1.1", TaskState::Assigned),
            obs(40, "1.1", TaskState::Rejected),
            obs(40, "2.1", TaskState::Failed),
        ];
        let expected = Divergence {
            outcome: 1,
            at: SimTime(40),
            expected: vec![what(&obs(40, "2.1", TaskState::Rejected))],
            simulated: vec![what(&replay[3])],
            context: vec![
                (SimTime(10), vec![what(&replay[0])]),
                (SimTime(20), vec![what(&replay[1])]),
            ],
        };
        assert_eq!(compare(&case(), &replay), Verdict::Differs(expected));
    }

    #[test]
    fn what_is_missing_at_the_end_is_a_divergence() {
        let replay = [obs(10, "1.1", TaskState::Pending), obs(20, "1.1", TaskState::Assigned)];
        let verdict = compare(&case(), &replay);
        assert_eq!(verdict.followed(), SimTime(40));
        assert_eq!(compare(&case(), &[]).followed(), SimTime(10));
    }

    #[test]
    fn error_texts_of_tasks_and_updater_runs_are_left_out() {
        let mut replay = case().expect[0].events.clone();
        if let What::Task(change) = &mut replay[2].what {
            change.err = Some("text".to_string());
        }
        let run = What::Run { img: "v1".to_string(), slots: Vec::new() };
        replay.insert(0, Event { at: SimTime(5), what: run });
        assert_eq!(compare(&case(), &replay), Verdict::Conforms { outcome: 0 });
    }
}
